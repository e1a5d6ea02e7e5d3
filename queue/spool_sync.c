/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/spool_sync.c - group commit: what is written while one sync runs is
 * covered by the next; what a failed sync means; the end of old segments. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/spool_priv.h"

#define SICK_MS		1000	/* no new messages so long after a disk error */
#define STATE_MS	1000	/* a state is synced after at most so long */

/* ---- in the thread pool ---- */

static bool
good(const struct spool_sync *y)
{
	for (size_t i = 0; i < y->n; i++)
		if (y->target[i].err != 0)
			return false;
	return y->dir_err == 0;
}

static void
sync_work(void *arg)
{
	struct spool_sync *y = arg;
	struct spool *sp = y->sp;

	for (size_t i = 0; i < y->n; i++)
		if (sp->io->fdatasync(y->target[i].fd) == -1)
			y->target[i].err = errno;
	if (y->dir && sp->io->fsync(sp->log) == -1)
		y->dir_err = errno;
	for (size_t i = 0; i < y->n; i++)
		if (y->target[i].closing && y->target[i].err == 0)
			(void)!sp->io->truncate(y->target[i].fd,
			    (off_t)y->target[i].upto);
	/* One after the other and synced between: a newer segment holds the
	 * ends of messages in an older one, so the older must go first.  And
	 * while the disk is sick, one whose head is durable stays: the salt. */
	for (size_t i = 0; i < y->ndrops && good(y); i++) {
		const char *name = y->drop[i].name;
		int rc = y->drop[i].damaged ?
		    sp->io->rename(sp->log, name, sp->damaged, name) :
		    sp->io->unlink(sp->log, name);

		if (rc == -1 || sp->io->fsync(sp->log) == -1)
			break;
		y->dropped++;
	}
}

/* ---- starting one ---- */

static void
gather_targets(struct spool *sp)
{
	struct spool_sync *y = &sp->sync;

	for (size_t i = 0; i < sp->nsegments; i++) {
		struct spool_segment *s = sp->segments[i];

		if (s->fd == -1 || (s->at == s->durable && !s->closed &&
		    s->at > SEGMENT_FIRST))
			continue;
		assert(y->n < SPOOL_UNSYNCED);
		y->target[y->n].fd = s->fd;
		y->target[y->n].number = s->number;
		y->target[y->n].upto = s->at;
		y->target[y->n].closing = s->closed;
		y->target[y->n].err = 0;
		y->n++;
	}
}

/* Old segments from the front that nobody needs any more. */
static void
gather_drops(struct spool *sp)
{
	struct spool_sync *y = &sp->sync;
	size_t most = TAILQ_EMPTY(&sp->waiting) ? SPOOL_DROPS : 1, n = 0;

	/* A removal with its sync may take 20 ms, and clients wait for this. */
	while (n < sp->nsegments && n < most) {
		struct spool_segment *s = sp->segments[n];

		if (s->refs > 0 || !s->closed || s->fd != -1)
			break;
		spool_segment_name(s->number, y->drop[n].name);
		y->drop[n].damaged = s->damaged;
		n++;
	}
	y->ndrops = n;
}

/* Those that could not be removed are tried again, before any other goes. */
static void
forget_dropped(struct spool *sp)
{
	size_t n = sp->sync.dropped;

	for (size_t i = 0; i < n; i++)
		free(sp->segments[i]);
	sp->nsegments -= n;
	memmove(sp->segments, sp->segments + n,
	    sp->nsegments * sizeof(sp->segments[0]));
}

static void	sync_done(void *);

static void
sync_start(struct spool *sp)
{
	struct spool_sync *y = &sp->sync;

	if (sp->sync_running || sp->closing) {
		sp->sync_wanted = true;
		return;
	}
	sp->sync_wanted = false;
	memset(y, 0, sizeof(*y));
	y->sp = sp;
	gather_targets(sp);
	gather_drops(sp);
	y->dir = sp->dir_dirty;
	if (y->n == 0 && y->ndrops == 0 && TAILQ_EMPTY(&sp->waiting))
		return;
	if (loop_work(sp->loop, sync_work, sync_done, y) != 0) {
		spool_timer(sp);
		return;
	}
	sp->dir_dirty = false;
	sp->sync_running = true;
	sp->jobs++;
	TAILQ_CONCAT(&sp->syncing, &sp->waiting, link);
	TAILQ_CONCAT(&sp->in_sync, &sp->written, link);
}

