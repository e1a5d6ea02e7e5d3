/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/pure.c - schedule, bounces, the index and its table. */
#include <check.h>
#include <stdlib.h>

#include "base/clock.h"
#include "queue/bounce.h"
#include "queue/index.h"
#include "queue/schedule.h"

#define MINUTE	60000ull
#define HOUR	(60 * MINUTE)
#define DAY	(24 * HOUR)

/* ---- schedule: RFC 5321 sec 4.5.4.1 ---- */

static const struct schedule usual = { 5 * MINUTE, 4 * HOUR, 5 * DAY };

static const struct {
	unsigned	attempts;
	uint64_t	pause;		/* without jitter */
} pauses[] = {
	{ 1, 5 * MINUTE }, { 2, 10 * MINUTE }, { 3, 20 * MINUTE },
	{ 4, 40 * MINUTE }, { 5, 80 * MINUTE }, { 6, 160 * MINUTE },
	{ 7, 4 * HOUR }, { 8, 4 * HOUR }, { 65535, 4 * HOUR },
};

START_TEST(pause_rows)
{
	uint64_t want = pauses[_i].pause, low = UINT64_MAX, high = 0;

	for (uint32_t chance = 0; chance < 100000; chance += 7) {
		uint64_t got = schedule_pause(&usual, pauses[_i].attempts,
		    chance * 40503u);

		low = got < low ? got : low;
		high = got > high ? got : high;
	}
	ck_assert_uint_ge(low, want - want / 10);
	ck_assert_uint_le(high, want + want / 10);
	ck_assert_uint_lt(low, want);		/* it does vary */
	ck_assert_uint_gt(high, want);
}
END_TEST

static const struct {
	const char	*name;
	uint64_t	 next, now, left;
} lefts[] = {
	{ "as planned",		1000, 400, 600 },
	{ "over",		1000, 1000, 0 },
	{ "long over",		1000, 99999, 0 },
	{ "clock went back 10 years", 3650 * DAY, DAY, 4 * HOUR + 24 * MINUTE },
};

START_TEST(left_rows)
{
	ck_assert_msg(schedule_left(&usual, lefts[_i].next, lefts[_i].now) ==
	    lefts[_i].left, "%s", lefts[_i].name);
}
END_TEST

static const struct {
	const char	*name;
	uint64_t	 arrived, now, running;
	bool		 over;
} ends[] = {
	{ "young",			DAY, 2 * DAY, DAY, false },
	{ "old",			DAY, 6 * DAY, 5 * DAY, true },
	{ "clock jumped 10 years ahead", DAY, 3650 * DAY, HOUR, false },
	{ "clock jumped back",		3650 * DAY, DAY, 5 * DAY, false },
	{ "machine was off for a week",	DAY, 9 * DAY, DAY, false },
	{ "one ms short",		0, 5 * DAY - 1, 5 * DAY, false },
};

START_TEST(give_up_rows)
{
	ck_assert_msg(schedule_give_up(&usual, ends[_i].arrived, ends[_i].now,
	    ends[_i].running) == ends[_i].over, "%s", ends[_i].name);
}
END_TEST

/* ---- bounces ---- */

static const struct bounce_rcpt golden_rcpts[] = {
	{ SPAN_LIT("a@one.example"), SPAN_LIT("5.1.1"),
	    SPAN_LIT("550 5.1.1 no such user"), SPAN_LIT("mx.one.example"),
	    false },
	{ SPAN_LIT("b@two.example"), SPAN_LIT("4.4.1"),
	    SPAN_LIT("connection refused"), SPAN_LIT("mx.two.example"), true },
};

static struct bounce
golden(void)
{
	return (struct bounce){ .hostname = "mx1.example.org",
	    .id = "bbbbbbbbbbbbbbbb", .now = 1767323045000,
	    .original_id = "aaaaaaaaaaaaaaaa", .arrived = 1767319445000,
	    .sender = SPAN_LIT("s@client.example"), .rcpts = golden_rcpts,
	    .nrcpts = 2, .whole = true, .original =
	    SPAN_LIT("Subject: hello\r\n\r\nline\r\n") };
}

