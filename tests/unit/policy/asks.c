/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "policy/asks.h"
#include "tests/unit/policy/fake_dns.h"
#include "tests/unit/suite.h"

static const char *const lines[] = {
	"MX example.org = 10 mx.example.org", "A mx.example.org = 198.51.99.1",
	NULL,
};
static const struct conf conf = {
	.hostname = "us.example", .relay = { .port = 25, .connections = 20 },
};

struct fix {
	struct fake_dns		dns;
	struct route_world	world;
	struct asks		*asks;
	unsigned		answers, refused;
	uint64_t		txns;		/* sum of those answered */
	int			code;
};

static struct self self;

static void
on_answer(void *arg, uint64_t txn, const struct route_result *r)
{
	struct fix *x = arg;

	x->answers++;
	x->txns += txn;
	x->code = r->code;
	if (strcmp(r->dsn, "4.3.2") == 0)
		x->refused++;
}

static void
setup(struct fix *x)
{
	*x = (struct fix){ .dns = { .lines = lines } };
	self.conf = &conf;
	x->world = (struct route_world){ .conf = &conf, .self = &self,
	    .lookup = fake_lookup(&x->dns), .key = { 3, 4 } };
	x->asks = asks_new(&x->world, on_answer, x);
	ck_assert_ptr_nonnull(x->asks);
}

static void
take(struct fix *x, uint64_t txn, struct span domain)
{
	asks_take(x->asks, txn, domain, TLS_WISH_NONE);
}

START_TEST(shared)
{
	struct fix x;

	setup(&x);
	for (uint64_t txn = 1; txn <= 100; txn++)
		take(&x, txn, SPAN_LIT("example.org"));
	take(&x, 1000, SPAN_LIT("other.example"));
	ck_assert_uint_eq(x.dns.asked, 2);
	ck_assert_uint_eq(asks_pending(x.asks), 101);
	fake_run(&x.dns);
	ck_assert_uint_eq(x.answers, 101);
	ck_assert_uint_eq(x.txns, 5050 + 1000);
	ck_assert_uint_eq(asks_pending(x.asks), 0);
	/* nothing is kept: the next one is looked up anew */
	take(&x, 1, SPAN_LIT("example.org"));
	ck_assert_uint_eq(x.dns.asked, 2 + 2 + 1);
	fake_run(&x.dns);
	ck_assert_int_eq(x.code, 250);
	asks_free(&x.asks);
}
END_TEST

/* RFC 8689: another wish is another question. */
START_TEST(by_wish)
{
	struct fix x;

	setup(&x);
	for (int wish = 0; wish < TLS_WISH_COUNT; wish++)
		for (int i = 0; i < 10; i++)
			asks_take(x.asks, 1, SPAN_LIT("example.org"),
			    (enum tls_wish)wish);
	ck_assert_uint_eq(x.dns.asked, TLS_WISH_COUNT);
	fake_run(&x.dns);
	ck_assert_uint_eq(x.answers, 10 * TLS_WISH_COUNT);
	ck_assert_uint_eq(asks_pending(x.asks), 0);
	asks_free(&x.asks);
}
END_TEST

START_TEST(at_once)
{
	struct fix x;

	setup(&x);
	take(&x, 1, SPAN_LIT("[198.51.99.7]"));
	ck_assert_uint_eq(x.answers, 1);
	ck_assert_int_eq(x.code, 250);
	take(&x, 2, span_of("example.org\0.evil", 17));
	ck_assert_uint_eq(x.answers, 2);
	ck_assert_int_eq(x.code, 550);
	ck_assert_uint_eq(asks_pending(x.asks), 0);
	ck_assert_uint_eq(x.dns.asked, 0);
	asks_free(&x.asks);
}
END_TEST

START_TEST(bounded)
{
	char name[64];
	struct fix x;

	setup(&x);
	for (unsigned i = 0; i < ASKS_MAX + 500; i++) {
		snprintf(name, sizeof(name), "d%u.example", i % 7000);
		take(&x, i, span_str(name));
	}
	ck_assert_uint_eq(x.refused, 500);
	ck_assert_int_eq(x.code, 451);
	ck_assert_uint_eq(asks_pending(x.asks), ASKS_MAX);
	ck_assert_uint_eq(x.dns.asked, 7000);
	fake_run(&x.dns);
	ck_assert_uint_eq(x.answers, ASKS_MAX + 500);
	asks_free(&x.asks);
}
END_TEST

START_TEST(forgotten)
{
	char name[64];
	struct fix x;

	setup(&x);
	for (unsigned i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "d%u.example", i / 2);
		take(&x, i, span_str(name));
	}
	take(&x, 500, SPAN_LIT("example.org"));
	for (int i = 0; i < 251; i++)
		ck_assert(fake_one(&x.dns));	/* some are past their MX */
	asks_forget(x.asks);
	ck_assert_ptr_null(x.dns.first);
	ck_assert_uint_eq(asks_pending(x.asks), 0);
	x.answers = 0;
	take(&x, 1, SPAN_LIT("example.org"));
	fake_run(&x.dns);
	ck_assert_uint_eq(x.answers, 1);
	take(&x, 1, SPAN_LIT("example.org"));
	asks_free(&x.asks);		/* one under way */
	ck_assert_ptr_null(x.dns.first);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/asks");
	TCase *tc = tcase_create("asks");

	log_open("test", LOG_LOGFMT);
	tcase_add_test(tc, shared);
	tcase_add_test(tc, by_wish);
	tcase_add_test(tc, at_once);
	tcase_add_test(tc, bounded);
	tcase_add_test(tc, forgotten);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
