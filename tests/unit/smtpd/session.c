/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The session core by its replies: one row, one dialogue.  Replies are
 * compared as "250 2.1.0|354", the last line of each; every row is played in
 * one segment, in bytes, and in pieces of odd sizes, with the same result. */
#include <stdio.h>
#include <time.h>

#include "tests/replay/smtpd/stand.h"
#include "tests/unit/suite.h"

#define E	"EHLO c.test\r\n"
#define M	"MAIL FROM:<a@c.test>\r\n"
#define R	"RCPT TO:<b@example.org>\r\n"
#define D	"DATA\r\n"
#define GO	"220|250"

struct row {
	const char	*rfc, *in, *want;
	unsigned	 accepted;
	bool		 closed;
	uint64_t	 message_size;		/* 0: the default */
	unsigned	 recipients;
	enum bare_newline bare;
	enum nul_byte	 nul;
	uint64_t	 header_size;		/* 0: the default */
	unsigned	 hops;
	enum listen_tls	 tls;
	bool		 stranger;		/* not in relay-from */
};

static const struct row rows[] = {
	/* sequence */
	{ .rfc = "5321 4.1.4", M, "220|503 5.5.1" },
	{ .rfc = "5321 4.1.4", R, "220|503 5.5.1" },
	{ .rfc = "5321 4.1.4", D, "220|503 5.5.1" },
	{ .rfc = "5321 4.1.4", "NOOP\r\nRSET\r\nVRFY x\r\n",
	    "220|250 2.0.0|250 2.0.0|252 2.5.2" },
	{ .rfc = "5321 4.1.4", E R D, GO "|503 5.5.1|503 5.5.1" },
	{ .rfc = "5321 4.1.4", E M D, GO "|250 2.1.0|503 5.5.1" },
	{ .rfc = "5321 4.1.4", E M M, GO "|250 2.1.0|503 5.5.1" },
	{ .rfc = "5321 4.1.4", E M E M, GO "|250 2.1.0|250|250 2.1.0" },
	{ .rfc = "5321 4.1.1.5", E M R "RSET\r\n" D,
	    GO "|250 2.1.0|250 2.1.5|250 2.0.0|503 5.5.1" },
	{ .rfc = "5321 4.1.1.10", E M R "QUIT\r\n",
	    GO "|250 2.1.0|250 2.1.5|221 2.0.0", .closed = true },
	{ .rfc = "5321 4.1.1.4", E M R D "hi\r\n.\r\n" D,
	    GO "|250 2.1.0|250 2.1.5|354|250 2.0.0|503 5.5.1", 1 },
	{ .rfc = "5321 4.1.1.4", E M R D ".\r\n" M R D "..\r\n.\r\n", GO "|250 2.1.0"
	    "|250 2.1.5|354|250 2.0.0|250 2.1.0|250 2.1.5|354|250 2.0.0", 2 },
	{ .rfc = "5321 2.4", "ehlo c\r\nmail from:<>\r\nRcpt To:<b@example.org>\r\n",
	    GO "|250 2.1.0|250 2.1.5" },
	/* syntax */
	{ .rfc = "5321 4.1.1.1", "EHLO\r\nHELO\r\nHELO ;\r\nHELO x\r\n",
	    "220|501 5.5.4|501 5.5.4|501 5.5.4|250" },
	{ .rfc = "5321 4.2.4", "\r\nX\r\nEHLOx\r\nMAIL\tFROM:<>\r\n",
	    "220|500 5.5.1|500 5.5.1|500 5.5.1|500 5.5.1" },
	{ .rfc = "5321 4.1.1.2", E "MAIL\r\nMAIL FROM\r\nMAIL TO:<>\r\nMAIL FROM:\r\n"
	    "MAIL FROM:a@c.test\r\n", GO "|501 5.1.7|501 5.1.7|501 5.1.7"
	    "|501 5.1.7|501 5.1.7" },
	{ .rfc = "5321 4.1.1.3", E M "RCPT\r\nRCPT FROM:<a@b>\r\nRCPT TO:<>\r\n"
	    "RCPT TO:<b>\r\n", GO "|250 2.1.0|501 5.1.3|501 5.1.3|501 5.1.3"
	    "|501 5.1.3" },
	{ .rfc = "5321 4.1.1.11", E "MAIL FROM:<> X=1\r\n" M
	    "RCPT TO:<b@example.org> X\r\n", GO "|555 5.5.4|250 2.1.0"
	    "|555 5.5.4" },
	{ .rfc = "6531 3.5", E "MAIL FROM:<\xc3\xa4@c.test>\r\n", GO "|553 5.6.7" },
	{ .rfc = "5321 2.3.8", E "NOOP\nNOOP\r\n", GO "|500 5.5.2", .closed = true },
	{ .rfc = "5321 2.3.8", E "NOOP\rNOOP\r\n", GO "|500 5.5.2", .closed = true },
	{ .rfc = "5321 2.3.8", E "NOOP\r\r\n", GO "|500 5.5.2", .closed = true },
	/* size */
	{ .rfc = "1870 6.1", E "MAIL FROM:<> SIZE=8\r\nRSET\r\nMAIL FROM:<> SIZE=9\r\n",
	    GO "|250 2.1.0|250 2.0.0|552 5.3.4", .message_size = 8 },
	{ .rfc = "1870 6.3", E M R D "123456\r\n.\r\n",
	    GO "|250 2.1.0|250 2.1.5|354|250 2.0.0", 1, .message_size = 8 },
	{ .rfc = "1870 6.3", E M R D "1234567\r\n.\r\nNOOP\r\n",
	    GO "|250 2.1.0|250 2.1.5|354|552 5.3.4|250 2.0.0",
	    .message_size = 8 },
	/* The transparency dot is not counted, and the CR that we add is. */
	{ .rfc = "1870 5", E M R D "..23456\r\n.\r\n",
	    GO "|250 2.1.0|250 2.1.5|354|250 2.0.0", 1, .message_size = 8 },
	{ .rfc = "1870 5", E M R D "1\n2\n34\r\n.\r\n",
	    GO "|250 2.1.0|250 2.1.5|354|552 5.3.4", .message_size = 8 },
	/* chunks: the same in any pieces, and no octet is a command */
	{ .rfc = "3030 2", E M R "BDAT 4\r\nhi\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
	    GO "|250 2.1.0|250 2.1.5|250 2.0.0|250 2.0.0|250 2.0.0", 1 },
	{ .rfc = "3030 2", E M R "BDAT 0\r\nBDAT 0 LAST\r\n" M R "BDAT 0 LAST\r\n",
	    GO "|250 2.1.0|250 2.1.5|250 2.0.0|250 2.0.0|250 2.1.0|250 2.1.5"
	    "|250 2.0.0", 2 },
	{ .rfc = "3030 2", E M "BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nRSET\r\nNOOP\r\n",
	    GO "|250 2.1.0|503 5.5.1|503 5.5.1|250 2.0.0" },
	{ .rfc = "3030 2", E M R "BDAT 9\r\n1\n2\r\n3456BDAT 4 LAST\r\n12\r\nNOOP\r\n",
	    GO "|250 2.1.0|250 2.1.5|552 5.3.4|503 5.5.1|250 2.0.0",
	    .message_size = 8, .bare = BARE_REJECT },
	{ .rfc = "3030 2", E M R "BDAT 4\r\n1\n2\rBDAT 3 LAST\r\n\n34NOOP\r\n",
	    GO "|250 2.1.0|250 2.1.5|550 5.6.0|503 5.5.1|250 2.0.0",
	    .bare = BARE_REJECT },
	{ .rfc = "3030 2", E M R "BDAT\r\nNOOP\r\n",
	    GO "|250 2.1.0|250 2.1.5|501 5.5.4", .closed = true },
	/* recipients */
	{ .rfc = "5321 4.5.3.1.10", E M R R R D ".\r\n", GO "|250 2.1.0|250 2.1.5"
	    "|250 2.1.5|452 4.5.3|354|250 2.0.0", 1, .recipients = 2 },
	/* relaying */
	{ .rfc = "5321 3.6.2", E M R "RCPT TO:<b@x.test>\r\n",
	    GO "|250 2.1.0|250 2.1.5|550 5.7.1", .stranger = true },
	{ .rfc = "5321 3.6.2", E M R "RCPT TO:<b@x.test>\r\n",
	    GO "|250 2.1.0|250 2.1.5|250 2.1.5" },
	{ .rfc = "5321 4.5.1", E M "RCPT TO:<postmaster>\r\n",
	    GO "|250 2.1.0|250 2.1.5" },
	/* TLS */
	{ .rfc = "3207 4", E "STARTTLS\r\n", GO "|502 5.5.1", .tls = LISTEN_NONE },
	{ .rfc = "3207 4", "NOOP\r\n" E M "RSET\r\nHELO x\r\nQUIT\r\n",
	    "220|250 2.0.0|250|530 5.7.0|530 5.7.0|530 5.7.0|221 2.0.0",
	    .closed = true, .tls = LISTEN_REQUIRED },
	/* bare newlines */
	{ .rfc = "5321 4.1.1.4", E M R D "a\nb\r\n.\r\n",
	    GO "|250 2.1.0|250 2.1.5|354|250 2.0.0", 1 },
	{ .rfc = "5321 4.1.1.4", E M R D "a\nb\r\n.\r\nNOOP\r\n",
	    GO "|250 2.1.0|250 2.1.5|354|550 5.6.0|250 2.0.0",
	    .bare = BARE_REJECT },
	{ .rfc = "5321 4.1.1.4", E M R D "a\r\n.\n\r\n.\r\n",
	    GO "|250 2.1.0|250 2.1.5|354|550 5.6.0", .bare = BARE_REJECT },
	/* NUL */
	{ .rfc = "6152 2", E M R D "a\1b\r\n.\r\n",
	    GO "|250 2.1.0|250 2.1.5|354|250 2.0.0", 1, .nul = NUL_REJECT },
	/* header */
	{ .rfc = "5322 2.2", E M R D "A: 3456\r\n\r\n0123456789\r\n.\r\n",
	    GO "|250 2.1.0|250 2.1.5|354|250 2.0.0", 1, .header_size = 11 },
	{ .rfc = "5322 2.2", E M R D "A: 3456\r\n\r\n0123456789\r\n.\r\n",
	    GO "|250 2.1.0|250 2.1.5|354|552 5.3.4", .header_size = 10 },
	{ .rfc = "5322 2.2", E M R D "no field, so no header here\r\n.\r\n",
	    GO "|250 2.1.0|250 2.1.5|354|250 2.0.0", 1, .header_size = 10 },
	{ .rfc = "5321 6.3", E M R D "Received:\r\nreceived :\r\n\r\n.\r\n",
	    GO "|250 2.1.0|250 2.1.5|354|554 5.4.6", .hops = 1 },
	/* Too large a header with a bare LF ahead, a loop, in any pieces. */
	{ .rfc = "5321 4.2.5", E M R D "A:\nReceived:\r\nB: 89012345\r\n\r\n.\r\n",
	    GO "|250 2.1.0|250 2.1.5|354|552 5.3.4", .header_size = 25,
	    .bare = BARE_REJECT, .hops = 0 },
	/* Wrong in two ways: which one is said does not depend on the cutting. */
	{ .rfc = "5321 4.2.5", E M R D "1\n2\r\n34567\r\n.\r\n",
	    GO "|250 2.1.0|250 2.1.5|354|552 5.3.4", .message_size = 8,
	    .bare = BARE_REJECT },
};

