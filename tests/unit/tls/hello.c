/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* hello.c - what a ClientHello of ours says, byte by byte: the server's name,
 * and that the small one is small (RFC 8446 sec 4.1.2, RFC 6066 sec 3). */
#include "fixture.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

static struct fix x;

enum { EXT_SERVER_NAME = 0, EXT_GROUPS = 10, EXT_SIGNATURES = 13,
	EXT_TICKET = 35, EXT_PSK = 41, EXT_VERSIONS = 43, EXT_PSK_MODES = 45,
	EXT_KEY_SHARE = 51, EXTS = 64 };

struct hello {
	size_t	record;			/* bytes with the record's header */
	size_t	session_id, suites;
	bool	has[EXTS];
	size_t	len[EXTS];
	struct span name;
};

static size_t
number(struct span *s, unsigned bytes)
{
	size_t n = 0;

	ck_assert_uint_ge(s->n, bytes);
	for (unsigned i = 0; i < bytes; i++)
		n = n << 8 | (unsigned char)s->p[i];
	*s = span_skip(*s, bytes);
	return n;
}

static struct span
field(struct span *s, unsigned bytes)
{
	size_t n = number(s, bytes);
	struct span f = span_head(*s, n);

	ck_assert_uint_eq(f.n, n);
	*s = span_skip(*s, n);
	return f;
}

static void
parse(struct span s, struct hello *h)
{
	struct span body, exts, one;

	*h = (struct hello){ .record = s.n, .name = SPAN_NONE };
	ck_assert_uint_eq(number(&s, 1), 22);
	s = span_skip(s, 2);
	body = field(&s, 2);
	ck_assert_uint_eq(s.n, 0);		/* one record, one message */
	ck_assert_uint_eq(number(&body, 1), 1);
	body = field(&body, 3);
	body = span_skip(body, 2 + 32);
	h->session_id = field(&body, 1).n;
	h->suites = field(&body, 2).n / 2;
	(void)field(&body, 1);
	exts = field(&body, 2);
	while (exts.n > 0) {
		size_t type = number(&exts, 2);

		one = field(&exts, 2);
		if (type >= EXTS)
			continue;
		h->has[type] = true;
		h->len[type] = one.n;
		if (type == EXT_SERVER_NAME) {
			one = field(&one, 2);
			ck_assert_uint_eq(number(&one, 1), 0);
			h->name = field(&one, 2);
		}
	}
}

static bool
hello_seen(struct fix *f)
{
	const unsigned char *p = (const unsigned char *)f->up.seen.mem;

	return f->up.seen.len >= 5 &&
	    f->up.seen.len >= 5u + (unsigned)(p[3] << 8 | p[4]);
}

static const struct row {
	const char	*rfc;
	const char	*sni, *sent;
	bool		 reduced, strict;
} rows[] = {
	{ "6066 3", "mx.example.org", "mx.example.org", false, false },
	{ "6066 3", "mx.example.org", "mx.example.org", false, true },
	{ "6066 3", "mx.example.org.", "mx.example.org", false, false },
	{ "6066 3", "mx.example.org", "mx.example.org", true, false },
	{ "6066 3", "mx.example.org", "mx.example.org", true, true },
	{ "6066 3", "a-rather-long-host-name.of-a-department.of-some.university.example",
	    "a-rather-long-host-name.of-a-department.of-some.university.example",
	    true, false },
	{ "6066 3", "", "", true, false },
	{ "6066 3", "", "", false, false },
	{ "6066 3", "192.0.2.1", "", false, false },		/* RFC 6066 sec 3 */
	{ "6066 3", "2001:db8::1", "", false, false },
	{ "6066 3", "[192.0.2.1]", "", false, false },
	{ "6066 3", "xn--mnchen-3ya.example", "xn--mnchen-3ya.example", false, false },
};

static void
check_reduced(const struct hello *h)
{
	/* Old load balancers hang at 256 and more. */
	ck_assert_uint_lt(h->record, 256);
	ck_assert_uint_eq(h->session_id, 0);
	ck_assert_uint_le(h->suites, 32);
	ck_assert(!h->has[EXT_VERSIONS] && !h->has[EXT_KEY_SHARE]);
	ck_assert(!h->has[EXT_PSK] && !h->has[EXT_PSK_MODES]);
	ck_assert(!h->has[EXT_TICKET]);
	ck_assert_uint_eq(h->len[EXT_GROUPS], 2 + 2);	/* one */
	ck_assert_uint_le(h->len[EXT_SIGNATURES], 2 + 2 * 6);
}

START_TEST(hello_rows)
{
	const struct row *r = &rows[_i];
	struct hello h;

	fix_open(&x, true, false);
	x.up.hold = true;
	x.strict = r->strict;
	fix_start_client(&x, r->sni, r->reduced);
	fix_run(&x, hello_seen);
	parse(buf_get(&x.up.seen), &h);
	ck_assert_msg(span_eq(h.name, span_str(r->sent)), "RFC %s: %s: %.*s",
	    r->rfc, r->sni, SPAN_FMT(h.name));
	ck_assert_int_eq(h.has[EXT_SERVER_NAME], r->sent[0] != '\0');
	if (r->reduced)
		check_reduced(&h);
	else
		ck_assert(h.has[EXT_VERSIONS] && h.has[EXT_KEY_SHARE]);
	fix_close(&x);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls/hello");
	TCase *tc = tcase_create("hello");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, hello_rows, 0, NELEM(rows));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
