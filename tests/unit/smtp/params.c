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
	{ " SMTPUTF8", "6531 3.4", 0, 0, false, false },
	{ " smtputf8 SIZE=7 BODY=8BITMIME", "6531 3.4", 0, 7, true, true },
	{ " REQUIRETLS", "8689 2", 0, 0, false, false },
	{ " REQUIRETLS=x", "8689 2", SMTP_PARAMS_VALUE, 0, false, false },
	{ " requiretls REQUIRETLS", "5321 4.1.2", SMTP_PARAMS_SYNTAX, 0, false, false },
	{ " SMTPUTF8=", "6531 3.4", SMTP_PARAMS_SYNTAX, 0, false, false },
	{ " SMTPUTF8=YES", "6531 3.4", SMTP_PARAMS_VALUE, 0, false, false },
	{ " SMTPUTF8 SMTPUTF8", "5321 4.1.2", SMTP_PARAMS_SYNTAX, 0, false, false },
	{ " SMTPUTF8 ENVID=\xc3\xbc", "3461 4.4", SMTP_PARAMS_VALUE, 0, false, false },
	{ " AUTH=<>", "5321 4.1.1.11", SMTP_PARAMS_UNKNOWN, 0, false, false },
	{ " RET=HDRS RET=FULL", "3461 4.3", SMTP_PARAMS_SYNTAX, 0, false, false },
	{ " RET=BODY", "3461 4.3", SMTP_PARAMS_VALUE, 0, false, false },
	{ " RET", "3461 4.3", SMTP_PARAMS_VALUE, 0, false, false },
	{ " ENVID=a ENVID=b", "3461 4.4", SMTP_PARAMS_SYNTAX, 0, false, false },
	{ " ENVID=a+", "3461 4.4", SMTP_PARAMS_VALUE, 0, false, false },
	{ " ENVID=\xc3\xbc", "3461 4.4", SMTP_PARAMS_SYNTAX, 0, false, false },
	{ " ENVID", "3461 4.4", SMTP_PARAMS_VALUE, 0, false, false },
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

/* RFC 6531 sec 3.4 */
START_TEST(mail_utf8)
{
	struct smtp_mail_params p;

	ck_assert_int_eq(smtp_mail_params(SPAN_LIT(" SIZE=1"), &p), 0);
	ck_assert_uint_eq(p.flags, 0);
	ck_assert_int_eq(smtp_mail_params(
	    SPAN_LIT(" BODY=8BITMIME SMTPUTF8"), &p), 0);
	ck_assert_uint_eq(p.flags, ENVELOPE_8BIT | ENVELOPE_SMTPUTF8);
	/* RFC 8689 sec 2 */
	ck_assert_int_eq(smtp_mail_params(SPAN_LIT(" RequireTLS"), &p), 0);
	ck_assert_uint_eq(p.flags, ENVELOPE_REQUIRETLS);
}
END_TEST

/* RFC 3461 sec 4.3 and 4.4 */
START_TEST(mail_dsn)
{
	struct smtp_mail_params p;

	ck_assert_int_eq(smtp_mail_params(
	    SPAN_LIT(" ret=hdrs BODY=8BITMIME ENVID=QQ+2B1"), &p), 0);
	ck_assert_uint_eq(p.flags, ENVELOPE_8BIT | ENVELOPE_RET_HDRS);
	ck_assert(span_eq(p.envid, SPAN_LIT("QQ+2B1")));
	ck_assert_int_eq(smtp_mail_params(SPAN_LIT(" RET=FULL"), &p), 0);
	ck_assert_uint_eq(p.flags, ENVELOPE_RET_FULL);
	ck_assert_uint_eq(p.envid.n, 0);
}
END_TEST

static const struct {
	const char	*rest, *rfc;
	uint16_t	 flags;
	enum smtp_params_error e;
	uint8_t		 notify;
	const char	*orcpt;
} rcpt[] = {
	{ "", "5321 4.1.1.3", 0, SMTP_PARAMS_OK, 0, "" },
	{ "  ", "5321 4.1.1.3", 0, SMTP_PARAMS_OK, 0, "" },
	{ " NOTIFY=NEVER", "3461 4.1", 0, SMTP_PARAMS_OK, NOTIFY_NEVER, "" },
	{ " orcpt=rfc822;a+2Bb@x notify=delay,success", "3461 4.2", 0,
	    SMTP_PARAMS_OK, NOTIFY_DELAY | NOTIFY_SUCCESS, "rfc822;a+2Bb@x" },
	{ " ORCPT=utf-8;m\xc3\xbc@x", "6533 3", ENVELOPE_SMTPUTF8,
	    SMTP_PARAMS_OK, 0, "utf-8;m\xc3\xbc@x" },
	{ " ORCPT=utf-8;m\xc3\xbc@x", "6531 3.3", 0, SMTP_PARAMS_SYNTAX, 0, "" },
	{ " ORCPT=utf-8;m\xfc@x", "6531 3.3", ENVELOPE_SMTPUTF8,
	    SMTP_PARAMS_SYNTAX, 0, "" },
	{ " ORCPT=rfc822", "3461 4.2", 0, SMTP_PARAMS_VALUE, 0, "" },
	{ " ORCPT", "3461 4.2", 0, SMTP_PARAMS_VALUE, 0, "" },
	{ " ORCPT=a;b ORCPT=a;b", "3461 4.2", 0, SMTP_PARAMS_SYNTAX, 0, "" },
	{ " NOTIFY=NEVER NOTIFY=NEVER", "3461 4.1", 0, SMTP_PARAMS_SYNTAX, 0, "" },
	{ " NOTIFY=NEVER,DELAY", "3461 4.1", 0, SMTP_PARAMS_VALUE, 0, "" },
	{ " NOTIFY", "3461 4.1", 0, SMTP_PARAMS_VALUE, 0, "" },
	{ " NOTIFY=", "5321 4.1.2", 0, SMTP_PARAMS_SYNTAX, 0, "" },
	{ " RET=FULL", "3461 4.3", 0, SMTP_PARAMS_UNKNOWN, 0, "" },
	{ "x", "5321 4.1.2", 0, SMTP_PARAMS_SYNTAX, 0, "" },
	{ " *", "5321 4.1.2", 0, SMTP_PARAMS_SYNTAX, 0, "" },
};

START_TEST(rcpt_rows)
{
	struct smtp_rcpt_params p;
	enum smtp_params_error e = smtp_rcpt_params(span_str(rcpt[_i].rest),
	    rcpt[_i].flags, &p);

	ck_assert_msg(e == rcpt[_i].e, "'%s': %d", rcpt[_i].rest, (int)e);
	if (e != SMTP_PARAMS_OK)
		return;
	ck_assert_uint_eq(p.notify, rcpt[_i].notify);
	ck_assert(span_eq(p.orcpt, span_str(rcpt[_i].orcpt)));
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
	tcase_add_test(tc, mail_utf8);
	tcase_add_test(tc, mail_dsn);
	tcase_add_loop_test(tc, rcpt_rows, 0, NELEM(rcpt));
	tcase_add_test(tc, helo_rows);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
