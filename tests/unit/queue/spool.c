/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/spool.c - the spool on a real directory: replay of every
 * prefix, damage, group commit with a disk that fails when told to. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "world.h"

#define MESSAGES	8

static struct {
	int	fail_syncs;	/* so many fdatasyncs fail from now on */
	int	fail_writes;
	int	write_errno;
	int	syncs;		/* done so far */
	int	slow_ms;
	unsigned long blocks, avail;	/* of 4096 bytes */
} disk;

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
disk_fstatvfs(int fd, struct statvfs *v)
{
	(void)fd;
	memset(v, 0, sizeof(*v));
	v->f_frsize = 4096;
	v->f_blocks = disk.blocks;
	v->f_bavail = disk.avail;
	return 0;
}

static struct spool_io io;

/* ---- what a replay and the callbacks say ---- */

struct seen {
	char		 dir[64];
	struct loop	*loop;
	struct spool	*sp;
	unsigned	 records;
	bool		 live[MESSAGES + 1];
	struct place	 place[MESSAGES + 1];
	unsigned	 written, placed;
	unsigned	 good, bad;		/* commits */
	int		 code;			/* of the last bad one */
	unsigned	 order[64], norder;
};

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

static const struct spool_ops ops = { on_restore, on_forget, on_replay,
    on_placed, on_written };

static void
open_spool(struct seen *s)
{
	struct fault f = { 0 };

	s->records = 0;
	memset(s->live, 0, sizeof(s->live));
	s->loop = loop_new();
	s->sp = spool_open(s->loop, s->dir, &io, &ops, s, &f);
	ck_assert_msg(s->sp != NULL, "%s", f.text);
}

static void
close_spool(struct seen *s)
{
	spool_close(&s->sp);
	loop_free(&s->loop);
}

static struct seen *
seen_new(void)
{
	struct seen *s = calloc(1, sizeof(*s));

	memset(&disk, 0, sizeof(disk));
	io = spool_io;
	io.pwritev = disk_pwritev;
	io.fdatasync = disk_fdatasync;
	io.fstatvfs = disk_fstatvfs;
	io.segment_size = 256 * 1024;
	log_open("queue", LOG_LOGFMT);
	log_set_level(LOG_ERROR + 1);
	world_tempdir(s->dir);
	open_spool(s);
	return s;
}

static void
seen_free(struct seen *s)
{
	close_spool(s);
	world_remove(s->dir);
	free(s);
}