void
spool_timer(struct spool *sp)
{
	if (!sp->closing && !loop_timer_active(sp->timer))
		loop_timer_set(sp->timer, STATE_MS);
}

void
spool_kick(struct spool *sp)
{
	if (!TAILQ_EMPTY(&sp->waiting))
		sync_start(sp);
}

void
spool_tick(void *arg)
{
	struct spool *sp = arg;

	spool_write_states(sp);
	sync_start(sp);
	if (TAILQ_EMPTY(&sp->unwritten) && TAILQ_EMPTY(&sp->written) &&
	    TAILQ_EMPTY(&sp->in_sync) && TAILQ_EMPTY(&sp->waiting))
		loop_timer_stop(sp->timer);
}

/* ---- it went well ---- */

static void
states_durable(struct spool *sp)
{
	struct spool_states list = TAILQ_HEAD_INITIALIZER(list);
	struct spool_state *s;

	TAILQ_CONCAT(&list, &sp->in_sync, link);
	while ((s = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, s, link);
		if (s->after.release != 0)
			spool_release(sp, s->after.release);
		if (s->after.remove_file)
			spool_file_remove(sp, span_str(s->after.id));
		if (s->parts[0].type == RECORD_VOID)
			sp->voids--;
		free(s);
	}
}

static void
commits_done(struct spool *sp, struct spool_commits *list,
    const struct fault *f)
{
	struct spool_commit *c;

	while ((c = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, c, link);
		if (!sp->closing)
			c->done(c->arg, f);
		free(c);
	}
}

static void
sync_good(struct spool *sp)
{
	struct spool_commits list = TAILQ_HEAD_INITIALIZER(list);
	struct spool_sync *y = &sp->sync;
	struct place end = sp->durable;

	for (size_t i = 0; i < y->n; i++) {
		struct spool_segment *s =
		    spool_segment_find(sp, y->target[i].number);

		s->durable = y->target[i].upto;
		end = (struct place){ s->number, s->durable, 0 };
		if (y->target[i].closing) {
			close(s->fd);
			s->fd = -1;
		}
	}
	TAILQ_CONCAT(&list, &sp->syncing, link);
	states_durable(sp);
	/* Before a VOID is durable, what it is about would look promised. */
	if (sp->voids == 0)
		sp->durable = end;
	commits_done(sp, &list, NULL);
	spool_checkpoint_go_on(sp);
	if (!TAILQ_EMPTY(&sp->written) || (sp->nsegments > 0 &&
	    sp->segments[0]->refs == 0 && sp->segments[0]->closed))
		spool_timer(sp);
}

/* ---- it did not ---- */

static void
void_segment(struct spool *sp, struct spool_segment *s)
{
	struct spool_after after = { 0 };
	struct spool_part part = { .type = RECORD_VOID, .body = SPAN_NONE };
	struct buf b;

	/* The kernel may have dropped the pages and cleared the error: a
	 * second sync of this file would say yes to bytes that are not there
	 * (fsyncgate, 2018).  So it is left for good. */
	s->failed = s->closed = true;
	close(s->fd);
	s->fd = -1;
	sp->voids++;
	buf_init(&b, 64);
	if (record_put_void(&b, s->number, s->durable) == 0) {
		part.head = buf_get(&b);
		if (spool_state_keep(sp, &part, 1, &after) == -1)
			log_error("spool-void-lost", KV_N("segment", s->number));
	}
	buf_free(&b);
}

/* States first, the void behind them: a crash between the two may repeat a
 * state, which does no harm, but never lose one. */
static void
write_again(struct spool *sp)
{
	struct spool_states again = TAILQ_HEAD_INITIALIZER(again);

	sp->current = NULL;
	sp->dir_dirty = true;
	TAILQ_CONCAT(&again, &sp->in_sync, link);
	TAILQ_CONCAT(&again, &sp->written, link);
	TAILQ_CONCAT(&again, &sp->unwritten, link);
	TAILQ_CONCAT(&sp->unwritten, &again, link);
	for (size_t i = 0; i < sp->nsegments; i++)
		if (sp->segments[i]->fd != -1)
			void_segment(sp, sp->segments[i]);
}

