/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtp/reply.c - replies, good and bad, in one piece and in all
 * pieces. */
#include "smtp/reply.h"

#include "tests/unit/suite.h"

struct want {
	enum reply_state state;
	int		 code;
	const char	*enhanced, *lines, *one;
	size_t		 used;		/* 0: all */
};

static const struct row {
	const char	*in, *rfc;
	size_t		 n;		/* 0: strlen */
	struct want	 want;
} rows[] = {
	/* RFC 5321 sec 4.2 */
	{ "250 ok\r\n", "5321 4.2",
	    0, { REPLY_DONE, 250, "", "ok", "250 ok", 0 } },
	{ "250\r\n", "5321 4.2", 0, { REPLY_DONE, 250, "", "", "250", 0 } },
	{ "250 \r\n", "5321 4.2", 0, { REPLY_DONE, 250, "", "", "250", 0 } },
	{ "250 ok\n", "5321 2.3.8",
	    0, { REPLY_DONE, 250, "", "ok", "250 ok", 0 } },
	{ "250\tok\r\n", "5321 4.2",
	    0, { REPLY_DONE, 250, "", "ok", "250 ok", 0 } },
	{ "250 ok\r\r\n", "5321 2.3.8",
	    0, { REPLY_DONE, 250, "", "ok", "250 ok", 0 } },
	{ "250 a\rb\r\n", "5321 2.3.8",
	    0, { REPLY_DONE, 250, "", "a?b", "250 a?b", 0 } },
	{ "\r\n250 ok\r\n", "5321 4.2",
	    0, { REPLY_DONE, 250, "", "ok", "250 ok", 0 } },
	{ "250 ok\r\n251 x\r\n", "5321 4.2",
	    0, { REPLY_DONE, 250, "", "ok", "250 ok", 8 } },
	{ "250 a", "5321 4.2", 0, { REPLY_MORE, 250, "", NULL, NULL, 0 } },
	/* RFC 5321 sec 4.2.1: multi-line */
	{ "250-a\r\n250-b\r\n250 c\r\n", "5321 4.2.1", 0,
	    { REPLY_DONE, 250, "", "a\nb\nc", "250 a b c", 0 } },
	{ "250-a\n250-\n\n250 c\n", "5321 4.2.1", 0,
	    { REPLY_DONE, 250, "", "a\n\nc", "250 a c", 0 } },
	{ "250-\r\n250 c\r\n", "5321 4.2.1",
	    0, { REPLY_DONE, 250, "", "\nc", "250 c", 0 } },
	{ "250-a\r\n250\r\n", "5321 4.2.1",
	    0, { REPLY_DONE, 250, "", "a", "250 a", 0 } },
	{ "250-a\r\n250 \r\n", "5321 4.2.1",
	    0, { REPLY_DONE, 250, "", "a\n", "250 a", 0 } },
	{ "250-a  \t\r\n250 b\r\n", "5321 4.2.1", 0,
	    { REPLY_DONE, 250, "", "a   \nb", "250 a b", 0 } },
	/* a bare CR ends no line: what follows is not lost, it is awaited */
	{ "250-a\r250-b\r250 c\r\n", "5321 2.3.8",
	    0, { REPLY_MORE, 250, "", NULL, NULL, 0 } },
	{ "250-a\r\n550 b\r\n", "5321 4.2.1",
	    0, { REPLY_BAD, 250, "", NULL, NULL, 10 } },
	{ "550-a\r\n250 b\r\n", "5321 4.2.1",
	    0, { REPLY_BAD, 550, "", NULL, NULL, 10 } },
	/* RFC 2034, RFC 3463 */
	{ "550 5.1.1 No such user\r\n", "2034 4", 0,
	    { REPLY_DONE, 550, "5.1.1", "5.1.1 No such user",
	    "550 5.1.1 No such user", 0 } },
	{ "550-5.7.1 go\r\n550 5.7.1 away\r\n", "2034 4", 0,
	    { REPLY_DONE, 550, "5.7.1", NULL, "550 5.7.1 go away", 0 } },
	{ "450 4.7.123 x\r\n", "3463 2", 0,
	    { REPLY_DONE, 450, "4.7.123", NULL, "450 4.7.123 x", 0 } },
	{ "550 5.7.1\r\n", "3463 2",
	    0, { REPLY_DONE, 550, "5.7.1", NULL, "550 5.7.1", 0 } },
	{ "250 5.1.1 odd\r\n", "2034 4", 0,	/* class differs: only text */
	    { REPLY_DONE, 250, "", NULL, "250 5.1.1 odd", 0 } },
	{ "550 5.1 short\r\n", "3463 2",
	    0, { REPLY_DONE, 550, "", NULL, "550 5.1 short", 0 } },
	{ "550 5.1.1234 x\r\n", "3463 2",
	    0, { REPLY_DONE, 550, "", NULL, "550 5.1.1234 x", 0 } },
	{ "550 5.1.1x\r\n", "3463 2",
	    0, { REPLY_DONE, 550, "", NULL, "550 5.1.1x", 0 } },
	{ "550 5..1 x\r\n", "3463 2",
	    0, { REPLY_DONE, 550, "", NULL, "550 5..1 x", 0 } },
	{ "354 3.0.0 x\r\n", "3463 2",
	    0, { REPLY_DONE, 354, "", NULL, "354 3.0.0 x", 0 } },
	/* neutralised */
	{ "250 a\0b\r\n", "5321 4.2",
	    9, { REPLY_DONE, 250, "", "ab", "250 ab", 0 } },
	{ "250 \xc3\xa9\x1b[2J\x7f\r\n", "5321 4.2", 0,
	    { REPLY_DONE, 250, "", "???[2J?", "250 ???[2J?", 0 } },
	{ "250 a\tb\r\n", "5321 4.2",
	    0, { REPLY_DONE, 250, "", "a b", "250 a b", 0 } },
	/* not SMTP */
	{ "SSH-2.0-x\r\n", "5321 4.2", 0, { REPLY_BAD, 0, "", NULL, NULL, 1 } },
	{ "25\r\n", "5321 4.2", 0, { REPLY_BAD, 0, "", NULL, NULL, 4 } },
	{ "2500 x\r\n", "5321 4.2", 0, { REPLY_BAD, 250, "", NULL, NULL, 4 } },
	{ "250_x\r\n", "5321 4.2", 0, { REPLY_BAD, 250, "", NULL, NULL, 4 } },
	{ "150 x\r\n", "5321 4.2", 0, { REPLY_BAD, 0, "", NULL, NULL, 3 } },
	{ "650 x\r\n", "5321 4.2", 0, { REPLY_BAD, 0, "", NULL, NULL, 3 } },
	{ "\r2\r\n", "5321 4.2", 0, { REPLY_BAD, 0, "", NULL, NULL, 2 } },
	{ "\x16\x03\x01\x02", "5321 4.2",
	    0, { REPLY_BAD, 0, "", NULL, NULL, 1 } },
	{ " 250 x\r\n", "5321 4.2", 0, { REPLY_BAD, 0, "", NULL, NULL, 1 } },
};

