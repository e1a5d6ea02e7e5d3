/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/dsn.c - what clients ask for about notifications, on its
 * way through the queue role between fakes. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"
#include "world.h"

#define BODY	"Received: from x\r\nSubject: hello\r\n\r\nbody\r\n"
#define FROM	"sender@client.example"

/* RFC 3461 sec 5.2.1: what came with the message goes on with it. */
START_TEST(the_envelope_is_kept)
{
	struct world *w = world_started();
	char id[ID_SIZE];

	w->say = SAY_NOTHING;
	w->flags = ENVELOPE_8BIT | ENVELOPE_RET_HDRS;
	w->envid = "QQ+2B314159";
	w->notify = NOTIFY_SUCCESS | NOTIFY_FAILURE;
	w->orcpt = "rfc822;first@old.example";
	world_id(1, id);
	world_send(w, 1, id, FROM, "r@dest.example", BODY);
	world_until(w, world_one_job);
	world_stop(w);
	world_start(w);
	world_register(w, 1);
	world_until(w, world_two_jobs);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(w->jobs[i].flags, w->flags);
		ck_assert_str_eq(w->jobs[i].envid, w->envid);
		ck_assert_uint_eq(w->jobs[i].notify, w->notify);
		ck_assert_str_eq(w->jobs[i].orcpt, w->orcpt);
		ck_assert_str_eq(w->jobs[i].body, BODY);
	}
	world_free(w);
}
END_TEST

/* As long as they may be, 100 recipients and a body do not fit a frame. */
START_TEST(a_job_fits_its_frame)
{
	struct world *w = world_started();
	static char rcpts[32768], body[65536], orcpt[ENVELOPE_ORCPT_MAX + 1];
	char id[ID_SIZE];
	size_t at = 0;

	for (unsigned i = 0; i < 100; i++)
		at += (size_t)snprintf(rcpts + at, sizeof(rcpts) - at,
		    "%s%0200u@dest.example", i == 0 ? "" : " ", i);
	memset(orcpt, 'x', sizeof(orcpt) - 1);
	memset(body, 'b', sizeof(body) - 1);
	w->orcpt = orcpt;
	w->say = SAY_NOTHING;
	world_id(1, id);
	world_send(w, 1, id, FROM, rcpts, body);
	world_until(w, world_two_jobs);
	ck_assert_uint_eq(w->jobs[0].nrcpts + w->jobs[1].nrcpts, 100);
	ck_assert_str_eq(w->jobs[1].body, body);
	world_free(w);
}
END_TEST

/* ---- who is told what: RFC 3461 sec 4.1 and 5.2 ---- */

#define S	NOTIFY_SUCCESS
#define F	NOTIFY_FAILURE
#define D	NOTIFY_DELAY
#define N	NOTIFY_NEVER

static const struct {
	const char	*name;
	uint8_t		 notify;
	enum answer	 say;
	bool		 passed, final;
	uint64_t	 give_up;
	const char	*action;	/* NULL: nobody is told */
} rows[] = {
	{ "RFC 3461 sec 4.1: success by default",
	    0, SAY_SENT, false, false, 99, NULL },
	{ "RFC 3461 sec 4.1: success, not asked",
	    F | D, SAY_SENT, false, false, 99, NULL },
	{ "RFC 3461 sec 4.1: success, never",
	    N, SAY_SENT, false, true, 99, NULL },
	{ "RFC 3461 sec 5.2.2: success, peer without DSN",
	    S, SAY_SENT, false, false, 99,
	    "relayed" },
	{ "RFC 3461 sec 5.2.1: success, peer with DSN",
	    S | F, SAY_SENT, true, false, 99, NULL },
	{ "RFC 3461 sec 5.2.3: success, delivered",
	    S, SAY_SENT, false, true, 99, "delivered" },
	{ "RFC 3461 sec 5.2.3: success, LMTP with DSN",
	    S, SAY_SENT, true, true, 99, NULL },
	{ "RFC 3461 sec 5.2.6: failure by default",
	    0, SAY_FAILED, false, false, 99, "failed" },
	{ "RFC 3461 sec 5.2.6: failure asked",
	    F, SAY_FAILED, false, false, 99, "failed" },
	{ "RFC 3461 sec 5.2.6: failure, peer with DSN",
	    F, SAY_FAILED, true, false, 99, "failed" },
	{ "RFC 3461 sec 5.2.6: failure not asked",
	    S | D, SAY_FAILED, false, false, 99, NULL },
	{ "RFC 3461 sec 5.2.6: failure, never",
	    N, SAY_FAILED, false, false, 99, NULL },
	{ "RFC 3461 sec 5.2.6: expired by default",
	    0, SAY_DEFERRED, false, false, 1, "failed" },
	{ "RFC 3461 sec 5.2.6: expired, never",
	    N, SAY_DEFERRED, false, false, 1, NULL },
	{ "RFC 3461 sec 5.2.6: expired, not asked",
	    S, SAY_DEFERRED, false, false, 1, NULL },
};

