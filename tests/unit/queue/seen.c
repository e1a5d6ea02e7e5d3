/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "seen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "world.h"

struct disk disk;
static struct spool_io io;

static ssize_t
disk_pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
	if (disk.fail_writes > 0) {
		disk.fail_writes--;
		errno = disk.write_errno;
		return -1;
	}
	return pwritev(fd, iov, n, at);
}

static int
disk_fdatasync(int fd)
{
	if (disk.slow_ms > 0)
		usleep((useconds_t)disk.slow_ms * 1000);
	disk.syncs++;
	if (disk.fail_syncs > 0) {
		disk.fail_syncs--;
		errno = EIO;
		return -1;
	}
	return fdatasync(fd);
}

static int
disk_unlink(int dir, const char *name)
{
	if (disk.fail_unlinks > 0 && strncmp(name, "seg-", 4) == 0) {
		disk.fail_unlinks--;
		errno = EIO;
		return -1;
	}
	return spool_io.unlink(dir, name);
}

static int
disk_fstatvfs(int fd, struct statvfs *v)
{
	(void)fd;
	memset(v, 0, sizeof(*v));
	v->f_frsize = 4096;
	v->f_blocks = disk.blocks;
	v->f_bavail = disk.avail;
	return 0;
}

/* ---- what a replay and the callbacks say ---- */

static unsigned
number_of(struct span id)
{
	return (unsigned)(id.p[ID_LEN - 1] - 'a');
}

static void
on_replay(void *ctx, enum record_type type, struct span payload,
    struct place place)
{
	struct seen *s = ctx;
	unsigned n = number_of(span_head(payload, ID_LEN));

	ck_assert_uint_le(n, MESSAGES);
	s->records++;
	if (type == RECORD_MESSAGE || type == RECORD_CARRY) {
		struct record_message m;

		ck_assert_int_eq(record_get_message(payload, &m), 0);
		ck_assert(m.body.n > 0 && m.body.p[0] == (char)('a' + n));
		s->live[n] = true;
		s->place[n] = place;
	} else if (type == RECORD_END) {
		s->live[n] = false;
	}
}

static int
on_restore(void *ctx, struct span head, struct place place)
{
	struct seen *s = ctx;
	unsigned n = number_of(span_head(head, ID_LEN));

	ck_assert_uint_le(n, MESSAGES);
	s->live[n] = true;
	s->place[n] = place;
	return 0;
}

static void
on_forget(void *ctx)
{
	memset(((struct seen *)ctx)->live, 0, sizeof(((struct seen *)0)->live));
}

static void
on_placed(void *ctx, struct span id, struct place place)
{
	struct seen *s = ctx;

	s->placed++;
	s->place[number_of(id)] = place;
}

static void
on_written(void *ctx, uint64_t a, uint64_t b)
{
	struct seen *s = ctx;

	ck_assert_uint_eq(a, 1);
	ck_assert_uint_eq(b, 2);
	s->written++;
}

const struct spool_ops seen_ops = { on_restore, on_forget, on_replay,
    on_placed, on_written };

struct spool *
seen_try(struct seen *s, struct fault *f)
{
	s->records = 0;
	memset(s->live, 0, sizeof(s->live));
	return spool_open(s->loop, s->dir, &io, &seen_ops, s, f);
}

void
seen_open(struct seen *s)
{
	struct fault f = { 0 };

	s->loop = loop_new();
	s->sp = seen_try(s, &f);
	ck_assert_msg(s->sp != NULL, "%s", f.text);
}

void
seen_close(struct seen *s)
{
	spool_close(&s->sp);
	loop_free(&s->loop);
}

struct seen *
seen_new(void)
{
	return seen_new_sized(256 * 1024);
}

struct seen *
seen_new_sized(uint32_t segment)
{
	struct seen *s = calloc(1, sizeof(*s));

	memset(&disk, 0, sizeof(disk));
	io = spool_io;
	io.pwritev = disk_pwritev;
	io.fdatasync = disk_fdatasync;
	io.fstatvfs = disk_fstatvfs;
	io.unlink = disk_unlink;
	io.segment_size = segment;
	log_open("queue", LOG_LOGFMT);
	log_set_level(LOG_ERROR + 1);
	world_tempdir(s->dir);
	seen_open(s);
	return s;
}

void
seen_free(struct seen *s)
{
	seen_close(s);
	world_remove(s->dir);
	free(s);
}

/* A kill: nothing is flushed, nothing freed in order. */
void
seen_crash(struct seen *s)
{
	char copy[80], command[256];

	/* The files as they are now, in another place: the old spool may do
	 * what it likes. */
	snprintf(copy, sizeof(copy), "%s.c", s->dir);
	snprintf(command, sizeof(command), "cp -a --sparse=always %s %s",
	    s->dir, copy);
	ck_assert_int_eq(system(command), 0);
	seen_close(s);
	world_remove(s->dir);
	ck_assert_int_eq(rename(copy, s->dir), 0);
}

struct waiting {
	struct seen	*s;
	struct loop_timer *timer;
	unsigned	 commits;
	int		 left;
};

