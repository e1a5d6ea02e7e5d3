/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/spool_io.c - the system calls of the spool, as tests do not have them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "queue/spool.h"

static int
io_open(int dir, const char *name, int flags, mode_t mode)
{
	return openat(dir, name, flags, mode);
}

static int
io_preallocate(int fd, off_t size)
{
	int rc;

	do
		rc = fallocate(fd, 0, 0, size);
	while (rc == -1 && errno == EINTR);
	if (rc == -1 && (errno == EOPNOTSUPP || errno == ENOSYS))
		rc = ftruncate(fd, size);
	return rc;
}

/* An unnamed file gets its name by this path; AT_EMPTY_PATH would need a
 * capability. */
static int
io_name(int fd, int dir, const char *name)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW);
}

static int
io_rename(int dir, const char *from, int to, const char *name)
{
	return renameat(dir, from, to, name);
}

static int
io_unlink(int dir, const char *name)
{
	return unlinkat(dir, name, 0);
}

const struct spool_io spool_io = { io_open, io_preallocate, pwritev, ftruncate,
    fdatasync, fsync, io_name, io_rename, io_unlink, fstatvfs, SEGMENT_SIZE,
    8ull * SEGMENT_SIZE };