static bool
gone(struct world *w)
{
	return TAILQ_EMPTY(&world_queue(w)->index.arrival);
}

static bool
told(struct world *w)
{
	return w->njobs > 0 && w->jobs[w->njobs - 1].sender[0] == '\0';
}

static bool
told_twice(struct world *w)
{
	return w->njobs > 1 && told(w) &&
	    w->jobs[w->njobs - 2].sender[0] == '\0';
}

static const char *
last_body(struct world *w)
{
	return w->jobs[w->njobs - 1].body;
}

static void
has(struct world *w, const char *what)
{
	ck_assert_msg(strstr(last_body(w), what) != NULL, "no %s in %s", what,
	    last_body(w));
}

static void
has_not(struct world *w, const char *what)
{
	ck_assert_msg(strstr(last_body(w), what) == NULL, "%s in %s", what,
	    last_body(w));
}

static void
send_one(struct world *w, unsigned n, const char *sender, const char *rcpts)
{
	char id[ID_SIZE];

	world_id(n, id);
	world_send(w, n, id, sender, rcpts, BODY);
}

START_TEST(who_is_told)
{
	struct world *w = world_new();
	char want[64];

	w->conf.relay.retry.give_up = rows[_i].give_up * 1000;
	if (rows[_i].give_up == 1)
		w->conf.relay.retry.give_up = 1;
	world_start(w);
	world_register(w, 1);
	w->notify = rows[_i].notify;
	w->say = SAY_NOTHING;
	w->say_dsn_passed = rows[_i].passed;
	w->say_final = rows[_i].final;
	w->reply = "999 words";
	w->orcpt = "rfc822;first@old.example";
	w->envid = "QQ+2B314159";
	send_one(w, 1, FROM, "r@dest.example");
	world_until(w, world_one_job);
	w->say = SAY_SENT;
	world_outcome(w, &w->jobs[0], rows[_i].say);
	world_until(w, gone);
	ck_assert_msg(told(w) == (rows[_i].action != NULL), "%s",
	    rows[_i].name);
	ck_assert_uint_eq(w->njobs, rows[_i].action != NULL ? 2 : 1);
	if (rows[_i].action == NULL) {
		world_free(w);
		return;
	}
	snprintf(want, sizeof(want), "\r\nAction: %s\r\n", rows[_i].action);
	has(w, want);
	has(w, "Original-Envelope-Id: QQ+314159\r\n");
	has(w, "Original-Recipient: rfc822; first@old.example\r\n"
	    "Final-Recipient: rfc822; r@dest.example\r\n");
	has(w, "999 words");
	has(w, "Last-Attempt-Date: ");
	has(w, "Subject: hello\r\n");
	/* A report asks for nothing. */
	ck_assert_str_eq(w->jobs[1].first, FROM);
	ck_assert_uint_eq(w->jobs[1].notify, 0);
	ck_assert_str_eq(w->jobs[1].orcpt, "");
	ck_assert_uint_eq(w->jobs[1].flags, 0);
	world_free(w);
}
END_TEST

/* RFC 8689: policy is asked for each wish on its own, and sec 5: a report has
 * the wish of its message. */
static const struct {
	const char	*rfc;
	uint16_t	flags;
	uint8_t		wish, report;
} wishes[] = {
	{ "7435 3", 0, TLS_WISH_NONE, TLS_WISH_NONE },
	{ "8689 5", ENVELOPE_REQUIRETLS, TLS_WISH_REQUIRED, TLS_WISH_REPORT },
	{ "8689 4.2.2", ENVELOPE_TLS_OPTIONAL, TLS_WISH_OPTIONAL,
	    TLS_WISH_OPTIONAL },
	{ "8689 4.1", ENVELOPE_REQUIRETLS | ENVELOPE_TLS_OPTIONAL,
	    TLS_WISH_REQUIRED, TLS_WISH_REPORT },
};

