/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/relay/tickets.c - what sessions are resumed with: used once, only
 * by its like, and never more of it than fits. */
#include "relay/tickets.h"

#include <stdio.h>

#include "tests/unit/suite.h"

static struct tickets t;
static struct buf got;

static void
setup(void)
{
	t = (struct tickets){ .n = 0 };
	buf_init(&got, 2 * TICKET_SIZE_MAX);
}

static void
teardown(void)
{
	tickets_free(&t);
	ck_assert_uint_eq(t.n, 0);
	buf_free(&got);
}

static const struct ticket_key key = { 7, "mx1.example.org", "192.0.2.1",
    "mx1.example.org", 25, LEVEL_CLEAR, false };

static void
put(const struct ticket_key *k, struct span data, uint64_t now)
{
	tickets_put(&t, k, data, now, now);
}

static bool
take(const struct ticket_key *k, uint64_t now)
{
	uint64_t since;

	buf_reset(&got);
	return tickets_take(&t, k, now, &got, &since);
}

START_TEST(once_and_newest_first)
{
	put(&key, SPAN_LIT("one"), 0);
	put(&key, SPAN_LIT("two"), 1);
	ck_assert(take(&key, 2));
	ck_assert(span_eq(buf_get(&got), SPAN_LIT("two")));
	ck_assert(take(&key, 2));
	ck_assert(span_eq(buf_get(&got), SPAN_LIT("one")));
	ck_assert(!take(&key, 2));
	ck_assert_uint_eq(got.len, 0);
}
END_TEST

#define MX1	"mx1.example.org"
static const struct ticket_key others[] = {
	{ 8, MX1, "192.0.2.1", MX1, 25, LEVEL_CLEAR, false },
	{ 7, "mx2.example.org", "192.0.2.1", MX1, 25, LEVEL_CLEAR, false },
	{ 7, "mx1.example.or", "192.0.2.1", MX1, 25, LEVEL_CLEAR, false },
	{ 7, MX1, "192.0.2.11", MX1, 25, LEVEL_CLEAR, false },
	{ 7, MX1, "2001:db8::1", MX1, 25, LEVEL_CLEAR, false },
	{ 7, MX1, "192.0.2.1", "base.example.org", 25, LEVEL_CLEAR, false },
	{ 7, MX1, "192.0.2.1", "", 25, LEVEL_CLEAR, false },
	{ 7, MX1, "192.0.2.1", MX1, 26, LEVEL_CLEAR, false },
	{ 7, MX1, "192.0.2.1", MX1, 25, LEVEL_STS, false },
	{ 7, MX1, "192.0.2.1", MX1, 25, LEVEL_CLEAR, true },
	/* No name can reach into the next field. */
	{ 7, "mx1.example.org 192.0.2.1", "", MX1, 25, LEVEL_CLEAR, false },
};

START_TEST(only_for_its_like)
{
	put(&key, SPAN_LIT("one"), 0);
	ck_assert(!take(&others[_i], 0));
	ck_assert(take(&key, 0));
}
END_TEST

START_TEST(bounded)
{
	static char large[TICKET_SIZE_MAX + 1], host[900];
	struct ticket_key k = key;

	for (unsigned i = 0; i < 3 * TICKETS_MAX; i++) {
		k.identity = i;
		put(&k, SPAN_LIT("x"), i);
	}
	ck_assert_uint_eq(t.n, TICKETS_MAX);
	k.identity = 0;			/* the oldest went */
	ck_assert(!take(&k, 1000));
	k.identity = 2 * TICKETS_MAX;
	ck_assert(take(&k, 1000));
	k.identity = 3 * TICKETS_MAX - 1;
	ck_assert(take(&k, 1000));
	ck_assert_uint_eq(t.n, TICKETS_MAX - 2);
	put(&key, span_of(large, sizeof large), 1000);
	put(&key, SPAN_NONE, 1000);
	memset(host, 'h', sizeof host - 1);
	k.host = host;
	put(&k, SPAN_LIT("x"), 1000);
	ck_assert_uint_eq(t.n, TICKETS_MAX - 2);
	put(&key, span_of(large, sizeof large - 1), 1000);
	ck_assert_uint_eq(t.n, TICKETS_MAX - 1);
}
END_TEST

START_TEST(grows_old)
{
	struct ticket_key k = key;

	put(&key, SPAN_LIT("one"), 1000);
	k.identity = 8;
	put(&k, SPAN_LIT("two"), 5000);
	ck_assert(!take(&key, 1001 + TICKET_AGE_MAX));
	ck_assert_uint_eq(t.n, 1);
	ck_assert(take(&k, 1001 + TICKET_AGE_MAX));
}
END_TEST

/* A session that was resumed passes on the age that it came with. */
START_TEST(age_is_inherited)
{
	uint64_t since = 0;

	put(&key, SPAN_LIT("one"), 1000);
	ck_assert(tickets_take(&t, &key, 5000, &got, &since));
	ck_assert_uint_eq(since, 1000);
	tickets_put(&t, &key, SPAN_LIT("two"), since, 5000);
	ck_assert(!take(&key, 1001 + TICKET_AGE_MAX));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay tickets");
	TCase *tc = tcase_create("tickets");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, once_and_newest_first);
	tcase_add_loop_test(tc, only_for_its_like, 0, NELEM(others));
	tcase_add_test(tc, bounded);
	tcase_add_test(tc, grows_old);
	tcase_add_test(tc, age_is_inherited);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
