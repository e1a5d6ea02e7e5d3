/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/report.c - reports as they are sent: RFC 3464, 6522, 6533. */
#include <stdlib.h>

#include "queue/report.h"
#include "tests/unit/suite.h"

static const struct report_rcpt failed[] = {
	{ REPORT_FAILED, SPAN_LIT("a@one.example"),
	    SPAN_LIT("rfc822;first+2Bx@old.example"), SPAN_LIT("5.1.1"),
	    SPAN_LIT("550 5.1.1 no such user"), SPAN_LIT("mx.one.example"),
	    1767323044000 },
	{ REPORT_EXPIRED, SPAN_LIT("b@two.example"), SPAN_LIT(""),
	    SPAN_LIT("4.4.1"), SPAN_LIT("connection refused"),
	    SPAN_LIT("mx.two.example"), 1767323043000 },
};

static const struct report_rcpt delayed[] = {
	{ REPORT_DELAYED, SPAN_LIT("b@two.example"), SPAN_LIT(""),
	    SPAN_LIT("4.4.1"), SPAN_LIT("connection refused"),
	    SPAN_LIT("mx.two.example"), 1767323043000 },
	{ REPORT_DELAYED, SPAN_LIT("c@two.example"), SPAN_LIT(""),
	    SPAN_LIT(""), SPAN_LIT("no attempt was made"), SPAN_LIT(""), 0 },
};

static const struct report_rcpt succeeded[] = {
	{ REPORT_DELIVERED, SPAN_LIT("a@one.example"), SPAN_LIT(""),
	    SPAN_LIT("2.1.5"), SPAN_LIT("250 2.1.5 saved"),
	    SPAN_LIT("lmtp.one.example"), 1767323044000 },
	{ REPORT_RELAYED, SPAN_LIT("b@two.example"), SPAN_LIT(""),
	    SPAN_LIT(""), SPAN_LIT("250 queued"), SPAN_LIT("mx.two.example"),
	    1767323044000 },
};

static struct report
golden(const struct report_rcpt *rcpts, size_t n)
{
	return (struct report){ .hostname = "mx1.example.org",
	    .id = "bbbbbbbbbbbbbbbb", .now = 1767323045000,
	    .original_id = "aaaaaaaaaaaaaaaa", .arrived = 1767319445000,
	    .until = 1767751445000, .sender = SPAN_LIT("s@client.example"),
	    .envid = SPAN_NONE, .envelope = ENVELOPE_RET_FULL, .rcpts = rcpts,
	    .nrcpts = n, .whole = true, .original =
	    SPAN_LIT("Subject: hello\r\n\r\nline\r\n") };
}

#define HEAD(subject)							\
    "Date: Fri, 2 Jan 2026 03:04:05 +0000\r\n"				\
    "From: Mail Delivery System <MAILER-DAEMON@mx1.example.org>\r\n"	\
    "To: <s@client.example>\r\n"					\
    "Subject: " subject "\r\n"						\
    "Message-ID: <bbbbbbbbbbbbbbbb@mx1.example.org>\r\n"		\
    "Auto-Submitted: auto-replied\r\n"					\
    "MIME-Version: 1.0\r\n"						\
    "Content-Type: multipart/report; report-type=delivery-status;\r\n"	\
    "\tboundary=\"=_bbbbbbbbbbbbbbbb\"\r\n"				\
    "Content-Transfer-Encoding: 7bit\r\n"				\
    "\r\n"								\
    "This is a MIME message about the delivery of mail.\r\n"
#define PART(type)							\
    "\r\n"								\
    "--=_bbbbbbbbbbbbbbbb\r\n"						\
    "Content-Type: " type "\r\n"					\
    "Content-Transfer-Encoding: 7bit\r\n"				\
    "\r\n"
#define WORDS								\
    PART("text/plain; charset=us-ascii")				\
    "This is the mail system at mx1.example.org.\r\n"			\
    "\r\n"
