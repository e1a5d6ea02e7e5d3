/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "ledger/store.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/db.h"
#include "base/hop.h"
#include "report/schema.h"
#include "tests/unit/suite.h"

#define WALL		1767225600000ULL	/* 2026-01-01 */

static char dir[64], path[80];

static void
setup(void)
{
	snprintf(dir, sizeof dir, "/tmp/sealane-store-XXXXXX");
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

static struct store *
opened(void)
{
	struct fault f = { 0 };
	struct store *s = ledger_store_open(path, &f);

	ck_assert_msg(s != NULL, "%s", f.text);
	return s;
}

static struct ledger_now
at(uint64_t ms)
{
	return (struct ledger_now){ 1000 + ms, WALL + ms };
}

/* The first row of a query as text, columns joined by `|`. */
static const char *
ask(const char *sql, int columns)
{
	static char text[1024];
	struct fault f = { 0 };
	struct db *db = db_open_reader(path, &f);
	struct db_stmt *s;
	size_t n = 0;
	int i;

	ck_assert_msg(db != NULL, "%s", f.text);
	s = db_prepare(db, sql, &f);
	ck_assert_msg(s != NULL, "%s", f.text);
	ck_assert_int_eq(db_step(s, &f), 1);
	for (i = 0; i < columns; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%.*s",
		    i == 0 ? "" : "|", SPAN_FMT(db_text(s, i)));
	db_close(&db);
	return text;
}

static const struct ipc_fact_session session = {
	.out = 1, .time = WALL + 5, .session = SPAN_LIT("aaaabbbbccccdddd"),
	.domain = SPAN_LIT("Example.ORG"), .mx = SPAN_LIT("MX.Example.org"),
	.addr = SPAN_LIT("192.0.2.1"), .reached = LEVEL_ENCRYPTED,
	.how = HOW_OPPORTUNISTIC, .tls = SPAN_LIT("TLS1.3"),
	.cipher = SPAN_LIT("AES-256-GCM"), .kx = SPAN_LIT("X25519"),
	.spki = SPAN_LIT("00ff"), .resumed = 7,
	.weak = SPAN_LIT("version,dh"),
	.not_after = SPAN_LIT("2036-01-01T00:00:00Z"),
	.issuer = SPAN_LIT("CN=Some CA"),
};

static const struct ipc_fact_delivery delivery = {
	.out = 1, .time = WALL + 6, .id = SPAN_LIT("eeeeffffgggghhhh"),
	.session = SPAN_LIT("aaaabbbbccccdddd"),
	.domain = SPAN_LIT("example.org"), .mx = SPAN_LIT("mx.example.org"),
	.addr = SPAN_LIT("192.0.2.1"), .asked = LEVEL_DANE, .why = WHY_DANE,
	.reached = LEVEL_CLEAR, .how = HOW_NOT_OFFERED,
	.tls = SPAN_LIT("none"), .cipher = SPAN_LIT("none"),
	.kx = SPAN_LIT("none"), .weak = SPAN_LIT("none"),
	.status = SPAN_LIT("sent"),
	.dsn = SPAN_LIT("2.0.0"), .recipients = 3, .bytes = 4096,
	.delay = 1234,
};

START_TEST(every_field_is_kept)
{
	struct store *s = opened();
	struct fault f = { 0 };

	ck_assert_int_eq(ledger_store_session(s, at(0), &session, &f), STORE_OK);
	ck_assert_int_eq(ledger_store_delivery(s, at(0), &delivery, &f), STORE_OK);
	ck_assert_int_eq(ledger_store_gap(s, at(9), ROLE_RELAY, 2, 40, &f), STORE_OK);
	ck_assert_uint_eq(ledger_store_pending(s), 3);
	/* Nothing is seen before its batch is whole. */
	ck_assert_str_eq(ask("SELECT (SELECT count(*) FROM session) + "
	    "(SELECT count(*) FROM delivery)", 1), "0");
	ck_assert_int_eq(ledger_store_commit(s, at(10), &f), STORE_OK);
	ck_assert_uint_eq(ledger_store_pending(s), 0);
	ck_assert_str_eq(ask("SELECT time, out, session, domain, mx, addr, "
	    "reached, how, tls, cipher, kx, spki, resumed, not_after, issuer, "
	    "weak FROM session", 16),
	    "1767225600005|1|aaaabbbbccccdddd|example.org|mx.example.org|"
	    "192.0.2.1|2|5|TLS1.3|AES-256-GCM|X25519|00ff|1|"
	    "2036-01-01T00:00:00Z|CN=Some CA|version,dh");
	ck_assert_str_eq(ask("SELECT time, out, message, session, domain, mx, "
	    "addr, asked, why, reached, how, tls, cipher, kx, status, dsn, "
	    "recipients, bytes, delay, weak FROM delivery", 20),
	    "1767225600006|1|eeeeffffgggghhhh|aaaabbbbccccdddd|example.org|"
	    "mx.example.org|192.0.2.1|5|5|1|1||||2|2.0.0|3|4096|1234|");
	ck_assert_str_eq(ask("SELECT time, role, instance, reason, dropped "
	    "FROM gap", 5), "1767225600009|relay|2|link-full|40");
	ledger_store_close(&s, WALL);
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(closing_commits)
{
	struct store *s = opened();

	ck_assert_int_eq(ledger_store_session(s, at(0), &session, NULL), STORE_OK);
	ledger_store_close(&s, WALL);
	ck_assert_str_eq(ask("SELECT count(*) FROM session", 1), "1");
	s = opened();			/* and the file may be opened again */
	ck_assert_int_eq(ledger_store_session(s, at(0), &session, NULL), STORE_OK);
	ledger_store_close(&s, WALL);
	ck_assert_str_eq(ask("SELECT count(*) FROM session", 1), "2");
}
END_TEST

/* ---- what no role may send ---- */

static const struct bad {
	const char	*name;
	uint8_t		 out, asked, why, reached, how;
	const char	*status;
} bads[] = {
	{ "direction", 2, 1, 0, 1, 0, "sent" },
	{ "asked", 1, LEVEL_COUNT, 0, 1, 0, "sent" },
	{ "why", 1, 1, WHY_COUNT, 1, 0, "sent" },
	{ "reached", 1, 1, 0, LEVEL_COUNT, 0, "sent" },
	{ "how", 1, 1, 0, 1, HOW_COUNT, "sent" },
	{ "status", 1, 1, 0, 1, 0, "SENT" },
	{ "no status", 1, 1, 0, 1, 0, "" },
	{ "accepted, but out", 1, 1, 0, 1, 0, "accepted" },
	{ "sent, but in", 0, 1, 0, 1, 0, "sent" },
};

START_TEST(malformed_is_refused_and_counted)
{
	const struct bad *b = &bads[_i];
	struct ipc_fact_delivery d = delivery;
	struct ipc_fact_session e = session;
	struct store *s = opened();
	struct fault f = { 0 };
	bool in_session = b->out > 1 || b->reached >= LEVEL_COUNT ||
	    b->how >= HOW_COUNT;

	d.out = e.out = b->out;
	d.asked = b->asked;
	d.why = b->why;
	d.reached = e.reached = b->reached;
	d.how = e.how = b->how;
	d.status = span_str(b->status);
	ck_assert_msg(ledger_store_delivery(s, at(0), &d, &f) == STORE_MALFORMED,
	    "%s", b->name);
	ck_assert(f.text[0] != '\0');
	ck_assert_int_eq(ledger_store_session(s, at(0), &e, &f),
	    in_session ? STORE_MALFORMED : STORE_OK);
	ck_assert_int_eq(ledger_store_commit(s, at(1), &f), STORE_OK);
	ck_assert_str_eq(ask("SELECT reason, dropped FROM gap", 2),
	    in_session ? "malformed|2" : "malformed|1");
	ck_assert_uint_eq(ledger_store_lost(s), 0);
	ledger_store_close(&s, WALL);
}
END_TEST

START_TEST(no_byte_of_a_peer_gets_through)
{
	struct ipc_fact_session e = session;
	struct store *s = opened();
	char all[256];
	int i;

	for (i = 0; i < 256; i++)
		all[i] = (char)i;
	e.mx = e.issuer = e.domain = span_of(all, 255);
	ck_assert_int_eq(ledger_store_session(s, at(0), &e, NULL), STORE_OK);
	ck_assert_int_eq(ledger_store_commit(s, at(0), NULL), STORE_OK);
	ck_assert_str_eq(ask("SELECT count(*) FROM session WHERE "
	    "length(mx) = 255 AND length(issuer) = 255 AND "
	    "mx NOT GLOB '*[^ -~]*' AND issuer NOT GLOB '*[^ -~]*' AND "
	    "mx NOT GLOB '*[A-Z]*' AND domain NOT GLOB '*[^ -~]*'", 1), "1");
	ledger_store_close(&s, WALL);
}
END_TEST

/* ---- when nothing can be written ---- */

START_TEST(locked_file_is_not_waited_for_twice)
{
	struct store *s = opened();
	struct fault f = { 0 };
	struct db *other = db_open_writer(path, report_migrations,
	    LEDGER_SCHEMA_VERSION, &f);
	uint64_t i;

	ck_assert_ptr_nonnull(other);
	ck_assert_int_eq(db_begin(other, &f), 0);
	ck_assert_int_eq(ledger_store_session(s, at(0), &session, &f), STORE_FAILED);
	ck_assert_ptr_nonnull(strstr(f.text, path));
	/* Each of these would take a second of waiting. */
	for (i = 1; i < 100; i++)
		ck_assert_int_eq(ledger_store_session(s, at(i), &session, &f),
		    STORE_LOST);
	ck_assert_int_eq(ledger_store_commit(s, at(i), &f), STORE_LOST);
	ck_assert_uint_eq(ledger_store_lost(s), 100);
	db_close(&other);
	ck_assert_int_eq(ledger_store_gap(s, at(STORE_RETRY_MS), ROLE_SMTPD, 1, 7,
	    &f), STORE_OK);
	ck_assert_int_eq(ledger_store_commit(s, at(STORE_RETRY_MS), &f), STORE_OK);
	ck_assert_str_eq(ask("SELECT sum(dropped), min(time) FROM gap", 2),
	    "107|1767225600000");
	ledger_store_close(&s, WALL);
}
END_TEST

static void
file_limit(rlim_t most)
{
	struct rlimit rl;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &rl), 0);
	rl.rlim_cur = most;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &rl), 0);
}

