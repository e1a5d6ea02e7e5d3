/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/relay/ladder.c - which connection comes next, and when it may be
 * a clear one.
 *
 * A row: hosts as letters, in capitals where they ask for `encrypted`, a digit
 * behind a letter is the number of addresses; then what happens at each step
 * the ladder gives, and the steps that are expected. Steps: host, address, then
 * t(ls), r(educed) or c(lear). Events: n(o host), o (not offered), m(angled),
 * r(efused), f(ailed), s(tale), u(nsure), i(njected), w(eak).  A step that must resume
 * nothing has a `!`. */
#include "relay/ladder.h"

#include <ctype.h>
#include <stdio.h>

#include "tests/unit/suite.h"

static const struct row {
	const char	*rfc;
	const char	*hosts, *events, *steps;
	bool		 failed_before, tls_trouble;
	enum how	 how;		/* of the first clear step */
} rows[] = {
	/* nothing but unreachable hosts: in order, each once */
	{ "5321 5.1", "a", "n", "a0t", false, false, HOW_NONE },
	{ "5321 5.1", "a2b", "nnn", "a0t a1t b0t", false, false, HOW_NONE },
	{ "5321 5.1", "a2b", "nnn", "a0t a1t b0t", true, false, HOW_NONE },
	{ "5321 5.1", "", "", "", false, false, HOW_NONE },
	/* failed or refused: reduced at the same one, then the others */
	{ "3207 4", "a", "ff", "a0t a0r", false, true, HOW_NONE },
	{ "3207 4", "a", "rr", "a0t a0r", false, true, HOW_NONE },
	{ "3207 4", "ab", "ffff", "a0t a0r b0t b0r", false, true, HOW_NONE },
	{ "3207 4", "a2b", "frnn", "a0t a0r a1t b0t", false, true, HOW_NONE },
	{ "3207 4", "ab", "fnn", "a0t a0r b0t", false, true, HOW_NONE },
	/* a session that can't be resumed says nothing of TLS there */
	{ "8446 2.2", "a", "sn", "a0t a0t!", false, false, HOW_NONE },
	{ "8446 2.2", "ab", "snn", "a0t a0t! b0t", true, false, HOW_NONE },
	{ "8446 2.2", "a", "sff", "a0t a0t! a0r", false, true, HOW_NONE },
	{ "8446 2.2", "a", "sffn", "a0t a0t! a0r a0c", true, true, HOW_FAILED },
	{ "8446 2.2", "ab", "sfnsn", "a0t a0t! a0r b0t b0t!", false, true, HOW_NONE },
	/* once is an accident, whatever came before; at each address anew */
	{ "8446 4.4.4", "a", "un", "a0t a0t!", false, false, HOW_NONE },
	{ "8446 4.4.4", "a", "uun", "a0t a0t! a0r", false, true, HOW_NONE },
	{ "8446 4.4.4", "a", "uuu", "a0t a0t! a0r", false, true, HOW_NONE },
	{ "8446 4.4.4", "a", "suuu", "a0t a0t! a0t! a0r", false, true, HOW_NONE },
	{ "8446 4.4.4", "a", "ufn", "a0t a0t! a0r", false, true, HOW_NONE },
	{ "8446 4.4.4", "a", "fuf", "a0t a0r a0r!", false, true, HOW_NONE },
	{ "8446 4.4.4", "ab", "uuuun", "a0t a0t! a0r b0t b0t!", false, true, HOW_NONE },
	{ "8446 4.4.4", "a", "uufn", "a0t a0t! a0r a0c", true, true, HOW_FAILED },
	{ "8446 4.4.4", "A", "uuu", "a0t a0t! a0r", true, true, HOW_NONE },
	/* where another ClientHello can't help there is none */
	{ "7435 3", "ab", "mm", "a0t b0t", false, true, HOW_NONE },
	{ "7435 3", "ab", "ii", "a0t b0t", false, true, HOW_NONE },
	{ "7435 3", "ab", "oo", "a0t b0t", false, true, HOW_NONE },
	{ "7435 3", "AB", "ww", "a0t b0t", false, true, HOW_NONE },
	/* clear, in an attempt after one that failed: last, in order, only the
	 * hosts whose TLS failed and that ask for no more */
	{ "7435 3", "a", "ffn", "a0t a0r a0c", true, true, HOW_FAILED },
	{ "7435 3", "a", "rrn", "a0t a0r a0c", true, true, HOW_REFUSED },
	{ "7435 3", "a", "frn", "a0t a0r a0c", true, true, HOW_REFUSED },
	{ "7435 3", "a", "mn", "a0t a0c", true, true, HOW_MANGLED },
	{ "7435 3", "a", "in", "a0t a0c", true, true, HOW_FAILED },
	{ "7435 3", "ab", "ffnn", "a0t a0r b0t a0c", true, true, HOW_FAILED },
	{ "7435 3", "ab", "nffn", "a0t b0t b0r b0c", true, true, HOW_FAILED },
	{ "7435 3", "ab", "ffmnn", "a0t a0r b0t a0c b0c", true, true, HOW_FAILED },
	{ "7435 3", "A", "ff", "a0t a0r", true, true, HOW_NONE },
	{ "7435 3", "A", "o", "a0t", true, true, HOW_NONE },
	{ "7435 3", "Ab", "ffffn", "a0t a0r b0t b0r b0c", true, true, HOW_FAILED },
	{ "7435 3", "aB", "ffffn", "a0t a0r b0t b0r a0c", true, true, HOW_FAILED },
	/* a reduced try that never got to TLS does not wash the failure away */
	{ "7435 3", "a", "fnn", "a0t a0r a0c", true, true, HOW_FAILED },
	/* trouble of a clear connection is none of TLS */
	{ "7435 3", "a2", "fffffn", "a0t a0r a1t a1r a0c a1c", true, true, HOW_FAILED },
};