static void
look(void *arg)
{
	struct waiting *x = arg;

	if (x->left-- <= 0 || (x->commits > 0 &&
	    x->s->good + x->s->bad >= x->commits))
		loop_stop(x->s->loop);
	else
		loop_timer_set(x->timer, 1);
}

/* Until so many commits are answered, or (0) for so many ms. */
void
seen_run(struct seen *s, unsigned commits, int ms)
{
	struct waiting x = { .s = s, .commits = commits, .left = ms };

	x.timer = loop_timer_new(s->loop, look, &x);
	loop_timer_set(x.timer, 0);
	loop_run(s->loop);
	loop_timer_close(&x.timer);
	if (commits > 0)
		ck_assert_uint_ge(s->good + s->bad, commits);
}

/* ---- records ---- */

void
seen_id(unsigned n, char id[ID_SIZE])
{
	memset(id, 'a', ID_LEN);
	id[ID_LEN - 1] = (char)('a' + n);
	id[ID_LEN] = '\0';
}

void
seen_head(unsigned n, size_t body, struct buf *out)
{
	struct record_rcpt r = { .address = SPAN_LIT("r@c.example"),
	    .orcpt = SPAN_NONE };
	struct record_change c = { .site = SPAN_NONE, .reply = SPAN_NONE,
	    .dsn = SPAN_NONE, .mx = SPAN_NONE };
	char id[ID_SIZE];
	struct record_message m = { .id = { id, ID_LEN }, .size = body,
	    .sender = SPAN_LIT("a@b.example"), .client = SPAN_NONE,
	    .session = SPAN_NONE, .envid = SPAN_NONE, .nrcpts = 1,
	    .body = { "", body } };
	struct buf list;

	seen_id(n, id);
	buf_init(&list, 4096);
	record_put_rcpt(&list, &r, &c);
	m.rcpts = buf_get(&list);
	ck_assert_int_eq(record_put_message(out, &m), 0);
	buf_free(&list);
}

struct commit {
	struct seen	*s;
	unsigned	 n;
};

static void
on_commit(void *arg, const struct fault *f)
{
	struct commit *c = arg;

	if (f == NULL)
		c->s->good++;
	else
		c->s->bad++;
	if (f != NULL)
		c->s->code = f->code;
	if (f == NULL && c->s->norder < 64)
		c->s->order[c->s->norder++] = c->n;
	free(c);
}

int
seen_commit(struct seen *s, unsigned n)
{
	struct commit *c = malloc(sizeof(*c));
	struct fault f = { 0 };
	char body[200];
	struct buf head;
	int rc;

	memset(body, 'a' + (int)n, sizeof(body));
	buf_init(&head, 4096);
	seen_head(n, sizeof(body), &head);
	*c = (struct commit){ s, n };
	rc = spool_commit(s->sp, buf_get(&head), span_of(body, sizeof(body)),
	    &s->place[n], on_commit, c, &f);
	buf_free(&head);
	if (rc == -1) {
		s->code = f.code;
		free(c);
	}
	return rc;
}

void
seen_state(struct seen *s, unsigned n, size_t body)
{
	struct spool_after after = { .release = 0 };
	struct spool_part part = { .type = RECORD_MESSAGE };
	char *mem = malloc(body);
	struct buf head;

	memset(mem, 'a' + (int)n, body);
	buf_init(&head, 4096);
	seen_head(n, body, &head);
	part.head = buf_get(&head);
	part.body = span_of(mem, body);
	ck_assert_int_eq(spool_state(s->sp, &part, 1, &after), 0);
	buf_free(&head);
	free(mem);
}

void
seen_end(struct seen *s, unsigned n)
{
	struct spool_after after = { .release = s->place[n].segment,
	    .ack = true, .ack_a = 1, .ack_b = 2 };
	struct spool_part part = { RECORD_END, SPAN_NONE, SPAN_NONE };

	seen_id(n, after.id);
	part.head = span_str(after.id);
	ck_assert_int_eq(spool_state(s->sp, &part, 1, &after), 0);
}

unsigned
seen_live(const struct seen *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i <= MESSAGES; i++)
		n += s->live[i];
	return n;
}

/* ---- the files ---- */

void
seen_path(const struct seen *s, uint64_t number, char out[128])
{
	snprintf(out, 128, "%s/log/seg-%016llx", s->dir,
	    (unsigned long long)number);
}

char *
seen_read(const struct seen *s, uint64_t number, size_t *n)
{
	char path[128], *mem;
	struct stat st;
	int fd;

	seen_path(s, number, path);
	fd = open(path, O_RDONLY);
	ck_assert_int_ne(fd, -1);
	fstat(fd, &st);
	mem = malloc((size_t)st.st_size);
	*n = (size_t)read(fd, mem, (size_t)st.st_size);
	close(fd);
	return mem;
}

void
seen_write(const struct seen *s, uint64_t number, const char *p, size_t n)
{
	char path[128];
	int fd;

	seen_path(s, number, path);
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	close(fd);
}
