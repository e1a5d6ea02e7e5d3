/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/operate.c - what an operator asks of the queue: selections,
 * list, show, flush, hold, release, drop, bounce. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/log.h"
#include "tests/unit/suite.h"
#include "world.h"

#define BODY	"Received: from x\r\nSubject: hello\r\n\r\nbody\r\n"
#define FROM	"sender@client.example"
#define HOUR	(3600u * 1000)

static bool two_acks(struct world *w) { return w->acks >= 2; }
static bool many_committed(struct world *w) { return w->committed >= 250; }

static void
begin(struct world *w)
{
	world_start(w);
	world_register(w, 1);
}

/* What is deferred stays so. */
static struct world *
patient(void)
{
	struct world *w = world_new();

	w->conf.relay.retry.first = w->conf.relay.retry.max = HOUR;
	begin(w);
	w->say = SAY_DEFERRED;
	w->reply = "450 4.2.2 mailbox full";
	return w;
}

static struct message *
find(struct world *w, unsigned n)
{
	return index_find(&world_queue(w)->index, span_str(world_name(n)));
}

/* {"cmd":CMD, REST} where REST is JSON members without the braces. */
static const char *
ask(struct world *w, const char *cmd, const char *rest)
{
	char request[500];

	snprintf(request, sizeof(request), "{\"cmd\":\"%s\"%s%s}", cmd,
	    *rest == '\0' ? "" : ",", rest);
	return world_ask(w, request);
}

static const char *
ask_id(struct world *w, const char *cmd, unsigned n)
{
	char rest[64];

	snprintf(rest, sizeof(rest), "\"ids\":[\"%s\"]", world_name(n));
	return ask(w, cmd, rest);
}

static void
says(const char *got, const char *part)
{
	ck_assert_msg(strstr(got, part) != NULL, "no %s in %s", part, got);
}

/* ---- selections ---- */

static const struct {
	const char	*request;
	bool		 message, rcpt;
} select_rows[] = {
	{ "{}", true, true },
	{ "{\"domains\":[\"dest.example\"]}", true, true },
	{ "{\"domains\":[\"DEST.example\"]}", true, true },
	{ "{\"domains\":[\"x\",\"dest.example\"]}", true, true },
	{ "{\"domains\":[\"*.example\"]}", true, true },
	{ "{\"domains\":[\"*.dest.example\"]}", true, false },
	{ "{\"domains\":[\"est.example\"]}", true, false },
	{ "{\"domains\":[]}", true, false },
	{ "{\"senders\":[\"sender@client.example\"]}", true, true },
	{ "{\"senders\":[\"@client.example\"]}", true, true },
	{ "{\"senders\":[\"@example\"]}", false, true },
	{ "{\"senders\":[\"\"]}", false, true },
	{ "{\"sites\":[\"MX.example\"]}", true, true },
	{ "{\"sites\":[\"other.example\"]}", true, false },
	{ "{\"states\":[\"deferred\"]}", true, true },
	{ "{\"states\":[\"held\",\"active\"]}", true, false },
	{ "{\"older\":3600000}", true, true },
	{ "{\"older\":3600001}", false, true },
	{ "{\"reason\":\"Mailbox FULL\"}", true, true },
	{ "{\"reason\":\"full \"}", true, false },
	{ "{\"reason\":\"\"}", true, true },
	{ "{\"reason\":\"full\",\"domains\":[\"x\"]}", true, false },
};

START_TEST(what_is_selected)
{
	json_t *request = json_loads(select_rows[_i].request, 0, NULL);
	struct message *m = world_message(FROM, "192.0.2.1", 1000);
	struct rcpt *r = &m->rcpts[0];
	struct select s;

	rcpt_note(r, &(struct record_change){
	    .site = SPAN_LIT("mx.example"), .dsn = SPAN_NONE, .mx = SPAN_NONE,
	    .reply = SPAN_LIT("450 mailbox full") });
	ck_assert_int_eq(select_parse(&s, request), 0);
	ck_assert_msg(select_message(&s, m, 1000 + HOUR) ==
	    select_rows[_i].message, "%s", select_rows[_i].request);
	ck_assert_msg(select_rcpt(&s, r) == select_rows[_i].rcpt, "%s",
	    select_rows[_i].request);
	r->state = RCPT_DELIVERED;
	ck_assert(!select_rcpt(&s, r));
	json_decref(request);
	message_unref(m);
}
END_TEST