static enum ladder_trouble
trouble_of(char c)
{
	static const char letters[] = "nomrfsuiw";

	return (enum ladder_trouble)(strchr(letters, c) - letters);
}

static void
build(struct ladder *l, const char *hosts, bool failed_before)
{
	unsigned host = 0, a, n;
	const char *p;

	ladder_init(l, failed_before);
	for (p = hosts; *p != '\0'; p++) {
		n = isdigit((unsigned char)p[1]) ? (unsigned)(p[1] - '0') : 1;
		for (a = 0; a < n; a++)
			ladder_add(l, host, a, isupper((unsigned char)*p) ?
			    LEVEL_ENCRYPTED : LEVEL_CLEAR);
		host++;
		p += n > 1;
	}
}

START_TEST(ladder_rows)
{
	const struct row *r = &rows[_i];
	const char *ev = r->events;
	enum how how = HOW_NONE;
	char got[256] = "";
	struct ladder_step s;
	struct ladder l;

	build(&l, r->hosts, r->failed_before);
	while (ladder_next(&l, &s)) {
		char one[8];

		(void)snprintf(one, sizeof(one), "%s%c%u%c%s",
		    got[0] != '\0' ? " " : "", 'a' + (char)s.host, s.addr,
		    "trc"[s.mode], s.fresh ? "!" : "");
		(void)strncat(got, one, sizeof(got) - strlen(got) - 1);
		if (s.mode == LADDER_CLEAR && how == HOW_NONE)
			how = s.how;
		ck_assert_msg(*ev != '\0', "%s: more steps than events: %s",
		    r->hosts, got);
		ladder_report(&l, trouble_of(*ev++));
	}
	ck_assert_msg(strcmp(got, r->steps) == 0, "RFC %s: %s, %s: %s", r->rfc,
	    r->hosts, r->events, got);
	ck_assert_msg(*ev == '\0', "%s: events are left", r->hosts);
	ck_assert_int_eq(ladder_tls_trouble(&l), r->tls_trouble);
	ck_assert_int_eq(how, r->how);
	ck_assert(!ladder_next(&l, &s));	/* and it stays at its end */
}
END_TEST

