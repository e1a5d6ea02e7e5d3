/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include <check.h>

#include "dns/name.h"
#include "tests/unit/suite.h"

#define L63	"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"
#define L253	L63 "." L63 "." L63					\
	".123456789.123456789.123456789.123456789.123456789.1234567890a"

static const struct row {
	const char	*rfc;
	const char *in, *want;		/* NULL: refused */
} rows[] = {
	{ "5321 2.3.5", "example.org", "example.org" },
	{ "1035 2.3.3", "Example.ORG", "example.org" },
	{ "1034 3.1", "example.org.", "example.org" },
	{ "5321 2.3.5", "localhost", "localhost" },			/* one label is a name */
	{ "5321 2.3.5", "_dmarc.example.org", "_dmarc.example.org" },
	{ "5321 2.3.5", "a--b.example", "a--b.example" },
	{ "5891 5", "xn--bcher-kva.example", "xn--bcher-kva.example" },
	{ "5891 5", "b\xc3\xbc" "cher.example", "xn--bcher-kva.example" },
	{ "5891 5", "B\xc3\x9c" "CHER.example", "xn--bcher-kva.example" },
	/* non-transitional: sharp s stays itself, RFC 5894 sec 7.2 */
	{ "5891 5", "fa\xc3\x9f.example", "xn--fa-hia.example" },
	{ "5891 5", "b\xc3\xbc" "cher\xe3\x80\x82" "example", "xn--bcher-kva.example" },
	{ "1035 2.3.4", L253, L253 },
	{ "1035 2.3.4", L253 ".", L253 },
	{ "5321 2.3.5", "", NULL },
	{ "1034 3.1", ".", NULL },
	{ "5321 2.3.5", "example..org", NULL },
	{ "5321 2.3.5", ".example.org", NULL },
	{ "5321 2.3.5", "example.org..", NULL },
	{ "1035 2.3.4", L63 "x.example", NULL },
	{ "1035 2.3.4", "x" L253, NULL },
	{ "1035 2.3.4", L63 "." L63 "." L63 "." L63, NULL },
	{ "5321 2.3.5", "exam ple.org", NULL },
	{ "5321 2.3.5", "example.org\n", NULL },
	{ "5321 2.3.5", "exam/ple.org", NULL },
	{ "5321 4.1.3", "[192.0.2.1]", NULL },
	{ "5321 2.3.5", "*.example.org", NULL },
	{ "5891 5", "\xff\xfe.example", NULL },			/* not UTF-8 */
	{ "5891 5", "a\xe2\x80\x8e" ".example\xff", NULL },
};

START_TEST(normalize)
{
	const struct row *r = &rows[_i];
	char out[DNS_NAME_SIZE] = "untouched";
	int rc = dns_name_normalize(span_str(r->in), out);

	if (r->want == NULL) {
		ck_assert_msg(rc == -1, "RFC %s: %s became %s", r->rfc, r->in,
		    out);
		ck_assert_str_eq(out, "");
		return;
	}
	ck_assert_msg(rc == 0, "RFC %s: %s was refused", r->rfc, r->in);
	ck_assert_str_eq(out, r->want);
	ck_assert(dns_name_valid(span_str(out)));
}
END_TEST

START_TEST(nul_byte)
{
	char out[DNS_NAME_SIZE];

	ck_assert_int_eq(dns_name_normalize(span_of("a\0b.org", 7), out), -1);
	ck_assert(!dns_name_valid(span_of("a\0b.org", 7)));
}
END_TEST

static const struct literal_row {
	const char *in, *want;
} literals[] = {		/* RFC 5321 sec 4.1.3 */
	{ "[192.0.2.1]", "192.0.2.1" },
	{ "[IPv6:2001:db8::1]", "2001:db8::1" },
	{ "[ipv6:2001:db8::1]", "2001:db8::1" },
	{ "[IPv6:::ffff:192.0.2.1]", "192.0.2.1" },	/* one spelling */
	{ "[2001:db8::1]", NULL },
	{ "[IPv6:192.0.2.1]", NULL },
	{ "192.0.2.1", NULL },
	{ "[192.0.2.1", NULL },
	{ "[192.0.2]", NULL },
	{ "[192.0.2.256]", NULL },
	{ "[]", NULL },
	{ "[", NULL },
	{ "", NULL },
	{ "[IPv6:]", NULL },
	{ "[example.org]", NULL },
	{ "[192.0.2.1]:25", NULL },
};

START_TEST(literal)
{
	const struct literal_row *r = &literals[_i];
	char text[ADDR_TEXT_SIZE];
	struct addr a = { 0 };
	bool is = dns_name_literal(span_str(r->in), &a);

	ck_assert_msg(is == (r->want != NULL), "%s", r->in);
	if (is)
		ck_assert_str_eq(addr_ip_text(&a, text), r->want);
}
END_TEST

START_TEST(numeric)
{
	ck_assert(dns_name_numeric(SPAN_LIT("192.0.2.1")));
	ck_assert(dns_name_numeric(SPAN_LIT("7")));
	ck_assert(dns_name_numeric(SPAN_LIT("mx.example.25")));
	ck_assert(!dns_name_numeric(SPAN_LIT("mx1.example.org")));
	ck_assert(!dns_name_numeric(SPAN_LIT("mx.example.a1")));
	ck_assert(!dns_name_numeric(SPAN_NONE));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("dns/name");
	TCase *tc = tcase_create("name");

	tcase_add_loop_test(tc, normalize, 0, NELEM(rows));
	tcase_add_test(tc, nul_byte);
	tcase_add_loop_test(tc, literal, 0, NELEM(literals));
	tcase_add_test(tc, numeric);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
