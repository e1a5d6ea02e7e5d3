/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtpd/role.c - a message, a queue that dies, a client that leaves. */
#include "tests/unit/smtpd/rig.h"
#include "tests/unit/suite.h"

START_TEST(takes_a_message)
{
	struct rig *g = rig_open();
	struct span body;

	rig_talk(g, RIG_START, "354 ");
	rig_hand_over(g, "Subject: x\r\n\r\nhi\r\n.\r\n");
	ck_assert_str_eq(g->sender, "a@c.test");
	ck_assert_uint_eq(g->begins, 1);
	ck_assert_uint_eq(g->rcpts, 2);
	ck_assert(g->eight && !g->in_file);
	body = buf_get(&g->body);
	ck_assert_uint_eq(g->size, body.n);
	ck_assert(span_istarts(body, SPAN_LIT("Received: from c.test")));
	ck_assert(memmem(body.p, body.n, "with ESMTP\r\n", 12) != NULL);
	ck_assert(memcmp(body.p + body.n - 18, "Subject: x\r\n\r\nhi\r\n",
	    18) == 0);
	rig_answer(g, 250);
	rig_talk(g, "", "250 2.0.0 ");
	rig_run(g, rig_is_delivery_told);
	ck_assert_uint_eq(g->sessions, 1);
	ck_assert_str_eq(g->helo, "c.test");
	ck_assert_uint_eq(g->reached, LEVEL_CLEAR);
	ck_assert_uint_eq(g->bytes, g->size);
	rig_talk(g, "QUIT\r\n", "221 ");
	rig_run(g, rig_is_ended);
	rig_close(g);
}
END_TEST

/* The history is about the client whose message it is, where a Postfix names it
 * by an address that is one. */
START_TEST(history_names_the_first_client)
{
	static const struct { const char *words, *ip, *helo; } r[] = {
		{ "XFORWARD ADDR=192.0.2.9 HELO=first.test\r\n",
		    "192.0.2.9", "first.test" },
		{ "XFORWARD ADDR=IPV6:2001:DB8::9\r\n", "2001:db8::9", "" },
		{ "XFORWARD ADDR=[UNAVAILABLE] HELO=first.test\r\n",
		    "127.0.0.1", "c.test" },
		{ "XFORWARD ADDR=nonsense HELO=first.test\r\n",
		    "127.0.0.1", "c.test" },
		{ "NOOP\r\n", "127.0.0.1", "c.test" },
	};
	struct rig *g = rig_open();

	g->listen.xforward = true;
	for (size_t i = 0; i < NELEM(r); i++) {
		g->deliveries = 0;
		g->origin = r[i].ip;
		rig_talk(g, "EHLO c.test\r\n", "250 ");
		rig_talk(g, r[i].words, "250 2.0.0");
		rig_talk(g, "MAIL FROM:<a@c.test>\r\nRCPT TO:<b@example.org>"
		    "\r\nDATA\r\n", "354 ");
		rig_hand_over(g, "hi\r\n.\r\n");
		rig_answer(g, 250);
		rig_talk(g, "", "250 2.0.0 ");
		rig_run(g, rig_is_delivery_told);
		ck_assert_str_eq(g->from_ip, r[i].ip);
		ck_assert_str_eq(g->from_helo, r[i].helo);
		ck_assert_str_eq(g->helo, "c.test");	/* of the session */
	}
	rig_close(g);
}
END_TEST

START_TEST(queue_lost_is_451)
{
	struct rig *g = rig_open();

	rig_talk(g, RIG_START, "354 ");
	rig_hand_over(g, "hi\r\n.\r\n");
	link_close(&g->queue);
	rig_talk(g, "", "451 4.3.0");
	rig_talk(g, RIG_START, "451 4.3.0 No queue");
	rig_new_queue(g);
	rig_talk(g, RIG_START, "354 ");
	rig_hand_over(g, "hi\r\n.\r\n");
	rig_answer(g, 250);
	rig_talk(g, "", "250 2.0.0 ");
	ck_assert_uint_eq(g->aborts, 0);
	rig_close(g);
}
END_TEST

/* An answer to what is no longer asked is for nobody. */
START_TEST(answers_for_nobody)
{
	struct rig *g = rig_open();

	rig_talk(g, RIG_START, "354 ");
	rig_hand_over(g, "hi\r\n.\r\n");
	g->txn += 1u << 16;
	rig_answer(g, 250);
	g->txn = 0;
	rig_answer(g, 250);
	g->txn = UINT64_MAX;
	rig_answer(g, 250);
	g->commits = 0;
	link_close(&g->queue);
	rig_talk(g, "", "451 4.3.0");
	ck_assert(strstr(buf_cstr(&g->got), "250") == NULL);
	ck_assert_uint_eq(g->deliveries, 0);
	rig_close(g);
}
END_TEST

static bool
is_alone(struct rig *g)
{
	struct smtpd *d = g->env.state;

	for (unsigned i = 0; i < CLIENT_SLOTS_MAX; i++)
		if (d->clients[i] != NULL && d->clients[i]->ch != NULL)
			return false;
	return true;
}

struct ticker {
	struct rig	*g;
	struct loop_timer *timer;
};

/* No message tells the test that the client's end has arrived. */
static void
tick(void *arg)
{
	struct ticker *t = arg;

	loop_timer_set(t->timer, 5);
	rig_progress(t->g);
}

/* RFC 1047: gone behind the dot; what the queue has is told and delivered. */
START_TEST(left_behind_the_dot)
{
	struct rig *g = rig_open();
	struct ticker t = { .g = g };
	struct smtpd *d = g->env.state;

	rig_talk(g, RIG_START, "354 ");
	rig_hand_over(g, "hi\r\n.\r\n");
	channel_close(&g->chan);
	t.timer = loop_timer_new(g->fix.loop, tick, &t);
	ck_assert_ptr_nonnull(t.timer);
	loop_timer_set(t.timer, 5);
	rig_run(g, is_alone);
	ck_assert_uint_eq(d->nclients, 1);
	rig_answer(g, 250);
	rig_run(g, rig_is_delivery_told);
	ck_assert_uint_eq(d->nclients, 0);
	ck_assert_uint_eq(g->aborts, 0);
	loop_timer_close(&t.timer);
	rig_close(g);
}
END_TEST

START_TEST(drains)
{
	struct rig *g = rig_open();

	rig_talk(g, RIG_START, "354 ");
	g->env.draining = true;
	smtpd_ops.drain(&g->env);
	ck_assert_uint_eq(g->drained, 0);
	rig_hand_over(g, "hi\r\n.\r\n");
	rig_answer(g, 250);
	rig_talk(g, "", "421 4.3.2");
	ck_assert(strstr(buf_cstr(&g->got), "250 2.0.0") != NULL);
	rig_run(g, rig_is_drained);
	rig_close(g);
}
END_TEST

/* Over the cap: a word, and nothing that stays. */
START_TEST(one_too_many)
{
	struct rig *g = rig_open();
	struct smtpd *d = g->env.state;
	struct channel *first = g->chan;

	d->most = 1;
	g->chan = NULL;
	rig_call_quietly(g);
	rig_talk(g, "", "421 4.3.2 Too many connections");
	rig_run(g, rig_is_ended);
	ck_assert_uint_eq(d->nclients, 1);
	channel_close(&first);
	rig_close(g);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		takes_a_message,
		history_names_the_first_client,
		queue_lost_is_451,
		answers_for_nobody,
		left_behind_the_dot,
		drains,
		one_too_many,
	};

	return rig_suite("smtpd role", tests, NELEM(tests));
}
