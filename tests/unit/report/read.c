/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Random facts into a real ledger; what the report says of them against a
 * plain count of the same facts. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/db.h"
#include "report/schema.h"
#include "ledger/store.h"
#include "report/report.h"
#include "tests/unit/suite.h"

#define DAY		86400000ULL
#define START		(20454 * DAY)		/* 2026-01-01 */
#define SINCE		(START + DAY)
#define UNTIL		(START + 4 * DAY)
#define NFACTS		3000
#define NMESSAGES	400
#define NSESSIONS	200

static char dir[64], path[80];

static void
setup(void)
{
	snprintf(dir, sizeof dir, "/tmp/sealane-report-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/" LEDGER_FILE, dir);
}

static void
teardown(void)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	char name[100];
	size_t i;

	for (i = 0; i < NELEM(tails); i++) {
		snprintf(name, sizeof name, "%s%s", path, tails[i]);
		unlink(name);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

/* ---- facts, and the plain count of them ---- */

static const char *const domains[] = { "", "a.example", "b.example",
	"c.example", "xn--mnchen-3ya.example" };
static const char *const statuses[] = { "accepted", "sent", "deferred",
	"failed" };

struct fact {
	bool		session;	/* else a delivery */
	unsigned	out, message, number, domain, reached, status, rcpts;
	bool		weak;
	uint64_t	time, bytes;
};

static struct fact facts[NFACTS];

static uint64_t
any(unsigned *seed, uint64_t below)
{
	return (uint64_t)rand_r(seed) % below;
}

static void
make_facts(unsigned seed)
{
	struct fact *x;

	for (x = facts; x < facts + NFACTS; x++) {
		*x = (struct fact){
			.session = any(&seed, 5) == 0,
			.out = (unsigned)any(&seed, 2),
			.message = (unsigned)any(&seed, NMESSAGES),
			.number = (unsigned)any(&seed, NSESSIONS),
			.domain = (unsigned)any(&seed, NELEM(domains)),
			.reached = (unsigned)any(&seed, LEVEL_COUNT),
			.rcpts = (unsigned)any(&seed, 1000),
			.bytes = any(&seed, 50000000),
			.weak = any(&seed, 3) == 0,
			.time = START + any(&seed, 5) * DAY,
		};
		/* The edges of the period are among them. */
		if (any(&seed, 4) != 0)
			x->time += any(&seed, DAY);
		x->status = x->out == 0 ? 0 : 1 + (unsigned)any(&seed, 3);
	}
}

static void
store_facts(void)
{
	const struct ledger_now now = { 1000, START };
	struct fault f = { 0 };
	struct store *s = ledger_store_open(path, &f);
	char id[17], session[17];
	const struct fact *x;
	enum ledger_result r;

	ck_assert_msg(s != NULL, "%s", f.text);
	for (x = facts; x < facts + NFACTS; x++) {
		snprintf(id, sizeof id, "m%u", x->message);
		snprintf(session, sizeof session, "s%u", x->number);
		r = x->session ? ledger_store_session(s, now,
		    &(struct ipc_fact_session){ .out = (uint8_t)x->out,
		    .time = x->time, .session = span_str(session),
		    .reached = (uint8_t)x->reached }, &f) :
		    ledger_store_delivery(s, now, &(struct ipc_fact_delivery){
		    .out = (uint8_t)x->out, .time = x->time,
		    .id = span_str(id), .session = span_str(session),
		    .domain = span_str(domains[x->domain]),
		    .reached = (uint8_t)x->reached,
		    .status = span_str(statuses[x->status]),
		    .weak = span_str(x->weak ? "version,dh" : "none"),
		    .recipients = x->rcpts, .bytes = x->bytes }, &f);
		ck_assert_msg(r == STORE_OK, "%s", f.text);
	}
	ledger_store_close(&s, START);
}

static const char *
key_of(const struct fact *x, enum report_by by)
{
	static char day[CLOCK_RFC3339_SIZE];

	switch (by) {
	case REPORT_DOMAIN:
		return domains[x->domain];
	case REPORT_LEVEL:
		return level_name((enum level)x->reached);
	default:
		clock_rfc3339(x->time, 0, day);
		day[10] = '\0';
		return day;
	}
}

static bool
asked_for(const struct report_query *q, const struct fact *x)
{
	return x->time >= q->since && x->time < q->until &&
	    (q->direction != REPORT_IN || x->out == 0) &&
	    (q->direction != REPORT_OUT || x->out == 1);
}

/* Sessions that no level was reached in. */
static uint64_t
retried(const struct report_query *q)
{
	uint64_t n = 0;

	for (const struct fact *x = facts; x < facts + NFACTS; x++)
		n += asked_for(q, x) && x->session && x->reached == LEVEL_NONE;
	return n;
}

/* The row of `key`, NULL: all. */
static void
count(const struct report_query *q, const char *key, struct coverage *c)
{
	bool message[NMESSAGES] = { false }, session[NSESSIONS] = { false };
	const struct fact *x;
	size_t i;

	*c = (struct coverage){ .messages = 0 };
	for (x = facts; x < facts + NFACTS; x++) {
		if (!asked_for(q, x))
			continue;
		if (x->session) {
			if (x->reached != LEVEL_NONE && (key == NULL || (q->by != REPORT_DOMAIN &&
			    strcmp(key, key_of(x, q->by)) == 0)))
				c->sessions++;
			continue;
		}
		if (x->status > 1 ||
		    (key != NULL && strcmp(key, key_of(x, q->by)) != 0))
			continue;
		message[x->message] = true;
		session[x->number] = true;
		c->recipients += x->rcpts;
		c->bytes += x->bytes;
		if (x->reached != LEVEL_NONE)
			c->levels[x->reached] += x->rcpts;
		c->weak += x->weak ? x->rcpts : 0;
	}
	for (i = 0; i < NMESSAGES; i++)
		c->messages += message[i];
	if (key != NULL && q->by == REPORT_DOMAIN)
		for (i = 0; i < NSESSIONS; i++)
			c->sessions += session[i];
}

static void
same(const struct coverage *got, const struct coverage *want, const char *what)
{
	unsigned i;

	ck_assert_msg(got->messages == want->messages &&
	    got->recipients == want->recipients && got->bytes == want->bytes &&
	    got->sessions == want->sessions,
	    "%s: %llu/%llu/%llu/%llu, wanted %llu/%llu/%llu/%llu", what,
	    (unsigned long long)got->messages,
	    (unsigned long long)got->recipients,
	    (unsigned long long)got->bytes, (unsigned long long)got->sessions,
	    (unsigned long long)want->messages,
	    (unsigned long long)want->recipients,
	    (unsigned long long)want->bytes,
	    (unsigned long long)want->sessions);
	for (i = 0; i < LEVEL_COUNT; i++)
		ck_assert_uint_eq(got->levels[i], want->levels[i]);
	ck_assert_uint_eq(got->weak, want->weak);
}

static void
check_query(const struct report_query *q)
{
	struct coverage want, sum = { .messages = 0 };
	struct fault f = { 0 };
	struct report r;
	size_t i;
	unsigned level;

	ck_assert_msg(report_read(path, q, &r, &f) == 0, "%s", f.text);
	ck_assert_uint_eq(r.retried, retried(q));
	count(q, NULL, &want);
	same(&r.total, &want, "total");
	for (i = 0; i < r.nrows; i++) {
		const struct coverage *c = &r.rows[i].coverage;

		count(q, r.rows[i].key, &want);
		same(c, &want, r.rows[i].key);
		sum.recipients += c->recipients;
		sum.bytes += c->bytes;
		sum.sessions += c->sessions;
		for (level = 0; level < LEVEL_COUNT; level++)
			sum.levels[level] += c->levels[level];
		if (i > 0 && q->by == REPORT_DOMAIN)
			ck_assert_uint_ge(r.rows[i - 1].coverage.recipients,
			    c->recipients);
		if (i > 0 && q->by == REPORT_DAY)
			ck_assert_int_lt(strcmp(r.rows[i - 1].key,
			    r.rows[i].key), 0);
	}
	/* Whatever the grouping, its rows are all there is. */
	ck_assert_uint_eq(sum.recipients, r.total.recipients);
	ck_assert_uint_eq(sum.bytes, r.total.bytes);
	if (q->by != REPORT_DOMAIN)
		ck_assert_uint_eq(sum.sessions, r.total.sessions);
	for (level = 0; level < LEVEL_COUNT; level++)
		ck_assert_uint_eq(sum.levels[level], r.total.levels[level]);
	report_free(&r);
}

START_TEST(rows_sum_up)
{
	struct report_query q = { .since = SINCE, .until = UNTIL };
	unsigned d, by;

	make_facts((unsigned)_i + 1);
	store_facts();
	for (d = 0; d < REPORT_DIRECTIONS; d++)
		for (by = 0; by < REPORT_BYS; by++) {
			q.direction = (enum report_direction)d;
			q.by = (enum report_by)by;
			check_query(&q);
		}
}
END_TEST

START_TEST(empty_ledger_and_empty_period)
{
	const struct report_query q = { .since = SINCE, .until = UNTIL,
	    .direction = REPORT_BOTH };
	struct fault f = { 0 };
	struct store *s = ledger_store_open(path, &f);
	struct report r;

	ledger_store_close(&s, START);
	ck_assert_msg(report_read(path, &q, &r, &f) == 0, "%s", f.text);
	ck_assert_uint_eq(r.nrows, 0);
	ck_assert_uint_eq(r.total.recipients + r.total.messages +
	    r.total.bytes + r.total.sessions + r.lost, 0);
	report_free(&r);
}
END_TEST

START_TEST(gaps_are_named)
{
	const struct report_query q = { .since = SINCE, .until = UNTIL,
	    .direction = REPORT_OUT };
	static const uint64_t times[] = { SINCE - 1, SINCE, UNTIL - 1, UNTIL };
	struct fault f = { 0 };
	struct store *s = ledger_store_open(path, &f);
	struct report r;
	size_t i;
	uint64_t dropped = 1;

	for (i = 0; i < NELEM(times); i++, dropped *= 10)
		ck_assert_int_eq(ledger_store_gap(s, (struct ledger_now){ 1, times[i] },
		    ROLE_SMTPD, 1, dropped, &f), STORE_OK);
	ledger_store_close(&s, START);
	ck_assert_msg(report_read(path, &q, &r, &f) == 0, "%s", f.text);
	ck_assert_uint_eq(r.lost, 110);
	report_free(&r);
}
END_TEST

START_TEST(beside_a_running_ledger)
{
	const struct report_query q = { .since = SINCE, .until = UNTIL };
	struct fault f = { 0 };
	struct store *s = ledger_store_open(path, &f);
	struct ipc_fact_delivery d = { .time = SINCE, .id = SPAN_LIT("m"),
	    .status = SPAN_LIT("accepted"), .recipients = 1 };
	struct report r;

	ck_assert_int_eq(ledger_store_delivery(s, (struct ledger_now){ 1, 1 }, &d, &f),
	    STORE_OK);
	ck_assert_msg(report_read(path, &q, &r, &f) == 0, "%s", f.text);
	ck_assert_uint_eq(r.total.recipients, 0);
	report_free(&r);
	ck_assert_int_eq(ledger_store_commit(s, (struct ledger_now){ 1, 1 }, &f),
	    STORE_OK);
	ck_assert_msg(report_read(path, &q, &r, &f) == 0, "%s", f.text);
	ck_assert_uint_eq(r.total.recipients, 1);
	report_free(&r);
	ledger_store_close(&s, START);
}
END_TEST

START_TEST(newer_ledger_is_refused)
{
	static const char *const future[] = { "CREATE TABLE a (b)",
	    "CREATE TABLE c (d)", "CREATE TABLE e (f)" };
	const struct report_query q = { .since = SINCE, .until = UNTIL };
	struct fault f = { 0 };
	struct db *db = db_open_writer(path, future, 3, &f);
	struct report r;

	db_close(&db);
	ck_assert_int_eq(report_read(path, &q, &r, &f), -1);
	ck_assert_ptr_nonnull(strstr(f.text, path));
	ck_assert_ptr_nonnull(strstr(f.text, "version 3"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("report_read");
	TCase *tc = tcase_create("read");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 25);
	tcase_add_loop_test(tc, rows_sum_up, 0, 5);
	tcase_add_test(tc, empty_ledger_and_empty_period);
	tcase_add_test(tc, gaps_are_named);
	tcase_add_test(tc, beside_a_running_ledger);
	tcase_add_test(tc, newer_ledger_is_refused);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
