/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Paths of MAIL and RCPT: what is taken, in which spelling, what is not. */
#include <stdio.h>

#include "smtp/address.h"
#include "tests/unit/suite.h"

#define X10	"xxxxxxxxxx"
#define X60	X10 X10 X10 X10 X10 X10
#define L63	X60 "xxx"

static const struct row {
	const char	*path, *rfc;
	enum smtp_address_error error;
	enum smtp_address_kind kind;
	const char	*text, *domain, *rest;
} rows[] = {
	/* good */
	{ "<a@b.example>", "5321 4.1.2", 0, SMTP_MAILBOX, "a@b.example", "b.example", "" },
	{ "<A.b+c@B.Example> SIZE=1", "5321 2.4", 0, SMTP_MAILBOX, "A.b+c@b.example", "b.example", " SIZE=1" },
	{ "<!#$%&'*+-/=?^_`{|}~@x.example>", "5322 3.2.3", 0, SMTP_MAILBOX, "!#$%&'*+-/=?^_`{|}~@x.example", "x.example", "" },
	{ "<>", "5321 4.5.5", 0, SMTP_NULL, "", "", "" },
	{ "<>x", "5321 4.1.2", 0, SMTP_NULL, "", "", "x" },
	{ "<postmaster>", "5321 4.5.1", 0, SMTP_POSTMASTER, "postmaster", "", "" },
	{ "<PostMaster>", "5321 4.5.1", 0, SMTP_POSTMASTER, "PostMaster", "", "" },
	{ "<a@localhost>", "5321 2.3.5", 0, SMTP_MAILBOX, "a@localhost", "localhost", "" },
	{ "<a@xn--bcher-kva.example>", "5890 2.3.2.1", 0, SMTP_MAILBOX, "a@xn--bcher-kva.example", "xn--bcher-kva.example", "" },
	{ "<a@1.2.3.4.example>", "1123 2.1", 0, SMTP_MAILBOX, "a@1.2.3.4.example", "1.2.3.4.example", "" },
	{ "<a@" L63 ".example>", "1035 2.3.4", 0, SMTP_MAILBOX, "a@" L63 ".example", L63 ".example", "" },
	{ "<" X60 "xxxx@b.example>", "5321 4.5.3.1.1", 0, SMTP_MAILBOX, X60 "xxxx@b.example", "b.example", "" },
	/* one spelling */
	{ "<\"john\"@b.example>", "5321 4.1.2", 0, SMTP_MAILBOX, "john@b.example", "b.example", "" },
	{ "<\"jo\\hn\"@b.example>", "5321 4.1.2", 0, SMTP_MAILBOX, "john@b.example", "b.example", "" },
	{ "<\"a b\"@b.example>", "5321 4.1.2", 0, SMTP_MAILBOX, "\"a b\"@b.example", "b.example", "" },
	{ "<\"a>b\"@b.example>", "5321 4.1.2", 0, SMTP_MAILBOX, "\"a>b\"@b.example", "b.example", "" },
	{ "<\"a@c\"@b.example>", "5321 4.1.2", 0, SMTP_MAILBOX, "\"a@c\"@b.example", "b.example", "" },
	{ "<\"a\\\"b\\\\\"@b.example>", "5321 4.1.2", 0, SMTP_MAILBOX, "\"a\\\"b\\\\\"@b.example", "b.example", "" },
	{ "<\"\"@b.example>", "5321 4.1.2", 0, SMTP_MAILBOX, "\"\"@b.example", "b.example", "" },
	{ "<\"a..b\"@b.example>", "5321 4.1.2", 0, SMTP_MAILBOX, "\"a..b\"@b.example", "b.example", "" },
	{ "<\".\"@b.example>", "5321 4.1.2", 0, SMTP_MAILBOX, "\".\"@b.example", "b.example", "" },
	/* literals */
	{ "<a@[192.0.2.1]>", "5321 4.1.3", 0, SMTP_MAILBOX, "a@[192.0.2.1]", "[192.0.2.1]", "" },
	{ "<a@[IPv6:2001:DB8:0:0::1]>", "5321 4.1.3", 0, SMTP_MAILBOX, "a@[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]", "" },
	{ "<a@[ipv6:::1]>", "5321 4.1.3", 0, SMTP_MAILBOX, "a@[IPv6:::1]", "[IPv6:::1]", "" },
	{ "<a@[IPv6:::ffff:192.0.2.1]>", "5321 4.1.3", 0, SMTP_MAILBOX, "a@[192.0.2.1]", "[192.0.2.1]", "" },
	/* source routes are checked and ignored */
	{ "<@r.example:a@b.example>", "5321 4.1.1.3", 0, SMTP_MAILBOX, "a@b.example", "b.example", "" },
	{ "<@r.example,@[192.0.2.7],@q.example:a@b.example>", "5321 app C", 0, SMTP_MAILBOX, "a@b.example", "b.example", "" },
	{ "<@r.example,a@b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<@:a@b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<@r.example:@q.example:a@b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<@r.example:>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<@r.example", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	/* bad */
	{ "", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "a@b.example", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<a@b.example", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<<a@b.example>>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "< a@b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<a @b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<a b@b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<a@@b.example>", "5321 4.1.2", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<@b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<.a@b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<a.@b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<a..b@b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<a,b@b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<a\"b\"@b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<\"a\"b@b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<\"a@b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<\"a\tb\"@b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<\"a\rb\"@b.example>", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<\"a\\", "5321 4.1.2", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<user>", "5321 4.1.1.3", SMTP_ADDRESS_NO_DOMAIN, 0, NULL, NULL, NULL },
	{ "<\"postmaster \">", "5321 4.5.1", SMTP_ADDRESS_NO_DOMAIN, 0, NULL, NULL, NULL },
	{ "<" X60 "xxxxx@b.example>", "5321 4.5.3.1.1", SMTP_ADDRESS_LOCAL_LONG, 0, NULL, NULL, NULL },
	{ "<a@" X60 "." X60 "." X60 "." X60 ".xxxxxxxxx>", "5321 4.5.3.1.3", SMTP_ADDRESS_LONG, 0, NULL, NULL, NULL },
	{ "<a@" L63 "x.example>", "1035 2.3.4", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@>", "5321 4.1.2", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@.example>", "5321 4.1.2", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@b..example>", "5321 4.1.2", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@b.example.>", "5321 4.1.2", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@-b.example>", "5321 4.1.2", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@b-.example>", "5321 4.1.2", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@b_c.example>", "5321 4.1.2", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@192.0.2.1>", "5321 4.1.3", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@3232235777>", "5321 4.1.3", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@[192.0.2.256]>", "5321 4.1.3", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@[192.0.2.1>", "5321 4.1.3", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@[::1]>", "5321 4.1.3", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@[IPv6:192.0.2.1]>", "5321 4.1.3", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@[]>", "5321 4.1.3", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@[X-tag:y]>", "5321 4.1.3", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@b.example(c)>", "5321 4.1.2", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	/* beyond ASCII */
	{ "<j\xc3\xb6rg@b.example>", "6531 3.3", 0, SMTP_MAILBOX, "j\xc3\xb6rg@b.example", "b.example", "" },
	{ "<J\xc3\x96RG@b.example> SMTPUTF8", "6530 10.1", 0, SMTP_MAILBOX, "J\xc3\x96RG@b.example", "b.example", " SMTPUTF8" },
	{ "<\xe7\x94\xb2.\xf0\x9f\x93\xa7@b.example>", "6531 3.3", 0, SMTP_MAILBOX, "\xe7\x94\xb2.\xf0\x9f\x93\xa7@b.example", "b.example", "" },
	{ "<\"j\xc3\xb6\"@b.example>", "6531 3.3", 0, SMTP_MAILBOX, "j\xc3\xb6@b.example", "b.example", "" },
	{ "<\"j \xc3\xb6\"@b.example>", "6531 3.3", 0, SMTP_MAILBOX, "\"j \xc3\xb6\"@b.example", "b.example", "" },
	{ "<o\xcc\x88@b.example>", "6530 10.1", 0, SMTP_MAILBOX, "o\xcc\x88@b.example", "b.example", "" },
	{ "<a@b\xc3\xbc" "cher.example>", "5891 5.5", 0, SMTP_MAILBOX, "a@xn--bcher-kva.example", "xn--bcher-kva.example", "" },
	{ "<a@B\xc3\x9c" "CHER.Example>", "5895 2", 0, SMTP_MAILBOX, "a@xn--bcher-kva.example", "xn--bcher-kva.example", "" },
	{ "<a@bu\xcc\x88" "cher.example>", "5891 5.3", 0, SMTP_MAILBOX, "a@xn--bcher-kva.example", "xn--bcher-kva.example", "" },
	{ "<\xc3\xb6@x.\xe4\xbe\x8b\xe5\xad\x90>", "6531 3.3", 0, SMTP_MAILBOX, "\xc3\xb6@x.xn--fsqu00a", "x.xn--fsqu00a", "" },
	{ "<@b\xc3\xbc" "cher.example:a@b.example>", "6531 3.3", 0, SMTP_MAILBOX, "a@b.example", "b.example", "" },
	{ "<\xfc@b.example>", "3629 3", SMTP_ADDRESS_UTF8, 0, NULL, NULL, NULL },
	{ "<j\xc3@b.example>", "3629 3", SMTP_ADDRESS_UTF8, 0, NULL, NULL, NULL },
	{ "<\xc0\xae@b.example>", "3629 10", SMTP_ADDRESS_UTF8, 0, NULL, NULL, NULL },
	{ "<\xed\xa0\x80@b.example>", "3629 3", SMTP_ADDRESS_UTF8, 0, NULL, NULL, NULL },
	{ "<\xf4\x90\x80\x80@b.example>", "3629 3", SMTP_ADDRESS_UTF8, 0, NULL, NULL, NULL },
	{ "<a\xc2\x9b@b.example>", "5198 2", SMTP_ADDRESS_UTF8, 0, NULL, NULL, NULL },
	{ "<\"\\\xc3\xb6\"@b.example>", "6531 3.3", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<\xc3\xb6..a@b.example>", "6531 3.3", SMTP_ADDRESS_SYNTAX, 0, NULL, NULL, NULL },
	{ "<" X60 "xxx\xc3\xb6@b.example>", "6531 3.3", SMTP_ADDRESS_LOCAL_LONG, 0, NULL, NULL, NULL },
	{ "<a@b\xfc.example>", "3629 3", SMTP_ADDRESS_UTF8, 0, NULL, NULL, NULL },
	{ "<a@b\xc2\x85.example>", "5198 2", SMTP_ADDRESS_UTF8, 0, NULL, NULL, NULL },
	{ "<a@\xe2\x98\x83\xe2\x80\x8d.example>", "5892 A.2", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@192.0.2.\xef\xbc\x91>", "5321 4.1.3", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@b.example\xef\xbc\xa0" "c>", "5891 5.4", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<a@[\xc3\xb6]>", "5321 4.1.3", SMTP_ADDRESS_DOMAIN, 0, NULL, NULL, NULL },
	{ "<postm\xc3\xa4ster>", "5321 4.5.1", SMTP_ADDRESS_NO_DOMAIN, 0, NULL, NULL, NULL },
};

START_TEST(path_rows)
{
	const struct row *r = &rows[_i];
	struct span in = span_str(r->path), d;
	struct smtp_address a;
	enum smtp_address_error e = smtp_path_take(&in, &a);

	ck_assert_msg(e == r->error, "%s: error %d", r->path, (int)e);
	if (e != SMTP_ADDRESS_OK)
		return;
	ck_assert_int_eq(a.kind, r->kind);
	ck_assert_str_eq(a.text, r->text);
	ck_assert_uint_eq(a.n, strlen(r->text));
	d = smtp_address_domain(&a);
	ck_assert_msg(span_eq(d, span_str(r->domain)), "%s: domain %.*s",
	    r->path, SPAN_FMT(d));
	ck_assert_msg(span_eq(in, span_str(r->rest)), "%s: rest %.*s",
	    r->path, SPAN_FMT(in));
}
END_TEST

/* What came out goes in again and stays the same. */
START_TEST(path_is_stable)
{
	const struct row *r = &rows[_i];
	struct span in = span_str(r->path);
	char again[SMTP_MAILBOX_MAX + 3];
	struct smtp_address a, b;

	if (smtp_path_take(&in, &a) != SMTP_ADDRESS_OK)
		return;
	snprintf(again, sizeof again, "<%s>", a.text);
	in = span_str(again);
	ck_assert_int_eq(smtp_path_take(&in, &b), SMTP_ADDRESS_OK);
	ck_assert_str_eq(a.text, b.text);
	ck_assert_uint_eq(in.n, 0);
}
END_TEST

/* RFC 6531 sec 3.4: whoever writes anything beyond ASCII has to say SMTPUTF8,
 * also where we have another spelling for it. */
START_TEST(path_needs_utf8)
{
	static const struct { const char *path; bool utf8; } r[] = {
		{ "<a@b.example> \xc3\xb6", false },
		{ "<>", false },
		{ "<\xc3\xb6@b.example>", true },
		{ "<a@b\xc3\xbc" "cher.example>", true },
		{ "<a@xn--bcher-kva.example>", false },
		{ "<@b\xc3\xbc" "cher.example:a@b.example>", true },
		{ "<\"a>\xc3\xb6\"@b.example>", true },
	};

	for (int i = 0; i < NELEM(r); i++) {
		struct span in = span_str(r[i].path);
		struct smtp_address a;

		ck_assert_int_eq(smtp_path_take(&in, &a), SMTP_ADDRESS_OK);
		ck_assert_msg(a.utf8 == r[i].utf8, "%s", r[i].path);
	}
}
END_TEST

/* Any single byte in any place of a good path: no byte that could end a line,
 * a header or a log value ever comes out. */
START_TEST(path_every_byte)
{
	static const char base[] = "<\"a\"@[IPv6:::1]><b.c@d.example>";

	for (size_t at = 0; at < sizeof base - 1; at++) {
		char path[sizeof base];
		struct smtp_address a;
		struct span in;

		memcpy(path, base, sizeof base);
		path[at] = (char)_i;
		in = span_of(path, sizeof base - 1);
		if (at > 15)
			in = span_skip(in, 16);
		if (smtp_path_take(&in, &a) != SMTP_ADDRESS_OK)
			continue;
		for (size_t i = 0; i < a.n; i++)
			ck_assert(a.text[i] >= ' ' && a.text[i] < 0x7f);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtp address");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, path_rows, 0, NELEM(rows));
	tcase_add_loop_test(tc, path_is_stable, 0, NELEM(rows));
	tcase_add_test(tc, path_needs_utf8);
	tcase_add_loop_test(tc, path_every_byte, 0, 256);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