/* Clear at once on the connection at hand. */
START_TEST(ladder_now)
{
	struct ladder_step s;
	struct ladder l;

	build(&l, "ab", false);
	ck_assert(ladder_next(&l, &s));
	ck_assert(ladder_clear_now(&l, LEVEL_CLEAR));
	ck_assert(!ladder_clear_now(&l, LEVEL_ENCRYPTED));
	ck_assert(!ladder_clear_now(&l, LEVEL_DANE));
	ladder_report(&l, LADDER_NO_HOST);
	ck_assert(ladder_next(&l, &s));
	ck_assert(ladder_clear_now(&l, LEVEL_CLEAR));
	ladder_report(&l, LADDER_FAILED);
	ck_assert(!ladder_clear_now(&l, LEVEL_CLEAR));

	build(&l, "ab", true);
	ck_assert(ladder_next(&l, &s));
	ladder_report(&l, LADDER_FAILED);
	ck_assert(ladder_clear_now(&l, LEVEL_CLEAR));
	ck_assert(!ladder_clear_now(&l, LEVEL_ENCRYPTED));
}
END_TEST

/* RFC 5321 sec 5.1: bounded, whatever a route holds; clear has its own share. */
START_TEST(ladder_bounds)
{
	unsigned tls = 0, clear = 0, i;
	struct ladder_step s;
	struct ladder l;

	ladder_init(&l, true);
	for (i = 0; i < 1000; i++)
		ladder_add(&l, i, 0, LEVEL_CLEAR);
	while (ladder_next(&l, &s)) {
		*(s.mode == LADDER_CLEAR ? &clear : &tls) += 1;
		ladder_report(&l, LADDER_FAILED);
	}
	ck_assert_uint_eq(tls, LADDER_TRIES);
	ck_assert_uint_eq(clear, LADDER_CLEARS);
}
END_TEST

/* Side by side: addresses of one host, each once; who has not answered when
 * another one does may be tried again. */
START_TEST(ladder_side_by_side)
{
	struct ladder_step step, first;
	struct ladder l;

	ladder_init(&l, false);
	ck_assert(!ladder_beside(&l, &step));
	for (unsigned a = 0; a < 4; a++)
		ladder_add(&l, 0, a, LEVEL_CLEAR);
	ladder_add(&l, 1, 0, LEVEL_CLEAR);
	ck_assert(ladder_next(&l, &first));
	for (unsigned a = 1; a < 4; a++) {
		ck_assert(ladder_beside(&l, &step));
		ck_assert_uint_eq(step.host, 0);
		ck_assert_uint_eq(step.addr, a);
	}
	ck_assert(!ladder_beside(&l, &step));	/* not the other host's */
	ladder_missed(&l, 1);
	ladder_reached(&l, 2, &step);
	ck_assert_uint_eq(step.addr, 2);
	ladder_report(&l, LADDER_FAILED);
	ck_assert(ladder_next(&l, &step));
	ck_assert_uint_eq(step.addr, 2);
	ck_assert_int_eq(step.mode, LADDER_REDUCED);
	ck_assert(!ladder_beside(&l, &step));	/* there is one to talk to */
	ladder_report(&l, LADDER_NO_HOST);
	/* 0 and 3 had not answered; now nobody does */
	ck_assert(ladder_next(&l, &step));
	ck_assert_uint_eq(step.addr, 0);
	ck_assert(ladder_beside(&l, &step));
	ck_assert_uint_eq(step.addr, 3);
	ladder_report(&l, LADDER_NO_HOST);
	ck_assert(ladder_next(&l, &step));
	ck_assert_uint_eq(step.host, 1);
	ladder_report(&l, LADDER_NO_HOST);
	ck_assert(!ladder_next(&l, &step));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay ladder");
	TCase *tc = tcase_create("ladder");

	tcase_add_loop_test(tc, ladder_rows, 0, NELEM(rows));
	tcase_add_test(tc, ladder_now);
	tcase_add_test(tc, ladder_bounds);
	tcase_add_test(tc, ladder_side_by_side);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
