/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/spool_dir.c - directories and files of the spool, opened so that what
 * somebody planted there (links, FIFOs, files of others) is refused, and the
 * files of large bodies. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/log.h"
#include "queue/spool_priv.h"

int
spool_dir_open(int at, const char *name, bool make, struct fault *f)
{
	struct stat st;
	char what[300];
	int fd;

	snprintf(what, sizeof(what), "spool directory %s", name);
	if (make && mkdirat(at, name, 0700) == -1 && errno != EEXIST)
		return fault_sys(f, what);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1) {
		fault_sys(f, what);
		goto fail;
	}
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		fault_set(f, FAULT_PERM, 0, NULL, "%s: must belong to this "
		    "user, and nobody else may write to it", what);
		goto fail;
	}
	return fd;
fail:
	if (fd != -1)
		close(fd);
	return -1;
}

int
spool_plain_open(int dir, const char *name, int flags, off_t *size)
{
	struct stat st;
	int fd;

	/* O_NONBLOCK: a FIFO in its place must not hold us up. */
	fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
	    O_NOCTTY);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1)
		goto fail;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_nlink != 1) {
		errno = EPERM;
		goto fail;
	}
	*size = st.st_size;
	return fd;
fail:
	close(fd);
	return -1;
}

/* ---- large bodies ---- */

struct file_job {
	struct spool	*sp;
	int		 fd;
	char		 name[ID_SIZE];
	uint64_t	 size;
	struct fault	 fault;
	uint32_t	 sum;
	bool		 failed;
	void		(*done)(void *, uint32_t, const struct fault *);
	void		*arg;
};

int
spool_file_new(struct spool *sp, struct fault *f)
{
	int fd = sp->io->open(sp->large, ".",
	    O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd == -1)
		return fault_sys(f, "file for a large message");
	return fd;
}

static int
file_size_check(struct file_job *j)
{
	struct stat st;

	if (fstat(j->fd, &st) == -1)
		return fault_sys(&j->fault, "size of a large message");
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != j->size)
		return fault_set(&j->fault, FAULT_TEMP, 451, "4.3.0",
		    "a large message has not the size that was announced");
	return 0;
}

/* The sum of what was written a moment ago, and is in memory still.  smtpd
 * holds the file open, and it lies on a disk for as long as it takes: what is
 * sent one day is checked against this. */
static int
file_sum(struct file_job *j)
{
	static const size_t piece = 256 * 1024;
	char path[40], *mem = malloc(piece);
	ssize_t n = -1;
	int fd;

	/* Ours is for writing only. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", j->fd);
	fd = mem == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	while (fd != -1 && (n = read(fd, mem, piece)) > 0)
		j->sum = crc32c(j->sum, mem, (size_t)n);
	if (n == -1)
		fault_sys(&j->fault, "sum of a large message");
	free(mem);
	if (fd != -1)
		close(fd);
	return n == -1 ? -1 : 0;
}

/* In the thread pool. */
static int
file_keep(struct file_job *j)
{
	if (file_size_check(j) == -1 || file_sum(j) == -1)
		return -1;
	if (j->sp->io->fdatasync(j->fd) == -1)
		return fault_sys(&j->fault, "sync of a large message");
	if (j->sp->io->name(j->fd, j->sp->large, j->name) == -1)
		return fault_sys(&j->fault, "name of a large message");
	if (j->sp->io->fsync(j->sp->large) == -1) {
		fault_sys(&j->fault, "sync of the directory large");
		/* The name may survive a crash or not; take it back, so that
		 * nothing is left of what we refuse. */
		(void)j->sp->io->unlink(j->sp->large, j->name);
		return -1;
	}
	return 0;
}

static void
file_work(void *arg)
{
	struct file_job *j = arg;

	j->failed = file_keep(j) == -1;
}

static void
file_done(void *arg)
{
	struct file_job *j = arg;
	struct spool *sp = j->sp;

	sp->jobs--;
	close(j->fd);
	if (!sp->closing)
		j->done(j->arg, j->sum, j->failed ? &j->fault : NULL);
	free(j);
	spool_finish(sp);
}

int
spool_file_keep(struct spool *sp, int fd, struct span id, uint64_t size,
    void (*done)(void *, uint32_t, const struct fault *), void *arg,
    struct fault *f)
{
	struct file_job *j = calloc(1, sizeof(*j));

	if (j == NULL) {
		close(fd);
		return fault_set(f, FAULT_TEMP, 451, "4.3.0", "no memory");
	}
	j->sp = sp;
	j->fd = fd;
	(void)span_copy(id, j->name, sizeof(j->name));
	j->size = size;
	j->done = done;
	j->arg = arg;
	if (loop_work(sp->loop, file_work, file_done, j) != 0) {
		close(fd);
		free(j);
		return fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "the thread pool refuses work");
	}
	sp->jobs++;
	return 0;
}

int
spool_file_open(struct spool *sp, struct span id, uint64_t size,
    struct fault *f)
{
	char name[ID_SIZE];
	off_t have;
	int fd;

	(void)span_copy(id, name, sizeof(name));
	fd = spool_plain_open(sp->large, name, O_RDONLY, &have);
	if (fd == -1)
		return fault_sys(f, "body of a large message");
	if ((uint64_t)have != size) {
		close(fd);
		return fault_set(f, FAULT_TEMP, 451, "4.3.0", "the file of a "
		    "large message has not the size of its record");
	}
	return fd;
}

void
spool_file_remove(struct spool *sp, struct span id)
{
	char name[ID_SIZE];

	(void)span_copy(id, name, sizeof(name));
	if (sp->io->unlink(sp->large, name) == -1 && errno != ENOENT)
		log_warn("spool-file-left", KV_S("id", name),
		    KV_Q("reason", strerror(errno)));
}