static const char golden_text[] =
    "Date: Fri, 2 Jan 2026 03:04:05 +0000\r\n"
    "From: Mail Delivery System <MAILER-DAEMON@mx1.example.org>\r\n"
    "To: <s@client.example>\r\n"
    "Subject: Undelivered mail returned to sender\r\n"
    "Message-ID: <bbbbbbbbbbbbbbbb@mx1.example.org>\r\n"
    "Auto-Submitted: auto-replied\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
    "\tboundary=\"=_bbbbbbbbbbbbbbbb\"\r\n"
    "Content-Transfer-Encoding: 7bit\r\n"
    "\r\n"
    "This is a MIME message about mail that was not delivered.\r\n"
    "\r\n"
    "--=_bbbbbbbbbbbbbbbb\r\n"
    "Content-Type: text/plain; charset=us-ascii\r\n"
    "Content-Transfer-Encoding: 7bit\r\n"
    "\r\n"
    "This is the mail system at mx1.example.org.\r\n"
    "\r\n"
    "Your message of Fri, 2 Jan 2026 02:04:05 +0000\r\n"
    "could not be delivered to the recipients below. "
    "It is not tried any more.\r\n"
    "\r\n"
    "<a@one.example>:\r\n"
    "    mx.one.example said:\r\n"
    "    550 5.1.1 no such user\r\n"
    "\r\n"
    "<b@two.example>:\r\n"
    "    It was tried for too long. The last answer:\r\n"
    "    connection refused\r\n"
    "\r\n"
    "\r\n"
    "--=_bbbbbbbbbbbbbbbb\r\n"
    "Content-Type: message/delivery-status\r\n"
    "Content-Transfer-Encoding: 7bit\r\n"
    "\r\n"
    "Reporting-MTA: dns; mx1.example.org\r\n"
    "Arrival-Date: Fri, 2 Jan 2026 02:04:05 +0000\r\n"
    "X-Sealane-Message-Id: aaaaaaaaaaaaaaaa\r\n"
    "\r\n"
    "Final-Recipient: rfc822; a@one.example\r\n"
    "Action: failed\r\n"
    "Status: 5.1.1\r\n"
    "Remote-MTA: dns; mx.one.example\r\n"
    "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
    "\r\n"
    "Final-Recipient: rfc822; b@two.example\r\n"
    "Action: failed\r\n"
    "Status: 4.4.7\r\n"
    "Diagnostic-Code: x-sealane; connection refused\r\n"
    "\r\n"
    "--=_bbbbbbbbbbbbbbbb\r\n"
    "Content-Type: message/rfc822\r\n"
    "Content-Transfer-Encoding: 7bit\r\n"
    "\r\n"
    "Subject: hello\r\n"
    "\r\n"
    "line\r\n"
    "\r\n"
    "--=_bbbbbbbbbbbbbbbb--\r\n";

START_TEST(bounce_golden)
{
	struct bounce n = golden();
	struct buf out;
	bool eight;

	setenv("TZ", "UTC", 1);
	buf_init(&out, BOUNCE_MAX);
	ck_assert_uint_eq(bounce_build(&out, &n, &eight), 2);
	ck_assert_str_eq(buf_cstr(&out), golden_text);
	ck_assert(!eight);
	buf_free(&out);
}
END_TEST

/* Every byte in every field that comes from outside: no line of ours is
 * broken, no 8-bit byte gets into a part that is said to be 7bit. */