/* A kill: nothing is flushed, nothing freed in order. */
static void
crash(struct seen *s)
{
	char copy[80], command[256];

	/* The files as they are now, in another place: the old spool may do
	 * what it likes. */
	snprintf(copy, sizeof(copy), "%s.c", s->dir);
	snprintf(command, sizeof(command), "cp -a --sparse=always %s %s",
	    s->dir, copy);
	ck_assert_int_eq(system(command), 0);
	close_spool(s);
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
static void
run(struct seen *s, unsigned commits, int ms)
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

static void
id_of(unsigned n, char id[ID_SIZE])
{
	memset(id, 'a', ID_LEN);
	id[ID_LEN - 1] = (char)('a' + n);
	id[ID_LEN] = '\0';
}

static void
head_of(unsigned n, size_t body, struct buf *out)
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

	id_of(n, id);
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

static int
commit(struct seen *s, unsigned n)
{
	struct commit *c = malloc(sizeof(*c));
	struct fault f = { 0 };
	char body[200];
	struct buf head;
	int rc;

	memset(body, 'a' + (int)n, sizeof(body));
	buf_init(&head, 4096);
	head_of(n, sizeof(body), &head);
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

static void
end(struct seen *s, unsigned n)
{
	struct spool_after after = { .release = s->place[n].segment,
	    .ack = true, .ack_a = 1, .ack_b = 2 };
	struct spool_part part = { RECORD_END, SPAN_NONE, SPAN_NONE };

	id_of(n, after.id);
	part.head = span_str(after.id);
	ck_assert_int_eq(spool_state(s->sp, &part, 1, &after), 0);
}

static unsigned
count_live(const struct seen *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i <= MESSAGES; i++)
		n += s->live[i];
	return n;
}

/* ---- group commit ---- */

START_TEST(commits_are_durable_and_in_order)
{
	struct seen *s = seen_new();

	for (unsigned n = 1; n <= MESSAGES; n++)
		ck_assert_int_eq(commit(s, n), 0);
	ck_assert_uint_eq(s->good, 0);		/* nobody before a sync */
	run(s, MESSAGES, 5000);
	ck_assert_uint_eq(s->good, MESSAGES);
	for (unsigned i = 0; i < MESSAGES; i++)
		ck_assert_uint_eq(s->order[i], i + 1);
	crash(s);
	open_spool(s);
	ck_assert_uint_eq(count_live(s), MESSAGES);
	seen_free(s);
}
END_TEST

START_TEST(one_sync_covers_what_came_while_another_ran)
{
	struct seen *s = seen_new();

	disk.slow_ms = 50;
	ck_assert_int_eq(commit(s, 1), 0);
	for (unsigned n = 2; n <= MESSAGES; n++)
		ck_assert_int_eq(commit(s, n), 0);
	run(s, MESSAGES, 5000);
	ck_assert_int_eq(disk.syncs, 2);
	seen_free(s);
}
END_TEST

START_TEST(a_failed_sync_acknowledges_nobody)
{
	struct seen *s = seen_new();

	ck_assert_int_eq(commit(s, 1), 0);
	run(s, 1, 5000);
	end(s, 1);
	ck_assert_uint_eq(s->written, 1);
	disk.fail_syncs = 1;
	for (unsigned n = 2; n <= 5; n++)
		ck_assert_int_eq(commit(s, n), 0);
	run(s, 5, 5000);
	ck_assert_uint_eq(s->good, 1);
	ck_assert_uint_eq(s->bad, 4);
	ck_assert_int_eq(s->code, 451);
	/* For a moment nothing is taken, then all goes on in a new file. */
	ck_assert_int_eq(commit(s, 6), -1);
	ck_assert_int_eq(s->code, 451);
	run(s, 0, 1200);
	ck_assert_int_eq(commit(s, 7), 0);
	run(s, 6, 5000);
	ck_assert_uint_eq(s->good, 2);
	crash(s);
	open_spool(s);
	/* What was refused is not there, nor what had ended. */
	ck_assert_uint_eq(count_live(s), 1);
	ck_assert(s->live[7]);
	seen_free(s);
}
END_TEST

/* The state was written to a file whose sync failed; a crash right after it
 * was written to the next one must find it. */
START_TEST(states_move_to_a_new_segment)
{
	struct spool_after after = { .release = 0 };
	struct spool_part part = { .type = RECORD_MESSAGE };
	struct seen *s = seen_new();
	struct buf head;
	uint64_t first;

	disk.fail_syncs = 1;
	buf_init(&head, 4096);
	head_of(3, 1, &head);
	part.head = buf_get(&head);
	part.body = SPAN_LIT("d");
	ck_assert_int_eq(spool_state(s->sp, &part, 1, &after), 0);
	first = s->place[3].segment;
	ck_assert_uint_eq(s->placed, 1);
	run(s, 0, 1500);
	ck_assert_uint_eq(s->placed, 2);
	ck_assert_uint_gt(s->place[3].segment, first);
	crash(s);
	open_spool(s);
	ck_assert(s->live[3]);
	buf_free(&head);
	seen_free(s);
}
END_TEST

static const struct {
	const char	*name;
	int		 error, code;
} write_rows[] = {
	{ "disk full", ENOSPC, 452 },
	{ "quota", EDQUOT, 452 },
	{ "I/O error", EIO, 451 },
	{ "too large a file", EFBIG, 451 },
};

START_TEST(a_failed_write_is_refused)
{
	struct seen *s = seen_new();

	ck_assert_int_eq(commit(s, 1), 0);
	disk.write_errno = write_rows[_i].error;
	disk.fail_writes = 1;
	ck_assert_int_eq(commit(s, 2), -1);
	ck_assert_msg(s->code == write_rows[_i].code, "%s: %d",
	    write_rows[_i].name, s->code);
	ck_assert_int_eq(commit(s, 3), 0);
	run(s, 2, 5000);
	ck_assert_uint_eq(s->good, 2);
	crash(s);
	open_spool(s);
	ck_assert(s->live[1] && !s->live[2] && s->live[3]);
	seen_free(s);
}
END_TEST

START_TEST(a_state_waits_for_the_disk)
{
	struct seen *s = seen_new();

	ck_assert_int_eq(commit(s, 1), 0);
	run(s, 1, 5000);
	disk.write_errno = ENOSPC;
	disk.fail_writes = 2;			/* the spare is no help either */
	end(s, 1);
	ck_assert_uint_eq(s->written, 0);	/* not acknowledged */
	run(s, 0, 1300);
	ck_assert_uint_eq(s->written, 1);
	crash(s);
	open_spool(s);
	ck_assert_uint_eq(count_live(s), 0);
	seen_free(s);
}
END_TEST

static bool
spare_there(const struct seen *s)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/spare", s->dir);
	return access(path, F_OK) == 0;
}