static void
sync_bad(struct spool *sp, int err)
{
	struct spool_commits list = TAILQ_HEAD_INITIALIZER(list);
	struct spool_commit *c;
	struct fault f = { 0 };

	errno = err;
	fault_sys(&f, "sync of the spool");
	log_error("spool-sync-failed", KV_Q("reason", f.text));
	sp->sick_until = loop_now(sp->loop) + SICK_MS;
	spool_checkpoint_abandon(sp);
	write_again(sp);
	TAILQ_CONCAT(&list, &sp->syncing, link);
	TAILQ_CONCAT(&list, &sp->waiting, link);
	TAILQ_FOREACH(c, &list, link)
		spool_release(sp, c->place.segment);
	commits_done(sp, &list, &f);
	spool_write_states(sp);
}

static void
sync_done(void *arg)
{
	struct spool_sync *y = arg;
	struct spool *sp = y->sp;
	int err = y->dir_err;

	sp->sync_running = false;
	sp->jobs--;
	forget_dropped(sp);
	for (size_t i = 0; i < y->n; i++)
		if (y->target[i].err != 0)
			err = y->target[i].err;
	if (err == 0)
		sync_good(sp);
	else
		sync_bad(sp, err);
	if (sp->closing)
		spool_finish(sp);
	else if (sp->sync_wanted || !TAILQ_EMPTY(&sp->waiting))
		sync_start(sp);
}

/* ---- the end ---- */

static int
sync_all(struct spool *sp)
{
	struct place end = sp->durable;

	for (size_t i = 0; i < sp->nsegments; i++) {
		struct spool_segment *s = sp->segments[i];

		if (s->fd == -1)
			continue;
		if (sp->io->fdatasync(s->fd) == -1)
			return -1;
		end = (struct place){ s->number, s->at, 0 };
	}
	if (sp->dir_dirty && sp->io->fsync(sp->log) == -1)
		return -1;
	TAILQ_CONCAT(&sp->in_sync, &sp->written, link);
	states_durable(sp);
	if (sp->voids == 0)
		sp->durable = end;
	return 0;
}

/* All that is written becomes durable, and a last record says so: then damage
 * to the tail can be told from a torn one at the next start.  What a failed
 * sync leaves in memory the next start would read, and believe: so once more,
 * elsewhere. */
static void
final_sync(struct spool *sp)
{
	struct spool_part mark = { RECORD_MARK, SPAN_NONE, SPAN_NONE };
	struct place place;
	struct fault f = { 0 };

	spool_write_states(sp);
	if (sync_all(sp) == -1) {
		log_error("spool-sync-failed", KV_Q("reason",
		    strerror(errno)));
		write_again(sp);
		spool_write_states(sp);
		if (sync_all(sp) == -1)
			return;
	}
	if (sp->current != NULL && sp->current->at > SEGMENT_FIRST &&
	    spool_append(sp, &mark, 1, &place, &f) == 0 &&
	    sp->current != NULL &&
	    sp->io->fdatasync(sp->current->fd) == 0)
		(void)!sp->io->truncate(sp->current->fd,
		    (off_t)sp->current->at);
}

static void
free_lists(struct spool *sp)
{
	struct spool_states *states[] = { &sp->unwritten, &sp->written,
	    &sp->in_sync };
	struct spool_commits *commits[] = { &sp->waiting, &sp->syncing };
	struct spool_state *s;
	struct spool_commit *c;

	for (size_t i = 0; i < 3; i++)
		while ((s = TAILQ_FIRST(states[i])) != NULL) {
			TAILQ_REMOVE(states[i], s, link);
			free(s);
		}
	for (size_t i = 0; i < 2; i++)
		while ((c = TAILQ_FIRST(commits[i])) != NULL) {
			TAILQ_REMOVE(commits[i], c, link);
			free(c);
		}
}

void
spool_finish(struct spool *sp)
{
	int dirs[] = { sp->log, sp->large, sp->damaged, sp->root };

	if (!sp->closing || sp->jobs > 0)
		return;
	spool_checkpoint_abandon(sp);
	final_sync(sp);
	free_lists(sp);
	for (size_t i = 0; i < sp->nsegments; i++) {
		if (sp->segments[i]->fd != -1)
			close(sp->segments[i]->fd);
		free(sp->segments[i]);
	}
	free(sp->segments);
	for (size_t i = 0; i < 4; i++)
		if (dirs[i] != -1)
			close(dirs[i]);
	free(sp);
}
