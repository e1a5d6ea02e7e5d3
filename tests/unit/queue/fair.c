/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/fair.c - who waits for whom: between sites, between clients
 * and senders of a site, between those who wait for policy; and how a site's
 * concurrency shrinks and grows. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "tests/unit/suite.h"
#include "world.h"

#define BODY	"Subject: hello\r\n\r\nbody\r\n"
#define RESET	"password-reset@shop.example"
#define BULK	2000

static bool five_jobs(struct world *w) { return w->njobs >= 5; }
static bool seven_jobs(struct world *w) { return w->njobs >= 7; }

static bool
bulk_committed(struct world *w)
{
	return w->committed == BULK;
}

static struct world *
started(void)
{
	struct world *w = world_new();

	world_start(w);
	world_register(w, 1);
	return w;
}

static void
send_one(struct world *w, unsigned n, const char *sender, const char *rcpt)
{
	char id[ID_SIZE];

	world_id(n, id);
	world_send(w, n, id, sender, rcpt, BODY);
}

/* A mailing with a reverse-path of its own for each message; without `domain`
 * with a domain of its own, too. */
static void
send_bulk(struct world *w, const char *domain)
{
	char sender[64], rcpt[64];

	for (unsigned i = 1; i <= BULK; i++) {
		snprintf(sender, sizeof(sender), "news-%u@bulk.example", i);
		if (domain != NULL)
			snprintf(rcpt, sizeof(rcpt), "r%u@%s", i, domain);
		else
			snprintf(rcpt, sizeof(rcpt), "r@d%u.example", i);
		send_one(w, i, sender, rcpt);
	}
	world_until(w, bulk_committed);
}

static struct site *
only_site(struct world *w)
{
	const struct table *t = &world_queue(w)->sites;

	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i] != NULL)
			return TABLE_ENTRY(t->slots[i], struct site, link);
	return NULL;
}

/* ---- whose turn ---- */

START_TEST(one_message_passes_a_mailing_to_the_same_site)
{
	struct world *w = started();

	w->say = SAY_NOTHING;
	send_bulk(w, "dest.example");
	world_until(w, five_jobs);
	send_one(w, BULK + 1, RESET, "me@dest.example");
	world_wait(w, 100);
	ck_assert_uint_eq(w->njobs, 5);
	/* Two senders take turns, whoever was last: of the next two places
	 * one is its. */
	world_outcome(w, &w->jobs[0], SAY_SENT);
	world_outcome(w, &w->jobs[1], SAY_SENT);
	world_until(w, seven_jobs);
	ck_assert(strcmp(w->jobs[5].first, "me@dest.example") == 0 ||
	    strcmp(w->jobs[6].first, "me@dest.example") == 0);
	world_free(w);
}
END_TEST

static const struct {
	const char	*a, *b;
	bool		 same;
} flow_rows[] = {
	{ "news-1@bulk.example", "news-2@bulk.example", true },
	{ "news+a=b.c@bulk.example", "news@bulk.example", true },
	{ "News1@bulk.example", "News2@bulk.example", true },
	{ "SRS0=x=y=a.example=b@f.example", "SRS0=z=t=c.example=d@f.example",
	    true },
	{ "reset@bulk.example", "news@bulk.example", false },
	{ "news@a.example", "news@b.example", false },
	{ "", "news@bulk.example", false },
	{ "a@b.example", "b@a.example", false },
};

START_TEST(what_shares_a_turn)
{
	struct message *a = world_message(flow_rows[_i].a, "192.0.2.1", 0),
	    *b = world_message(flow_rows[_i].b, "192.0.2.1", 0),
	    *c = world_message(flow_rows[_i].a, "192.0.2.2", 0);

	ck_assert_msg((flow_key(a) == flow_key(b)) == flow_rows[_i].same,
	    "%s and %s", flow_rows[_i].a, flow_rows[_i].b);
	ck_assert(flow_key(a) != flow_key(c));
	message_unref(a);
	message_unref(b);
	message_unref(c);
}
END_TEST

/* A host that takes connections and answers nothing has all its places taken
 * and BULK messages waiting; another site notices nothing of it. */
