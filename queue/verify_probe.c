/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/verify_probe.c - addresses that next hops are asked for.
 *
 * Those of one domain wait together: for its route, which is as fresh as that
 * of mail, and for one of a few jobs, each of which takes several.  A next hop
 * in trouble is left alone for a moment; meanwhile nobody waits for it. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/envelope.h"
#include "base/utf8.h"
#include "queue/verify_priv.h"

/* ---- domains ---- */

static uint64_t
hash_of(struct span name, enum tls_wish wish)
{
	return table_hash(name) ^ wish;
}

static struct verify_domain *
domain_find(const struct verify *v, struct span name, enum tls_wish wish)
{
	struct table_link *l = table_find(&v->domains, hash_of(name, wish));

	for (; l != NULL; l = table_next(l)) {
		struct verify_domain *d = TABLE_ENTRY(l, struct verify_domain,
		    link);

		if (d->wish == wish && span_eq(span_of(d->name, d->n), name))
			return d;
	}
	return NULL;
}

static struct verify_domain *
domain_get(struct verify *v, struct span name, enum tls_wish wish)
{
	struct verify_domain *d = domain_find(v, name, wish);

	if (d != NULL)
		return d;
	d = calloc(1, sizeof(*d) + name.n + 1);
	if (d == NULL)
		return NULL;
	memcpy(d->name, name.p, name.n);
	d->n = name.n;
	d->wish = wish;
	TAILQ_INIT(&d->waiting);
	if (table_add(&v->domains, &d->link, hash_of(name, wish)) == -1) {
		free(d);
		return NULL;
	}
	return d;
}

static void
domain_move(struct verify_domain *d, struct verify_domains *to)
{
	if (d->at == to)
		return;
	if (d->at != NULL)
		TAILQ_REMOVE(d->at, d, line);
	d->at = to;
	if (to != NULL)
		TAILQ_INSERT_TAIL(to, d, line);
}

static void
domain_free(struct verify *v, struct verify_domain *d)
{
	domain_move(d, NULL);
	table_remove(&v->domains, &d->link);
	route_unref(d->route);
	free(d);
}

/* Where it belongs now; it may be gone afterwards. */
static void
domain_place(struct queue *q, struct verify_domain *d)
{
	struct verify *v = q->verify;
	bool fresh = d->route != NULL &&
	    queue_now(q) - d->routed <= QUEUE_SHARE_MS;

	if (d->txn != 0)
		domain_move(d, NULL);
	else if (!TAILQ_EMPTY(&d->waiting) && d->njobs >= VERIFY_JOBS_HOP)
		domain_move(d, NULL);
	else if (!TAILQ_EMPTY(&d->waiting))
		domain_move(d, fresh ? &v->ready : &v->wanting);
	else if (d->down_until > queue_now(q))
		domain_move(d, &v->resting);
	else if (d->njobs > 0)
		domain_move(d, NULL);
	else
		domain_free(v, d);
}

const char *
verify_domain_down(struct queue *q, struct span name, enum tls_wish wish)
{
	const struct verify_domain *d = domain_find(q->verify, name, wish);

	return d != NULL && d->down_until > queue_now(q) ? d->down_dsn : NULL;
}

/* All that wait for the domain are told the same. */
static void
domain_tell(struct queue *q, struct verify_domain *d,
    const struct verify_said *said)
{
	struct verify_probe *p;

	while ((p = TAILQ_FIRST(&d->waiting)) != NULL) {
		TAILQ_REMOVE(&d->waiting, p, line);
		verify_probe_done(q, p, said, false);
	}
}

static void
domain_goes_down(struct queue *q, struct verify_domain *d, struct span dsn)
{
	struct verify_said said;

	d->down_until = queue_now(q) + VERIFY_DOWN_MS;
	(void)span_copy(dsn, d->down_dsn, sizeof(d->down_dsn));
	said = verify_said_of(d->down_dsn);
	domain_tell(q, d, &said);
}

/* ---- probes ---- */

struct verify_probe *
verify_probe_find(const struct verify *v, const struct verify_whom *whom)
{
	struct table_link *l = table_find(&v->probes,
	    hash_of(whom->address, whom->wish));

	for (; l != NULL; l = table_next(l)) {
		struct verify_probe *p = TABLE_ENTRY(l, struct verify_probe,
		    link);

		if (p->wish == whom->wish &&
		    span_eq(span_of(p->address, p->n), whom->address))
			return p;
	}
	return NULL;
}