#define MESSAGE_FIELDS							\
    "Reporting-MTA: dns; mx1.example.org\r\n"				\
    "Arrival-Date: Fri, 2 Jan 2026 02:04:05 +0000\r\n"			\
    "X-Sealane-Message-Id: aaaaaaaaaaaaaaaa\r\n"
#define HEADERS								\
    PART("text/rfc822-headers")						\
    "Subject: hello\r\n"
#define END								\
    "\r\n"								\
    "--=_bbbbbbbbbbbbbbbb--\r\n"

static const char failed_text[] =
    HEAD("Undelivered mail returned to sender")
    WORDS
    "Your message of Fri, 2 Jan 2026 02:04:05 +0000\r\n"
    "could not be delivered to the recipient below. "
    "It is not tried any more.\r\n"
    "\r\n"
    "<a@one.example>:\r\n"
    "    mx.one.example said:\r\n"
    "    550 5.1.1 no such user\r\n"
    "\r\n"
    "Your message of Fri, 2 Jan 2026 02:04:05 +0000\r\n"
    "was tried for too long for the recipient below. "
    "It is not tried any more.\r\n"
    "\r\n"
    "<b@two.example>:\r\n"
    "    connection refused\r\n"
    "\r\n"
    PART("message/delivery-status")
    "Original-Envelope-Id: QQ+314159\r\n"
    MESSAGE_FIELDS
    "\r\n"
    "Original-Recipient: rfc822; first+x@old.example\r\n"
    "Final-Recipient: rfc822; a@one.example\r\n"
    "Action: failed\r\n"
    "Status: 5.1.1\r\n"
    "Remote-MTA: dns; mx.one.example\r\n"
    "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
    "Last-Attempt-Date: Fri, 2 Jan 2026 03:04:04 +0000\r\n"
    "\r\n"
    "Final-Recipient: rfc822; b@two.example\r\n"
    "Action: failed\r\n"
    "Status: 4.4.7\r\n"
    "Diagnostic-Code: x-sealane; connection refused\r\n"
    "Last-Attempt-Date: Fri, 2 Jan 2026 03:04:03 +0000\r\n"
    PART("message/rfc822")
    "Subject: hello\r\n"
    "\r\n"
    "line\r\n"
    END;

static const char delayed_text[] =
    HEAD("Delayed mail, still being tried")
    WORDS
    "Your message of Fri, 2 Jan 2026 02:04:05 +0000\r\n"
    "could not be delivered yet to the recipients below.\r\n"
    "It is tried until Wed, 7 Jan 2026 02:04:05 +0000;\r\n"
    "there is no need to send it again.\r\n"
    "\r\n"
    "<b@two.example>:\r\n"
    "    connection refused\r\n"
    "\r\n"
    "<c@two.example>:\r\n"
    "    no attempt was made\r\n"
    "\r\n"
    PART("message/delivery-status")
    MESSAGE_FIELDS
    "\r\n"
    "Final-Recipient: rfc822; b@two.example\r\n"
    "Action: delayed\r\n"
    "Status: 4.4.1\r\n"
    "Diagnostic-Code: x-sealane; connection refused\r\n"
    "Last-Attempt-Date: Fri, 2 Jan 2026 03:04:03 +0000\r\n"
    "Will-Retry-Until: Wed, 7 Jan 2026 02:04:05 +0000\r\n"
    "\r\n"
    "Final-Recipient: rfc822; c@two.example\r\n"
    "Action: delayed\r\n"
    "Status: 4.0.0\r\n"
    "Diagnostic-Code: x-sealane; no attempt was made\r\n"
    "Will-Retry-Until: Wed, 7 Jan 2026 02:04:05 +0000\r\n"
    HEADERS
    END;

