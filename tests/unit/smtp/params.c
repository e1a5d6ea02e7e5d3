/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Parameters of MAIL and RCPT, and the names in EHLO and HELO. */
#include "smtp/helo.h"
#include "smtp/params.h"
#include "tests/unit/suite.h"

static const struct {
	const char	*rest, *rfc;
	enum smtp_params_error error;
	uint64_t	 size;
	bool		 has_size, eight;
} mail[] = {
	{ "", "5321 4.1.1.2", 0, 0, false, false },
	{ "   ", "5321 4.1.1.2", 0, 0, false, false },
	{ " SIZE=12345", "1870 4", 0, 12345, true, false },
	{ " size=0", "1870 6.1", 0, 0, true, false },
	{ " SIZE=1 BODY=8BITMIME", "6152 2", 0, 1, true, true },
	{ "  BODY=7bit  SIZE=2 ", "6152 2", 0, 2, true, false },
	{ " SIZE=18446744073709551615", "1870 3", 0, UINT64_MAX, true, false },
	{ " SIZE=99999999999999999999", "1870 3", 0, UINT64_MAX, true, false },
	{ " SIZE=999999999999999999999", "1870 3", SMTP_PARAMS_VALUE, 0, false, false },
	{ " SIZE", "1870 4", SMTP_PARAMS_VALUE, 0, false, false },
	{ " SIZE=", "5321 4.1.2", SMTP_PARAMS_SYNTAX, 0, false, false },
	{ " SIZE=-1", "1870 4", SMTP_PARAMS_VALUE, 0, false, false },
	{ " SIZE=1x", "1870 4", SMTP_PARAMS_VALUE, 0, false, false },
	{ " SIZE=1 SIZE=1", "5321 4.1.2", SMTP_PARAMS_SYNTAX, 0, false, false },
	{ " BODY=8BITMIME BODY=7BIT", "6152 2", SMTP_PARAMS_SYNTAX, 0, false, false },
	{ " BODY", "6152 2", SMTP_PARAMS_VALUE, 0, false, false },
	{ " BODY=BINARYMIME", "3030 3", SMTP_PARAMS_VALUE, 0, false, false },
	{ " SMTPUTF8", "6531 3.4", SMTP_PARAMS_UNKNOWN, 0, false, false },
	{ " RET=HDRS", "5321 4.1.1.11", SMTP_PARAMS_UNKNOWN, 0, false, false },
	{ "SIZE=1", "5321 4.1.1.2", SMTP_PARAMS_SYNTAX, 0, false, false },
	{ " =1", "5321 4.1.2", SMTP_PARAMS_SYNTAX, 0, false, false },
	{ " -X=1", "5321 4.1.2", SMTP_PARAMS_SYNTAX, 0, false, false },
	{ " SIZE=1=2", "5321 4.1.2", SMTP_PARAMS_SYNTAX, 0, false, false },
	{ " SIZE=1\tBODY=7BIT", "5321 4.1.2", SMTP_PARAMS_SYNTAX, 0, false, false },
};

START_TEST(mail_rows)
{
	struct smtp_mail_params p;
	enum smtp_params_error e = smtp_mail_params(span_str(mail[_i].rest), &p);

	ck_assert_msg(e == mail[_i].error, "'%s': %d", mail[_i].rest, (int)e);
	if (e != SMTP_PARAMS_OK)
		return;
	ck_assert_uint_eq(p.size, mail[_i].size);
	ck_assert_int_eq(p.has_size, mail[_i].has_size);
	ck_assert_int_eq((p.flags & ENVELOPE_8BIT) != 0, mail[_i].eight);
}
END_TEST

START_TEST(rcpt_rows)
{
	static const struct { const char *rest; enum smtp_params_error e; } r[] = {
		{ "", SMTP_PARAMS_OK }, { "  ", SMTP_PARAMS_OK },
		{ " NOTIFY=NEVER", SMTP_PARAMS_UNKNOWN },
		{ "x", SMTP_PARAMS_SYNTAX }, { " *", SMTP_PARAMS_SYNTAX },
	};

	for (int i = 0; i < NELEM(r); i++)
		ck_assert_int_eq(smtp_rcpt_params(span_str(r[i].rest)), r[i].e);
}
END_TEST

START_TEST(helo_rows)
{
	static const struct { const char *arg, *name; } r[] = {
		{ "mx.example.org", "mx.example.org" },
		{ "  mx.example.org ", "mx.example.org" },
		{ "MY_PC", "MY_PC" },			/* RFC 5321 sec 4.1.4 */
		{ "192.0.2.1", "192.0.2.1" }, { "::1", "::1" },
		{ "[192.0.2.1]", "[192.0.2.1]" },	/* RFC 5321 sec 4.1.3 */
		{ "[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]" },
		{ "[fe80::1%eth0]", "[fe80::1%eth0]" },	/* RFC 5321 sec 4.1.4 */
		{ "", NULL }, { "  ", NULL }, { "[]", NULL }, { "[192.0.2.1", NULL },
		{ "192.0.2.1]", NULL }, { "fe80::1%eth0", NULL }, { "[a b]", NULL },
		{ "a b", NULL }, { "a(b)", NULL }, { "a;b", NULL },
		{ "a<b", NULL }, { "a\tb", NULL }, { "m\xc3\xbcx", NULL },
		{ "a\"", NULL }, { "a\\", NULL }, { "a@b", NULL },
	};
	char longest[SMTP_HELO_MAX + 2];
	struct span name;

	for (int i = 0; i < NELEM(r); i++) {
		bool ok = smtp_helo(span_str(r[i].arg), &name);

		ck_assert_msg(ok == (r[i].name != NULL), "'%s'", r[i].arg);
		if (ok)
			ck_assert(span_eq(name, span_str(r[i].name)));
	}
	memset(longest, 'a', sizeof longest);
	ck_assert(smtp_helo(span_of(longest, SMTP_HELO_MAX), &name));
	ck_assert(!smtp_helo(span_of(longest, SMTP_HELO_MAX + 1), &name));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtp params");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, mail_rows, 0, NELEM(mail));
	tcase_add_test(tc, rcpt_rows);
	tcase_add_test(tc, helo_rows);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