START_TEST(a_silent_site_delays_no_other)
{
	struct world *w = started();
	uint64_t before, most = 0;

	w->silent = "silent.example";
	send_bulk(w, "silent.example");
	world_until(w, five_jobs);
	for (unsigned i = 1; i <= 50; i++) {
		size_t had = w->njobs;

		before = queue_now(world_queue(w));
		send_one(w, BULK + i, "a@b.example", "r@healthy.example");
		while (w->njobs == had)
			world_wait(w, 1);
		ck_assert_str_eq(w->jobs[had].first, "r@healthy.example");
		if (queue_now(world_queue(w)) - before > most)
			most = queue_now(world_queue(w)) - before;
	}
	ck_assert_uint_lt(most, 1000);
	world_free(w);
}
END_TEST

START_TEST(one_domain_passes_a_mailing_that_waits_for_policy)
{
	struct world *w = started();

	w->policy_mute = true;
	send_bulk(w, NULL);
	while (w->asks < QUEUE_ASKS)
		world_wait(w, 5);
	send_one(w, BULK + 1, RESET, "me@other.example");
	world_wait(w, 50);
	ck_assert_uint_eq(w->asks, QUEUE_ASKS);
	/* Their lines take turns, whoever was last. */
	world_route(w, w->asked[0].txn, SPAN_LIT("d1.example"));
	world_route(w, w->asked[1].txn, SPAN_LIT("d2.example"));
	while (w->asks < QUEUE_ASKS + 2)
		world_wait(w, 5);
	ck_assert(strcmp(w->asked[QUEUE_ASKS].domain, "other.example") == 0 ||
	    strcmp(w->asked[QUEUE_ASKS + 1].domain, "other.example") == 0);
	world_free(w);
}
END_TEST

/* ---- concurrency ---- */

START_TEST(what_fails_together_shrinks_once)
{
	struct world *w = started();
	struct site *s;

	w->say = SAY_NOTHING;
	for (unsigned i = 1; i <= 30; i++)
		send_one(w, i, "a@b.example", "r@dest.example");
	world_until(w, five_jobs);
	s = only_site(w);
	ck_assert_double_eq_tol(s->limit, 5, 0.01);
	w->say_trouble = true;
	for (unsigned i = 0; i < 3; i++)
		world_outcome(w, &w->jobs[i], SAY_DEFERRED);
	world_wait(w, 50);
	ck_assert_double_eq_tol(s->limit, 2.5, 0.01);
	ck_assert_uint_eq(s->running, 2);
	/* Successes make it grow again, one per full round, up to the cap. */
	w->say_trouble = false;
	for (size_t i = 3; i < w->njobs && i < 28; i++) {
		world_outcome(w, &w->jobs[i], SAY_SENT);
		world_wait(w, 5);
	}
	ck_assert_double_gt(s->limit, 6);
	ck_assert_double_le(s->limit, 20);
	world_free(w);
}
END_TEST

/* Recipients that are refused or deferred say nothing of the host. */
START_TEST(refusals_do_not_shrink)
{
	struct world *w = started();
	struct site *s;

	w->say = SAY_NOTHING;
	for (unsigned i = 1; i <= 20; i++)
		send_one(w, i, "", "r@dest.example");
	world_until(w, five_jobs);
	s = only_site(w);
	for (size_t i = 0; i < w->njobs && i < 10; i++) {
		world_outcome(w, &w->jobs[i],
		    i % 2 == 0 ? SAY_FAILED : SAY_DEFERRED);
		world_wait(w, 5);
	}
	ck_assert_double_gt(s->limit, 5);
	ck_assert_uint_eq(s->era, 0);
	world_free(w);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue fairness");
	TCase *t = tcase_create("fair");

	tcase_set_timeout(t, 25);
	tcase_add_test(t, one_message_passes_a_mailing_to_the_same_site);
	tcase_add_loop_test(t, what_shares_a_turn, 0,
	    (int)(sizeof(flow_rows) / sizeof(flow_rows[0])));
	tcase_add_test(t, a_silent_site_delays_no_other);
	tcase_add_test(t, one_domain_passes_a_mailing_that_waits_for_policy);
	tcase_add_test(t, what_fails_together_shrinks_once);
	tcase_add_test(t, refusals_do_not_shrink);
	suite_add_tcase(s, t);
	return suite_run(s);
}