START_TEST(the_spare_takes_a_state)
{
	struct seen *s = seen_new();

	ck_assert_int_eq(commit(s, 1), 0);
	run(s, 1, 5000);
	ck_assert(spare_there(s));
	disk.write_errno = ENOSPC;
	disk.fail_writes = 1;
	end(s, 1);
	ck_assert_uint_eq(s->written, 1);
	ck_assert(!spare_there(s));
	disk.blocks = 2 * 262144;
	disk.avail = 0;
	ck_assert(spool_full(s->sp));
	ck_assert(!spare_there(s));		/* not from the reserve */
	disk.avail = 262144;
	ck_assert(!spool_full(s->sp));
	ck_assert(spare_there(s));
	crash(s);
	open_spool(s);
	ck_assert_uint_eq(count_live(s), 0);
	seen_free(s);
}
END_TEST

START_TEST(a_state_is_synced_within_a_second_or_so)
{
	struct seen *s = seen_new();
	int before;

	ck_assert_int_eq(commit(s, 1), 0);
	run(s, 1, 5000);
	end(s, 1);
	before = disk.syncs;
	run(s, 0, 1500);
	ck_assert_int_gt(disk.syncs, before);
	seen_free(s);
}
END_TEST

START_TEST(dead_segments_go)
{
	struct spool_stats stats;
	struct seen *s = seen_new();

	ck_assert_int_eq(commit(s, 1), 0);
	ck_assert_int_eq(commit(s, 2), 0);
	run(s, 2, 5000);
	end(s, 1);
	close_spool(s);
	open_spool(s);
	spool_hold(s->sp, s->place[2].segment);
	end(s, 2);
	run(s, 0, 2500);
	spool_stats(s->sp, &stats);
	ck_assert_uint_eq(stats.segments, 1);	/* the one that is written */
	close_spool(s);
	open_spool(s);
	ck_assert_uint_eq(count_live(s), 0);
	seen_free(s);
}
END_TEST

#define GIB	(1024ul * 1024 * 1024 / 4096)

static const struct {
	const char	*name;
	unsigned long	 blocks, avail;
	bool		 full;
} space_rows[] = {
	{ "half of a small disk", 2 * GIB, GIB, false },
	{ "5 % of a small disk", GIB, GIB / 20 + 1, false },
	{ "below 5 % of a small disk", GIB, GIB / 20 - 1, true },
	{ "1 GiB of a large disk", 1000 * GIB, GIB, false },
	{ "below 1 GiB of a large disk", 1000 * GIB, GIB - 1, true },
	{ "nothing", 2 * GIB, 0, true },
};

START_TEST(the_reserve)
{
	struct seen *s = seen_new();

	disk.blocks = space_rows[_i].blocks;
	disk.avail = space_rows[_i].avail;
	ck_assert_msg(spool_full(s->sp) == space_rows[_i].full, "%s",
	    space_rows[_i].name);
	seen_free(s);
}
END_TEST

/* ---- prefixes and damage ---- */

static void
segment_path(const struct seen *s, uint64_t number, char out[128])
{
	snprintf(out, 128, "%s/log/seg-%016llx", s->dir,
	    (unsigned long long)number);
}

static char *
read_segment(const struct seen *s, uint64_t number, size_t *n)
{
	char path[128], *mem;
	struct stat st;
	int fd;

	segment_path(s, number, path);
	fd = open(path, O_RDONLY);
	ck_assert_int_ne(fd, -1);
	fstat(fd, &st);
	mem = malloc((size_t)st.st_size);
	*n = (size_t)read(fd, mem, (size_t)st.st_size);
	close(fd);
	return mem;
}

