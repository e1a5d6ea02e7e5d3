/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The level that is asked, for every combination of evidence.  Of each the
 * first row that fits must hold; ANY stands for all values. */
#include "tests/unit/suite.h"

#include "policy/decide.h"

enum dane { NO_DANE, USABLE, UNUSABLE, DANES };
enum { NO, YES };
#define ANY	(-1)

static const struct row {
	int		dane, mx_secure, sts, allows, memory;
	enum level	asked;
	enum why	why;
	bool		barred;
} rows[] = {
	/* RFC 7672 sec 2.2, and RFC 8461 sec 2: DANE goes ahead */
	{ USABLE, YES, ANY, ANY, ANY, LEVEL_DANE, WHY_DANE, false },
	/* RFC 8461 sec 5 */
	{ ANY, ANY, STS_ENFORCE, YES, ANY, LEVEL_STS, WHY_STS, false },
	{ ANY, ANY, STS_ENFORCE, NO, ANY, LEVEL_STS, WHY_STS, true },
	/* RFC 7672 sec 2.2.1: nobody is known, but TLS is a must */
	{ USABLE, NO, ANY, ANY, ANY, LEVEL_ENCRYPTED, WHY_DANE, false },
	{ UNUSABLE, ANY, ANY, ANY, ANY, LEVEL_ENCRYPTED, WHY_DANE, false },
	/* memory: encrypted, never more; testing changes nothing */
	{ NO_DANE, ANY, ANY, ANY, RECALL_TLS, LEVEL_ENCRYPTED, WHY_MEMORY,
	  false },
	{ NO_DANE, ANY, ANY, ANY, RECALL_OBSERVE, LEVEL_CLEAR, WHY_NONE,
	  false },
	{ NO_DANE, ANY, ANY, ANY, RECALL_ACCEPTED, LEVEL_CLEAR, WHY_NONE,
	  false },
	/* RFC 7435 sec 3: without a policy nothing is demanded */
	{ NO_DANE, ANY, ANY, ANY, RECALL_NOTHING, LEVEL_CLEAR, WHY_NONE,
	  false },
};

static const enum sts_mode modes[] = { STS_NONE, STS_TESTING, STS_ENFORCE };

static bool
fits(int want, int is)
{
	return want == ANY || want == is;
}

static int
row_of(int dane, const struct evidence *e)
{
	for (int i = 0; i < NELEM(rows); i++)
		if (fits(rows[i].dane, dane) &&
		    fits(rows[i].mx_secure, e->mx_secure) &&
		    fits(rows[i].sts, (int)e->sts) &&
		    fits(rows[i].allows, e->sts_allows) &&
		    fits(rows[i].memory, (int)e->memory))
			return i;
	return -1;
}

#define COMBINATIONS	(DANES * 2 * NELEM(modes) * 2 * RECALL_COUNT)

/* The evidence of one; says what of DANE is in it. */
static int
combination(int at, struct evidence *e)
{
	int dane = at % DANES, rest = at / DANES;

	*e = (struct evidence){
		.dane = dane == USABLE, .dane_unusable = dane == UNUSABLE,
		.mx_secure = rest % 2, .sts_allows = rest / 2 % 2,
		.sts = modes[rest / 4 % NELEM(modes)],
		.memory = (enum recall)(rest / 4 / NELEM(modes)),
	};
	return dane;
}

START_TEST(all_combinations)
{
	unsigned used[NELEM(rows)] = { 0 }, n = 0;

	for (int at = 0; at < COMBINATIONS; at++) {
		struct evidence e;
		int dane = combination(at, &e);
		const struct decision d = decide(&e);
		int i = row_of(dane, &e);

		ck_assert_int_ge(i, 0);
		used[i]++;
		n++;
		ck_assert_msg(d.asked == rows[i].asked, "%d, row %d: %s", at, i,
		    level_name(d.asked));
		ck_assert_msg(d.why == rows[i].why, "%d, row %d: %s", at, i,
		    why_name(d.why));
		ck_assert_msg(d.barred == rows[i].barred, "%d, row %d", at, i);
	}
	ck_assert_uint_eq(n, 144);
	for (int i = 0; i < NELEM(rows); i++)
		ck_assert_msg(used[i] > 0, "row %d never fits", i);
}
END_TEST

/* RFC 8689, over all evidence: sec 4.2.1 wants a host that is vouched for and
 * proves itself, or none; sec 5 TLS; sec 4.2.2 nothing. */