/* "250 2.1.0|354" of what was said since the last reset. */
static const char *
codes(const struct stand *t)
{
	static char out[65536];
	struct span rest = buf_get(&t->out);
	size_t n = 0;

	out[0] = '\0';
	while (rest.n > 0) {
		struct span line = span_cut(&rest, '\n'), words;
		bool enhanced;

		ck_assert_msg(line.n >= 5 && line.p[line.n - 1] == '\r' &&
		    memchr(line.p, '\r', line.n - 1) == NULL, "reply line");
		ck_assert_uint_le(line.n, 511);	/* RFC 5321 sec 4.5.3.1.5 */
		if (line.p[3] == '-')
			continue;
		words = span_skip(line, 4);
		enhanced = words.n > 6 && words.p[1] == '.' &&
		    words.p[3] == '.' && words.p[0] == line.p[0];
		n += (size_t)snprintf(out + n, sizeof out - n, "%s%.*s%s%.*s",
		    n == 0 ? "" : "|", 3, line.p, enhanced ? " " : "",
		    enhanced ? 5 : 0, words.p);
		ck_assert_uint_lt(n, sizeof out);
	}
	return out;
}

static void
settle(struct stand *t, const struct row *r)
{
	stand_init(t);
	if (r->message_size != 0)
		t->conf.limits.message_size = r->message_size;
	if (r->recipients != 0)
		t->conf.limits.recipients = r->recipients;
	t->conf.limits.bare_newline = r->bare;
	t->conf.limits.nul = r->nul;
	if (r->header_size != 0)
		t->conf.limits.header_size = r->header_size;
	if (r->hops != 0)
		t->conf.limits.hops = r->hops;
	t->listen.tls = r->tls;
	t->listen.nrelay_from = !r->stranger;
	stand_start(t);
}