static void
judge(const struct row *r, const struct reply *got, enum reply_state st,
    size_t used, size_t n)
{
	char one[REPLY_LINE_SIZE];

	ck_assert_msg(st == r->want.state, "\"%s\" (RFC %s): state %d",
	    r->in, r->rfc, st);
	ck_assert_msg(used == (r->want.used != 0 ? r->want.used : n),
	    "\"%s\" (RFC %s): used %zu", r->in, r->rfc, used);
	if (st == REPLY_BAD)
		ck_assert_ptr_nonnull(got->why);
	if (st == REPLY_MORE)
		ck_assert(reply_started(got));
	if (st != REPLY_DONE)
		return;
	ck_assert_int_eq(got->code, r->want.code);
	ck_assert_str_eq(got->enhanced, r->want.enhanced);
	if (r->want.lines != NULL)
		ck_assert_msg(span_eq(buf_get(&got->lines),
		    span_str(r->want.lines)), "\"%s\" (RFC %s): lines", r->in,
		    r->rfc);
	ck_assert_str_eq(reply_line(got, one, sizeof(one)), r->want.one);
}

/* In one piece, cut in two at each place, and byte by byte. */
START_TEST(reply_rows)
{
	const struct row *r = &rows[_i];
	size_t n = r->n != 0 ? r->n : strlen(r->in), used, total, cut;
	enum reply_state st;
	struct reply p;

	reply_init(&p);
	for (cut = 0; cut <= n; cut++) {
		reply_reset(&p);
		st = reply_feed(&p, span_of(r->in, cut), &used);
		total = used;
		if (st == REPLY_MORE) {
			st = reply_feed(&p, span_of(r->in + cut, n - cut), &used);
			total += used;
		}
		judge(r, &p, st, total, n);
	}
	reply_reset(&p);
	st = REPLY_MORE;
	for (total = 0; total < n && st == REPLY_MORE; total++)
		st = reply_feed(&p, span_of(r->in + total, 1), &used);
	judge(r, &p, st, total, n);
	reply_free(&p);
}
END_TEST