static const char succeeded_text[] =
    HEAD("Delivered mail")
    WORDS
    "Your message of Fri, 2 Jan 2026 02:04:05 +0000\r\n"
    "was delivered to the recipient below.\r\n"
    "\r\n"
    "<a@one.example>:\r\n"
    "    lmtp.one.example said:\r\n"
    "    250 2.1.5 saved\r\n"
    "\r\n"
    "Your message of Fri, 2 Jan 2026 02:04:05 +0000\r\n"
    "was passed on for the recipient below, to a mail system that does\r\n"
    "not report deliveries.\r\n"
    "\r\n"
    "<b@two.example>:\r\n"
    "    mx.two.example said:\r\n"
    "    250 queued\r\n"
    "\r\n"
    PART("message/delivery-status")
    MESSAGE_FIELDS
    "\r\n"
    "Final-Recipient: rfc822; a@one.example\r\n"
    "Action: delivered\r\n"
    "Status: 2.1.5\r\n"
    "Remote-MTA: dns; lmtp.one.example\r\n"
    "Diagnostic-Code: smtp; 250 2.1.5 saved\r\n"
    "Last-Attempt-Date: Fri, 2 Jan 2026 03:04:04 +0000\r\n"
    "\r\n"
    "Final-Recipient: rfc822; b@two.example\r\n"
    "Action: relayed\r\n"
    "Status: 2.0.0\r\n"
    "Remote-MTA: dns; mx.two.example\r\n"
    "Diagnostic-Code: smtp; 250 queued\r\n"
    "Last-Attempt-Date: Fri, 2 Jan 2026 03:04:04 +0000\r\n"
    HEADERS
    END;

static const struct {
	const struct report_rcpt *rcpts;
	const char	*envid, *text;
} goldens[] = {
	{ failed, "QQ+2B314159", failed_text },
	{ delayed, "", delayed_text },
	{ succeeded, "", succeeded_text },
};

START_TEST(golden_texts)
{
	struct report n = golden(goldens[_i].rcpts, 2);
	uint16_t envelope = 0xffff;
	struct buf out;

	setenv("TZ", "UTC", 1);
	n.envid = span_str(goldens[_i].envid);
	buf_init(&out, REPORT_MAX);
	ck_assert_uint_eq(report_build(&out, &n, &envelope), 2);
	ck_assert_str_eq(buf_cstr(&out), goldens[_i].text);
	ck_assert_uint_eq(envelope, 0);
	buf_free(&out);
}
END_TEST

/* Every byte in every field that comes from outside: no line of ours is
 * broken, no 8-bit byte gets into a part that is said to be 7bit. */
START_TEST(neutralises)
{
	char text[16] = "x?y\r\nBcc: z@z";
	struct report_rcpt r = { .action = REPORT_FAILED };
	struct report n = golden(&r, 1);
	struct buf out, clean;
	uint16_t envelope;

	n.original = SPAN_LIT("Subject: s\r\n\r\n");
	buf_init(&out, REPORT_MAX);
	buf_init(&clean, REPORT_MAX);
	r.orcpt = SPAN_NONE;
	r.address = r.status = r.reply = r.mx = n.sender =
	    SPAN_LIT("x?y??Bcc: z@z");
	ck_assert_uint_eq(report_build(&clean, &n, &envelope), 1);
	for (int c = 0; c < 256; c++) {
		if (c >= ' ' && c < 0x7f)
			continue;
		text[1] = (char)c;
		r.address = r.status = r.reply = r.mx = n.sender = r.orcpt =
		    n.envid = span_of(text, 13);
		for (int utf8 = 0; utf8 < 2; utf8++) {
			n.envelope = ENVELOPE_RET_FULL |
			    (utf8 ? ENVELOPE_SMTPUTF8 : 0);
			buf_reset(&out);
			ck_assert_uint_eq(report_build(&out, &n, &envelope),
			    1);
			ck_assert_msg(span_eq(buf_get(&out), buf_get(&clean)),
			    "byte %d", c);
			ck_assert_uint_eq(envelope, 0);
		}
	}
	buf_free(&out);
	buf_free(&clean);
}
END_TEST