static const char *const bad_selections[] = {
	"\"domains\":\"dest.example\"", "\"senders\":[1]", "\"older\":\"1h\"",
	"\"older\":-1", "\"reason\":7", "\"ids\":\"x\"", "\"ids\":[null]",
};

START_TEST(no_selection)
{
	struct world *w = patient();

	says(ask(w, "drop", bad_selections[_i]), "\"exit\":64");
	says(ask(w, "drop", ""), "\"exit\":64");
	says(ask(w, "bounce", ""), "\"exit\":64");
	world_free(w);
}
END_TEST

/* ---- list and show ---- */

START_TEST(the_queue_is_listed_shown_and_dropped)
{
	struct world *w = world_new();
	char request[200];
	const char *got;

	begin(w);
	w->say = SAY_NOTHING;
	for (unsigned i = 1; i <= 250; i++)
		world_send(w, i, world_name(i), i % 2 != 0 ? FROM : "",
		    i <= 10 ? "r@few.example" : "r@dest.example", BODY);
	world_until(w, many_committed);
	ck_assert_uint_eq(world_lines(ask(w, "list", "")), 251); /* and done */
	ck_assert_uint_eq(world_lines(ask(w, "list",
	    "\"domains\":[\"few.example\"],\"senders\":[\"\"]")), 6);
	snprintf(request, sizeof(request), "\"id\":\"%s\"", world_name(7));
	got = ask(w, "show", request);
	says(got, "\"sender\":\"" FROM "\"");
	says(got, "\"domain\":\"few.example\"");
	says(got, "\"state\":\"active\"");
	says(got, "\"next_attempt\":null");
	says(ask(w, "show", "\"id\":\"nosuch\""), "\"exit\":1");
	says(ask(w, "show", "\"id\":7"), "\"exit\":1");
	got = ask(w, "drop", "\"domains\":[\"few.example\"]");
	says(got, "\"count\":10");
	says(ask(w, "drop", "\"senders\":[\"" FROM "\"]"), "\"count\":120");
	ck_assert_uint_eq(world_lines(ask(w, "list", "")), 121);
	/* What was dropped does not come back. */
	world_stop(w);
	world_start(w);
	ck_assert_uint_eq(world_lines(ask(w, "list", "")), 121);
	world_free(w);
}
END_TEST

static void
body_is(const char *got, const char *want, size_t n)
{
	struct buf b;

	buf_init(&b, 1024 * 1024);
	while ((got = strstr(got, "\"body\":\"")) != NULL) {
		got += 8;
		ck_assert_int_eq(base64_get(&b, span_of(got,
		    strcspn(got, "\""))), 0);
	}
	ck_assert_uint_eq(b.len, n);
	ck_assert_int_eq(memcmp(buf_get(&b).p, want, n), 0);
	buf_free(&b);
}

START_TEST(a_body_is_shown)
{
	struct world *w = patient();
	size_t size = 200000;
	char *bytes = malloc(size), rest[64];
	struct ipc_msg_commit c = { .txn = 2, .size = size, .in_file = 1 };

	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 7);
	world_send(w, 1, world_name(1), FROM, "r@dest.example", BODY);
	world_begin(w, 2, world_name(2), FROM, "r@dest.example");
	w->opened_fd = -1;
	ipc_send_spool_open(w->smtpd, &(struct ipc_spool_open){ 2 }, -1);
	while (w->opened_fd == -1)
		world_wait(w, 5);
	ck_assert_int_eq(write(w->opened_fd, bytes, size), (ssize_t)size);
	close(w->opened_fd);
	ipc_send_msg_commit(w->smtpd, &c, -1);
	while (w->committed < 2)
		world_wait(w, 5);
	snprintf(rest, sizeof(rest), "\"id\":\"%s\"", world_name(1));
	body_is(ask(w, "body", rest), BODY, sizeof(BODY) - 1);
	snprintf(rest, sizeof(rest), "\"id\":\"%s\"", world_name(2));
	body_is(ask(w, "body", rest), bytes, size);
	says(ask(w, "body", "\"id\":\"nosuch\""), "\"exit\":1");
	free(bytes);
	world_free(w);
}
END_TEST

