/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/pure.c - schedule, the index and its table. */
#include <check.h>
#include <stdlib.h>

#include "base/clock.h"
#include "queue/index.h"
#include "queue/schedule.h"
#include "tests/unit/suite.h"

#define MINUTE	60000ull
#define HOUR	(60 * MINUTE)
#define DAY	(24 * HOUR)

/* ---- schedule: RFC 5321 sec 4.5.4.1 ---- */

static const struct schedule usual = { 5 * MINUTE, 4 * HOUR, 5 * DAY, 0 };

static const struct {
	unsigned	attempts;
	uint64_t	pause;		/* without jitter */
} pauses[] = {
	{ 1, 5 * MINUTE }, { 2, 10 * MINUTE }, { 3, 20 * MINUTE },
	{ 4, 40 * MINUTE }, { 5, 80 * MINUTE }, { 6, 160 * MINUTE },
	{ 7, 4 * HOUR }, { 8, 4 * HOUR }, { 65535, 4 * HOUR },
};

START_TEST(pause_rows)
{
	uint64_t want = pauses[_i].pause, low = UINT64_MAX, high = 0;

	for (uint32_t chance = 0; chance < 100000; chance += 7) {
		uint64_t got = schedule_pause(&usual, pauses[_i].attempts,
		    chance * 40503u);

		low = got < low ? got : low;
		high = got > high ? got : high;
	}
	ck_assert_uint_ge(low, want - want / 10);
	ck_assert_uint_le(high, want + want / 10);
	ck_assert_uint_lt(low, want);		/* it does vary */
	ck_assert_uint_gt(high, want);
}
END_TEST

static const struct {
	const char	*name;
	uint64_t	 next, now, left;
} lefts[] = {
	{ "RFC 5321 sec 4.5.4.1: as planned",		1000, 400, 600 },
	{ "RFC 5321 sec 4.5.4.1: over",		1000, 1000, 0 },
	{ "RFC 5321 sec 4.5.4.1: long over",		1000, 99999, 0 },
	{ "RFC 5321 sec 4.5.4.1: clock went back 10 years", 3650 * DAY, DAY, 4 * HOUR + 24 * MINUTE },
};

START_TEST(left_rows)
{
	ck_assert_msg(schedule_left(&usual, lefts[_i].next, lefts[_i].now) ==
	    lefts[_i].left, "%s", lefts[_i].name);
}
END_TEST

static const struct {
	const char	*name;
	uint64_t	 arrived, now, running;
	uint64_t	 left;
} ends[] = {
	{ "RFC 5321 sec 4.5.4.1: young",			DAY, 2 * DAY, DAY, 4 * DAY },
	{ "RFC 5321 sec 4.5.4.1: old",			DAY, 6 * DAY, 5 * DAY, 0 },
	{ "RFC 5321 sec 4.5.4.1: older",			DAY, 66 * DAY, 65 * DAY, 0 },
	{ "RFC 5321 sec 4.5.4.1: clock jumped 10 years ahead", DAY, 3650 * DAY, HOUR, 5 * DAY - HOUR },
	{ "RFC 5321 sec 4.5.4.1: clock jumped back",		3650 * DAY, DAY, 5 * DAY, 5 * DAY },
	{ "RFC 5321 sec 4.5.4.1: machine was off for a week",	DAY, 9 * DAY, DAY, 4 * DAY },
	{ "RFC 5321 sec 4.5.4.1: one ms short",		0, 5 * DAY - 1, 5 * DAY, 1 },
};

START_TEST(give_up_rows)
{
	struct schedule s = usual;

	ck_assert_msg(schedule_give_up(&s, ends[_i].arrived, ends[_i].now,
	    ends[_i].running) == ends[_i].left, "%s", ends[_i].name);
	/* Delay warnings count alike. */
	s.warn = s.give_up;
	s.give_up = DAY;
	ck_assert_uint_eq(schedule_warn(&s, ends[_i].arrived, ends[_i].now,
	    ends[_i].running), ends[_i].left);
	s.warn = 0;
	ck_assert_uint_eq(schedule_warn(&s, ends[_i].arrived, ends[_i].now,
	    ends[_i].running), UINT64_MAX);
}
END_TEST

/* ---- index ---- */

static struct message *
message(unsigned n)
{
	struct record_change c = { .site = SPAN_NONE, .reply = SPAN_NONE,
	    .dsn = SPAN_NONE, .mx = SPAN_NONE };
	struct record_rcpt rcpt = { .address = SPAN_LIT("r@y.example"),
	    .orcpt = SPAN_NONE };
	char id[ID_SIZE] = "aaaaaaaaaaaaaaaa";
	struct record_message r = { .id = { id, ID_LEN }, .nrcpts = 1,
	    .sender = SPAN_LIT("s@x.example"), .client = SPAN_NONE,
	    .session = SPAN_NONE, .envid = SPAN_NONE, .body = SPAN_NONE };
	struct message *m;
	struct buf list;

	for (int i = ID_LEN - 1; n > 0; i--, n /= 26)
		id[i] = (char)('a' + n % 26);
	buf_init(&list, 1000);
	record_put_rcpt(&list, &rcpt, &c);
	r.rcpts = buf_get(&list);
	m = message_new(&r, 0, 0);
	buf_free(&list);
	return m;
}