START_TEST(all_wishes)
{
	for (int at = 0; at < COMBINATIONS; at++) {
		struct evidence e;
		struct decision usual, d;
		bool vouched;

		(void)combination(at, &e);
		vouched = e.mx_secure || (e.sts != STS_NONE && e.sts_allows);
		usual = decide(&e);
		e.wish = TLS_WISH_REQUIRED;
		d = decide(&e);
		ck_assert(d.asked >= LEVEL_VERIFIED && d.asked >= usual.asked);
		ck_assert(d.barred == (usual.barred || !vouched));
		if (usual.asked <= LEVEL_ENCRYPTED)
			ck_assert_int_eq(d.why, WHY_REQUIRETLS);
		e.wish = TLS_WISH_REPORT;
		d = decide(&e);
		ck_assert(d.asked >= LEVEL_ENCRYPTED && d.asked >= usual.asked);
		ck_assert(d.barred == usual.barred);
		e.wish = TLS_WISH_OPTIONAL;
		d = decide(&e);
		ck_assert(d.asked == LEVEL_CLEAR && !d.barred);
		ck_assert_int_eq(d.why, WHY_TLS_REQUIRED_NO);
		e.wish = TLS_WISH_REQUIRED;
		e.final = true;
		d = decide(&e);
		ck_assert(d.asked == usual.asked && d.barred == usual.barred);
	}
}
END_TEST

/* ---- what the configuration says of it ---- */

static const struct {
	enum level	require, permit;
	struct evidence	e;
	enum level	asked;
	enum why	why;
	bool		waived, barred;
} rules[] = {
	/* a floor: only where nothing asks for as much */
	{ LEVEL_CLEAR, LEVEL_NONE, { .mx_secure = true }, LEVEL_CLEAR,
	  WHY_NONE, false, false },
	{ LEVEL_ENCRYPTED, LEVEL_NONE, { .mx_secure = false }, LEVEL_ENCRYPTED,
	  WHY_RULE, false, false },
	{ LEVEL_ENCRYPTED, LEVEL_NONE, { .memory = RECALL_TLS },
	  LEVEL_ENCRYPTED, WHY_MEMORY, false, false },
	{ LEVEL_ENCRYPTED, LEVEL_NONE, { .dane = true, .mx_secure = true },
	  LEVEL_DANE, WHY_DANE, false, false },
	/* ... and which nothing could meet */
	{ LEVEL_VERIFIED, LEVEL_NONE, { .mx_secure = true }, LEVEL_VERIFIED,
	  WHY_RULE, false, false },
	{ LEVEL_VERIFIED, LEVEL_NONE, { .mx_secure = false }, LEVEL_VERIFIED,
	  WHY_RULE, false, true },
	{ LEVEL_STS, LEVEL_NONE, { .sts = STS_TESTING, .sts_allows = true },
	  LEVEL_STS, WHY_RULE, false, false },
	{ LEVEL_STS, LEVEL_NONE, { .sts = STS_TESTING }, LEVEL_STS, WHY_RULE,
	  false, true },
	{ LEVEL_STS, LEVEL_NONE, { .mx_secure = true }, LEVEL_STS, WHY_RULE,
	  false, true },
	{ LEVEL_STS, LEVEL_NONE, { .sts = STS_ENFORCE, .sts_allows = true },
	  LEVEL_STS, WHY_STS, false, false },
	/* RFC 7672 sec 2.2.1: behind an insecure MX it is no DANE */
	{ LEVEL_DANE, LEVEL_NONE, { .dane = true }, LEVEL_DANE, WHY_RULE,
	  false, true },
	{ LEVEL_DANE, LEVEL_NONE, { .dane = true, .mx_secure = true },
	  LEVEL_DANE, WHY_DANE, false, false },
	{ LEVEL_DANE, LEVEL_NONE, { .sts = STS_ENFORCE, .sts_allows = true },
	  LEVEL_DANE, WHY_RULE, false, true },
	/* a cap */
	{ LEVEL_NONE, LEVEL_CLEAR, { .dane = true, .mx_secure = true },
	  LEVEL_CLEAR, WHY_RULE, true, false },
	{ LEVEL_NONE, LEVEL_ENCRYPTED, { .dane = true, .mx_secure = true },
	  LEVEL_ENCRYPTED, WHY_RULE, true, false },
	{ LEVEL_NONE, LEVEL_ENCRYPTED, { .sts = STS_ENFORCE },
	  LEVEL_ENCRYPTED, WHY_RULE, true, false },
	{ LEVEL_NONE, LEVEL_CLEAR, { .memory = RECALL_TLS }, LEVEL_CLEAR,
	  WHY_RULE, true, false },
	{ LEVEL_NONE, LEVEL_ENCRYPTED, { .memory = RECALL_TLS },
	  LEVEL_ENCRYPTED, WHY_MEMORY, false, false },
	{ LEVEL_NONE, LEVEL_STS, { .mx_secure = true }, LEVEL_CLEAR, WHY_NONE,
	  false, false },
	/* both: the cap wins */
	{ LEVEL_DANE, LEVEL_ENCRYPTED, { .mx_secure = true }, LEVEL_ENCRYPTED,
	  WHY_RULE, true, false },
};

