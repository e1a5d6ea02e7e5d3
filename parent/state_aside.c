/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/state_aside.c - the state of a start aside: what the relay remembers,
 * copied, so that nothing that is asked changes it. */
#include "parent/parent_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_MAX	(1 << 30)	/* bytes; larger memories stay unknown */

static int
open_in(const char *directory, const char *name, int flags)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/%s", directory, name);

	if (n < 0 || (size_t)n >= sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, flags | O_NOFOLLOW | O_CLOEXEC);
}

/* 1, 0 when there is nothing to copy, -1 with errno. */
static int
copy(const struct conf *conf, const char *name)
{
	int from = open_in(conf->aside_of, name, O_RDONLY);
	int to = open_in(conf->state_directory, name, O_WRONLY | O_TRUNC);
	struct stat st;
	ssize_t n = 1;
	int rc = 0;

	if (from != -1 && to != -1 && fstat(from, &st) == 0 &&
	    S_ISREG(st.st_mode) && st.st_size <= COPY_MAX) {
		char some[65536];

		while ((n = read(from, some, sizeof some)) > 0)
			if (write(to, some, (size_t)n) != n)
				break;
		rc = n == 0 ? 1 : -1;
	}
	if (from != -1)
		close(from);
	if (to != -1)
		close(to);
	return rc;
}

/* Two files make one state: none may change while they are read, which the
 * lock of a running relay tells. */
static int
copy_memory(const struct conf *conf, struct fault *f)
{
	int lock = open_in(conf->aside_of, "lock", O_RDONLY);
	int rc = 0;

	if (lock != -1 && flock(lock, LOCK_SH | LOCK_NB) == 0) {
		rc = copy(conf, "policy.db");
		if (rc == 1)
			rc = copy(conf, "policy.db-wal");
		if (rc == -1)
			fault_sys(f, "copy of policy.db");
	}
	if (lock != -1)
		close(lock);
	return rc == -1 ? -1 : 0;
}

int
state_prepare_aside(const struct conf *conf, struct fault *f)
{
	if (state_policy_files(conf->state_directory, f) == -1)
		return -1;
	return copy_memory(conf, f);
}