START_TEST(heap_gives_the_first)
{
	struct index x;
	struct message *m;
	uint64_t last = 0;
	unsigned n = 0;

	index_init(&x);
	for (unsigned i = 0; i < 1000; i++) {
		m = message(i);
		ck_assert_int_eq(index_add(&x, m), 0);
		ck_assert_int_eq(index_due_set(&x, m, i * 7919 % 1009), 0);
	}
	/* Some change, some go. */
	for (unsigned i = 0; i < 1000; i += 3) {
		m = message(i);
		index_due_set(&x, index_find(&x, span_str(m->id)), i);
		message_unref(m);
	}
	for (unsigned i = 0; i < 1000; i += 5) {
		m = message(i);
		index_remove(&x, index_find(&x, span_str(m->id)));
		ck_assert_ptr_null(index_find(&x, span_str(m->id)));
		message_unref(m);
	}
	while ((m = index_due_first(&x)) != NULL) {
		ck_assert_uint_ge(m->due, last);
		last = m->due;
		index_due_clear(&x, m);
		n++;
	}
	ck_assert_uint_eq(n, 800);
	index_free(&x);
}
END_TEST

START_TEST(cursor_survives_removal)
{
	struct index x;
	struct index_cursor c;
	struct message *m;
	unsigned n = 0;

	index_init(&x);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_int_eq(index_add(&x, message(i)), 0);
	index_cursor_start(&x, &c);
	while ((m = index_cursor_next(&c)) != NULL) {
		n++;
		if (c.at != NULL)
			index_remove(&x, c.at);
		index_remove(&x, m);
	}
	index_cursor_end(&x, &c);
	ck_assert_uint_eq(n, 50);
	ck_assert(TAILQ_EMPTY(&x.arrival));
	index_free(&x);
}
END_TEST

START_TEST(recipient_parts)
{
	struct message *m = message(1);

	ck_assert(span_eq(rcpt_domain(&m->rcpts[0]), SPAN_LIT("y.example")));
	ck_assert_uint_eq(m->nopen, 1);
	ck_assert_int_eq(m->rcpts[0].state, RCPT_DEFERRED);
	ck_assert_uint_eq(rcpt_reply(&m->rcpts[0]).n, 0);
	ck_assert_uint_eq(rcpt_at(&m->rcpts[0]), 0);
	rcpt_note(&m->rcpts[0], &(struct record_change){ .at = 7,
	    .site = SPAN_LIT("mx"), .reply = SPAN_LIT("450 x\0y"),
	    .dsn = SPAN_LIT("4.2.2"), .mx = SPAN_LIT("mx2") });
	ck_assert_uint_eq(rcpt_at(&m->rcpts[0]), 7);
	ck_assert(span_eq(rcpt_dsn(&m->rcpts[0]), SPAN_LIT("4.2.2")));
	ck_assert(span_eq(rcpt_mx(&m->rcpts[0]), SPAN_LIT("mx2")));
	ck_assert(span_eq(rcpt_site(&m->rcpts[0]), SPAN_LIT("mx")));
	ck_assert(span_eq(rcpt_reply(&m->rcpts[0]), SPAN_LIT("450 x")));
	message_unref(m);
}
END_TEST

/* The same words are kept once, and go with the last who has them. */
START_TEST(words_are_shared)
{
	const struct record_change full = { .at = 7, .site = SPAN_LIT("mx"),
	    .reply = SPAN_LIT("452 full"), .dsn = SPAN_NONE, .mx = SPAN_NONE },
	    other = { .at = 8, .site = SPAN_LIT("mx"),
	    .reply = SPAN_LIT("452 late"), .dsn = SPAN_NONE, .mx = SPAN_NONE };
	struct message *a = message(1), *b = message(2);

	rcpt_note(&a->rcpts[0], &full);
	rcpt_note(&b->rcpts[0], &full);
	ck_assert_uint_eq(words_kept(), 1);
	rcpt_note(&b->rcpts[0], &other);
	ck_assert_uint_eq(words_kept(), 2);
	message_unref(b);
	ck_assert_uint_eq(words_kept(), 1);
	ck_assert(span_eq(rcpt_reply(&a->rcpts[0]), SPAN_LIT("452 full")));
	message_unref(a);
	ck_assert_uint_eq(words_kept(), 0);
}
END_TEST

/* RFC 5321 sec 4.5.4.1: days count; while all is held they do not. */
START_TEST(a_clock_stands_and_goes_on)
{
	struct message *m = message(1);

	message_running_set(m, 5000, 1000);	/* ran before this start */
	ck_assert_uint_eq(message_running(m, 1000), 5000);
	ck_assert_uint_eq(message_running(m, 4000), 8000);
	m->nheld = m->nopen;
	message_clock(m, 4000);
	ck_assert_uint_eq(message_running(m, 90000), 8000);
	m->nheld = 0;
	message_clock(m, 90000);
	ck_assert_uint_eq(message_running(m, 90001), 8001);
	message_unref(m);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue pure");
	TCase *t = tcase_create("pure");

	tcase_add_loop_test(t, pause_rows, 0, NELEM(pauses));
	tcase_add_loop_test(t, left_rows, 0, NELEM(lefts));
	tcase_add_loop_test(t, give_up_rows, 0, NELEM(ends));
	tcase_add_test(t, heap_gives_the_first);
	tcase_add_test(t, cursor_survives_removal);
	tcase_add_test(t, recipient_parts);
	tcase_add_test(t, words_are_shared);
	tcase_add_test(t, a_clock_stands_and_goes_on);
	suite_add_tcase(s, t);
	return suite_run(s);
}