START_TEST(by_configuration)
{
	struct evidence e = rules[_i].e;
	struct decision d;

	e.require = rules[_i].require;
	e.permit = rules[_i].permit;
	d = decide(&e);
	ck_assert_msg(d.asked == rules[_i].asked, "row %d: %s", _i,
	    level_name(d.asked));
	ck_assert_msg(d.why == rules[_i].why, "row %d: %s", _i,
	    why_name(d.why));
	ck_assert_msg(d.barred == rules[_i].barred, "row %d", _i);
	ck_assert_msg(d.waived == rules[_i].waived, "row %d", _i);
	/* RFC 8689 sec 4.2.1: no cap lowers what the sender asks */
	e.wish = TLS_WISH_REQUIRED;
	d = decide(&e);
	ck_assert_msg(d.asked >= LEVEL_VERIFIED && !d.waived, "row %d", _i);
}
END_TEST

/* ---- all of it: rule, exception, wish, mail store and every evidence ---- */

/* What comes out: of the evidence alone; what the rule asks at least, or at
 * most; nothing, by exception; what RFC 8689 asks. */
enum outcome { USUAL, FLOOR, CAP, EXCEPTED, PROOF, TLS, NOTHING };

/* floor: more is asked by rule than without; cap: and then more than may be;
 * high: what is asked then, caps apart, is more than encrypted; except: an
 * exception was made, and something is asked after all of them. */
static const struct {
	int		wish, final, floor, cap, high, except;
	enum outcome	then;
} table[] = {
	/* RFC 8689 sec 4.2.2 */
	{ TLS_WISH_OPTIONAL, ANY, ANY, ANY, ANY, ANY, NOTHING },
	/* sec 4.2.1: neither cap nor exception counts; a store of ours is the
	 * end of it */
	{ TLS_WISH_REQUIRED, YES, YES, ANY, ANY, ANY, FLOOR },
	{ TLS_WISH_REQUIRED, YES, NO, ANY, ANY, ANY, USUAL },
	{ TLS_WISH_REQUIRED, NO, YES, ANY, YES, ANY, FLOOR },
	{ TLS_WISH_REQUIRED, NO, NO, ANY, YES, ANY, USUAL },
	{ TLS_WISH_REQUIRED, NO, ANY, ANY, NO, ANY, PROOF },
	/* sec 5: a report of such a message, by TLS; `TLS` where no more is asked */
	{ TLS_WISH_REPORT, ANY, ANY, ANY, ANY, YES, EXCEPTED },
	{ TLS_WISH_REPORT, ANY, ANY, YES, ANY, NO, CAP },
	{ TLS_WISH_REPORT, ANY, YES, NO, ANY, NO, FLOOR },
	{ TLS_WISH_REPORT, ANY, NO, NO, ANY, NO, USUAL },
	/* the operator's word over what others publish */
	{ TLS_WISH_NONE, ANY, ANY, ANY, ANY, YES, EXCEPTED },
	{ TLS_WISH_NONE, ANY, ANY, YES, ANY, NO, CAP },
	{ TLS_WISH_NONE, ANY, YES, NO, ANY, NO, FLOOR },
	{ TLS_WISH_NONE, ANY, NO, NO, ANY, NO, USUAL },
};

/* No session can meet that floor: nothing vouches for what it asks. */
static bool
beyond(const struct evidence *e, enum level floor)
{
	return floor == LEVEL_DANE ||
	    (floor == LEVEL_STS && (e->sts == STS_NONE || !e->sts_allows)) ||
	    (floor == LEVEL_VERIFIED && !e->mx_secure);
}

