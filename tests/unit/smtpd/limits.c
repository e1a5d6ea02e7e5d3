/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtpd/limits.c - networks: what is counted together, how it runs
 * out, what is said, what other processes add, and that memory is bounded. */
#include <stdio.h>
#include <stdlib.h>

#include "base/ipc/ipc.h"
#include "smtpd/limits_priv.h"
#include "tests/unit/suite.h"

#define SEC	1000u
#define MIN	(60 * SEC)
#define HOUR	(60 * MIN)

static struct limits l;
static struct limit_hit hit;

static void
begin(unsigned processes, unsigned self)
{
	struct conf conf = { .smtpd_processes = processes };

	conf.limits.client.connections = 4;
	conf.limits.client.connection_rate = 30;
	conf.limits.client.recipients = 100;
	conf.limits.client.errors = 10;
	conf.limits.client.unknown_commands = 5;
	ck_assert_int_eq(limits_init(&l, &conf, self), 0);
}

static struct addr
ip(const char *text)
{
	struct addr a = { .family = 0 };

	ck_assert(addr_parse_ip(span_str(text), &a));
	return a;
}

static bool
opens(const char *text, uint64_t now)
{
	struct addr a = ip(text);

	return limits_open(&l, &a, now, &hit);
}

static void
closes(const char *text, uint64_t now)
{
	struct addr a = ip(text);

	limits_close(&l, &a, now);
}

static bool
takes(const char *text, enum limit k, uint64_t now)
{
	struct addr a = ip(text);

	return limits_take(&l, &a, k, now, &hit);
}

static void
hit_is(enum limit k, const char *net, unsigned bits, uint64_t most, bool first)
{
	char text[ADDR_TEXT_SIZE];

	ck_assert_int_eq(hit.limit, k);
	ck_assert_str_eq(addr_ip_text(&hit.net.addr, text), net);
	ck_assert_uint_eq(hit.net.bits, bits);
	ck_assert_uint_eq(hit.most, most);
	ck_assert_int_eq(hit.first, first);
}