START_TEST(bounce_neutralises)
{
	char text[16] = "x?y\r\nBcc: z@z";
	struct bounce_rcpt r = { .expired = false };
	struct bounce n = golden();
	struct buf out, clean;
	bool eight;

	n.rcpts = &r;
	n.nrcpts = 1;
	n.original = SPAN_LIT("Subject: s\r\n\r\n");
	buf_init(&out, BOUNCE_MAX);
	buf_init(&clean, BOUNCE_MAX);
	r.address = r.status = r.reply = r.mx = n.sender =
	    SPAN_LIT("x?y??Bcc: z@z");
	ck_assert_uint_eq(bounce_build(&clean, &n, &eight), 1);
	for (int c = 0; c < 256; c++) {
		if (c >= ' ' && c < 0x7f)
			continue;
		text[1] = (char)c;
		r.address = r.status = r.reply = r.mx = n.sender =
		    span_of(text, 13);
		buf_reset(&out);
		ck_assert_uint_eq(bounce_build(&out, &n, &eight), 1);
		ck_assert_msg(span_eq(buf_get(&out), buf_get(&clean)),
		    "byte %d", c);
		ck_assert(!eight);
	}
	buf_free(&out);
	buf_free(&clean);
}
END_TEST

static const struct {
	const char	*name;
	size_t		 header, body;
	bool		 whole;
	const char	*has, *has_not;
} sizes[] = {
	{ "whole", 100, 20000, true, "message/rfc822", "rfc822-headers" },
	{ "just too large", 100, BOUNCE_WHOLE, true, "text/rfc822-headers",
	    "message/rfc822" },
	{ "only its start", 100, BOUNCE_WHOLE + 1, false,
	    "text/rfc822-headers", "message/rfc822" },
	{ "an endless header", 80000, 0, false, "text/rfc822-headers",
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

START_TEST(bounce_sizes)
{
	struct bounce n = golden();
	struct buf out;
	bool eight;
	size_t size;
	char *m = message_of(sizes[_i].header, sizes[_i].body, &size);

	n.original = span_of(m, size);
	n.whole = sizes[_i].whole;
	buf_init(&out, BOUNCE_MAX);
	ck_assert_uint_eq(bounce_build(&out, &n, &eight), 2);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), sizes[_i].has));
	ck_assert_ptr_null(strstr(buf_cstr(&out), sizes[_i].has_not));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "X-F: aaa\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out),
	    "\r\n--=_bbbbbbbbbbbbbbbb--\r\n"));
	free(m);
	buf_free(&out);
}
END_TEST

START_TEST(bounce_many_and_long)
{
	static struct bounce_rcpt rcpts[100];
	static char address[320], reply[1024];
	struct bounce n = golden();
	size_t done, all = 0;
	struct buf out;
	bool eight;

	memset(address, 'l', sizeof(address));
	memset(reply, 'r', sizeof(reply));
	for (int i = 0; i < 100; i++)
		rcpts[i] = (struct bounce_rcpt){ .address = { address, 320 },
		    .reply = { reply, 1024 }, .mx = { reply, 255 },
		    .status = SPAN_LIT("5.0.0") };
	for (int round = 0; all < 100; round++, all += done) {
		n.rcpts = rcpts + all;
		n.nrcpts = 100 - all;
		buf_init(&out, BOUNCE_MAX);
		done = bounce_build(&out, &n, &eight);
		ck_assert_uint_gt(done, 0);
		ck_assert_int_lt(round, 6);
		buf_free(&out);
	}
	ck_assert_uint_eq(all, 100);
}
END_TEST

START_TEST(bounce_eight_bit)
{
	struct bounce n = golden();
	struct buf out;
	bool eight;

	n.original = SPAN_LIT("Subject: caf\xc3\xa9\r\n\r\nx\r\n");
	buf_init(&out, BOUNCE_MAX);
	ck_assert_uint_eq(bounce_build(&out, &n, &eight), 2);
	ck_assert(eight);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "Content-Type: "
	    "message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n"));
	buf_free(&out);
}
END_TEST

/* ---- index ---- */

