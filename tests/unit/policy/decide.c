/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The level that is asked, for every combination of evidence. */
#include "tests/unit/suite.h"

#include "policy/decide.h"

enum { NO_DANE, USABLE, UNUSABLE };

static const struct row {
	int		dane;
	bool		mx_secure;
	enum sts_mode	sts;
	bool		allows;
	enum level	asked;
	enum why	why;
	bool		barred;
} rows[] = {
	/* RFC 7435 sec 3: without a policy nothing is demanded */
	{ NO_DANE, false, STS_NONE, false, LEVEL_CLEAR, WHY_NONE, false },
	{ NO_DANE, true, STS_NONE, true, LEVEL_CLEAR, WHY_NONE, false },
	/* RFC 8461 sec 5 */
	{ NO_DANE, true, STS_TESTING, false, LEVEL_CLEAR, WHY_NONE, false },
	{ NO_DANE, true, STS_TESTING, true, LEVEL_CLEAR, WHY_NONE, false },
	{ NO_DANE, true, STS_ENFORCE, false, LEVEL_STS, WHY_STS, true },
	{ NO_DANE, false, STS_ENFORCE, true, LEVEL_STS, WHY_STS, false },
	/* RFC 7672 sec 2.2, and RFC 8461 sec 2: DANE goes ahead */
	{ USABLE, true, STS_NONE, false, LEVEL_DANE, WHY_DANE, false },
	{ USABLE, true, STS_TESTING, false, LEVEL_DANE, WHY_DANE, false },
	{ USABLE, true, STS_ENFORCE, false, LEVEL_DANE, WHY_DANE, false },
	{ USABLE, true, STS_ENFORCE, true, LEVEL_DANE, WHY_DANE, false },
	{ USABLE, false, STS_NONE, false, LEVEL_ENCRYPTED, WHY_DANE, false },
	{ USABLE, false, STS_TESTING, false, LEVEL_ENCRYPTED, WHY_DANE, false },
	{ USABLE, false, STS_ENFORCE, true, LEVEL_STS, WHY_STS, false },
	{ USABLE, false, STS_ENFORCE, false, LEVEL_STS, WHY_STS, true },
	{ UNUSABLE, true, STS_NONE, false, LEVEL_ENCRYPTED, WHY_DANE, false },
	{ UNUSABLE, false, STS_TESTING, true, LEVEL_ENCRYPTED, WHY_DANE, false },
	{ UNUSABLE, true, STS_ENFORCE, true, LEVEL_STS, WHY_STS, false },
	{ UNUSABLE, true, STS_ENFORCE, false, LEVEL_STS, WHY_STS, true },
};

START_TEST(combination)
{
	const struct row *r = &rows[_i];
	const struct evidence e = { .dane = r->dane == USABLE,
	    .dane_unusable = r->dane == UNUSABLE, .mx_secure = r->mx_secure,
	    .sts = r->sts, .sts_allows = r->allows };
	const struct decision d = decide(&e);

	ck_assert_msg(d.asked == r->asked, "row %d: %s", _i,
	    level_name(d.asked));
	ck_assert_msg(d.why == r->why, "row %d: %s", _i, why_name(d.why));
	ck_assert_msg(d.barred == r->barred, "row %d", _i);
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
