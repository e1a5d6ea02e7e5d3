/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/store.c - index and spool together. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "queue/queue_priv.h"
#include "queue/report.h"

/* ---- replay ---- */

/* Takes the place of one with this id.  -1: no memory. */
static int
enter(struct queue *q, const struct record_message *rec, struct place place)
{
	/* A clock that went back must not make mail wait for years. */
	uint64_t longest = queue_now(q) +
	    schedule_left(&q->schedule, UINT64_MAX, 0);
	struct message *m = index_find(&q->index, rec->id);

	if (m != NULL)
		index_remove(&q->index, m);
	m = message_new(rec, queue_now(q), clock_wall_ms());
	if (m == NULL)
		return -1;
	for (uint32_t i = 0; i < m->nrcpts; i++)
		if (m->rcpts[i].next > longest)
			m->rcpts[i].next = longest;
	if (index_add(&q->index, m) == -1) {
		message_unref(m);
		return -1;
	}
	index_place(&q->index, m, place);
	return 0;
}

static void
replay_message(struct queue *q, enum record_type type, struct span payload,
    struct place place)
{
	struct record_message rec;
	int rc = record_get_message(payload, &rec);

	/* A state that was written twice, or what the checkpoint has. */
	if (rc == 0 && type == RECORD_MESSAGE &&
	    index_find(&q->index, rec.id) != NULL)
		return;
	if (rc == -1 || enter(q, &rec, place) == -1)
		log_error("spool-record-unusable",
		    KV_N("segment", place.segment),
		    KV_N("offset", place.offset));
}

static void
replay_outcome(struct queue *q, struct span payload)
{
	uint64_t wall = clock_wall_ms();
	struct record_outcome rec;
	struct record_change c;
	struct message *m;

	if (record_get_outcome(payload, &rec) == -1)
		return;
	m = index_find(&q->index, rec.id);
	if (m == NULL)
		return;		/* its message was lost, or ended */
	m->flags |= rec.flags & RECORD_WARNED;
	message_running_set(m, rec.running, queue_now(q));
	while (record_change(&rec.changes, &c) == 1)
		if (c.index < m->nrcpts)
			rcpt_change(m, &m->rcpts[c.index], &c, queue_now(q) +
			    schedule_left(&q->schedule, c.next, wall));
	message_clock(m, queue_now(q));
}

static void
store_replay(void *ctx, enum record_type type, struct span payload,
    struct place place)
{
	struct queue *q = ctx;
	struct message *m;
	struct span id;

	switch (type) {
	case RECORD_MESSAGE:
	case RECORD_CARRY:
		replay_message(q, type, payload, place);
		break;
	case RECORD_OUTCOME:
		replay_outcome(q, payload);
		break;
	case RECORD_END:
		if (record_get_end(payload, &id) == 0 &&
		    (m = index_find(&q->index, id)) != NULL)
			index_remove(&q->index, m);
		break;
	default:
		break;		/* from a newer program, or none of ours */
	}
}

static int
store_restore(void *ctx, struct span head, struct place place)
{
	struct record_message rec;

	return record_get_head(head, &rec) == -1 ? -1 :
	    enter(ctx, &rec, place);
}

static void
store_forget(void *ctx)
{
	struct queue *q = ctx;

	index_free(&q->index);
	index_init(&q->index);
}

static void
store_placed(void *ctx, struct span id, struct place place)
{
	struct queue *q = ctx;
	struct message *m = index_find(&q->index, id);

	if (m != NULL)
		index_place(&q->index, m, place);
}

static void
store_written(void *ctx, uint64_t relay, uint64_t job)
{
	outcome_ack(ctx, (unsigned)relay, job);
}

static bool
store_known(void *ctx, struct span id)
{
	struct queue *q = ctx;
	struct message *m = index_find(&q->index, id);

	return m != NULL && (m->flags & RECORD_IN_FILE) != 0;
}

static const struct spool_ops ops = { store_restore, store_forget,
    store_replay, store_placed, store_written };
const struct spool_io *store_io = &spool_io;

void
store_schedule(struct queue *q, struct message *m)
{
	uint64_t first;

	if (m->dead || m->pending)
		return;
	first = notify_next(q, m);
	for (uint32_t i = 0; i < m->nrcpts; i++)
		if (m->rcpts[i].state == RCPT_DEFERRED &&
		    m->rcpts[i].next < first)
			first = m->rcpts[i].next;
	if (first == UINT64_MAX) {
		index_due_clear(&q->index, m);
		return;
	}
	if (index_due_set(&q->index, m, first) == -1)
		log_error("no-memory", KV_S("id", m->id));
	if (first <= queue_now(q))
		queue_wake(q);
}

