/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Where TLS got lost: fingerprints, and the class that follows. */
#include "tests/unit/suite.h"

#include "policy/classify.h"

#define T0	1800000000u
#define GREETING	"220 mx.example.org ESMTP Postfix"
#define EHLO		"250 mx.example.org\nPIPELINING\n8BITMIME"
#define STARS		"220 ********************2******0*0*****"

static const struct row {
	enum finding	finding;
	const char	*greeting, *ehlo;
	bool		helo;
	enum why	why;
	unsigned	clues;
	enum finding_class known, unknown;	/* was the host */
} rows[] = {
	/* nothing but its absence */
	{ FINDING_STRIPPED, GREETING, EHLO, false, WHY_MEMORY, 0,
	  CLASS_AT_PEER, CLASS_NEVER_HAD },
	{ FINDING_REFUSED, GREETING, EHLO, false, WHY_MEMORY, 0,
	  CLASS_AT_PEER, CLASS_NEVER_HAD },
	{ FINDING_HANDSHAKE, GREETING, EHLO, false, WHY_NONE, 0,
	  CLASS_AT_PEER, CLASS_NEVER_HAD },
	/* it still says that it has it */
	{ FINDING_STRIPPED, GREETING, EHLO, false, WHY_DANE, CLUE_PROMISED,
	  CLASS_ON_PATH, CLASS_NEVER_HAD },
	{ FINDING_STRIPPED, GREETING, EHLO, false, WHY_STS, CLUE_PROMISED,
	  CLASS_ON_PATH, CLASS_NEVER_HAD },
	/* middleboxes */
	{ FINDING_MANGLED, GREETING, "250 mx\nXXXXXXXA", false, WHY_MEMORY,
	  CLUE_MANGLED, CLASS_ON_PATH, CLASS_ON_PATH },
	{ FINDING_STRIPPED, GREETING, "250 mx\nSIZE 1\n********", false,
	  WHY_MEMORY, CLUE_MANGLED, CLASS_ON_PATH, CLASS_ON_PATH },
	{ FINDING_STRIPPED, STARS, EHLO, false, WHY_MEMORY, CLUE_STARRED,
	  CLASS_ON_PATH, CLASS_ON_PATH },
	{ FINDING_STRIPPED, "220 XXXXXXXXXXXXXXXX", EHLO, false, WHY_MEMORY,
	  CLUE_STARRED, CLASS_ON_PATH, CLASS_ON_PATH },
	{ FINDING_STRIPPED, GREETING, "502 What?", true, WHY_MEMORY, CLUE_HELO,
	  CLASS_ON_PATH, CLASS_ON_PATH },
	{ FINDING_INJECTION, GREETING, EHLO, false, WHY_MEMORY, CLUE_INJECTED,
	  CLASS_ON_PATH, CLASS_ON_PATH },
	/* words of their own that only look like it */
	{ FINDING_STRIPPED, "220 mx * example", "250 mx\nXFORWARD NAME\nX-A",
	  false, WHY_MEMORY, 0, CLASS_AT_PEER, CLASS_NEVER_HAD },
	{ FINDING_HANDSHAKE, "", "", false, WHY_MEMORY, 0, CLASS_AT_PEER,
	  CLASS_NEVER_HAD },
};

START_TEST(fingerprints)
{
	static const struct clues none;
	const struct row *r = &rows[_i];
	const struct heard_loss h = { .finding = r->finding,
	    .mx = "mx.example.org", .addr = "192.0.2.1",
	    .greeting = span_str(r->greeting), .ehlo = span_str(r->ehlo),
	    .helo = r->helo, .why = r->why };

	ck_assert_msg(clues_of(&none, &h, T0) == r->clues, "row %d: %x", _i,
	    clues_of(&none, &h, T0));
	ck_assert_int_eq(classify(r->clues, true), r->known);
	ck_assert_int_eq(classify(r->clues, false), r->unknown);
}
END_TEST

/* What others heard in the same hour. */
static const struct elsewhere {
	const char	*mx, *addr, *greeting;
	uint64_t	before;
	bool		expected;
	unsigned	clues;
} elsewheres[] = {
	{ "gw.example.net", "192.0.2.9", GREETING, 60, false, CLUE_SAME_BANNER },
	{ "gw.example.net", "192.0.2.9", GREETING, 60, true,
	  CLUE_SAME_BANNER | CLUE_OTHERS },
	{ "gw.example.net", "192.0.2.9", "220 another ESMTP", 60, true,
	  CLUE_OTHERS },
	{ "gw.example.net", "192.0.2.9", "", 60, false, 0 },
	{ "gw.example.net", "192.0.2.9", GREETING, 3601, true, 0 },
	/* related: a brother, or another name of the same machine */
	{ "mx2.example.org", "192.0.2.2", GREETING, 60, true, 0 },
	{ "gw.example.net", "192.0.2.1", GREETING, 60, true, 0 },
};

START_TEST(elsewhere)
{
	const struct elsewhere *e = &elsewheres[_i];
	const struct heard_loss other = { .finding = FINDING_STRIPPED,
	    .mx = e->mx, .addr = e->addr, .greeting = span_str(e->greeting) };
	const struct heard_loss h = { .finding = FINDING_STRIPPED,
	    .mx = "mx.example.org", .addr = "192.0.2.1",
	    .greeting = SPAN_LIT(GREETING), .ehlo = SPAN_LIT(EHLO),
	    .why = WHY_MEMORY };
	struct clues c = { .next = 0 };

	clues_add(&c, &other, e->expected, T0 - e->before);
	ck_assert_msg(clues_of(&c, &h, T0) == e->clues, "row %d: %x", _i,
	    clues_of(&c, &h, T0));
}
END_TEST

/* A host has one place, so that a busy one pushes nobody out. */
START_TEST(one_place_each)
{
	struct heard_loss h = { .finding = FINDING_STRIPPED,
	    .mx = "busy.example", .addr = "192.0.2.1" };
	struct clues c = { .next = 0 };
	unsigned n = 0;

	for (unsigned i = 0; i < 3 * CLUES_RECENT; i++)
		clues_add(&c, &h, true, T0 + i);
	h.addr = "192.0.2.2";
	clues_add(&c, &h, true, T0);
	for (unsigned i = 0; i < CLUES_RECENT; i++)
		n += c.recent[i].time != 0;
	ck_assert_uint_eq(n, 2);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/classify");
	TCase *tc = tcase_create("classify");

	tcase_add_loop_test(tc, fingerprints, 0, NELEM(rows));
	tcase_add_loop_test(tc, elsewhere, 0, NELEM(elsewheres));
	tcase_add_test(tc, one_place_each);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
