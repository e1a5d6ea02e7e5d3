/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* keys/file.h - small files that appear whole, and are read with suspicion. */
#ifndef KEYS_FILE_H
#define KEYS_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/fault.h"

#define KEYS_FILE_MAX	(64 * 1024)

struct keys_dir {
	int	 fd;
	char	 path[512];	/* for messages */
};

int	keys_dir_open(struct keys_dir *, const char *state, struct fault *);
void	keys_dir_close(struct keys_dir *);

/* 1 read, 0 there is no such file, -1 fault.  `secret`: must be ours and
 * closed to everybody else.  The caller wipes `to`, also after -1. */
int	keys_file_read(const struct keys_dir *, const char *name, bool secret,
	    struct buf *to, struct fault *);

/* Temporary file, fsync, rename, fsync of the directory. */
int	keys_file_write(const struct keys_dir *, const char *name, mode_t mode,
	    struct span, struct fault *);

/* Overwrites and frees. */
void	keys_wipe(struct buf *);

#endif
