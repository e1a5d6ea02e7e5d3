/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/operate.c - flush, hold, release, drop, bounce: what an operator does
 * to recipients.
 *
 * A relay cannot be called back.  What it is sending to when it is held is
 * held if the attempt fails; when it is dropped it may arrive all the same;
 * it is not bounced, because the sender would be told what is not true. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "queue/queue_priv.h"

static bool
applies(const struct rcpt *r, enum operation op)
{
	switch (op) {
	case OPERATE_FLUSH:
		return r->state == RCPT_DEFERRED;
	case OPERATE_HOLD:
		return r->state != RCPT_HELD;
	case OPERATE_RELEASE:
		return r->state == RCPT_HELD;
	case OPERATE_BOUNCE:
		return r->phase != PHASE_JOB;
	case OPERATE_DROP:
		break;
	}
	return true;
}

/* Out of whatever it waits for.  Batches notice it when their turn comes. */
static void
leave_phase(struct rcpt *r)
{
	if (r->phase == PHASE_JOB)
		return;
	if (r->phase == PHASE_ROUTED)
		route_unref(r->at.route);
	r->phase = PHASE_IDLE;
	r->at.route = NULL;
}

/* ---- hold, release, drop: a state of its own ---- */

static void
set_state(struct queue *q, struct message *m, uint32_t index,
    enum operation op, struct buf *changes)
{
	struct rcpt *r = &m->rcpts[index];
	bool job = r->phase == PHASE_JOB && op != OPERATE_DROP;
	struct record_change c;

	leave_phase(r);
	carry_change(q, m, index, &c);
	/* Its site and last answer stand in an older record already. */
	c.site = c.reply = c.dsn = c.mx = SPAN_NONE;
	c.state = op == OPERATE_HOLD ? RCPT_HELD :
	    op == OPERATE_RELEASE ? RCPT_DEFERRED : RCPT_FAILED;
	if (op == OPERATE_RELEASE)
		c.next = clock_wall_ms();
	if (op == OPERATE_DROP)
		c.reply = SPAN_LIT("dropped by the operator");
	(void)record_put_change(changes, &c);
	rcpt_change(m, r, &c, op == OPERATE_RELEASE ? queue_now(q) : r->next);
	if (!job)
		return;
	r->phase = PHASE_JOB;
	if (op == OPERATE_RELEASE)
		r->state = RCPT_ACTIVE;
}

static void
say(const char *event, enum log_level level, const struct message *m,
    uint32_t n)
{
	const struct kv line[] = { KV_S("id", m->id),
	    KV_ADDR("from", message_sender(m)), KV_N("recipients", n) };

	log_event(level, event, line, 3);
}

static void
say_states(const struct message *m, enum operation op, uint32_t n)
{
	if (op == OPERATE_HOLD)
		say("held", LOG_INFO, m, n);
	else if (op == OPERATE_RELEASE)
		say("released", LOG_INFO, m, n);
	else
		say("dropped", LOG_WARN, m, n);
}

static void
change_states(struct queue *q, struct message *m, enum operation op,
    const struct select *s)
{
	struct buf changes;
	uint32_t n = 0;

	buf_init(&changes, SEGMENT_PAYLOAD_MAX - 64);
	for (uint32_t i = 0; i < m->nrcpts; i++)
		if (select_rcpt(s, &m->rcpts[i]) && applies(&m->rcpts[i], op)) {
			set_state(q, m, i, op, &changes);
			n++;
		}
	say_states(m, op, n);
	message_clock(m, queue_now(q));
	if (message_done(m))
		store_drop(q, m);
	else
		outcome_write(q, m, &changes, n, NULL, NULL);
	buf_free(&changes);
}

/* ---- bounce: as if the attempts had failed ---- */

static struct span
words(const struct rcpt *r, char mem[RECORD_REPLY_MAX])
{
	struct span last = rcpt_reply(r);
	int n = last.n == 0 ?
	    snprintf(mem, RECORD_REPLY_MAX, "the operator ended the attempts") :
	    snprintf(mem, RECORD_REPLY_MAX, "the operator ended the attempts; "
	    "the last answer was: %.*s", SPAN_FMT(last));

	return span_head(span_of(mem, (size_t)n), RECORD_REPLY_MAX - 1);
}

static void
bounce(struct queue *q, struct message *m, const struct select *s)
{
	static char text[QUEUE_BATCH_MAX][RECORD_REPLY_MAX];
	struct outcome_about about = { .route = NULL };
	struct result results[QUEUE_BATCH_MAX];
	uint32_t i = 0;
	size_t n;

	do {
		for (n = 0; i < m->nrcpts && n < QUEUE_BATCH_MAX; i++) {
			struct rcpt *r = &m->rcpts[i];

			if (!select_rcpt(s, r) || !applies(r, OPERATE_BOUNCE))
				continue;
			leave_phase(r);
			results[n] = (struct result){ .index = i,
			    .status = OUTCOME_FAILED, .dsn = SPAN_LIT("5.0.0"),
			    .reply = words(r, text[n]), .mx = SPAN_NONE };
			outcome_log(m, &results[n++]);
		}
		about.more = n == QUEUE_BATCH_MAX;
		if (n > 0)
			outcome_apply(q, m, results, n, &about);
	} while (n == QUEUE_BATCH_MAX && !m->dead);
}

/* ---- all of them ---- */

static void
flush(struct queue *q, struct message *m, const struct select *s)
{
	for (uint32_t i = 0; i < m->nrcpts; i++)
		if (select_rcpt(s, &m->rcpts[i]) &&
		    applies(&m->rcpts[i], OPERATE_FLUSH))
			m->rcpts[i].next = queue_now(q);
}

void
operate(struct queue *q, struct message *m, enum operation op,
    const struct select *s, struct operated *done)
{
	uint32_t n = 0;

	if (!select_message(s, m, clock_wall_ms()))
		return;
	for (uint32_t i = 0; i < m->nrcpts; i++) {
		const struct rcpt *r = &m->rcpts[i];

		if (!select_rcpt(s, r))
			continue;
		n += applies(r, op);
		done->busy += r->phase == PHASE_JOB && op != OPERATE_FLUSH &&
		    op != OPERATE_RELEASE;
	}
	if (n == 0)
		return;
	done->messages++;
	done->recipients += n;
	message_ref(m);
	if (op == OPERATE_FLUSH)
		flush(q, m, s);
	else if (op == OPERATE_BOUNCE)
		bounce(q, m, s);
	else
		change_states(q, m, op, s);
	store_schedule(q, m);
	message_unref(m);
}
