/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/damage.c - what a start makes of a spool that a crash cut off
 * or left torn, that a disk or somebody changed; and checkpoints. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seen.h"
#include "tests/unit/suite.h"

/* ---- prefixes and damage ---- */

/* Messages 1 to MESSAGES, each in a commit of its own; an orderly end. */
static char *
prepared(struct seen *s, size_t *n, uint64_t *number)
{
	for (unsigned i = 1; i <= MESSAGES; i++) {
		ck_assert_int_eq(seen_commit(s, i), 0);
		seen_run(s, i, 5000);
	}
	*number = s->place[1].segment;
	seen_close(s);
	return seen_read(s, *number, n);
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
		seen_write(s, number, mem, len);
		seen_open(s);
		spool_stats(s->sp, &stats);
		ck_assert_uint_eq(stats.damaged, 0);
		whole = 0;
		for (unsigned i = 1; i <= MESSAGES; i++)
			whole += s->place[i].offset + SEGMENT_HEADER +
			    s->place[i].length <= len && s->live[i];
		ck_assert_uint_eq(seen_live(s), whole);
		for (unsigned i = 1; i + 1 <= MESSAGES; i++)
			ck_assert(s->live[i] || !s->live[i + 1]);
		seen_close(s);
	}
	ck_assert_uint_eq(seen_live(s), MESSAGES);
	free(mem);
	seen_open(s);
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
		seen_write(s, number, mem, n);
		mem[at] = was;
		seen_open(s);
		spool_stats(s->sp, &stats);
		ck_assert_msg(seen_live(s) >= MESSAGES - 1, "at %zu", at);
		ck_assert_msg(stats.damaged > 0 || seen_live(s) == MESSAGES,
		    "at %zu: not seen", at);
		seen_close(s);
	}
	free(mem);
	seen_open(s);
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
	seen_write(s, number, mem, n);
	seen_open(s);
	ck_assert_uint_eq(seen_live(s), MESSAGES - 1);
	for (unsigned i = 1; i <= MESSAGES; i++)
		if (i != 2)
			spool_hold(s->sp, s->place[i].segment);
	for (unsigned i = 1; i <= MESSAGES; i++)
		if (i != 2)
			seen_end(s, i);
	seen_run(s, 0, 2500);
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

	seen_open(s);
	buf_init(&b, 65536);
	ck_assert_int_eq(spool_read(s->sp, s->place[3], &b, &payload, &f), 0);
	mem[s->place[3].offset + SEGMENT_HEADER + 100] ^= 1;
	seen_write(s, number, mem, n);
	ck_assert_int_eq(spool_read(s->sp, s->place[3], &b, &payload, &f), -1);
	ck_assert_int_eq(spool_read(s->sp, s->place[4], &b, &payload, &f), 0);
	buf_free(&b);
	free(mem);
	seen_free(s);
}
END_TEST

/* ---- what a power cut leaves of things that were not synced ---- */

/* 1 and 2 are durable; then the end of 1, message 3 of which bytes are missing,
 * and the end of 2, behind them. */
static struct seen *
with_torn(void)
{
	struct seen *s = seen_new();
	uint64_t number;
	size_t n;
	char *mem;

	ck_assert_int_eq(seen_commit(s, 1), 0);
	ck_assert_int_eq(seen_commit(s, 2), 0);
	seen_run(s, 2, 5000);
	seen_end(s, 1);
	seen_state(s, 3, 2000);
	number = s->place[3].segment;
	seen_end(s, 2);
	seen_crash(s);
	mem = seen_read(s, number, &n);
	memset(mem + s->place[3].offset, 0, 512);
	seen_write(s, number, mem, n);
	free(mem);
	return s;
}

/* What sums up does not count behind it; nor at the next start, when all this
 * is durable; and it never looks like damage. */
START_TEST(torn_stays_torn)
{
	struct seen *s = with_torn();
	struct spool_stats stats;

	for (unsigned i = 4; i <= 6; i++) {
		seen_open(s);
		spool_stats(s->sp, &stats);
		ck_assert_uint_eq(stats.damaged, 0);
		ck_assert_uint_eq(stats.torn, i == 4 ? 1 : 0);
		ck_assert(!s->live[1] && s->live[2] && !s->live[3]);
		for (unsigned n = 1; n < i; n++)
			if (s->live[n])
				ck_assert(spool_hold(s->sp,
				    s->place[n].segment));
		s->good = s->bad = 0;
		ck_assert_int_eq(seen_commit(s, i), 0);
		seen_run(s, 1, 5000);
		seen_close(s);
	}
	seen_open(s);
	ck_assert_uint_eq(seen_live(s), 4);
	seen_free(s);
}
END_TEST

