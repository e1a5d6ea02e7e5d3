/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/outcome.c - what an outcome does to a message.
 *
 * What its sender must be told stands in the record of the outcome as due; the
 * report, and that nothing is due any more, are another record.  So after a
 * crash there is neither a failure without its report nor a second report. */
#include "base/clock.h"
#include "base/hop.h"
#include "base/log.h"
#include "queue/queue_priv.h"

struct applied {
	uint32_t	nchanges, nfailed;
	struct buf	changes;
};

void
outcome_ack(struct queue *q, unsigned relay, uint64_t job)
{
	struct link *l = relay <= ROLE_INSTANCES ?
	    q->env->peer[ROLE_RELAY][relay] : NULL;

	if (l != NULL)
		ipc_send_outcome_ack(l, &(struct ipc_outcome_ack){ job }, -1);
}

void
outcome_log(const struct message *m, const struct result *o)
{
	const struct rcpt *r = &m->rcpts[o->index];
	uint64_t now = clock_wall_ms();

	/* One line per recipient and attempt, in one shape, also when no relay
	 * was asked: whoever follows a message reads only `relay delivery`. */
	const struct kv line[] = {
	    KV_S("id", m->id), KV_SPAN("session", SPAN_NONE),
	    KV_ADDR("from", message_sender(m)), KV_ADDR("to", rcpt_address(r)),
	    KV_SPAN("domain", rcpt_domain(r)), KV_S("mx", ""),
	    KV_S("addr", ""), KV_S("asked", "none"), KV_S("why", "none"),
	    KV_S("reached", "none"), KV_S("how", "none"), KV_S("tls", "none"),
	    KV_S("cipher", "none"), KV_S("kx", "none"), KV_S("spki", "none"),
	    KV_S("resumed", "false"), KV_SPAN("dsn", o->dsn),
	    KV_S("status", outcome_name(o->status)),
	    KV_SEC("delay", now > m->arrived ? now - m->arrived : 0),
	    KV_QSPAN("reply", o->reply),
	};

	log_event_as(role_name(ROLE_RELAY), LOG_INFO, "delivery", line,
	    sizeof line / sizeof line[0]);
}

/* ---- one recipient ---- */

static bool
given_up(struct queue *q, const struct message *m, const struct result *o)
{
	const struct rcpt *r = &m->rcpts[o->index];

	if (r->state == RCPT_HELD)
		return false;	/* the operator decides */
	if (schedule_give_up(&q->schedule, m->arrived, clock_wall_ms(),
	    message_running(m, queue_now(q))) > 0)
		return false;
	log_info("expired", KV_S("id", m->id),
	    KV_ADDR("to", rcpt_address(r)), KV_N("attempts", r->attempts + 1),
	    KV_QSPAN("reply", o->reply));
	return true;
}

static void
apply_one(struct queue *q, struct message *m, const struct result *o,
    const struct outcome_about *about, struct applied *a)
{
	struct rcpt *r = &m->rcpts[o->index];
	uint64_t pause = 0;
	struct record_change c = { .index = o->index,
	    .attempts = r->attempts < UINT16_MAX ?
	    (uint16_t)(r->attempts + 1) : r->attempts,
	    .tls_failed = r->tls_failed, .asked = r->asked,
	    .at = clock_wall_ms(), .site = rcpt_site(r), .reply = o->reply,
	    .dsn = o->dsn, .mx = o->mx };
	bool expired = o->status == OUTCOME_DEFERRED && given_up(q, m, o);

	if (about->route != NULL) {
		c.asked = about->route->asked;
		c.site = span_str(about->route->name);
	}
	c.due = (uint8_t)notify_due(m, r, o, expired);
	if (o->status == OUTCOME_SENT) {
		c.state = RCPT_DELIVERED;
	} else if (o->status == OUTCOME_FAILED || expired) {
		c.state = RCPT_FAILED;
		a->nfailed++;
	} else {
		c.state = r->state == RCPT_HELD ? RCPT_HELD : RCPT_DEFERRED;
		c.tls_failed = about->tls_failed;
		pause = schedule_pause(&q->schedule, c.attempts,
		    (uint32_t)table_hash(o->reply) ^
		    (uint32_t)table_hash(span_str(m->id)));
		c.next = clock_wall_ms() + pause;
	}
	(void)record_put_change(&a->changes, &c);
	a->nchanges++;
	/* c.site may be the note that is replaced now. */
	rcpt_change(m, r, &c, queue_now(q) + pause);
}

