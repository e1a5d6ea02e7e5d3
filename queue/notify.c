/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/notify.c - what the sender of a message is told, and when: RFC 3461.
 *
 * What became of a recipient is due at once, and told when all recipients of
 * the message have come to rest, so that they share a report; but no later
 * than QUEUE_REPORT_MS after the first of them: another one may stand in a
 * long line.  A delay is told once.  Never to a null sender. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "queue/queue_priv.h"
#include "queue/report.h"

#define AGAIN_MS	60000	/* after memory was short */

/* ---- who is told what ---- */

static bool
has_sender(const struct message *m)
{
	return m->sender_len > 0;
}

enum rcpt_due
notify_due(const struct message *m, const struct rcpt *r,
    const struct result *o, bool expired)
{
	/* RFC 3461 sec 4.1: without NOTIFY failures are told. */
	uint8_t notify = r->notify != 0 ? r->notify : NOTIFY_FAILURE;

	if (!has_sender(m))
		return DUE_NONE;
	switch (o->status) {
	case OUTCOME_SENT:
		if ((notify & NOTIFY_SUCCESS) == 0 || o->dsn_passed)
			return DUE_NONE;
		return o->final ? DUE_DELIVERED : DUE_RELAYED;
	case OUTCOME_DEFERRED:
		if (!expired)
			return DUE_NONE;
		break;
	default:
		break;
	}
	if ((notify & NOTIFY_FAILURE) == 0)
		return DUE_NONE;
	return expired ? DUE_EXPIRED : DUE_FAILED;
}

/* Without NOTIFY, delays are told as we like (RFC 3461 sec 4.1): not to those
 * whose address may be forged.  What a relay has may arrive this moment. */
static bool
may_be_warned(const struct message *m, const struct rcpt *r)
{
	if (!rcpt_open(r) || r->state == RCPT_HELD || r->phase == PHASE_JOB)
		return false;
	return r->notify != 0 ? (r->notify & NOTIFY_DELAY) != 0 :
	    (m->envelope & ENVELOPE_TRUSTED) != 0;
}

/* ms until the sender is told of a delay, UINT64_MAX: never. */
static uint64_t
warn_in(const struct queue *q, const struct message *m)
{
	if ((m->flags & RECORD_WARNED) != 0 || !has_sender(m) ||
	    m->stands)
		return UINT64_MAX;
	for (uint32_t i = 0; i < m->nrcpts; i++)
		if (may_be_warned(m, &m->rcpts[i]))
			return schedule_warn(&q->schedule, m->arrived,
			    clock_wall_ms(), message_running(m, queue_now(q)));
	return UINT64_MAX;
}

/* ---- a report ---- */

struct told {
	uint32_t		*index;		/* of the recipient */
	struct report_rcpt	*rcpts;
	size_t			 n;
};

static const enum report_action due_actions[DUE_COUNT] = {
	[DUE_FAILED] = REPORT_FAILED, [DUE_EXPIRED] = REPORT_EXPIRED,
	[DUE_DELIVERED] = REPORT_DELIVERED, [DUE_RELAYED] = REPORT_RELAYED,
};

static int
told_init(struct told *t, const struct message *m)
{
	t->n = 0;
	t->index = calloc(m->nrcpts, sizeof(t->index[0]));
	t->rcpts = calloc(m->nrcpts, sizeof(t->rcpts[0]));
	return t->index == NULL || t->rcpts == NULL ? -1 : 0;
}

static void
told_free(struct told *t)
{
	free(t->index);
	free(t->rcpts);
}

static void
told_add(struct told *t, const struct message *m, uint32_t index,
    enum report_action action)
{
	const struct rcpt *r = &m->rcpts[index];
	struct span reply = rcpt_reply(r);

	t->index[t->n] = index;
	t->rcpts[t->n++] = (struct report_rcpt){ .action = action,
	    .address = rcpt_address(r), .orcpt = rcpt_orcpt(r),
	    .status = rcpt_dsn(r), .mx = rcpt_mx(r), .last = rcpt_at(r),
	    .reply = reply.n > 0 ? reply : SPAN_LIT("no attempt was made") };
}

/* The report as a message of its own, for as many of the recipients as fit;
 * its record's head and body.  How many fitted, 0: no memory. */
static size_t
write_report(struct queue *q, const struct message *m, const struct report *n,
    struct buf *head, struct buf *body, struct message **made)
{
	struct record_rcpt rcpt = { .address = message_sender(m),
	    .orcpt = SPAN_NONE };
	struct record_change c = { .state = RCPT_ACTIVE, .site = SPAN_NONE,
	    .reply = SPAN_NONE, .dsn = SPAN_NONE, .mx = SPAN_NONE };
	struct record_message rec = { .id = span_str(n->id),
	    .flags = RECORD_BOUNCE, .arrived = n->now, .sender = SPAN_NONE,
	    .client = SPAN_NONE, .session = SPAN_NONE, .envid = SPAN_NONE,
	    .nrcpts = 1 };
	size_t done = report_build(body, n, &rec.envelope);
	struct buf list;

	*made = NULL;
	rec.body = buf_get(body);
	rec.size = rec.body.n;
	buf_init(&list, 4096);
	if (done > 0 && record_put_rcpt(&list, &rcpt, &c) == 0) {
		rec.rcpts = buf_get(&list);
		if (record_put_message(head, &rec) == 0)
			*made = message_new(&rec, queue_now(q), rec.arrived);
	}
	buf_free(&list);
	if (*made != NULL && index_add(&q->index, *made) == -1) {
		message_unref(*made);
		*made = NULL;
	}
	return *made == NULL ? 0 : done;
}

