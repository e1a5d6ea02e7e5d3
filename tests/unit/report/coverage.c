/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include <check.h>

#include "report/report.h"
#include "tests/unit/suite.h"

static const struct {
	uint64_t	 clear, encrypted, verified, sts, dane, none;
	int		 share;			/* tenths of a percent */
	uint32_t	 not_below, below;	/* thousandths of a percent */
} shares[] = {
	{ 0, 0, 0, 0, 0, 0,	-1,	100000, 0 },
	{ 0, 0, 0, 0, 0, 9,	-1,	100000, 0 },	/* discarded only */
	{ 1, 0, 0, 0, 0, 0,	0,	0, 1 },
	{ 0, 1, 0, 0, 0, 0,	1000,	100000, 0 },
	{ 0, 0, 1, 1, 1, 0,	1000,	100000, 0 },
	{ 1, 1, 0, 0, 0, 5,	500,	50000, 50001 },
	{ 1, 0, 0, 0, 2, 0,	666,	66666, 66667 },
	/* one in a million in clear is not "100.0 %" */
	{ 1, 999999, 0, 0, 0, 0, 999,	99999, 100000 },
	/* no overflow; rounded down once more for it */
	{ UINT64_MAX / 4, UINT64_MAX / 4, 0, 0, 0, 0, 499, 49999, 50002 },
};

START_TEST(share_rows)
{
	const struct coverage c = { .levels = { shares[_i].none,
	    shares[_i].clear, shares[_i].encrypted, shares[_i].verified,
	    shares[_i].sts, shares[_i].dane } };

	ck_assert_int_eq(coverage_share(&c), shares[_i].share);
	ck_assert(!coverage_below(&c, shares[_i].not_below));
	if (shares[_i].below != 0)
		ck_assert(coverage_below(&c, shares[_i].below));
}
END_TEST

static const struct {
	const char	*text;
	bool		 ok;
	uint32_t	 pct;
} pcts[] = {
	{ "0", true, 0 }, { "99", true, 99000 }, { "100", true, 100000 },
	{ "99.5", true, 99500 }, { "99.999", true, 99999 },
	{ "0.05", true, 50 }, { "100.000", true, 100000 },
	{ "", false, 0 }, { ".", false, 0 }, { "5.", false, 0 },
	{ ".5", false, 0 }, { "101", false, 0 }, { "100.001", false, 0 },
	{ "99.5555", false, 0 }, { "-1", false, 0 }, { "99%", false, 0 },
	{ "1e2", false, 0 }, { " 9", false, 0 }, { "1.2.3", false, 0 },
};

START_TEST(pct_rows)
{
	uint32_t pct = 77;

	ck_assert_msg(coverage_parse_pct(span_str(pcts[_i].text), &pct) ==
	    pcts[_i].ok, "%s", pcts[_i].text);
	ck_assert_uint_eq(pct, pcts[_i].ok ? pcts[_i].pct : 77);
}
END_TEST

START_TEST(words)
{
	enum report_direction d;
	enum report_by by;
	unsigned i;

	for (i = 0; i < REPORT_DIRECTIONS; i++) {
		ck_assert(report_direction_parse(span_str(
		    report_direction_name((enum report_direction)i)), &d));
		ck_assert_uint_eq(d, i);
	}
	for (i = 0; i < REPORT_BYS; i++) {
		ck_assert(report_by_parse(span_str(
		    report_by_name((enum report_by)i)), &by));
		ck_assert_uint_eq(by, i);
	}
	ck_assert(!report_by_parse(SPAN_LIT("mx"), &by));
	ck_assert(!report_by_parse(SPAN_LIT(""), &by));
	ck_assert(!report_direction_parse(SPAN_LIT("In"), &d));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("report_coverage");
	TCase *tc = tcase_create("coverage");

	tcase_add_loop_test(tc, share_rows, 0, (int)NELEM(shares));
	tcase_add_loop_test(tc, pct_rows, 0, (int)NELEM(pcts));
	tcase_add_test(tc, words);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
