/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The policy file: every rule of RFC 8461 sec 3.2, and the matching of MX
 * hosts, sec 4.1. */
#include <stdio.h>

#include "tests/unit/suite.h"

#include "mtasts/policy.h"

#define V	"version: STSv1\n"
#define E	"mode: enforce\n"
#define A	"max_age: 604800\n"
#define M	"mx: mail.example.com\n"

static const struct row {
	const char	*name, *text;
	const char	*wrong;		/* the fault's text; NULL: it is good */
	enum sts_mode	 mode;
	uint32_t	 max_age;
	const char	*mx;
} rows[] = {
	{ "sec 3.2, example", "version: STSv1\r\nmode: enforce\r\n"
	    "mx: mail.example.com\r\nmx: *.example.net\r\n"
	    "mx: backupmx.example.com\r\nmax_age: 604800\r\n", NULL, STS_ENFORCE,
	    604800, "mail.example.com\n*.example.net\nbackupmx.example.com\n" },
	{ "LF", V E A M, NULL, STS_ENFORCE, 604800, "mail.example.com\n" },
	{ "no newline at the end", V E A "mx: a.b", NULL, STS_ENFORCE, 604800,
	    "a.b\n" },
	{ "any order", M A E V, NULL, STS_ENFORCE, 604800, "mail.example.com\n" },
	{ "testing", V "mode: testing\n" A M, NULL, STS_TESTING, 604800,
	    "mail.example.com\n" },
	{ "none needs no mx", V "mode: none\n" A, NULL, STS_NONE, 604800, "" },
	{ "none with mx", V "mode: none\n" A M, NULL, STS_NONE, 604800,
	    "mail.example.com\n" },
	{ "enforce needs mx", V E A, "mx is missing", 0, 0, NULL },
	{ "testing needs mx", V "mode: testing\n" A, "mx is missing", 0, 0, NULL },
	{ "no version", E A M, "version is missing", 0, 0, NULL },
	{ "no mode", V A M, "mode is missing", 0, 0, NULL },
	{ "no max_age", V E M, "max_age is missing", 0, 0, NULL },
	{ "nothing", "", "version is missing", 0, 0, NULL },
	{ "later version", "version: STSv2\n" E A M,
	    "line 1: version is not STSv1", 0, 0, NULL },
	{ "version's case", "version: stsv1\n" E A M,
	    "line 1: version is not STSv1", 0, 0, NULL },
	{ "mode's case", V "mode: Enforce\n" A M,
	    "line 2: mode is not enforce, testing or none", 0, 0, NULL },
	{ "unknown mode", V "mode: report\n" A M,
	    "line 2: mode is not enforce, testing or none", 0, 0, NULL },
	{ "key's case is another key", V "Mode: enforce\n" A M,
	    "mode is missing", 0, 0, NULL },

	/* duplicates: all but the first are ignored, except mx */
	{ "two versions", V "version: STSv2\n" E A M, NULL, STS_ENFORCE, 604800,
	    "mail.example.com\n" },
	{ "two modes", V E "mode: none\n" A M, NULL, STS_ENFORCE, 604800,
	    "mail.example.com\n" },
	{ "two ages", V E A "max_age: 1\n" M, NULL, STS_ENFORCE, 604800,
	    "mail.example.com\n" },
	{ "an ignored one may be nonsense", V E "mode: ???\n" A M, NULL,
	    STS_ENFORCE, 604800, "mail.example.com\n" },

	{ "age 0", V E "max_age: 0\n" M, NULL, STS_ENFORCE, 0,
	    "mail.example.com\n" },
	{ "longest age", V E "max_age: 31557600\n" M, NULL, STS_ENFORCE,
	    31557600, "mail.example.com\n" },
	{ "longer counts as that", V E "max_age: 31557601\n" M, NULL,
	    STS_ENFORCE, 31557600, "mail.example.com\n" },
	{ "ten digits", V E "max_age: 9999999999\n" M, NULL, STS_ENFORCE,
	    31557600, "mail.example.com\n" },
	{ "eleven digits", V E "max_age: 00000000001\n" M,
	    "line 3: max_age is not a number of seconds", 0, 0, NULL },
	{ "negative age", V E "max_age: -1\n" M,
	    "line 3: max_age is not a number of seconds", 0, 0, NULL },
	{ "age with a unit", V E "max_age: 1d\n" M,
	    "line 3: max_age is not a number of seconds", 0, 0, NULL },
	{ "no age", V E "max_age:\n" M,
	    "line 3: max_age is not a number of seconds", 0, 0, NULL },

	{ "extensions are ignored", V E A M "x-Ex_1.0: any \xc3\xbc: thing\n",
	    NULL, STS_ENFORCE, 604800, "mail.example.com\n" },
	{ "extension's name", V E A M "_x: 1\n",
	    "line 5: not a key and a value", 0, 0, NULL },
	{ "no colon", V E A M "hello\n", "line 5: not a key and a value",
	    0, 0, NULL },
	{ "no key", V E A M ": x\n", "line 5: not a key and a value",
	    0, 0, NULL },
	{ "a page in HTML", "<!DOCTYPE html>\n<html>\n",
	    "line 1: not a key and a value", 0, 0, NULL },
	{ "space before the colon", V "mode : enforce\n" A M,
	    "line 2: not a key and a value", 0, 0, NULL },
	{ "spaces and tabs", "version:STSv1\nmode:\t enforce \t\nmax_age:1\n"
	    "mx:a.b  \n", NULL, STS_ENFORCE, 1, "a.b\n" },
	{ "empty lines", V "\n\r\n" E A M "\n\n", NULL, STS_ENFORCE, 604800,
	    "mail.example.com\n" },
	{ "bare CR ends nothing", "version: STSv1\rmode: enforce\r",
	    "line 1: not a key and a value", 0, 0, NULL },

	{ "mx by case and final dot", V E A "mx: Mail.Example.COM.\n", NULL,
	    STS_ENFORCE, 604800, "mail.example.com\n" },
	{ "mx as U-label", V E A "mx: m.b\xc3\xbc" "cher.example\n", NULL,
	    STS_ENFORCE, 604800, "m.xn--bcher-kva.example\n" },
	{ "star and U-label", V E A "mx: *.b\xc3\xbc" "cher.example\n", NULL,
	    STS_ENFORCE, 604800, "*.xn--bcher-kva.example\n" },
	{ "mx is an address", V E A "mx: 192.0.2.1\n",
	    "line 4: mx is not a host or *.domain", 0, 0, NULL },
	{ "mx is an address of IPv6", V E A "mx: 2001:db8::1\n",
	    "line 4: mx is not a host or *.domain", 0, 0, NULL },
	{ "mx is a star", V E A "mx: *\n",
	    "line 4: mx is not a host or *.domain", 0, 0, NULL },
	{ "part of a label", V E A "mx: m*.example.com\n",
	    "line 4: mx is not a host or *.domain", 0, 0, NULL },
	{ "star within", V E A "mx: a.*.example.com\n",
	    "line 4: mx is not a host or *.domain", 0, 0, NULL },
	{ "two stars", V E A "mx: *.*.example.com\n",
	    "line 4: mx is not a host or *.domain", 0, 0, NULL },
	{ "leading dot", V E A "mx: .example.com\n",
	    "line 4: mx is not a host or *.domain", 0, 0, NULL },
	{ "mx is empty", V E A "mx:\n",
	    "line 4: mx is not a host or *.domain", 0, 0, NULL },
	{ "two in a line", V E A "mx: a.example b.example\n",
	    "line 4: mx is not a host or *.domain", 0, 0, NULL },
};

