/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/job.c - see job.h. */
#include "relay/job.h"

#include <stdlib.h>
#include <unistd.h>

/* Bounds of messages.def. */
#define OUTCOMES_MAX	118784
#define REPLY_MAX	1024

struct job_word {
	struct job_word	*next;
	char		 text[];
};

void
hop_init(struct hop *h)
{
	*h = (struct hop){ .asked = LEVEL_CLEAR, .reached = LEVEL_NONE };
	tls_facts_clear(&h->tls);
}

struct job *
job_new(uint64_t number)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->number = number;
	j->body.fd = -1;
	hop_init(&j->last);
	return j;
}

void
job_free(struct job **jp)
{
	struct job *j = *jp;
	struct job_word *w;

	if (j == NULL)
		return;
	*jp = NULL;
	while ((w = j->words) != NULL) {
		j->words = w->next;
		free(w);
	}
	route_free(&j->route);
	body_close(&j->body);
	free(j->rcpts);
	free(j->batch);
	free(j->batch_at);
	free(j->mem);
	free(j);
}

int
job_route(struct job *j, struct span encoded)
{
	route_free(&j->route);
	if (route_decode(&j->route, encoded) == -1)
		return -1;
	route_spread(&j->route, j->number);
	return 0;
}

static char *
keep(char **at, struct span s)
{
	char *p = *at;

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	*at += s.n;
	return p;
}

static int
take_rcpts(struct job *j, struct span list)
{
	struct span walk = list;
	struct ipc_job_rcpt r;
	size_t n = 0;

	while (ipc_get_job_rcpt(&walk, &r) == 1)
		n++;
	if (n == 0)
		return -1;
	j->rcpts = calloc(n, sizeof(*j->rcpts));
	if (j->rcpts == NULL)
		return -1;
	while (j->nrcpts < n && ipc_get_job_rcpt(&list, &r) == 1)
		j->rcpts[j->nrcpts++] = (struct job_rcpt){ .index = r.index,
		    .address = r.address, .orcpt = r.orcpt,
		    .notify = r.notify, .reply = "", .mx = "" };
	j->nundecided = n;
	return 0;
}

static int
fill(struct job *j, const struct ipc_job *m)
{
	char *at;

	if (!span_copy(m->id, j->id, sizeof(j->id)))
		return -1;
	if (j->body.fd == -1 && m->body.n != m->size)
		return -1;
	j->mem = malloc(m->sender.n + m->envid.n + m->rcpts.n + m->body.n + 1);
	if (j->mem == NULL)
		return -1;
	at = j->mem;
	j->sender = span_of(keep(&at, m->sender), m->sender.n);
	j->envid = span_of(keep(&at, m->envid), m->envid.n);
	j->body.inline_bytes = span_of(keep(&at, m->body), m->body.n);
	j->body.size = m->size;
	j->body.summed = m->summed != 0;
	j->body.sum = m->sum;
	j->flags = m->flags;
	j->probe = m->probe != 0;
	j->tls_failed_before = m->tls_failed != 0;
	j->arrived = m->arrived;
	return take_rcpts(j, span_of(keep(&at, m->rcpts), m->rcpts.n));
}

int
job_fill(struct job *j, const struct ipc_job *m, int fd)
{
	if (j->mem != NULL) {		/* sent twice */
		if (fd != -1)
			(void)close(fd);
		return -1;
	}
	j->body.fd = fd;
	return fill(j, m);
}

/* Recipients of one transaction mostly have the same words. */
const char *
job_keep(struct job *j, const char *text)
{
	size_t n = strlen(text) + 1;
	struct job_word *w = j->words;
	unsigned look;

	for (look = 0; w != NULL && look < 4; look++, w = w->next) {
		if (strcmp(w->text, text) == 0)
			return w->text;
	}
	w = malloc(sizeof(*w) + n);
	if (w == NULL)
		return "";	/* the verdict stands without its words */
	memcpy(w->text, text, n);
	w->next = j->words;
	j->words = w;
	return w->text;
}

void
job_judge(struct job *j, struct job_rcpt *r, enum outcome_status status,
    const char *dsn, const char *reply, const char *mx)
{
	r->status = status;
	(void)span_copy(span_str(dsn), r->dsn, sizeof(r->dsn));
	r->mx = job_keep(j, mx);
	r->reply = job_keep(j, reply);
}

void
job_again(struct job *j)
{
	size_t i;

	for (i = 0; i < j->nrcpts; i++)
		j->rcpts[i].again = false;
}

bool
job_has_more(const struct job *j)
{
	size_t i;

	for (i = 0; i < j->nrcpts; i++) {
		const struct job_rcpt *r = &j->rcpts[i];

		if (!r->decided && !r->again && !r->batched)
			return true;
	}
	return false;
}