static void
feed(struct stand *t, struct span s, size_t piece)
{
	while (s.n > 0) {
		stand_feed(t, span_head(s, piece));
		s = span_skip(s, piece);
	}
}

START_TEST(dialogue)
{
	static const size_t pieces[] = { 1u << 20, 1, 2, 3, 7, 64 };
	const struct row *r = &rows[_i];
	struct stand t;

	for (int i = 0; i < NELEM(pieces); i++) {
		settle(&t, r);
		feed(&t, span_str(r->in), pieces[i]);
		ck_assert_msg(strcmp(codes(&t), r->want) == 0,
		    "row %d, RFC %s, pieces of %zu: %s\nand not %s", _i,
		    r->rfc, pieces[i], codes(&t), r->want);
		ck_assert_uint_eq(t.accepted, r->accepted);
		ck_assert_int_eq(t.closed, r->closed);
		stand_free(&t);
	}
}
END_TEST

/* ---- the body's size, and the file ---- */

static void
say(struct stand *t, const char *words)
{
	stand_feed(t, span_str(words));
}

/* `n` bytes of body, in lines of 64. */
static void
say_body(struct stand *t, size_t n)
{
	char line[64];

	memset(line, 'x', sizeof line);
	memcpy(line + 62, "\r\n", 2);
	for (; n > 64; n -= 64)
		stand_feed(t, span_of(line, 64));
	ck_assert_uint_ge(n, 2);
	stand_feed(t, span_of(line + 64 - n, n));
}