START_TEST(parse)
{
	const struct row *r = &rows[_i];
	struct sts_policy p;
	struct fault f = { 0 };
	int rc = sts_policy_parse(span_str(r->text), &p, &f);

	if (r->wrong != NULL) {
		ck_assert_msg(rc == -1, "%s: was taken", r->name);
		ck_assert_msg(strcmp(f.text, r->wrong) == 0, "%s: %s", r->name,
		    f.text);
		return;
	}
	ck_assert_msg(rc == 0, "%s: %s", r->name, f.text);
	ck_assert_msg(p.mode == r->mode, "%s: %s", r->name,
	    sts_mode_name(p.mode));
	ck_assert_uint_eq(p.max_age, r->max_age);
	ck_assert_str_eq(buf_cstr(&p.mx), r->mx);
	sts_policy_free(&p);
}
END_TEST

START_TEST(nul_byte)
{
	struct sts_policy p;

	ck_assert_int_eq(sts_policy_parse(SPAN_LIT(V E A "mx: a.b\0.c\n"), &p,
	    NULL), -1);
}
END_TEST

/* 64 KiB is the most (sec 3.3), and that much is read. */
START_TEST(size)
{
	static char text[STS_POLICY_MAX + 1];
	size_t n = strlen(V E A), lines = 0;
	struct sts_policy p;

	memcpy(text, V E A, n);
	for (; n + 5 <= STS_POLICY_MAX; n += 5, lines++)
		memcpy(text + n, "mx:a\n", 5);
	memset(text + n, '\n', sizeof text - n);
	ck_assert_int_eq(sts_policy_parse(span_of(text, STS_POLICY_MAX), &p,
	    NULL), 0);
	ck_assert_uint_eq(p.nmx, lines);
	sts_policy_free(&p);
	ck_assert_int_eq(sts_policy_parse(span_of(text, sizeof text), &p, NULL),
	    -1);
}
END_TEST

static const struct match_row {
	const char	*patterns, *host;
	bool		 want;
} match_rows[] = {			/* sec 4.1 */
	{ "mx: mail.example.com\n", "mail.example.com", true },
	{ "mx: MAIL.example.com\n", "mail.example.com", true },
	{ "mx: mail.example.com\n", "example.com", false },
	{ "mx: example.com\n", "mail.example.com", false },
	{ "mx: *.example.com\n", "mail.example.com", true },
	{ "mx: *.example.com\n", "example.com", false },
	{ "mx: *.example.com\n", "foo.bar.example.com", false },
	{ "mx: *.example.com\n", "mail.badexample.com", false },
	{ "mx: *.example.com\n", "mailexample.com", false },
	{ "mx: *.com\n", "example.com", true },
	{ "mx: *.com\n", "com", false },
	{ "mx: a.example\nmx: *.b.example\n", "x.b.example", true },
	{ "mx: a.example\nmx: *.b.example\n", "b.example", false },
	{ "mx: a.example\nmx: b.example\n", "a.example\nb.example", false },
	{ "mx: a.example\n", "", false },
};

START_TEST(allows)
{
	const struct match_row *r = &match_rows[_i];
	struct sts_policy p;
	char text[200];

	(void)snprintf(text, sizeof text, V E A "%s", r->patterns);
	ck_assert_int_eq(sts_policy_parse(span_str(text), &p, NULL), 0);
	ck_assert_msg(sts_policy_allows(&p, span_str(r->host)) == r->want,
	    "%s at %s", r->host, r->patterns);
	sts_policy_free(&p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mtasts/policy");
	TCase *tc = tcase_create("policy");

	tcase_add_loop_test(tc, parse, 0, NELEM(rows));
	tcase_add_test(tc, nul_byte);
	tcase_add_test(tc, size);
	tcase_add_loop_test(tc, allows, 0, NELEM(match_rows));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