/* ---- flush ---- */

START_TEST(a_flush_makes_all_due)
{
	struct world *w = patient();
	const char *got;

	w->reply = "450 later \xff";
	world_send(w, 1, world_name(1), FROM, "r@dest.example", BODY);
	world_send(w, 2, world_name(2), FROM, "r@other.example", BODY);
	world_until(w, two_acks);
	got = ask(w, "list", "");
	says(got, "\"reply\":\"450 later ?\"");
	says(got, "\"asked\":\"encrypted\"");
	says(got, "\"site\":\"mx.example\"");
	says(got, "\"attempts\":1");
	w->say = SAY_SENT;
	says(ask(w, "flush", "\"domains\":[\"dest.example\"]"), "\"count\":1");
	while (w->njobs < 3)
		world_wait(w, 5);
	ck_assert_str_eq(w->jobs[2].first, "r@dest.example");
	ask(w, "flush", "");
	world_until(w, world_empty);
	world_free(w);
}
END_TEST

/* ---- hold and release ---- */

START_TEST(what_is_held_waits_and_survives)
{
	struct world *w = patient();
	uint64_t running;

	world_send(w, 1, world_name(1), FROM, "r@dest.example s@other.example", BODY);
	world_until(w, two_acks);
	says(ask_id(w, "hold", 1), "\"count\":1");
	says(ask_id(w, "hold", 1), "\"count\":0");
	says(ask(w, "list", "\"states\":[\"held\"]"), "\"state\":\"held\"");
	ask(w, "flush", "");
	world_wait(w, 100);
	ck_assert_uint_eq(w->njobs, 2);
	world_stop(w);
	begin(w);
	ck_assert_uint_eq(find(w, 1)->nheld, 2);
	ck_assert(span_eq(rcpt_reply(&find(w, 1)->rcpts[0]),
	    span_str(w->reply)));
	/* The clock of the give-up time stands. */
	running = message_running(find(w, 1), queue_now(world_queue(w)));
	world_wait(w, 100);
	ck_assert_uint_eq(w->njobs, 2);
	ck_assert_uint_eq(running, message_running(find(w, 1),
	    queue_now(world_queue(w))));
	w->say = SAY_SENT;
	says(ask(w, "release", "\"domains\":[\"dest.example\"]"),
	    "\"recipients\":1");
	while (w->njobs < 3)
		world_wait(w, 5);
	ck_assert_str_eq(w->jobs[2].first, "r@dest.example");
	says(ask(w, "list", ""), "\"state\":\"held\"");
	says(ask(w, "release", "\"older\":0"), "\"count\":1");
	world_until(w, world_empty);
	world_free(w);
}
END_TEST

/* Five are with the relay, the rest waits in the site's line. */
START_TEST(what_waits_for_its_site_is_held)
{
	struct world *w = world_new();
	const char *got;

	begin(w);
	w->say = SAY_NOTHING;
	for (unsigned i = 1; i <= 250; i++)
		world_send(w, i, world_name(i), FROM, "r@dest.example", BODY);
	world_until(w, many_committed);
	world_wait(w, 50);
	got = ask(w, "hold", "\"older\":0");
	says(got, "\"count\":250");
	says(got, "\"busy\":5");
	/* A release, a hold and a release: in two lines, yet sent once. */
	ask_id(w, "release", 200);
	world_wait(w, 20);
	ask_id(w, "hold", 200);
	ask_id(w, "release", 200);
	w->say = SAY_SENT;
	for (size_t i = 0; i < 5; i++)
		world_outcome(w, &w->jobs[i], SAY_SENT);
	world_wait(w, 200);
	ck_assert_uint_eq(w->njobs, 6);
	ck_assert_str_eq(w->jobs[5].id, world_name(200));
	ck_assert_uint_eq(world_lines(ask(w, "list", "")), 245);
	world_free(w);
}
END_TEST