struct verify_probe *
verify_probe_new(struct queue *q, const struct verify_whom *whom)
{
	struct verify *v = q->verify;
	struct span address = whom->address, local = address, domain;
	struct verify_probe *p = calloc(1, sizeof(*p) + address.n + 1);

	if (p == NULL)
		return NULL;
	while (local.n > 0 && local.p[local.n - 1] != '@')
		local.n--;
	domain = span_skip(address, local.n);
	p->domain = domain_get(v, domain, whom->wish);
	if (p->domain == NULL)
		goto free_probe;
	memcpy(p->address, address.p, address.n);
	p->n = address.n;
	p->hop = whom->hop;
	p->wish = whom->wish;
	TAILQ_INIT(&p->questions);
	if (table_add(&v->probes, &p->link, hash_of(address, p->wish)) == -1)
		goto place_domain;
	v->nprobes++;
	TAILQ_INSERT_TAIL(&p->domain->waiting, p, line);
	domain_place(q, p->domain);
	return p;
place_domain:
	domain_place(q, p->domain);
free_probe:
	free(p);
	return NULL;
}

/* ---- routes ---- */

static void
ask_routes(struct queue *q)
{
	struct verify *v = q->verify;
	struct link *policy = role_peer(q->env, ROLE_POLICY);
	struct verify_domain *d;

	for (unsigned i = 0; i < VERIFY_ROUTES; i++) {
		struct ipc_route_ask ask;

		if (v->asked[i] != NULL)
			continue;
		d = TAILQ_FIRST(&v->wanting);
		if (d == NULL || policy == NULL || link_full(policy))
			return;
		d->txn = ++v->round << 16 | VERIFY_SLOT | i;
		v->asked[i] = d;
		domain_place(q, d);
		ask = (struct ipc_route_ask){ .txn = d->txn,
		    .domain = span_of(d->name, d->n),
		    .wish = (uint8_t)d->wish };
		(void)ipc_send_route_ask(policy, &ask, -1);
	}
}

bool
verify_route_answer(struct queue *q, const struct ipc_route *a)
{
	struct verify *v = q->verify;
	unsigned slot = a->txn & 0xffff;
	struct verify_domain *d;

	if (slot < VERIFY_SLOT)
		return false;
	slot -= VERIFY_SLOT;
	d = slot < VERIFY_ROUTES ? v->asked[slot] : NULL;
	if (d == NULL || d->txn != a->txn)
		return true;		/* of an ask that was repeated since */
	v->asked[slot] = NULL;
	d->txn = 0;
	route_unref(d->route);
	d->route = NULL;
	if (a->code == 250 && a->discard)
		domain_tell(q, d, &(struct verify_said){ VERDICT_HIT,
		    SPAN_LIT("2.1.5") });
	else if (a->code == 250 && a->hosts.n > 0)
		d->route = route_make(q, a);
	d->routed = queue_now(q);
	/* Also where the domain is denied: the operator's next hop is meant,
	 * and he may mend it.  What REQUIRETLS denies stays so. */
	if (d->route == NULL)
		domain_goes_down(q, d, a->dsn.n > 0 && (a->dsn.p[0] == '4' ||
		    span_eq(a->dsn, SPAN_LIT("5.7.30"))) ?
		    a->dsn : SPAN_LIT("4.3.5"));
	domain_place(q, d);
	verify_pump(q);
	return true;
}

void
verify_policy_lost(struct queue *q)
{
	struct verify *v = q->verify;

	for (unsigned i = 0; i < VERIFY_ROUTES; i++) {
		struct verify_domain *d = v->asked[i];

		if (d == NULL)
			continue;
		v->asked[i] = NULL;
		d->txn = 0;
		domain_place(q, d);
	}
}

/* ---- jobs ---- */

/* RFC 6531 sec 3.4: such an address goes with SMTPUTF8 only.  A host without it
 * refuses the job as a whole, so that no other address is in it. */
static bool
beyond_ascii(const struct verify_probe *p)
{
	return utf8_any(span_of(p->address, p->n));
}

/* A report travels in TLS, which its route asks for, and needs no more (RFC 8689
 * sec 5). */
static uint16_t
flags_of(const struct verify_job *j)
{
	unsigned flags = j->domain->wish == TLS_WISH_REQUIRED ?
	    ENVELOPE_REQUIRETLS : 0;

	if (beyond_ascii(j->probes[0]))
		flags |= ENVELOPE_SMTPUTF8;
	return (uint16_t)flags;
}

