/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Non-delivery reports: a golden text, and that nothing from outside can break
 * their form. */
#include <time.h>

#include "queue/bounce.h"
#include "tests/unit/suite.h"

#define ORIGINAL "From: a@example.org\r\nSubject: hi\r\n\r\nbody\r\n"

static struct bounce_rcpt rcpt = {
	.address = { "gone@example.net", 16 }, .dsn = { "5.1.1", 5 },
	.reply = { "550 5.1.1 no such user", 22 },
	.mx = { "mx.example.net", 14 },
};

static struct bounce
sample(void)
{
	return (struct bounce){
		.hostname = "mx1.example.org", .id = SPAN_LIT("aaaaaaaaaaaaaaaa"),
		.original_id = SPAN_LIT("bbbbbbbbbbbbbbbb"),
		.to = SPAN_LIT("a@example.org"), .arrived = 1767323045000,
		.now = 1767323105000, .rcpts = &rcpt, .nrcpts = 1,
		.original = SPAN_LIT(ORIGINAL), .whole = true,
	};
}

static void
setup(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
}

static const char golden[] =
    "Date: Fri, 2 Jan 2026 03:05:05 +0000\r\n"
    "From: Mail Delivery System <MAILER-DAEMON@mx1.example.org>\r\n"
    "To: <a@example.org>\r\n"
    "Subject: Undelivered mail returned to sender\r\n"
    "Message-ID: <aaaaaaaaaaaaaaaa@mx1.example.org>\r\n"
    "Auto-Submitted: auto-replied\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
    "    boundary=\"aaaaaaaaaaaaaaaa/mx1.example.org\"\r\n"
    "\r\n--aaaaaaaaaaaaaaaa/mx1.example.org\r\n"
    "Content-Type: text/plain; charset=us-ascii\r\n"
    "Content-Description: Notification\r\n"
    "\r\n"
    "This is the mail server at mx1.example.org.\r\n"
    "\r\n"
    "Your message could not be delivered to the recipients below.\r\n"
    "It will not be tried again.\r\n"
    "\r\n"
    "<gone@example.net>: host mx.example.net said:\r\n"
    "    550 5.1.1 no such user\r\n"
    "\r\n"
    "The message had the id bbbbbbbbbbbbbbbb here.\r\n"
    "\r\n--aaaaaaaaaaaaaaaa/mx1.example.org\r\n"
    "Content-Type: message/delivery-status\r\n"
    "Content-Description: Delivery report\r\n"
    "\r\n"
    "Reporting-MTA: dns; mx1.example.org\r\n"
    "X-Sealane-Queue-ID: bbbbbbbbbbbbbbbb\r\n"
    "Arrival-Date: Fri, 2 Jan 2026 03:04:05 +0000\r\n"
    "\r\n"
    "Final-Recipient: rfc822; gone@example.net\r\n"
    "Action: failed\r\n"
    "Status: 5.1.1\r\n"
    "Remote-MTA: dns; mx.example.net\r\n"
    "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
    "\r\n--aaaaaaaaaaaaaaaa/mx1.example.org\r\n"
    "Content-Type: message/rfc822\r\n"
    "Content-Description: Undelivered message\r\n"
    "Content-Transfer-Encoding: 7bit\r\n"
    "\r\n"
    ORIGINAL
    "\r\n--aaaaaaaaaaaaaaaa/mx1.example.org--\r\n";

START_TEST(whole_message)
{
	struct bounce b = sample();
	bool is_8bit = true;
	struct buf out;

	buf_init(&out, 65536);
	ck_assert_int_eq(bounce_write(&out, &b, &is_8bit), 0);
	ck_assert_str_eq(buf_cstr(&out), golden);
	ck_assert(!is_8bit);
	buf_free(&out);
}
END_TEST

