/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/dispatch.c - batches become jobs of a relay, and outcomes come back.
 * A site keeps to one relay, which so can reuse its connections, and spills
 * over to others when that one is full.  Nothing is given out before every
 * relay has said what it is still sending. */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/queue_priv.h"
#include "queue/verify.h"

#define PUMP_BATCHES	200	/* looked at in one go */

/* ---- the gate ---- */

void
dispatch_gate(struct queue *q)
{
	unsigned linked = 0, registered = 0;

	if (q->gate)
		return;
	for (unsigned i = 1; i <= ROLE_INSTANCES; i++) {
		linked += q->env->peer[ROLE_RELAY][i] != NULL;
		registered += q->relays[i].registered;
	}
	if (registered == 0 || registered < linked)
		return;
	if (registered < q->conf->relay_processes &&
	    queue_now(q) - q->started < QUEUE_REGISTER_MS)
		return;
	q->gate = true;
	log_info("dispatch-starts", KV_N("relays", registered));
	queue_wake(q);
}

void
dispatch_registered(struct role_env *env, struct link *l, struct ipc_msg *msg)
{
	struct queue *q = env->state;

	q->relays[link_index(l)].registered = true;
	/* A number near the end would make ours wrap: no honest relay has it. */
	if (msg->u.registered.highest_job >= q->next_job &&
	    msg->u.registered.highest_job < UINT64_MAX / 2)
		q->next_job = msg->u.registered.highest_job + 1;
	dispatch_gate(q);
	dispatch_pump(q);
}

/* ---- jobs ---- */

static struct batch *
job_find(struct queue *q, unsigned relay, uint64_t job)
{
	struct table_link *l = table_find(&q->jobs, table_hash_u64(job));

	for (; l != NULL; l = table_next(l)) {
		struct batch *b = TABLE_ENTRY(l, struct batch, link);

		if (b->job == job && b->relay == relay)
			return b;
	}
	return NULL;
}

static int
job_add(struct queue *q, struct batch *b, unsigned relay, uint64_t job)
{
	if (table_add(&q->jobs, &b->link, table_hash_u64(job)) == -1)
		return -1;
	b->job = job;
	b->relay = relay;
	TAILQ_INSERT_TAIL(&q->relays[relay].jobs, b, line);
	q->relays[relay].njobs++;
	if (b->site != NULL) {
		b->era = b->site->era;
		b->site->running++;
	}
	return 0;
}

static void
job_end(struct queue *q, struct batch *b)
{
	table_remove(&q->jobs, &b->link);
	TAILQ_REMOVE(&q->relays[b->relay].jobs, b, line);
	q->relays[b->relay].njobs--;
	if (b->site != NULL)
		site_done(q, b->site);
	batch_free(b);
}

static bool
relay_takes(const struct queue *q, unsigned i)
{
	const struct link *l = q->env->peer[ROLE_RELAY][i];

	return l != NULL && q->relays[i].registered && !link_full(l) &&
	    q->relays[i].njobs < QUEUE_JOBS_PER_RELAY;
}

unsigned
dispatch_relay(const struct queue *q, uint64_t site)
{
	unsigned n = 0, own;
	unsigned relays[ROLE_INSTANCES];

	for (unsigned i = 1; i <= ROLE_INSTANCES; i++)
		if (q->relays[i].registered)
			relays[n++] = i;
	if (n == 0)
		return 0;
	own = (unsigned)(table_hash_u64(site) % n);
	for (unsigned i = 0; i < n; i++)
		if (relay_takes(q, relays[(own + i) % n]))
			return relays[(own + i) % n];
	return 0;
}

/* ---- giving one out ---- */

/* All recipients of a batch get the same result, without an attempt. */
static void
refuse_batch(struct queue *q, struct batch *b, const char *words)
{
	struct outcome_about about = { .route = b->route,
	    .tls_failed = b->tls_failed };
	struct result results[QUEUE_BATCH_MAX];
	struct message *m = b->message;

	for (uint32_t i = 0; i < b->n; i++) {
		results[i] = (struct result){ .index = b->index[i],
		    .status = OUTCOME_DEFERRED, .dsn = SPAN_LIT("4.4.0"),
		    .reply = span_str(words), .mx = SPAN_NONE };
		m->rcpts[b->index[i]].phase = PHASE_IDLE;
	}
	outcome_apply(q, m, results, b->n, &about);
	batch_free(b);
}

