/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/spool.c - the spool on a real directory: group commit with a
 * disk that fails when told to, full disks, the end of old segments. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "seen.h"
#include "tests/unit/suite.h"

/* ---- group commit ---- */

START_TEST(commits_are_durable_and_in_order)
{
	struct seen *s = seen_new();

	for (unsigned n = 1; n <= MESSAGES; n++)
		ck_assert_int_eq(seen_commit(s, n), 0);
	ck_assert_uint_eq(s->good, 0);		/* nobody before a sync */
	seen_run(s, MESSAGES, 5000);
	ck_assert_uint_eq(s->good, MESSAGES);
	for (unsigned i = 0; i < MESSAGES; i++)
		ck_assert_uint_eq(s->order[i], i + 1);
	seen_crash(s);
	seen_open(s);
	ck_assert_uint_eq(seen_live(s), MESSAGES);
	seen_free(s);
}
END_TEST

START_TEST(one_sync_covers_what_came_while_another_ran)
{
	struct seen *s = seen_new();

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	disk.slow_ms = 50;
	disk.syncs = 0;
	for (unsigned n = 2; n <= MESSAGES; n++)
		ck_assert_int_eq(seen_commit(s, n), 0);
	seen_run(s, MESSAGES, 5000);
	ck_assert_int_eq(disk.syncs, 2);
	seen_free(s);
}
END_TEST

START_TEST(a_failed_sync_acknowledges_nobody)
{
	struct seen *s = seen_new();

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	seen_end(s, 1);
	ck_assert_uint_eq(s->written, 1);
	disk.fail_syncs = 1;
	for (unsigned n = 2; n <= 5; n++)
		ck_assert_int_eq(seen_commit(s, n), 0);
	seen_run(s, 5, 5000);
	ck_assert_uint_eq(s->good, 1);
	ck_assert_uint_eq(s->bad, 4);
	ck_assert_int_eq(s->code, 451);
	/* For a moment nothing is taken, then all goes on in a new file. */
	ck_assert_int_eq(seen_commit(s, 6), -1);
	ck_assert_int_eq(s->code, 451);
	seen_run(s, 0, 1200);
	ck_assert_int_eq(seen_commit(s, 7), 0);
	seen_run(s, 6, 5000);
	ck_assert_uint_eq(s->good, 2);
	seen_crash(s);
	seen_open(s);
	/* What was refused is not there, nor what had ended. */
	ck_assert_uint_eq(seen_live(s), 1);
	ck_assert(s->live[7]);
	seen_free(s);
}
END_TEST

/* The state was written to a file whose sync failed; a crash right after it
 * was written to the next one must find it. */
START_TEST(states_move_to_a_new_segment)
{
	struct seen *s = seen_new();
	uint64_t first;

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	disk.fail_syncs = 1;
	seen_state(s, 3, 1);
	first = s->place[3].segment;
	ck_assert_uint_eq(s->placed, 1);
	seen_run(s, 0, 1500);
	ck_assert_uint_eq(s->placed, 2);
	ck_assert_uint_gt(s->place[3].segment, first);
	seen_crash(s);
	seen_open(s);
	ck_assert(s->live[3]);
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

	ck_assert_int_eq(seen_commit(s, 1), 0);
	disk.write_errno = write_rows[_i].error;
	disk.fail_writes = 1;
	ck_assert_int_eq(seen_commit(s, 2), -1);
	ck_assert_msg(s->code == write_rows[_i].code, "%s: %d",
	    write_rows[_i].name, s->code);
	ck_assert_int_eq(seen_commit(s, 3), 0);
	seen_run(s, 2, 5000);
	ck_assert_uint_eq(s->good, 2);
	seen_crash(s);
	seen_open(s);
	ck_assert(s->live[1] && !s->live[2] && s->live[3]);
	seen_free(s);
}
END_TEST

START_TEST(a_state_waits_for_the_disk)
{
	struct seen *s = seen_new();

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	disk.write_errno = ENOSPC;
	disk.fail_writes = 2;			/* the spare is no help either */
	seen_end(s, 1);
	ck_assert_uint_eq(s->written, 0);	/* not acknowledged */
	seen_run(s, 0, 1300);
	ck_assert_uint_eq(s->written, 1);
	seen_crash(s);
	seen_open(s);
	ck_assert_uint_eq(seen_live(s), 0);
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

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	ck_assert(spare_there(s));
	disk.write_errno = ENOSPC;
	disk.fail_writes = 1;
	seen_end(s, 1);
	ck_assert_uint_eq(s->written, 1);
	ck_assert(!spare_there(s));
	disk.blocks = 2 * 262144;
	disk.avail = 0;
	ck_assert(spool_full(s->sp));
	ck_assert(!spare_there(s));		/* not from the reserve */
	disk.avail = 262144;
	ck_assert(!spool_full(s->sp));
	ck_assert(spare_there(s));
	seen_crash(s);
	seen_open(s);
	ck_assert_uint_eq(seen_live(s), 0);
	seen_free(s);
}
END_TEST