static const struct {
	const char *name, *original;
	bool whole, is_8bit;
	const char *want, *absent;
} attachments[] = {
	{ "header only", "A: 1\r\nB: 2\r\n\r\nsecret\r\n", false, false,
	    "Content-Type: text/rfc822-headers\r\n"
	    "Content-Description: Header of the message\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n\r\nA: 1\r\nB: 2\r\n\r\n--",
	    "secret" },
	{ "header cut in a line", "A: 1\r\nB: 2222", false, false,
	    "\r\n\r\nA: 1\r\n\r\n--", "B: 2" },
	{ "nothing", "", false, false, "7bit\r\n\r\n\r\n--", NULL },
	{ "8-bit body", "A: 1\r\n\r\n\xc3\xa9\r\n", true, true,
	    "Encoding: 8bit\r\n\r\nA: 1\r\n\r\n\xc3\xa9\r\n", NULL },
};

START_TEST(attachment)
{
	struct bounce b = sample();
	bool is_8bit;
	struct buf out;

	buf_init(&out, 65536);
	b.original = span_str(attachments[_i].original);
	b.whole = attachments[_i].whole;
	ck_assert_int_eq(bounce_write(&out, &b, &is_8bit), 0);
	ck_assert_msg(strstr(buf_cstr(&out), attachments[_i].want) != NULL,
	    "%s: %s", attachments[_i].name, buf_cstr(&out));
	if (attachments[_i].absent != NULL)
		ck_assert_ptr_null(strstr(buf_cstr(&out), attachments[_i].absent));
	ck_assert_int_eq(is_8bit, attachments[_i].is_8bit);
	buf_free(&out);
}
END_TEST

/* Words of our own are not called a reply of an SMTP server, RFC 3464
 * sec 2.3.6; and an empty status is filled in. */
START_TEST(own_words)
{
	struct bounce_rcpt own = { .address = SPAN_LIT("x@example.net"),
	    .reply = SPAN_LIT("domain does not accept mail") };
	struct bounce b = sample();
	bool is_8bit;
	struct buf out;

	buf_init(&out, 65536);
	b.rcpts = &own;
	ck_assert_int_eq(bounce_write(&out, &b, &is_8bit), 0);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out),
	    "Status: 5.0.0\r\nDiagnostic-Code: x-sealane; domain"));
	ck_assert_ptr_null(strstr(buf_cstr(&out), "Remote-MTA"));
	buf_free(&out);
}
END_TEST

/* Each byte in each field that comes from outside: all lines stay lines that
 * we began, at most 998 bytes long and 7-bit. */
START_TEST(every_byte_everywhere)
{
	static char text[2000];
	struct bounce_rcpt evil;
	struct bounce b = sample();
	struct span rest;
	bool is_8bit;
	struct buf out;

	memset(text, 'w', sizeof text);
	text[0] = text[3] = text[1500] = (char)_i;
	evil = (struct bounce_rcpt){ span_of(text, 320), span_of(text, 11),
	    span_of(text, sizeof text), span_of(text, 255) };
	b.rcpts = &evil;
	b.to = span_of(text, 320);
	b.original = SPAN_NONE;
	buf_init(&out, 65536);
	ck_assert_int_eq(bounce_write(&out, &b, &is_8bit), 0);
	rest = buf_get(&out);
	while (rest.n > 0) {
		struct span line = span_cut(&rest, '\n');

		ck_assert(line.n > 0 && line.p[line.n - 1] == '\r');
		ck_assert_uint_le(line.n, 999);
		for (size_t i = 0; i + 1 < line.n; i++)
			ck_assert(line.p[i] >= ' ' && line.p[i] <= '~');
		ck_assert(line.p[0] != 'w' && line.p[0] != '?');
	}
	buf_free(&out);
}
END_TEST

START_TEST(full_buffer)
{
	struct bounce b = sample();
	bool is_8bit;
	struct buf out;

	buf_init(&out, 300);
	ck_assert_int_eq(bounce_write(&out, &b, &is_8bit), -1);
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue bounce");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, whole_message);
	tcase_add_loop_test(tc, attachment, 0, NELEM(attachments));
	tcase_add_test(tc, own_words);
	tcase_add_loop_test(tc, every_byte_everywhere, 0, 256);
	tcase_add_test(tc, full_buffer);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
