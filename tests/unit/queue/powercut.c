/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "powercut.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world.h"

#define FILES_MAX	4096
#define NAMES_MAX	1024
#define SECTOR		512
#define DIRS		4

enum kind { MAKE, SIZE, WRITE, SYNC, NAME, RENAME, UNLINK, DIRSYNC };

struct call {
	enum kind	 kind;
	int		 file;		/* number, -1 none */
	ino_t		 dir, to;
	char		 name[40], other[40];
	off_t		 at;
	size_t		 covers;	/* SYNC: calls before it began */
	struct span	 bytes;		/* owned */
};

static struct {
	pthread_mutex_t	 lock;
	struct spool_io	 io;
	struct call	*calls;
	size_t		 n, size;
	ino_t		 files[FILES_MAX];
	int		 nfiles;
	bool		 fail_sync;
	char		 dir[200];
} rec = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Also in the thread pool, where Check cannot end a test. */
static void
must(bool good)
{
	if (!good)
		abort();
}

/* ---- recording ---- */

static ino_t
inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) == -1 ? 0 : st.st_ino;
}

/* The newest file with that inode: numbers are used again. */
static int
file_of(int fd)
{
	ino_t ino = inode(fd);

	for (int i = rec.nfiles; i-- > 0;)
		if (rec.files[i] == ino)
			return i;
	return -1;
}

static int
file_new(int fd)
{
	must(rec.nfiles < FILES_MAX);
	rec.files[rec.nfiles] = inode(fd);
	return rec.nfiles++;
}

static struct span
copy(const void *p, size_t n)
{
	char *mem = malloc(n + 1);

	memcpy(mem, p, n);
	return span_of(mem, n);
}

static void
note(struct call c)
{
	if (rec.n == rec.size) {
		rec.size = rec.size == 0 ? 4096 : rec.size * 2;
		rec.calls = realloc(rec.calls, rec.size * sizeof(*rec.calls));
		must(rec.calls != NULL);
	}
	rec.calls[rec.n++] = c;
}

static int
r_open(int dir, const char *name, int flags, mode_t mode)
{
	int fd = spool_io.open(dir, name, flags, mode);
	struct call c = { .kind = MAKE, .dir = inode(dir) };

	if (fd == -1)
		return -1;
	pthread_mutex_lock(&rec.lock);
	c.file = file_new(fd);
	snprintf(c.name, sizeof(c.name), "%s", name);
	if ((flags & O_TMPFILE) != O_TMPFILE)
		note(c);
	pthread_mutex_unlock(&rec.lock);
	return fd;
}

static int
r_size(int fd, off_t size, int rc)
{
	pthread_mutex_lock(&rec.lock);
	if (rc == 0)
		note((struct call){ .kind = SIZE, .file = file_of(fd),
		    .at = size });
	pthread_mutex_unlock(&rec.lock);
	return rc;
}

static int
r_preallocate(int fd, off_t size)
{
	/* Sparse does for a test; the spool does not know. */
	return r_size(fd, size, ftruncate(fd, size));
}

static int
r_truncate(int fd, off_t size)
{
	return r_size(fd, size, ftruncate(fd, size));
}

static ssize_t
r_pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
	ssize_t done = pwritev(fd, iov, n, at);

	pthread_mutex_lock(&rec.lock);
	for (int i = 0; i < n && done > 0; i++) {
		note((struct call){ .kind = WRITE, .file = file_of(fd),
		    .at = at, .bytes = copy(iov[i].iov_base, iov[i].iov_len) });
		at += (off_t)iov[i].iov_len;
	}
	pthread_mutex_unlock(&rec.lock);
	return done;
}

/* smtpd wrote it: what it holds now is what is synced. */
static void
note_content(int fd, int file)
{
	char path[40];
	struct stat st;
	char *mem;
	int in;

	for (size_t i = 0; i < rec.n; i++)
		if (rec.calls[i].file == file)
			return;		/* not such a file */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	in = open(path, O_RDONLY);
	must(in != -1 && fstat(in, &st) == 0);
	mem = malloc((size_t)st.st_size + 1);
	must(read(in, mem, (size_t)st.st_size) == st.st_size);
	note((struct call){ .kind = WRITE, .file = file,
	    .bytes = span_of(mem, (size_t)st.st_size) });
	close(in);
}

