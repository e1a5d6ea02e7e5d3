/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The links to resolver are played by a table that keeps what was sent. */
#include <check.h>
#include <stdio.h>

#include "base/log.h"
#include "policy/resolvers.h"
#include "tests/unit/suite.h"

#define MOST	6000

struct sent {
	unsigned	index;
	uint64_t	txn;
	uint16_t	type;
	bool		unchecked;
	char		name[64];
};

struct fix {
	struct loop		*loop;
	struct resolvers	*rs;
	struct dns_lookup	 lookup;
	struct sent		 sent[MOST];
	size_t			 n;
	bool			 full[3];
	unsigned		 answers;
	enum dns_status		 status;
	size_t			 records;
	struct dns_query	*again;
};

static struct fix x;
static const struct resolvers_times times = { 300, 700 };

static int
send_ask(void *ctx, unsigned index, const struct ipc_dns_ask *m)
{
	struct fix *f = ctx;
	struct sent *s = &f->sent[f->n];

	ck_assert_uint_lt(f->n, MOST);
	s->index = index;
	s->txn = m->txn;
	s->type = m->type;
	s->unchecked = m->unchecked;
	ck_assert(span_copy(m->name, s->name, sizeof(s->name)));
	f->n++;
	return 0;
}

static bool
is_full(void *ctx, unsigned index)
{
	return ((struct fix *)ctx)->full[index];
}

static const struct resolvers_ops ops = { send_ask, is_full };

static void
setup(void)
{
	static const struct siphash_key key = { 5, 6 };

	x = (struct fix){ 0 };
	x.loop = loop_new();
	ck_assert_ptr_nonnull(x.loop);
	x.rs = resolvers_new(x.loop, &key, &times, &ops, &x);
	ck_assert_ptr_nonnull(x.rs);
	x.lookup = resolvers_lookup(x.rs);
}

static void
teardown(void)
{
	resolvers_free(&x.rs);
	loop_free(&x.loop);
}

static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct fix *f = arg;

	f->answers++;
	f->status = a->status;
	f->records = a->n;
}

static struct dns_query *
ask(unsigned i)
{
	char name[64];

	snprintf(name, sizeof(name), "n%u.example", i);
	return x.lookup.ops->ask(x.lookup.ctx, name, DNS_TYPE_A, on_answer, &x);
}

static void
reply(const struct sent *s, unsigned index)
{
	struct dns_answer a;
	struct ipc_dns_answer m;
	struct dns_rr *rr;
	struct buf rrs;

	dns_answer_init(&a);
	a.status = DNS_SECURE;
	a.rcode = 0;
	rr = dns_answer_add(&a);
	ck_assert_ptr_nonnull(rr);
	rr->type = s->type;
	buf_init(&rrs, 65536);
	ck_assert_int_eq(dns_answer_put(&a, s->txn, &rrs, &m), 0);
	resolvers_answer(x.rs, index, &m);
	buf_free(&rrs);
	dns_answer_free(&a);
}

static unsigned
sent_to(unsigned index)
{
	unsigned n = 0;

	for (size_t i = 0; i < x.n; i++)
		n += x.sent[i].index == index;
	return n;
}

START_TEST(answered)
{
	setup();
	resolvers_up(x.rs, 1);
	ck_assert_ptr_nonnull(ask(1));
	ck_assert_uint_eq(x.n, 1);
	ck_assert_str_eq(x.sent[0].name, "n1.example");
	ck_assert_uint_eq(x.sent[0].type, DNS_TYPE_A);
	reply(&x.sent[0], 2);		/* not whom we asked */
	ck_assert_uint_eq(x.answers, 0);
	reply(&x.sent[0], 1);
	ck_assert_uint_eq(x.answers, 1);
	ck_assert_int_eq(x.status, DNS_SECURE);
	ck_assert_uint_eq(x.records, 1);
	reply(&x.sent[0], 1);		/* once more */
	ck_assert_uint_eq(x.answers, 1);
	ck_assert_uint_eq(resolvers_pending(x.rs), 0);
	teardown();
}
END_TEST