/* A hold waits for the attempt that is under way, and for nothing else. */
START_TEST(what_is_sent_is_held_when_that_fails)
{
	struct world *w = world_new();

	w->conf.relay.retry.give_up = 1;	/* held is held all the same */
	begin(w);
	w->say = SAY_NOTHING;
	w->reply = "450 later";
	world_send(w, 1, world_name(1), FROM, "r@dest.example", BODY);
	world_send(w, 2, world_name(2), FROM, "s@dest.example", BODY);
	world_until(w, world_two_jobs);
	says(ask(w, "hold", "\"older\":0"), "\"busy\":2");
	world_outcome(w, &w->jobs[0], SAY_SENT);
	world_outcome(w, &w->jobs[1], SAY_DEFERRED);
	world_until(w, two_acks);
	ck_assert_ptr_null(find(w, 1));
	ck_assert_int_eq(find(w, 2)->rcpts[0].state, RCPT_HELD);
	ck_assert_uint_eq(find(w, 2)->rcpts[0].attempts, 1);
	world_free(w);
}
END_TEST

/* The queue dies while a relay sends what is held. */
START_TEST(a_held_job_is_taken_up_again)
{
	struct world *w = patient();
	struct ipc_job_rcpt r = { .index = 0,
	    .address = SPAN_LIT("r@dest.example"), .orcpt = SPAN_NONE };
	struct ipc_job_running run;
	struct buf list;

	w->say = SAY_NOTHING;
	world_send(w, 1, world_name(1), FROM, "r@dest.example", BODY);
	world_until(w, world_one_job);
	ask_id(w, "hold", 1);
	world_stop(w);
	world_start(w);
	buf_init(&list, 4096);
	ipc_put_job_rcpt(&list, &r);
	run = (struct ipc_job_running){ .job = w->jobs[0].job,
	    .id = span_str(w->jobs[0].id), .site = 1,
	    .rcpts = buf_get(&list) };
	ipc_send_job_running(w->relay[1], &run, -1);
	buf_free(&list);
	world_register(w, 1);
	world_wait(w, 50);
	ck_assert_int_eq(find(w, 1)->rcpts[0].state, RCPT_HELD);
	/* Released meanwhile: it is under way, not due once more. */
	ask_id(w, "release", 1);
	world_wait(w, 100);
	ck_assert_uint_eq(w->njobs, 1);
	world_outcome(w, &w->jobs[0], SAY_SENT);
	world_until(w, world_empty);
	world_free(w);
}
END_TEST

/* ---- drop and bounce ---- */

START_TEST(a_drop_takes_only_what_is_picked)
{
	struct world *w = patient();
	const char *got;

	world_send(w, 1, world_name(1), FROM, "a@one.example b@three.example", BODY);
	world_send(w, 2, world_name(2), FROM, "c@one.example", BODY);
	while (w->acks < 3)
		world_wait(w, 5);
	got = ask(w, "drop", "\"domains\":[\"one.example\"]");
	says(got, "\"count\":2");
	says(got, "\"recipients\":2");
	world_stop(w);
	w->say = SAY_SENT;
	begin(w);
	ck_assert_ptr_null(find(w, 2));
	ck_assert_int_eq(find(w, 1)->rcpts[0].state, RCPT_FAILED);
	ck_assert_uint_eq(find(w, 1)->nopen, 1);
	ask(w, "flush", "");
	world_until(w, world_empty);
	ck_assert_uint_eq(w->njobs, 4);		/* and nobody was told */
	ck_assert_str_eq(w->jobs[3].first, "b@three.example");
	world_free(w);
}
END_TEST

