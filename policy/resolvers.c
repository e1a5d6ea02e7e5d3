/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/resolvers.c - see policy/resolvers.h.
 *
 * A question is `waiting` (no resolver has it) or `sent`; both lists are in
 * the order in which their time runs out.  Callbacks run from answers and from
 * the timer, never from ask(). */
#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/log.h"
#include "policy/resolvers.h"

#define BUCKETS		4096
/* So many more questions at its own resolver send a name to another. */
#define LEAN		64

const struct resolvers_times resolvers_times = { 12000, 30000 };

struct dns_query {
	TAILQ_ENTRY(dns_query)	 link;		/* in its list */
	struct dns_query	*chain;			/* same bucket */
	struct resolvers	*all;
	uint64_t		 txn;
	uint64_t		 due;		/* sent: answer; waiting: total */
	uint64_t		 total;
	unsigned		 at;		/* resolver; 0 waiting */
	unsigned		 before;	/* the one that failed us, or 0 */
	uint16_t		 type;
	bool			 unchecked;
	unsigned		 pinned;	/* to a resolver, or 0 */
	char			 name[DNS_NAME_SIZE];
	dns_answer_cb		*cb;
	void			*arg;
};

TAILQ_HEAD(query_list, dns_query);

struct pin {
	struct resolvers	*all;
	unsigned		 index;
};

struct resolver {
	bool		up;
	unsigned	out;
};

struct resolvers {
	struct loop		*loop;
	struct loop_timer	*timer;
	struct resolvers_times	 times;
	const struct resolvers_ops *ops;
	void			*ctx;
	struct siphash_key	 key;
	struct query_list	 waiting, sent;
	size_t			 n;
	uint64_t		 last_txn;
	struct resolver		 of[ROLE_INSTANCES + 1];
	struct pin		 pins[RESOLVERS_PINNED + 1];
	struct dns_query	*bucket[BUCKETS];
};

/* ---- lists and the table of numbers ---- */

static struct query_list *
list_of(struct dns_query *q)
{
	return q->at != 0 ? &q->all->sent : &q->all->waiting;
}

static struct dns_query **
bucket_of(struct resolvers *rs, uint64_t txn)
{
	struct dns_query **at = &rs->bucket[txn % BUCKETS];

	while (*at != NULL && (*at)->txn != txn)
		at = &(*at)->chain;
	return at;
}

static void
query_free(struct dns_query *q)
{
	struct resolvers *rs = q->all;
	struct dns_query **at = bucket_of(rs, q->txn);

	assert(*at == q);
	*at = q->chain;
	TAILQ_REMOVE(list_of(q), q, link);
	if (q->at != 0)
		rs->of[q->at].out--;
	rs->n--;
	free(q);
}

static void
set_timer(struct resolvers *rs)
{
	uint64_t now = loop_now(rs->loop), due = UINT64_MAX;

	if (TAILQ_FIRST(&rs->waiting) != NULL)
		due = TAILQ_FIRST(&rs->waiting)->due;
	if (TAILQ_FIRST(&rs->sent) != NULL && TAILQ_FIRST(&rs->sent)->due < due)
		due = TAILQ_FIRST(&rs->sent)->due;
	if (due == UINT64_MAX)
		loop_timer_stop(rs->timer);
	else
		loop_timer_set(rs->timer, due > now ? due - now : 0);
}

/* ---- whom to ask ---- */

static bool
can_take(const struct resolvers *rs, unsigned i)
{
	return rs->of[i].up && rs->of[i].out < RESOLVERS_OUT_MAX &&
	    !rs->ops->full(rs->ctx, i);
}

static unsigned
count_up(const struct resolvers *rs)
{
	unsigned n = 0;

	for (unsigned i = 1; i <= ROLE_INSTANCES; i++)
		n += rs->of[i].up;
	return n;
}

