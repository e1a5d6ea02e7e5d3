/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/spool_checkpoint.c - writing a checkpoint beside the log.
 *
 * It is begun at the place up to which the log is durable, and filled while
 * the log goes on, so an entry may know more than that place: the replay of
 * what follows says the same once more.  What an entry knows must be durable
 * before the checkpoint counts; else a bounce whose original it no longer has
 * could be lost with the tail of the log.  So it gets its name only when the
 * log is durable up to where it was when the last entry was made. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/bytes.h"
#include "queue/spool_priv.h"

#define PIECE		(256u * 1024)		/* of one write */
#define PART		(8u * 1024 * 1024)	/* of one sync */
#define AGAIN_MS	5000	/* pause after one that was abandoned */
#define LARGEST		(3ull * 1024 * 1024 * 1024)	/* offsets are 32 bits */

static const struct segment_key *
key_of(const struct spool *sp, struct segment_key *k)
{
	*k = (struct segment_key){ 0, sp->salt };
	return k;
}

bool
spool_checkpoint_due(const struct spool *sp)
{
	/* The second term bounds what checkpoints cost beside the log. */
	return !sp->closing && !sp->unrecorded && !sp->space_low &&
	    sp->checkpoint.state == CHECKPOINT_NONE &&
	    loop_now(sp->loop) >= sp->checkpoint_after &&
	    sp->log_bytes > sp->io->checkpoint_every &&
	    sp->log_bytes > 2 * sp->checkpoint_bytes;
}

bool
spool_checkpoint_ready(const struct spool *sp)
{
	return sp->checkpoint.state == CHECKPOINT_OPEN;
}

static void
close_file(struct spool_checkpoint *c)
{
	close(c->fd);
	buf_free(&c->mem);
	c->state = CHECKPOINT_NONE;
}

void
spool_checkpoint_abandon(struct spool *sp)
{
	struct spool_checkpoint *c = &sp->checkpoint;

	if (c->state == CHECKPOINT_NONE)
		return;
	if (c->state == CHECKPOINT_PART || c->state == CHECKPOINT_LAST) {
		c->failed = true;	/* the thread pool has it still */
		return;
	}
	close_file(c);
	sp->checkpoint_after = loop_now(sp->loop) + AGAIN_MS;
}

/* ---- filling ---- */

