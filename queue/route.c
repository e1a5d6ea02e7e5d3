/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/route.c - recipient domains ask policy where to go.  An answer serves
 * the messages that are due in the same few seconds, no longer: it is made
 * anew for each attempt. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/envelope.h"
#include "base/hop.h"
#include "base/log.h"
#include "queue/queue_priv.h"
#include "queue/verify.h"

struct route *
route_ref(struct route *r)
{
	if (r != NULL)
		r->refs++;
	return r;
}

void
route_unref(struct route *r)
{
	if (r != NULL && --r->refs == 0)
		free(r);
}

void
route_init(struct queue *q)
{
	TAILQ_INIT(&q->fading);
	STAILQ_INIT(&q->ready);
	TAILQ_INIT(&q->asking);
	for (unsigned i = 0; i < QUEUE_ASKERS; i++)
		TAILQ_INIT(&q->askers[i].line);
	for (uint16_t i = 0; i < QUEUE_ASKS; i++)
		q->free_asks[q->nfree_asks++] = i;
}

/* ---- domains ---- */

static struct domain *
domain_find(struct queue *q, struct span name, enum tls_wish wish,
    uint64_t hash)
{
	struct table_link *l = table_find(&q->domains, hash);

	for (; l != NULL; l = table_next(l)) {
		struct domain *d = TABLE_ENTRY(l, struct domain, link);

		if (d->wish == wish && span_eq(span_of(d->name, d->n), name))
			return d;
	}
	return NULL;
}

static struct domain *
domain_get(struct queue *q, const struct message *m, struct span name)
{
	enum tls_wish wish = envelope_tls_wish(m->envelope, m->sender_len == 0);
	uint64_t hash = table_hash(name) ^ wish;
	struct domain *d = domain_find(q, name, wish, hash);

	if (d != NULL)
		return d;
	d = calloc(1, sizeof(*d) + name.n + 1);
	if (d == NULL)
		return NULL;
	memcpy(d->name, name.p, name.n);
	d->n = name.n;
	d->wish = (uint8_t)wish;
	TAILQ_INIT(&d->waiters);
	TAILQ_INIT(&d->sites);
	if (table_add(&q->domains, &d->link, hash) == -1) {
		free(d);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&q->fading, d, line);
	return d;
}

static void
domain_free(struct queue *q, struct domain *d)
{
	table_remove(&q->domains, &d->link);
	route_unref(d->route);
	free(d);
}

static bool
domain_fresh(const struct queue *q, const struct domain *d, uint64_t age)
{
	return d->answered && d->state == DOMAIN_IDLE &&
	    d->at >= q->routes_from && queue_now(q) - d->at <= age;
}

/* ---- lines of domains that want to be asked for ---- */

static void
asker_add(struct queue *q, struct domain *d, uint16_t asker, bool first)
{
	struct asker *a = &q->askers[asker];

	if (first)
		TAILQ_INSERT_HEAD(&a->line, d, line);
	else
		TAILQ_INSERT_TAIL(&a->line, d, line);
	if (a->n++ == 0)
		TAILQ_INSERT_TAIL(&q->asking, a, ring);
	d->asker = asker;
	d->state = DOMAIN_WANTS;
}

static void
asker_take(struct queue *q, struct domain *d)
{
	struct asker *a = &q->askers[d->asker];

	TAILQ_REMOVE(&a->line, d, line);
	TAILQ_REMOVE(&q->asking, a, ring);
	if (--a->n > 0)
		TAILQ_INSERT_TAIL(&q->asking, a, ring);
}

static void
domain_want(struct queue *q, struct domain *d, const struct message *m)
{
	uint16_t asker = (uint16_t)(flow_key(m) % QUEUE_ASKERS);

	if (d->state == DOMAIN_IDLE)
		TAILQ_REMOVE(&q->fading, d, line);
	else if (d->state == DOMAIN_WANTS &&
	    q->askers[asker].n + 1 < q->askers[d->asker].n)
		asker_take(q, d);	/* to the shorter of the two lines */
	else
		return;
	asker_add(q, d, asker, false);
}

struct domain *
route_domain(struct queue *q, const struct message *m, struct span name,
    uint64_t age, bool *fresh)
{
	struct domain *d = domain_get(q, m, name);

	*fresh = d != NULL && domain_fresh(q, d, age);
	if (d != NULL && !*fresh) {
		domain_want(q, d, m);
		route_ask_more(q);
	}
	return d;
}

