/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* What is seen of a header while it passes: fields, its end, its size; in any
 * pieces, and in time that grows with its length and not faster. */
#include <stdlib.h>
#include <time.h>

#include "smtp/header.h"
#include "tests/unit/suite.h"

enum { D = 1, I = 2, END = 4, T = 8 };

static const struct {
	const char	*text, *rfc;
	unsigned	 hops;
	int		 seen;
	int		 size;		/* -1: all of it */
} rows[] = {
	{ "", "5322 2.2", 0, 0, -1 },
	{ "Received: x\r\n", "5321 6.3", 1, 0, -1 },
	{ "Received: x\r\n\ty\r\nRECEIVED: z\r\nreceived:\r\n", "5321 6.3", 3, 0, -1 },
	{ "Received : x\r\nDate\t: y\r\n", "5322 4.5", 1, D, -1 },
	{ "X-Received: x\r\nReceived-SPF: pass\r\n Received: f\r\n", "5322 2.2.3", 0, 0, -1 },
	{ "Subject: a\r\nReceived: x\r\nTo: b\r\nReceived: y", "5321 6.3", 2, 0, -1 },
	{ "Date: x\r\nMessage-ID: y\r\n\r\n", "5322 3.6", 0, D | I | END, -1 },
	{ "DATE:\r\nmessage-id:\r\n", "5322 1.2.2", 0, D | I, -1 },
	{ "Resent-Date: x\r\nDates: x\r\nDat: x\r\nMessage-IDs: x\r\nessage-ID:\r\n", "5322 3.6", 0, 0, -1 },
	{ "Subject: x\r\n Date: no\r\n\tMessage-ID: no\r\n", "5322 2.2.3", 0, 0, -1 },
	/* TLS-Required: No, and nothing else */
	{ "TLS-Required: No\r\n", "8689 3", 0, T, -1 },
	{ "Date: x\r\nTLS-REQUIRED:\tno \r\n\r\n", "8689 3", 0, D | T | END, -1 },
	{ "TLS-Required:\r\n No\r\n \r\nDate: x\r\n", "5322 2.2.3", 0, D | T, -1 },
	{ "TLS-Required : No\r\nSubject: a\r\n b\r\n", "5322 4.5", 0, T, -1 },
	{ "TLS-Required: No\r\nTLS-Required: No\r\n", "8689 3", 0, 0, -1 },
	{ "TLS-Required: No\r\nTLS-Required: Yes\r\n", "8689 3", 0, 0, -1 },
	{ "TLS-Required: Yes\r\nTLS-Required: No\r\n", "8689 3", 0, 0, -1 },
	{ "TLS-Required: Yes\r\n", "8689 3", 0, 0, -1 },
	{ "TLS-Required: N\r\nSubject: o\r\n o\r\n", "8689 3", 0, 0, -1 },
	{ "TLS-Required: No\r\n body\r\n", "5322 2.2.3", 0, 0, -1 },
	{ "TLS-Required: No (x)\r\n", "8689 3", 0, 0, -1 },
	{ "TLS-Required:\r\n", "8689 3", 0, 0, -1 },
	{ "TLS-Required\r\nTLS-Required: No\r\n", "5322 2.2", 0, END, 13 },
	{ "TLS-Requires: No\r\nXTLS-Required: No\r\nTLS-Requiredx: No\r\n", "8689 3", 0, 0, -1 },
	{ "Subject: x\r\n TLS-Required: No\r\n", "5322 2.2.3", 0, 0, -1 },
	{ "\r\nTLS-Required: No\r\n", "5322 2.1", 0, END, 2 },
	/* behind the empty line all is text */
	{ "Received: x\r\n\r\nReceived: in the text\r\n", "5322 2.1", 1, END, 15 },
	{ "\r\nReceived: x\r\nDate: x\r\n", "5322 2.1", 0, END, 2 },
	/* and so it is behind a line that is no field */
	{ "hello world\r\nDate: x\r\n", "5322 2.2", 0, END, 7 },
	{ "Received: x\r\nhello\r\nReceived: y\r\n", "5322 2.2", 1, END, 19 },
	{ "Receive\r\nd: x\r\nReceived\r\n", "5322 2.2", 0, END, 8 },
	{ ": x\r\nDate: x\r\n", "5322 3.6.8", 0, END, 1 },
	{ "D\xc3\xa4te: x\r\nDate: x\r\n", "5322 3.6.8", 0, END, 2 },
	{ "Date x: y\r\n", "5322 3.6.8", 0, END, 6 },
	/* an mbox's line on top is no end */
	{ "From a@b Fri Jan  2\r\nDate: x\r\n", "4155 app A", 0, D, -1 },
	{ ">From a@b Fri Jan  2\r\nDate: x\r\n\r\n", "4155 app A", 0, D | END, -1 },
	{ "To: x\r\nFrom a@b Fri\r\nDate: x\r\n", "5322 2.2", 0, END, 13 },
};

