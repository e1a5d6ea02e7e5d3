/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtp/ehlo.c - what counts as announced, and what was tampered
 * with, RFC 5321 sec 4.1.1.1. */
#include "smtp/ehlo.h"

#include <stdio.h>

#include "smtp/reply.h"
#include "tests/unit/suite.h"

static const struct row {
	const char	*lines, *rfc;
	unsigned	 caps;
	uint64_t	 size;
	const char	*mangled;	/* NULL: nothing is */
} rows[] = {
	{ "mx", "5321 4.1.1.1", 0, 0, NULL },
	{ "", "5321 4.1.1.1", 0, 0, NULL },
	{ "mx\nSTARTTLS", "3207 3", EHLO_STARTTLS, 0, NULL },
	{ "mx\nstarttls", "5321 4.1.1.1", EHLO_STARTTLS, 0, NULL },
	{ "mx\nStartTLS ", "5321 4.1.1.1", EHLO_STARTTLS, 0, NULL },
	{ "mx\n  STARTTLS", "5321 4.1.1.1", EHLO_STARTTLS, 0, NULL },
	{ "mx\n\tSTARTTLS\t", "5321 4.1.1.1", EHLO_STARTTLS, 0, NULL },
	{ "mx\nSTARTTLS  \t ", "5321 4.1.1.1", EHLO_STARTTLS, 0, NULL },
	{ "mx\nSTARTTLS\nsize 7\nSTARTTLS", "5321 4.1.1.1",
	    EHLO_STARTTLS | EHLO_SIZE, 7, NULL },
	/* a parameter of another keyword: ehlo-line is one keyword */
	{ "mx\nSIZE 1000 STARTTLS", "5321 4.1.1.1", EHLO_SIZE, 0, NULL },
	{ "mx STARTTLS\nSIZE 7", "5321 4.1.1.1", EHLO_SIZE, 7, NULL },
	{ "mx\nSTARTTLS required", "3207 3", EHLO_STARTTLS, 0, NULL },
	{ "mx\nSTARTTLS=1", "5321 4.1.1.1", EHLO_STARTTLS, 0, NULL },
	{ "mx\n\n\nSTARTTLS", "5321 4.1.1.1", EHLO_STARTTLS, 0, NULL },
	{ "\nSTARTTLS", "5321 4.1.1.1", EHLO_STARTTLS, 0, NULL },
	/* the first line is the host's name; some servers forget it */
	{ "STARTTLS\nSIZE", "5321 4.1.1.1",
	    EHLO_SIZE | EHLO_STARTTLS, 0, NULL },
	{ "starttls", "5321 4.1.1.1", EHLO_STARTTLS, 0, NULL },
	{ "starttls.example STARTTLS\nSIZE", "5321 4.1.1.1",
	    EHLO_SIZE, 0, NULL },
	{ "SIZE 5\nDSN\nSmtpUtf8\nCHUNKING", "5321 4.1.1.1",
	    EHLO_DSN | EHLO_SMTPUTF8 | EHLO_CHUNKING, 0, NULL },
	{ "mx\nrequiretls", "8689 2", EHLO_REQUIRETLS, 0, NULL },
	{ "mx\nAUTH=LOGIN STARTTLS\nX STARTTLS", "5321 4.1.1.1", 0, 0, NULL },
	{ "mx\nSTARTTLSX\nXSTARTTLS\nSTARTTL\nSTART TLS", "5321 4.1.1.1",
	    0, 0, NULL },
	{ "mx\nPIPELINING\nSIZE 1000\n8BITMIME\nENHANCEDSTATUSCODES\nSTARTTLS",
	    "5321 4.1.1.1",
	    EHLO_PIPELINING | EHLO_SIZE | EHLO_8BITMIME | EHLO_ENHANCED |
	    EHLO_STARTTLS, 1000, NULL },
	{ "mx\nsize\t10240000 ", "1870 3", EHLO_SIZE, 10240000, NULL },
	{ "mx\nSIZE=77", "1870 3", EHLO_SIZE, 77, NULL },
	{ "mx\nSIZE 0", "1870 3", EHLO_SIZE, 0, NULL },
	{ "mx\nSIZE", "1870 3", EHLO_SIZE, 0, NULL },
	{ "mx\nSIZE big", "1870 3", EHLO_SIZE, 0, NULL },
	{ "mx\nSIZE -1", "1870 3", EHLO_SIZE, 0, NULL },
	{ "mx\nSIZE 18446744073709551615", "1870 3",
	    EHLO_SIZE, UINT64_MAX, NULL },
	{ "mx\nSIZE 99999999999999999999999", "1870 3", EHLO_SIZE, 0, NULL },
	/* overwritten by somebody on the way */
	{ "mx\nXXXXXXXA", "3207 6", 0, 0, "XXXXXXXA" },
	{ "mx\n250\nXXXXXXXX\nSIZE", "3207 6", EHLO_SIZE, 0, "XXXXXXXX" },
	{ "mx\nxxxxxxxa", "3207 6", 0, 0, "xxxxxxxa" },
	{ "mx\n****", "3207 6", 0, 0, "****" },
	{ "mx\n********", "3207 6", 0, 0, "********" },
	{ "mx\n*******S", "3207 6", 0, 0, "*******S" },
	{ "mx\nXXXXXXXA\nSTARTTLS", "3207 6", EHLO_STARTTLS, 0, "XXXXXXXA" },
	{ "mx\nXFORWARD NAME\nX-EXPS LOGIN\nXXX\nXCLIENT\nX*X*X*X*",
	    "5321 4.1.5", 0, 0, NULL },
};