static int
r_fdatasync(int fd)
{
	struct call c = { .kind = SYNC };
	int rc;

	pthread_mutex_lock(&rec.lock);
	if (rec.fail_sync) {
		rec.fail_sync = false;
		pthread_mutex_unlock(&rec.lock);
		errno = EIO;
		return -1;
	}
	c.file = file_of(fd);
	if (c.file == -1)
		c.file = file_new(fd);	/* of an earlier process */
	note_content(fd, c.file);
	c.covers = rec.n;
	pthread_mutex_unlock(&rec.lock);
	rc = fdatasync(fd);
	pthread_mutex_lock(&rec.lock);
	note(c);
	pthread_mutex_unlock(&rec.lock);
	return rc;
}

static int
r_fsync(int dir)
{
	struct call c = { .kind = DIRSYNC, .file = -1, .dir = inode(dir) };
	int rc;

	pthread_mutex_lock(&rec.lock);
	c.covers = rec.n;
	pthread_mutex_unlock(&rec.lock);
	rc = fsync(dir);
	pthread_mutex_lock(&rec.lock);
	note(c);
	pthread_mutex_unlock(&rec.lock);
	return rc;
}

static void
note_names(enum kind kind, int file, int dir, const char *name, int to,
    const char *other)
{
	struct call c = { .kind = kind, .file = file, .dir = inode(dir),
	    .to = inode(to) };

	snprintf(c.name, sizeof(c.name), "%s", name);
	snprintf(c.other, sizeof(c.other), "%s", other);
	note(c);
}

static int
r_name(int fd, int dir, const char *name)
{
	int rc = spool_io.name(fd, dir, name);

	pthread_mutex_lock(&rec.lock);
	if (rc == 0)
		note_names(NAME, file_of(fd), dir, name, -1, "");
	pthread_mutex_unlock(&rec.lock);
	return rc;
}

static int
r_rename(int dir, const char *from, int to, const char *name)
{
	int rc = spool_io.rename(dir, from, to, name);

	pthread_mutex_lock(&rec.lock);
	if (rc == 0)
		note_names(RENAME, -1, dir, from, to, name);
	pthread_mutex_unlock(&rec.lock);
	return rc;
}

static int
r_unlink(int dir, const char *name)
{
	int rc = spool_io.unlink(dir, name);

	pthread_mutex_lock(&rec.lock);
	if (rc == 0)
		note_names(UNLINK, -1, dir, name, -1, "");
	pthread_mutex_unlock(&rec.lock);
	return rc;
}

const struct spool_io *
powercut_record(const char *dir, uint32_t segment_size,
    uint64_t checkpoint_every)
{
	snprintf(rec.dir, sizeof(rec.dir), "%s", dir);
	rec.io = (struct spool_io){ r_open, r_preallocate, r_pwritev,
	    r_truncate, r_fdatasync, r_fsync, r_name, r_rename, r_unlink,
	    fstatvfs, segment_size, checkpoint_every };
	return &rec.io;
}

void
powercut_fail_sync(void)
{
	pthread_mutex_lock(&rec.lock);
	rec.fail_sync = true;
	pthread_mutex_unlock(&rec.lock);
}

size_t
powercut_count(void)
{
	size_t n;

	pthread_mutex_lock(&rec.lock);
	n = rec.n;
	pthread_mutex_unlock(&rec.lock);
	return n;
}

bool
powercut_saw_rename(const char *to)
{
	for (size_t i = 0; i < rec.n; i++)
		if (rec.calls[i].kind == RENAME &&
		    strcmp(rec.calls[i].other, to) == 0)
			return true;
	return false;
}

