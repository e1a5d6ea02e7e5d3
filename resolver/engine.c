/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* resolver/engine.c - see resolver/engine.h.
 *
 * A question is in one of two lists: `waiting` for libunbound, in the order of
 * deadlines (all have the same allowance), or `ready` to be told.  Answers are
 * told from the timer and never from libunbound's callback: it may run inside
 * ub_resolve_event() (built-in zones, cache), and whoever is told may ask the
 * next question, which must not happen inside the library. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <unistd.h>

#include <unbound.h>
#include <unbound-event.h>

#include "base/log.h"
#include "dns/message.h"
#include "resolver/engine.h"
#include "resolver/events.h"
#include "resolver/unbound_log.h"

#define RANGE_MOST	4096	/* sockets for questions out at once */
#define RANGE_LEAST	64
#define FILES_APART	256	/* descriptors left for everything else */
#define CLASS_IN	1

struct dns_query {
	TAILQ_ENTRY(dns_query)	 link;
	struct engine		*engine;
	bool			 ready;
	int			 id;		/* libunbound's, while waiting */
	uint64_t		 due;
	uint16_t		 type;
	char			 name[DNS_NAME_SIZE];
	dns_answer_cb		*cb;
	void			*arg;
	struct dns_answer	 answer;
};

TAILQ_HEAD(query_list, dns_query);

struct engine {
	struct loop		*loop;
	struct ub_event_base	*base;
	struct ub_ctx		*ctx;
	struct unbound_log	*log;
	struct loop_timer	*timer;
	struct query_list	 waiting, ready;
	size_t			 n;
	uint64_t		 deadline_ms;
	bool			 closing;
};

/* ---- the two lists ---- */

static struct query_list *
list_of(struct dns_query *q)
{
	return q->ready ? &q->engine->ready : &q->engine->waiting;
}

static void
query_free(struct dns_query *q)
{
	TAILQ_REMOVE(list_of(q), q, link);
	q->engine->n--;
	dns_answer_free(&q->answer);
	free(q);
}

static void
set_timer(struct engine *e)
{
	const struct dns_query *q = TAILQ_FIRST(&e->waiting);
	uint64_t now = loop_now(e->loop);

	if (TAILQ_FIRST(&e->ready) != NULL)
		loop_timer_set(e->timer, 0);
	else if (q != NULL)
		loop_timer_set(e->timer, q->due > now ? q->due - now : 0);
	else
		loop_timer_stop(e->timer);
}

static void
make_ready(struct dns_query *q)
{
	TAILQ_REMOVE(list_of(q), q, link);
	q->ready = true;
	TAILQ_INSERT_TAIL(list_of(q), q, link);
	set_timer(q->engine);
}

/* ---- answers ---- */

static void
take_packet(struct dns_query *q, struct span packet, int sec, const char *why)
{
	if (sec == 1) {
		dns_answer_fail(&q->answer, DNS_BOGUS, why);
		return;
	}
	if (dns_message_parse(packet, q->name, q->type, &q->answer) == -1)
		return;
	if (q->answer.rcode != DNS_RCODE_NOERROR &&
	    q->answer.rcode != DNS_RCODE_NXDOMAIN)
		dns_answer_fail(&q->answer, DNS_ERROR, "refused by the servers");
	else if (sec == 2)
		q->answer.status = DNS_SECURE;
}

/* With rcode != 0 there is no packet, whatever the length says. */
static void
engine_answer(void *arg, int rcode, void *packet, int len, int sec,
    char *why_bogus, int ratelimited)
{
	struct dns_query *q = arg;

	(void)ratelimited;
	if (q->engine->closing)
		return;
	if (rcode == 0 && packet != NULL && len > 0)
		take_packet(q, span_of(packet, (size_t)len), sec,
		    why_bogus != NULL ? why_bogus : "validation failed");
	else if (sec == 1)
		dns_answer_fail(&q->answer, DNS_BOGUS,
		    why_bogus != NULL ? why_bogus : "validation failed");
	else
		dns_answer_fail(&q->answer, DNS_ERROR,
		    "no usable answer from the name servers");
	make_ready(q);
}

static void
expire(struct engine *e)
{
	uint64_t now = loop_now(e->loop);
	struct dns_query *q;
	char why[64];

	while ((q = TAILQ_FIRST(&e->waiting)) != NULL && q->due <= now) {
		(void)ub_cancel(e->ctx, q->id);
		snprintf(why, sizeof(why), "no answer within %llu ms",
		    (unsigned long long)e->deadline_ms);
		dns_answer_fail(&q->answer, DNS_ERROR, why);
		make_ready(q);
	}
}

static void
tell(struct dns_query *q)
{
	dns_answer_cb *cb = q->cb;
	void *arg = q->arg;
	struct dns_answer answer = q->answer;

	dns_answer_init(&q->answer);
	query_free(q);
	cb(arg, &answer);
	dns_answer_free(&answer);
}

