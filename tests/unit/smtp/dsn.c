/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Values of NOTIFY, ENVID and ORCPT. */
#include "smtp/dsn.h"
#include "tests/unit/suite.h"

#define BAD	255

static const struct {
	const char	*value, *rfc;
	uint8_t		 notify;
} notify[] = {
	{ "NEVER", "3461 4.1", NOTIFY_NEVER },
	{ "never", "3461 4.1", NOTIFY_NEVER },
	{ "SUCCESS", "3461 4.1", NOTIFY_SUCCESS },
	{ "SUCCESS,FAILURE", "3461 4.1", NOTIFY_SUCCESS | NOTIFY_FAILURE },
	{ "Delay,failure,SUCCESS", "3461 4.1",
	    NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY },
	{ "DELAY,DELAY", "3461 4.1", NOTIFY_DELAY },
	{ "NEVER,SUCCESS", "3461 4.1", BAD },
	{ "FAILURE,NEVER", "3461 4.1", BAD },
	{ "", "3461 4.1", BAD }, { ",", "3461 4.1", BAD },
	{ "SUCCESS,", "3461 4.1", BAD }, { ",SUCCESS", "3461 4.1", BAD },
	{ "SUCCESS, DELAY", "3461 4.1", BAD },
	{ "SUCCES", "3461 4.1", BAD }, { "SUCCESSS", "3461 4.1", BAD },
};

START_TEST(notify_rows)
{
	uint8_t got;
	bool ok = smtp_notify(span_str(notify[_i].value), &got);

	ck_assert_msg(ok == (notify[_i].notify != BAD), "'%s'",
	    notify[_i].value);
	if (ok)
		ck_assert_uint_eq(got, notify[_i].notify);
}
END_TEST

static const struct {
	const char	*value, *rfc, *decoded;
} envid[] = {
	{ "QQ314159", "3461 4.4", "QQ314159" },
	{ "a+2Bb+3Dc+20d", "3461 4", "a+b=c d" },
	{ "a+2bb", "3461 4", "a+b" },		/* small letters are taken */
	{ "+09", "3461 4.4", "\t" },
	{ "", "3461 4.4", NULL }, { "a+", "3461 4", NULL },
	{ "a+2", "3461 4", NULL }, { "a+2G", "3461 4", NULL },
	{ "a+G2", "3461 4", NULL }, { "a=b", "3461 4", NULL },
	{ "a b", "3461 4", NULL }, { "a\tb", "3461 4", NULL },
	{ "+00", "3461 4.4", NULL }, { "+0D+0A", "3461 4.4", NULL },
	{ "+7F", "3461 4.4", NULL }, { "+C3+BC", "3461 4.4", NULL },
	{ "\xc3\xbc", "3461 4", NULL },
};

START_TEST(envid_rows)
{
	char out[ENVELOPE_ENVID_MAX];
	size_t n = 0;
	bool ok = smtp_envid(span_str(envid[_i].value), out, &n);

	ck_assert_msg(ok == (envid[_i].decoded != NULL), "'%s'",
	    envid[_i].value);
	if (ok)
		ck_assert(span_eq(span_of(out, n),
		    span_str(envid[_i].decoded)));
}
END_TEST