/* ---- what is returned: RFC 3461 sec 4.3 ---- */

static const struct {
	const char	*name;
	const struct report_rcpt *rcpts;
	uint16_t	 envelope;
	bool		 full;
} rets[] = {
	{ "RFC 3461 sec 4.3: asked for", failed, ENVELOPE_RET_FULL, true },
	{ "RFC 3461 sec 4.3: asked against",
	    failed, ENVELOPE_RET_HDRS | ENVELOPE_TRUSTED, false },
	{ "RFC 3461 sec 4.3: one of ours", failed, ENVELOPE_TRUSTED, true },
	{ "RFC 3461 sec 4.3: somebody", failed, 0, false },
	{ "RFC 3461 sec 4.3: a delay",
	    delayed, ENVELOPE_RET_FULL | ENVELOPE_TRUSTED, false },
	{ "RFC 3461 sec 4.3: success",
	    succeeded, ENVELOPE_RET_FULL | ENVELOPE_TRUSTED, false },
	{ "RFC 8689 sec 5: by REQUIRETLS", failed, ENVELOPE_RET_FULL |
	    ENVELOPE_TRUSTED | ENVELOPE_REQUIRETLS, false },
	{ "RFC 8689 sec 4.2.2: waived",
	    failed, ENVELOPE_RET_FULL | ENVELOPE_TLS_OPTIONAL, true },
};

START_TEST(returned)
{
	struct report n = golden(rets[_i].rcpts, 2);
	uint16_t envelope;
	struct buf out;

	n.envelope = rets[_i].envelope;
	buf_init(&out, REPORT_MAX);
	ck_assert_uint_eq(report_build(&out, &n, &envelope), 2);
	ck_assert_msg((strstr(buf_cstr(&out), "\r\nline\r\n") != NULL) ==
	    rets[_i].full, "%s", rets[_i].name);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), rets[_i].full ?
	    "Type: message/rfc822\r\n" : "Type: text/rfc822-headers\r\n"));
	ck_assert_uint_eq(envelope, rets[_i].envelope &
	    (ENVELOPE_REQUIRETLS | ENVELOPE_TLS_OPTIONAL));
	buf_free(&out);
}
END_TEST

/* ---- bounds ---- */

static const struct {
	const char	*name;
	size_t		 header, body;
	bool		 whole;
	const char	*has, *has_not;
} sizes[] = {
	{ "RFC 6522 sec 3: whole",
	    100, 20000, true, "message/rfc822", "rfc822-headers" },
	{ "RFC 6522 sec 3: just too large",
	    100, REPORT_WHOLE, true, "text/rfc822-headers",
	    "message/rfc822" },
	{ "RFC 6522 sec 3: only its start", 100, REPORT_WHOLE + 1, false,
	    "text/rfc822-headers", "message/rfc822" },
	{ "RFC 6522 sec 3: an endless header",
	    80000, 0, false, "text/rfc822-headers",
	    "message/rfc822" },
};

static char *
message_of(size_t header, size_t body, size_t *n)
{
	char *m = malloc(header + body + 200), *p = m;

	for (size_t i = 0; i < header; i += 10, p += 10)
		memcpy(p, "X-F: aaa\r\n", 10);
	if (body > 0) {
		memcpy(p, "\r\n", 2);
		memset(p + 2, 'B', body);
		p += 2 + body;
	}
	*n = (size_t)(p - m);
	return m;
}

START_TEST(bounded)
{
	struct report n = golden(failed, 2);
	uint16_t envelope;
	struct buf out;
	size_t size;
	char *m = message_of(sizes[_i].header, sizes[_i].body, &size);

	n.original = span_of(m, size);
	n.whole = sizes[_i].whole;
	buf_init(&out, REPORT_MAX);
	ck_assert_uint_eq(report_build(&out, &n, &envelope), 2);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), sizes[_i].has));
	ck_assert_ptr_null(strstr(buf_cstr(&out), sizes[_i].has_not));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "X-F: aaa\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), END));
	free(m);
	buf_free(&out);
}
END_TEST