/* May `r` go into the batch, as far as domains are counted? */
static bool
domain_fits(const struct job *j, const struct job_rcpt *r, unsigned most,
    unsigned *n)
{
	size_t i;

	if (most == 0)
		return true;
	for (i = 0; i < j->nbatch; i++) {
		if (span_ieq(job_domain(j->batch[i].address),
		    job_domain(r->address)))
			return true;
	}
	if (*n >= most)
		return false;
	(*n)++;
	return true;
}

/* The transaction of a host without SMTPUTF8 holds recipients of ASCII alone:
 * it may be taken where the message itself needs no more (RFC 6531 sec 3.2).
 * When none is left, those that it can't be told by name follow. */
static bool
ascii_first(const struct job *j, const struct ehlo *e)
{
	size_t i;

	if (!(j->flags & ENVELOPE_SMTPUTF8) || (e->caps & EHLO_SMTPUTF8))
		return false;
	for (i = 0; i < j->nrcpts; i++) {
		const struct job_rcpt *r = &j->rcpts[i];

		if (!r->decided && !r->again &&
		    client_address_ok(r->address, false))
			return true;
	}
	return false;
}

int
job_batch(struct job *j, const struct ehlo *e)
{
	bool ascii = ascii_first(j, e);
	unsigned ndomains = 0;
	size_t i;

	if (j->batch == NULL)
		j->batch = calloc(j->nrcpts, sizeof(*j->batch));
	if (j->batch_at == NULL)
		j->batch_at = calloc(j->nrcpts, sizeof(*j->batch_at));
	if (j->batch == NULL || j->batch_at == NULL)
		return -1;
	for (j->nbatch = i = 0; i < j->nrcpts; i++) {
		struct job_rcpt *r = &j->rcpts[i];

		r->batched = !r->decided && !r->again &&
		    (!ascii || client_address_ok(r->address, false)) &&
		    (e->rcpt_max == 0 || j->nbatch < e->rcpt_max) &&
		    domain_fits(j, r, e->domain_max, &ndomains);
		if (!r->batched)
			continue;
		j->batch[j->nbatch] = (struct client_rcpt){
			.address = r->address, .orcpt = r->orcpt,
			.notify = r->notify };
		j->batch_at[j->nbatch++] = i;
	}
	return 0;
}

struct span
job_domain(struct span a)
{
	size_t i = a.n;

	while (i > 0 && a.p[i - 1] != '@')
		i--;
	return i == 0 ? SPAN_NONE : span_skip(a, i);
}

/* ---- for the queue ---- */

static int
put_outcomes(const struct job *j, struct buf *mem, size_t reply_max)
{
	size_t i;

	for (i = 0; i < j->nrcpts; i++) {
		const struct job_rcpt *r = &j->rcpts[i];
		const struct ipc_outcome o = {
			.index = r->index,
			.status = (uint8_t)r->status,
			.dsn = span_str(r->dsn),
			.reply = span_head(span_str(r->reply), reply_max),
			/* The socket of a mail store is no remote MTA. */
			.mx = reply_max == 0 || r->mx[0] == '/' ? SPAN_NONE :
			    span_str(r->mx),
			.dsn_passed = r->dsn_passed,
			.final = r->final,
		};

		if (ipc_put_outcome(mem, &o) == -1)
			return -1;
	}
	return 0;
}

int
job_outcome(const struct job *j, struct buf *mem, struct ipc_job_outcome *m)
{
	static const size_t cuts[] = { REPLY_MAX - 1, 400, 120, 40, 0 };
	size_t i;

	for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		buf_reset(mem);
		if (put_outcomes(j, mem, cuts[i]) == -1 && !mem->failed)
			return -1;
		if (!mem->failed && mem->len <= OUTCOMES_MAX)
			break;
	}
	if (mem->failed || mem->len > OUTCOMES_MAX)
		return -1;
	*m = (struct ipc_job_outcome){
		.job = j->number, .id = span_str(j->id), .site = j->route.site,
		.tls_failed = j->tls_failed, .trouble = j->trouble,
		.outcomes = buf_get(mem),
	};
	return 0;
}

int
job_running(const struct job *j, struct buf *mem, struct ipc_job_running *m)
{
	size_t i;

	buf_reset(mem);
	for (i = 0; i < j->nrcpts; i++) {
		const struct ipc_job_rcpt r = { .index = j->rcpts[i].index,
		    .address = j->rcpts[i].address, .orcpt = SPAN_NONE };

		if (ipc_put_job_rcpt(mem, &r) == -1)
			return -1;
	}
	*m = (struct ipc_job_running){ .job = j->number,
	    .id = span_str(j->id), .site = j->route.site,
	    .rcpts = buf_get(mem) };
	return 0;
}
