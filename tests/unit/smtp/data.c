/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The end of DATA, and nothing else than the end of DATA. */
#include "base/buf.h"
#include "smtp/data.h"
#include "tests/unit/suite.h"

/* ck_assert() tells its parent process each time it is passed; these run
 * millions of times. */
#define MUST(x)	do { if (!(x)) ck_abort_msg("%s", #x); } while (0)

static void
collect(void *arg, struct span s)
{
	MUST(s.n > 0);
	MUST(buf_span(arg, s) == 0);
}

struct result {
	struct buf	body;
	struct smtp_data d;
	size_t		used;
	bool		chunked;	/* set ahead: as behind BDAT */
};

static void
feed(struct span in, size_t cut1, size_t cut2, size_t piece, struct result *r)
{
	size_t at = 0;

	r->d = (struct smtp_data){ .chunked = r->chunked };
	buf_reset(&r->body);
	while (at < in.n && r->d.state != SMTP_DATA_DONE) {
		size_t end = at < cut1 ? cut1 : at < cut2 ? cut2 : in.n;
		size_t n = end - at < piece ? end - at : piece;
		size_t got = smtp_data_feed(&r->d, span_of(in.p + at, n),
		    collect, &r->body);

		at += got;
		MUST(got == n || r->d.state == SMTP_DATA_DONE);
	}
	if (r->chunked)
		smtp_data_end(&r->d, collect, &r->body);
	r->used = at;
	MUST(r->d.size == r->body.len);
}

static bool
same(const struct result *a, const struct result *b)
{
	return span_eq(buf_get(&a->body), buf_get(&b->body)) &&
	    a->used == b->used && a->d.bare_cr == b->d.bare_cr &&
	    a->d.bare_lf == b->d.bare_lf && a->d.state == b->d.state;
}

/* Every cutting into two and three pieces, and into equal ones. */
static void
check_invariance(struct span in, const struct result *whole)
{
	struct result r = { .chunked = whole->chunked };

	buf_init(&r.body, 1 << 20);
	for (size_t i = 0; i <= in.n; i++)
		for (size_t j = i; j <= in.n; j++) {
			feed(in, i, j, SIZE_MAX, &r);
			if (!same(whole, &r))
				ck_abort_msg("cut at %zu and %zu", i, j);
		}
	for (size_t n = 1; n < 6; n++) {
		feed(in, 0, 0, n, &r);
		ck_assert_msg(same(whole, &r), "pieces of %zu", n);
	}
	buf_free(&r.body);
}

#define IN(s)	{ (s), sizeof(s) - 1 }
enum { CR = 1, LF = 2 };
static const struct {
	struct span	 in, body;
	bool		 done;
	size_t		 left;		/* bytes behind the end */
	int		 bare;
	const char	*rfc;
} rows[] = {
	{ IN("a\r\n.\r\n"), IN("a\r\n"), true, 0, 0, "5321 4.1.1.4" },
	{ IN(".\r\n"), IN(""), true, 0, 0, "5321 4.1.1.4" },
	{ IN("\r\n.\r\n"), IN("\r\n"), true, 0, 0, "5321 4.1.1.4" },
	{ IN("a\r\n.\r\nQUIT\r\n"), IN("a\r\n"), true, 6, 0, "5321 4.1.1.4" },
	{ IN("a\r\nb\r\n\r\nc\r\n.\r\n"), IN("a\r\nb\r\n\r\nc\r\n"), true, 0, 0, "5321 4.5.2" },
	/* transparency */
	{ IN("..\r\n.\r\n"), IN(".\r\n"), true, 0, 0, "5321 4.5.2" },
	{ IN(".a\r\n..b\r\n.\r\n"), IN("a\r\n.b\r\n"), true, 0, 0, "5321 4.5.2" },
	{ IN("a.\r\nb..c\r\n.\r\n"), IN("a.\r\nb..c\r\n"), true, 0, 0, "5321 4.5.2" },
	{ IN("...\r\n.\r\n"), IN("..\r\n"), true, 0, 0, "5321 4.5.2" },
	/* bare ones are replaced and begin no line of the protocol */
	{ IN("a\nb\r\n.\r\n"), IN("a\r\nb\r\n"), true, 0, LF, "5321 2.3.8" },
	{ IN("a\rb\r\n.\r\n"), IN("a\r\nb\r\n"), true, 0, CR, "5321 2.3.8" },
	{ IN("a\n.b\r\n.\r\n"), IN("a\r\n.b\r\n"), true, 0, LF, "5321 4.5.2" },
	{ IN("a\n..\r\n.\r\n"), IN("a\r\n..\r\n"), true, 0, LF, "5321 4.5.2" },
	{ IN("a\n\n\r\n.\r\n"), IN("a\r\n\r\n\r\n"), true, 0, LF, "5321 2.3.8" },
	{ IN("a\r\r\n.\r\n"), IN("a\r\n\r\n"), true, 0, CR, "5321 2.3.8" },
	{ IN("\r\r\r\n.\r\n"), IN("\r\n\r\n\r\n"), true, 0, CR, "5321 2.3.8" },
	{ IN(".\rx\r\n.\r\n"), IN("\r\nx\r\n"), true, 0, CR, "5321 4.5.2" },
	{ IN(".\nx\r\n.\r\n"), IN("\r\nx\r\n"), true, 0, LF, "5321 4.5.2" },
	/* not ended */
	{ IN("a"), IN("a"), false, 0, 0, "5321 4.1.1.4" },
	{ IN("a\r\n."), IN("a\r\n"), false, 0, 0, "5321 4.1.1.4" },
	{ IN("a\r\n.\r"), IN("a\r\n"), false, 0, 0, "5321 4.1.1.4" },
	{ IN("a\r\n. \r\n"), IN("a\r\n \r\n"), false, 0, 0, "5321 4.5.2" },
	{ IN("\0\r\n.\0\r\n"), IN("\0\r\n\0\r\n"), false, 0, 0, "5321 4.5.2" },
};

