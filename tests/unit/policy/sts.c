/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Which MTA-STS policy holds: RFC 8461 sec 3 and 5, with a table for the DNS,
 * a table for HTTPS, a clock of its own and a real file. */
#include "tests/unit/suite.h"

#include <stdio.h>
#include <unistd.h>

#include "base/fetched.h"
#include "policy/db.h"
#include "policy/sts.h"
#include "tests/unit/policy/fake_dns.h"

#define T0		1800000000u
#define DAY		86400u
#define POLICY(mode, mx, age) "version: STSv1\nmode: " mode "\nmx: " mx	\
	"\nmax_age: " age "\n"
#define ENFORCE		POLICY("enforce", "mx.example.org", "604800")

static char dir[64];

static struct {
	struct fake_dns	 dns;
	const char	*lines[8];
	struct db	*db;
	struct sts_store *store;
	struct sts	*sts;
	uint64_t	 now;
	/* what HTTPS answers; NULL: nothing yet */
	const char	*body;
	enum fetched	 result;
	bool		 no_process;
	unsigned	 fetches;
	uint64_t	 txn;
	/* the last answer */
	unsigned	 answers;
	char		 id[STS_ID_SIZE], mx[256], failure[240];
	int		 mode;		/* -1: no policy */
	uint64_t	 expires;
} x;

static uint64_t
wall(void *ctx)
{
	(void)ctx;
	return x.now;
}

static int
fetch(void *ctx, const struct ipc_fetch_ask *m)
{
	(void)ctx;
	if (x.no_process)
		return -1;
	x.fetches++;
	x.txn = m->txn;
	ck_assert(span_eq(m->host, SPAN_LIT("mta-sts.example.org")));
	ck_assert(span_eq(m->path, SPAN_LIT("/.well-known/mta-sts.txt")));
	ck_assert_uint_eq(m->port, 443);
	ck_assert_uint_eq(m->most, 65536);
	ck_assert_uint_eq(m->timeout, 60000);
	ck_assert_uint_gt(m->addrs.n, 0);
	return 0;
}

static void
open_all(void)
{
	struct fault f = { 0 };
	struct sts_setup s = { .lookup = fake_lookup(&x.dns), .fetch = fetch,
	    .wall_s = wall, .timeout_ms = 60000, .seed = 7 };

	x.db = policy_db_open(dir, &f);
	ck_assert_msg(x.db != NULL, "%s", f.text);
	x.store = s.store = sts_store_new(x.db, &f);
	ck_assert_msg(x.store != NULL, "%s", f.text);
	x.sts = sts_new(&s);
	ck_assert_ptr_nonnull(x.sts);
}

static void
close_all(void)
{
	sts_free(&x.sts);
	sts_store_free(&x.store);
	db_close(&x.db);
}

