/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The level that is asked, for every combination of evidence. */
#include "tests/unit/suite.h"

#include "policy/decide.h"

static const struct row {
	enum sts_mode	sts;
	bool		allows;
	enum level	asked;
	enum why	why;
	bool		barred;
} rows[] = {
	/* RFC 7435 sec 3: without a policy nothing is demanded */
	{ STS_NONE, false, LEVEL_CLEAR, WHY_NONE, false },
	{ STS_NONE, true, LEVEL_CLEAR, WHY_NONE, false },
	/* RFC 8461 sec 5 */
	{ STS_TESTING, false, LEVEL_CLEAR, WHY_NONE, false },
	{ STS_TESTING, true, LEVEL_CLEAR, WHY_NONE, false },
	{ STS_ENFORCE, false, LEVEL_STS, WHY_STS, true },
	{ STS_ENFORCE, true, LEVEL_STS, WHY_STS, false },
};

START_TEST(combination)
{
	const struct row *r = &rows[_i];
	const struct evidence e = { .sts = r->sts, .sts_allows = r->allows };
	const struct decision d = decide(&e);

	ck_assert_int_eq(d.asked, r->asked);
	ck_assert_int_eq(d.why, r->why);
	ck_assert(d.barred == r->barred);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/decide");
	TCase *tc = tcase_create("decide");

	tcase_add_loop_test(tc, combination, 0, NELEM(rows));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
