/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* XFORWARD's attributes, after Postfix's XFORWARD_README; xtext under it. */
#include <stdio.h>

#include "smtp/xforward.h"
#include "smtp/xtext.h"
#include "tests/unit/suite.h"

#define X10	"xxxxxxxxxx"
#define X250	X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10	\
		X10 X10 X10 X10 X10 X10 X10 X10 X10 X10

/* Where it is said: there is no RFC but for xtext. */
#define SYNTAX	"XFORWARD_README Command syntax"
#define NOTE1	"XFORWARD_README Note 1"
#define NOTE3	"XFORWARD_README Note 3"
#define SERVER	"XFORWARD_README Server operation"
#define PREFIX	"XCLIENT_README Command syntax"
#define XTEXT	"3461 4"

static const struct {
	const char	*arg, *rfc, *want;	/* NULL: refused */
} rows[] = {
	{ "NAME=a", SYNTAX, "a:::::" },
	{ "name=a  ADDR=b", SYNTAX, "a:b::::" },
	{ "NAME=a NAME=b", SERVER, "b:::::" },
	{ "PORT=25 PROTO=SMTP SOURCE=LOCAL", SYNTAX, "::25:SMTP::LOCAL" },
	{ "ADDR=IPV6:::1", PREFIX, ":::1::::" },
	{ "HELO=[192.0.2.1]", SYNTAX, "::::[192.0.2.1]:" },
	{ "NAME=" X250 "xxxxx", NOTE1, X250 "xxxxx:::::" },
	{ "NAME=[Unavailable]", NOTE3, ":::::" },
	{ "NAME=[TEMPUNAVAIL]", PREFIX, ":::::" },
	{ "NAME=+41+42", XTEXT, "AB:::::" }, { "NAME=+2b", XTEXT, "+:::::" },
	{ "", SYNTAX, NULL }, { "  ", SYNTAX, NULL },
	{ "NAME", SYNTAX, NULL }, { "NAME=", SYNTAX, NULL },
	{ "=a", SYNTAX, NULL }, { "NAMES=a", SYNTAX, NULL },
	{ "NAME=a b", SYNTAX, NULL }, { "NAME=a\tb", XTEXT, NULL },
	{ "NAME=a+20b", NOTE1, NULL }, { "NAME=a+0Ab", NOTE1, NULL },
	{ "NAME=+4", XTEXT, NULL }, { "NAME=+4G", XTEXT, NULL },
	{ "NAME=a=b", XTEXT, NULL }, { "NAME=\xc3\xa4", XTEXT, NULL },
	{ "NAME=+C3+A4", NOTE1, NULL },
	{ "NAME=" X250 "xxxxxx", NOTE1, NULL },
	{ "PORT=12345678", NOTE1, NULL },
	{ "SOURCE=EVERYWHERE", SYNTAX, NULL },
};

START_TEST(attributes)
{
	struct smtp_xforward x = { .name = "" };
	char got[2048];
	bool ok = smtp_xforward_take(span_str(rows[_i].arg), &x);

	ck_assert_msg(ok == (rows[_i].want != NULL), "%s: '%s'",
	    rows[_i].rfc, rows[_i].arg);
	if (!ok)
		return;
	(void)snprintf(got, sizeof got, "%s:%s:%s:%s:%s:%s", x.name, x.addr,
	    x.port, x.proto, x.helo, x.source);
	ck_assert_str_eq(got, rows[_i].want);
}
END_TEST

/* Each command adds to what was said; a bad one changes nothing. */
START_TEST(adds)
{
	struct smtp_xforward x = { .name = "" };

	ck_assert(smtp_xforward_take(SPAN_LIT("NAME=a IDENT=i"), &x));
	ck_assert(smtp_xforward_take(SPAN_LIT("ADDR=192.0.2.1"), &x));
	ck_assert(!smtp_xforward_take(SPAN_LIT("NAME=b WHO=c"), &x));
	ck_assert_str_eq(x.name, "a");
	ck_assert_str_eq(x.addr, "192.0.2.1");
	ck_assert(smtp_xforward_take(SPAN_LIT("NAME=[UNAVAILABLE]"), &x));
	ck_assert_str_eq(x.name, "");
	ck_assert_str_eq(x.ident, "i");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtp xforward");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, attributes, 0, NELEM(rows));
	tcase_add_test(tc, adds);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