/* Three segments: message 1 and the salt; message 2; message 3 and the end
 * of 1, neither of these synced. */
static struct seen *
three_segments(uint64_t *second)
{
	struct seen *s = seen_new_sized(8192);

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	seen_state(s, 2, 4000);
	*second = s->place[2].segment;
	seen_state(s, 3, 3800);
	ck_assert_uint_eq(s->place[3].segment, *second + 1);
	seen_end(s, 1);
	seen_crash(s);
	return s;
}

static void
one_is_live(struct seen *s)
{
	struct spool_stats stats;

	for (int i = 0; i < 2; i++) {
		seen_open(s);
		spool_stats(s->sp, &stats);
		ck_assert_uint_eq(stats.damaged, 0);
		ck_assert(s->live[1]);
		ck_assert(s->live[3]);
		spool_hold(s->sp, s->place[1].segment);
		spool_hold(s->sp, s->place[3].segment);
		if (i == 0) {
			s->good = s->bad = 0;
			ck_assert_int_eq(seen_commit(s, 4), 0);
			seen_run(s, 1, 5000);
		}
		seen_close(s);
	}
	seen_open(s);
	seen_free(s);
}

/* The second one has not got its name: what it held, a bounce perhaps, is not
 * there, so the end in the third must not count. */
START_TEST(a_segment_without_a_name)
{
	char path[128];
	uint64_t second;
	struct seen *s = three_segments(&second);

	seen_path(s, second, path);
	ck_assert_int_eq(unlink(path), 0);
	one_is_live(s);
}
END_TEST

/* The same, and the third has not got its head, which would say so. */
START_TEST(a_segment_without_a_head)
{
	char path[128], *mem;
	uint64_t second;
	struct seen *s = three_segments(&second);
	size_t n;

	seen_path(s, second, path);
	ck_assert_int_eq(unlink(path), 0);
	mem = seen_read(s, second + 1, &n);
	memset(mem, 0, SEGMENT_FIRST);
	seen_write(s, second + 1, mem, n);
	free(mem);
	one_is_live(s);
}
END_TEST

/* Nothing is durable yet but the head of the first segment: without it the
 * bytes of a message that nobody was promised would look like a lost spool. */
START_TEST(the_first_head_is_durable_first)
{
	struct seen *s = seen_new();

	disk.slow_ms = 100;
	ck_assert_int_eq(seen_commit(s, 1), 0);
	ck_assert_int_eq(disk.syncs, 1);	/* the message's takes longer */
	seen_run(s, 1, 5000);
	ck_assert_int_eq(disk.syncs, 2);
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
		ck_assert_int_eq(seen_commit(s, n), 0);
	seen_run(s, 5, 5000);
	seen_end(s, 2);
	ck_assert_int_eq(spool_checkpoint_begin(s->sp), 0);
	for (unsigned n = 1; n <= 5; n++) {
		if (n == 2)
			continue;
		buf_init(&head, 4096);
		seen_head(n, 200, &head);
		ck_assert_int_eq(spool_checkpoint_add(s->sp, s->place[n],
		    buf_get(&head)), 0);
		buf_free(&head);
	}
	spool_checkpoint_end(s->sp);
	checkpoint_path(s, path);
	ck_assert_int_eq(access(path, F_OK), -1);	/* the END of 2 */
	for (int i = 0; i < 300 && access(path, F_OK) == -1; i++)
		seen_run(s, 0, 10);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(seen_commit(s, 6), 0);
	seen_run(s, 6, 5000);
	seen_end(s, 3);
	seen_crash(s);
	return s;
}

static void
four_live(struct seen *s)
{
	seen_open(s);
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
		seen_close(s);
	}
	free(mem);
	seen_open(s);
	seen_free(s);
}
END_TEST

/* Segments that the checkpoint names are gone: their messages ended, and the
 * numbers do not come again. */
START_TEST(segments_that_are_gone)
{
	struct seen *s = with_checkpoint();
	char path[128];

	seen_path(s, s->place[1].segment, path);
	ck_assert_int_eq(unlink(path), 0);
	seen_open(s);
	ck_assert(!spool_hold(s->sp, s->place[1].segment));
	ck_assert_int_eq(seen_commit(s, 7), 0);
	ck_assert_uint_gt(s->place[7].segment, s->place[1].segment);
	seen_run(s, 7, 5000);
	seen_free(s);
}
END_TEST

