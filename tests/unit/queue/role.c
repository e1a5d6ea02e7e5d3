/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/role.c - the queue role between fakes. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/suite.h"
#include "world.h"

#define BODY	"Received: from x\r\nSubject: hello\r\n\r\nbody\r\n"
#define FROM	"sender@client.example"

static bool one_ask(struct world *w) { return w->asks >= 1; }
static bool two_asks(struct world *w) { return w->asks >= 2; }

START_TEST(a_message_passes)
{
	struct world *w = world_started();

	world_send(w, 1, world_name(1), FROM, "r@dest.example", BODY);
	world_until(w, world_one_ack);
	world_until(w, world_empty);
	ck_assert_uint_eq(w->committed, 1);
	ck_assert_uint_eq(w->njobs, 1);
	ck_assert_str_eq(w->jobs[0].body, BODY);
	ck_assert_str_eq(w->jobs[0].sender, FROM);
	ck_assert_str_eq(w->jobs[0].first, "r@dest.example");
	world_stop(w);
	world_start(w);
	ck_assert(world_empty(w));
	world_free(w);
}
END_TEST

START_TEST(nothing_goes_before_relays_registered)
{
	struct world *w = world_new();

	world_start(w);
	world_send(w, 1, world_name(1), FROM, "r@dest.example", BODY);
	world_until(w, world_one_committed);
	world_wait(w, 100);
	ck_assert_uint_eq(w->njobs, 0);
	world_register(w, 1);
	world_until(w, world_empty);
	ck_assert_uint_eq(w->njobs, 1);
	world_free(w);
}
END_TEST

START_TEST(a_new_queue_finds_what_was_committed)
{
	struct world *w = world_started();

	w->say = SAY_NOTHING;
	world_send(w, 1, world_name(1), FROM, "a@dest.example b@dest.example", BODY);
	world_until(w, world_one_job);
	world_stop(w);
	w->say = SAY_SENT;
	world_start(w);
	world_register(w, 1);
	world_until(w, world_empty);
	ck_assert_uint_eq(w->njobs, 2);
	ck_assert_uint_eq(w->jobs[1].nrcpts, 2);
	ck_assert_str_eq(w->jobs[1].body, BODY);
	ck_assert_uint_gt(w->jobs[1].job, w->jobs[0].job);
	world_free(w);
}
END_TEST

START_TEST(a_running_job_is_not_given_out_again)
{
	struct world *w = world_started();
	struct ipc_job_running run;
	struct ipc_job_rcpt r = { .index = 0,
	    .address = SPAN_LIT("a@dest.example"), .orcpt = SPAN_NONE };
	struct buf list;

	w->say = SAY_NOTHING;
	world_send(w, 1, world_name(1), FROM, "a@dest.example b@dest.example", BODY);
	world_until(w, world_one_job);
	world_stop(w);
	world_start(w);
	buf_init(&list, 4096);
	ipc_put_job_rcpt(&list, &r);
	run = (struct ipc_job_running){ .job = w->jobs[0].job,
	    .id = span_str(w->jobs[0].id), .site = 1,
	    .rcpts = buf_get(&list) };
	ck_assert_int_eq(ipc_send_job_running(w->relay[1], &run, -1), 0);
	buf_free(&list);
	world_register(w, 1);
	world_until(w, world_two_jobs);
	world_wait(w, 100);
	/* Only the recipient that nobody is sending to. */
	ck_assert_uint_eq(w->njobs, 2);
	ck_assert_uint_eq(w->jobs[1].nrcpts, 1);
	ck_assert_str_eq(w->jobs[1].first, "b@dest.example");
	w->jobs[0].nrcpts = 1;
	world_outcome(w, &w->jobs[0], SAY_SENT);
	world_outcome(w, &w->jobs[1], SAY_SENT);
	world_until(w, world_empty);
	ck_assert_uint_eq(w->njobs, 2);
	world_free(w);
}
END_TEST