/* Only as many as are ready now are told in this turn: a callback that asks
 * again and again must not keep the loop here. */
static void
engine_timer(void *arg)
{
	struct engine *e = arg;
	const struct dns_query *q;
	size_t n = 0;

	expire(e);
	TAILQ_FOREACH(q, &e->ready, link)
		n++;
	for (; n > 0 && TAILQ_FIRST(&e->ready) != NULL; n--)
		tell(TAILQ_FIRST(&e->ready));
	set_timer(e);
}

/* ---- dns/lookup.h ---- */

static struct dns_query *
engine_ask(void *ctx, const char *name, uint16_t type, dns_answer_cb *cb,
    void *arg)
{
	struct engine *e = ctx;
	struct dns_query *q;
	int rc;

	assert(dns_question_valid(span_str(name), type));
	if (e->n >= ENGINE_QUERIES_MAX)
		return NULL;
	q = calloc(1, sizeof(*q));
	if (q == NULL)
		return NULL;
	q->engine = e;
	q->type = type;
	q->cb = cb;
	q->arg = arg;
	q->due = loop_now(e->loop) + e->deadline_ms;
	dns_answer_init(&q->answer);
	(void)span_copy(span_str(name), q->name, sizeof(q->name));
	TAILQ_INSERT_TAIL(list_of(q), q, link);
	e->n++;
	rc = ub_resolve_event(e->ctx, name[0] == '\0' ? "." : q->name, type,
	    CLASS_IN, q, engine_answer, &q->id);
	if (rc != 0 && !q->ready) {
		dns_answer_fail(&q->answer, DNS_ERROR, ub_strerror(rc));
		make_ready(q);
	}
	set_timer(e);
	return q;
}

static void
engine_cancel(void *ctx, struct dns_query *q)
{
	struct engine *e = ctx;

	if (!q->ready)
		(void)ub_cancel(e->ctx, q->id);
	query_free(q);
	set_timer(e);
}

static const struct dns_lookup_ops engine_ops = { engine_ask, engine_cancel };

struct dns_lookup
engine_lookup(struct engine *e)
{
	return (struct dns_lookup){ &engine_ops, e };
}

size_t
engine_pending(const struct engine *e)
{
	return e->n;
}

/* ---- set-up ---- */

static const struct option {
	const char *name, *value;
} options[] = {
	{ "use-syslog:", "no" },
	/* The caches hold what a busy relay asks in an hour; at most 17 MiB. */
	{ "msg-cache-size:", "4m" },
	{ "rrset-cache-size:", "8m" },
	{ "key-cache-size:", "4m" },
	{ "neg-cache-size:", "1m" },
	{ "serve-expired:", "no" },
	/* A denial made up from cached ones says nothing of the path now, which
	 * the probes of policy want to know. */
	{ "aggressive-nsec:", "no" },
	/* What was bogus for a moment is asked for again after seconds (the
	 * library's default is 60). */
	{ "val-bogus-ttl:", "10" },
	/* Forwarders on the same machine are normal. */
	{ "do-not-query-localhost:", "no" },
	/* The library's default of 2 lets two slow servers hold everybody. */
	{ "outgoing-num-tcp:", "64" },
	/* After an outage of minutes the library's defaults leave a server (or
	 * the only forwarder) alone for minutes more; with these it is asked
	 * again within seconds (measured: 0.1 s instead of over 200 s after
	 * 150 s of silence).  A lower infra-cache-max-rtt does not help. */
	{ "infra-host-ttl:", "60" },
	{ "infra-keep-probing:", "yes" },
};

static int
refused(struct fault *f, const struct engine *e, const char *what,
    const char *value, int rc)
{
	const char *said = unbound_log_last(e->log);

	return fault_set(f, FAULT_PERM, 0, NULL, "libunbound refuses %s%s%s: %s%s%s",
	    what, *value == '\0' ? "" : " ", value, ub_strerror(rc),
	    *said == '\0' ? "" : ": ", said);
}

static int
set_option(struct engine *e, const char *name, const char *value,
    struct fault *f)
{
	int rc = ub_ctx_set_option(e->ctx, name, value);

	return rc == 0 ? 0 : refused(f, e, name, value, rc);
}

/* By default 16 questions may be out at once, and one dead name server then
 * stalls all others.  Each takes a socket, so that the limit on descriptors is
 * raised first and then kept to. */