/* What the replay left behind becomes the queue.  How many. */
static size_t
settle(struct queue *q)
{
	struct spool_stats stats;
	struct message *m, *next;
	size_t n = 0;

	spool_stats(q->spool, &stats);
	for (m = TAILQ_FIRST(&q->index.arrival); m != NULL; m = next) {
		next = TAILQ_NEXT(m, arrival);
		if (!spool_hold(q->spool, m->place.segment)) {
			/* Segments go from the oldest on, when nothing lives
			 * in them: this one ended after the checkpoint.  With
			 * an older one there, somebody took a file away. */
			if (stats.oldest != 0 &&
			    m->place.segment > stats.oldest)
				log_error("spool-segment-missing",
				    KV_S("id", m->id),
				    KV_N("segment", m->place.segment));
			index_remove(&q->index, m);
			continue;
		}
		n++;
		/* The END was lost, but every outcome is there. */
		if (message_done(m))
			store_drop(q, m);
		else
			store_schedule(q, m);
	}
	return n;
}

int
store_open(struct queue *q, struct fault *f)
{
	struct spool_stats stats;
	char path[4096];
	size_t n;
	int len;

	len = snprintf(path, sizeof(path), "%s/spool",
	    q->conf->state_directory);
	if (len < 0 || (size_t)len >= sizeof(path))
		return fault_set(f, FAULT_PERM, 0, NULL,
		    "state directory: its name is too long");
	q->spool = spool_open(q->loop, path, store_io, &ops, q, f);
	if (q->spool == NULL)
		return -1;
	index_sort(&q->index);
	n = settle(q);
	spool_sweep(q->spool, store_known);
	spool_stats(q->spool, &stats);
	log_info("spool-ready", KV_N("messages", n),
	    KV_N("segments", stats.segments), KV_N("damaged", stats.damaged),
	    KV_N("torn", stats.torn));
	return 0;
}

void
store_close(struct queue *q)
{
	spool_close(&q->spool);
	index_free(&q->index);
}

/* ---- the end of a message ---- */

void
store_drop(struct queue *q, struct message *m)
{
	struct spool_part end = { RECORD_END, span_str(m->id), SPAN_NONE };
	struct spool_after after = { .release = m->place.segment,
	    .remove_file = (m->flags & RECORD_IN_FILE) != 0 };

	batch_forget(q, m);
	memcpy(after.id, m->id, sizeof(after.id));
	if (spool_state(q->spool, &end, 1, &after) == -1)
		log_error("no-memory", KV_S("id", m->id));
	index_remove(&q->index, m);
}

/* ---- bodies ---- */

/* After a failed sync its record may come back, in a power cut before the disk
 * knows better.  So an END takes the file along. */
void
store_forget_file(struct queue *q, const struct message *m)
{
	struct spool_part end = { RECORD_END, span_str(m->id), SPAN_NONE };
	struct spool_after after = { .remove_file = true };

	if ((m->flags & RECORD_IN_FILE) == 0)
		return;
	if (m->place.segment == 0) {
		spool_file_remove(q->spool, span_str(m->id));
		return;
	}
	memcpy(after.id, m->id, sizeof(after.id));
	/* Without memory the next start sweeps it. */
	(void)spool_state(q->spool, &end, 1, &after);
}

int
store_body(struct queue *q, const struct message *m, struct span *body,
    int *fd, struct fault *f)
{
	struct record_message rec;
	struct span payload;

	*fd = -1;
	*body = SPAN_NONE;
	if ((m->flags & RECORD_IN_FILE) != 0) {
		*fd = spool_file_open(q->spool, span_str(m->id), m->size, f);
		return *fd == -1 ? -1 : 0;
	}
	if (spool_read(q->spool, m->place, &q->body, &payload, f) == -1)
		return -1;
	if (record_get_message(payload, &rec) == -1 ||
	    !span_eq(rec.id, span_str(m->id)))
		return fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "the message is damaged on disk");
	*body = rec.body;
	return 0;
}

int
store_original(struct queue *q, const struct message *m, struct buf *mem,
    struct span *original, bool *whole)
{
	size_t most = REPORT_WHOLE + 1;
	struct fault f = { 0 };
	char *p;
	ssize_t n;
	int fd;

	*whole = true;
	if (store_body(q, m, original, &fd, &f) == -1) {
		log_error("body-unreadable", KV_S("id", m->id),
		    KV_Q("reason", f.text));
		*original = SPAN_NONE;
		*whole = false;
		return -1;
	}
	if (fd == -1)
		return 0;
	*whole = m->size <= REPORT_WHOLE;
	p = buf_room(mem, most);
	n = p == NULL ? -1 : pread(fd, p, most, 0);
	if (n > 0)
		buf_grown(mem, (size_t)n);
	close(fd);
	*original = buf_get(mem);
	return n < 0 ? -1 : 0;
}