START_TEST(wishes_are_kept)
{
	struct world *w = world_started();

	w->flags = wishes[_i].flags;
	w->say = SAY_FAILED;
	w->notify = NOTIFY_FAILURE;
	send_one(w, 1, FROM, "r@dest.example");
	world_until(w, told);
	ck_assert_uint_eq(w->asks, 2);
	ck_assert_str_eq(w->asked[0].domain, "dest.example");
	ck_assert_msg(w->asked[0].wish == wishes[_i].wish, "RFC %s: %u",
	    wishes[_i].rfc, w->asked[0].wish);
	ck_assert_str_eq(w->asked[1].domain, "client.example");
	ck_assert_msg(w->asked[1].wish == wishes[_i].report, "RFC %s: %u",
	    wishes[_i].rfc, w->asked[1].wish);
	ck_assert_uint_eq(w->jobs[1].flags, wishes[_i].flags);
	has(w, "text/rfc822-headers");
	world_free(w);
}
END_TEST

/* An answer for one wish is none for another. */
START_TEST(wishes_part_routes)
{
	struct world *w = world_started();

	send_one(w, 1, FROM, "r@dest.example");
	world_until(w, world_one_job);
	w->flags = ENVELOPE_REQUIRETLS;
	send_one(w, 2, FROM, "r@dest.example");
	world_until(w, world_two_jobs);
	ck_assert_uint_eq(w->asks, 2);
	ck_assert_uint_eq(w->asked[0].wish, TLS_WISH_NONE);
	ck_assert_uint_eq(w->asked[1].wish, TLS_WISH_REQUIRED);
	world_free(w);
}
END_TEST

/* What discard: takes is delivered as far as can be said. */
START_TEST(discarded_is_delivered)
{
	struct world *w = world_started();

	w->notify = NOTIFY_SUCCESS;
	send_one(w, 1, FROM, "r@sink.example");
	world_until(w, told);
	has(w, "Action: delivered\r\nStatus: 2.0.0\r\n");
	has(w, "Diagnostic-Code: x-sealane; discarded\r\n");
	world_until(w, gone);
	ck_assert_uint_eq(w->njobs, 1);
	world_free(w);
}
END_TEST

/* RFC 5321 sec 6.1 */
START_TEST(nobody_is_told_twice)
{
	struct world *w = world_started();

	w->notify = NOTIFY_SUCCESS | NOTIFY_FAILURE;
	w->say = SAY_FAILED;
	w->reply = "550 no";
	send_one(w, 1, "", "r@dest.example");
	world_until(w, world_one_job);
	world_until(w, gone);
	ck_assert_uint_eq(w->njobs, 1);
	send_one(w, 2, FROM, "r@dest.example");
	world_until(w, told);
	world_until(w, gone);
	ck_assert_uint_eq(w->njobs, 3);
	world_free(w);
}
END_TEST

/* ---- one report for all that came to rest ---- */

START_TEST(domains_share_a_report)
{
	struct world *w = world_started();

	w->say = SAY_NOTHING;
	w->notify = NOTIFY_SUCCESS | NOTIFY_FAILURE;
	w->reply = "550 no";
	send_one(w, 1, FROM, "a@dest.example b@two.example");
	world_until(w, world_two_jobs);
	world_outcome(w, &w->jobs[0], SAY_FAILED);
	world_wait(w, 50);
	ck_assert_uint_eq(w->njobs, 2);		/* it waits for the other */
	w->reply = "250 yes";
	w->say = SAY_SENT;
	world_outcome(w, &w->jobs[1], SAY_SENT);
	world_until(w, told);
	has(w, "Subject: Undelivered mail");
	has(w, "a@dest.example");
	has(w, "Action: failed\r\n");
	has(w, "b@two.example");
	has(w, "Action: relayed\r\n");
	world_until(w, gone);
	ck_assert_uint_eq(w->njobs, 3);
	world_free(w);
}
END_TEST

/* ... but not for longer than that. */
START_TEST(a_report_does_not_wait_for_ever)
{
	struct world *w = world_started();
	struct message *m;

	w->say = SAY_NOTHING;
	w->reply = "550 no";
	send_one(w, 1, FROM, "a@dest.example b@two.example");
	world_until(w, world_two_jobs);
	world_outcome(w, &w->jobs[0], SAY_FAILED);
	world_wait(w, 50);
	m = TAILQ_FIRST(&world_queue(w)->index.arrival);
	ck_assert_uint_gt(m->due, queue_now(world_queue(w)) + 15000);
	m->report_at = queue_now(world_queue(w));
	store_schedule(world_queue(w), m);
	world_until(w, told);
	has_not(w, "b@two.example");
	world_outcome(w, &w->jobs[1], SAY_FAILED);
	world_until(w, told_twice);
	has(w, "b@two.example");
	has_not(w, "a@dest.example");
	world_free(w);
}
END_TEST