static int
write_out(struct spool *sp)
{
	struct spool_checkpoint *c = &sp->checkpoint;
	struct span left = buf_get(&c->mem);

	while (left.n > 0) {
		struct iovec iov = { (void *)(uintptr_t)left.p, left.n };
		ssize_t n = sp->io->pwritev(c->fd, &iov, 1, (off_t)c->at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		c->at += (uint64_t)n;
		left = span_skip(left, (size_t)n);
	}
	buf_reset(&c->mem);
	return 0;
}

static int
add(struct spool *sp, uint8_t type, struct place durable, struct span head,
    struct span more)
{
	static const char zeros[8];
	struct spool_checkpoint *c = &sp->checkpoint;
	size_t n = head.n + more.n;
	char header[SEGMENT_HEADER];
	struct segment_key k;
	struct place at;

	if (c->at + c->mem.len + n > LARGEST || n > SEGMENT_PAYLOAD_MAX)
		return -1;
	at = (struct place){ 0, (uint32_t)(c->at + c->mem.len), (uint32_t)n };
	segment_put(key_of(sp, &k), type, 0, at, durable, head, more, header);
	(void)buf_add(&c->mem, header, sizeof(header));
	(void)buf_span(&c->mem, head);
	(void)buf_span(&c->mem, more);
	(void)buf_add(&c->mem, zeros, segment_room(n) - SEGMENT_HEADER - n);
	if (c->mem.failed)
		return -1;
	return c->mem.len < PIECE ? 0 : write_out(sp);
}

int
spool_checkpoint_begin(struct spool *sp)
{
	struct spool_checkpoint *c = &sp->checkpoint;
	char head[SEGMENT_FIRST];
	struct segment_key k;

	(void)sp->io->unlink(sp->root, CHECKPOINT_NEW);
	*c = (struct spool_checkpoint){ .log_bytes = sp->log_bytes };
	c->fd = sp->io->open(sp->root, CHECKPOINT_NEW, O_WRONLY | O_CREAT |
	    O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (c->fd == -1)
		return -1;
	c->state = CHECKPOINT_OPEN;
	buf_init(&c->mem, SEGMENT_PAYLOAD_MAX + 2 * PIECE);
	segment_head_put(key_of(sp, &k), 0, head);
	(void)buf_add(&c->mem, head, sizeof(head));
	if (add(sp, RECORD_FROM, sp->durable, SPAN_NONE, SPAN_NONE) == -1) {
		spool_checkpoint_abandon(sp);
		return -1;
	}
	return 0;
}

static void	part_start(struct spool *, enum checkpoint_state);

int
spool_checkpoint_add(struct spool *sp, struct place place, struct span head)
{
	struct spool_checkpoint *c = &sp->checkpoint;
	char length[4];

	if (c->state != CHECKPOINT_OPEN)
		return -1;
	le_put(length, place.length, 4);
	if (add(sp, RECORD_LIVE, place, span_of(length, 4), head) == -1) {
		spool_checkpoint_abandon(sp);
		return -1;
	}
	c->count++;
	if (c->at - c->synced >= PART)
		part_start(sp, CHECKPOINT_PART);
	return 0;
}

/* ---- syncing ---- */

static void
part_work(void *arg)
{
	struct spool *sp = arg;
	struct spool_checkpoint *c = &sp->checkpoint;

	if (sp->io->fdatasync(c->fd) == -1)
		c->err = errno;
	if (c->err != 0 || c->state != CHECKPOINT_LAST)
		return;
	if (sp->io->rename(sp->root, CHECKPOINT_NEW, sp->root, CHECKPOINT) ==
	    -1 || sp->io->fsync(sp->root) == -1)
		c->err = errno;
}

static void
part_done(void *arg)
{
	struct spool *sp = arg;
	struct spool_checkpoint *c = &sp->checkpoint;
	bool last = c->state == CHECKPOINT_LAST;

	sp->jobs--;
	c->state = CHECKPOINT_OPEN;
	if (c->err != 0)
		log_warn("checkpoint-failed", KV_Q("reason", strerror(c->err)));
	if (c->err == 0 && last) {
		sp->log_bytes -= c->log_bytes;
		sp->checkpoint_bytes = c->at;
		log_debug("checkpoint", KV_N("messages", c->count),
		    KV_N("bytes", c->at));
		close_file(c);
	} else if (c->err != 0 || c->failed || sp->closing)
		spool_checkpoint_abandon(sp);
	else if (c->ended)
		spool_checkpoint_end(sp);
	spool_finish(sp);
}

static void
part_start(struct spool *sp, enum checkpoint_state state)
{
	struct spool_checkpoint *c = &sp->checkpoint;

	c->synced = c->at;
	c->state = state;
	if (loop_work(sp->loop, part_work, part_done, sp) == 0) {
		sp->jobs++;
		return;
	}
	c->state = CHECKPOINT_OPEN;
	spool_checkpoint_abandon(sp);
}

/* What is written, or waits to be, ends here. */
static struct place
log_end(const struct spool *sp)
{
	const struct spool_segment *s = sp->nsegments == 0 ? NULL :
	    sp->segments[sp->nsegments - 1];

	return s == NULL || s->fd == -1 ? sp->durable :
	    (struct place){ s->number, s->at, 0 };
}

void
spool_checkpoint_end(struct spool *sp)
{
	struct spool_checkpoint *c = &sp->checkpoint;
	char end[16];

	c->ended = true;
	if (c->state != CHECKPOINT_OPEN)
		return;		/* part_done() comes back here */
	le_put(end, c->count, 8);
	/* Segments that the entries name may be gone at the next start; were
	 * their numbers used again, ended messages would come back. */
	le_put(end + 8, sp->next_number, 8);
	/* A state that found no room on the disk is in no log at all. */
	if (!TAILQ_EMPTY(&sp->unwritten) || add(sp, RECORD_COUNT, sp->durable,
	    span_of(end, sizeof(end)), SPAN_NONE) == -1 || write_out(sp) == -1) {
		spool_checkpoint_abandon(sp);
		return;
	}
	c->until = log_end(sp);
	c->state = CHECKPOINT_WAIT;
	spool_checkpoint_go_on(sp);
}

void
spool_checkpoint_go_on(struct spool *sp)
{
	if (sp->checkpoint.state == CHECKPOINT_WAIT &&
	    !place_before(sp->durable, sp->checkpoint.until))
		part_start(sp, CHECKPOINT_LAST);
}