static void
write_segment(const struct seen *s, uint64_t number, const char *p, size_t n)
{
	char path[128];
	int fd;

	segment_path(s, number, path);
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	close(fd);
}

/* Messages 1 to MESSAGES, each in a commit of its own; an orderly end. */
static char *
prepared(struct seen *s, size_t *n, uint64_t *number)
{
	for (unsigned i = 1; i <= MESSAGES; i++) {
		ck_assert_int_eq(commit(s, i), 0);
		run(s, i, 5000);
	}
	*number = s->place[1].segment;
	close_spool(s);
	return read_segment(s, *number, n);
}

/* A crash leaves a prefix: whatever its length, what is whole in it is there,
 * nothing else, and nothing is called damage. */
START_TEST(every_prefix_replays)
{
	struct seen *s = seen_new();
	struct spool_stats stats;
	uint64_t number;
	size_t n, whole;
	char *mem = prepared(s, &n, &number);

	for (size_t len = 0; len <= n; len += len < SEGMENT_FIRST ? 512 : 7) {
		write_segment(s, number, mem, len);
		open_spool(s);
		spool_stats(s->sp, &stats);
		ck_assert_uint_eq(stats.damaged, 0);
		whole = 0;
		for (unsigned i = 1; i <= MESSAGES; i++)
			whole += s->place[i].offset + SEGMENT_HEADER +
			    s->place[i].length <= len && s->live[i];
		ck_assert_uint_eq(count_live(s), whole);
		for (unsigned i = 1; i + 1 <= MESSAGES; i++)
			ck_assert(s->live[i] || !s->live[i + 1]);
		close_spool(s);
	}
	ck_assert_uint_eq(count_live(s), MESSAGES);
	free(mem);
	open_spool(s);
	seen_free(s);
}
END_TEST

/* The end said that everything is durable: any change is damage, costs one
 * message at most, and the rest flows. */
START_TEST(changed_bytes_are_damage)
{
	struct seen *s = seen_new();
	struct spool_stats stats;
	uint64_t number;
	size_t n;
	char *mem = prepared(s, &n, &number);

	for (size_t at = SEGMENT_FIRST; at < n - 48; at += 5) {
		char was = mem[at];

		mem[at] = (char)(was ^ 1 << at % 8);
		write_segment(s, number, mem, n);
		mem[at] = was;
		open_spool(s);
		spool_stats(s->sp, &stats);
		ck_assert_msg(count_live(s) >= MESSAGES - 1, "at %zu", at);
		ck_assert_msg(stats.damaged > 0 || count_live(s) == MESSAGES,
		    "at %zu: not seen", at);
		close_spool(s);
	}
	free(mem);
	open_spool(s);
	seen_free(s);
}
END_TEST

START_TEST(a_damaged_segment_is_kept_for_the_operator)
{
	struct seen *s = seen_new();
	char path[160];
	uint64_t number;
	size_t n;
	char *mem = prepared(s, &n, &number);

	mem[s->place[2].offset + SEGMENT_HEADER + 3] ^= 1;
	write_segment(s, number, mem, n);
	open_spool(s);
	ck_assert_uint_eq(count_live(s), MESSAGES - 1);
	for (unsigned i = 1; i <= MESSAGES; i++)
		if (i != 2)
			spool_hold(s->sp, s->place[i].segment);
	for (unsigned i = 1; i <= MESSAGES; i++)
		if (i != 2)
			end(s, i);
	run(s, 0, 2500);
	snprintf(path, sizeof(path), "%s/damaged/seg-%016llx", s->dir,
	    (unsigned long long)number);
	ck_assert_int_eq(access(path, F_OK), 0);
	free(mem);
	seen_free(s);
}
END_TEST

START_TEST(a_read_checks_what_it_reads)
{
	struct seen *s = seen_new();
	struct span payload;
	struct fault f = { 0 };
	struct buf b;
	uint64_t number;
	size_t n;
	char *mem = prepared(s, &n, &number);

	open_spool(s);
	buf_init(&b, 65536);
	ck_assert_int_eq(spool_read(s->sp, s->place[3], &b, &payload, &f), 0);
	mem[s->place[3].offset + SEGMENT_HEADER + 100] ^= 1;
	write_segment(s, number, mem, n);
	ck_assert_int_eq(spool_read(s->sp, s->place[3], &b, &payload, &f), -1);
	ck_assert_int_eq(spool_read(s->sp, s->place[4], &b, &payload, &f), 0);
	buf_free(&b);
	free(mem);
	seen_free(s);
}
END_TEST