static int
put_rcpts(const struct verify_job *j, struct buf *list)
{
	for (uint32_t i = 0; i < j->n; i++) {
		const struct verify_probe *p = j->probes[i];
		struct ipc_job_rcpt r = { .index = i,
		    .address = span_of(p->address, p->n), .orcpt = SPAN_NONE };

		if (ipc_put_job_rcpt(list, &r) == -1)
			return -1;
	}
	return 0;
}

static int
send_job(struct queue *q, struct verify_job *j)
{
	struct link *l = q->env->peer[ROLE_RELAY][j->relay];
	const struct route *r = j->domain->route;
	struct ipc_job_route route = { .job = j->job,
	    .route = span_of(r->bytes, r->n) };
	struct ipc_job job = { .job = j->job, .id = SPAN_NONE,
	    .sender = SPAN_NONE, .envid = SPAN_NONE, .body = SPAN_NONE,
	    .flags = flags_of(j),
	    .arrived = clock_wall_ms(), .probe = 1 };
	struct buf list;
	int rc = -1;

	buf_init(&list, QUEUE_BATCH_BYTES);
	if (put_rcpts(j, &list) == 0 &&
	    ipc_send_job_route(l, &route, -1) == 0) {
		job.rcpts = buf_get(&list);
		rc = ipc_send_job(l, &job, -1);
	}
	buf_free(&list);
	return rc;
}

static void
job_end(struct verify *v, struct verify_job *j)
{
	table_remove(&v->jobs, &j->link);
	TAILQ_REMOVE(&v->running, j, line);
	v->njobs--;
	j->domain->njobs--;
	free(j);
}

/* Back to the line's front, unless relays die of it. */
static void
job_undo(struct queue *q, struct verify_job *j)
{
	struct verify_domain *d = j->domain;

	while (j->n > 0) {
		struct verify_probe *p = j->probes[--j->n];

		if (++p->lost < 3)
			TAILQ_INSERT_HEAD(&d->waiting, p, line);
		else
			verify_probe_done(q, p, &(struct verify_said){
			    VERDICT_UNCLEAR, SPAN_LIT("4.3.0") }, true);
	}
	job_end(q->verify, j);
	domain_place(q, d);
}

/* Takes from the line of its domain, as long as all are of one kind. */
static void
job_fill(struct verify_job *j)
{
	struct verify_probes *line = &j->domain->waiting;
	struct verify_probe *p;

	while (j->n < VERIFY_BATCH && (p = TAILQ_FIRST(line)) != NULL) {
		if (j->n > 0 && beyond_ascii(p) != beyond_ascii(j->probes[0]))
			break;
		TAILQ_REMOVE(line, p, line);
		j->probes[j->n++] = p;
	}
}

/* False: no relay takes it now, or no memory. */
static bool
job_start(struct queue *q, struct verify_domain *d)
{
	struct verify *v = q->verify;
	unsigned relay = dispatch_relay(q, d->route->site);
	struct verify_job *j;

	if (relay == 0 || (j = calloc(1, sizeof(*j))) == NULL)
		return false;
	j->job = q->next_job;
	if (table_add(&v->jobs, &j->link, table_hash_u64(j->job)) == -1) {
		free(j);
		return false;
	}
	q->next_job++;
	j->relay = relay;
	j->domain = d;
	TAILQ_INSERT_TAIL(&v->running, j, line);
	v->njobs++;
	d->njobs++;
	job_fill(j);
	domain_place(q, d);
	if (send_job(q, j) == 0)
		return true;
	job_undo(q, j);
	return false;
}

void
verify_pump(struct queue *q)
{
	struct verify *v = q->verify;
	struct verify_domain *d;

	while (v->njobs < VERIFY_JOBS && (d = TAILQ_FIRST(&v->ready)) != NULL) {
		/* Behind the others, for its next job. */
		TAILQ_REMOVE(&v->ready, d, line);
		TAILQ_INSERT_TAIL(&v->ready, d, line);
		if (queue_now(q) - d->routed > QUEUE_SHARE_MS)
			domain_place(q, d);	/* it waited too long */
		else if (!job_start(q, d))
			break;
	}
	ask_routes(q);
}

/* ---- outcomes ---- */