static const struct {
	const char	*value, *rfc;
	bool		 raw;
	const char	*type, *address;	/* NULL: bad */
} orcpt[] = {
	{ "rfc822;bob@example.org", "3461 4.2", false, "rfc822",
	    "bob@example.org" },
	{ "RFC822;Bob+2Btag@example.org", "3461 4.2", false, "RFC822",
	    "Bob+tag@example.org" },
	{ "rfc822;+22a+20b+22@example.org", "3461 4.2", false, "rfc822",
	    "\"a b\"@example.org" },
	{ "x-uucp;host!user", "3461 4.2", false, "x-uucp", "host!user" },
	{ "rfc822;a;b", "3461 4.2", false, "rfc822", "a;b" },
	{ "rfc822", "3461 4.2", false, NULL, NULL },
	{ "rfc822;", "3461 4.2", false, NULL, NULL },
	{ ";bob@example.org", "3461 4.2", false, NULL, NULL },
	{ "a.b;bob", "3461 4.2", false, NULL, NULL },
	{ "a b;bob", "3461 4.2", false, NULL, NULL },
	{ "rfc822;a+0Ab", "3461 4.2", false, NULL, NULL },
	{ "rfc822;a+C3+BCb", "3461 4.2", false, NULL, NULL },
	{ "rfc822;a+b", "3461 4.2", false, NULL, NULL },
	{ "rfc822;m\xc3\xbcller@x", "3461 4.2", true, NULL, NULL },
	{ "rfc822;a+C3+BC+2Bb@x", "3461 4.2", true, "rfc822",
	    "a\xc3\xbc+b@x" },
	{ "rfc822;a+FC@x", "3629 3", true, NULL, NULL },
	{ "rfc822;a+C2+9B@x", "5198 2", true, NULL, NULL },

	{ "utf-8;m\\x{FC}ller@x.example", "6533 3", false, "utf-8",
	    "m\xc3\xbcller@x.example" },
	{ "UTF-8;\\x{4E2D}\\x{1F600}@x", "6533 3", false, "UTF-8",
	    "\xe4\xb8\xad\xf0\x9f\x98\x80@x" },
	{ "utf-8;m\xc3\xbcller@x", "6533 3", true, "utf-8",
	    "m\xc3\xbcller@x" },
	{ "utf-8;a\\x{2B}b\\x{3D}c\\x{5C}d\\x{20}e", "6533 3", true, "utf-8",
	    "a+b=c\\d e" },
	{ "utf-8;m\xc3\xbcller@x", "6533 3", false, NULL, NULL },
	{ "utf-8;m\xfcller@x", "6533 3", true, NULL, NULL },
	{ "utf-8;a+2Bb@x", "6533 3", true, NULL, NULL },
	{ "utf-8;a\\b", "6533 3", true, NULL, NULL },
	{ "utf-8;a\\x{}", "6533 3", true, NULL, NULL },
	{ "utf-8;a\\x{FC", "6533 3", true, NULL, NULL },
	{ "utf-8;a\\x{D800}", "6533 3", true, NULL, NULL },
	{ "utf-8;a\\x{110000}", "6533 3", true, NULL, NULL },
	{ "utf-8;a\\x{0000041}", "6533 3", true, NULL, NULL },
	{ "utf-8;a\\x{A}b", "6533 3", true, NULL, NULL },
	{ "utf-8;a\\x{85}b", "6533 3", true, NULL, NULL },
	{ "utf-8;a\xc2\x85" "b", "6533 3", true, NULL, NULL },
	{ "utf-8;", "6533 3", true, NULL, NULL },
};

START_TEST(orcpt_rows)
{
	struct smtp_orcpt o;
	bool ok = smtp_orcpt(span_str(orcpt[_i].value), orcpt[_i].raw, &o);

	ck_assert_msg(ok == (orcpt[_i].type != NULL), "'%s'",
	    orcpt[_i].value);
	if (!ok)
		return;
	ck_assert(span_eq(o.type, span_str(orcpt[_i].type)));
	ck_assert(span_eq(span_of(o.address, o.n),
	    span_str(orcpt[_i].address)));
}
END_TEST

START_TEST(bounds)
{
	char value[ENVELOPE_ORCPT_MAX + 2], out[ENVELOPE_ENVID_MAX];
	struct smtp_orcpt o;
	size_t n;

	memset(value, 'a', sizeof value);
	ck_assert(smtp_envid(span_of(value, ENVELOPE_ENVID_MAX), out, &n));
	ck_assert_uint_eq(n, ENVELOPE_ENVID_MAX);
	ck_assert(!smtp_envid(span_of(value, ENVELOPE_ENVID_MAX + 1), out,
	    &n));
	value[1] = ';';
	ck_assert(smtp_orcpt(span_of(value, ENVELOPE_ORCPT_MAX), false, &o));
	ck_assert_uint_eq(o.n, ENVELOPE_ORCPT_MAX - 2);
	ck_assert(!smtp_orcpt(span_of(value, ENVELOPE_ORCPT_MAX + 1), false,
	    &o));
}
END_TEST

/* RFC 6533 sec 3: what is written can be read. */
START_TEST(utf8_xtext)
{
	static const struct { const char *text, *put; } r[] = {
		{ "bob@example.org", "bob@example.org" },
		{ "m\xc3\xbcller+x=\\ y\x7f",
		    "m\\x{FC}ller\\x{2B}x\\x{3D}\\x{5C}\\x{20}y\\x{7F}" },
		{ "\xf0\x9f\x98\x80", "\\x{1F600}" },
		{ "\xff.", "?." },
	};
	struct buf b;

	for (int i = 0; i < NELEM(r); i++) {
		buf_init(&b, 1000);
		smtp_utf8_xtext_put(&b, span_str(r[i].text));
		ck_assert_str_eq(buf_cstr(&b), r[i].put);
		buf_free(&b);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtp dsn");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, notify_rows, 0, NELEM(notify));
	tcase_add_loop_test(tc, envid_rows, 0, NELEM(envid));
	tcase_add_loop_test(tc, orcpt_rows, 0, NELEM(orcpt));
	tcase_add_test(tc, bounds);
	tcase_add_test(tc, utf8_xtext);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
