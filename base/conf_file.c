/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_file.c - files that the configuration names, opened with suspicion:
 * whoever may write one has a part of the configuration in hand. */
#include "base/conf_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Symbolic links are followed: ACME clients keep their newest files behind
 * them.  What counts is what is at their end. */
static int
check(const char *path, bool secret, const struct stat *st,
    struct conf_place at, struct conf_notes *notes)
{
	unsigned mode = (unsigned)st->st_mode & 07777;

	if (!S_ISREG(st->st_mode))
		conf_error(notes, at, "%.150s is not a regular file", path);
	else if (st->st_size > CONF_FILE_MAX)
		conf_error(notes, at, "%.150s is larger than %u bytes", path,
		    CONF_FILE_MAX);
	else if (st->st_uid != 0 && st->st_uid != geteuid())
		conf_error(notes, at, "%.150s belongs to user %u, who could "
		    "change it; run: chown root %.100s", path,
		    (unsigned)st->st_uid, path);
	else if ((mode & (S_IWGRP | S_IWOTH)) != 0)
		conf_error(notes, at, "group or others may write %.150s (mode "
		    "%04o); run: chmod go-w %.100s", path, mode, path);
	else if (secret && (mode & S_IRWXO) != 0)
		conf_error(notes, at, "%.150s is a private key and open to "
		    "everybody (mode %04o); if nobody has read it, run: chmod "
		    "o= %.100s, else make a new one", path, mode, path);
	else
		return 0;
	return -1;
}

/* Where the service manager has put what it was told to hand to us. */
static int
credential_path(const char *name, char out[CONF_PATH_SIZE],
    struct conf_place at, struct conf_notes *notes)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	int n;

	if (folder == NULL || folder[0] != '/') {
		conf_error(notes, at, "there is no credential %.150s: systemd "
		    "hands them to the service only (LoadCredential=)", name);
		return -1;
	}
	n = snprintf(out, CONF_PATH_SIZE, "%s/%s", folder, name);
	if (n > 0 && n < CONF_PATH_SIZE)
		return 0;
	conf_error(notes, at, "CREDENTIALS_DIRECTORY is too long");
	return -1;
}

int
conf_open_file(const char *path, bool secret, struct conf_place at,
    struct conf_notes *notes)
{
	const size_t prefix = strlen(CONF_CREDENTIAL);
	char credential[CONF_PATH_SIZE];
	struct stat st;
	int fd;

	if (strncmp(path, CONF_CREDENTIAL, prefix) == 0) {
		if (credential_path(path + prefix, credential, at, notes) == -1)
			return -1;
		path = credential;
	}
	/* O_NONBLOCK: a fifo put here must not stop us. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd == -1 || fstat(fd, &st) == -1) {
		conf_error(notes, at, "%.150s: %s", path, strerror(errno));
	} else if (check(path, secret, &st, at, notes) == 0) {
		return fd;
	}
	if (fd != -1)
		close(fd);
	return -1;
}
