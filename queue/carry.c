/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/carry.c - a message as it is now, as a record; and messages that leave
 * an old segment of the log, so that it can go. */
#include "base/clock.h"
#include "base/log.h"
#include "queue/queue_priv.h"

#define CARRY_MESSAGES	200		/* a second, at most */
#define CARRY_BYTES	(4u * 1024 * 1024)
#define SLACK_SEGMENTS	8		/* mostly dead segments that may stay */

void
carry_change(struct queue *q, const struct message *m, uint32_t index,
    struct record_change *c)
{
	const struct rcpt *r = &m->rcpts[index];
	uint64_t now = queue_now(q), wall = clock_wall_ms();

	*c = (struct record_change){ .index = index, .state = r->state,
	    .tls_failed = r->tls_failed, .asked = r->asked,
	    .due = r->due, .attempts = r->attempts, .at = rcpt_at(r),
	    .site = rcpt_site(r), .reply = rcpt_reply(r),
	    .dsn = rcpt_dsn(r), .mx = rcpt_mx(r),
	    .next = r->next > now ? wall + (r->next - now) : wall };
}

void
carry_rcpt(struct queue *q, const struct message *m, uint32_t index,
    uint32_t as, struct buf *list)
{
	const struct rcpt *r = &m->rcpts[index];
	struct record_rcpt rcpt = { .address = rcpt_address(r),
	    .orcpt = rcpt_orcpt(r), .notify = r->notify };
	struct record_change c;

	carry_change(q, m, index, &c);
	c.index = as;
	(void)record_put_rcpt(list, &rcpt, &c);
}

int
carry_head(struct queue *q, const struct message *m, struct span body,
    uint32_t n, struct span list, struct buf *head)
{
	struct record_message rec = { .id = span_str(m->id),
	    .flags = m->flags, .envelope = m->envelope,
	    .arrived = m->arrived, .size = m->size,
	    .running = message_running(m, queue_now(q)),
	    .sender = message_sender(m), .client = message_client(m),
	    .session = message_session(m),
	    .envid = message_envid(m), .nrcpts = n, .rcpts = list,
	    .sum = m->sum, .body = body };

	return record_put_message(head, &rec);
}

int
carry_message(struct queue *q, const struct message *m, struct span body,
    struct buf *head)
{
	struct buf list;
	int rc;

	buf_init(&list, SEGMENT_PAYLOAD_MAX);
	for (uint32_t i = 0; i < m->nrcpts; i++)
		carry_rcpt(q, m, i, i, &list);
	rc = list.failed ? -1 : carry_head(q, m, body, m->nrcpts,
	    buf_get(&list), head);
	buf_free(&list);
	return rc;
}

static int
carry(struct queue *q, struct message *m)
{
	struct spool_after after = { .release = m->place.segment };
	struct spool_part part = { .type = RECORD_CARRY };
	struct fault f = { 0 };
	int fd = -1;

	if ((m->flags & RECORD_IN_FILE) != 0)
		part.body = SPAN_NONE;
	else if (store_body(q, m, &part.body, &fd, &f) == -1)
		goto unreadable;
	buf_reset(&q->record);
	if (carry_message(q, m, part.body, &q->record) == -1)
		return -1;
	part.head = buf_get(&q->record);
	/* No id in `after`: what is released is the old place, wherever the
	 * message goes next. */
	return spool_state(q->spool, &part, 1, &after);
unreadable:
	log_error("carry-failed", KV_S("id", m->id), KV_Q("reason", f.text));
	/* Behind the others, so that it does not hold them up; it stays where
	 * it is until it is given up. */
	index_place(&q->index, m, m->place);
	return 0;
}

/* ---- keeping house ---- */

/* The oldest segment is in the way when it is damaged, or when most of the
 * log is dead and only few messages keep it. */
void
carry_house(struct queue *q)
{
	struct spool_stats stats;
	struct message *m;
	uint64_t moved = 0;
	unsigned n = 0;

	spool_stats(q->spool, &stats);
	if (!stats.oldest_closed || (!stats.oldest_damaged &&
	    stats.segments * stats.segment_size <
	    2 * q->index.bytes + SLACK_SEGMENTS * stats.segment_size))
		return;
	while ((m = TAILQ_FIRST(&q->index.placed)) != NULL &&
	    m->place.segment == stats.oldest && !m->pending &&
	    n++ < CARRY_MESSAGES && moved < CARRY_BYTES) {
		moved += m->place.length;
		if (carry(q, m) == -1)
			break;
	}
}
