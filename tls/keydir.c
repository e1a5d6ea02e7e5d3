/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/keydir.c - see keydir.h. */
#include "tls/keydir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TMP_NAME_SIZE	64
#define LOCK_TRIES	50
#define LOCK_WAIT_US	100000

const char *
tls_slot_name(enum tls_slot s)
{
	static const char *const names[TLS_SLOTS] = {
		[TLS_SLOT_ECDSA] = "ecdsa", [TLS_SLOT_RSA] = "rsa",
		[TLS_SLOT_NEXT_ECDSA] = "next-ecdsa",
		[TLS_SLOT_NEXT_RSA] = "next-rsa",
	};

	return names[s];
}

static int
file_fault(const struct tls_keydir *d, const char *name, const char *what,
    struct fault *f)
{
	char text[sizeof d->path + 128];

	snprintf(text, sizeof text, "%s %s%s%s", what, d->path,
	    name[0] == '\0' ? "" : "/", name);
	return fault_sys(f, text);
}

int
tls_keydir_open(struct tls_keydir *d, const char *state, struct fault *f)
{
	struct stat st;
	int n = snprintf(d->path, sizeof d->path, "%s/keys", state);

	d->fd = -1;
	if (n < 0 || (size_t)n >= sizeof d->path)
		return fault_set(f, FAULT_PERM, 0, "",
		    "the state directory's name is too long");
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (d->fd == -1)
		return file_fault(d, "", "open", f);
	if (fstat(d->fd, &st) == -1) {
		file_fault(d, "", "stat", f);
		goto close_dir;
	}
	/* Whoever can write here can put a key of his own in place of ours. */
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		fault_set(f, FAULT_PERM, 0, "",
		    "%s has mode %04o: group or others may write in it",
		    d->path, (unsigned)st.st_mode & 07777);
		goto close_dir;
	}
	return 0;
close_dir:
	tls_keydir_close(d);
	return -1;
}

void
tls_keydir_close(struct tls_keydir *d)
{
	if (d->fd != -1)
		close(d->fd);
	d->fd = -1;
}

int
tls_keydir_lock(struct tls_keydir *d, struct fault *f)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(d->fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return file_fault(d, "", "lock", f);
		usleep(LOCK_WAIT_US);
	}
	return fault_set(f, FAULT_TEMP, 0, "", "another process is busy in %s",
	    d->path);
}

static int
secret_check(const struct tls_keydir *d, const char *name, const struct stat *st,
    struct fault *f)
{
	unsigned mode = (unsigned)st->st_mode & 07777;

	if (!S_ISREG(st->st_mode))
		return fault_set(f, FAULT_PERM, 0, "",
		    "%s/%s is not a regular file", d->path, name);
	if (mode & (S_IRWXG | S_IRWXO))
		return fault_set(f, FAULT_PERM, 0, "",
		    "%s/%s has mode %04o: a private key must not be open to "
		    "group or others; if nobody read it, chmod 600, else "
		    "delete it", d->path, name, mode);
	if (st->st_uid != geteuid())
		return fault_set(f, FAULT_PERM, 0, "",
		    "%s/%s has mode %04o and belongs to user %u, not to %u",
		    d->path, name, mode, (unsigned)st->st_uid,
		    (unsigned)geteuid());
	/* A second name would outlive a key that is thrown away. */
	if (st->st_nlink != 1)
		return fault_set(f, FAULT_PERM, 0, "",
		    "%s/%s has %u names (hard links)", d->path, name,
		    (unsigned)st->st_nlink);
	return 0;
}

static int
open_failed(const struct tls_keydir *d, const char *name, struct fault *f)
{
	struct stat st;
	int err = errno;

	if (err == ELOOP)
		return fault_set(f, FAULT_PERM, 0, "",
		    "%s/%s is a symbolic link", d->path, name);
	if (fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return fault_set(f, FAULT_PERM, 0, "",
		    "open %s/%s: %s (mode %04o, user %u; we are user %u)",
		    d->path, name, strerror(err),
		    (unsigned)st.st_mode & 07777, (unsigned)st.st_uid,
		    (unsigned)geteuid());
	errno = err;
	return file_fault(d, name, "open", f);
}

int
tls_keydir_read(const struct tls_keydir *d, const char *name, bool secret,
    struct buf *to, struct fault *f)
{
	struct stat st;
	char *at;
	ssize_t n;
	int rc = -1, fd;

	/* NONBLOCK: a FIFO planted here must not hang us. */
	fd = openat(d->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? 0 : open_failed(d, name, f);
	if (fstat(fd, &st) == -1) {
		file_fault(d, name, "stat", f);
		goto close_fd;
	}
	if (secret && secret_check(d, name, &st, f) == -1)
		goto close_fd;
	if (!S_ISREG(st.st_mode) || st.st_size > TLS_KEYDIR_FILE_MAX) {
		fault_set(f, FAULT_PERM, 0, "", "%s/%s is %s", d->path, name,
		    S_ISREG(st.st_mode) ? "too large" : "not a regular file");
		goto close_fd;
	}
	at = buf_room(to, (size_t)st.st_size);
	if (at == NULL) {
		fault_set(f, FAULT_TEMP, 0, "", "no memory");
		goto close_fd;
	}
	n = pread(fd, at, (size_t)st.st_size, 0);
	if (n != st.st_size) {
		if (n >= 0)
			errno = EIO;
		file_fault(d, name, "read", f);
		goto close_fd;
	}
	buf_grown(to, (size_t)n);
	rc = 1;
close_fd:
	close(fd);
	return rc;
}

static int
write_all(int fd, struct span s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		s = span_skip(s, (size_t)n);
	}
	return fsync(fd);
}

static int
give_to_owner(const struct tls_keydir *d, int fd)
{
	struct stat st;

	return fstat(d->fd, &st) == -1 ? -1 :
	    fchown(fd, st.st_uid, st.st_gid);
}

int
tls_keydir_write(const struct tls_keydir *d, const char *name, mode_t mode,
    struct span s, struct fault *f)
{
	char tmp[TMP_NAME_SIZE];
	int fd;

	snprintf(tmp, sizeof tmp, "%s.tmp", name);
	/* What a crash left: who writes holds the lock. */
	(void)unlinkat(d->fd, tmp, 0);
	fd = openat(d->fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return file_fault(d, tmp, "create", f);
	/* fchmod: the umask must not decide who reads a certificate.  What root
	 * writes is for the role that the folder belongs to. */
	if ((geteuid() == 0 && give_to_owner(d, fd) == -1) ||
	    fchmod(fd, mode) == -1 || write_all(fd, s) == -1) {
		file_fault(d, tmp, "write", f);
		close(fd);
		goto unlink_tmp;
	}
	if (close(fd) == -1) {
		file_fault(d, tmp, "write", f);
		goto unlink_tmp;
	}
	if (renameat(d->fd, tmp, d->fd, name) == -1) {
		file_fault(d, name, "rename to", f);
		goto unlink_tmp;
	}
	if (fsync(d->fd) == -1)
		return file_fault(d, "", "fsync", f);
	return 0;
unlink_tmp:
	(void)unlinkat(d->fd, tmp, 0);
	return -1;
}

int
tls_keydir_rename(const struct tls_keydir *d, const char *from, const char *to,
    struct fault *f)
{
	if (renameat(d->fd, from, d->fd, to) == -1)
		return file_fault(d, from, "rename", f);
	return fsync(d->fd) == -1 ? file_fault(d, "", "fsync", f) : 0;
}