START_TEST(what_is_due_survives_a_restart)
{
	struct world *w = world_started();

	w->say = SAY_NOTHING;
	w->reply = "550 no";
	send_one(w, 1, FROM, "a@dest.example b@two.example");
	world_until(w, world_two_jobs);
	world_outcome(w, &w->jobs[0], SAY_FAILED);
	while (w->acks == 0)
		world_wait(w, 5);
	ck_assert(!told(w));
	world_stop(w);
	world_start(w);
	world_register(w, 1);
	while (w->njobs < 4)		/* b again, and the report */
		world_wait(w, 5);
	w->say = SAY_SENT;
	for (size_t i = 2; i < 4; i++)
		if (w->jobs[i].sender[0] == '\0')
			ck_assert_ptr_nonnull(strstr(w->jobs[i].body,
			    "Diagnostic-Code: smtp; 550 no\r\n"));
		else
			ck_assert_str_eq(w->jobs[i].first, "b@two.example");
	world_outcome(w, &w->jobs[2], SAY_SENT);
	world_outcome(w, &w->jobs[3], SAY_SENT);
	world_until(w, gone);
	ck_assert_uint_eq(w->njobs, 4);
	/* And it is told once only. */
	world_stop(w);
	world_start(w);
	ck_assert(gone(w));
	world_free(w);
}
END_TEST

/* More than fit one report: the next goes on where it stopped. */
START_TEST(many_need_more_reports)
{
	struct world *w = world_started();
	static char rcpts[65536], reply[512];
	unsigned seen = 0;
	size_t at = 0;

	for (unsigned i = 0; i < 200; i++)
		at += (size_t)snprintf(rcpts + at, sizeof(rcpts) - at,
		    "%sr%03u@dest.example", i == 0 ? "" : " ", i);
	memset(reply, 'r', 400);
	memcpy(reply, "550 ", 4);
	w->reply = reply;
	w->say = SAY_FAILED;
	send_one(w, 1, FROM, rcpts);
	while (w->committed == 0)
		world_wait(w, 5);
	world_until(w, gone);
	for (size_t i = 0; i < w->njobs; i++) {
		const char *p = w->jobs[i].body;

		if (w->jobs[i].sender[0] == '\0')
			while ((p = strstr(p, "Final-Recipient:")) != NULL) {
				seen++;
				p++;
			}
	}
	ck_assert_uint_eq(seen, 200);
	ck_assert_uint_le(w->njobs, 2 + 5);
	world_free(w);
}
END_TEST

/* ---- delays ---- */

static const struct {
	const char	*name;
	uint8_t		 notify;
	uint16_t	 flags;
	const char	*from;
	bool		 off, told;
} delays[] = {
	{ "RFC 3461 sec 5.2.5: ours", 0, ENVELOPE_TRUSTED, FROM, false, true },
	{ "RFC 3461 sec 5.2.5: ours, asked",
	    D, ENVELOPE_TRUSTED, FROM, false, true },
	{ "RFC 3461 sec 4.1: ours, forbidden",
	    F | S, ENVELOPE_TRUSTED, FROM, false, false },
	{ "RFC 3461 sec 4.1: ours, never",
	    N, ENVELOPE_TRUSTED, FROM, false, false },
	{ "RFC 3461 sec 5.2.5: a stranger", 0, 0, FROM, false, false },
	{ "RFC 3461 sec 5.2.5: a stranger who asks",
	    F | D, 0, FROM, false, true },
	{ "RFC 3464 sec 2: nobody", D, ENVELOPE_TRUSTED, "", false, false },
	{ "RFC 3461 sec 5.2.5: switched off",
	    D, ENVELOPE_TRUSTED, FROM, true, false },
};

static bool
deferred(struct world *w)
{
	struct message *m = TAILQ_FIRST(&world_queue(w)->index.arrival);

	return m != NULL && m->rcpts[0].state == RCPT_DEFERRED &&
	    m->rcpts[0].attempts > 0;
}