/* CVE-2020-8794, CVE-2026-43964: a reply without an end. */
START_TEST(reply_bounds)
{
	static const struct {
		const char	*line;
		unsigned	 most;	/* lines that pass */
	} bounds[] = {
		{ "250-x\r\n", REPLY_LINES_MAX },
		{ "\r\n", REPLY_LINES_MAX },
		{ "250-0123456789012345678901234567890123456789012345678901234"
		  "5678901234567890123456789012345678901234567890123456789012345"
		  "6789012345678901234567890123456789012345678901234567890123456"
		  "7890123456789012345678901234567890123456789012345678901234567"
		  "890\r\n", 0 },
	};
	struct reply p;
	unsigned n = 0;
	size_t used;

	reply_init(&p);
	while (reply_feed(&p, span_str(bounds[_i].line), &used) == REPLY_MORE)
		ck_assert_uint_lt(++n, 100000);
	if (bounds[_i].most != 0)
		ck_assert_uint_eq(n, bounds[_i].most);
	else
		ck_assert_uint_eq(n, REPLY_BYTES_MAX / strlen(bounds[_i].line));
	/* It stays bad. */
	ck_assert_int_eq(reply_feed(&p, SPAN_LIT("250 ok\r\n"), &used), REPLY_BAD);
	ck_assert_uint_eq(used, 0);
	reply_free(&p);
}
END_TEST

START_TEST(reply_long_line)
{
	static char line[REPLY_BYTES_MAX];
	char one[REPLY_LINE_SIZE];
	struct reply p;
	size_t used;

	memset(line, 'a', sizeof(line));
	memcpy(line, "250 ", 4);
	line[sizeof(line) - 1] = '\n';
	reply_init(&p);
	ck_assert_int_eq(reply_feed(&p, span_of(line, sizeof(line)), &used),
	    REPLY_DONE);
	ck_assert_uint_eq(p.lines.len, sizeof(line) - 5);
	reply_line(&p, one, sizeof(one));
	ck_assert_uint_eq(strlen(one), sizeof(one) - 1);
	reply_free(&p);
}
END_TEST

START_TEST(reply_made)
{
	char one[REPLY_LINE_SIZE], small[9];
	struct reply p;

	reply_init(&p);
	reply_make(&p, 554, "5.6.3", "own\nwords");
	ck_assert_str_eq(reply_line(&p, one, sizeof(one)), "554 5.6.3 own?words");
	ck_assert_str_eq(reply_line(&p, small, sizeof(small)), "554 5.6.");
	reply_free(&p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtp reply");
	TCase *tc = tcase_create("reply");

	tcase_add_loop_test(tc, reply_rows, 0, NELEM(rows));
	tcase_add_loop_test(tc, reply_bounds, 0, 3);
	tcase_add_test(tc, reply_long_line);
	tcase_add_test(tc, reply_made);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