static struct verify_job *
job_find(const struct verify *v, unsigned relay, uint64_t job)
{
	struct table_link *l = table_find(&v->jobs, table_hash_u64(job));

	for (; l != NULL; l = table_next(l)) {
		struct verify_job *j = TABLE_ENTRY(l, struct verify_job, link);

		if (j->job == job && j->relay == relay)
			return j;
	}
	return NULL;
}

static void
take_outcome(struct queue *q, struct verify_job *j,
    const struct ipc_outcome *o, bool trouble, char down[12])
{
	static const enum verdict verdicts[OUTCOME_COUNT] = {
		[OUTCOME_SENT] = VERDICT_HIT,
		[OUTCOME_DEFERRED] = VERDICT_UNCLEAR,
		[OUTCOME_FAILED] = VERDICT_MISS,
	};
	struct verify_said said = { .dsn = o->dsn };
	struct verify_probe *p = o->index < j->n ? j->probes[o->index] : NULL;

	if (p == NULL || o->status >= OUTCOME_COUNT)
		return;
	j->probes[o->index] = NULL;
	said.verdict = verdicts[o->status];
	if (said.verdict == VERDICT_UNCLEAR)
		(void)span_copy(o->dsn, down, 12);
	/* Trouble is the host's and is remembered of it; and for want of
	 * REQUIRETLS nobody was asked. */
	verify_probe_done(q, p, &said, said.verdict == VERDICT_UNCLEAR ?
	    !trouble : !span_eq(o->dsn, SPAN_LIT("5.7.30")));
}

bool
verify_outcome(struct queue *q, unsigned relay,
    const struct ipc_job_outcome *o)
{
	struct verify *v = q->verify;
	struct verify_job *j = job_find(v, relay, o->job);
	struct verify_domain *d;
	struct span list = o->outcomes;
	struct ipc_outcome one;
	char down[12] = "4.4.1";

	if (j == NULL)
		return false;
	while (ipc_get_outcome(&list, &one) == 1)
		take_outcome(q, j, &one, o->trouble != 0, down);
	for (uint32_t i = 0; i < j->n; i++)
		if (j->probes[i] != NULL)
			verify_probe_done(q, j->probes[i],
			    &(struct verify_said){ VERDICT_UNCLEAR,
			    SPAN_LIT("4.3.0") }, true);
	d = j->domain;
	job_end(v, j);
	if (o->trouble)
		domain_goes_down(q, d, span_str(down));
	domain_place(q, d);
	outcome_ack(q, relay, o->job);
	verify_pump(q);
	return true;
}

void
verify_relay_lost(struct queue *q, unsigned relay)
{
	struct verify_job *j, *next;

	for (j = TAILQ_FIRST(&q->verify->running); j != NULL; j = next) {
		next = TAILQ_NEXT(j, line);
		if (j->relay == relay)
			job_undo(q, j);
	}
	verify_pump(q);
}

/* ---- house and end ---- */

void
verify_probe_house(struct queue *q)
{
	struct verify *v = q->verify;
	struct verify_domain *d;

	while ((d = TAILQ_FIRST(&v->resting)) != NULL &&
	    d->down_until <= queue_now(q))
		domain_place(q, d);
	verify_pump(q);
}

static void
free_probes(struct verify_probes *line)
{
	struct verify_probe *p;
	struct verify_question *w;

	while ((p = TAILQ_FIRST(line)) != NULL) {
		TAILQ_REMOVE(line, p, line);
		while ((w = TAILQ_FIRST(&p->questions)) != NULL) {
			TAILQ_REMOVE(&p->questions, w, line);
			free(w);
		}
		free(p);
	}
}

void
verify_probe_free_all(struct queue *q)
{
	struct verify *v = q->verify;
	struct verify_job *j;

	while ((j = TAILQ_FIRST(&v->running)) != NULL) {
		for (uint32_t i = 0; i < j->n; i++)
			TAILQ_INSERT_TAIL(&j->domain->waiting, j->probes[i],
			    line);
		job_end(v, j);
	}
	for (size_t i = 0; i < v->domains.size; i++) {
		struct table_link *l, *next;

		for (l = v->domains.slots[i]; l != NULL; l = next) {
			struct verify_domain *d = TABLE_ENTRY(l,
			    struct verify_domain, link);

			next = l->next;
			free_probes(&d->waiting);
			route_unref(d->route);
			free(d);
		}
	}
	table_free(&v->probes);
	table_free(&v->domains);
	table_free(&v->jobs);
}