static unsigned
query_range(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == -1)
		return RANGE_LEAST;
	if (l.rlim_cur < RANGE_MOST + FILES_APART) {
		l.rlim_cur = l.rlim_max < RANGE_MOST + FILES_APART ?
		    l.rlim_max : RANGE_MOST + FILES_APART;
		if (setrlimit(RLIMIT_NOFILE, &l) == -1 &&
		    getrlimit(RLIMIT_NOFILE, &l) == -1)
			return RANGE_LEAST;
	}
	if (l.rlim_cur >= RANGE_MOST + FILES_APART)
		return RANGE_MOST;
	if (l.rlim_cur <= RANGE_LEAST + FILES_APART)
		return RANGE_LEAST;
	return (unsigned)l.rlim_cur - FILES_APART;
}

static int
set_options(struct engine *e, struct fault *f)
{
	char range[16];

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (set_option(e, options[i].name, options[i].value, f) == -1)
			return -1;
	snprintf(range, sizeof(range), "%u", query_range());
	if (set_option(e, "outgoing-range:", range, f) == -1)
		return -1;
	return set_option(e, "num-queries-per-thread:", range, f);
}

static int
set_sources(struct engine *e, const struct engine_settings *s,
    struct fault *f)
{
	int rc;

	if (s->root_hints[0] != '\0' &&
	    set_option(e, "root-hints:", s->root_hints, f) == -1)
		return -1;
	for (size_t i = 0; i < s->nforward; i++) {
		rc = ub_ctx_set_fwd(e->ctx, s->forward[i]);
		if (rc != 0)
			return refused(f, e, "forwarder", s->forward[i], rc);
	}
	return 0;
}

static int
set_anchor(struct engine *e, const char *file, struct fault *f)
{
	int rc;

	if (file == NULL)
		return 0;
	if (access(file, R_OK) == -1) {
		log_error("trust-anchor-missing", KV_Q("file", file),
		    KV_Q("reason", strerror(errno)), KV_Q("effect", "no answer can be DNSSEC-secure"));
		return 0;
	}
	rc = ub_ctx_add_ta_file(e->ctx, file);
	return rc == 0 ? 0 : refused(f, e, "trust anchor", file, rc);
}

static void
first_answer(void *arg, int rcode, void *packet, int len, int sec, char *why,
    int ratelimited)
{
	(void)rcode, (void)packet, (void)len, (void)sec, (void)why;
	(void)ratelimited;
	*(bool *)arg = true;
}

/* The first question makes libunbound read its files and set up; one for a
 * built-in zone is answered at once and sends nothing.  Why at start: a bad
 * file shows now, and under isolation no file can be opened later. */
static int
first_question(struct engine *e, struct fault *f)
{
	bool answered = false;
	int id, rc;

	rc = ub_resolve_event(e->ctx, "localhost", DNS_TYPE_A, CLASS_IN,
	    &answered, first_answer, &id);
	if (rc != 0)
		return refused(f, e, "its settings", "", rc);
	if (!answered) {
		(void)ub_cancel(e->ctx, id);
		return fault_set(f, FAULT_PERM, 0, NULL,
		    "libunbound does not know localhost");
	}
	return 0;
}

struct engine *
engine_new(struct loop *loop, const struct engine_settings *s,
    struct fault *f)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (e == NULL)
		goto no_memory;
	TAILQ_INIT(&e->waiting);
	TAILQ_INIT(&e->ready);
	e->loop = loop;
	e->deadline_ms = s->deadline_ms;
	e->timer = loop_timer_new(loop, engine_timer, e);
	e->base = events_new(loop);
	e->log = unbound_log_new();
	if (e->timer == NULL || e->base == NULL || e->log == NULL)
		goto no_memory;
	e->ctx = ub_ctx_create_ub_event(e->base);
	if (e->ctx == NULL)
		goto no_memory;
	(void)ub_ctx_debugout(e->ctx, unbound_log_stream(e->log));
	if (set_options(e, f) == -1 || set_sources(e, s, f) == -1 ||
	    set_anchor(e, s->trust_anchor_file, f) == -1 ||
	    first_question(e, f) == -1)
		goto free_engine;
	return e;
no_memory:
	(void)fault_set(f, FAULT_TEMP, 0, NULL, "no memory for the resolver");
free_engine:
	engine_free(&e);
	return NULL;
}

/* ub_ctx_delete() calls back for questions still under way: they are freed
 * only after it. */
void
engine_free(struct engine **ep)
{
	struct engine *e = *ep;

	if (e == NULL)
		return;
	*ep = NULL;
	e->closing = true;
	if (e->ctx != NULL)
		ub_ctx_delete(e->ctx);
	while (TAILQ_FIRST(&e->waiting) != NULL)
		query_free(TAILQ_FIRST(&e->waiting));
	while (TAILQ_FIRST(&e->ready) != NULL)
		query_free(TAILQ_FIRST(&e->ready));
	events_free(&e->base);
	unbound_log_free(&e->log);
	loop_timer_close(&e->timer);
	free(e);
}
