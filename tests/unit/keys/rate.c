/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* rate.c - how many RSA signatures there are in a second. */
#include "keys/rate.h"
#include "tests/unit/suite.h"

static unsigned
take(struct rate *r, uint64_t now, unsigned bits, unsigned tries)
{
	unsigned n = 0;

	while (tries-- > 0)
		n += rate_take(r, now, bits);
	return n;
}

static const struct row {
	unsigned	bits, at_once, later;	/* and 100 ms later */
} rows[] = {
	{ 2048, RATE_RSA_A_SECOND, RATE_RSA_A_SECOND / 10 },
	{ 1024, RATE_RSA_A_SECOND * 8, RATE_RSA_A_SECOND * 8 / 10 },
	{ 4096, RATE_RSA_A_SECOND / 8, RATE_RSA_A_SECOND / 10 / 8 },
	{ 8192, RATE_RSA_A_SECOND / 64, 0 },
	/* More than a second is worth: once, and again in a second. */
	{ 16384, 1, 0 },
	{ 4294967295u, 1, 0 },
};

START_TEST(costs)
{
	const struct row *w = &rows[_i];
	struct rate r;
	unsigned n;

	rate_init(&r, 5000);
	n = take(&r, 5000, w->bits, 10000);
	ck_assert_msg(n == w->at_once, "%u bits: %u at once", w->bits, n);
	n = take(&r, 5100, w->bits, 10000);
	ck_assert_msg(n >= w->later && n <= w->later + 1, "%u bits: %u later",
	    w->bits, n);
	/* However long it was quiet, no more than a second's worth. */
	n = take(&r, 5100 + 3600 * 1000, w->bits, 10000);
	ck_assert_uint_eq(n, w->at_once);
}
END_TEST

START_TEST(clock_that_stands_still)
{
	struct rate r;

	rate_init(&r, 5000);
	ck_assert_uint_eq(take(&r, 4000, 2048, 10000), RATE_RSA_A_SECOND);
	ck_assert_uint_eq(take(&r, 0, 2048, 10), 0);
	ck_assert_uint_eq(take(&r, UINT64_MAX, 2048, 10000),
	    RATE_RSA_A_SECOND);
}
END_TEST

START_TEST(said_once_a_second)
{
	struct rate r;

	rate_init(&r, 5000);
	ck_assert_uint_eq(rate_report(&r, 5000), 0);
	take(&r, 5000, 2048, RATE_RSA_A_SECOND + 7);
	ck_assert_uint_eq(rate_report(&r, 5000), 7);
	ck_assert_uint_eq(rate_report(&r, 5001), 0);
	take(&r, 5001, 16384, 2);
	ck_assert_uint_eq(rate_report(&r, 5999), 0);
	ck_assert_uint_eq(rate_report(&r, 6000), 2);
	ck_assert_uint_eq(rate_report(&r, 9000), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("keys/rate");
	TCase *tc = tcase_create("rate");

	tcase_add_loop_test(tc, costs, 0, NELEM(rows));
	tcase_add_test(tc, clock_that_stands_still);
	tcase_add_test(tc, said_once_a_second);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
