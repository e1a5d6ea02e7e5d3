/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/batch.c - recipients of one message with the same site and identity
 * travel together, at most QUEUE_BATCH_MAX of them and as many as fit a frame;
 * nobody waits longer than QUEUE_GRACE_MS for the routes of fellow
 * recipients. */
#include <stdlib.h>

#include "base/log.h"
#include "queue/queue_priv.h"

struct batch *
batch_new(struct message *m, struct route *r, uint32_t size)
{
	struct batch *b = calloc(1, sizeof(*b) + size * sizeof(b->index[0]));

	if (b == NULL)
		return NULL;
	message_ref(m);
	b->message = m;
	b->route = route_ref(r);
	b->size = size;
	return b;
}

void
batch_free(struct batch *b)
{
	route_unref(b->route);
	message_unref(b->message);
	free(b);
}

/* ---- grouping ---- */

/* Of a recipient in JOB: index, notify, and two texts with their lengths. */
static uint32_t
job_bytes(const struct rcpt *r)
{
	return 4u + 4u + r->address_len + 1u + 4u + r->orcpt_len;
}

static bool
belongs(const struct batch *b, const struct rcpt *r)
{
	const struct route *route = r->at.route;

	return b->n < b->size && b->bytes + job_bytes(r) <=
	    QUEUE_BATCH_BYTES && b->route->site == route->site &&
	    b->route->identity == route->identity &&
	    b->tls_failed == (r->tls_failed != 0);
}

/* Into one of the batches made so far, or a new one. */
static int
put(struct batches *made, struct message *m, uint32_t index, uint32_t left)
{
	struct rcpt *r = &m->rcpts[index];
	struct route *route = r->at.route;
	struct batch *b;

	TAILQ_FOREACH(b, made, line)
		if (belongs(b, r))
			break;
	if (b == NULL) {
		b = batch_new(m, route,
		    left < QUEUE_BATCH_MAX ? left : QUEUE_BATCH_MAX);
		if (b == NULL)
			return -1;
		b->tls_failed = r->tls_failed != 0;
		TAILQ_INSERT_TAIL(made, b, line);
	}
	b->index[b->n++] = index;
	b->bytes += job_bytes(r);
	r->phase = PHASE_QUEUED;
	r->at.batch = b;
	route_unref(route);
	return 0;
}

static uint32_t
count_routed(const struct message *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->nrcpts; i++)
		n += m->rcpts[i].state == RCPT_ACTIVE &&
		    m->rcpts[i].phase == PHASE_ROUTED;
	return n;
}

static void
postpone(struct queue *q, struct message *m, struct rcpt *r)
{
	route_unref(r->at.route);
	r->at.route = NULL;
	r->state = RCPT_DEFERRED;
	r->phase = PHASE_IDLE;
	r->next = queue_now(q) + QUEUE_LOST_MS;
	store_schedule(q, m);
}

static void
group(struct queue *q, struct message *m, uint32_t left)
{
	struct batches made = TAILQ_HEAD_INITIALIZER(made);
	struct batch *b;

	for (uint32_t i = 0; i < m->nrcpts && left > 0; i++) {
		struct rcpt *r = &m->rcpts[i];

		if (r->state != RCPT_ACTIVE || r->phase != PHASE_ROUTED)
			continue;
		if (put(&made, m, i, left) == -1)
			postpone(q, m, r);	/* no memory */
		left--;
	}
	while ((b = TAILQ_FIRST(&made)) != NULL) {
		TAILQ_REMOVE(&made, b, line);
		site_add(q, b);
	}
}

static void
leave_grace(struct queue *q, struct message *m)
{
	if (m->grace == NULL)
		return;
	TAILQ_REMOVE(&q->grace, m->grace, link);
	free(m->grace);
	m->grace = NULL;
}

/* false: no memory. */
static bool
enter_grace(struct queue *q, struct message *m)
{
	struct grace *g = malloc(sizeof(*g));

	if (g == NULL)
		return false;
	*g = (struct grace){ .message = m,
	    .until = queue_now(q) + QUEUE_GRACE_MS };
	m->grace = g;
	TAILQ_INSERT_TAIL(&q->grace, g, link);
	return true;
}

void
batch_message(struct queue *q, struct message *m)
{
	uint32_t routed = count_routed(m);

	if (routed == 0)
		return;
	if (m->asking > 0 && (m->grace != NULL || enter_grace(q, m)))
		return;
	leave_grace(q, m);
	group(q, m, routed);
}

void
batch_grace(struct queue *q)
{
	struct grace *g;

	while ((g = TAILQ_FIRST(&q->grace)) != NULL &&
	    g->until <= queue_now(q)) {
		struct message *m = g->message;

		leave_grace(q, m);
		group(q, m, count_routed(m));
	}
}

void
batch_forget(struct queue *q, struct message *m)
{
	leave_grace(q, m);
	for (uint32_t i = 0; i < m->nrcpts; i++) {
		struct rcpt *r = &m->rcpts[i];

		if (r->state != RCPT_ACTIVE || r->phase != PHASE_ROUTED)
			continue;
		route_unref(r->at.route);
		r->at.route = NULL;
		r->phase = PHASE_IDLE;
	}
}
