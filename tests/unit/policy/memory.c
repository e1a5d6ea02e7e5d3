/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The memory of peers in a real file: what survives, what is bounded, and what
 * relay's reports make of it. */
#include "tests/unit/suite.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/finding.h"
#include "policy/db.h"
#include "policy/watch.h"

#define T0	1800000000u
#define DAY	86400u
#define HOUR	3600u

static const struct peer_rules rules = { .sessions = 3, .over = DAY,
    .expire = 90 * DAY, .hold_for = 4 * HOUR, .quiet = 2 * DAY };
static const struct memory_bounds small = { .known = 4, .new = 3,
    .losses = 2 };

static char dir[64];
static struct db *db;
static struct watch w;
static uint64_t now;

static uint64_t
wall(void *ctx)
{
	(void)ctx;
	return now;
}

static void
open_all(const struct memory_bounds *bounds)
{
	struct fault f = { .class = FAULT_NONE };

	db = policy_db_open(dir, &f);
	ck_assert_msg(db != NULL, "%s", f.text);
	w = (struct watch){ .wall_s = wall,
	    .memory = memory_new(db, &rules, bounds, &f),
	    .findings = findings_new(db, &f) };
	ck_assert_msg(w.memory != NULL && w.findings != NULL, "%s", f.text);
}

static void
close_all(void)
{
	findings_free(&w.findings);
	memory_free(&w.memory);
	db_close(&db);
}

static void
setup(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/sealane-memory-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	now = T0;
	open_all(&memory_bounds);
}