/* The same address, the same /64, or not. */
static const struct {
	const char	*a, *b;
	bool		 same;
} neighbours[] = {
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.2", false },
	{ "::ffff:192.0.2.1", "192.0.2.1", true },	/* one host, one spelling */
	{ "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true },
	{ "2001:db8:0:1::1", "2001:db8:0:2::1", false },
	{ "192.0.2.1", "c000:201::", false },		/* the same leading bits */
};

START_TEST(addresses)
{
	begin(1, 1);
	for (int i = 0; i < 4; i++)
		ck_assert(opens(neighbours[_i].a, 0));
	ck_assert(!opens(neighbours[_i].a, 0));
	ck_assert_int_eq(opens(neighbours[_i].b, 0), !neighbours[_i].same);
	closes(neighbours[_i].a, 0);
	ck_assert(opens(neighbours[_i].a, 0));
	limits_free(&l);
}
END_TEST

/* Ten times as much for the network around it. */
static const struct {
	const char	*head, *net;
	unsigned	 bits;
} wide[] = {
	{ "192.0.2.", "192.0.2.0", 24 },
	{ "2001:db8:7:", "2001:db8:7::", 48 },
};

START_TEST(networks)
{
	char text[64];
	unsigned n = 0;

	begin(1, 1);
	for (unsigned i = 1; i < 30; i++)
		for (unsigned k = 0; k < 4; k++) {
			(void)snprintf(text, sizeof text, "%s%u%s",
			    wide[_i].head, i, _i == 0 ? "" : "::1");
			n += opens(text, 0);
		}
	ck_assert_uint_eq(n, 40);
	hit_is(LIMIT_CONNECTIONS, wide[_i].net, wide[_i].bits, 40, false);
	limits_free(&l);
}
END_TEST

/* The limit at once, and as much again over the period. */
START_TEST(rates)
{
	static const struct {
		enum limit	k;
		unsigned	most;
		uint64_t	period;
	} rows[] = {
		{ LIMIT_RECIPIENTS, 100, HOUR }, { LIMIT_ERRORS, 10, HOUR },
		{ LIMIT_UNKNOWN, 5, HOUR },
	};
	unsigned n;

	begin(1, 1);
	for (n = 0; takes("192.0.2.1", rows[_i].k, 5); n++)
		;
	ck_assert_uint_eq(n, rows[_i].most);
	for (uint64_t t = 5; t <= 5 + rows[_i].period; t += 100)
		n += takes("192.0.2.1", rows[_i].k, t);
	ck_assert_uint_ge(n, 2 * rows[_i].most - 1);
	ck_assert_uint_le(n, 2 * rows[_i].most);
	/* A clock that stands still or goes back gives nothing. */
	ck_assert(!takes("192.0.2.1", rows[_i].k, 3));
	limits_free(&l);
}
END_TEST

START_TEST(connection_rate)
{
	unsigned n = 0;

	begin(1, 1);
	for (unsigned i = 0; i < 100; i++)
		if (opens("192.0.2.1", 0)) {
			n++;
			closes("192.0.2.1", 0);
		}
	ck_assert_uint_eq(n, 30);
	hit_is(LIMIT_CONNECTS, "192.0.2.1", 32, 30, false);
	ck_assert(!opens("192.0.2.1", MIN / 30 - 1));
	ck_assert(opens("192.0.2.1", MIN / 30));
	limits_free(&l);
}
END_TEST

/* Who has made too many errors is not let in, either; who has sent too much
 * mail is. */
START_TEST(errors_bar)
{
	begin(1, 1);
	for (int i = 0; i < 10; i++)
		ck_assert(takes("192.0.2.1", LIMIT_ERRORS, 0));
	ck_assert(!takes("192.0.2.1", LIMIT_ERRORS, 0));
	hit_is(LIMIT_ERRORS, "192.0.2.1", 32, 10, true);
	ck_assert(!opens("192.0.2.1", 0));
	hit_is(LIMIT_ERRORS, "192.0.2.1", 32, 10, false);
	ck_assert(opens("192.0.2.2", 0));
	ck_assert(opens("192.0.2.1", HOUR / 10));
	for (int i = 0; i < 100; i++)
		ck_assert(takes("192.0.2.3", LIMIT_RECIPIENTS, 0));
	ck_assert(!takes("192.0.2.3", LIMIT_RECIPIENTS, 0));
	ck_assert(opens("192.0.2.3", 0));
	limits_free(&l);
}
END_TEST

/* One event until it was below half. */
START_TEST(incidents)
{
	unsigned said = 0;

	begin(1, 1);
	for (int i = 0; i < 5; i++)
		(void)takes("192.0.2.1", LIMIT_UNKNOWN, 0);
	ck_assert(!takes("192.0.2.1", LIMIT_UNKNOWN, 0));
	ck_assert(hit.first);
	for (uint64_t t = 0; t < HOUR / 3; t += SEC)
		if (!takes("192.0.2.1", LIMIT_UNKNOWN, t))
			ck_assert(!hit.first);
	for (int i = 0; i < 20; i++)
		if (!takes("192.0.2.1", LIMIT_UNKNOWN, HOUR))
			said += hit.first;
	ck_assert_uint_eq(said, 1);
	limits_free(&l);
}
END_TEST

START_TEST(no_limits)
{
	struct conf conf = { .smtpd_processes = 1 };

	ck_assert_int_eq(limits_init(&l, &conf, 1), 0);
	for (int i = 0; i < 100000; i++) {
		ck_assert(opens("192.0.2.1", 0));
		ck_assert(takes("192.0.2.1", LIMIT_ERRORS, 0));
	}
	limits_free(&l);
}
END_TEST

/* ---- memory ---- */

/* Ever new networks forget each other, not those that have connections or are
 * heard of; and the table stays a table. */
START_TEST(flood)
{
	struct addr a = { .family = 6 };

	begin(1, 1);
	for (int i = 0; i < 4; i++)
		ck_assert(opens("192.0.2.1", 0));
	for (int i = 0; i < 11; i++)
		(void)takes("192.0.2.9", LIMIT_ERRORS, 0);
	for (uint32_t i = 1; i <= 4 * LIMITS_ENTRIES; i++) {
		memcpy(a.ip, &i, sizeof i);
		a.ip[6] = (uint8_t)(i >> 3);
		if (limits_open(&l, &a, 1000, &hit))
			limits_close(&l, &a, 1000);
		if (i % 20000 == 0)
			ck_assert(!takes("192.0.2.9", LIMIT_ERRORS, 1000));
	}
	ck_assert(!opens("192.0.2.1", 1000));
	hit_is(LIMIT_CONNECTIONS, "192.0.2.1", 32, 4, true);
	ck_assert_uint_eq(l.free, LIMITS_ENTRIES + 1);
	limits_free(&l);
}
END_TEST

/* As many open connections as fit: the next are let in uncounted, and nothing
 * breaks. */
START_TEST(full)
{
	struct addr a = { .family = 6 };
	uint32_t i;

	begin(1, 1);
	for (int round = 0; round < 2; round++)
		for (i = 1; i <= LIMITS_ENTRIES; i++) {
			memcpy(a.ip, &i, sizeof i);
			if (round == 0)
				ck_assert(limits_open(&l, &a, 0, &hit));
			else
				limits_close(&l, &a, 0);
		}
	for (i = 0; i < 4; i++)
		ck_assert(opens("192.0.2.1", 0));
	ck_assert(!opens("192.0.2.1", 0));
	limits_free(&l);
}
END_TEST

/* ---- several processes ---- */

static void
use(struct buf *b, enum net_kind kind, uint64_t net, unsigned open,
    unsigned errors)
{
	ck_assert_int_eq(ipc_put_limit_use(b, &(struct ipc_limit_use){
	    .kind = (uint8_t)kind, .net = net, .open = (uint16_t)open,
	    .errors = (uint16_t)errors }), 0);
}

#define NET_192_0_2_1	0xc000020100000000u

START_TEST(others_count)
{
	struct buf b;

	begin(3, 1);
	buf_init(&b, 65536);
	use(&b, NET_IP4, NET_192_0_2_1, 2, 0);
	limits_others(&l, 2, buf_get(&b), 0);
	ck_assert(opens("192.0.2.1", 0));
	buf_reset(&b);
	use(&b, NET_IP4, NET_192_0_2_1, 1, 9);
	limits_others(&l, 3, buf_get(&b), 0);
	ck_assert(!opens("192.0.2.1", 0));	/* 1 here, 2 and 1 there */
	ck_assert(takes("192.0.2.1", LIMIT_ERRORS, 0));
	ck_assert(!takes("192.0.2.1", LIMIT_ERRORS, 0));
	/* Numbers replace each other, and go with their process. */
	buf_reset(&b);
	use(&b, NET_IP4, NET_192_0_2_1, 0, 0);
	limits_others(&l, 2, buf_get(&b), HOUR);
	ck_assert(opens("192.0.2.1", HOUR));
	ck_assert(opens("192.0.2.1", HOUR));
	ck_assert(!opens("192.0.2.1", HOUR));
	limits_gone(&l, 3);
	ck_assert(opens("192.0.2.1", HOUR));
	/* Nonsense changes nothing. */
	buf_reset(&b);
	use(&b, NET_KINDS, NET_192_0_2_1, 4, 0);
	limits_others(&l, 2, buf_get(&b), HOUR);
	buf_reset(&b);
	use(&b, NET_IP4, NET_192_0_2_1, 4, 0);
	limits_others(&l, 0, buf_get(&b), HOUR);
	limits_others(&l, 1, buf_get(&b), HOUR);	/* ourselves */
	limits_others(&l, 4, buf_get(&b), HOUR);
	closes("192.0.2.1", HOUR);
	ck_assert(opens("192.0.2.1", HOUR));
	buf_free(&b);
	limits_free(&l);
}
END_TEST

static unsigned
shared(uint64_t now, struct ipc_limit_use *last)
{
	struct buf b;
	struct span rest;
	unsigned n = 0;

	buf_init(&b, 65536);
	limits_share(&l, now, &b, 65536);
	for (rest = buf_get(&b); ipc_get_limit_use(&rest, last) == 1; )
		n++;
	buf_free(&b);
	return n;
}

START_TEST(what_is_shared)
{
	struct ipc_limit_use u;

	begin(2, 1);
	ck_assert_uint_eq(shared(0, &u), 0);
	ck_assert(opens("192.0.2.1", 10));	/* 1 of 4 / (4 * 2) is worth it */
	ck_assert_uint_eq(shared(20, &u), 1);
	ck_assert_uint_eq(u.kind, NET_IP4);
	ck_assert_uint_eq(u.net, NET_192_0_2_1);
	ck_assert_uint_eq(u.open, 1);
	ck_assert_uint_eq(u.connects, 1);
	ck_assert_uint_eq(shared(30, &u), 0);
	ck_assert(takes("192.0.2.1", LIMIT_ERRORS, 40));	/* 1 of 10 is not */
	ck_assert_uint_eq(shared(50, &u), 0);
	ck_assert(takes("192.0.2.1", LIMIT_ERRORS, 60));
	ck_assert_uint_eq(shared(70, &u), 1);
	ck_assert_uint_eq(u.errors, 2);
	closes("192.0.2.1", 80);
	ck_assert_uint_eq(shared(90, &u), 1);
	ck_assert_uint_eq(u.open, 0);
	ck_assert_uint_eq(u.connects, 0);
	/* Who comes new is told what is open. */
	ck_assert(opens("192.0.2.1", 100));
	ck_assert_uint_eq(shared(110, &u), 1);
	l.share_all = true;
	ck_assert_uint_eq(shared(200, &u), 2);
	ck_assert_uint_eq(u.open, 1);
	limits_free(&l);
}
END_TEST

START_TEST(share_is_bounded)
{
	struct addr a = { .family = 6 };
	struct buf b;

	begin(2, 1);
	for (uint32_t i = 1; i <= 20000; i++) {
		memcpy(a.ip, &i, sizeof i);
		ck_assert(limits_open(&l, &a, 10, &hit));
	}
	buf_init(&b, 65536);
	limits_share(&l, 20, &b, 65536);
	ck_assert(!b.failed);
	ck_assert_uint_gt(b.len, 60000);
	buf_free(&b);
	limits_free(&l);
	/* One process tells nobody. */
	begin(1, 1);
	ck_assert(opens("192.0.2.1", 10));
	ck_assert_uint_eq(shared(20, &(struct ipc_limit_use){ .kind = 0 }), 0);
	limits_free(&l);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("limits");
	TCase *tc = tcase_create("limits");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, addresses, 0, NELEM(neighbours));
	tcase_add_loop_test(tc, networks, 0, NELEM(wide));
	tcase_add_loop_test(tc, rates, 0, 3);
	tcase_add_test(tc, connection_rate);
	tcase_add_test(tc, errors_bar);
	tcase_add_test(tc, incidents);
	tcase_add_test(tc, no_limits);
	tcase_add_test(tc, flood);
	tcase_add_test(tc, full);
	tcase_add_test(tc, others_count);
	tcase_add_test(tc, what_is_shared);
	tcase_add_test(tc, share_is_bounded);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
