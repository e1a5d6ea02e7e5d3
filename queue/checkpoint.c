/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/checkpoint.c - the index walks into a checkpoint, a few messages at a
 * time between the mail.  queue/spool_checkpoint.c says when that is safe.
 *
 * What is pending, or has no place in the log yet, is left out: its record is
 * behind the place where the checkpoint begins, so a replay finds it there. */
#include "queue/queue_priv.h"

#define ENTRIES	200	/* in one tick */

static void
stop(struct queue *q)
{
	index_cursor_end(&q->index, &q->checkpoint.cursor);
	q->checkpoint.running = false;
}

static void
start(struct queue *q)
{
	if (spool_checkpoint_begin(q->spool) == -1)
		return;
	index_cursor_start(&q->index, &q->checkpoint.cursor);
	q->checkpoint.running = true;
}

static int
put(struct queue *q, const struct message *m)
{
	/* Only the length of the body is noted; these bytes are not read. */
	struct span body = span_of("", (m->flags & RECORD_IN_FILE) != 0 ? 0 :
	    (size_t)m->size);

	buf_reset(&q->record);
	if (carry_message(q, m, body, &q->record) == -1)
		return -1;
	return spool_checkpoint_add(q->spool, m->place, buf_get(&q->record));
}

void
checkpoint_turn(struct queue *q)
{
	struct message *m;

	if (!q->checkpoint.running && spool_checkpoint_due(q->spool))
		start(q);
	for (int i = 0; i < ENTRIES && q->checkpoint.running &&
	    spool_checkpoint_ready(q->spool); i++) {
		m = index_cursor_next(&q->checkpoint.cursor);
		if (m == NULL) {
			spool_checkpoint_end(q->spool);
			stop(q);
		} else if (!m->pending && m->is_placed && put(q, m) == -1) {
			spool_checkpoint_abandon(q->spool);
			stop(q);
		}
	}
}

void
checkpoint_stop(struct queue *q)
{
	if (q->checkpoint.running)
		stop(q);
}