static void
check(const struct smtp_header *h, int i, size_t piece)
{
	size_t size = rows[i].size == -1 ? strlen(rows[i].text) :
	    (size_t)rows[i].size;
	int seen = (h->date ? D : 0) | (h->message_id ? I : 0) |
	    (h->ended ? END : 0) | (smtp_header_tls_optional(h) ? T : 0);

	ck_assert_msg(h->hops == rows[i].hops && seen == rows[i].seen &&
	    h->size == size, "row %d (RFC %s) in pieces of %zu: %u hops, "
	    "seen %d, %llu bytes", i, rows[i].rfc, piece, h->hops, seen,
	    (unsigned long long)h->size);
}

START_TEST(header_rows)
{
	for (size_t piece = 1; piece < 60; piece++) {
		struct span s = span_str(rows[_i].text);
		struct smtp_header h = { .size = 0 };

		for (; s.n > 0; s = span_skip(s, piece))
			smtp_header_feed(&h, span_head(s, piece));
		check(&h, _i, piece);
	}
}
END_TEST

/* ---- time ---- */

#define MIB	(1u << 20)

/* CPU seconds for `n` bytes of `pattern`, over and over. */
static double
seconds(const char *pattern, size_t n)
{
	static char mem[4096];
	struct smtp_header h = { .size = 0 };
	size_t m = strlen(pattern);
	struct timespec a, b;

	ck_assert_uint_eq(sizeof mem % m, 0);
	for (size_t i = 0; i < sizeof mem; i++)
		mem[i] = pattern[i % m];
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (size_t i = 0; i < n; i += sizeof mem)
		smtp_header_feed(&h, span_of(mem, sizeof mem));
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	ck_assert(!h.ended && h.size == n);
	return (double)(b.tv_sec - a.tv_sec) +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static double
least(double a, double b)
{
	return a < b ? a : b;
}

/* Eight times as much takes some eight times as long, and not 64: many fields,
 * many folds, one line.  The best of some turns: what else runs here only adds. */
START_TEST(linear)
{
	static const char *const patterns[] = { "Received: xxxx\r\n",
	    "X: yyy\r\n", "A:y\r\n \r\n", "aaaaaaaaaaaaaaaa",
	    "TLS-Required:x\r\n" };
	double one = 1e9, eight = 1e9;

	for (int turn = 0; turn < 10; turn++) {
		one = least(one, seconds(patterns[_i], MIB));
		eight = least(eight, seconds(patterns[_i], 8 * MIB));
		if (turn > 1 && eight < 20 * one)
			break;
	}
	ck_assert_msg(eight < 20 * one, "1 MiB: %.4f s, 8 MiB: %.4f s", one,
	    eight);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtp header");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, header_rows, 0, NELEM(rows));
	tcase_add_loop_test(tc, linear, 0, 5);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