static struct decision
outcome_of(enum outcome o, const struct evidence *e, struct decision d)
{
	bool listed = e->sts != STS_NONE && e->sts_allows;

	switch (o) {
	case USUAL:
		break;
	case FLOOR:
		d = (struct decision){ .asked = e->require, .why = WHY_RULE,
		    .barred = beyond(e, e->require) };
		break;
	case CAP:
		d = (struct decision){ .asked = e->permit, .why = WHY_RULE,
		    .waived = true };
		break;
	case EXCEPTED:
		d = (struct decision){ .asked = LEVEL_CLEAR,
		    .why = WHY_EXCEPTION, .waived = true };
		break;
	case PROOF:
		d = (struct decision){ .why = WHY_REQUIRETLS,
		    .asked = listed ? LEVEL_STS : LEVEL_VERIFIED,
		    .barred = !listed && !e->mx_secure };
		break;
	case TLS:
		d = (struct decision){ .asked = LEVEL_ENCRYPTED,
		    .why = WHY_REQUIRETLS };
		break;
	case NOTHING:
		d = (struct decision){ .asked = LEVEL_CLEAR,
		    .why = WHY_TLS_REQUIRED_NO };
		break;
	}
	return d;
}

static struct decision
wanted(const struct evidence *e, unsigned used[NELEM(table)])
{
	struct evidence bare = *e;
	struct decision usual, d;
	bool floor, cap, high, except;
	enum level asked;

	bare.wish = TLS_WISH_NONE;
	bare.require = bare.permit = LEVEL_NONE;
	bare.excepted = false;
	usual = decide(&bare);		/* all_combinations is about it */
	floor = e->require > usual.asked;
	asked = floor ? e->require : usual.asked;
	high = asked > LEVEL_ENCRYPTED;
	cap = e->permit != LEVEL_NONE && e->permit < asked;
	except = e->excepted && (cap ? e->permit : asked) > LEVEL_CLEAR;
	for (int i = 0; i < NELEM(table); i++) {
		if (!fits(table[i].wish, (int)e->wish) ||
		    !fits(table[i].final, e->final) ||
		    !fits(table[i].floor, floor) || !fits(table[i].cap, cap) ||
		    !fits(table[i].high, high) ||
		    !fits(table[i].except, except))
			continue;
		used[i]++;
		d = outcome_of(table[i].then, e, usual);
		if (e->wish == TLS_WISH_REPORT && !e->final &&
		    d.asked < LEVEL_ENCRYPTED)
			d = outcome_of(TLS, e, usual);
		return d;
	}
	ck_abort_msg("no row fits");
}

START_TEST(all_rules)
{
	unsigned used[NELEM(table)] = { 0 }, n = 0;

	for (unsigned at = 0; at < COMBINATIONS * LEVEL_COUNT * LEVEL_COUNT *
	    TLS_WISH_COUNT * 2 * 2; at++, n++) {
		unsigned rest = at / COMBINATIONS;
		struct decision got, want;
		struct evidence e;

		(void)combination((int)(at % COMBINATIONS), &e);
		e.require = (enum level)(rest % LEVEL_COUNT);
		rest /= LEVEL_COUNT;
		e.permit = (enum level)(rest % LEVEL_COUNT);
		rest /= LEVEL_COUNT;
		e.wish = (enum tls_wish)(rest % TLS_WISH_COUNT);
		rest /= TLS_WISH_COUNT;
		e.final = rest % 2;
		e.excepted = rest / 2;
		got = decide(&e);
		want = wanted(&e, used);
		ck_assert_msg(got.asked == want.asked && got.why == want.why &&
		    got.barred == want.barred && got.waived == want.waived,
		    "%u: %s by %s, wanted %s by %s", at, level_name(got.asked),
		    why_name(got.why), level_name(want.asked),
		    why_name(want.why));
	}
	ck_assert_uint_eq(n, 82944);
	for (int i = 0; i < NELEM(table); i++)
		ck_assert_msg(used[i] > 0, "row %d never fits", i);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/decide");
	TCase *tc = tcase_create("decide");

	tcase_add_test(tc, all_combinations);
	tcase_add_test(tc, all_wishes);
	tcase_add_test(tc, all_rules);
	tcase_add_loop_test(tc, by_configuration, 0, NELEM(rules));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