static int
put_rcpts(const struct batch *b, struct buf *list)
{
	for (uint32_t i = 0; i < b->n; i++) {
		const struct rcpt *r = &b->message->rcpts[b->index[i]];
		struct ipc_job_rcpt j = { .index = b->index[i],
		    .address = rcpt_address(r), .notify = r->notify,
		    .orcpt = rcpt_orcpt(r) };

		if (ipc_put_job_rcpt(list, &j) == -1)
			return -1;
	}
	return 0;
}

static int
send_job(struct queue *q, struct batch *b, struct link *l, struct fault *f)
{
	const struct message *m = b->message;
	struct ipc_job_route route = { .job = b->job,
	    .route = span_of(b->route->bytes, b->route->n) };
	struct ipc_job job = { .job = b->job, .id = span_str(m->id),
	    .sender = message_sender(m), .flags = m->envelope,
	    .envid = message_envid(m),
	    .tls_failed = b->tls_failed, .arrived = m->arrived,
	    .summed = (m->flags & RECORD_IN_FILE) != 0, .sum = m->sum,
	    .size = m->size };
	struct buf list;
	int fd = -1, rc = -1;

	buf_init(&list, QUEUE_BATCH_BYTES);
	if (put_rcpts(b, &list) == -1) {
		fault_set(f, FAULT_TEMP, 451, "4.3.0", "no memory");
		goto out;
	}
	job.rcpts = buf_get(&list);
	if (store_body(q, m, &job.body, &fd, f) == -1)
		goto out;
	rc = ipc_send_job_route(l, &route, -1);
	if (rc == 0) {
		rc = ipc_send_job(l, &job, fd);
		fd = -1;	/* taken, whatever became of it */
	}
	if (rc == -1)
		fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "the message does not fit a frame");
out:
	if (fd != -1)
		close(fd);
	buf_free(&list);
	return rc;
}

static void
give_out(struct queue *q, struct batch *b, unsigned relay)
{
	struct fault f = { 0 };

	if (job_add(q, b, relay, q->next_job) == -1) {
		refuse_batch(q, b, "no memory");
		return;
	}
	q->next_job++;
	for (uint32_t i = 0; i < b->n; i++)
		b->message->rcpts[b->index[i]].phase = PHASE_JOB;
	if (send_job(q, b, q->env->peer[ROLE_RELAY][relay], &f) == 0)
		return;
	log_error("job-failed", KV_S("id", b->message->id),
	    KV_Q("reason", f.text));
	table_remove(&q->jobs, &b->link);
	TAILQ_REMOVE(&q->relays[relay].jobs, b, line);
	q->relays[relay].njobs--;
	site_done(q, b->site);
	refuse_batch(q, b, f.text);
}

/* ---- is the route still good? ---- */

enum freshness { FRESH, WAITING, MOVED };

/* A batch that waited long asks again for each of its domains.  MOVED: its
 * recipients go elsewhere now and were sent to be routed anew. */
static enum freshness
freshen(struct queue *q, struct site *s, struct batch *b)
{
	struct message *m = b->message;
	struct route *newer = NULL;

	if (b->route->at >= q->routes_from &&
	    queue_now(q) - b->route->at <= QUEUE_STALE_MS)
		return FRESH;
	for (uint32_t i = 0; i < b->n; i++) {
		struct rcpt *r = &m->rcpts[b->index[i]];
		bool fresh;
		struct domain *d = route_domain(q, m, rcpt_domain(r),
		    QUEUE_STALE_MS, &fresh);

		if (d == NULL)
			return FRESH;	/* no memory: better old than never */
		if (!fresh) {
			site_wait(q, s, d);
			return WAITING;
		}
		if (d->route == NULL || d->route->site != b->route->site ||
		    d->route->identity != b->route->identity)
			return MOVED;
		if (newer == NULL)
			newer = d->route;
	}
	/* Only now: a batch that still has to wait for one of its domains must
	 * look stale when it is looked at again. */
	if (newer != NULL) {
		route_ref(newer);
		route_unref(b->route);
		b->route = newer;
	}
	return FRESH;
}