START_TEST(malformed)
{
	struct ipc_dns_answer m = { .status = 77, .canonical = SPAN_NONE,
	    .why = SPAN_NONE, .rrs = SPAN_NONE };

	setup();
	resolvers_up(x.rs, 1);
	ck_assert_ptr_nonnull(ask(1));
	m.txn = x.sent[0].txn;
	resolvers_answer(x.rs, 1, &m);
	ck_assert_uint_eq(x.answers, 1);
	ck_assert_int_eq(x.status, DNS_ERROR);
	teardown();
}
END_TEST

/* A name keeps to one resolver, names spread over both, and one that is far
 * behind is spared. */
START_TEST(affinity)
{
	setup();
	resolvers_up(x.rs, 1);
	resolvers_up(x.rs, 2);
	for (unsigned i = 0; i < 100; i++) {
		ck_assert_ptr_nonnull(ask(i));
		ck_assert_ptr_nonnull(ask(i));
		ck_assert_uint_eq(x.sent[2 * i].index, x.sent[2 * i + 1].index);
		reply(&x.sent[2 * i], x.sent[2 * i].index);
		reply(&x.sent[2 * i + 1], x.sent[2 * i + 1].index);
	}
	ck_assert(sent_to(1) > 50 && sent_to(2) > 50);
	x.n = 0;
	for (unsigned i = 0; i < 1000; i++) {
		ck_assert_ptr_nonnull(ask(i));
		if (x.sent[x.n - 1].index == 2)
			reply(&x.sent[x.n - 1], 2);
	}
	/* 1 never answers: it is left alone once it is 64 behind */
	ck_assert(sent_to(1) >= 64 && sent_to(1) < 70);
	teardown();
}
END_TEST

START_TEST(lost)
{
	setup();
	resolvers_up(x.rs, 1);
	for (unsigned i = 0; i < 10; i++)
		ck_assert_ptr_nonnull(ask(i));
	ck_assert_uint_eq(sent_to(1), 10);
	resolvers_down(x.rs, 1);
	ck_assert_uint_eq(x.answers, 0);
	ck_assert_uint_eq(resolvers_pending(x.rs), 10);
	x.n = 0;
	resolvers_up(x.rs, 2);		/* asked again, in order */
	ck_assert_uint_eq(sent_to(2), 10);
	for (unsigned i = 0; i < 10; i++) {
		char name[64];

		snprintf(name, sizeof(name), "n%u.example", i);
		ck_assert_str_eq(x.sent[i].name, name);
		reply(&x.sent[i], 2);
	}
	ck_assert_uint_eq(x.answers, 10);
	/* the only one comes back itself */
	x.n = 0;
	ck_assert_ptr_nonnull(ask(1));
	resolvers_down(x.rs, 2);
	resolvers_up(x.rs, 2);
	ck_assert_uint_eq(sent_to(2), 2);
	reply(&x.sent[1], 2);
	ck_assert_uint_eq(x.answers, 11);
	teardown();
}
END_TEST

START_TEST(full)
{
	struct dns_query *q;

	setup();
	resolvers_up(x.rs, 1);
	x.full[1] = true;
	ck_assert_ptr_nonnull(ask(1));
	q = ask(2);
	ck_assert_ptr_nonnull(q);
	ck_assert_ptr_nonnull(ask(3));
	ck_assert_uint_eq(x.n, 0);
	x.lookup.ops->cancel(x.lookup.ctx, q);
	x.full[1] = false;
	resolvers_room(x.rs);
	ck_assert_uint_eq(x.n, 2);
	ck_assert_str_eq(x.sent[1].name, "n3.example");
	teardown();
}
END_TEST

/* One resolver holds so many and no more; answers make room. */
START_TEST(window)
{
	setup();
	resolvers_up(x.rs, 1);
	for (unsigned i = 0; i < RESOLVERS_OUT_MAX + 100; i++)
		ck_assert_ptr_nonnull(ask(i));
	ck_assert_uint_eq(x.n, RESOLVERS_OUT_MAX);
	reply(&x.sent[0], 1);
	ck_assert_uint_eq(x.n, RESOLVERS_OUT_MAX + 1);
	ck_assert_uint_eq(resolvers_pending(x.rs), RESOLVERS_OUT_MAX + 99);
	teardown();
}
END_TEST