/* ---- checkpoints ---- */

static void
checkpoint_path(const struct seen *s, char out[128])
{
	snprintf(out, 128, "%s/checkpoint", s->dir);
}

/* Messages 1 to 5, of which 2 ended; a checkpoint of the others; then 6, and the
 * end of 3. */
static struct seen *
with_checkpoint(void)
{
	struct seen *s = seen_new();
	char path[128];
	struct buf head;

	for (unsigned n = 1; n <= 5; n++)
		ck_assert_int_eq(commit(s, n), 0);
	run(s, 5, 5000);
	end(s, 2);
	ck_assert_int_eq(spool_checkpoint_begin(s->sp), 0);
	for (unsigned n = 1; n <= 5; n++) {
		if (n == 2)
			continue;
		buf_init(&head, 4096);
		head_of(n, 200, &head);
		ck_assert_int_eq(spool_checkpoint_add(s->sp, s->place[n],
		    buf_get(&head)), 0);
		buf_free(&head);
	}
	spool_checkpoint_end(s->sp);
	checkpoint_path(s, path);
	ck_assert_int_eq(access(path, F_OK), -1);	/* the END of 2 */
	for (int i = 0; i < 300 && access(path, F_OK) == -1; i++)
		run(s, 0, 10);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(commit(s, 6), 0);
	run(s, 6, 5000);
	end(s, 3);
	crash(s);
	return s;
}

static void
four_live(struct seen *s)
{
	open_spool(s);
	for (unsigned n = 1; n <= 6; n++)
		ck_assert_msg(s->live[n] == (n != 2 && n != 3), "%u", n);
}

START_TEST(a_checkpoint_spares_the_log)
{
	struct seen *s = with_checkpoint();
	struct span payload;
	struct fault f = { 0 };
	struct buf b;

	four_live(s);
	ck_assert_uint_le(s->records, 3);	/* END, MESSAGE, END */
	buf_init(&b, 65536);
	for (unsigned n = 1; n <= 6; n++)
		if (s->live[n]) {
			ck_assert(spool_hold(s->sp, s->place[n].segment));
			ck_assert_int_eq(spool_read(s->sp, s->place[n], &b,
			    &payload, &f), 0);
		}
	buf_free(&b);
	seen_free(s);
}
END_TEST

/* Whatever byte is changed, wherever it is cut: the log is read instead. */
START_TEST(a_bad_checkpoint_is_not_believed)
{
	struct seen *s = with_checkpoint();
	char path[128], *mem;
	struct stat st;
	size_t n;
	int fd;

	checkpoint_path(s, path);
	fd = open(path, O_RDONLY);
	fstat(fd, &st);
	n = (size_t)st.st_size;
	mem = malloc(n);
	ck_assert_int_eq(read(fd, mem, n), (ssize_t)n);
	close(fd);
	for (size_t at = SEGMENT_FIRST; at < n; at += 7) {
		bool cut = at % 2 == 0;

		mem[at] = (char)(mem[at] ^ 1 << at % 8);
		(void)unlink(path);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		ck_assert_int_ge(write(fd, mem, cut ? at : n), 0);
		close(fd);
		mem[at] = (char)(mem[at] ^ 1 << at % 8);
		four_live(s);
		close_spool(s);
	}
	free(mem);
	open_spool(s);
	seen_free(s);
}
END_TEST

/* Segments that the checkpoint names are gone: their messages ended, and the
 * numbers do not come again. */
START_TEST(segments_that_are_gone)
{
	struct seen *s = with_checkpoint();
	char path[128];

	segment_path(s, s->place[1].segment, path);
	ck_assert_int_eq(unlink(path), 0);
	open_spool(s);
	ck_assert(!spool_hold(s->sp, s->place[1].segment));
	ck_assert_int_eq(commit(s, 7), 0);
	ck_assert_uint_gt(s->place[7].segment, s->place[1].segment);
	run(s, 7, 5000);
	seen_free(s);
}
END_TEST