/* Domains whose answer is too old to be of use to anybody. */
void
route_expire(struct queue *q)
{
	struct domain *d, *next;
	unsigned n = 0;

	for (d = TAILQ_FIRST(&q->fading); d != NULL && n < 1000; d = next) {
		next = TAILQ_NEXT(d, line);
		if (d->answered && queue_now(q) - d->at <= QUEUE_STALE_MS)
			break;
		if (d->ready || !TAILQ_EMPTY(&d->waiters) ||
		    !TAILQ_EMPTY(&d->sites))
			continue;
		TAILQ_REMOVE(&q->fading, d, line);
		domain_free(q, d);
		n++;
	}
}

void
route_free_all(struct queue *q)
{
	struct domain *d;
	struct waiter *w;

	for (unsigned i = 0; i < QUEUE_ASKS; i++)
		if (q->asks[i] != NULL)
			TAILQ_INSERT_TAIL(&q->fading, q->asks[i], line);
	for (unsigned i = 0; i < QUEUE_ASKERS; i++)
		TAILQ_CONCAT(&q->fading, &q->askers[i].line, line);
	while ((d = TAILQ_FIRST(&q->fading)) != NULL) {
		TAILQ_REMOVE(&q->fading, d, line);
		while ((w = TAILQ_FIRST(&d->waiters)) != NULL) {
			TAILQ_REMOVE(&d->waiters, w, link);
			message_unref(w->message);
			free(w);
		}
		domain_free(q, d);
	}
	table_free(&q->domains);
}

/* ---- asking ---- */

void
route_ask_more(struct queue *q)
{
	struct link *policy = role_peer(q->env, ROLE_POLICY);
	struct asker *a;

	while (policy != NULL && q->nfree_asks > 0 && !link_full(policy) &&
	    (a = TAILQ_FIRST(&q->asking)) != NULL) {
		struct domain *d = TAILQ_FIRST(&a->line);
		uint16_t slot = q->free_asks[--q->nfree_asks];
		struct ipc_route_ask ask = {
		    .txn = ++q->ask_round << 16 | slot,
		    .domain = span_of(d->name, d->n), .wish = d->wish };

		asker_take(q, d);
		d->state = DOMAIN_ASKED;
		d->at = ask.txn;	/* until the answer: which ask it is */
		q->asks[slot] = d;
		ipc_send_route_ask(policy, &ask, -1);
	}
}

/* Another configuration: what policy, which has it already, said before does
 * not count any more. */
void
route_renew(struct queue *q)
{
	q->routes_from = queue_now(q) + 1;
	route_policy_lost(q);
}

void
route_policy_lost(struct queue *q)
{
	for (uint16_t i = 0; i < QUEUE_ASKS; i++) {
		struct domain *d = q->asks[i];

		if (d == NULL)
			continue;
		q->asks[i] = NULL;
		q->free_asks[q->nfree_asks++] = i;
		asker_add(q, d, d->asker, true);
	}
	route_ask_more(q);
}

/* ---- answers ---- */

struct route *
route_make(struct queue *q, const struct ipc_route *a)
{
	struct ipc_host host = { 0 };
	struct span hosts = a->hosts;
	struct buf b;
	struct route *r = NULL;

	buf_init(&b, 65536);
	if (ipc_put_route(&b, a) == -1)
		goto out;
	r = calloc(1, sizeof(*r) + buf_get(&b).n);
	if (r == NULL)
		goto out;
	r->refs = 1;
	r->discard = a->discard != 0;
	r->connections = a->connections;
	r->site = a->site;
	r->identity = a->identity;
	r->at = queue_now(q);
	(void)span_copy(a->site_name, r->name, sizeof(r->name));
	if (ipc_get_host(&hosts, &host) == 1 && host.asked < LEVEL_COUNT)
		r->asked = host.asked;
	r->n = buf_get(&b).n;
	memcpy(r->bytes, buf_get(&b).p, r->n);
out:
	buf_free(&b);
	return r;
}

static void
take_answer(struct queue *q, struct domain *d, const struct ipc_route *a)
{
	struct result_text *no = &d->refusal;

	route_unref(d->route);
	d->route = NULL;
	*no = (struct result_text){ .code = a->code };
	(void)span_copy(a->dsn, no->dsn, sizeof(no->dsn));
	(void)span_copy(a->text, no->text, sizeof(no->text));
	if (a->code == 250 && (a->discard != 0 || a->hosts.n > 0))
		d->route = route_make(q, a);
	if (d->route == NULL && (a->code < 400 || a->code > 599)) {
		*no = (struct result_text){ .code = 451, .dsn = "4.3.0" };
		snprintf(no->text, sizeof(no->text), "no route was found");
	}
}