/* A sync failed and its segment lost bytes, which the VOID in the next one says;
 * a checkpoint begins behind that VOID and is all that is read. */
START_TEST(a_void_before_the_checkpoint)
{
	struct seen *s = seen_new();
	struct spool_stats stats;
	char path[128];
	struct buf head;
	uint64_t lost;

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	lost = s->place[1].segment;
	disk.fail_syncs = 1;
	ck_assert_int_eq(seen_commit(s, 2), 0);
	seen_run(s, 2, 5000);
	ck_assert_uint_eq(s->bad, 1);
	seen_run(s, 0, 1200);			/* sick so long */
	ck_assert_int_eq(seen_commit(s, 3), 0);
	seen_run(s, 3, 5000);
	ck_assert_uint_eq(s->place[3].segment, lost + 1);
	ck_assert_int_eq(spool_checkpoint_begin(s->sp), 0);
	for (unsigned n = 1; n <= 3; n += 2) {
		buf_init(&head, 4096);
		seen_head(n, 200, &head);
		ck_assert_int_eq(spool_checkpoint_add(s->sp, s->place[n],
		    buf_get(&head)), 0);
		buf_free(&head);
	}
	spool_checkpoint_end(s->sp);
	checkpoint_path(s, path);
	for (int i = 0; i < 300 && access(path, F_OK) == -1; i++)
		seen_run(s, 0, 10);
	ck_assert_int_eq(access(path, F_OK), 0);
	seen_crash(s);
	seen_path(s, lost, path);
	ck_assert_int_eq(truncate(path, s->place[1].offset + SEGMENT_HEADER +
	    s->place[1].length), 0);
	seen_open(s);
	spool_stats(s->sp, &stats);
	ck_assert_uint_eq(stats.damaged, 0);
	ck_assert(s->live[1] && !s->live[2] && s->live[3]);
	seen_free(s);
}
END_TEST

START_TEST(a_failed_sync_abandons_a_checkpoint)
{
	struct seen *s = seen_new();
	char path[128];

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	ck_assert_int_eq(spool_checkpoint_begin(s->sp), 0);
	ck_assert(spool_checkpoint_ready(s->sp));
	disk.fail_syncs = 1;
	ck_assert_int_eq(seen_commit(s, 2), 0);
	seen_run(s, 2, 5000);
	ck_assert(!spool_checkpoint_ready(s->sp));
	ck_assert(!spool_checkpoint_due(s->sp));
	spool_checkpoint_end(s->sp);
	seen_run(s, 0, 50);
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

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	seen_close(s);
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
	seen_open(s);
	ck_assert(s->live[1]);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_int_eq(spool_file_open(s->sp, SPAN_LIT("abcdefghijklmnop"),
	    0, NULL), -1);
	ck_assert_int_eq(seen_commit(s, 2), 0);	/* past their numbers */
	ck_assert_uint_gt(s->place[2].segment, 7);
	seen_run(s, 2, 5000);
	seen_free(s);
}
END_TEST

START_TEST(one_process_at_a_time)
{
	struct seen *s = seen_new(), other = { .loop = NULL };
	struct fault f = { 0 };

	other.loop = loop_new();
	ck_assert_ptr_null(spool_open(other.loop, s->dir, NULL, &seen_ops, &other,
	    &f));
	ck_assert_ptr_nonnull(strstr(f.text, "another process"));
	loop_free(&other.loop);
	seen_free(s);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue damage");
	TCase *t = tcase_create("damage");

	tcase_set_timeout(t, 25);
	tcase_add_test(t, every_prefix_replays);
	tcase_add_test(t, changed_bytes_are_damage);
	tcase_add_test(t, a_damaged_segment_is_kept_for_the_operator);
	tcase_add_test(t, a_read_checks_what_it_reads);
	tcase_add_test(t, torn_stays_torn);
	tcase_add_test(t, a_segment_without_a_name);
	tcase_add_test(t, a_segment_without_a_head);
	tcase_add_test(t, the_first_head_is_durable_first);
	tcase_add_test(t, a_checkpoint_spares_the_log);
	tcase_add_test(t, a_void_before_the_checkpoint);
	tcase_add_test(t, a_bad_checkpoint_is_not_believed);
	tcase_add_test(t, segments_that_are_gone);
	tcase_add_test(t, a_failed_sync_abandons_a_checkpoint);
	tcase_add_test(t, planted_files_are_refused);
	tcase_add_test(t, one_process_at_a_time);
	suite_add_tcase(s, t);
	return suite_run(s);
}
