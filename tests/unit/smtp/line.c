/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Command lines: where they end, and what makes one bad. */
#include "base/buf.h"
#include "smtp/line.h"
#include "tests/unit/suite.h"

/* What came out, as text: "=line" ok, "!bad", "#long", then what is left. */
static void
cut(struct span all, size_t piece, struct buf *out)
{
	struct smtp_lines l = { .skipping = false };
	struct buf in;
	struct span line;
	size_t used;

	buf_init(&in, 1 << 20);
	for (size_t at = 0; at < all.n; at += piece) {
		enum smtp_line_kind k;

		buf_span(&in, span_head(span_skip(all, at), piece));
		for (;;) {
			k = smtp_line_take(&l, buf_get(&in), &line, &used);
			if (k == SMTP_LINE_OK) {
				buf_char(out, '=');
				buf_span(out, line);
			} else if (k != SMTP_LINE_NONE) {
				buf_char(out, k == SMTP_LINE_BAD ? '!' : '#');
			}
			buf_consume(&in, used);
			if (k == SMTP_LINE_NONE)
				break;
		}
		ck_assert_uint_le(in.len, SMTP_LINE_MAX + 1);
	}
	buf_char(out, '|');
	buf_span(out, buf_get(&in));
	buf_free(&in);
}

#define ROW(s, rfc, want)	{ { (s), sizeof(s) - 1 }, rfc, want }
static const struct {
	struct span	 in;
	const char	*rfc, *want;
} rows[] = {
	ROW("", "5321 2.3.8", "|"),
	ROW("NOOP\r\n", "5321 2.3.8", "=NOOP|"),
	ROW("\r\n", "5321 2.3.8", "=|"),
	ROW("NOOP\r\nQUI", "5321 2.3.8", "=NOOP|QUI"),
	ROW("A\r\nB\r\n", "2920 3.2", "=A=B|"),
	ROW("NOOP\n", "5321 2.3.8", "!|"),
	ROW("NOOP\nQUIT\r\n", "5321 2.3.8", "!=QUIT|"),
	ROW("NO\rOP\r\n", "5321 2.3.8", "!|"),
	ROW("NOOP\r\r\n", "5321 2.3.8", "!|"),
	ROW("NO\0OP\r\n", "5321 4.1.2", "!|"),
	ROW("NOOP\0\r\n", "5321 4.1.2", "!|"),
	ROW("\0\r\n", "5321 4.1.2", "!|"),
	ROW("NOOP\r", "5321 2.3.8", "|NOOP\r"),
	ROW("\n", "5321 2.3.8", "!|"),
	ROW("\r", "5321 2.3.8", "|\r"),
	ROW("\r\r", "5321 2.3.8", "|\r\r"),
};

START_TEST(line_rows)
{
	for (size_t piece = 1; piece < 20; piece++) {
		struct buf got;

		buf_init(&got, 4096);
		cut(rows[_i].in, piece, &got);
		ck_assert_msg(strcmp(buf_cstr(&got), rows[_i].want) == 0,
		    "row %d (RFC %s) piece %zu: %s", _i, rows[_i].rfc, piece,
		    buf_cstr(&got));
		buf_free(&got);
	}
}
END_TEST

/* RFC 5321 sec 4.5.3.1.4; the longest lines, whole and in pieces. */
START_TEST(line_limits)
{
	static const size_t pieces[] = { 1, 7, 2047, 2048, 2049, 2050, 1 << 20 };
	static const struct { size_t n; const char *rfc, *end, *want; } r[] = {
		{ SMTP_LINE_MAX, "5321 4.5.3.1.4", "\r\nQUIT\r\n", "ok" },
		{ SMTP_LINE_MAX + 1, "5321 4.5.3.1.4", "\r\nQUIT\r\n",
		    "#=QUIT|" },
		{ SMTP_LINE_MAX + 1, "5321 2.3.8", "\nQUIT\r\n", "!=QUIT|" },
		{ SMTP_LINE_MAX + 2, "5321 4.5.3.1.4", "\nQUIT\r\n",
		    "#=QUIT|" },
		{ 300000, "5321 4.5.3.1.4", "\r\nQUIT\r\n", "#=QUIT|" },
		{ 300000, "5321 4.5.3.1.4", "\r", "|" },
	};
	struct buf in, got;

	buf_init(&in, 1 << 20);
	buf_init(&got, 1 << 20);
	for (int i = 0; i < NELEM(r); i++)
		for (int p = 0; p < NELEM(pieces); p++) {
			buf_reset(&in);
			buf_reset(&got);
			memset(buf_room(&in, r[i].n), 'x', r[i].n);
			buf_grown(&in, r[i].n);
			buf_str(&in, r[i].end);
			cut(buf_get(&in), pieces[p], &got);
			if (strcmp(r[i].want, "ok") == 0)
				ck_assert_uint_eq(got.len, r[i].n + 7);
			else
				ck_assert_msg(strcmp(buf_cstr(&got),
				    r[i].want) == 0, "row %d (RFC %s) piece "
				    "%zu: %.80s", i, r[i].rfc, pieces[p],
				    buf_cstr(&got));
		}
	buf_free(&in);
	buf_free(&got);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtp line");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, line_rows, 0, NELEM(rows));
	tcase_add_test(tc, line_limits);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
