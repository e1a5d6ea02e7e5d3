/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/outcome.c - what an outcome does to a message.
 *
 * The record of a failure, the bounce that it causes and the end of the
 * message go into the log as one: after a crash there is neither a failure
 * without its bounce nor a second bounce. */
#include "base/clock.h"
#include "base/envelope.h"
#include "base/hop.h"
#include "base/log.h"
#include "queue/bounce.h"
#include "queue/queue_priv.h"

#define BOUNCES_MOST	(SPOOL_PARTS - 2)	/* beside OUTCOME and END */

struct applied {
	struct bounce_rcpt	failed[QUEUE_BATCH_MAX];
	size_t			nfailed;
	uint32_t		nchanges;
	struct buf		changes;
};

struct bounces {
	size_t		 n;
	struct buf	 head[BOUNCES_MOST], body[BOUNCES_MOST];
	struct message	*message[BOUNCES_MOST];
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
	    KV_ADDR("from", m->sender), KV_ADDR("to", rcpt_address(r)),
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
	if (!schedule_give_up(&q->schedule, m->arrived, clock_wall_ms(),
	    message_running(m, queue_now(q))))
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
	    .site = rcpt_site(r), .reply = o->reply };
	bool expired = o->status == OUTCOME_DEFERRED && given_up(q, m, o);

	if (about->route != NULL) {
		c.asked = about->route->asked;
		c.site = span_str(about->route->name);
	}
	if (o->status == OUTCOME_SENT) {
		c.state = RCPT_DELIVERED;
	} else if (o->status == OUTCOME_FAILED || expired) {
		c.state = RCPT_FAILED;
		a->failed[a->nfailed++] = (struct bounce_rcpt){
		    .address = rcpt_address(r), .status = o->dsn,
		    .reply = o->reply, .mx = o->mx, .expired = expired };
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

/* ---- bounces ---- */

static struct message *
bounce_message(struct queue *q, const char *id, struct span to, struct span body,
    bool eight, struct buf *head)
{
	struct record_rcpt rcpt = { .address = to, .orcpt = SPAN_NONE };
	struct record_change c = { .state = RCPT_ACTIVE, .site = SPAN_NONE,
	    .reply = SPAN_NONE };
	struct record_message rec = { .id = span_str(id),
	    .flags = RECORD_BOUNCE, .envelope = eight ? ENVELOPE_8BIT : 0,
	    .arrived = clock_wall_ms(), .size = body.n, .sender = SPAN_NONE,
	    .client = SPAN_NONE, .session = SPAN_NONE, .envid = SPAN_NONE,
	    .nrcpts = 1, .body = body };
	struct message *m = NULL;
	struct buf list;

	buf_init(&list, 4096);
	if (record_put_rcpt(&list, &rcpt, &c) == 0) {
		rec.rcpts = buf_get(&list);
		if (record_put_message(head, &rec) == 0)
			m = message_new(&rec, queue_now(q), rec.arrived);
	}
	buf_free(&list);
	if (m != NULL && index_add(&q->index, m) == -1) {
		message_unref(m);
		m = NULL;
	}
	return m;
}

/* One bounce for as many of the failed as fit; how many. */
static size_t
make_one(struct queue *q, const struct message *m, struct bounce *n,
    struct bounces *all)
{
	size_t i = all->n, done;
	char id[ID_SIZE];
	bool eight;

	id_make(clock_wall_ms(), id);
	n->id = id;
	buf_init(&all->head[i], 4096);
	buf_init(&all->body[i], BOUNCE_MAX);
	done = bounce_build(&all->body[i], n, &eight);
	all->message[i] = done == 0 ? NULL : bounce_message(q, id, m->sender,
	    buf_get(&all->body[i]), eight, &all->head[i]);
	if (all->message[i] == NULL) {
		buf_free(&all->head[i]);
		buf_free(&all->body[i]);
		return 0;
	}
	all->n++;
	log_info("bounce", KV_S("id", m->id), KV_S("bounce-id", id),
	    KV_ADDR("to", m->sender), KV_N("recipients", done));
	return done;
}

static void
make_bounces(struct queue *q, const struct message *m,
    const struct applied *a, struct bounces *all)
{
	struct bounce n = { .hostname = q->conf->hostname,
	    .now = clock_wall_ms(), .original_id = m->id,
	    .arrived = m->arrived, .sender = m->sender };
	struct buf mem;
	size_t done = 0, one = 1;

	/* RFC 5321 sec 4.5.5 and 6.1: never a bounce for a null sender. */
	if (a->nfailed == 0)
		return;
	if (m->sender.n == 0 || memchr(m->sender.p, '@', m->sender.n) == NULL) {
		log_warn("bounce-dropped", KV_S("id", m->id),
		    KV_ADDR("from", m->sender), KV_N("recipients", a->nfailed));
		return;
	}
	buf_init(&mem, BOUNCE_WHOLE + 4096);
	(void)store_original(q, m, &mem, &n.original, &n.whole);
	while (done < a->nfailed && one > 0 && all->n < BOUNCES_MOST) {
		n.rcpts = a->failed + done;
		n.nrcpts = a->nfailed - done;
		one = make_one(q, m, &n, all);
		done += one;
	}
	if (done < a->nfailed)
		log_error("bounce-lost", KV_S("id", m->id),
		    KV_N("recipients", a->nfailed - done));
	buf_free(&mem);
}

/* ---- the record ---- */

static void
log_done(const struct message *m)
{
	uint64_t now = clock_wall_ms();
	uint32_t failed = 0;

	for (uint32_t i = 0; i < m->nrcpts; i++)
		failed += m->rcpts[i].state == RCPT_FAILED;
	log_info("done", KV_S("id", m->id), KV_ADDR("from", m->sender),
	    KV_N("delivered", m->nrcpts - failed), KV_N("failed", failed),
	    KV_N("size", m->size),
	    KV_SEC("age", now > m->arrived ? now - m->arrived : 0));
}

static void
write_record(struct queue *q, struct message *m, const struct applied *a,
    struct bounces *all, const struct outcome_about *about)
{
	struct spool_after after = { .ack = about->ack,
	    .ack_a = about->relay, .ack_b = about->job };
	struct spool_part parts[SPOOL_PARTS];
	struct buf outcome;
	size_t n = 0;

	buf_init(&outcome, SEGMENT_PAYLOAD_MAX);
	if (m->nopen > 0) {
		(void)record_put_outcome(&outcome, span_str(m->id),
		    message_running(m, queue_now(q)), a->nchanges);
		(void)buf_span(&outcome, buf_get(&a->changes));
		parts[n++] = (struct spool_part){ RECORD_OUTCOME,
		    buf_get(&outcome), SPAN_NONE };
	}
	for (size_t i = 0; i < all->n; i++)
		parts[n++] = (struct spool_part){ RECORD_MESSAGE,
		    buf_get(&all->head[i]), buf_get(&all->body[i]) };
	if (m->nopen == 0) {
		parts[n++] = (struct spool_part){ RECORD_END,
		    span_str(m->id), SPAN_NONE };
		after.release = m->place.segment;
		after.remove_file = (m->flags & RECORD_IN_FILE) != 0;
		memcpy(after.id, m->id, sizeof(after.id));
	}
	if (outcome.failed || a->changes.failed ||
	    spool_state(q->spool, parts, n, &after) == -1) {
		/* Not remembered: a crash now would deliver again. */
		log_error("outcome-not-recorded", KV_S("id", m->id));
		if (about->ack)
			outcome_ack(q, about->relay, about->job);
	}
	buf_free(&outcome);
}

void
outcome_apply(struct queue *q, struct message *m, const struct result *results,
    size_t n, const struct outcome_about *about)
{
	struct applied a = { .nfailed = 0 };
	struct bounces all = { .n = 0 };

	buf_init(&a.changes, SEGMENT_PAYLOAD_MAX);
	for (size_t i = 0; i < n && i < QUEUE_BATCH_MAX; i++)
		if (m->rcpts[results[i].index].state != RCPT_DELIVERED &&
		    m->rcpts[results[i].index].state != RCPT_FAILED)
			apply_one(q, m, &results[i], about, &a);
	if (a.nchanges > 0) {
		make_bounces(q, m, &a, &all);
		write_record(q, m, &a, &all, about);
	} else if (about->ack) {
		outcome_ack(q, about->relay, about->job);
	}
	for (size_t i = 0; i < all.n; i++) {
		store_schedule(q, all.message[i]);
		buf_free(&all.head[i]);
		buf_free(&all.body[i]);
	}
	buf_free(&a.changes);
	if (a.nchanges == 0)
		return;
	message_clock(m, queue_now(q));
	if (m->nopen == 0) {
		log_done(m);
		index_remove(&q->index, m);
	} else {
		store_schedule(q, m);
	}
}
