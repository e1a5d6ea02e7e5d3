/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/spool.c - opening, sweeping and closing the spool. */
#include "queue/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/spool_priv.h"

#define LOCK_TRIES	150	/* 100 ms each */

/* A process that was killed keeps its lock until the disk lets it go, which may
 * take seconds while a checkpoint is synced; who starts again waits for that. */
static int
lock(int fd)
{
	const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
	int rc;

	for (int i = 0; (rc = flock(fd, LOCK_EX | LOCK_NB)) == -1 &&
	    errno == EWOULDBLOCK && i < LOCK_TRIES; i++)
		(void)nanosleep(&pause, NULL);
	return rc;
}

static int
open_dirs(struct spool *sp, const char *directory, struct fault *f)
{
	sp->root = spool_dir_open(AT_FDCWD, directory, true, f);
	if (sp->root == -1)
		return -1;
	if (lock(sp->root) == -1)
		return fault_sys(f, "another process has the spool");
	sp->log = spool_dir_open(sp->root, "log", true, f);
	if (sp->log == -1)
		return -1;
	sp->large = spool_dir_open(sp->root, "large", true, f);
	if (sp->large == -1)
		return -1;
	sp->damaged = spool_dir_open(sp->root, "damaged", true, f);
	if (sp->damaged == -1)
		return -1;
	/* The names log, large and damaged themselves. */
	if (fsync(sp->root) == -1)
		return fault_sys(f, "sync of the spool directory");
	return 0;
}

static int
random_salt(struct spool *sp, struct fault *f)
{
	ssize_t n;

	do
		n = getrandom(&sp->salt, sizeof(sp->salt), 0);
	while (n == -1 && errno == EINTR);
	return n == sizeof(sp->salt) ? 0 : fault_sys(f, "random numbers");
}

struct spool *
spool_open(struct loop *loop, const char *directory, const struct spool_io *io,
    const struct spool_ops *ops, void *ctx, struct fault *f)
{
	struct spool *sp = calloc(1, sizeof(*sp));

	if (sp == NULL) {
		fault_set(f, FAULT_TEMP, 451, "4.3.0", "no memory");
		return NULL;
	}
	sp->loop = loop;
	sp->io = io == NULL ? &spool_io : io;
	sp->ops = ops;
	sp->ctx = ctx;
	sp->root = sp->log = sp->large = sp->damaged = -1;
	TAILQ_INIT(&sp->waiting);
	TAILQ_INIT(&sp->syncing);
	TAILQ_INIT(&sp->unwritten);
	TAILQ_INIT(&sp->written);
	TAILQ_INIT(&sp->in_sync);
	sp->timer = loop_timer_new(loop, spool_tick, sp);
	if (sp->timer == NULL) {
		fault_set(f, FAULT_TEMP, 451, "4.3.0", "no memory");
		goto fail;
	}
	if (random_salt(sp, f) == -1 || open_dirs(sp, directory, f) == -1 ||
	    spool_replay(sp, f) == -1)
		goto fail;
	spool_spare_make(sp);
	return sp;
fail:
	spool_close(&sp);
	return NULL;
}

void
spool_close(struct spool **spp)
{
	struct spool *sp = *spp;

	if (sp == NULL)
		return;
	*spp = NULL;
	sp->closing = true;
	loop_timer_close(&sp->timer);
	spool_finish(sp);
}

static void
sweep_file(struct spool *sp, const char *name,
    bool (*known)(void *, struct span))
{
	struct stat st;

	if (id_valid(span_str(name)) && known(sp->ctx, span_str(name)))
		return;
	/* Only what could be a body of ours; a link or FIFO was planted, and
	 * is for the operator to look at. */
	if (fstatat(sp->large, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    !id_valid(span_str(name))) {
		log_warn("spool-foreign-file", KV_S("name", name));
		return;
	}
	log_info("spool-swept", KV_S("id", name), KV_N("size", st.st_size));
	(void)sp->io->unlink(sp->large, name);
}

void
spool_sweep(struct spool *sp, bool (*known)(void *, struct span))
{
	int fd = dup(sp->large);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	rewinddir(dir);
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			sweep_file(sp, e->d_name, known);
	closedir(dir);
	if (sp->nsegments > 0 && sp->segments[0]->refs == 0)
		spool_timer(sp);
}

void
spool_stats(const struct spool *sp, struct spool_stats *s)
{
	memset(s, 0, sizeof(*s));
	s->segments = sp->nsegments;
	s->segment_size = sp->io->segment_size;
	if (sp->nsegments > 0) {
		s->oldest = sp->segments[0]->number;
		s->oldest_closed = sp->segments[0]->closed;
		s->oldest_damaged = sp->segments[0]->damaged;
	}
	s->idle = sp->jobs == 0 && TAILQ_EMPTY(&sp->waiting) &&
	    TAILQ_EMPTY(&sp->unwritten) && TAILQ_EMPTY(&sp->written);
	s->damaged = sp->ndamaged;
	s->torn = sp->ntorn;
}
