/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* What is remembered of a peer, and what memory asks: both clocks, on all sides
 * of their edges. */
#include "tests/unit/suite.h"

#include "policy/peer.h"

#define T0	1800000000u
#define HOUR	3600u
#define DAY	86400u

static const struct peer_rules usual = {
	.sessions = 3, .over = 24 * HOUR, .expire = 90 * DAY,
	.hold_for = 4 * HOUR, .quiet = DAY + 8 * HOUR, .on_loss = LOSS_HOLD,
};

/* ---- getting known ---- */

#define NEVER	0xffffffffu

static const struct known {
	uint64_t	at[6];		/* sessions, after T0; NEVER ends */
	bool		known;
} knowns[] = {
	{ { NEVER }, false },
	{ { 0, NEVER }, false },
	{ { 0, 1, 2, 3, 4, NEVER }, false },		/* many, at once */
	{ { 0, 24 * HOUR, NEVER }, false },		/* apart, but two */
	{ { 0, 1, 24 * HOUR - 1, NEVER }, false },
	{ { 0, 1, 24 * HOUR, NEVER }, true },
	{ { 0, 23 * HOUR, 25 * HOUR, NEVER }, true },
};

START_TEST(getting_known)
{
	const struct known *k = &knowns[_i];
	struct peer p = { .first = 0 };

	for (int i = 0; k->at[i] != NEVER; i++) {
		const struct peer_session s = { .version = 3,
		    .spki = SPAN_LIT("ab"), .now = T0 + k->at[i] };

		ck_assert(peer_news(&p, &usual, &s));
		peer_take(&p, &s);
	}
	ck_assert_msg(peer_known(&p, &usual) == k->known, "row %d", _i);
}
END_TEST

START_TEST(what_is_noted)
{
	static const uint64_t at[] = { 0, 1, DAY };
	struct peer p = { .first = 0 };

	for (int i = 0; i < NELEM(at); i++)
		peer_take(&p, &(struct peer_session){ .version = i + 1,
		    .spki = span_str(i < 2 ? "aa" : "bb"), .now = T0 + at[i] });
	ck_assert_uint_eq(p.first, T0);
	ck_assert_uint_eq(p.last, T0 + DAY);
	ck_assert_uint_eq(p.sessions, 3);
	ck_assert_uint_eq(p.days, 2);
	ck_assert_uint_eq(p.versions, 0xe);
	ck_assert_str_eq(p.spki, "bb");
	/* the small hello's version is none */
	peer_take(&p, &(struct peer_session){ .version = -1,
	    .spki = SPAN_LIT("bb"), .now = T0 + DAY });
	ck_assert_uint_eq(p.versions, 0xe);
}
END_TEST

/* Of a known peer: what is written down. */
static const struct news {
	uint64_t	after;		/* the last */
	int		version;
	const char	*spki;
	bool		news;
} news[] = {
	{ 1, 3, "aa", false },
	{ HOUR - 1, 3, "aa", false },
	{ HOUR, 3, "aa", true },
	{ 1, 2, "aa", true },
	{ 1, 3, "bb", true },
	{ (uint64_t)-5, 3, "aa", true },	/* the clock was set back */
};

START_TEST(what_is_news)
{
	const struct peer p = { .first = T0, .last = T0 + DAY, .sessions = 3,
	    .days = 2, .versions = 8, .spki = "aa" };
	const struct peer_session s = { .version = news[_i].version,
	    .spki = span_str(news[_i].spki), .now = p.last + news[_i].after };

	ck_assert_msg(peer_news(&p, &usual, &s) == news[_i].news, "row %d", _i);
}
END_TEST

/* ---- what is asked ---- */

enum { NONE, YOUNG, KNOWN, OLD };

static const struct peer peers[] = {
	[NONE] = { .first = 0 },
	[YOUNG] = { .first = T0 - HOUR, .last = T0, .sessions = 9 },
	[KNOWN] = { .first = T0 - 90 * DAY, .last = T0 - 90 * DAY + DAY,
	    .sessions = 3 },
	[OLD] = { .first = T0 - 100 * DAY, .last = T0 - 90 * DAY,
	    .sessions = 50 },
};

