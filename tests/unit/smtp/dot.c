/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtp/dot.c - dot-stuffing, RFC 5321 sec 4.5.2, and that nothing
 * in a body can end it early. */
#include "smtp/dot.h"

#include "tests/unit/suite.h"

static const struct row {
	const char	*body, *rfc, *wire;
} rows[] = {
	{ "", "5321 4.1.1.4", ".\r\n" },
	{ "a\r\n", "5321 4.1.1.4", "a\r\n.\r\n" },
	{ "a", "5321 4.1.1.4", "a\r\n.\r\n" },
	{ ".\r\n", "5321 4.5.2", "..\r\n.\r\n" },
	{ ".", "5321 4.5.2", "..\r\n.\r\n" },
	{ "..\r\n", "5321 4.5.2", "...\r\n.\r\n" },
	{ ".a\r\n.b\r\nc.\r\n", "5321 4.5.2", "..a\r\n..b\r\nc.\r\n.\r\n" },
	{ "a\r\n\r\n", "5321 4.1.1.4", "a\r\n\r\n.\r\n" },
	/* SMTP smuggling: every form of a line end round a dot */
	{ "a\n.\nb", "5321 4.1.1.4", "a\r\n..\r\nb\r\n.\r\n" },
	{ "a\n.\r\nb", "5321 2.3.8", "a\r\n..\r\nb\r\n.\r\n" },
	{ "a\r\n.\nb", "5321 2.3.8", "a\r\n..\r\nb\r\n.\r\n" },
	{ "a\r.\rb", "5321 2.3.8", "a\r\n..\r\nb\r\n.\r\n" },
	{ "a\r.\r\nb", "5321 2.3.8", "a\r\n..\r\nb\r\n.\r\n" },
	{ "a\r\r\n.\r\nb", "5321 2.3.8", "a\r\n\r\n..\r\nb\r\n.\r\n" },
	{ "a\n\r.b", "5321 2.3.8", "a\r\n\r\n..b\r\n.\r\n" },
	{ "\r", "5321 2.3.8", "\r\n.\r\n" },
	{ "\n", "5321 2.3.8", "\r\n.\r\n" },
	{ "\n\n", "5321 2.3.8", "\r\n\r\n.\r\n" },
	{ "\r\r", "5321 2.3.8", "\r\n\r\n.\r\n" },
};

static void
wire_is(const struct buf *out, const struct row *r)
{
	ck_assert_msg(span_eq(buf_get(out), span_str(r->wire)),
	    "RFC %s: \"%s\" gave \"%.*s\"", r->rfc, r->body,
	    SPAN_FMT(buf_get(out)));
}

START_TEST(dot_rows)
{
	const struct row *r = &rows[_i];
	size_t n = strlen(r->body), cut, i;
	struct buf out;
	struct dot d;

	buf_init(&out, 1024);
	for (cut = 0; cut <= n; cut++) {
		buf_reset(&out);
		dot_begin(&d, false);
		ck_assert_int_eq(dot_put(&d, span_of(r->body, cut), &out), 0);
		ck_assert_int_eq(dot_put(&d, span_of(r->body + cut, n - cut),
		    &out), 0);
		ck_assert_int_eq(dot_end(&d, &out), 0);
		wire_is(&out, r);
	}
	buf_reset(&out);
	dot_begin(&d, false);
	for (i = 0; i < n; i++)
		ck_assert_int_eq(dot_put(&d, span_of(r->body + i, 1), &out), 0);
	ck_assert_int_eq(dot_end(&d, &out), 0);
	wire_is(&out, r);
	buf_free(&out);
}
END_TEST

/* All bodies of six bytes out of CR LF dot and a letter: the wire has no bare
 * CR or LF, each line starts with no single dot, and the end comes once. */
START_TEST(dot_exhaustive)
{
	static const char alphabet[] = "\r\n.a";
	unsigned v, i;
	struct buf out;
	struct dot d;

	buf_init(&out, 1024);
	for (v = 0; v < 4096; v++) {
		char body[6];
		struct span w;

		for (i = 0; i < 6; i++)
			body[i] = alphabet[(v >> (2 * i)) & 3];
		buf_reset(&out);
		dot_begin(&d, false);
		ck_assert_int_eq(dot_put(&d, span_of(body, 6), &out), 0);
		ck_assert_uint_le(out.len, 14);
		ck_assert_int_eq(dot_end(&d, &out), 0);
		w = buf_get(&out);
		ck_assert(w.n >= 3);
		for (i = 0; i < w.n; i++) {
			if (w.p[i] == '\n')
				ck_assert(i > 0 && w.p[i - 1] == '\r');
			if (w.p[i] == '\r')
				ck_assert(i + 1 < w.n && w.p[i + 1] == '\n');
			/* a line of one dot is the end, and the end alone */
			if (w.p[i] == '.' && (i == 0 || w.p[i - 1] == '\n') &&
			    w.p[i + 1] == '\r')
				ck_assert_uint_eq(i, w.n - 3);
		}
		ck_assert(memcmp(w.p + w.n - 3, ".\r\n", 3) == 0);
	}
	buf_free(&out);
}
END_TEST

/* RFC 3030: in chunks a dot is nothing special, and no line ends the message;
 * line ends are mended all the same. */
static const struct row chunk_rows[] = {
	{ "", "3030 2", "" },
	{ ".\r\n..\r\na", "3030 2", ".\r\n..\r\na\r\n" },
	{ "a\n.\rb\r\n", "5321 2.3.8", "a\r\n.\r\nb\r\n" },
};

START_TEST(dot_chunks)
{
	const struct row *r = &chunk_rows[_i];
	size_t n = strlen(r->body), i;
	struct buf out;
	struct dot d;

	buf_init(&out, 1024);
	dot_begin(&d, true);
	for (i = 0; i < n; i++)
		ck_assert_int_eq(dot_put(&d, span_of(r->body + i, 1), &out), 0);
	ck_assert_int_eq(dot_end(&d, &out), 0);
	wire_is(&out, r);
	buf_free(&out);
}
END_TEST

START_TEST(dot_full)
{
	struct buf out;
	struct dot d;

	buf_init(&out, 8);
	dot_begin(&d, false);
	ck_assert_int_eq(dot_put(&d, SPAN_LIT("123456789\r\n"), &out), -1);
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtp dot");
	TCase *tc = tcase_create("dot");

	tcase_add_loop_test(tc, dot_rows, 0, NELEM(rows));
	tcase_add_test(tc, dot_exhaustive);
	tcase_add_loop_test(tc, dot_chunks, 0, NELEM(chunk_rows));
	tcase_add_test(tc, dot_full);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