/* Inline up to 64 KiB with the Received: field, in a file above. */
START_TEST(inline_or_file)
{
	struct stand t;
	uint64_t field;

	stand_init(&t);
	stand_start(&t);
	say(&t, E M R D ".\r\n");
	field = t.size;
	ck_assert(!t.in_file);
	for (int more = -1; more <= 1; more++) {
		say(&t, M R D);
		say_body(&t, SESSION_INLINE_MAX - field + (uint64_t)more);
		say(&t, ".\r\n");
		ck_assert_uint_eq(t.size, SESSION_INLINE_MAX + (uint64_t)more);
		ck_assert_int_eq(t.in_file, more > 0);
	}
	ck_assert_uint_eq(t.accepted, 4);
	ck_assert_uint_eq(t.files, 1);
	ck_assert_uint_eq(t.aborts, 0);
	stand_free(&t);
}
END_TEST

/* What lies in the file is what lies in memory else, whatever the cutting. */
START_TEST(file_same_in_pieces)
{
	static const size_t pieces[] = { 1u << 20, 1, 4096, 65537 };
	struct buf in, first;
	struct stand t;

	buf_init(&in, 1u << 20);
	buf_init(&first, 1u << 20);
	buf_str(&in, E M R D);
	for (int i = 0; i < 20000; i++)
		buf_printf(&in, "%s%d%s", i % 7 == 0 ? "." : "", i,
		    i % 5 == 0 ? "\n" : i % 11 == 0 ? "\r" : "\r\n");
	buf_str(&in, "\r\n.\r\n");
	for (int i = 0; i < NELEM(pieces); i++) {
		struct span body, rest;

		stand_init(&t);
		t.listen.nrelay_from = 0;
		stand_start(&t);
		feed(&t, buf_get(&in), pieces[i]);
		ck_assert_uint_eq(t.accepted, 1);
		ck_assert(t.in_file);
		/* The id in the field differs. */
		rest = buf_get(&t.body);
		body = memmem(rest.p, rest.n, "\r\n0\r\n", 5) == NULL ?
		    SPAN_NONE : rest;
		for (int k = 0; k < 4; k++)
			(void)span_cut(&body, '\n');
		ck_assert_uint_gt(body.n, 65536);
		if (i == 0)
			buf_span(&first, body);
		ck_assert(span_eq(buf_get(&first), body));
		stand_free(&t);
	}
	buf_free(&in);
	buf_free(&first);
}
END_TEST

