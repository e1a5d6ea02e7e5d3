/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/verify_cache.c - which recipients exist: what is remembered,
 * for how long, and its file. */
#include "queue/verify_cache.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/suite.h"

#define DAY	86400000ll
#define HOUR	3600000ll
#define NOW	(3 * HOUR)	/* up for less than what is remembered */
#define WALL	1767323045000u

static const struct span joe = { "joe@dest.example", 16 };

static const struct {
	enum verdict	verdict;
	int64_t		age;
	enum verify_age	want;
} ages[] = {
	{ VERDICT_HIT, 0, VERIFY_GOOD },
	{ VERDICT_HIT, 6 * DAY - 1, VERIFY_GOOD },
	{ VERDICT_HIT, 6 * DAY, VERIFY_OLD },
	{ VERDICT_HIT, 7 * DAY - 1, VERIFY_OLD },
	{ VERDICT_HIT, 7 * DAY, VERIFY_STALE },
	{ VERDICT_HIT, 31 * DAY - 1, VERIFY_STALE },
	{ VERDICT_HIT, 31 * DAY, VERIFY_GONE },
	{ VERDICT_MISS, HOUR - 1, VERIFY_GOOD },
	{ VERDICT_MISS, HOUR, VERIFY_GONE },
	{ VERDICT_UNCLEAR, 29999, VERIFY_GOOD },
	{ VERDICT_UNCLEAR, 30000, VERIFY_GONE },
};

START_TEST(cache_ages)
{
	struct verify_cache c;
	struct verify_entry *e;

	verify_cache_init(&c, 10);
	e = verify_cache_set(&c, joe, 1, ages[_i].verdict, SPAN_LIT("5.1.1"),
	    NOW - ages[_i].age);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(verify_age(e, NOW), ages[_i].want);
	ck_assert_ptr_eq(verify_cache_ask(&c, joe, 1), e);
	/* Another next hop was not asked. */
	ck_assert_ptr_null(verify_cache_ask(&c, joe, 2));
	ck_assert_ptr_null(verify_cache_ask(&c, joe, 1));
	verify_cache_free(&c);
}
END_TEST

static struct span
name(unsigned i)
{
	static char text[64];

	return span_of(text, (size_t)snprintf(text, sizeof(text),
	    "n%u@dest.example", i));
}

/* Who guesses does not drive out whom others write to. */
START_TEST(cache_flood)
{
	struct verify_cache c;
	unsigned i;

	verify_cache_init(&c, 1000);
	for (i = 0; i < 700; i++)
		(void)verify_cache_set(&c, name(i), 1, VERDICT_HIT,
		    SPAN_LIT("2.1.5"), NOW);
	for (i = 0; i < 700; i++)
		ck_assert_ptr_nonnull(verify_cache_ask(&c, name(i), 1));
	for (i = 1000; i < 20000; i++)
		(void)verify_cache_set(&c, name(i), 1, VERDICT_MISS,
		    SPAN_LIT("5.1.1"), NOW);
	ck_assert_uint_eq(c.table.n, 1000);
	ck_assert_uint_eq(c.nproven, 700);
	for (i = 0; i < 700; i++)
		ck_assert_ptr_nonnull(verify_cache_ask(&c, name(i), 1));
	ck_assert_ptr_null(verify_cache_ask(&c, name(1000), 1));
	ck_assert_ptr_nonnull(verify_cache_ask(&c, name(19999), 1));
	/* And what is proven makes room for the proven, too. */
	for (i = 20000; i < 22000; i++) {
		(void)verify_cache_set(&c, name(i), 1, VERDICT_HIT,
		    SPAN_LIT("2.1.5"), NOW);
		(void)verify_cache_ask(&c, name(i), 1);
	}
	ck_assert_uint_eq(c.table.n, 1000);
	verify_cache_forget_misses(&c);
	for (i = 21500; i < 22000; i++)
		ck_assert_ptr_nonnull(verify_cache_ask(&c, name(i), 1));
	ck_assert_ptr_null(verify_cache_ask(&c, name(19999), 1));
	verify_cache_free(&c);
}
END_TEST