START_TEST(many_and_long)
{
	static struct report_rcpt rcpts[100];
	static char address[320], reply[1024], orcpt[ENVELOPE_ORCPT_MAX];
	struct report n = golden(rcpts, 100);
	size_t done, all = 0;
	uint16_t envelope;
	struct buf out;

	memset(address, 'l', sizeof(address));
	memset(reply, 'r', sizeof(reply));
	memset(orcpt, 'o', sizeof(orcpt));
	memcpy(orcpt, "rfc822;", 7);
	memcpy(reply, "550 ", 4);
	for (int i = 0; i < 100; i++)
		rcpts[i] = (struct report_rcpt){ .action = REPORT_FAILED,
		    .address = { address, 320 }, .orcpt = { orcpt, 500 },
		    .reply = { reply, 1024 }, .mx = { reply, 255 },
		    .status = SPAN_LIT("5.0.0"), .last = 1 };
	for (int round = 0; all < 100; round++, all += done) {
		n.rcpts = rcpts + all;
		n.nrcpts = 100 - all;
		buf_init(&out, REPORT_MAX);
		done = report_build(&out, &n, &envelope);
		ck_assert_uint_gt(done, 0);
		ck_assert_int_lt(round, 6);
		ck_assert_ptr_nonnull(strstr(buf_cstr(&out),
		    "Subject: hello\r\n"));
		buf_free(&out);
	}
	ck_assert_uint_eq(all, 100);
}
END_TEST

/* ---- beyond ASCII ---- */

#define MUELLER	"m\xc3\xbcller@b\xc3\xbc" "cher.example"