START_TEST(outcomes_of_ended_messages_are_acknowledged)
{
	struct world *w = world_started();
	struct seen_job ghost = { .job = 12345, .relay = 1, .nrcpts = 1 };

	world_id(9, ghost.id);
	world_outcome(w, &ghost, SAY_SENT);
	world_until(w, world_one_ack);
	world_free(w);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(a_known_id_is_refused)
{
	struct world *w = world_started();

	w->say = SAY_NOTHING;
	world_send(w, 1, world_name(1), FROM, "r@dest.example", BODY);
	world_until(w, world_one_committed);
	world_send(w, 2, world_name(1), FROM, "r@dest.example", BODY);
	world_until(w, world_one_refused);
	ck_assert_uint_eq(w->code, 451);
	world_free(w);
}
END_TEST

static const struct {
	const char	*name, *id, *rcpts;
	uint64_t	 size;
	uint8_t		 in_file;
} bad_rows[] = {
	{ "no such id", "not-an-id", "r@dest.example", sizeof(BODY) - 1, 0 },
	{ "no recipients", NULL, "", sizeof(BODY) - 1, 0 },
	{ "another size", NULL, "r@dest.example", 5, 0 },
	{ "no file", NULL, "r@dest.example", sizeof(BODY) - 1, 1 },
};

START_TEST(incomplete_transactions_are_refused)
{
	struct world *w = world_started();
	struct ipc_msg_commit c = { .txn = 1, .size = bad_rows[_i].size,
	    .in_file = bad_rows[_i].in_file, .body = SPAN_LIT(BODY) };

	world_begin(w, 1, bad_rows[_i].id != NULL ? bad_rows[_i].id : world_name(1),
	    FROM, bad_rows[_i].rcpts);
	ipc_send_msg_commit(w->smtpd, &c, -1);
	world_until(w, world_one_refused);
	ck_assert_msg(w->code == 451, "%s: %u", bad_rows[_i].name, w->code);
	ck_assert(world_empty(w));
	/* The link still works. */
	world_send(w, 2, world_name(2), FROM, "r@dest.example", BODY);
	world_until(w, world_one_committed);
	world_free(w);
}
END_TEST

START_TEST(an_smtpd_that_goes_is_forgotten)
{
	struct world *w = world_started();

	world_begin(w, 1, world_name(1), FROM, "r@dest.example");
	world_wait(w, 20);
	world_cut(w, ROLE_SMTPD, 1);
	world_link(w, ROLE_SMTPD, 1);
	/* Its numbers may come again. */
	world_send(w, 1, world_name(2), FROM, "r@dest.example", BODY);
	world_until(w, world_one_committed);
	world_until(w, world_empty);
	ck_assert_uint_eq(w->njobs, 1);
	ck_assert_str_eq(w->jobs[0].id, world_name(2));
	world_free(w);
}
END_TEST

/* ---- where recipients go ---- */

static void
many(char *out, size_t size, unsigned n, const char *domain)
{
	size_t at = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, size - at, "%sr%u@%s",
		    i == 0 ? "" : " ", i, domain);
}

START_TEST(a_job_has_at_most_100_recipients)
{
	struct world *w = world_started();
	static char rcpts[16384];

	many(rcpts, sizeof(rcpts), 250, "dest.example");
	world_send(w, 1, world_name(1), FROM, rcpts, BODY);
	world_until(w, world_one_committed);
	world_until(w, world_empty);
	ck_assert_uint_eq(w->njobs, 3);
	ck_assert_uint_eq(w->jobs[0].nrcpts + w->jobs[1].nrcpts +
	    w->jobs[2].nrcpts, 250);
	ck_assert_uint_eq(w->asks, 1);
	world_free(w);
}
END_TEST

START_TEST(equal_site_and_identity_travel_together)
{
	struct world *w = world_started();

	/* The fake policy makes the site from the length of the name. */
	world_send(w, 1, world_name(1), FROM,
	    "a@one.example b@two.example c@three.example", BODY);
	world_until(w, world_one_committed);
	world_until(w, world_empty);
	ck_assert_uint_eq(w->asks, 3);
	ck_assert_uint_eq(w->njobs, 2);
	ck_assert_uint_eq(w->jobs[0].nrcpts + w->jobs[1].nrcpts, 3);
	world_free(w);
}
END_TEST

