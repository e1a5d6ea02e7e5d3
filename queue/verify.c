/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/verify.c - see verify.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "queue/spool_priv.h"
#include "queue/verify_priv.h"

#define SAVE_MS		60000
#define FILE_NAME	"verify"
#define FILE_NEW	"verify.new"

/* ---- answers ---- */

static void
answer(struct queue *q, unsigned smtpd, uint64_t txn,
    const struct verify_said *said)
{
	struct link *l = q->env->peer[ROLE_SMTPD][smtpd];
	struct ipc_verify_answer a = { .txn = txn, .dsn = said->dsn };

	if (l == NULL)
		return;
	switch (said->verdict) {
	case VERDICT_HIT:
		a.code = 250;
		break;
	case VERDICT_MISS:
		a.code = 550;
		break;
	case VERDICT_UNCLEAR:
		a.code = 451;
		break;
	}
	(void)ipc_send_verify_answer(l, &a, -1);
}

static void
question_end(struct queue *q, struct verify_question *w)
{
	struct verify *v = q->verify;

	TAILQ_REMOVE(&w->probe->questions, w, line);
	TAILQ_REMOVE(&v->by_time, w, by_time);
	v->nquestions--;
	free(w);
}

struct verify_said
verify_said_of(const char *dsn)
{
	return (struct verify_said){ strcmp(dsn, "5.7.30") == 0 ?
	    VERDICT_MISS : VERDICT_UNCLEAR, span_str(dsn) };
}

/* What those who wait for a probe are told: a hit that could not be renewed
 * is still one. */
static struct verify_said
told(struct queue *q, const struct verify_probe *p,
    const struct verify_said *said)
{
	struct verify_entry *e;
	int64_t now = (int64_t)queue_now(q);

	if (said->verdict != VERDICT_UNCLEAR)
		return *said;
	e = verify_cache_ask(&q->verify->cache, span_of(p->address, p->n),
	    p->hop);
	if (e == NULL || e->verdict != VERDICT_HIT ||
	    verify_age(e, now) == VERIFY_GONE)
		return *said;
	e->tried = now;
	return (struct verify_said){ VERDICT_HIT, span_str(e->dsn) };
}

void
verify_probe_done(struct queue *q, struct verify_probe *p,
    const struct verify_said *said, bool keep)
{
	struct verify *v = q->verify;
	struct verify_said tell = told(q, p, said);
	struct verify_question *w;

	if (keep && tell.verdict == said->verdict) {
		(void)verify_cache_set(&v->cache, span_of(p->address, p->n),
		    p->hop, said->verdict, said->dsn, (int64_t)queue_now(q));
		v->dirty |= said->verdict != VERDICT_UNCLEAR;
	}
	while ((w = TAILQ_FIRST(&p->questions)) != NULL) {
		answer(q, w->smtpd, w->txn, &tell);
		question_end(q, w);
	}
	table_remove(&v->probes, &p->link);
	v->nprobes--;
	free(p);
}

/* ---- questions ---- */

static struct span
domain_of(struct span address)
{
	for (size_t i = address.n; i > 0; i--)
		if (address.p[i - 1] == '@')
			return span_skip(address, i);
	return SPAN_NONE;
}

/* Whom the configuration names for this domain, as a number: what was learnt
 * from one next hop says nothing of the next. */
static uint32_t
hop_of(const struct queue *q, struct span domain)
{
	const struct conf_accept *a = conf_accept_for(q->conf, domain);
	char text[300];
	int n;

	if (a == NULL)
		return 0;
	n = snprintf(text, sizeof(text), "%d %d %.250s %u", a->to.kind,
	    a->to.lmtp, a->to.host, a->to.port);
	return crc32c(0, text, (size_t)n < sizeof(text) ? (size_t)n :
	    sizeof(text) - 1);
}

/* Once a minute: whoever floods us would flood the log. */
static void
complain(struct queue *q, const char *what)
{
	struct verify *v = q->verify;

	if (v->complained != 0 && queue_now(q) - v->complained < 60000)
		return;
	v->complained = queue_now(q);
	log_warn("verify-full", KV_N("questions", v->nquestions),
	    KV_N("addresses", v->nprobes), KV_Q("reason", what));
}

/* The probe for an address, new or under way.  NULL: there can be none. */
static struct verify_probe *
probe_for(struct queue *q, const struct verify_whom *whom)
{
	struct verify *v = q->verify;
	struct verify_probe *p = verify_probe_find(v, whom);

	if (p != NULL)
		return p;
	if (v->nprobes >= VERIFY_PROBES) {
		complain(q, "too many addresses are being asked for");
		return NULL;
	}
	return verify_probe_new(q, whom);
}