START_TEST(ehlo_rows)
{
	const struct row *r = &rows[_i];
	struct ehlo e;

	ehlo_parse(&e, span_str(r->lines));
	ck_assert_msg(e.caps == r->caps, "\"%s\" (RFC %s): caps %x",
	    r->lines, r->rfc, e.caps);
	ck_assert_msg(e.size_max == r->size, "\"%s\" (RFC %s): size %llu",
	    r->lines, r->rfc, (unsigned long long)e.size_max);
	ck_assert_msg(e.mangled == (r->mangled != NULL), "\"%s\" (RFC %s)",
	    r->lines, r->rfc);
	if (r->mangled != NULL)
		ck_assert_str_eq(e.mangled_word, r->mangled);
}
END_TEST

/* RFC 9422 sec 3 */
static const struct {
	const char	*lines, *rfc;
	unsigned	 mail, rcpt, domain;
} limits[] = {
	{ "mx\nLIMITS RCPTMAX=20 MAILMAX=5 RCPTDOMAINMAX=1", "9422 3",
	    5, 20, 1 },
	{ "mx\nlimits rcptmax=3", "9422 3", 0, 3, 0 },
	{ "mx\nLIMITS  FOO=1  MAILMAX=x RCPTMAX= RCPTMAX=7 BAR", "9422 3",
	    0, 7, 0 },
	{ "mx\nLIMITS MAILMAX=99999999999999999999 RCPTMAX=-1", "9422 3",
	    0, 0, 0 },
	{ "mx\nLIMITS", "9422 3", 0, 0, 0 },
};

START_TEST(ehlo_limits)
{
	struct ehlo e;

	ehlo_parse(&e, span_str(limits[_i].lines));
	ck_assert_uint_eq(e.caps, EHLO_LIMITS);
	ck_assert_uint_eq(e.mail_max, limits[_i].mail);
	ck_assert_uint_eq(e.rcpt_max, limits[_i].rcpt);
	ck_assert_uint_eq(e.domain_max, limits[_i].domain);
}
END_TEST

/* STARTTLS as the last of many lines, each of them long. */
START_TEST(ehlo_many_lines)
{
	struct ehlo e;
	struct reply r;
	size_t used;
	int i;

	reply_init(&r);
	for (i = 0; i < 500; i++) {
		char line[128];

		(void)snprintf(line, sizeof(line), "250-EXTENSION%d %090d\n",
		    i, i);
		ck_assert_int_eq(reply_feed(&r, span_str(line), &used),
		    REPLY_MORE);
	}
	ck_assert_int_eq(reply_feed(&r, SPAN_LIT("250 starttls\r\n"), &used),
	    REPLY_DONE);
	ehlo_parse(&e, buf_get(&r.lines));
	ck_assert_uint_eq(e.caps, EHLO_STARTTLS);
	reply_free(&r);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtp ehlo");
	TCase *tc = tcase_create("ehlo");

	tcase_add_loop_test(tc, ehlo_rows, 0, NELEM(rows));
	tcase_add_loop_test(tc, ehlo_limits, 0, NELEM(limits));
	tcase_add_test(tc, ehlo_many_lines);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
