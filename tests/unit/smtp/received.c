/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Fields that we write. */
#include "smtp/received.h"
#include "tests/unit/suite.h"

static struct smtp_received
example(void)
{
	struct smtp_received r = {
		.helo = SPAN_LIT("client.example"),
		.by = SPAN_LIT("mx1.example.org"), .ehlo = true,
		.level = LEVEL_CLEAR, .id = SPAN_LIT("abcdefghijklmnop"),
		.date = "Fri, 2 Jan 2026 04:04:05 +0100",
	};

	ck_assert(addr_parse_ip(SPAN_LIT("192.0.2.1"), &r.client));
	return r;
}

static void
check_text(const struct smtp_received *r, const char *want)
{
	struct buf out;

	buf_init(&out, 4096);
	ck_assert_int_eq(smtp_received_put(&out, r), 0);
	ck_assert_str_eq(buf_cstr(&out), want);
	buf_free(&out);
}

/* RFC 5321 sec 4.4 */
START_TEST(received_clear)
{
	struct smtp_received r = example();

	r.only_rcpt = SPAN_LIT("b@example.org");
	check_text(&r, "Received: from client.example ([192.0.2.1])\r\n"
	    "\tby mx1.example.org with ESMTP\r\n"
	    "\tid abcdefghijklmnop for <b@example.org>;\r\n"
	    "\tFri, 2 Jan 2026 04:04:05 +0100\r\n");
}
END_TEST

/* RFC 3848; IPv6 literal as in RFC 5321 sec 4.1.3; no `for` with many */
START_TEST(received_tls)
{
	struct tls_facts tls = { .version = "TLS1.3",
	    .cipher = "AES-256-GCM", .kx = "X25519", .spki = "none" };
	struct smtp_received r = example();

	r.tls = &tls;
	r.level = LEVEL_ENCRYPTED;
	ck_assert(addr_parse_ip(SPAN_LIT("2001:db8::1"), &r.client));
	check_text(&r, "Received: from client.example ([IPv6:2001:db8::1])\r\n"
	    "\tby mx1.example.org with ESMTPS\r\n"
	    "\t(TLS1.3 cipher=AES-256-GCM kx=X25519 level=encrypted)\r\n"
	    "\tid abcdefghijklmnop;\r\n"
	    "\tFri, 2 Jan 2026 04:04:05 +0100\r\n");
}
END_TEST

START_TEST(received_bounds)
{
	struct smtp_received r = example();
	struct buf small;

	buf_init(&small, 20);
	ck_assert_int_eq(smtp_received_put(&small, &r), -1);
	buf_free(&small);
}
END_TEST

/* RFC 3848, RFC 6531 sec 4.3 */
START_TEST(protocols)
{
	ck_assert_str_eq(smtp_protocol(false, false, false), "SMTP");
	ck_assert_str_eq(smtp_protocol(false, true, false), "SMTP");
	ck_assert_str_eq(smtp_protocol(false, true, true), "SMTP");
	ck_assert_str_eq(smtp_protocol(true, false, false), "ESMTP");
	ck_assert_str_eq(smtp_protocol(true, true, false), "ESMTPS");
	ck_assert_str_eq(smtp_protocol(true, false, true), "UTF8SMTP");
	ck_assert_str_eq(smtp_protocol(true, true, true), "UTF8SMTPS");
}
END_TEST

/* RFC 6409 sec 8.2, 8.3 */
START_TEST(missing)
{
	static const struct { const char *date, *id, *want; } rows[] = {
		{ NULL, "", "" },
		{ "Fri", "", "Date: Fri\r\n" },
		{ NULL, "abc", "Message-ID: <abc@mx.test>\r\n" },
		{ "Fri", "abc", "Date: Fri\r\nMessage-ID: <abc@mx.test>\r\n" },
	};
	struct buf out;

	buf_init(&out, 100);
	for (int i = 0; i < NELEM(rows); i++) {
		buf_reset(&out);
		ck_assert_int_eq(smtp_missing_put(&out, rows[i].date,
		    span_str(rows[i].id), SPAN_LIT("mx.test")), 0);
		ck_assert_str_eq(buf_cstr(&out), rows[i].want);
	}
	out.max = 10;
	ck_assert_int_eq(smtp_missing_put(&out, "Fri", SPAN_LIT("abc"),
	    SPAN_LIT("mx.test")), -1);
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtp received");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, received_clear);
	tcase_add_test(tc, received_tls);
	tcase_add_test(tc, received_bounds);
	tcase_add_test(tc, protocols);
	tcase_add_test(tc, missing);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