/* A domain's answer for one message. */
static void
answer_message(struct queue *q, struct domain *d, struct message *m)
{
	struct outcome_about about = { 0 };
	struct result results[QUEUE_BATCH_MAX];
	size_t n = 0;

	for (uint32_t i = 0; i < m->nrcpts && !m->dead; i++) {
		struct rcpt *r = &m->rcpts[i];

		if (r->state != RCPT_ACTIVE || r->phase != PHASE_ASKED ||
		    r->at.domain != d)
			continue;
		if (d->route != NULL && !d->route->discard) {
			r->phase = PHASE_ROUTED;
			r->at.route = route_ref(d->route);
			continue;
		}
		r->phase = PHASE_IDLE;
		results[n++] = (struct result){ .index = i,
		    .status = d->route != NULL ? OUTCOME_SENT :
		    d->refusal.code >= 500 ? OUTCOME_FAILED : OUTCOME_DEFERRED,
		    .dsn = d->route != NULL ? SPAN_LIT("2.0.0") :
		    span_str(d->refusal.dsn),
		    .reply = d->route != NULL ? SPAN_LIT("discarded") :
		    span_str(d->refusal.text), .mx = SPAN_NONE,
		    .final = true };
		outcome_log(m, &results[n - 1]);
		if (n == QUEUE_BATCH_MAX) {
			outcome_apply(q, m, results, n, &about);
			n = 0;
		}
	}
	if (n > 0 && !m->dead)
		outcome_apply(q, m, results, n, &about);
}

static void
deliver(struct queue *q, struct domain *d)
{
	struct waiter *w;

	while ((w = TAILQ_FIRST(&d->waiters)) != NULL) {
		struct message *m = w->message;

		TAILQ_REMOVE(&d->waiters, w, link);
		free(w);
		m->asking--;
		if (!m->dead)
			answer_message(q, d, m);
		if (!m->dead)
			batch_message(q, m);
		message_unref(m);
	}
	site_woken(q, d);
}

/* Answers are handed out here only, never from inside one another. */
static void
deliver_ready(struct queue *q)
{
	struct domain *d;

	if (q->delivering)
		return;
	q->delivering = true;
	while ((d = STAILQ_FIRST(&q->ready)) != NULL) {
		STAILQ_REMOVE_HEAD(&q->ready, ready_link);
		d->ready = false;
		deliver(q, d);
	}
	q->delivering = false;
}

static void
make_ready(struct queue *q, struct domain *d)
{
	if (d->ready)
		return;
	d->ready = true;
	STAILQ_INSERT_TAIL(&q->ready, d, ready_link);
}

void
route_answer(struct role_env *env, struct link *l, struct ipc_msg *msg)
{
	const struct ipc_route *a = &msg->u.route;
	struct queue *q = env->state;
	uint16_t slot = (uint16_t)(a->txn & 0xffff);
	struct domain *d = slot < QUEUE_ASKS ? q->asks[slot] : NULL;

	(void)l;
	if (verify_route_answer(q, a))
		return;
	if (d == NULL || d->at != a->txn)
		return;		/* of an ask that was repeated since */
	q->asks[slot] = NULL;
	q->free_asks[q->nfree_asks++] = slot;
	take_answer(q, d, a);
	d->state = DOMAIN_IDLE;
	d->answered = true;
	d->at = queue_now(q);
	TAILQ_INSERT_TAIL(&q->fading, d, line);
	make_ready(q, d);
	deliver_ready(q);
	route_ask_more(q);
	dispatch_pump(q);
}

/* ---- a message is due ---- */

static int
wait_for(struct message *m, struct domain *d)
{
	struct waiter *last = TAILQ_LAST(&d->waiters, waiters), *w;

	if (last != NULL && last->message == m)
		return 0;
	w = malloc(sizeof(*w));
	if (w == NULL)
		return -1;
	w->message = m;
	message_ref(m);
	m->asking++;
	TAILQ_INSERT_TAIL(&d->waiters, w, link);
	return 0;
}

void
route_message(struct queue *q, struct message *m)
{
	uint64_t now = queue_now(q);

	for (uint32_t i = 0; i < m->nrcpts; i++) {
		struct rcpt *r = &m->rcpts[i];
		struct domain *d;

		if (r->state != RCPT_DEFERRED || r->next > now)
			continue;
		d = domain_get(q, m, rcpt_domain(r));
		if (d == NULL || wait_for(m, d) == -1) {
			r->next = now + QUEUE_LOST_MS;	/* no memory */
			continue;
		}
		r->state = RCPT_ACTIVE;
		r->phase = PHASE_ASKED;
		r->at.domain = d;
		if (domain_fresh(q, d, QUEUE_SHARE_MS))
			make_ready(q, d);
		else
			domain_want(q, d, m);
	}
	store_schedule(q, m);
	deliver_ready(q);
	route_ask_more(q);
}