static const struct {
	const char	*name, *address, *orcpt, *reply, *sender, *original;
	uint16_t	 ask, envelope;
	const char	*has[5];
} eights[] = {
	{ "RFC 6522 sec 3: 8-bit header, nothing declared",
	    "a@x", "", "550 no", "s@x",
	    "Subject: caf\xe9\r\n\r\nx\r\n", ENVELOPE_RET_HDRS, ENVELOPE_8BIT,
	    { "Type: text/rfc822-headers; charset=unknown-8bit\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n",
	    "Type: message/delivery-status\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n" } },
	{ "RFC 6522 sec 3: UTF-8 header, nothing declared",
	    "a@x", "", "550 no", "s@x",
	    "Subject: caf\xc3\xa9\r\n\r\nx\r\n", ENVELOPE_RET_HDRS,
	    ENVELOPE_8BIT,
	    { "Type: text/rfc822-headers; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n" } },
	{ "RFC 6522 sec 3: 8-bit body", "a@x", "", "550 no", "s@x",
	    "Subject: x\r\n\r\n\xe9\r\n", ENVELOPE_RET_FULL, ENVELOPE_8BIT,
	    { "Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n" } },
	{ "RFC 6522 sec 3: 8-bit body, header returned",
	    "a@x", "", "550 no", "s@x",
	    "Subject: x\r\n\r\n\xe9\r\n", ENVELOPE_RET_HDRS, 0,
	    { "Type: text/rfc822-headers\r\n" } },
	/* RFC 6533 sec 3: encoded where the report is not UTF-8 */
	{ "RFC 6533 sec 3: utf-8 ORCPT of an ASCII message",
	    "a@x", "utf-8;m\\x{FC}ller@x",
	    "550 n\xc3\xb6", "s@x", "Subject: x\r\n\r\n", ENVELOPE_RET_FULL, 0,
	    { "Original-Recipient: utf-8; m\\x{FC}ller@x\r\n"
	    "Final-Recipient: rfc822; a@x\r\n", "smtp; 550 n?\r\n" } },
	/* RFC 6533 sec 4 and 6 */
	{ "RFC 6533 sec 4: SMTPUTF8, whole",
	    MUELLER, "utf-8;m\\x{FC}ller@x", "550 n\xc3\xb6",
	    "s@x", "Subject: caf\xc3\xa9\r\n\r\nx\r\n",
	    ENVELOPE_RET_FULL | ENVELOPE_SMTPUTF8, ENVELOPE_8BIT,
	    { "Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n", "<" MUELLER ">:\r\n",
	    "Type: message/global-delivery-status\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n",
	    "Original-Recipient: utf-8; m\xc3\xbcller@x\r\n"
	    "Final-Recipient: utf-8; " MUELLER "\r\n",
	    "Type: message/global\r\nContent-Transfer-Encoding: 8bit\r\n" } },
	/* as Postfix sends it */
	{ "RFC 6533 sec 3: rfc822 ORCPT beyond ASCII",
	    "a@x", "rfc822;m+C3+BCller@x", "550 no",
	    "s@x", "Subject: x\r\n\r\n", ENVELOPE_RET_FULL, 0,
	    { "Original-Recipient: utf-8; m\\x{FC}ller@x\r\n" } },
	{ "RFC 6533 sec 4: SMTPUTF8, header", MUELLER, "", "550 no", "s@x",
	    "Subject: caf\xc3\xa9\r\n\r\nx\r\n",
	    ENVELOPE_RET_HDRS | ENVELOPE_SMTPUTF8, ENVELOPE_8BIT,
	    { "Type: message/global-headers\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n" } },
	{ "RFC 6533 sec 4: SMTPUTF8, sender", "a@x", "", "550 no", MUELLER,
	    "Subject: x\r\n\r\nx\r\n", ENVELOPE_RET_HDRS | ENVELOPE_SMTPUTF8,
	    ENVELOPE_SMTPUTF8,
	    { "To: <" MUELLER ">\r\n", "Type: text/rfc822-headers\r\n",
	    "Type: message/delivery-status\r\n" } },
	{ "RFC 6533 sec 4: SMTPUTF8 asked for and not used",
	    "a@x", "", "550 no", "s@x",
	    "Subject: x\r\n\r\nx\r\n", ENVELOPE_RET_FULL | ENVELOPE_SMTPUTF8,
	    0, { "Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n" } },
};

START_TEST(eight_bit)
{
	struct report_rcpt r = { .action = REPORT_FAILED,
	    .address = span_str(eights[_i].address),
	    .orcpt = span_str(eights[_i].orcpt),
	    .reply = span_str(eights[_i].reply), .mx = SPAN_NONE,
	    .status = SPAN_NONE };
	struct report n = golden(&r, 1);
	uint16_t envelope;
	struct buf out;

	n.sender = span_str(eights[_i].sender);
	n.original = span_str(eights[_i].original);
	n.envelope = eights[_i].ask;
	buf_init(&out, REPORT_MAX);
	ck_assert_uint_eq(report_build(&out, &n, &envelope), 1);
	ck_assert_msg(envelope == eights[_i].envelope, "%s: %x",
	    eights[_i].name, envelope);
	for (int i = 0; i < NELEM(eights[_i].has); i++)
		ck_assert_msg(eights[_i].has[i] == NULL ||
		    strstr(buf_cstr(&out), eights[_i].has[i]) != NULL,
		    "%s: no %s in %s", eights[_i].name, eights[_i].has[i],
		    buf_cstr(&out));
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue report");
	TCase *tc = tcase_create("report");

	tcase_add_loop_test(tc, golden_texts, 0, NELEM(goldens));
	tcase_add_test(tc, neutralises);
	tcase_add_loop_test(tc, returned, 0, NELEM(rets));
	tcase_add_loop_test(tc, bounded, 0, NELEM(sizes));
	tcase_add_test(tc, many_and_long);
	tcase_add_loop_test(tc, eight_bit, 0, NELEM(eights));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