/* In every phase that a recipient can be in. */
START_TEST(a_drop_at_any_moment)
{
	struct world *w = world_new();

	begin(w);
	w->say = SAY_NOTHING;
	w->policy_mute = _i == 0;		/* ASKED */
	world_send(w, 1, world_name(1), FROM, _i == 1 ?	/* ROUTED: one is missing */
	    "r@dest.example q@dest.example" : "r@dest.example", BODY);
	world_until(w, world_one_committed);
	world_wait(w, 30);
	says(ask_id(w, "drop", 1), "\"count\":1");
	ck_assert(world_empty(w));
	if (w->njobs > 0) {			/* JOB: its outcome comes */
		world_outcome(w, &w->jobs[0], SAY_SENT);
		world_until(w, world_one_ack);
	}
	world_stop(w);
	begin(w);
	ck_assert(world_empty(w));
	world_free(w);
}
END_TEST

START_TEST(a_bounce_is_told_now)
{
	struct world *w = patient();
	const char *got;

	world_send(w, 1, world_name(1), FROM, "a@dest.example b@dest.example", BODY);
	world_send(w, 2, world_name(2), "", "c@dest.example", BODY);
	world_until(w, two_acks);
	w->say = SAY_NOTHING;
	got = ask(w, "bounce", "\"older\":0");
	says(got, "\"count\":2");
	says(got, "\"recipients\":3");
	while (w->njobs < 3)
		world_wait(w, 5);
	ck_assert_str_eq(w->jobs[2].sender, "");
	ck_assert_str_eq(w->jobs[2].first, FROM);
	says(w->jobs[2].body, "a@dest.example");
	says(w->jobs[2].body, "b@dest.example");
	says(w->jobs[2].body, "the operator ended the attempts");
	says(w->jobs[2].body, "450 4.2.2 mailbox full");
	/* Only the report is left, which the walk did not bounce as well; while
	 * a relay has it, it is left alone. */
	ck_assert_uint_eq(world_lines(ask(w, "list", "")), 2);
	got = ask(w, "bounce", "\"older\":0");
	says(got, "\"count\":0");
	says(got, "\"busy\":1");
	world_free(w);
}
END_TEST

START_TEST(missing_ids_are_said)
{
	struct world *w = patient();
	char rest[100];
	const char *got;

	world_send(w, 1, world_name(1), FROM, "a@dest.example", BODY);
	world_until(w, world_one_ack);
	snprintf(rest, sizeof(rest), "\"ids\":[\"nosuch\",\"%s\"]", world_name(1));
	got = ask(w, "hold", rest);
	says(got, "\"count\":1");
	says(got, "\"missing\":[\"nosuch\"]");
	world_free(w);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue operate");
	TCase *t = tcase_create("operate");

	tcase_set_timeout(t, 25);
	tcase_add_loop_test(t, what_is_selected, 0,
	    (int)(sizeof(select_rows) / sizeof(select_rows[0])));
	tcase_add_loop_test(t, no_selection, 0,
	    (int)(sizeof(bad_selections) / sizeof(bad_selections[0])));
	tcase_add_test(t, the_queue_is_listed_shown_and_dropped);
	tcase_add_test(t, a_body_is_shown);
	tcase_add_test(t, a_flush_makes_all_due);
	tcase_add_test(t, what_is_held_waits_and_survives);
	tcase_add_test(t, what_waits_for_its_site_is_held);
	tcase_add_test(t, what_is_sent_is_held_when_that_fails);
	tcase_add_test(t, a_held_job_is_taken_up_again);
	tcase_add_test(t, a_drop_takes_only_what_is_picked);
	tcase_add_loop_test(t, a_drop_at_any_moment, 0, 3);
	tcase_add_test(t, a_bounce_is_told_now);
	tcase_add_test(t, missing_ids_are_said);
	suite_add_tcase(s, t);
	return suite_run(s);
}