START_TEST(an_answer_is_shared_for_a_moment)
{
	struct world *w = world_started();

	for (unsigned i = 1; i <= 50; i++)
		world_send(w, i, world_name(i), FROM, "r@dest.example", BODY);
	world_until(w, world_empty);
	while (w->njobs < 50)
		world_wait(w, 10);
	ck_assert_uint_eq(w->asks, 1);
	world_free(w);
}
END_TEST

START_TEST(what_discard_takes_is_done)
{
	struct world *w = world_started();

	world_send(w, 1, world_name(1), FROM, "r@sink.example", BODY);
	world_until(w, world_one_committed);
	world_until(w, world_empty);
	ck_assert_uint_eq(w->njobs, 0);
	world_free(w);
}
END_TEST

START_TEST(a_policy_that_goes_is_asked_again)
{
	struct world *w = world_started();

	w->policy_mute = true;
	world_send(w, 1, world_name(1), FROM, "r@dest.example", BODY);
	world_until(w, one_ask);
	world_cut(w, ROLE_POLICY, 1);
	w->policy_mute = false;
	world_link(w, ROLE_POLICY, 1);
	world_until(w, two_asks);
	world_until(w, world_empty);
	world_free(w);
}
END_TEST

/* ---- trying again, giving up, bounces ---- */

START_TEST(a_deferral_is_tried_again)
{
	struct world *w = world_started();
	struct message *m;

	w->say = SAY_DEFERRED;
	w->say_tls_failed = true;
	w->reply = "450 4.2.0 later";
	world_send(w, 1, world_name(1), FROM, "r@dest.example", BODY);
	world_until(w, world_one_ack);
	m = TAILQ_FIRST(&world_queue(w)->index.arrival);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(m->rcpts[0].state, RCPT_DEFERRED);
	ck_assert(span_eq(rcpt_reply(&m->rcpts[0]), span_str(w->reply)));
	ck_assert(span_eq(rcpt_site(&m->rcpts[0]), SPAN_LIT("mx.example")));
	w->say = SAY_SENT;
	world_until(w, world_empty);
	ck_assert_uint_ge(w->njobs, 2);
	ck_assert(!w->jobs[0].tls_failed);
	ck_assert(w->jobs[1].tls_failed);
	world_free(w);
}
END_TEST

START_TEST(attempts_survive_a_restart)
{
	struct world *w = world_new();
	struct message *m;

	w->conf.relay.retry.first = w->conf.relay.retry.max = 3600 * 1000;
	world_start(w);
	world_register(w, 1);
	w->say = SAY_DEFERRED;
	w->say_tls_failed = true;
	w->reply = "450 4.2.0 later";
	world_send(w, 1, world_name(1), FROM, "r@dest.example s@sink.example", BODY);
	world_until(w, world_one_ack);
	world_stop(w);
	world_start(w);
	m = TAILQ_FIRST(&world_queue(w)->index.arrival);
	ck_assert_uint_eq(m->rcpts[0].attempts, 1);
	ck_assert_uint_eq(m->rcpts[0].tls_failed, 1);
	ck_assert_int_eq(m->rcpts[0].state, RCPT_DEFERRED);
	ck_assert_int_eq(m->rcpts[1].state, RCPT_DELIVERED);
	ck_assert_uint_eq(m->nopen, 1);
	ck_assert(span_eq(rcpt_reply(&m->rcpts[0]), span_str(w->reply)));
	/* It waits out its pause, and not longer than that. */
	ck_assert_uint_gt(m->due, queue_now(world_queue(w)) + 3000 * 1000);
	ck_assert_uint_lt(m->due, queue_now(world_queue(w)) + 4000 * 1000);
	world_free(w);
}
END_TEST