static const struct asks {
	int		host, domain;
	enum on_loss	on_loss;
	uint64_t	since, last;	/* of the loss, before T0; NEVER: none */
	enum recall	recall;
} asks[] = {
	{ NONE, NONE, LOSS_HOLD, NEVER, 0, RECALL_NOTHING },
	{ YOUNG, YOUNG, LOSS_HOLD, NEVER, 0, RECALL_NOTHING },
	{ YOUNG, YOUNG, LOSS_ENFORCE, NEVER, 0, RECALL_NOTHING },
	{ OLD, OLD, LOSS_HOLD, NEVER, 0, RECALL_NOTHING },
	{ KNOWN, NONE, LOSS_HOLD, NEVER, 0, RECALL_TLS },
	{ NONE, KNOWN, LOSS_HOLD, NEVER, 0, RECALL_TLS },
	{ OLD, KNOWN, LOSS_HOLD, NEVER, 0, RECALL_TLS },
	{ KNOWN, NONE, LOSS_OBSERVE, NEVER, 0, RECALL_OBSERVE },
	{ KNOWN, KNOWN, LOSS_ENFORCE, NEVER, 0, RECALL_TLS },
	/* the hold clock, to the second */
	{ KNOWN, NONE, LOSS_HOLD, 4 * HOUR - 1, 0, RECALL_TLS },
	{ KNOWN, NONE, LOSS_HOLD, 4 * HOUR, 0, RECALL_ACCEPTED },
	{ NONE, KNOWN, LOSS_HOLD, 4 * HOUR, HOUR, RECALL_ACCEPTED },
	{ KNOWN, NONE, LOSS_ENFORCE, 4 * HOUR, 0, RECALL_TLS },
	{ KNOWN, NONE, LOSS_OBSERVE, 4 * HOUR, 0, RECALL_OBSERVE },
	{ NONE, NONE, LOSS_HOLD, 4 * HOUR, 0, RECALL_NOTHING },
	/* who strips once and comes back later finds no clock run down... */
	{ KNOWN, NONE, LOSS_HOLD, 40 * DAY, 40 * DAY, RECALL_TLS },
	{ KNOWN, NONE, LOSS_HOLD, 33 * HOUR, 32 * HOUR + 1, RECALL_TLS },
	{ KNOWN, NONE, LOSS_HOLD, 33 * HOUR, 32 * HOUR, RECALL_ACCEPTED },
	/* ... but what was accepted once is, until TLS is seen again */
	{ KNOWN, NONE, LOSS_HOLD, 40 * DAY, 39 * DAY, RECALL_ACCEPTED },
	/* a clock that was ahead and was set back */
	{ KNOWN, NONE, LOSS_HOLD, (uint64_t)-HOUR, (uint64_t)-HOUR, RECALL_TLS },
};

START_TEST(what_is_asked)
{
	const struct asks *a = &asks[_i];
	const struct loss loss = { .since = a->since == NEVER ? 0 :
	    T0 - a->since, .last = a->since == NEVER ? 0 : T0 - a->last };
	struct peer_rules rules = usual;

	rules.on_loss = a->on_loss;
	ck_assert_msg(recall(&peers[a->host], &peers[a->domain], &loss, &rules,
	    T0) == a->recall, "row %d", _i);
}
END_TEST

START_TEST(losses)
{
	struct loss l = { .since = 0 };

	loss_take(&l, &usual, T0);
	loss_take(&l, &usual, T0 + HOUR);
	ck_assert_uint_eq(l.since, T0);
	ck_assert_uint_eq(l.last, T0 + HOUR);
	/* nobody was there for more than a day, and nothing was accepted */
	loss_take(&l, &usual, T0 + HOUR + usual.quiet + 1);
	ck_assert_uint_eq(l.since, T0 + HOUR + usual.quiet + 1);
	loss_take(&l, &usual, l.since + 4 * HOUR);
	ck_assert(loss_accepted(&l, &usual, l.last));
	/* accepted: it stays one loss */
	loss_take(&l, &usual, l.last + 30 * DAY);
	ck_assert(loss_accepted(&l, &usual, l.last));
	/* set back: the clock starts again, it never runs shorter */
	loss_take(&l, &usual, T0);
	ck_assert_uint_eq(l.since, T0);
	ck_assert(!loss_accepted(&l, &usual, T0 + 1));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/peer");
	TCase *tc = tcase_create("peer");

	tcase_add_loop_test(tc, getting_known, 0, NELEM(knowns));
	tcase_add_test(tc, what_is_noted);
	tcase_add_loop_test(tc, what_is_news, 0, NELEM(news));
	tcase_add_loop_test(tc, what_is_asked, 0, NELEM(asks));
	tcase_add_test(tc, losses);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