static void
send_back(struct queue *q, struct batch *b)
{
	struct message *m = b->message;

	for (uint32_t i = 0; i < b->n; i++) {
		struct rcpt *r = &m->rcpts[b->index[i]];

		r->state = RCPT_DEFERRED;
		r->phase = PHASE_IDLE;
		r->next = queue_now(q);
	}
	store_schedule(q, m);
	batch_free(b);
}

/* ---- whose turn ---- */

/* Recipients may have been held, dropped or bounced while they waited, and
 * even be in another batch by now.  How many are left. */
static uint32_t
prune(struct batch *b)
{
	uint32_t kept = 0;

	if (b->message->dead)
		return 0;
	for (uint32_t i = 0; i < b->n; i++) {
		const struct rcpt *r = &b->message->rcpts[b->index[i]];

		if (r->state == RCPT_ACTIVE && r->phase == PHASE_QUEUED &&
		    r->at.batch == b)
			b->index[kept++] = b->index[i];
	}
	b->n = kept;
	return kept;
}

/* One batch of a site.  false: no relay has room. */
static bool
serve(struct queue *q, struct site *s)
{
	struct batch *b = flow_first(s);
	unsigned relay;

	if (b == NULL)
		return true;
	if (prune(b) == 0) {
		flow_take(q, s);
		batch_free(b);
		return true;
	}
	if (s->blocked_until > queue_now(q)) {
		flow_take(q, s);
		refuse_batch(q, b, s->last);
		return true;
	}
	relay = dispatch_relay(q, s->id);
	if (relay == 0)
		return false;
	switch (freshen(q, s, b)) {
	case WAITING:
		return true;
	case MOVED:
		flow_take(q, s);
		send_back(q, b);
		return true;
	case FRESH:
		break;
	}
	flow_take(q, s);
	give_out(q, b, relay);
	return true;
}

void
dispatch_pump(struct queue *q)
{
	struct site *s;

	q->pump_again = false;
	if (!q->gate || q->draining)
		return;
	for (int n = 0; (s = TAILQ_FIRST(&q->ring)) != NULL; n++) {
		/* 100,000 batches of a site that rests are as many records. */
		if (n == PUMP_BATCHES) {
			q->pump_again = true;
			queue_wake(q);
			return;
		}
		/* To the end of the ring before it is served: the next batch
		 * is another site's. */
		TAILQ_REMOVE(&q->ring, s, ring);
		s->in_ring = false;
		if (!serve(q, s)) {
			s->in_ring = true;
			TAILQ_INSERT_HEAD(&q->ring, s, ring);
			return;
		}
		site_ready(q, s);
	}
}

/* ---- what comes back ---- */

/* Is this job sending to it?  The operator may hold a recipient meanwhile. */
static bool
in_job(const struct rcpt *r, const struct batch *b)
{
	return r->phase == PHASE_JOB && r->at.batch == b &&
	    (r->state == RCPT_ACTIVE || r->state == RCPT_HELD);
}

static size_t
take_results(struct span list, const struct message *m,
    const struct batch *b, struct result *results, size_t max)
{
	struct ipc_outcome o;
	size_t n = 0;

	while (n < max && ipc_get_outcome(&list, &o) == 1) {
		const struct rcpt *r;

		if (o.index >= m->nrcpts || o.status >= OUTCOME_COUNT)
			continue;
		r = &m->rcpts[o.index];
		/* Of a job that we do not know only what is final counts: the
		 * recipient may be in another job by now. */
		if (b == NULL && o.status == OUTCOME_DEFERRED)
			continue;
		if (!rcpt_open(r))
			continue;
		if (b != NULL ? !in_job(r, b) : r->state == RCPT_ACTIVE ||
		    r->phase == PHASE_JOB)
			continue;
		results[n++] = (struct result){ .index = o.index,
		    .status = (enum outcome_status)o.status, .dsn = o.dsn,
		    .reply = o.reply, .mx = o.mx,
		    .dsn_passed = o.dsn_passed != 0, .final = o.final != 0 };
	}
	return n;
}