/* 0: none now. */
static unsigned
choose(const struct resolvers *rs, const struct dns_query *q)
{
	unsigned up = count_up(rs), nth = 0, own, best = 0, least = 0;

	if (up == 0)
		return 0;
	if (q->pinned != 0 && q->pinned != q->before && can_take(rs, q->pinned))
		return q->pinned;
	own = (unsigned)(siphash(&rs->key, span_str(q->name)) % up);
	for (unsigned i = 1; i <= ROLE_INSTANCES; i++) {
		unsigned load;

		if (!rs->of[i].up)
			continue;
		load = rs->of[i].out + (nth++ == own ? 0 : LEAN);
		/* Not the same again, unless it is the only one. */
		if (!can_take(rs, i) || (i == q->before && up > 1))
			continue;
		if (best == 0 || load < least) {
			best = i;
			least = load;
		}
	}
	return best;
}

static int
send_query(struct dns_query *q, unsigned index)
{
	struct resolvers *rs = q->all;
	uint64_t now = loop_now(rs->loop);
	const struct ipc_dns_ask m = {
		.txn = q->txn,
		.type = q->type,
		.unchecked = q->unchecked,
		.name = span_str(q->name),
	};

	if (rs->ops->send(rs->ctx, index, &m) == -1)
		return -1;
	TAILQ_REMOVE(list_of(q), q, link);
	q->at = index;
	q->due = now + rs->times.answer_ms;
	TAILQ_INSERT_TAIL(list_of(q), q, link);
	rs->of[index].out++;
	return 0;
}

/* Stops at the first that nobody can take: order, and bounded work. */
static void
pump(struct resolvers *rs)
{
	struct dns_query *q;
	unsigned index;

	while ((q = TAILQ_FIRST(&rs->waiting)) != NULL) {
		index = choose(rs, q);
		if (index == 0 || send_query(q, index) == -1)
			break;
	}
	set_timer(rs);
}

/* Back to the waiting ones, at their head: it is older than they are. */
static void
take_back(struct dns_query *q)
{
	TAILQ_REMOVE(list_of(q), q, link);
	q->all->of[q->at].out--;
	q->before = q->at;
	q->at = 0;
	q->due = q->total;
	TAILQ_INSERT_HEAD(list_of(q), q, link);
}

/* ---- answers ---- */

static void
tell(struct dns_query *q, const struct dns_answer *a)
{
	dns_answer_cb *cb = q->cb;
	void *arg = q->arg;

	query_free(q);
	cb(arg, a);
}

static void
tell_error(struct dns_query *q, const char *why)
{
	struct dns_answer a;

	dns_answer_init(&a);
	dns_answer_fail(&a, DNS_ERROR, why);
	tell(q, &a);
}

void
resolvers_answer(struct resolvers *rs, unsigned index,
    const struct ipc_dns_answer *m)
{
	struct dns_query *q = *bucket_of(rs, m->txn);
	struct dns_answer a;

	/* Cancelled, or already asked of the other: no news. */
	if (q == NULL || q->at != index)
		return;
	dns_answer_init(&a);
	if (dns_answer_get(m, q->type, &a) == -1)
		log_error("dns-answer-malformed", KV_N("resolver", index),
		    KV_S("name", q->name));
	tell(q, &a);
	dns_answer_free(&a);
	pump(rs);
}

static void
on_timer(void *arg)
{
	struct resolvers *rs = arg;
	uint64_t now = loop_now(rs->loop);
	struct dns_query *q = TAILQ_FIRST(&rs->sent);

	if (q != NULL && q->due <= now)
		log_warn("resolver-silent", KV_N("resolver", q->at),
		    KV_S("name", q->name), KV_N("pending", rs->n));
	while ((q = TAILQ_FIRST(&rs->sent)) != NULL && q->due <= now) {
		if (q->before != 0 || count_up(rs) < 2)
			tell_error(q, "the resolver process does not answer");
		else
			take_back(q);
	}
	while ((q = TAILQ_FIRST(&rs->waiting)) != NULL && q->due <= now)
		tell_error(q, "no resolver process takes the question");
	pump(rs);
}

/* ---- dns/lookup.h ---- */

static struct dns_query *
take(struct resolvers *rs, const char *name, const struct dns_query *as,
    dns_answer_cb *cb, void *arg)
{
	struct dns_query *q;

	if (rs->n >= RESOLVERS_MAX)
		return NULL;
	q = malloc(sizeof(*q));
	if (q == NULL)
		return NULL;
	*q = *as;
	q->all = rs;
	q->txn = ++rs->last_txn;
	q->cb = cb;
	q->arg = arg;
	q->total = q->due = loop_now(rs->loop) + rs->times.total_ms;
	(void)span_copy(span_str(name), q->name, sizeof(q->name));
	*bucket_of(rs, q->txn) = q;
	TAILQ_INSERT_TAIL(list_of(q), q, link);
	rs->n++;
	pump(rs);
	return q;
}