bool
powercut_saw_unlink(const char *prefix)
{
	for (size_t i = 0; i < rec.n; i++)
		if (rec.calls[i].kind == UNLINK && strncmp(rec.calls[i].name,
		    prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

void
powercut_free(void)
{
	for (size_t i = 0; i < rec.n; i++)
		if (rec.calls[i].kind == WRITE)
			free((void *)(uintptr_t)rec.calls[i].bytes.p);
	free(rec.calls);
	rec.calls = NULL;
	rec.n = rec.size = 0;
	rec.nfiles = 0;
}

/* ---- what a power cut leaves ---- */

struct entry {
	ino_t	dir;
	char	name[40];
	int	file;
};

static uint64_t
draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static bool
survives(enum cut cut, uint64_t *seed)
{
	return cut == CUT_KEEP || (cut == CUT_MIXED && draw(seed) % 2 == 0);
}

/* Calls on that file or directory before this one are certain. */
static size_t
synced_before(size_t n, enum kind sync, int file, ino_t dir)
{
	for (size_t i = n; i-- > 0;)
		if (rec.calls[i].kind == sync && (sync == SYNC ?
		    rec.calls[i].file == file : rec.calls[i].dir == dir))
			return rec.calls[i].covers;
	return 0;
}

static struct entry *
lookup(struct entry *names, size_t n, ino_t dir, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].file != -1 && names[i].dir == dir &&
		    strcmp(names[i].name, name) == 0)
			return &names[i];
	return NULL;
}

static void
set_name(struct entry *names, size_t *n, ino_t dir, const char *name, int file)
{
	struct entry *e = lookup(names, *n, dir, name);

	if (e == NULL) {
		must(*n < NAMES_MAX);
		e = &names[(*n)++];
		e->dir = dir;
		snprintf(e->name, sizeof(e->name), "%s", name);
	}
	e->file = file;
}

static void
apply_name(struct entry *names, size_t *n, const struct call *c)
{
	struct entry *e;
	int file;

	switch (c->kind) {
	case MAKE:
	case NAME:
		set_name(names, n, c->dir, c->name, c->file);
		break;
	case RENAME:
		e = lookup(names, *n, c->dir, c->name);
		if (e == NULL)
			break;
		file = e->file;
		e->file = -1;
		set_name(names, n, c->to, c->other, file);
		break;
	case UNLINK:
		e = lookup(names, *n, c->dir, c->name);
		if (e != NULL)
			e->file = -1;
		break;
	default:
		break;
	}
}

static size_t
names_at(const ino_t dirs[DIRS], struct entry *names, size_t n, enum cut cut,
    uint64_t *seed)
{
	size_t count = 0, sure[DIRS];

	for (int d = 0; d < DIRS; d++)
		sure[d] = synced_before(n, DIRSYNC, -1, dirs[d]);

	for (size_t i = 0; i < n; i++) {
		const struct call *c = &rec.calls[i];

		if (c->kind != MAKE && c->kind != NAME && c->kind != RENAME &&
		    c->kind != UNLINK)
			continue;
		for (int d = 0; d < DIRS; d++)
			if (dirs[d] == c->dir && (i < sure[d] ||
			    survives(cut, seed)))
				apply_name(names, &count, c);
	}
	return count;
}

static void
write_piece(int fd, const struct call *c, bool certain, enum cut cut,
    uint64_t *seed)
{
	size_t at = 0;

	while (at < c->bytes.n) {
		size_t n = SECTOR - (size_t)(c->at + (off_t)at) % SECTOR;

		if (certain || cut == CUT_KEEP)
			n = c->bytes.n;
		if (n > c->bytes.n - at)
			n = c->bytes.n - at;
		if (certain || survives(cut, seed))
			must(pwrite(fd, c->bytes.p + at, n,
			    c->at + (off_t)at) == (ssize_t)n);
		at += n;
	}
}

static void
make_file(const char *path, int file, size_t n, enum cut cut, uint64_t *seed)
{
	size_t sure = synced_before(n, SYNC, file, 0);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	must(fd != -1);
	for (size_t i = 0; i < n; i++) {
		const struct call *c = &rec.calls[i];

		if (c->file != file)
			continue;
		if (c->kind == SIZE && (i < sure || survives(cut, seed)))
			must(ftruncate(fd, c->at) == 0);
		else if (c->kind == WRITE)
			write_piece(fd, c, i < sure, cut, seed);
	}
	close(fd);
}

void
powercut_make(const char *dir, size_t n, enum cut cut, uint64_t seed)
{
	static const char *const folders[DIRS] = { "", "/log", "/large",
	    "/damaged" };
	static struct entry names[NAMES_MAX];
	ino_t dirs[DIRS];
	char path[400];
	struct stat st;
	size_t count;

	/* The recorded spool's folders have not moved. */
	for (int i = 0; i < DIRS; i++) {
		snprintf(path, sizeof(path), "%s%s", rec.dir, folders[i]);
		must(stat(path, &st) == 0);
		dirs[i] = st.st_ino;
		snprintf(path, sizeof(path), "%s%s", dir, folders[i]);
		must(mkdir(path, 0700) == 0);
	}
	count = names_at(dirs, names, n, cut, &seed);
	for (size_t i = 0; i < count; i++) {
		if (names[i].file == -1)
			continue;
		for (int d = 0; d < DIRS; d++)
			if (dirs[d] == names[i].dir) {
				snprintf(path, sizeof(path), "%s%s/%s", dir,
				    folders[d], names[i].name);
				make_file(path, names[i].file, n, cut, &seed);
			}
	}
}