START_TEST(data_rows)
{
	struct result r = { .chunked = false };

	buf_init(&r.body, 4096);
	feed(rows[_i].in, 0, 0, SIZE_MAX, &r);
	ck_assert_int_eq(r.d.state == SMTP_DATA_DONE, rows[_i].done);
	ck_assert_msg(span_eq(buf_get(&r.body), rows[_i].body), "%s",
	    buf_cstr(&r.body));
	ck_assert_uint_eq(rows[_i].in.n - r.used, rows[_i].left);
	ck_assert_int_eq(r.d.bare_cr, (rows[_i].bare & CR) != 0);
	ck_assert_int_eq(r.d.bare_lf, (rows[_i].bare & LF) != 0);
	check_invariance(rows[_i].in, &r);
	buf_free(&r.body);
}
END_TEST

/* SMTP smuggling (CVE-2023-51764, 51765, 51766): what others took for the end,
 * in all combinations.  Only the true one ends; everything behind the others
 * is text, and no bare CR or LF is left in it. */
static const struct span ends[] = {
	IN("\r"), IN("\n"), IN("\r\n"), IN("\0"), IN("\r\r\n"), IN("\n\r"),
	IN("\r\0\n"), IN("\n\n"), IN("\r\r"), IN(" \r\n"), IN("\r\n "), IN(""),
};

static bool
has_true_end(struct span s)
{
	return memmem(s.p, s.n, "\r\n.\r\n", 5) != NULL;
}

static void
check_no_bare(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n')
			ck_assert(i > 0 && s.p[i - 1] == '\r');
		if (s.p[i] == '\r')
			ck_assert(i + 1 < s.n && s.p[i + 1] == '\n');
	}
}

START_TEST(data_smuggling)
{
	struct span before = ends[_i / NELEM(ends)];
	struct span behind = ends[_i % NELEM(ends)];
	struct buf in;
	struct result r = { .chunked = false };
	const char *end;

	buf_init(&in, 4096);
	buf_init(&r.body, 4096);
	buf_str(&in, "text");
	buf_span(&in, before);
	buf_char(&in, '.');
	buf_span(&in, behind);
	buf_str(&in, "MAIL FROM:<x>\r\n.\r\nQUIT\r\n");
	feed(buf_get(&in), 0, 0, SIZE_MAX, &r);
	ck_assert_int_eq(r.d.state, SMTP_DATA_DONE);
	ck_assert_ptr_nonnull(in.mem);
	end = memmem(in.mem + in.off, in.len, "\r\n.\r\n", 5);
	ck_assert_uint_eq(r.used, (size_t)(end + 5 - buf_get(&in).p));
	ck_assert_int_eq(memmem(buf_get(&r.body).p, r.body.len, "MAIL", 4) ==
	    NULL, has_true_end(span_head(buf_get(&in), 4 + before.n + 1 +
	    behind.n)));
	check_no_bare(buf_get(&r.body));
	check_invariance(buf_get(&in), &r);
	buf_free(&in);
	buf_free(&r.body);
}
END_TEST