static struct message *
message(unsigned n)
{
	struct record_change c = { .site = SPAN_NONE, .reply = SPAN_NONE };
	struct record_rcpt rcpt = { .address = SPAN_LIT("r@y.example"),
	    .orcpt = SPAN_NONE };
	char id[ID_SIZE] = "aaaaaaaaaaaaaaaa";
	struct record_message r = { .id = { id, ID_LEN }, .nrcpts = 1,
	    .sender = SPAN_LIT("s@x.example"), .client = SPAN_NONE,
	    .session = SPAN_NONE, .envid = SPAN_NONE, .body = SPAN_NONE };
	struct message *m;
	struct buf list;

	for (int i = ID_LEN - 1; n > 0; i--, n /= 26)
		id[i] = (char)('a' + n % 26);
	buf_init(&list, 1000);
	record_put_rcpt(&list, &rcpt, &c);
	r.rcpts = buf_get(&list);
	m = message_new(&r, 0, 0);
	buf_free(&list);
	return m;
}

START_TEST(heap_gives_the_first)
{
	struct index x;
	struct message *m;
	uint64_t last = 0;
	unsigned n = 0;

	index_init(&x);
	for (unsigned i = 0; i < 1000; i++) {
		m = message(i);
		ck_assert_int_eq(index_add(&x, m), 0);
		ck_assert_int_eq(index_due_set(&x, m, i * 7919 % 1009), 0);
	}
	/* Some change, some go. */
	for (unsigned i = 0; i < 1000; i += 3) {
		m = message(i);
		index_due_set(&x, index_find(&x, span_str(m->id)), i);
		message_unref(m);
	}
	for (unsigned i = 0; i < 1000; i += 5) {
		m = message(i);
		index_remove(&x, index_find(&x, span_str(m->id)));
		ck_assert_ptr_null(index_find(&x, span_str(m->id)));
		message_unref(m);
	}
	while ((m = index_due_first(&x)) != NULL) {
		ck_assert_uint_ge(m->due, last);
		last = m->due;
		index_due_clear(&x, m);
		n++;
	}
	ck_assert_uint_eq(n, 800);
	index_free(&x);
}
END_TEST

START_TEST(cursor_survives_removal)
{
	struct index x;
	struct index_cursor c;
	struct message *m;
	unsigned n = 0;

	index_init(&x);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_int_eq(index_add(&x, message(i)), 0);
	index_cursor_start(&x, &c);
	while ((m = index_cursor_next(&c)) != NULL) {
		n++;
		if (c.at != NULL)
			index_remove(&x, c.at);
		index_remove(&x, m);
	}
	index_cursor_end(&x, &c);
	ck_assert_uint_eq(n, 50);
	ck_assert(TAILQ_EMPTY(&x.arrival));
	index_free(&x);
}
END_TEST

START_TEST(recipient_parts)
{
	struct message *m = message(1);

	ck_assert(span_eq(rcpt_domain(&m->rcpts[0]), SPAN_LIT("y.example")));
	ck_assert_uint_eq(m->nopen, 1);
	ck_assert_int_eq(m->rcpts[0].state, RCPT_DEFERRED);
	ck_assert_uint_eq(rcpt_reply(&m->rcpts[0]).n, 0);
	rcpt_note(&m->rcpts[0], SPAN_LIT("mx"), SPAN_LIT("450 x"));
	ck_assert(span_eq(rcpt_site(&m->rcpts[0]), SPAN_LIT("mx")));
	ck_assert(span_eq(rcpt_reply(&m->rcpts[0]), SPAN_LIT("450 x")));
	message_unref(m);
}
END_TEST

#define NELEM(a)	((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *s = suite_create("queue pure");
	TCase *t = tcase_create("pure");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, pause_rows, 0, NELEM(pauses));
	tcase_add_loop_test(t, left_rows, 0, NELEM(lefts));
	tcase_add_loop_test(t, give_up_rows, 0, NELEM(ends));
	tcase_add_test(t, bounce_golden);
	tcase_add_test(t, bounce_neutralises);
	tcase_add_loop_test(t, bounce_sizes, 0, NELEM(sizes));
	tcase_add_test(t, bounce_many_and_long);
	tcase_add_test(t, bounce_eight_bit);
	tcase_add_test(t, heap_gives_the_first);
	tcase_add_test(t, cursor_survives_removal);
	tcase_add_test(t, recipient_parts);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