static const struct {
	const char	*name, *rcpt, *reply, *status;
	enum answer	 say;
	uint64_t	 give_up;
} bounce_rows[] = {
	{ "RFC 3464 sec 2.3.4: refused by the peer", "r@dest.example", "550 5.1.1 no such user",
	    "Status: 5.1.1", SAY_FAILED, 3600 * 1000 },
	{ "RFC 3464 sec 2.3.4: expired", "r@dest.example", "450 4.2.0 full", "Status: 4.4.7",
	    SAY_DEFERRED, 1 },
	{ "RFC 3464 sec 2.3.4: no route", "r@nx.example", "the domain does not exist",
	    "Status: 5.1.2", SAY_FAILED, 3600 * 1000 },
	{ "RFC 3464 sec 2.3.4: no route for too long", "r@dnsfail.example", "DNS has no answer",
	    "Status: 4.4.7", SAY_DEFERRED, 1 },
};

static bool
bounced(struct world *w)
{
	return w->njobs > 0 && w->jobs[w->njobs - 1].sender[0] == '\0';
}

START_TEST(a_failure_is_bounced)
{
	struct world *w = world_new();
	struct seen_job *j;

	w->conf.relay.retry.give_up = bounce_rows[_i].give_up;
	world_start(w);
	world_register(w, 1);
	w->say = bounce_rows[_i].say;
	w->reply = bounce_rows[_i].reply;
	world_send(w, 1, world_name(1), FROM, bounce_rows[_i].rcpt, BODY);
	world_until(w, bounced);
	j = &w->jobs[w->njobs - 1];
	ck_assert_str_eq(j->first, FROM);
	ck_assert_ptr_nonnull(strstr(j->body, bounce_rows[_i].status));
	ck_assert_ptr_nonnull(strstr(j->body, bounce_rows[_i].reply));
	ck_assert_ptr_nonnull(strstr(j->body, "Subject: hello"));
	/* The bounce fails as well: nothing more comes of it. */
	w->say = SAY_FAILED;
	world_until(w, world_empty);
	ck_assert_str_eq(j->id, w->jobs[w->njobs - 1].id);
	world_free(w);
}
END_TEST

START_TEST(failures_of_one_round_are_one_bounce)
{
	struct world *w = world_started();
	static char rcpts[4096];

	many(rcpts, sizeof(rcpts), 40, "dest.example");
	w->say = SAY_FAILED;
	w->reply = "550 no";
	world_send(w, 1, world_name(1), FROM, rcpts, BODY);
	world_until(w, bounced);
	world_until(w, world_empty);
	ck_assert_uint_eq(w->njobs, 2);
	ck_assert_ptr_nonnull(strstr(w->jobs[1].body, "<r0@dest.example>"));
	ck_assert_ptr_nonnull(strstr(w->jobs[1].body, "<r39@dest.example>"));
	world_free(w);
}
END_TEST

START_TEST(a_bounce_survives_a_restart)
{
	struct world *w = world_started();

	w->say = SAY_NOTHING;
	world_send(w, 1, world_name(1), FROM, "r@dest.example", BODY);
	world_until(w, world_one_job);
	w->reply = "550 no";
	world_outcome(w, &w->jobs[0], SAY_FAILED);
	world_until(w, world_two_jobs);
	world_stop(w);
	world_start(w);
	ck_assert(!world_empty(w));
	w->say = SAY_SENT;
	world_register(w, 1);
	world_until(w, world_empty);
	ck_assert_uint_eq(w->njobs, 3);
	ck_assert_str_eq(w->jobs[2].sender, "");
	ck_assert_str_eq(w->jobs[2].id, w->jobs[1].id);
	world_free(w);
}
END_TEST

/* ---- relays ---- */

START_TEST(what_a_lost_relay_had_goes_elsewhere)
{
	struct world *w = world_started();

	w->say = SAY_NOTHING;
	world_send(w, 1, world_name(1), FROM, "r@dest.example", BODY);
	world_until(w, world_one_job);
	world_cut(w, ROLE_RELAY, 1);
	ck_assert(!world_empty(w));
	world_link(w, ROLE_RELAY, 2);
	world_register(w, 2);
	w->say = SAY_SENT;
	world_until(w, world_two_jobs);
	ck_assert_uint_eq(w->jobs[1].relay, 2);
	world_until(w, world_empty);
	world_free(w);
}
END_TEST