START_TEST(a_failed_sync_abandons_a_checkpoint)
{
	struct seen *s = seen_new();
	char path[128];

	ck_assert_int_eq(commit(s, 1), 0);
	run(s, 1, 5000);
	ck_assert_int_eq(spool_checkpoint_begin(s->sp), 0);
	ck_assert(spool_checkpoint_ready(s->sp));
	disk.fail_syncs = 1;
	ck_assert_int_eq(commit(s, 2), 0);
	run(s, 2, 5000);
	ck_assert(!spool_checkpoint_ready(s->sp));
	ck_assert(!spool_checkpoint_due(s->sp));
	spool_checkpoint_end(s->sp);
	run(s, 0, 50);
	checkpoint_path(s, path);
	ck_assert_int_eq(access(path, F_OK), -1);
	seen_free(s);
}
END_TEST

/* ---- what somebody may have planted ---- */

START_TEST(planted_files_are_refused)
{
	struct seen *s = seen_new();
	char path[160], target[160];
	struct stat st;

	ck_assert_int_eq(commit(s, 1), 0);
	run(s, 1, 5000);
	close_spool(s);
	snprintf(target, sizeof(target), "%s/elsewhere", s->dir);
	close(open(target, O_WRONLY | O_CREAT, 0600));
	snprintf(path, sizeof(path), "%s/log/seg-%016x", s->dir, 5);
	ck_assert_int_eq(symlink(target, path), 0);
	snprintf(path, sizeof(path), "%s/log/seg-%016x", s->dir, 6);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/log/seg-%016x", s->dir, 7);
	ck_assert_int_eq(link(target, path), 0);
	snprintf(path, sizeof(path), "%s/large/abcdefghijklmnop", s->dir);
	ck_assert_int_eq(symlink(target, path), 0);
	open_spool(s);
	ck_assert(s->live[1]);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_int_eq(spool_file_open(s->sp, SPAN_LIT("abcdefghijklmnop"),
	    0, NULL), -1);
	ck_assert_int_eq(commit(s, 2), 0);	/* past their numbers */
	ck_assert_uint_gt(s->place[2].segment, 7);
	run(s, 2, 5000);
	seen_free(s);
}
END_TEST

START_TEST(one_process_at_a_time)
{
	struct seen *s = seen_new(), other = { .loop = NULL };
	struct fault f = { 0 };

	other.loop = loop_new();
	ck_assert_ptr_null(spool_open(other.loop, s->dir, NULL, &ops, &other,
	    &f));
	ck_assert_ptr_nonnull(strstr(f.text, "another process"));
	loop_free(&other.loop);
	seen_free(s);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue spool");
	TCase *t = tcase_create("spool");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 25);
	tcase_add_test(t, commits_are_durable_and_in_order);
	tcase_add_test(t, one_sync_covers_what_came_while_another_ran);
	tcase_add_test(t, a_failed_sync_acknowledges_nobody);
	tcase_add_test(t, states_move_to_a_new_segment);
	tcase_add_loop_test(t, a_failed_write_is_refused, 0,
	    (int)(sizeof(write_rows) / sizeof(write_rows[0])));
	tcase_add_test(t, a_state_waits_for_the_disk);
	tcase_add_test(t, the_spare_takes_a_state);
	tcase_add_test(t, a_state_is_synced_within_a_second_or_so);
	tcase_add_test(t, dead_segments_go);
	tcase_add_loop_test(t, the_reserve, 0,
	    (int)(sizeof(space_rows) / sizeof(space_rows[0])));
	tcase_add_test(t, every_prefix_replays);
	tcase_add_test(t, changed_bytes_are_damage);
	tcase_add_test(t, a_damaged_segment_is_kept_for_the_operator);
	tcase_add_test(t, a_read_checks_what_it_reads);
	tcase_add_test(t, a_checkpoint_spares_the_log);
	tcase_add_test(t, a_bad_checkpoint_is_not_believed);
	tcase_add_test(t, segments_that_are_gone);
	tcase_add_test(t, a_failed_sync_abandons_a_checkpoint);
	tcase_add_test(t, planted_files_are_refused);
	tcase_add_test(t, one_process_at_a_time);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
