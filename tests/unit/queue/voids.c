/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/voids.c - a sync failed: what its segment held is written
 * elsewhere, a VOID says that the rest of it does not count, and what becomes
 * of the bytes is nobody's loss and no damage. */
#include <errno.h>
#include <stdlib.h>

#include "seen.h"
#include "tests/unit/suite.h"

#define EVER	1000000

/* 1 is durable; 2 was refused, or is a state, when the sync failed. */
static struct seen *
with_failed_sync(void)
{
	struct seen *s = seen_new();

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	disk.fail_syncs = 1;
	ck_assert_int_eq(seen_commit(s, 2), 0);
	seen_run(s, 2, 5000);
	ck_assert_uint_eq(s->bad, 1);
	return s;
}

static void
spoil(const struct seen *s, uint64_t number, uint32_t offset, size_t n,
    const char *bytes)
{
	size_t size;
	char *mem = seen_read(s, number, &size);

	ck_assert_uint_le(offset + n, size);
	if (bytes != NULL)
		memcpy(mem + offset, bytes, n);
	else
		memset(mem + offset, 0, n);
	seen_write(s, number, mem, size);
	free(mem);
}

static void
no_damage(struct seen *s)
{
	struct spool_stats stats;

	seen_open(s);
	spool_stats(s->sp, &stats);
	ck_assert_uint_eq(stats.damaged, 0);
}

/* 1 is durable, 2 is a state whose sync failed, and then the disk is full. */
static struct seen *
with_full_disk(void)
{
	struct seen *s = seen_new();

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	disk.write_errno = ENOSPC;
	disk.fail_syncs = 1;
	seen_state(s, 2, 300);
	disk.fail_writes = EVER;
	for (int i = 0; i < 500 && disk.fail_syncs > 0; i++)
		seen_run(s, 0, 10);
	ck_assert_int_eq(disk.fail_syncs, 0);
	return s;
}

/* A moment at which a write succeeds, and none of a state before it. */
static void
commit_alone(struct seen *s, unsigned n)
{
	int rc = -1;

	for (int i = 0; i < 500 && rc == -1; i++) {
		disk.fail_writes = 0;
		rc = seen_commit(s, n);
		disk.fail_writes = EVER;
		seen_run(s, 0, 10);
	}
	ck_assert_int_eq(rc, 0);
}

/* After it nothing but commits finds room, so the VOID is in no file yet. */
START_TEST(nothing_is_promised_before_the_void)
{
	struct seen *s = with_full_disk();
	struct place lost = s->place[2];

	commit_alone(s, 3);
	seen_run(s, 2, 5000);
	commit_alone(s, 4);			/* says what is durable */
	seen_run(s, 3, 5000);
	ck_assert_uint_eq(s->good, 3);
	seen_crash(s);
	disk.fail_writes = 0;
	spoil(s, lost.segment, lost.offset, 300, NULL);
	no_damage(s);
	ck_assert(s->live[1] && s->live[3] && s->live[4]);
	seen_free(s);
}
END_TEST

/* The same, but then there is room: what is durable is said again. */
START_TEST(with_the_void_it_goes_on)
{
	struct seen *s = with_full_disk();
	struct spool_stats stats;

	commit_alone(s, 3);
	seen_run(s, 2, 5000);
	disk.fail_writes = 0;
	seen_run(s, 0, 2500);
	ck_assert_int_eq(seen_commit(s, 4), 0);
	seen_run(s, 3, 5000);
	seen_crash(s);
	spoil(s, s->place[3].segment, s->place[3].offset + SEGMENT_HEADER, 100,
	    NULL);
	seen_open(s);
	spool_stats(s->sp, &stats);
	ck_assert_uint_eq(stats.damaged, 1);
	ck_assert(s->live[1] && s->live[2] && !s->live[3] && s->live[4]);
	seen_free(s);
}
END_TEST

/* The last sync of an orderly end fails, and the disk has lost what it was for:
 * the state is in another segment, and there is a VOID. */
START_TEST(an_end_with_a_failed_sync)
{
	struct seen *s = seen_new();
	struct place lost;

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	seen_state(s, 2, 300);
	lost = s->place[2];
	disk.fail_syncs = 1;
	seen_close(s);
	ck_assert_int_eq(disk.fail_syncs, 0);
	spoil(s, lost.segment, lost.offset, 300, NULL);
	no_damage(s);
	ck_assert(s->live[1] && s->live[2]);
	seen_free(s);
}
END_TEST

/* Changed bytes must not make it say that 1, which was promised, is void. */
START_TEST(a_void_with_a_wrong_sum)
{
	static const char first[4] = { SEGMENT_FIRST & 0xff,
	    SEGMENT_FIRST >> 8 };
	struct seen *s = with_failed_sync();
	uint64_t next = s->place[1].segment + 1;

	seen_crash(s);
	/* Behind the number of the segment stands the offset. */
	spoil(s, next, SEGMENT_FIRST + SEGMENT_HEADER + 8, sizeof(first),
	    first);
	seen_open(s);
	ck_assert(s->live[1]);
	seen_free(s);
}
END_TEST

/* A segment that was given up and could not be removed may lack its head. */
START_TEST(a_void_segment_without_a_head)
{
	struct seen *s = seen_new_sized(8192);
	uint64_t second;

	ck_assert_int_eq(seen_commit(s, 1), 0);
	seen_run(s, 1, 5000);
	seen_state(s, 2, 4000);
	second = s->place[2].segment;
	ck_assert_uint_eq(second, s->place[1].segment + 1);
	disk.fail_syncs = 2;
	disk.fail_unlinks = 1;
	seen_run(s, 0, 2500);
	ck_assert_int_eq(disk.fail_unlinks, 0);
	ck_assert_uint_gt(s->place[2].segment, second);
	for (unsigned n = 3; n <= 4; n++) {
		ck_assert_int_eq(seen_commit(s, n), 0);
		seen_run(s, n - 1, 5000);
	}
	seen_crash(s);
	spoil(s, second, 0, SEGMENT_FIRST, NULL);
	no_damage(s);
	for (unsigned n = 1; n <= 4; n++)
		ck_assert(s->live[n]);
	seen_free(s);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue voids");
	TCase *t = tcase_create("voids");

	tcase_set_timeout(t, 25);
	tcase_add_test(t, nothing_is_promised_before_the_void);
	tcase_add_test(t, with_the_void_it_goes_on);
	tcase_add_test(t, an_end_with_a_failed_sync);
	tcase_add_test(t, a_void_with_a_wrong_sum);
	tcase_add_test(t, a_void_segment_without_a_head);
	suite_add_tcase(s, t);
	return suite_run(s);
}