/* Whatever fails when: each fact is a row, or counted, once. */
START_TEST(facts_are_rows_or_counted)
{
	struct store *s = opened();
	struct fault f = { 0 };
	uint64_t offered = 0, t = 0, n;
	char want[80];
	unsigned seed = (unsigned)_i + 1;
	int i, failures = 0;

	signal(SIGXFSZ, SIG_IGN);
	for (i = 0; i < 4000; i++) {
		t += (uint64_t)rand_r(&seed) % 50;
		switch (rand_r(&seed) % 40) {
		case 0:
			failures += ledger_store_commit(s, at(t), &f) == STORE_FAILED;
			break;
		case 1:
			n = (uint64_t)rand_r(&seed) % 9;
			offered += n;
			ledger_store_gap(s, at(t), ROLE_SMTPD, 1, n, &f);
			break;
		case 2:			/* disk full */
			file_limit(0);
			break;
		case 3:
		case 4:
			file_limit(RLIM_INFINITY);
			break;
		default:
			offered++;
			ledger_store_delivery(s, at(t), &delivery, &f);
		}
	}
	ck_assert_int_gt(failures, 0);
	ck_assert_uint_le(ledger_store_pending(s), offered);
	file_limit(RLIM_INFINITY);
	ck_assert_int_eq(ledger_store_commit(s, at(t + STORE_RETRY_MS), &f),
	    STORE_OK);
	ck_assert_uint_eq(ledger_store_lost(s), 0);
	snprintf(want, sizeof want, "%llu", (unsigned long long)offered);
	ck_assert_str_eq(ask("SELECT (SELECT count(*) FROM delivery) + "
	    "(SELECT sum(dropped) FROM gap)", 1), want);
	ck_assert_str_eq(ask("SELECT count(*) > 0 FROM gap WHERE "
	    "reason = 'write-failed'", 1), "1");
	ledger_store_close(&s, WALL);
}
END_TEST

START_TEST(open_says_which_file)
{
	struct fault f = { 0 };
	FILE *out = fopen(path, "w");

	fputs("this is no database, but long enough to be looked at: "
	    "0123456789012345678901234567890123456789012345678901234", out);
	fclose(out);
	ck_assert_ptr_null(ledger_store_open(path, &f));
	ck_assert_ptr_nonnull(strstr(f.text, path));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ledger_store");
	TCase *tc = tcase_create("store");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, every_field_is_kept);
	tcase_add_test(tc, closing_commits);
	tcase_add_loop_test(tc, malformed_is_refused_and_counted, 0,
	    (int)NELEM(bads));
	tcase_add_test(tc, no_byte_of_a_peer_gets_through);
	tcase_add_test(tc, locked_file_is_not_waited_for_twice);
	tcase_add_loop_test(tc, facts_are_rows_or_counted, 0, 5);
	tcase_add_test(tc, open_says_which_file);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