START_TEST(a_state_is_synced_within_a_second_or_so)
{
	struct seen *s = seen_new();
	int before;

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	seen_end(s, 1);
	before = disk.syncs;
	seen_run(s, 0, 1500);
	ck_assert_int_gt(disk.syncs, before);
	seen_free(s);
}
END_TEST

START_TEST(dead_segments_go)
{
	struct spool_stats stats;
	struct seen *s = seen_new();

	ck_assert_int_eq(seen_commit(s, 1), 0);
	ck_assert_int_eq(seen_commit(s, 2), 0);
	seen_run(s, 2, 5000);
	seen_end(s, 1);
	seen_close(s);
	seen_open(s);
	spool_hold(s->sp, s->place[2].segment);
	seen_end(s, 2);
	seen_run(s, 0, 2500);
	spool_stats(s->sp, &stats);
	ck_assert_uint_eq(stats.segments, 1);	/* the one that is written */
	seen_close(s);
	seen_open(s);
	ck_assert_uint_eq(seen_live(s), 0);
	seen_free(s);
}
END_TEST

/* What could not be removed goes first when it can: newer segments have the
 * ends of its messages. */
START_TEST(dead_segments_go_in_order)
{
	struct seen *s = seen_new_sized(8192);
	struct spool_stats stats;
	uint64_t first;

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	first = s->place[1].segment;
	disk.fail_unlinks = 1;
	seen_state(s, 2, 4000);		/* the next segment */
	seen_end(s, 1);
	seen_state(s, 3, 4000);		/* and one more */
	seen_end(s, 2);
	for (int i = 0; i < 60 && disk.fail_unlinks > 0; i++)
		seen_run(s, 0, 100);
	ck_assert_int_eq(disk.fail_unlinks, 0);
	spool_stats(s->sp, &stats);
	ck_assert_uint_eq(stats.oldest, first);
	for (int i = 0; i < 60 && stats.oldest == first; i++) {
		seen_run(s, 0, 100);
		spool_stats(s->sp, &stats);
	}
	seen_crash(s);
	seen_open(s);
	ck_assert_uint_eq(seen_live(s), 1);
	ck_assert(s->live[3]);
	seen_free(s);
}
END_TEST

/* What was read counts as durable from then on; a start that cannot say so
 * ends. */
START_TEST(a_start_needs_a_sync)
{
	struct seen *s = seen_new();
	struct fault f = { 0 };

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	seen_close(s);
	s->loop = loop_new();
	disk.fail_syncs = 1;
	ck_assert_ptr_null(seen_try(s, &f));
	ck_assert_ptr_nonnull(strstr(f.text, "sync"));
	loop_free(&s->loop);
	seen_open(s);
	ck_assert(s->live[1]);
	seen_free(s);
}
END_TEST

#define GIB	(1024ul * 1024 * 1024 / 4096)

/* A process that was killed a moment ago still has the lock. */
START_TEST(a_start_waits_for_the_one_before)
{
	struct seen *s = seen_new();
	char ready = 0;
	int up[2], fd;
	pid_t pid;

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	seen_close(s);
	ck_assert_int_eq(pipe(up), 0);
	pid = fork();
	if (pid == 0) {
		fd = open(s->dir, O_RDONLY | O_DIRECTORY);
		ready = flock(fd, LOCK_EX) == 0;
		(void)!write(up[1], &ready, 1);
		usleep(400 * 1000);
		_exit(0);
	}
	ck_assert_int_eq(read(up[0], &ready, 1), 1);
	ck_assert(ready);
	fd = open(s->dir, O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
	close(fd);
	seen_open(s);
	ck_assert(s->live[1]);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(up[0]);
	close(up[1]);
	seen_free(s);
}
END_TEST

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

int
main(void)
{
	Suite *s = suite_create("queue spool");
	TCase *t = tcase_create("spool");

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
	tcase_add_test(t, dead_segments_go_in_order);
	tcase_add_test(t, a_start_needs_a_sync);
	tcase_add_test(t, a_start_waits_for_the_one_before);
	tcase_add_loop_test(t, the_reserve, 0,
	    (int)(sizeof(space_rows) / sizeof(space_rows[0])));
	suite_add_tcase(s, t);
	return suite_run(s);
}