static void
fill(struct verify_cache *c, struct buf *file)
{
	verify_cache_init(c, 100);
	(void)verify_cache_set(c, joe, 7, VERDICT_HIT, SPAN_LIT("2.1.5"),
	    NOW - 2 * DAY);
	(void)verify_cache_ask(c, joe, 7);
	(void)verify_cache_set(c, SPAN_LIT("\"a b\"@dest.example"), 0xffffffff,
	    VERDICT_MISS, SPAN_NONE, NOW - HOUR / 2);
	(void)verify_cache_set(c, SPAN_LIT("grey@dest.example"), 7,
	    VERDICT_UNCLEAR, SPAN_LIT("4.2.0"), NOW);
	(void)verify_cache_set(c, SPAN_LIT("old@dest.example"), 7,
	    VERDICT_HIT, SPAN_LIT("2.1.5"), NOW - 40 * DAY);
	buf_init(file, 1 << 20);
	ck_assert_int_eq(verify_cache_put(c, NOW, WALL, file), 0);
}

START_TEST(cache_file)
{
	struct verify_cache c, d;
	struct verify_entry *e;
	struct buf file;

	fill(&c, &file);
	verify_cache_init(&d, 100);
	/* A minute later, after a restart of the machine. */
	ck_assert_int_eq(verify_cache_take(&d, buf_get(&file), 5000,
	    WALL + 60000), 0);
	ck_assert_uint_eq(d.table.n, 2);
	ck_assert_uint_eq(d.nproven, 1);
	e = verify_cache_ask(&d, joe, 7);
	ck_assert_ptr_nonnull(e);
	ck_assert_str_eq(e->dsn, "2.1.5");
	ck_assert_int_eq((5000 - e->at + 500) / 1000, 2 * DAY / 1000 + 60);
	e = verify_cache_ask(&d, SPAN_LIT("\"a b\"@dest.example"), 0xffffffff);
	ck_assert_ptr_nonnull(e);
	ck_assert_str_eq(e->dsn, "");
	ck_assert_int_eq(e->verdict, VERDICT_MISS);
	verify_cache_free(&d);
	/* The clock was set back by a year: hits are asked again before they
	 * are believed, misses at once. */
	verify_cache_init(&d, 100);
	ck_assert_int_eq(verify_cache_take(&d, buf_get(&file), 5000,
	    WALL - 365u * 86400000u), 0);
	ck_assert_int_eq(verify_age(verify_cache_ask(&d, joe, 7), 5000),
	    VERIFY_STALE);
	ck_assert_int_eq(verify_age(verify_cache_ask(&d,
	    SPAN_LIT("\"a b\"@dest.example"), 0xffffffff), 5000), VERIFY_GONE);
	verify_cache_free(&d);
	verify_cache_free(&c);
	buf_free(&file);
}
END_TEST

/* Whatever became of the file: it is read as it was written, or not at all. */
START_TEST(cache_file_damaged)
{
	struct verify_cache c, d;
	struct buf file;
	char *copy;
	size_t n;

	fill(&c, &file);
	n = file.len;
	copy = malloc(n);
	ck_assert_ptr_nonnull(copy);
	verify_cache_init(&d, 100);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(verify_cache_take(&d, span_of(
		    buf_get(&file).p, i), NOW, WALL), -1);
		memcpy(copy, buf_get(&file).p, n);
		copy[i] ^= 0x04;
		ck_assert_int_eq(verify_cache_take(&d, span_of(copy, n), NOW,
		    WALL), -1);
		ck_assert_uint_eq(d.table.n, 0);
	}
	free(copy);
	verify_cache_free(&d);
	verify_cache_free(&c);
	buf_free(&file);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue verify: what is remembered");
	TCase *tc = tcase_create("cache");

	tcase_add_loop_test(tc, cache_ages, 0, NELEM(ages));
	tcase_add_test(tc, cache_flood);
	tcase_add_test(tc, cache_file);
	tcase_add_test(tc, cache_file_damaged);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