static bool
wait_for(struct queue *q, struct verify_probe *p, unsigned smtpd, uint64_t txn)
{
	struct verify *v = q->verify;
	struct verify_question *w;

	if (v->nquestions >= VERIFY_ASKS) {
		complain(q, "too many questions wait");
		return false;
	}
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return false;
	*w = (struct verify_question){ .smtpd = smtpd, .txn = txn, .probe = p,
	    .until = queue_now(q) + v->wait_ms };
	TAILQ_INSERT_TAIL(&p->questions, w, line);
	TAILQ_INSERT_TAIL(&v->by_time, w, by_time);
	v->nquestions++;
	return true;
}

/* True: it is known, and told; perhaps it is renewed meanwhile. */
static bool
answer_known(struct queue *q, const struct verify_whom *whom, unsigned smtpd,
    uint64_t txn)
{
	struct verify_entry *e = verify_cache_ask(&q->verify->cache,
	    whom->address, whom->hop);
	int64_t now = (int64_t)queue_now(q);
	enum verify_age age;
	bool renew;

	if (e == NULL || (age = verify_age(e, now)) == VERIFY_GONE)
		return false;
	renew = age != VERIFY_GOOD &&
	    (e->tried == 0 || now - e->tried >= VERIFY_RETRY_MS);
	if (age == VERIFY_STALE && renew)
		return false;
	answer(q, smtpd, txn, &(struct verify_said){
	    (enum verdict)e->verdict, span_str(e->dsn) });
	if (renew && verify_domain_down(q, domain_of(whom->address),
	    whom->wish) == NULL) {
		(void)probe_for(q, whom);
		verify_pump(q);
	}
	return true;
}

void
verify_ask(struct role_env *env, struct link *l, struct ipc_msg *msg)
{
	struct queue *q = env->state;
	const struct ipc_verify_ask *ask = &msg->u.verify_ask;
	struct span domain = domain_of(ask->address);
	const struct verify_whom whom = { ask->address, hop_of(q, domain),
	    ask->wish < TLS_WISH_COUNT ? (enum tls_wish)ask->wish :
	    TLS_WISH_REQUIRED };
	struct verify_said no = verify_said_of("4.3.2");
	struct verify_probe *p;
	struct verify_entry *e;
	const char *down;

	if (answer_known(q, &whom, link_index(l), ask->txn))
		return;
	down = verify_domain_down(q, domain, whom.wish);
	if (down != NULL)
		no = verify_said_of(down);
	p = q->draining || down != NULL ? NULL : probe_for(q, &whom);
	if (p != NULL && wait_for(q, p, link_index(l), ask->txn)) {
		verify_pump(q);
		return;
	}
	e = no.verdict != VERDICT_UNCLEAR ? NULL :
	    verify_cache_ask(&q->verify->cache, whom.address, whom.hop);
	if (e != NULL && e->verdict == VERDICT_HIT &&
	    verify_age(e, (int64_t)queue_now(q)) != VERIFY_GONE)
		no = (struct verify_said){ VERDICT_HIT, span_str(e->dsn) };
	answer(q, link_index(l), ask->txn, &no);
}

void
verify_smtpd_lost(struct queue *q, unsigned smtpd)
{
	struct verify_question *w, *next;

	for (w = TAILQ_FIRST(&q->verify->by_time); w != NULL; w = next) {
		next = TAILQ_NEXT(w, by_time);
		if (w->smtpd == smtpd)
			question_end(q, w);
	}
}

/* Whoever waits up to `until` is told to come back; the probe goes on, and what
 * it finds is known then. */
static void
give_up(struct queue *q, uint64_t until, struct span dsn)
{
	const struct verify_said late = { VERDICT_UNCLEAR, dsn };
	struct verify_question *w;
	struct verify_said tell;

	while ((w = TAILQ_FIRST(&q->verify->by_time)) != NULL &&
	    w->until <= until) {
		tell = told(q, w->probe, &late);
		answer(q, w->smtpd, w->txn, &tell);
		question_end(q, w);
	}
}

void
verify_drain(struct queue *q)
{
	give_up(q, UINT64_MAX, SPAN_LIT("4.3.2"));
}

void
verify_forget_misses(struct queue *q)
{
	verify_cache_forget_misses(&q->verify->cache);
	q->verify->dirty = true;
}

/* ---- the file ---- */

struct verify_save {
	struct queue	*q;		/* NULL: the queue has ended */
	int		 dir;
	struct buf	 text;
	int		 err;
};

/* In the thread pool.  Not synced: after a crash of the machine it may be
 * damaged, is then not read, and all is asked again. */