static void
teardown(void)
{
	static const char *const names[] = { "", "-wal", "-shm" };
	char path[128];

	close_all();
	for (int i = 0; i < NELEM(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/policy.db%s", dir,
		    names[i]);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
seen(const char *host, const char *domain)
{
	watch_seen(&w, &(struct ipc_peer_seen){ .mx = span_str(host),
	    .domain = span_str(domain), .addr = SPAN_LIT("192.0.2.1"),
	    .tls = SPAN_LIT("TLS1.3"),
	    .spki = SPAN_LIT("aabb") });
}

static void
lost(const char *host, const char *domain)
{
	watch_lost(&w, &(struct ipc_peer_lost){ .mx = span_str(host),
	    .domain = span_str(domain), .addr = SPAN_LIT("192.0.2.1"),
	    .finding = FINDING_STRIPPED,
	    .reason = SPAN_LIT("no STARTTLS") });
}

static void
make_known(const char *host, const char *domain)
{
	uint64_t at = now;

	for (int i = 0; i < 3; i++, now += DAY / 2)
		seen(host, domain);
	now = at + DAY;
}

static struct peer
get(enum peer_kind kind, const char *name)
{
	struct fault f = { .class = FAULT_NONE };
	struct peer p;

	ck_assert_int_ge(memory_get(w.memory, kind, name, &p, &f), 0);
	return p;
}

START_TEST(survives)
{
	struct peer p;

	make_known("mx.example.org", "example.org");
	ck_assert_int_eq(watch_recall(&w, "mx.example.org", "example.org"),
	    RECALL_TLS);
	close_all();
	open_all(&memory_bounds);
	p = get(PEER_HOST, "mx.example.org");
	ck_assert_uint_eq(p.sessions, 3);
	ck_assert_uint_eq(p.days, 2);
	ck_assert_uint_eq(p.versions, 8);
	ck_assert_str_eq(p.spki, "aabb");
	ck_assert_str_eq(get(PEER_DOMAIN, "example.org").spki, "");
	ck_assert_int_eq(watch_recall(&w, "mx.example.org", "example.org"),
	    RECALL_TLS);
	/* the host for others, the domain by others */
	ck_assert_int_eq(watch_recall(&w, "mx.example.org", "example.net"),
	    RECALL_TLS);
	ck_assert_int_eq(watch_recall(&w, "mx.example.net", "example.org"),
	    RECALL_TLS);
	ck_assert_int_eq(watch_recall(&w, "mx.example.net", "example.net"),
	    RECALL_NOTHING);
	now += 90 * DAY;
	ck_assert_int_eq(watch_recall(&w, "mx.example.org", "example.org"),
	    RECALL_NOTHING);
}
END_TEST

/* No report but of a completed session changes what is known of a peer. */
START_TEST(losing_forgets_nothing)
{
	struct peer before;

	make_known("mx.example.org", "example.org");
	before = get(PEER_HOST, "mx.example.org");
	for (int i = 0; i < 100; i++, now++) {
		lost("mx.example.org", "example.org");
		lost("evil.example.net", "example.net");
	}
	ck_assert_uint_eq(get(PEER_HOST, "mx.example.org").last, before.last);
	ck_assert_uint_eq(get(PEER_HOST, "mx.example.org").sessions, 3);
	ck_assert_uint_eq(get(PEER_HOST, "evil.example.net").first, 0);
	ck_assert_uint_eq(get(PEER_DOMAIN, "example.net").first, 0);
}
END_TEST

START_TEST(hold_clock)
{
	const char *host = "mx.example.org", *domain = "example.org";

	make_known(host, domain);
	lost(host, domain);
	now += 4 * HOUR - 1;
	lost(host, domain);
	ck_assert_int_eq(watch_recall(&w, host, domain), RECALL_TLS);
	close_all();		/* a restart does not set it back */
	open_all(&memory_bounds);
	now++;
	ck_assert_int_eq(watch_recall(&w, host, domain), RECALL_ACCEPTED);
	/* of that host alone */
	ck_assert_int_eq(watch_recall(&w, "mx2.example.org", domain),
	    RECALL_TLS);
	now += 30 * DAY;	/* too long ago to have run down... */
	ck_assert_int_eq(watch_recall(&w, host, domain), RECALL_TLS);
	lost(host, domain);
	now += 4 * HOUR;
	lost(host, domain);	/* ... now it has, and was used */
	now += 30 * DAY;
	ck_assert_int_eq(watch_recall(&w, host, domain), RECALL_ACCEPTED);
	seen(host, domain);
	ck_assert_int_eq(watch_recall(&w, host, domain), RECALL_TLS);
}
END_TEST

/* Names that cost their inventor a session each push out each other. */
START_TEST(invented_names)
{
	char name[64];
	unsigned kept = 0;

	close_all();
	open_all(&small);
	make_known("mx.example.org", "example.org");
	for (int i = 0; i < 50; i++, now++) {
		(void)snprintf(name, sizeof(name), "m%d.example.net", i);
		seen(name, name);
	}
	for (int i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof(name), "m%d.example.net", i);
		kept += get(PEER_HOST, name).first != 0;
	}
	ck_assert_uint_eq(kept, small.new);
	ck_assert_uint_ne(get(PEER_HOST, "m49.example.net").first, 0);
	ck_assert_int_eq(watch_recall(&w, "mx.example.org", "example.org"),
	    RECALL_TLS);
}
END_TEST

/* Of the known ones the one that was seen last the longest ago. */
START_TEST(most_known)
{
	char name[64];

	close_all();
	open_all(&small);
	for (int i = 0; i < 6; i++) {
		(void)snprintf(name, sizeof(name), "m%d.example.net", i);
		make_known(name, "example.net");
	}
	for (int i = 0; i < 6; i++) {
		(void)snprintf(name, sizeof(name), "m%d.example.net", i);
		ck_assert_msg((get(PEER_HOST, name).first != 0) == (i >= 2),
		    "%s", name);
	}
}
END_TEST

START_TEST(most_losses)
{
	struct fault f = { .class = FAULT_NONE };
	static const char *const hosts[] = { "a.example", "b.example",
	    "c.example" };
	struct loss l;

	close_all();
	open_all(&small);
	make_known("mx.example.org", "example.org");
	for (int i = 0; i < 3; i++, now++)
		lost(hosts[i], "example.org");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(memory_get_loss(w.memory, hosts[i], &l, &f),
		    i > 0);
}
END_TEST

START_TEST(nonsense)
{
	static const char *const names[] = { "", "a b.example", ".." };

	for (int i = 0; i < NELEM(names); i++) {
		seen(names[i], "example.org");
		seen("mx.example.org", names[i]);
		lost(names[i], "example.org");
	}
	ck_assert_uint_eq(get(PEER_DOMAIN, "example.org").first, 0);
	ck_assert_uint_eq(get(PEER_HOST, "mx.example.org").first, 0);
	watch_lost(&w, &(struct ipc_peer_lost){ .finding = 250,
	    .mx = SPAN_LIT("mx.example.org"), .domain = SPAN_LIT("x.org") });
}
END_TEST

START_TEST(forget_and_tidy)
{
	struct fault f = { .class = FAULT_NONE };

	make_known("mx.example.org", "example.org");
	lost("mx.example.org", "example.org");
	ck_assert_int_eq(memory_forget(w.memory, PEER_HOST, "mx.example.org",
	    &f), 1);
	ck_assert_int_eq(memory_forget(w.memory, PEER_HOST, "mx.example.org",
	    &f), 0);
	ck_assert_uint_eq(get(PEER_HOST, "mx.example.org").first, 0);
	now += 100 * DAY;	/* expired, but a clock may jump */
	watch_tick(&w);
	ck_assert_uint_ne(get(PEER_DOMAIN, "example.org").first, 0);
	now += 30 * DAY;
	watch_tick(&w);
	ck_assert_uint_eq(get(PEER_DOMAIN, "example.org").first, 0);
}
END_TEST

/* Bytes on disk of a host's record, and of the same names as domains.
 * SEALANE_PEERS=1000000 measures the bound itself. */
START_TEST(size_of_a_peer)
{
	const char *env = getenv("SEALANE_PEERS");
	unsigned n = env != NULL ? (unsigned)strtoul(env, NULL, 10) : 3000;
	struct peer_session s = { .version = 3, .spki = SPAN_LIT("01234567"
	    "89abcdef0123456789abcdef0123456789abcdef0123456789abcdef") };
	struct memory_bounds bounds = memory_bounds;
	struct fault f = { .class = FAULT_NONE };
	char name[64], path[128];
	struct peer before;
	struct stat st;
	uint64_t began;

	bounds.new = n;
	close_all();
	open_all(&bounds);
	ck_assert_int_eq(db_begin(db, &f), 0);
	for (unsigned i = 0; i < n; i++) {
		s.now = T0 + i;
		(void)snprintf(name, sizeof(name), "mx%u.mail-%u.example.org",
		    i % 4, i);
		ck_assert_int_eq(memory_seen(w.memory, name, name, &s, &before,
		    &f), 0);
	}
	ck_assert_int_eq(db_commit(db, &f), 0);
	began = clock_wall_ms();
	for (unsigned i = 0; i < 10000; i++) {
		(void)snprintf(name, sizeof(name), "mx%u.mail-%u.example.org",
		    i % n % 4, i * 7919u % n);
		(void)watch_recall(&w, name, name);
	}
	began = clock_wall_ms() - began;
	close_all();		/* the log goes into the file */
	(void)snprintf(path, sizeof(path), "%s/policy.db", dir);
	ck_assert_int_eq(stat(path, &st), 0);
	if (env != NULL)
		printf("%u hosts and domains: %.0f bytes each, %.1f us to "
		    "recall\n", n, (double)st.st_size / (2.0 * n),
		    (double)began / 10);
	ck_assert_uint_lt((uint64_t)st.st_size / (2 * n), 250);
	open_all(&bounds);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/memory");
	TCase *tc = tcase_create("memory");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, survives);
	tcase_add_test(tc, losing_forgets_nothing);
	tcase_add_test(tc, hold_clock);
	tcase_add_test(tc, invented_names);
	tcase_add_test(tc, most_known);
	tcase_add_test(tc, most_losses);
	tcase_add_test(tc, nonsense);
	tcase_add_test(tc, forget_and_tidy);
	tcase_add_test(tc, size_of_a_peer);
	tcase_set_timeout(tc, 120);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