static bool
site_blocked(struct world *w)
{
	const struct table *t = &world_queue(w)->sites;

	for (size_t i = 0; i < t->size; i++)
		for (struct table_link *l = t->slots[i]; l != NULL; l = l->next)
			if (TABLE_ENTRY(l, struct site, link)->blocks > 0)
				return true;
	return false;
}

START_TEST(trouble_shrinks_and_rests_a_site)
{
	struct world *w = world_new();
	char rcpt[64];

	w->conf.relay.retry.first = 300;
	w->conf.relay.retry.max = 300;
	world_start(w);
	world_register(w, 1);
	w->say = SAY_DEFERRED;
	w->say_trouble = true;
	w->reply = "connection refused";
	for (unsigned i = 1; i <= 100; i++) {
		snprintf(rcpt, sizeof(rcpt), "r%u@dest.example", i);
		world_send(w, i, world_name(i), FROM, rcpt, BODY);
	}
	world_until(w, site_blocked);
	/* Far fewer attempts than messages: the rest is deferred unasked. */
	world_wait(w, 100);
	ck_assert_uint_lt(w->njobs, 30);
	w->say = SAY_SENT;
	w->say_trouble = false;
	world_until(w, world_empty);
	world_free(w);
}
END_TEST

START_TEST(concurrency_stays_under_the_cap)
{
	struct world *w = world_started();

	w->say = SAY_NOTHING;
	for (unsigned i = 1; i <= 60; i++)
		world_send(w, i, world_name(i), FROM, "r@dest.example", BODY);
	world_until(w, world_one_job);
	world_wait(w, 100);
	ck_assert_uint_eq(w->njobs, 5);		/* where it starts */
	for (size_t i = 0; i < 60; i++) {
		while (w->njobs <= i)
			world_wait(w, 2);
		world_outcome(w, &w->jobs[i], SAY_SENT);
		world_wait(w, 2);
		ck_assert_uint_le(w->njobs - i, 20);
	}
	world_until(w, world_empty);
	world_free(w);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue role");
	TCase *t = tcase_create("role");

	tcase_set_timeout(t, 25);
	tcase_add_test(t, a_message_passes);
	tcase_add_test(t, nothing_goes_before_relays_registered);
	tcase_add_test(t, a_new_queue_finds_what_was_committed);
	tcase_add_test(t, a_running_job_is_not_given_out_again);
	tcase_add_test(t, outcomes_of_ended_messages_are_acknowledged);
	tcase_add_test(t, a_known_id_is_refused);
	tcase_add_loop_test(t, incomplete_transactions_are_refused, 0,
	    (int)(sizeof(bad_rows) / sizeof(bad_rows[0])));
	tcase_add_test(t, an_smtpd_that_goes_is_forgotten);
	tcase_add_test(t, a_job_has_at_most_100_recipients);
	tcase_add_test(t, equal_site_and_identity_travel_together);
	tcase_add_test(t, an_answer_is_shared_for_a_moment);
	tcase_add_test(t, what_discard_takes_is_done);
	tcase_add_test(t, a_policy_that_goes_is_asked_again);
	tcase_add_test(t, a_deferral_is_tried_again);
	tcase_add_test(t, attempts_survive_a_restart);
	tcase_add_loop_test(t, a_failure_is_bounced, 0,
	    (int)(sizeof(bounce_rows) / sizeof(bounce_rows[0])));
	tcase_add_test(t, failures_of_one_round_are_one_bounce);
	tcase_add_test(t, a_bounce_survives_a_restart);
	tcase_add_test(t, what_a_lost_relay_had_goes_elsewhere);
	tcase_add_test(t, trouble_shrinks_and_rests_a_site);
	tcase_add_test(t, concurrency_stays_under_the_cap);
	suite_add_tcase(s, t);
	return suite_run(s);
}