static void
setup(void)
{
	(void)snprintf(dir, sizeof dir, "/tmp/sealane-sts-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	memset(&x, 0, sizeof x);
	x.dns.lines = x.lines;
	x.lines[0] = "TXT _mta-sts.example.org = v=STSv1; id=1";
	x.lines[1] = "A mta-sts.example.org = 192.0.2.80";
	x.now = T0;
	x.body = ENFORCE;
	open_all();
}

static void
teardown(void)
{
	static const char *const names[] = { "", "-wal", "-shm" };
	char path[128];

	close_all();
	for (int i = 0; i < NELEM(names); i++) {
		(void)snprintf(path, sizeof path, "%s/policy.db%s", dir,
		    names[i]);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
on_answer(void *arg, const struct sts_answer *a)
{
	(void)arg;
	x.answers++;
	x.mode = a->entry == NULL ? -1 : (int)a->entry->policy.mode;
	(void)snprintf(x.id, sizeof x.id, "%s",
	    a->entry == NULL ? "" : a->entry->id);
	(void)span_copy(a->entry == NULL ? SPAN_NONE :
	    buf_get(&a->entry->policy.mx), x.mx, sizeof x.mx);
	x.expires = a->entry == NULL ? 0 : a->entry->expires;
	(void)snprintf(x.failure, sizeof x.failure, "%s", a->failure);
}

static void
reply(void)
{
	const struct ipc_fetched m = { .txn = x.txn,
	    .result = (uint8_t)x.result,
	    .why = x.result == FETCHED_OK ? SPAN_NONE : SPAN_LIT("no"),
	    .body = x.result == FETCHED_OK ? span_str(x.body) : SPAN_NONE };

	sts_fetched(x.sts, &m);
}

/* Everything that can happen at once, happens. */
static void
run(void)
{
	unsigned seen;

	do {
		seen = x.fetches;
		fake_run(&x.dns);
		if (x.body != NULL && x.txn != 0)
			reply();
	} while (x.fetches != seen || x.dns.first != NULL);
}

static void
ask(void)
{
	x.answers = 0;
	ck_assert_ptr_nonnull(sts_ask(x.sts, "example.org", on_answer, NULL));
	run();
	ck_assert_uint_eq(x.answers, 1);
}

/* ---- the first time ---- */

START_TEST(first)
{
	ask();
	ck_assert_int_eq(x.mode, STS_ENFORCE);
	ck_assert_str_eq(x.id, "1");
	ck_assert_str_eq(x.mx, "mx.example.org\n");
	ck_assert_uint_eq(x.expires, T0 + 604800);
	ck_assert_str_eq(x.failure, "");
	ask();
	ck_assert_int_eq(x.mode, STS_ENFORCE);
	ck_assert_uint_eq(x.fetches, 1);	/* the id is known */
}
END_TEST

static const struct none_row {
	const char	*name, *txt, *a;
	const char	*body;
	enum fetched	 result;
	unsigned	 fetches;
	const char	*failure;
} none_rows[] = {
	{ "RFC 8461 sec 3.1: no record",
	    "TXT _mta-sts.example.org NXDOMAIN", NULL, NULL, 0, 0, "" },
	{ "RFC 8461 sec 3.1: no TXT",
	    "TXT _mta-sts.example.org NODATA", NULL, NULL, 0, 0, "" },
	{ "RFC 8461 sec 3.1: another's record",
	    "TXT _mta-sts.example.org = v=spf1 -all", NULL,
	    NULL, 0, 0, "" },
	{ "RFC 8461 sec 3.1: two records",
	    "TXT _mta-sts.example.org = v=STSv1; id=1, "
	    "v=STSv1; id=2", NULL, NULL, 0, 0, "record: more than one" },
	{ "RFC 8461 sec 3.1: wrong syntax",
	    "TXT _mta-sts.example.org = v=STSv1; id=", NULL,
	    NULL, 0, 0, "record: wrong syntax" },
	{ "RFC 8461 sec 3.1: DNS error",
	    "TXT _mta-sts.example.org SERVFAIL", NULL, NULL, 0, 0,
	    "record: server failure" },
	{ "RFC 8461 sec 3.1: bogus",
	    "TXT _mta-sts.example.org BOGUS", NULL, NULL, 0, 0,
	    "record: signature expired" },
	{ "RFC 8461 sec 3.3: no policy host",
	    NULL, "A mta-sts.example.org NXDOMAIN", NULL, 0, 0,
	    "unreachable: the policy host has no address" },
	{ "RFC 8461 sec 3.3: policy host's DNS is down",
	    NULL, "A mta-sts.example.org SERVFAIL",
	    NULL, 0, 0, "unreachable: server failure" },
	{ "RFC 8461 sec 3.3: 404",
	    NULL, NULL, "", FETCHED_STATUS, 1, "status: no" },
	{ "RFC 8461 sec 3.3: certificate",
	    NULL, NULL, "", FETCHED_CERTIFICATE, 1,
	    "certificate: no" },
	{ "RFC 8461 sec 3.2: not a policy", NULL, NULL, "<html>", FETCHED_OK, 1,
	    "policy: line 1: not a key and a value" },
};

/* Nothing is kept, nothing valid comes: as if there were no MTA-STS. */
START_TEST(none)
{
	const struct none_row *r = &none_rows[_i];

	if (r->txt != NULL)
		x.lines[0] = r->txt;
	if (r->a != NULL)
		x.lines[1] = r->a;
	x.body = r->body;
	x.result = r->result;
	ask();
	ck_assert_msg(x.mode == -1, "%s", r->name);
	ck_assert_msg(strcmp(x.failure, r->failure) == 0, "%s: %s", r->name,
	    x.failure);
	ck_assert_msg(x.fetches == r->fetches, "%s", r->name);
}
END_TEST

/* Sec 3.3: a policy that is kept and valid wins over all of that, after a
 * restart as well, and until it expires. */
START_TEST(kept_wins)
{
	const struct none_row *r = &none_rows[_i];

	ask();
	close_all();
	open_all();
	x.lines[0] = "TXT _mta-sts.example.org = v=STSv1; id=other";
	if (r->txt != NULL)
		x.lines[0] = r->txt;
	if (r->a != NULL)
		x.lines[1] = r->a;
	x.body = r->body;
	x.result = r->result;
	x.now += 604800 - 1;
	ask();
	ck_assert_msg(x.mode == STS_ENFORCE, "%s", r->name);
	ck_assert_msg(strcmp(x.id, "1") == 0, "%s", r->name);
	x.now += 1;
	ask();
	ck_assert_msg(x.mode == -1, "%s", r->name);
}
END_TEST

/* ---- changes ---- */

START_TEST(new_id)
{
	ask();
	x.lines[0] = "TXT _mta-sts.example.org = v=STSv1; id=2";
	x.body = POLICY("testing", "*.example.org", "86400");
	x.now += 10;
	ask();
	ck_assert_int_eq(x.mode, STS_TESTING);
	ck_assert_str_eq(x.id, "2");
	ck_assert_uint_eq(x.expires, T0 + 10 + 86400);
}
END_TEST

/* Sec 8.3: taken back through mode none. */
START_TEST(mode_none)
{
	ask();
	x.lines[0] = "TXT _mta-sts.example.org = v=STSv1; id=2";
	x.body = "version: STSv1\nmode: none\nmax_age: 86400\n";
	ask();
	ck_assert_int_eq(x.mode, STS_NONE);
}
END_TEST

/* Sec 3.3: five minutes between tries of one id; a new id may be tried. */
START_TEST(retry)
{
	x.result = FETCHED_STATUS;
	ask();
	ck_assert_uint_eq(x.fetches, 1);
	x.now += STS_RETRY_S - 1;
	ask();
	ck_assert_uint_eq(x.fetches, 1);
	ck_assert_str_eq(x.failure, "status: no");	/* as it was */
	x.lines[0] = "TXT _mta-sts.example.org = v=STSv1; id=2";
	ask();
	ck_assert_uint_eq(x.fetches, 2);
	x.now += STS_RETRY_S;
	x.result = FETCHED_OK;
	ask();
	ck_assert_uint_eq(x.fetches, 3);
	ck_assert_int_eq(x.mode, STS_ENFORCE);
}
END_TEST

START_TEST(clock_set_back)
{
	x.result = FETCHED_STATUS;
	ask();
	x.now -= 10 * 365 * DAY;
	x.result = FETCHED_OK;
	ask();
	ck_assert_int_eq(x.mode, STS_ENFORCE);
}
END_TEST

/* A clock that jumps ahead and back again loses no policy. */
START_TEST(clock_there_and_back)
{
	ask();
	x.result = FETCHED_UNREACHABLE;
	x.now += 10 * 365 * DAY;
	ask();
	ck_assert_int_eq(x.mode, -1);
	x.now -= 10 * 365 * DAY - 1;
	ask();
	ck_assert_int_eq(x.mode, STS_ENFORCE);
}
END_TEST

/* ---- many at once ---- */

START_TEST(one_fetch)
{
	x.body = NULL;
	for (int i = 0; i < 100; i++)
		ck_assert_ptr_nonnull(sts_ask(x.sts, "example.org", on_answer,
		    NULL));
	run();
	ck_assert_uint_eq(x.fetches, 1);
	ck_assert_uint_eq(x.answers, 0);
	x.body = ENFORCE;
	reply();
	ck_assert_uint_eq(x.answers, 100);
	reply();			/* a number that is no longer used */
	ck_assert_uint_eq(x.answers, 100);
}
END_TEST

START_TEST(cancelled)
{
	struct sts_ask *a;

	x.body = NULL;
	a = sts_ask(x.sts, "example.org", on_answer, NULL);
	run();
	sts_cancel(&a);
	ck_assert_ptr_null(a);
	x.body = ENFORCE;
	reply();
	ck_assert_uint_eq(x.answers, 0);
	ask();				/* what it learnt is kept */
	ck_assert_uint_eq(x.fetches, 1);
}
END_TEST

START_TEST(process_lost)
{
	x.body = NULL;
	ck_assert_ptr_nonnull(sts_ask(x.sts, "example.org", on_answer, NULL));
	run();
	sts_fetch_lost(x.sts);
	ck_assert_uint_eq(x.answers, 1);
	ck_assert_int_eq(x.mode, -1);
	reply();
	x.no_process = true;
	x.now += STS_RETRY_S;
	ask();
	ck_assert_str_eq(x.failure, "busy: no fetch process");
}
END_TEST

START_TEST(dns_full)
{
	x.dns.full = true;
	ck_assert_ptr_null(sts_ask(x.sts, "example.org", on_answer, NULL));
}
END_TEST

START_TEST(long_name)
{
	char name[DNS_NAME_SIZE];

	for (size_t i = 0; i < 250; i++)
		name[i] = i % 50 == 49 ? '.' : 'a';
	name[250] = '\0';
	ck_assert_ptr_null(sts_ask(x.sts, name, on_answer, NULL));
}
END_TEST

/* ---- refresh, sec 3.3 ---- */

START_TEST(refresh)
{
	ask();
	x.now += DAY - STS_REFRESH_JITTER_S - 1;
	sts_tick(x.sts);
	run();
	ck_assert_uint_eq(x.fetches, 1);
	x.now = T0 + DAY;
	sts_tick(x.sts);
	run();
	ck_assert_uint_eq(x.fetches, 2);
	ask();
	ck_assert_uint_eq(x.expires, T0 + DAY + 604800);
	ck_assert_uint_eq(x.fetches, 2);
}
END_TEST

/* Kept, tried again, and one event each time. */
START_TEST(refresh_fails)
{
	ask();
	x.result = FETCHED_CERTIFICATE;
	x.now += DAY;
	sts_tick(x.sts);
	run();
	ck_assert_uint_eq(x.fetches, 2);
	sts_tick(x.sts);
	run();
	ck_assert_uint_eq(x.fetches, 2);
	x.now += STS_RETRY_S;
	sts_tick(x.sts);
	run();
	ck_assert_uint_eq(x.fetches, 3);
	ask();
	ck_assert_int_eq(x.mode, STS_ENFORCE);
	ck_assert_uint_eq(x.expires, T0 + 604800);
}
END_TEST

START_TEST(refresh_without_record)
{
	ask();
	x.lines[0] = "TXT _mta-sts.example.org NXDOMAIN";
	x.now += DAY;
	for (int i = 0; i < 3; i++) {
		sts_tick(x.sts);
		run();
	}
	ck_assert_uint_eq(x.fetches, 1);
	ask();
	ck_assert_int_eq(x.mode, STS_ENFORCE);
}
END_TEST

/* Nobody writes there any more: it is left to expire. */
START_TEST(unused)
{
	x.body = POLICY("enforce", "mx.example.org", "31557600");
	ask();
	x.now += STS_STORE_KEEP_S + 1;
	sts_tick(x.sts);
	run();
	ck_assert_uint_eq(x.fetches, 1);
	ask();
	ck_assert_int_eq(x.mode, STS_ENFORCE);
	sts_tick(x.sts);
	run();
	ck_assert_uint_eq(x.fetches, 2);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/sts");
	TCase *tc = tcase_create("sts");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, first);
	tcase_add_loop_test(tc, none, 0, NELEM(none_rows));
	tcase_add_loop_test(tc, kept_wins, 0, NELEM(none_rows));
	tcase_add_test(tc, new_id);
	tcase_add_test(tc, mode_none);
	tcase_add_test(tc, retry);
	tcase_add_test(tc, clock_set_back);
	tcase_add_test(tc, clock_there_and_back);
	tcase_add_test(tc, one_fetch);
	tcase_add_test(tc, cancelled);
	tcase_add_test(tc, process_lost);
	tcase_add_test(tc, dns_full);
	tcase_add_test(tc, long_name);
	tcase_add_test(tc, refresh);
	tcase_add_test(tc, refresh_fails);
	tcase_add_test(tc, refresh_without_record);
	tcase_add_test(tc, unused);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
