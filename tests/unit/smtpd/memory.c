/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtpd/memory.c - each allocation of a session fails once, and then
 * all from it on: every message is refused with a 4xx or the session ends, and
 * what gets its 250 was handed over whole. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/replay/smtpd/stand.h"
#include "tests/unit/allocs.h"
#include "tests/unit/suite.h"

#define LARGE	70000	/* goes into a file */
#define ROOM	(256u * 1024)

static struct stand stand;
static char large[LARGE + 1];

/* The stand itself must not be short of it. */
static void
ready(struct stand *t)
{
	struct buf *all[] = { &t->in, &t->out, &t->file, &t->body, &t->rcpts,
	    &t->asked, &t->forwarded };

	stand_init(t);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ck_assert_ptr_nonnull(buf_room(all[i], ROOM));
}

/* Check allocates, too, and may not while it fails. */
static const char *wrong;

static void
want(bool good, const char *what)
{
	if (!good && wrong == NULL)
		wrong = what;
}

/* What we said since the last time, and nothing but 2xx, 3xx and 4xx. */
static bool
says(struct stand *t, const char *code)
{
	struct span out = buf_get(&t->out);
	bool said = span_eq(span_head(out, 3), span_str(code));

	want(out.n == 0 || strchr("234", out.p[0]) != NULL, "no 5xx");
	buf_reset(&t->out);
	return said;
}

static bool
line(struct stand *t, const char *text, const char *code)
{
	if (t->closed)
		return false;
	stand_feed(t, span_str(text));
	return says(t, code);
}

static bool
ends_with(struct span s, struct span end)
{
	return s.n >= end.n && span_eq(span_skip(s, s.n - end.n), end);
}

/* true: it got its 250. */
static bool
message(struct stand *t, const char *body)
{
	unsigned before = t->commits;

	if (!line(t, "RSET\r\n", "250") ||
	    !line(t, "MAIL FROM:<a@c.test>\r\n", "250") ||
	    !line(t, "RCPT TO:<b@example.org>\r\n", "250") ||
	    !line(t, "DATA\r\n", "354"))
		return false;
	stand_feed(t, span_str(body));
	if (!line(t, ".\r\n", "250"))
		return false;
	want(t->commits == before + 1, "a 250 is for what was handed over");
	want(ends_with(buf_get(&t->body), span_str(body)), "its body");
	want(span_eq(buf_get(&t->rcpts), SPAN_LIT("b@example.org")),
	    "its recipient");
	return true;
}

/* How many of two messages were taken; *n says how often it allocated. */
static unsigned
play(unsigned fail, bool all, unsigned *n)
{
	struct stand *t = &stand;
	unsigned taken = 0;

	ready(t);
	allocs_seen = 0;
	allocs_fail = fail;
	allocs_all = all;
	stand_start(t);
	if (says(t, "220") && line(t, "EHLO c.test\r\n", "250")) {
		taken += message(t, "Subject: x\r\n\r\nhi\r\n");
		taken += message(t, large);
	}
	*n = allocs_seen;
	allocs_fail = 0;
	allocs_all = false;
	if (!t->ended)
		stand_end(t);
	stand_free(t);
	ck_assert_msg(wrong == NULL, "allocation %u: %s", fail, wrong);
	return taken;
}

/* _i: all from there on. */
START_TEST(each_allocation_fails)
{
	unsigned n, total, refused = 0;

	for (size_t i = 0; i < LARGE; i++)
		large[i] = i % 70 == 68 ? '\r' : i % 70 == 69 ? '\n' : 'x';
	ck_assert_uint_eq(play(0, false, &total), 2);
	ck_assert_uint_gt(total, 0);
	for (unsigned at = 1; at <= total; at++)
		refused += play(at, _i == 1, &n) < 2;
	/* It did make a difference. */
	ck_assert_uint_gt(refused, 0);
	printf("%u of %u allocations left a message out\n", refused, total);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtpd memory");
	TCase *t = tcase_create("memory");

	tcase_add_loop_test(t, each_allocation_fails, 0, 2);
	suite_add_tcase(s, t);
	return suite_run(s);
}
