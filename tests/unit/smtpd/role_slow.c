/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtpd/role_slow.c - clients that take their time. */
#include "tests/unit/smtpd/rig.h"
#include "tests/unit/suite.h"

/* The next look at it, within a second, ends it. */
static void
is_ended_slow(struct rig *g)
{
	rig_talk(g, "", "421 4.4.2 ");
	if (!g->ended)
		rig_run(g, rig_is_ended);
}

START_TEST(slow_idle)
{
	struct rig *g = rig_open();

	rig_client(g)->deadline = loop_now(g->fix.loop) + 1500;
	is_ended_slow(g);
	rig_close(g);
}
END_TEST

START_TEST(slow_session)
{
	struct rig *g = rig_open();

	rig_client(g)->began -= 3600000;
	is_ended_slow(g);
	rig_close(g);
}
END_TEST

START_TEST(slow_body)
{
	struct rig *g = rig_open();
	struct client *c;

	rig_talk(g, RIG_START, "354 ");
	rig_talk(g, "a few bytes", NULL);
	c = rig_client(g);
	c->rate_at = loop_now(g->fix.loop) - 60000;
	c->rate_taken = c->session.taken;
	is_ended_slow(g);
	ck_assert_uint_eq(g->begins, 0);
	rig_close(g);
}
END_TEST

/* Places are short: who relays through us, and who has just said something,
 * keeps his. */
START_TEST(slow_crowd)
{
	struct rig *g = rig_open();
	struct smtpd *d = g->env.state;
	struct client *c = rig_client(g);

	d->most = 1;
	c->touched -= 20000;
	c->mailed -= 90000;
	ck_assert(!c->limited);
	rig_talk(g, "NOOP\r\n", "250 2.0.0 ");
	rig_pass(g, 1200);
	ck_assert(!g->ended);
	c->limited = true;
	c->mailed = loop_now(g->fix.loop);
	rig_pass(g, 1200);
	ck_assert(!g->ended);
	c->touched -= 20000;
	is_ended_slow(g);
	rig_close(g);
}
END_TEST

/* Whatever the clock says, a client does not pay for the queue's time. */
START_TEST(slow_is_the_queue)
{
	struct rig *g = rig_open();
	struct client *c;

	rig_talk(g, RIG_START, "354 ");
	rig_hand_over(g, "Subject: x\r\n\r\nhi\r\n.\r\n");
	c = rig_client(g);
	c->deadline = 0;
	c->began -= 3600000;
	rig_pass(g, 1200);
	ck_assert(!g->ended);
	c->began += 3600000;
	rig_answer(g, 250);
	rig_talk(g, "", "250 2.0.0 ");
	rig_close(g);
}
END_TEST

/* A byte now and then; told apart from a client that is silent. */
static void
drip(void *arg)
{
	struct rig *g = arg;

	if (!g->ended)
		(void)channel_send(g->chan, SPAN_LIT("x"));
	loop_timer_set(g->drip, 20);
}

/* RFC 5321 sec 4.5.3.2.7: a drip does not hold a command, nor a message, nor a
 * chunk, and what was begun is given up. */
START_TEST(drips)
{
	static const struct { const char *words, *reply; } r[] = {
		{ "EHLO c.te", NULL }, { RIG_START, "354 " },
		{ RIG_START "hi\r\n.", "354 " },
		{ "EHLO c.test\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\n"
		  "BDAT 9999 LAST\r\n", "250 2.1.5" },
	};
	struct rig *g = rig_open();

	g->conf.limits.timeout.command = g->conf.limits.timeout.data = 300;
	g->drip = loop_timer_new(g->fix.loop, drip, g);
	for (size_t i = 0; i < NELEM(r); i++) {
		channel_close(&g->chan);
		rig_call(g);
		rig_talk(g, r[i].words, r[i].reply);
		drip(g);
		rig_talk(g, "", "421 4.4.2");
		rig_run(g, rig_is_ended);
		loop_timer_stop(g->drip);
	}
	ck_assert_uint_eq(g->commits, 0);
	loop_timer_close(&g->drip);
	rig_close(g);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		slow_idle,
		slow_session,
		slow_body,
		slow_crowd,
		slow_is_the_queue,
		drips,
	};

	return rig_suite("smtpd role: slow", tests, NELEM(tests));
}