static struct dns_query *
ask(void *ctx, const char *name, uint16_t type, dns_answer_cb *cb, void *arg)
{
	return take(ctx, name, &(struct dns_query){ .type = type }, cb, arg);
}

static struct dns_query *
ask_unchecked(void *ctx, const char *name, uint16_t type, dns_answer_cb *cb,
    void *arg)
{
	return take(ctx, name, &(struct dns_query){ .type = type,
	    .unchecked = true }, cb, arg);
}

static struct dns_query *
ask_pinned(void *ctx, const char *name, uint16_t type, dns_answer_cb *cb,
    void *arg)
{
	const struct pin *p = ctx;

	return take(p->all, name, &(struct dns_query){ .type = type,
	    .pinned = p->index }, cb, arg);
}

static void
cancel(void *ctx, struct dns_query *q)
{
	struct resolvers *rs = q->all;

	(void)ctx;
	query_free(q);
	set_timer(rs);
}

static const struct dns_lookup_ops lookup_ops = { ask, cancel };
static const struct dns_lookup_ops unchecked_ops = { ask_unchecked, cancel };
static const struct dns_lookup_ops pinned_ops = { ask_pinned, cancel };

struct dns_lookup
resolvers_lookup(struct resolvers *rs)
{
	return (struct dns_lookup){ &lookup_ops, rs };
}

struct dns_lookup
resolvers_unchecked(struct resolvers *rs)
{
	return (struct dns_lookup){ &unchecked_ops, rs };
}

struct dns_lookup
resolvers_pinned(struct resolvers *rs, unsigned index)
{
	assert(index >= 1 && index <= RESOLVERS_PINNED);
	return (struct dns_lookup){ &pinned_ops, &rs->pins[index] };
}

size_t
resolvers_pending(const struct resolvers *rs)
{
	return rs->n;
}

/* ---- processes come and go ---- */

void
resolvers_up(struct resolvers *rs, unsigned index)
{
	rs->of[index].up = true;
	pump(rs);
}

void
resolvers_down(struct resolvers *rs, unsigned index)
{
	struct dns_query *prev;

	rs->of[index].up = false;
	/* From the newest on, each to the head: they stay in order. */
	for (struct dns_query *q = TAILQ_LAST(&rs->sent, query_list); q != NULL;
	    q = prev) {
		prev = TAILQ_PREV(q, query_list, link);
		if (q->at == index)
			take_back(q);
	}
	pump(rs);
}

void
resolvers_room(struct resolvers *rs)
{
	pump(rs);
}

struct resolvers *
resolvers_new(struct loop *loop, const struct siphash_key *key,
    const struct resolvers_times *times, const struct resolvers_ops *ops, void *ctx)
{
	struct resolvers *rs = calloc(1, sizeof(*rs));

	if (rs == NULL)
		return NULL;
	TAILQ_INIT(&rs->waiting);
	TAILQ_INIT(&rs->sent);
	rs->loop = loop;
	rs->key = *key;
	rs->times = *times;
	rs->ops = ops;
	rs->ctx = ctx;
	for (unsigned i = 1; i <= RESOLVERS_PINNED; i++)
		rs->pins[i] = (struct pin){ rs, i };
	rs->timer = loop_timer_new(loop, on_timer, rs);
	if (rs->timer == NULL) {
		free(rs);
		return NULL;
	}
	return rs;
}

void
resolvers_free(struct resolvers **rsp)
{
	struct resolvers *rs = *rsp;

	if (rs == NULL)
		return;
	*rsp = NULL;
	while (TAILQ_FIRST(&rs->sent) != NULL)
		query_free(TAILQ_FIRST(&rs->sent));
	while (TAILQ_FIRST(&rs->waiting) != NULL)
		query_free(TAILQ_FIRST(&rs->waiting));
	loop_timer_close(&rs->timer);
	free(rs);
}