static void
say_report(const struct message *m, const struct message *made,
    const struct report_rcpt *rcpts, size_t n)
{
	unsigned by[REPORT_ACTIONS] = { 0 };

	for (size_t i = 0; i < n; i++)
		by[rcpts[i].action]++;
	log_info("report", KV_S("id", m->id), KV_S("report-id", made->id),
	    KV_ADDR("to", message_sender(m)),
	    KV_N("failed", by[REPORT_FAILED] + by[REPORT_EXPIRED]),
	    KV_N("delayed", by[REPORT_DELAYED]),
	    KV_N("delivered", by[REPORT_DELIVERED]),
	    KV_N("relayed", by[REPORT_RELAYED]));
}

/* Nothing is due any more for these; as changes for the record. */
static uint32_t
settle_due(struct queue *q, struct message *m, const uint32_t *index,
    size_t n, struct buf *changes)
{
	uint32_t nchanges = 0;

	for (size_t i = 0; i < n; i++) {
		struct rcpt *r = &m->rcpts[index[i]];
		struct record_change c;

		if (r->due == DUE_NONE)
			continue;
		carry_change(q, m, index[i], &c);
		/* Its last answer stands in an older record already. */
		c.site = c.reply = c.dsn = c.mx = SPAN_NONE;
		c.due = DUE_NONE;
		(void)record_put_change(changes, &c);
		rcpt_change(m, r, &c, r->next);
		nchanges++;
	}
	return nchanges;
}

/* One report for the recipients from the `from`th on; how many it tells of. */
static size_t
tell_one(struct queue *q, struct message *m, const struct told *t,
    size_t from, struct report *n)
{
	struct spool_part part = { .type = RECORD_MESSAGE };
	struct buf head, body, changes;
	struct message *made;
	char id[ID_SIZE];
	size_t done;

	id_make(n->now, id);
	n->id = id;
	n->rcpts = t->rcpts + from;
	n->nrcpts = t->n - from;
	buf_init(&head, 4096);
	buf_init(&body, REPORT_MAX);
	buf_init(&changes, SEGMENT_PAYLOAD_MAX - 64);
	done = write_report(q, m, n, &head, &body, &made);
	if (done > 0) {
		uint32_t changed = settle_due(q, m, t->index + from, done,
		    &changes);

		part.head = buf_get(&head);
		part.body = buf_get(&body);
		outcome_write(q, m, &changes, changed, &part, NULL);
		say_report(m, made, n->rcpts, done);
		store_schedule(q, made);
	}
	buf_free(&head);
	buf_free(&body);
	buf_free(&changes);
	return done;
}

/* -1: no memory, not all were told. */
static int
tell(struct queue *q, struct message *m, const struct told *t)
{
	uint64_t now = clock_wall_ms();
	struct report n = { .hostname = q->conf->hostname, .now = now,
	    .original_id = m->id, .arrived = m->arrived,
	    .until = now + schedule_give_up(&q->schedule, m->arrived, now,
	    message_running(m, queue_now(q))), .sender = message_sender(m),
	    .envid = message_envid(m), .envelope = m->envelope };
	size_t from = 0, done = 1;
	struct buf mem;

	buf_init(&mem, REPORT_WHOLE + 4096);
	(void)store_original(q, m, &mem, &n.original, &n.whole);
	while (from < t->n && done > 0) {
		done = tell_one(q, m, t, from, &n);
		from += done;
	}
	buf_free(&mem);
	return from < t->n ? -1 : 0;
}

/* ---- when ---- */

static bool
at_rest(const struct message *m)
{
	for (uint32_t i = 0; i < m->nrcpts; i++)
		if (m->rcpts[i].state == RCPT_ACTIVE)
			return false;
	return true;
}

static void
tell_due(struct queue *q, struct message *m)
{
	struct told t;
	int rc = told_init(&t, m);

	m->report_at = 0;
	/* Equal actions together, failures first. */
	for (int due = DUE_NONE + 1; rc == 0 && due < DUE_COUNT; due++)
		for (uint32_t i = 0; i < m->nrcpts; i++)
			if (m->rcpts[i].due == due)
				told_add(&t, m, i, due_actions[due]);
	if (rc == 0)
		rc = tell(q, m, &t);
	told_free(&t);
	if (rc == -1) {
		log_error("report-failed", KV_S("id", m->id),
		    KV_Q("reason", "no memory"));
		m->report_at = queue_now(q) + AGAIN_MS;
	} else if (message_done(m)) {
		outcome_end(q, m);
	}
}

static void
tell_delay(struct queue *q, struct message *m)
{
	struct told t;

	/* Once is once, were it not told for want of memory. */
	m->flags |= RECORD_WARNED;
	if (told_init(&t, m) == 0) {
		for (uint32_t i = 0; i < m->nrcpts; i++)
			if (may_be_warned(m, &m->rcpts[i]))
				told_add(&t, m, i, REPORT_DELAYED);
		(void)tell(q, m, &t);
	}
	told_free(&t);
}

void
notify_settle(struct queue *q, struct message *m)
{
	if (m->ndue == 0)
		return;
	if (at_rest(m))
		tell_due(q, m);
	else if (m->report_at == 0)
		m->report_at = queue_now(q) + QUEUE_REPORT_MS;
}

void
notify_take(struct queue *q, struct message *m)
{
	if (m->ndue > 0 && m->report_at <= queue_now(q))
		tell_due(q, m);
	if (!m->dead && warn_in(q, m) == 0)
		tell_delay(q, m);
}

uint64_t
notify_next(const struct queue *q, const struct message *m)
{
	uint64_t warn = warn_in(q, m), next = m->ndue > 0 ? m->report_at :
	    UINT64_MAX;

	if (warn < UINT64_MAX && queue_now(q) + warn < next)
		next = queue_now(q) + warn;
	return next;
}