/* What a job did not report on is due again. */
static void
leftovers(struct queue *q, struct batch *b)
{
	struct message *m = b->message;
	bool any = false;

	if (m->dead)
		return;
	for (uint32_t i = 0; i < b->n; i++) {
		struct rcpt *r = &m->rcpts[b->index[i]];

		if (!in_job(r, b))
			continue;
		r->phase = PHASE_IDLE;
		if (r->state == RCPT_HELD)
			continue;
		r->state = RCPT_DEFERRED;
		r->next = queue_now(q) + QUEUE_LOST_MS;
		any = true;
	}
	if (any)
		store_schedule(q, m);
}

void
dispatch_outcome(struct role_env *env, struct link *l, struct ipc_msg *msg)
{
	const struct ipc_job_outcome *o = &msg->u.job_outcome;
	struct queue *q = env->state;
	struct batch *b = job_find(q, link_index(l), o->job);
	struct message *m = b != NULL ? b->message :
	    index_find(&q->index, o->id);
	struct outcome_about about = { .tls_failed = o->tls_failed != 0,
	    .route = b != NULL ? b->route : NULL, .ack = true,
	    .relay = link_index(l), .job = o->job };
	struct result results[QUEUE_BATCH_MAX];
	size_t n = 0;

	if (verify_outcome(q, link_index(l), o))
		return;
	if (m != NULL && !m->dead && !m->pending &&
	    span_eq(o->id, span_str(m->id)))
		n = take_results(o->outcomes, m, b, results,
		    QUEUE_BATCH_MAX);
	if (b != NULL && b->site != NULL)
		site_outcome(q, b->site, b->era, o->trouble != 0,
		    n > 0 ? results[0].reply : SPAN_LIT("no answer"));
	if (n > 0)
		outcome_apply(q, m, results, n, &about);
	else
		outcome_ack(q, link_index(l), o->job);
	if (b != NULL) {
		leftovers(q, b);
		job_end(q, b);
	}
	dispatch_pump(q);
}

void
dispatch_running(struct role_env *env, struct link *l, struct ipc_msg *msg)
{
	const struct ipc_job_running *o = &msg->u.job_running;
	struct queue *q = env->state;
	struct message *m = index_find(&q->index, o->id);
	struct span list = o->rcpts;
	struct ipc_job_rcpt jr;
	struct batch *b;

	if (m == NULL || m->pending ||
	    job_find(q, link_index(l), o->job) != NULL)
		return;
	b = batch_new(m, NULL, QUEUE_BATCH_MAX);
	if (b == NULL)
		return;
	while (b->n < b->size && ipc_get_job_rcpt(&list, &jr) == 1) {
		struct rcpt *r = jr.index < m->nrcpts ? &m->rcpts[jr.index] :
		    NULL;

		if (r == NULL || (r->state != RCPT_DEFERRED &&
		    r->state != RCPT_HELD) || r->phase == PHASE_JOB)
			continue;
		if (r->state == RCPT_DEFERRED)
			r->state = RCPT_ACTIVE;
		r->phase = PHASE_JOB;
		r->at.batch = b;
		b->index[b->n++] = jr.index;
	}
	b->site = site_get(q, o->site, 0);
	if (b->n > 0 && job_add(q, b, link_index(l), o->job) == 0) {
		store_schedule(q, m);
		return;
	}
	for (uint32_t i = 0; i < b->n; i++) {
		struct rcpt *r = &m->rcpts[b->index[i]];

		r->phase = PHASE_IDLE;
		if (r->state == RCPT_ACTIVE)
			r->state = RCPT_DEFERRED;
	}
	batch_free(b);
}

void
dispatch_relay_lost(struct queue *q, unsigned relay)
{
	struct batch *b;
	unsigned n = 0;

	q->relays[relay].registered = false;
	while ((b = TAILQ_FIRST(&q->relays[relay].jobs)) != NULL) {
		leftovers(q, b);
		job_end(q, b);
		n++;
	}
	if (n > 0)
		log_warn("relay-lost", KV_N("instance", relay),
		    KV_N("jobs", n));
	dispatch_gate(q);
	dispatch_pump(q);
}

void
dispatch_free_all(struct queue *q)
{
	for (unsigned i = 0; i <= ROLE_INSTANCES; i++) {
		struct batch *b;

		while ((b = TAILQ_FIRST(&q->relays[i].jobs)) != NULL) {
			TAILQ_REMOVE(&q->relays[i].jobs, b, line);
			batch_free(b);
		}
	}
	table_free(&q->jobs);
}