START_TEST(most)
{
	setup();
	for (unsigned i = 0; i < RESOLVERS_MAX; i++)
		ck_assert_ptr_nonnull(ask(i));
	ck_assert_ptr_null(ask(1));
	teardown();
}
END_TEST

static void
stop(void *arg)
{
	loop_stop(arg);
}

static void
run_for(uint64_t ms)
{
	struct loop_timer *t = loop_timer_new(x.loop, stop, x.loop);

	ck_assert_ptr_nonnull(t);
	loop_timer_set(t, ms);
	loop_run(x.loop);
	loop_timer_close(&t);
}

/* Silence: the other one is asked, then it is an error. */
START_TEST(silent)
{
	unsigned first;

	setup();
	resolvers_up(x.rs, 1);
	resolvers_up(x.rs, 2);
	ck_assert_ptr_nonnull(ask(1));
	first = x.sent[0].index;
	run_for(100);
	ck_assert_uint_eq(x.n, 1);
	run_for(300);
	ck_assert_uint_eq(x.n, 2);
	ck_assert_uint_ne(x.sent[1].index, first);
	reply(&x.sent[0], first);	/* too late */
	ck_assert_uint_eq(x.answers, 0);
	run_for(400);
	ck_assert_uint_eq(x.answers, 1);
	ck_assert_int_eq(x.status, DNS_ERROR);
	ck_assert_uint_eq(resolvers_pending(x.rs), 0);
	teardown();
}
END_TEST

START_TEST(nobody)
{
	setup();
	ck_assert_ptr_nonnull(ask(1));
	run_for(300);
	ck_assert_uint_eq(x.answers, 0);
	run_for(600);
	ck_assert_uint_eq(x.answers, 1);
	ck_assert_int_eq(x.status, DNS_ERROR);
	teardown();
}
END_TEST

/* By the resolver that is named, while it is there; and without DNSSEC. */
START_TEST(pinned)
{
	struct dns_lookup by;

	setup();
	resolvers_up(x.rs, 1);
	resolvers_up(x.rs, 2);
	for (unsigned i = 0; i < 40; i++) {
		by = resolvers_pinned(x.rs, 1 + i % 2);
		ck_assert_ptr_nonnull(by.ops->ask(by.ctx, "", DNS_TYPE_SOA,
		    on_answer, &x));
		ck_assert_uint_eq(x.sent[i].index, 1 + i % 2);
		ck_assert(!x.sent[i].unchecked);
	}
	resolvers_down(x.rs, 2);		/* the other one has them */
	ck_assert_uint_eq(x.n, 60);
	ck_assert_uint_eq(x.sent[59].index, 1);
	by = resolvers_pinned(x.rs, 2);
	by.ops->cancel(by.ctx, by.ops->ask(by.ctx, "x.example", DNS_TYPE_A,
	    on_answer, &x));
	ck_assert_uint_eq(x.sent[60].index, 1);
	by = resolvers_unchecked(x.rs);
	ck_assert_ptr_nonnull(by.ops->ask(by.ctx, "x.example", DNS_TYPE_A,
	    on_answer, &x));
	ck_assert(x.sent[61].unchecked);
	for (unsigned i = 0; i < 62; i++)
		reply(&x.sent[i], 1);
	ck_assert_uint_eq(x.answers, 41);
	ck_assert_uint_eq(resolvers_pending(x.rs), 0);
	teardown();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/resolvers");
	TCase *tc = tcase_create("resolvers");

	log_open("test", LOG_LOGFMT);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, answered);
	tcase_add_test(tc, malformed);
	tcase_add_test(tc, affinity);
	tcase_add_test(tc, lost);
	tcase_add_test(tc, full);
	tcase_add_test(tc, window);
	tcase_add_test(tc, most);
	tcase_add_test(tc, silent);
	tcase_add_test(tc, nobody);
	tcase_add_test(tc, pinned);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