/* Against a reference that looks for nothing but the five bytes. */
START_TEST(data_random)
{
	static const char alphabet[] = { '\r', '\n', '.', 'a', '\r', '\n' };
	unsigned seed = (unsigned)_i * 2654435761u + 7;
	char bytes[34] = { '\r', '\n' };
	struct result r = { .chunked = false };
	const char *end;
	size_t want;

	for (size_t i = 2; i < sizeof bytes; i++) {
		seed = seed * 1103515245u + 12345u;
		bytes[i] = alphabet[(seed >> 16) % sizeof alphabet];
	}
	end = memmem(bytes, sizeof bytes, "\r\n.\r\n", 5);
	want = end == NULL ? sizeof bytes - 2 : (size_t)(end + 3 - bytes);
	buf_init(&r.body, 4096);
	feed(span_of(bytes + 2, sizeof bytes - 2), 0, 0, SIZE_MAX, &r);
	ck_assert_uint_eq(r.used, want);
	ck_assert_int_eq(r.d.state == SMTP_DATA_DONE, end != NULL);
	check_no_bare(buf_get(&r.body));
	check_invariance(span_of(bytes + 2, sizeof bytes - 2), &r);
	buf_free(&r.body);
}
END_TEST

/* RFC 3030 sec 2: the end is counted; dots stay, line ends become CRLF. */
static const struct {
	const char	*rfc;
	struct span	 in, body;
	int		 bare;
} chunks[] = {
	{ "3030 2", IN(""), IN(""), 0 },
	{ "3030 2", IN("a"), IN("a"), 0 },
	{ "3030 2", IN("a\r\n"), IN("a\r\n"), 0 },
	{ "3030 2", IN(".\r\n"), IN(".\r\n"), 0 },
	{ "3030 2", IN("."), IN("."), 0 },
	{ "3030 2", IN("a\r\n.\r\nb"), IN("a\r\n.\r\nb"), 0 },
	{ "3030 2", IN("..\r\n..a\r\n."), IN("..\r\n..a\r\n."), 0 },
	{ "5321 2.3.8", IN("\r\n.\r"), IN("\r\n.\r\n"), CR },
	{ "5321 2.3.8", IN("a\r"), IN("a\r\n"), CR },
	{ "5321 2.3.8", IN("\r\r\n"), IN("\r\n\r\n"), CR },
	{ "5321 2.3.8", IN("a\n.\n"), IN("a\r\n.\r\n"), LF },
	{ "5321 2.3.8", IN("a\n.\r\n"), IN("a\r\n.\r\n"), LF },
	{ "5321 2.3.8", IN("a\r.\r\nb"), IN("a\r\n.\r\nb"), CR },
	{ "5321 2.3.8", IN("\r\n.\n\r"), IN("\r\n.\r\n\r\n"), CR | LF },
	{ "3030 2", IN("a\0\r\n.\0"), IN("a\0\r\n.\0"), 0 },
};

START_TEST(data_chunks)
{
	struct result r = { .chunked = true };

	buf_init(&r.body, 4096);
	feed(chunks[_i].in, 0, 0, SIZE_MAX, &r);
	ck_assert_msg(span_eq(buf_get(&r.body), chunks[_i].body), "RFC %s: %s",
	    chunks[_i].rfc, buf_cstr(&r.body));
	ck_assert_uint_eq(r.used, chunks[_i].in.n);
	ck_assert_int_ne(r.d.state, SMTP_DATA_DONE);
	ck_assert_int_eq(r.d.bare_cr, (chunks[_i].bare & CR) != 0);
	ck_assert_int_eq(r.d.bare_lf, (chunks[_i].bare & LF) != 0);
	check_no_bare(buf_get(&r.body));
	check_invariance(chunks[_i].in, &r);
	buf_free(&r.body);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtp data");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, data_rows, 0, NELEM(rows));
	tcase_add_loop_test(tc, data_smuggling, 0, NELEM(ends) * NELEM(ends));
	tcase_add_loop_test(tc, data_random, 0, 300);
	tcase_add_loop_test(tc, data_chunks, 0, NELEM(chunks));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