/* It is time to tell of a delay. */
static void
make_late(struct world *w)
{
	struct message *m = TAILQ_FIRST(&world_queue(w)->index.arrival);

	w->conf.relay.retry.delay_warning = 1;
	world_queue(w)->schedule.warn = 1;
	store_schedule(world_queue(w), m);
}

static struct world *
patient(void)
{
	struct world *w = world_new();

	w->conf.relay.retry.first = w->conf.relay.retry.max = 3600 * 1000;
	w->conf.relay.retry.give_up = 5 * 86400000ull;
	w->conf.relay.retry.delay_warning = 3600 * 1000;
	world_start(w);
	world_register(w, 1);
	w->say = SAY_DEFERRED;
	w->reply = "450 4.2.2 mailbox full";
	return w;
}

START_TEST(a_delay_is_told)
{
	struct world *w = patient();

	w->notify = delays[_i].notify;
	w->flags = delays[_i].flags | ENVELOPE_RET_FULL;
	send_one(w, 1, delays[_i].from, "r@dest.example q@dest.example");
	world_until(w, deferred);
	ck_assert_uint_eq(w->njobs, 1);
	w->say = SAY_SENT;
	if (delays[_i].off)
		world_queue(w)->schedule.warn = 0;
	else
		make_late(w);
	if (!delays[_i].told) {
		world_wait(w, 150);
		ck_assert_msg(w->njobs == 1, "%s", delays[_i].name);
		world_free(w);
		return;
	}
	world_until(w, told);
	has(w, "Subject: Delayed mail");
	has(w, "<r@dest.example>");
	has(w, "<q@dest.example>");
	has(w, "Action: delayed\r\nStatus: 4.2.0\r\n");
	has(w, "Diagnostic-Code: smtp; 450 4.2.2 mailbox full\r\n");
	has(w, "Will-Retry-Until: ");
	has(w, "Content-Type: text/rfc822-headers\r\n");
	world_wait(w, 100);
	/* Once, and a new process knows it. */
	world_stop(w);
	world_start(w);
	world_register(w, 1);
	world_wait(w, 150);
	ck_assert_uint_eq(w->njobs, 2);
	ck_assert(!gone(w));
	world_free(w);
}
END_TEST

/* A failure that comes later is told all the same, and what is in a relay's
 * hands is not told of as late. */
START_TEST(a_delay_and_then_a_failure)
{
	struct world *w = patient();
	struct message *m;

	w->say = SAY_NOTHING;
	w->notify = NOTIFY_DELAY | NOTIFY_FAILURE;
	send_one(w, 1, FROM, "r@dest.example");
	world_until(w, world_one_job);
	make_late(w);
	world_wait(w, 100);
	ck_assert_uint_eq(w->njobs, 1);
	world_outcome(w, &w->jobs[0], SAY_DEFERRED);
	world_until(w, world_two_jobs);
	has(w, "Action: delayed\r\n");
	world_outcome(w, &w->jobs[1], SAY_SENT);
	m = TAILQ_FIRST(&world_queue(w)->index.arrival);
	m->rcpts[0].next = queue_now(world_queue(w));
	w->reply = "550 5.1.1 gone";
	w->say = SAY_FAILED;
	store_schedule(world_queue(w), m);
	while (w->njobs < 4)
		world_wait(w, 5);
	has(w, "Action: failed\r\nStatus: 5.1.1\r\n");
	world_until(w, gone);
	world_free(w);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue dsn");
	TCase *t = tcase_create("dsn");

	tcase_set_timeout(t, 25);
	tcase_add_test(t, the_envelope_is_kept);
	tcase_add_loop_test(t, wishes_are_kept, 0,
	    (int)(sizeof(wishes) / sizeof(wishes[0])));
	tcase_add_test(t, wishes_part_routes);
	tcase_add_test(t, a_job_fits_its_frame);
	tcase_add_loop_test(t, who_is_told, 0,
	    (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(t, discarded_is_delivered);
	tcase_add_test(t, nobody_is_told_twice);
	tcase_add_test(t, domains_share_a_report);
	tcase_add_test(t, a_report_does_not_wait_for_ever);
	tcase_add_test(t, what_is_due_survives_a_restart);
	tcase_add_test(t, many_need_more_reports);
	tcase_add_loop_test(t, a_delay_is_told, 0,
	    (int)(sizeof(delays) / sizeof(delays[0])));
	tcase_add_test(t, a_delay_and_then_a_failure);
	suite_add_tcase(s, t);
	return suite_run(s);
}