/* RFC 5321 sec 6.1: what has a null reverse-path, as all reports have, is not
 * answered by another report.  The operator alone can see to it. */
static void
say_double_bounce(const struct message *m, uint32_t n)
{
	if (n > 0 && m->sender_len == 0)
		log_warn("double-bounce", KV_S("id", m->id),
		    KV_S("ours", (m->flags & RECORD_BOUNCE) != 0 ? "true" :
		    "false"), KV_N("recipients", n));
}

/* ---- the record ---- */

static void
log_done(const struct message *m)
{
	uint64_t now = clock_wall_ms();
	uint32_t failed = 0;

	for (uint32_t i = 0; i < m->nrcpts; i++)
		failed += m->rcpts[i].state == RCPT_FAILED;
	log_info("done", KV_S("id", m->id), KV_ADDR("from", message_sender(m)),
	    KV_N("delivered", m->nrcpts - failed), KV_N("failed", failed),
	    KV_N("size", m->size),
	    KV_SEC("age", now > m->arrived ? now - m->arrived : 0));
}

void
outcome_end(struct queue *q, struct message *m)
{
	log_done(m);
	index_remove(&q->index, m);
}

void
outcome_write(struct queue *q, struct message *m, const struct buf *changes,
    uint32_t nchanges, const struct spool_part *report,
    const struct outcome_about *about)
{
	bool done = message_done(m), ack = about != NULL && about->ack;
	struct record_outcome rec = { .id = span_str(m->id),
	    .flags = m->flags, .running = message_running(m, queue_now(q)),
	    .nchanges = nchanges, .changes = buf_get(changes) };
	struct spool_after after = { .ack = ack };
	struct spool_part parts[3];
	struct buf outcome;
	size_t n = 0;

	buf_init(&outcome, SEGMENT_PAYLOAD_MAX);
	if (!done) {
		(void)record_put_outcome(&outcome, &rec);
		parts[n++] = (struct spool_part){ RECORD_OUTCOME,
		    buf_get(&outcome), SPAN_NONE };
	}
	if (report != NULL)
		parts[n++] = *report;
	if (done) {
		parts[n++] = (struct spool_part){ RECORD_END,
		    span_str(m->id), SPAN_NONE };
		after.release = m->place.segment;
		after.remove_file = (m->flags & RECORD_IN_FILE) != 0;
		memcpy(after.id, m->id, sizeof(after.id));
	}
	if (ack) {
		after.ack_a = about->relay;
		after.ack_b = about->job;
	}
	if (outcome.failed || changes->failed ||
	    spool_state(q->spool, parts, n, &after) == -1) {
		/* Not remembered: a crash now would deliver again. */
		log_error("outcome-not-recorded", KV_S("id", m->id));
		if (ack)
			outcome_ack(q, about->relay, about->job);
	}
	buf_free(&outcome);
}

void
outcome_apply(struct queue *q, struct message *m, const struct result *results,
    size_t n, const struct outcome_about *about)
{
	struct applied a = { .nchanges = 0 };

	buf_init(&a.changes, SEGMENT_PAYLOAD_MAX - 64);
	for (size_t i = 0; i < n; i++)
		if (rcpt_open(&m->rcpts[results[i].index]))
			apply_one(q, m, &results[i], about, &a);
	message_clock(m, queue_now(q));
	say_double_bounce(m, a.nfailed);
	if (a.nchanges > 0)
		outcome_write(q, m, &a.changes, a.nchanges, NULL, about);
	else if (about->ack)
		outcome_ack(q, about->relay, about->job);
	buf_free(&a.changes);
	if (a.nchanges == 0)
		return;
	if (message_done(m)) {
		outcome_end(q, m);
		return;
	}
	message_ref(m);
	if (!about->more)
		notify_settle(q, m);
	if (!m->dead)
		store_schedule(q, m);
	message_unref(m);
}