/* RFC 5321 sec 4.1.1.4: no reply ahead of the end, but not for ever. */
START_TEST(flood)
{
	static char junk[1u << 20];
	struct stand t;

	memset(junk, 'x', sizeof junk);
	stand_init(&t);
	t.conf.limits.message_size = 1000;
	stand_start(&t);
	say(&t, E M R D);
	buf_reset(&t.out);
	for (int i = 0; i < 15; i++)
		stand_feed(&t, span_of(junk, sizeof junk));
	ck_assert_uint_eq(t.out.len, 0);
	ck_assert(!t.closed);
	for (int i = 0; i < 2; i++)
		stand_feed(&t, span_of(junk, sizeof junk));
	ck_assert_str_eq(codes(&t), "552 5.3.4");
	ck_assert_str_eq(t.abuse, "flood");
	ck_assert(t.closed);
	ck_assert_uint_eq(t.commits, 0);
	stand_free(&t);
}
END_TEST

/* Eight times the header, some eight times the time, and not 64 (the best of
 * some turns: what else runs here only adds), through the whole session.  The disk is full: the file of
 * the stand is memory, whose growth would be measured too. */
static double
header_seconds(const char *line, size_t total)
{
	struct timespec a, b;
	struct stand t;

	stand_init(&t);
	t.conf.limits.header_size = 1u << 30;
	t.conf.limits.hops = UINT32_MAX;
	t.write_code = 452;
	stand_start(&t);
	say(&t, E M R D);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (size_t i = 0; i < total; i += strlen(line))
		say(&t, line);
	say(&t, "\r\n.\r\n");
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	ck_assert_uint_eq(t.rejected, 1);
	stand_free(&t);
	return (double)(b.tv_sec - a.tv_sec) +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

START_TEST(header_linear)
{
	static char line[2][8193];
	double one = 1e9, eight = 1e9;

	for (size_t i = 0; i < 8192; i += 8)
		memcpy(line[0] + i, "A:y\r\n \r\n", 8);
	memset(line[1], 'x', 8192);
	if (_i == 1)
		memcpy(line[1], "X: ", 3);
	for (int turn = 0; turn < 10; turn++) {
		double took = header_seconds(line[_i], 1u << 20);

		one = took < one ? took : one;
		took = header_seconds(line[_i], 8u << 20);
		eight = took < eight ? took : eight;
		if (turn > 1 && eight < 20 * one)
			break;
	}
	ck_assert_msg(eight < 20 * one, "1 MiB: %.4f s, 8 MiB: %.4f s", one,
	    eight);
}
END_TEST

/* ---- the queue's answers ---- */

START_TEST(answers)
{
	static const struct {
		struct stand_answer a;
		const char	*want;
	} r[] = {
		{ { 250, "", "" }, "250 2.0.0" },
		{ { 451, "4.3.0", "x" }, "451 4.3.0" },
		{ { 452, "4.3.1", "full" }, "452 4.3.1" },
		{ { 554, "5.6.0", "no" }, "554 5.6.0" },
		{ { 451, "", "" }, "451 4.3.0" },
		{ { 99, "", "" }, "451 4.3.0" },
		{ { 354, "", "" }, "451 4.3.0" },
		{ { 251, "", "" }, "451 4.3.0" },
		{ { 65535, "", "" }, "451 4.3.0" },
	};
	struct stand t;

	for (int i = 0; i < NELEM(r); i++) {
		stand_init(&t);
		t.commit = r[i].a;
		stand_start(&t);
		say(&t, E M R D);
		buf_reset(&t.out);
		say(&t, ".\r\n");
		ck_assert_str_eq(codes(&t), r[i].want);
		ck_assert_uint_eq(t.accepted, i == 0);
		ck_assert_uint_eq(t.rejected, i != 0);
		ck_assert(!t.closed);
		stand_free(&t);
	}
}
END_TEST

/* RFC 1047: gone before the answer.  It is asked for, and not taken back. */
START_TEST(gone_before_answer)
{
	struct stand t;

	stand_init(&t);
	t.commit.code = 0;
	stand_start(&t);
	say(&t, E M R D ".\r\n");
	ck_assert(session_open_commit(&t.s));
	t.send_fails = true;
	t.commit.code = 250;
	stand_run(&t);
	ck_assert(!session_open_commit(&t.s));
	ck_assert_uint_eq(t.accepted, 1);
	ck_assert_uint_eq(t.aborts, 0);
	ck_assert_int_eq(session_wants(&t.s), SESSION_CLOSE);
	stand_free(&t);
}
END_TEST

/* An answer that nobody waits for changes nothing. */
START_TEST(answers_unasked)
{
	struct stand t;

	stand_init(&t);
	stand_start(&t);
	say(&t, E M R);
	buf_reset(&t.out);
	session_committed(&t.s, 250, SPAN_NONE, SPAN_NONE);
	session_spooled(&t.s, NULL);
	session_queue_lost(&t.s);
	ck_assert_uint_eq(t.out.len, 0);
	ck_assert_uint_eq(t.accepted, 0);
	say(&t, D ".\r\n");
	ck_assert_str_eq(codes(&t), "354|250 2.0.0");
	stand_free(&t);
}
END_TEST

/* The client left in the middle: what was kept is taken back, once it is. */
START_TEST(left)
{
	static const struct { const char *in; bool met; unsigned aborts; } r[] = {
		{ "", false, 0 }, { "NOOP\r\n", false, 0 }, { E, true, 0 },
		{ E M, true, 0 }, { E M R, true, 0 }, { E M R D, true, 1 },
		{ E M R D "half", true, 1 }, { E M R D ".\r\n", true, 0 },
	};
	struct stand t;

	for (int i = 0; i < NELEM(r); i++) {
		stand_init(&t);
		stand_start(&t);
		say(&t, r[i].in);
		stand_end(&t);
		ck_assert_uint_eq(t.met, r[i].met);
		ck_assert_uint_eq(t.aborts, r[i].aborts);
		stand_free(&t);
	}
}
END_TEST

/* ---- time: what counts as getting somewhere ---- */

START_TEST(progress)
{
	struct stand t;
	unsigned before;

	stand_init(&t);
	stand_start(&t);
	before = t.s.progress;
	say(&t, "EHLO c.te");
	ck_assert_uint_eq(t.s.progress, before);	/* a drip does not */
	say(&t, "st\r\n");
	ck_assert_uint_ne(t.s.progress, before);
	say(&t, M R D);
	before = t.s.progress;
	for (int i = 0; i < 255; i++)
		say(&t, "012345678901234567890123456789012345678901234567890123"
		    "45678901\r\n");
	ck_assert_uint_eq(t.s.progress, before);
	say(&t, "012345678901234567890123456789012345678901234567890123"
	    "45678901\r\n");
	ck_assert_uint_ne(t.s.progress, before);
	stand_free(&t);
}
END_TEST

START_TEST(errors_count)
{
	struct stand t;

	stand_init(&t);
	stand_start(&t);
	say(&t, E);
	for (unsigned i = 0; i < SESSION_ERRORS_MAX; i++)
		say(&t, "X\r\n");
	/* A message that gets through makes up for them. */
	say(&t, M R D ".\r\n");
	for (unsigned i = 0; i < SESSION_ERRORS_MAX; i++)
		say(&t, "X\r\n");
	ck_assert(!t.closed);
	buf_reset(&t.out);
	say(&t, "X\r\nNOOP\r\n");
	ck_assert_str_eq(codes(&t), "421 4.7.0");
	ck_assert(t.closed);
	stand_free(&t);
}
END_TEST

/* RFC 3207 sec 4: 454 is temporary; the session goes on, and TLS with it when
 * the key can sign again. */
START_TEST(no_tls_now)
{
	struct stand t;

	stand_init(&t);
	t.no_tls = true;
	stand_start(&t);
	say(&t, E);
	buf_reset(&t.out);
	say(&t, "STARTTLS\r\n");
	ck_assert_str_eq(codes(&t), "454 4.7.0");
	ck_assert(!t.closed && !t.tls_asked);
	t.no_tls = false;
	buf_reset(&t.out);
	say(&t, "STARTTLS\r\n");
	ck_assert_str_eq(codes(&t), "220 2.0.0");
	ck_assert(t.tls_asked);
	stand_free(&t);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtpd session");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, dialogue, 0, NELEM(rows));
	tcase_add_test(tc, inline_or_file);
	tcase_add_test(tc, file_same_in_pieces);
	tcase_add_test(tc, flood);
	tcase_add_loop_test(tc, header_linear, 0, 2);
	tcase_add_test(tc, answers);
	tcase_add_test(tc, gone_before_answer);
	tcase_add_test(tc, answers_unasked);
	tcase_add_test(tc, left);
	tcase_add_test(tc, progress);
	tcase_add_test(tc, errors_count);
	tcase_add_test(tc, no_tls_now);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