static void
save_work(void *arg)
{
	struct verify_save *s = arg;
	struct span rest = buf_get(&s->text);
	int fd = openat(s->dir, FILE_NEW, O_WRONLY | O_CREAT | O_TRUNC |
	    O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);

	s->err = fd == -1 ? errno : 0;
	while (s->err == 0 && rest.n > 0) {
		ssize_t n = write(fd, rest.p, rest.n);

		if (n == -1 && errno != EINTR)
			s->err = errno;
		else if (n > 0)
			rest = span_skip(rest, (size_t)n);
	}
	if (fd != -1)
		close(fd);
	if (s->err == 0 &&
	    renameat(s->dir, FILE_NEW, s->dir, FILE_NAME) == -1)
		s->err = errno;
}

static void
save_done(void *arg)
{
	struct verify_save *s = arg;

	if (s->err != 0)
		log_warn("verify-not-kept", KV_Q("reason", strerror(s->err)));
	if (s->q != NULL)
		s->q->verify->save = NULL;
	close(s->dir);
	buf_free(&s->text);
	free(s);
}

static struct verify_save *
save_new(struct queue *q)
{
	struct verify_save *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->q = q;
	s->dir = fcntl(q->verify->dir, F_DUPFD_CLOEXEC, 0);
	buf_init(&s->text, VERIFY_FILE_MAX);
	if (s->dir != -1 && verify_cache_put(&q->verify->cache,
	    (int64_t)queue_now(q), clock_wall_ms(), &s->text) == 0)
		return s;
	if (s->dir != -1)
		close(s->dir);
	buf_free(&s->text);
	free(s);
	return NULL;
}

static void
save_now_and_then(struct queue *q)
{
	struct verify *v = q->verify;
	struct verify_save *s;

	if (!v->dirty || v->save != NULL || queue_now(q) - v->saved < SAVE_MS)
		return;
	v->saved = queue_now(q);
	s = save_new(q);
	if (s == NULL)
		return;
	v->dirty = false;
	v->save = s;
	if (loop_work(q->loop, save_work, save_done, s) != 0)
		save_done(s);
}

static int
read_whole(int fd, size_t size, struct buf *text)
{
	char *at = buf_room(text, size);

	if (at == NULL || pread(fd, at, size, 0) != (ssize_t)size)
		return -1;
	buf_grown(text, size);
	return 0;
}

static void
load(struct queue *q)
{
	struct verify *v = q->verify;
	struct buf text;
	off_t size;
	int fd = spool_plain_open(v->dir, FILE_NAME, O_RDONLY, &size);

	if (fd == -1) {
		if (errno != ENOENT)
			log_warn("verify-unreadable",
			    KV_Q("reason", strerror(errno)));
		return;
	}
	buf_init(&text, VERIFY_FILE_MAX);
	if (read_whole(fd, (size_t)size, &text) == -1)
		log_warn("verify-unreadable", KV_Q("reason",
		    "too large, no memory or no bytes"));
	else if (verify_cache_take(&v->cache, buf_get(&text),
	    (int64_t)queue_now(q), clock_wall_ms()) == -1)
		log_warn("verify-unreadable", KV_Q("reason", "damaged"));
	buf_free(&text);
	close(fd);
}

/* ---- life ---- */

int
verify_open(struct queue *q, struct fault *f)
{
	struct verify *v = calloc(1, sizeof(*v));
	char path[4096];
	int n;

	if (v == NULL)
		return fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
	q->verify = v;
	v->wait_ms = VERIFY_WAIT_MS;
	verify_cache_init(&v->cache, VERIFY_ENTRIES);
	TAILQ_INIT(&v->by_time);
	TAILQ_INIT(&v->wanting);
	TAILQ_INIT(&v->ready);
	TAILQ_INIT(&v->resting);
	TAILQ_INIT(&v->running);
	n = snprintf(path, sizeof(path), "%s/spool", q->conf->state_directory);
	if (n < 0 || (size_t)n >= sizeof(path))
		return fault_set(f, FAULT_PERM, 0, NULL,
		    "state directory: its name is too long");
	v->dir = spool_dir_open(AT_FDCWD, path, false, f);
	if (v->dir == -1)
		return -1;
	load(q);
	return 0;
}

void
verify_close(struct queue *q)
{
	struct verify *v = q->verify;
	struct verify_save *s;

	if (v == NULL)
		return;
	/* One that is under way has its own copy of everything but us; what
	 * was learnt since it began is asked again. */
	if (v->save != NULL) {
		v->save->q = NULL;
	} else if (v->dirty && (s = save_new(q)) != NULL) {
		s->q = NULL;
		save_work(s);
		save_done(s);
	}
	verify_probe_free_all(q);
	verify_cache_free(&v->cache);
	if (v->dir != -1)
		close(v->dir);
	free(v);
	q->verify = NULL;
}

void
verify_house(struct queue *q)
{
	give_up(q, queue_now(q), SPAN_LIT("4.4.1"));
	verify_probe_house(q);
	save_now_and_then(q);
}
