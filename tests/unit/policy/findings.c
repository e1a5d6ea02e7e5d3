/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* What becomes a finding, with which class and action, and what does not. */
#include "tests/unit/suite.h"

#include <stdio.h>
#include <unistd.h>

#include "policy/db.h"
#include "policy/watch.h"

#define T0	1800000000u
#define HOUR	3600u
#define DAY	86400u
#define MX	"mx.example.org"
#define DOMAIN	"example.org"

static const struct peer_rules rules = { .sessions = 2, .over = 0,
    .expire = 90 * DAY, .hold_for = 4 * HOUR, .quiet = 2 * DAY };

static char dir[64];
static struct db *db;
static struct watch w;
static uint64_t now;
static unsigned told;

static uint64_t
wall(void *ctx)
{
	(void)ctx;
	return now;
}

static void
on_found(void *ctx, const struct finding_row *r)
{
	(void)ctx;
	told++;
	ck_assert_uint_eq(r->time, now * 1000);
}

static void
setup(void)
{
	struct fault f = { .class = FAULT_NONE };

	(void)snprintf(dir, sizeof(dir), "/tmp/sealane-findings-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	now = T0;
	told = 0;
	db = policy_db_open(dir, &f);
	ck_assert_msg(db != NULL, "%s", f.text);
	w = (struct watch){ .wall_s = wall, .found = on_found,
	    .memory = memory_new(db, &rules, &memory_bounds, &f),
	    .findings = findings_new(db, &f) };
	ck_assert_msg(w.memory != NULL && w.findings != NULL, "%s", f.text);
}

static void
teardown(void)
{
	static const char *const names[] = { "", "-wal", "-shm" };
	char path[128];

	findings_free(&w.findings);
	memory_free(&w.memory);
	db_close(&db);
	for (int i = 0; i < NELEM(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/policy.db%s", dir,
		    names[i]);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
seen(const char *tls, bool reduced)
{
	watch_seen(&w, &(struct ipc_peer_seen){ .mx = SPAN_LIT(MX),
	    .domain = SPAN_LIT(DOMAIN), .addr = SPAN_LIT("192.0.2.1"),
	    .tls = span_str(tls), .spki = SPAN_LIT("aa"), .reduced = reduced });
}

static const struct ipc_peer_lost stripped = {
	.session = SPAN_LIT("s"), .mx = SPAN_LIT(MX),
	.domain = SPAN_LIT(DOMAIN), .addr = SPAN_LIT("192.0.2.1"),
	.asked = LEVEL_ENCRYPTED, .why = WHY_MEMORY,
	.finding = FINDING_STRIPPED, .reached = LEVEL_NONE,
	.greeting = SPAN_LIT("220 " MX " ESMTP"),
	.ehlo = SPAN_LIT("250 " MX "\nSIZE 100\n8BITMIME"),
	.reason = SPAN_LIT("STARTTLS is not offered"),
};

/* The only finding there is, or the one after `id`. */
static struct finding_row
only(int64_t *id)
{
	struct fault f = { .class = FAULT_NONE };
	struct finding_row r, more;
	int64_t next;

	ck_assert_int_eq(findings_next(w.findings, 0, NULL, id, &r, &f), 1);
	next = *id;
	ck_assert_int_eq(findings_next(w.findings, 0, NULL, &next, &more, &f),
	    0);
	return r;
}

static bool
none(void)
{
	struct fault f = { .class = FAULT_NONE };
	struct finding_row r;
	int64_t id = 0;

	return findings_next(w.findings, 0, NULL, &id, &r, &f) == 0;
}

/* ---- which reports are findings ---- */

static const struct row {
	bool		known;		/* the host is */
	enum level	asked;
	enum why	why;
	enum finding	finding;
	enum level	reached;
	int		class, action;	/* -1: it is none */
	enum level	expected;
} rows[] = {
	/* an ordinary host without TLS */
	{ false, LEVEL_CLEAR, WHY_NONE, FINDING_STRIPPED, LEVEL_CLEAR, -1, -1, 0 },
	{ false, LEVEL_CLEAR, WHY_NONE, FINDING_HANDSHAKE, LEVEL_NONE, -1, -1, 0 },
	{ false, LEVEL_CLEAR, WHY_NONE, FINDING_REFUSED, LEVEL_CLEAR, -1, -1, 0 },
	/* memory */
	{ true, LEVEL_ENCRYPTED, WHY_MEMORY, FINDING_STRIPPED, LEVEL_NONE,
	  CLASS_AT_PEER, ACTION_HELD, LEVEL_ENCRYPTED },
	{ true, LEVEL_ENCRYPTED, WHY_MEMORY, FINDING_REFUSED, LEVEL_NONE,
	  CLASS_AT_PEER, ACTION_HELD, LEVEL_ENCRYPTED },
	{ true, LEVEL_ENCRYPTED, WHY_MEMORY, FINDING_MANGLED, LEVEL_NONE,
	  CLASS_ON_PATH, ACTION_HELD, LEVEL_ENCRYPTED },
	{ true, LEVEL_ENCRYPTED, WHY_MEMORY, FINDING_INJECTION, LEVEL_NONE,
	  CLASS_ON_PATH, ACTION_HELD, LEVEL_ENCRYPTED },
	/* accepted, or only observed: the route asks for nothing */
	{ true, LEVEL_CLEAR, WHY_NONE, FINDING_STRIPPED, LEVEL_CLEAR,
	  CLASS_AT_PEER, ACTION_CLEAR, LEVEL_ENCRYPTED },
	{ true, LEVEL_CLEAR, WHY_NONE, FINDING_HANDSHAKE, LEVEL_NONE,
	  CLASS_AT_PEER, ACTION_OBSERVED, LEVEL_ENCRYPTED },
	/* policy */
	{ false, LEVEL_DANE, WHY_DANE, FINDING_STRIPPED, LEVEL_NONE,
	  CLASS_NEVER_HAD, ACTION_HELD, LEVEL_DANE },
	{ true, LEVEL_STS, WHY_STS, FINDING_STRIPPED, LEVEL_NONE,
	  CLASS_ON_PATH, ACTION_HELD, LEVEL_STS },
	{ true, LEVEL_DANE, WHY_DANE, FINDING_DANE_MISMATCH, LEVEL_NONE,
	  CLASS_ON_PATH, ACTION_REFUSED, LEVEL_DANE },
	{ false, LEVEL_STS, WHY_STS, FINDING_CERT_EXPIRED, LEVEL_NONE,
	  CLASS_NEVER_HAD, ACTION_REFUSED, LEVEL_STS },
};

START_TEST(reports)
{
	const struct row *r = &rows[_i];
	struct ipc_peer_lost m = stripped;
	struct finding_row got;
	struct fault f = { .class = FAULT_NONE };
	struct loss loss;
	int64_t id = 0;

	for (int i = 0; i < 2 && r->known; i++)
		seen("TLS1.3", false);
	m.asked = (uint8_t)r->asked;
	m.why = (uint8_t)r->why;
	m.finding = (uint8_t)r->finding;
	m.reached = (uint8_t)r->reached;
	watch_lost(&w, &m);
	if (r->class == -1) {
		ck_assert(none());
		ck_assert_uint_eq(told, 0);
		return;
	}
	got = only(&id);
	ck_assert_uint_eq(told, 1);
	ck_assert_int_eq(got.kind, r->finding);
	ck_assert_msg((int)got.class == r->class, "row %d: %s", _i,
	    finding_class_name(got.class));
	ck_assert_msg((int)got.action == r->action, "row %d: %s", _i,
	    finding_action_name(got.action));
	ck_assert_int_eq(got.expected, r->expected);
	/* A certificate that is no good starts no hold clock. */
	ck_assert_int_eq(memory_get_loss(w.memory, MX, &loss, &f) == 1,
	    r->known && (r->finding <= FINDING_HANDSHAKE ||
	    r->finding == FINDING_INJECTION));
}
END_TEST

/* ---- one finding, however often it is met ---- */

START_TEST(goes_on)
{
	struct ipc_peer_lost m = stripped;
	struct finding_row r;
	int64_t id = 0;

	seen("TLS1.3", false);
	seen("TLS1.3", false);
	for (int i = 0; i < 100; i++, now += 60)
		watch_lost(&w, &m);
	r = only(&id);
	ck_assert_uint_eq(r.count, 100);
	ck_assert_uint_eq(r.time, T0 * 1000ull);
	ck_assert_uint_eq(r.last, (now - 60) * 1000);
	ck_assert_uint_eq(told, 1);
	m.reached = LEVEL_CLEAR;	/* another action is told */
	watch_lost(&w, &m);
	ck_assert_uint_eq(told, 2);
	now += DAY + 1;			/* and one after a day of rest */
	watch_lost(&w, &m);
	ck_assert_uint_eq(told, 3);
}
END_TEST

START_TEST(evidence)
{
	struct ipc_peer_lost m = stripped;
	struct finding_row r;
	json_t *doc, *e;
	int64_t id = 0;

	seen("TLS1.3", false);
	seen("TLS1.3", false);
	now += 60;
	m.greeting = SPAN_LIT("220 *********************");
	watch_lost(&w, &m);
	r = only(&id);
	doc = finding_json(&r);
	ck_assert_ptr_nonnull(doc);
	e = json_object_get(doc, "evidence");
	ck_assert_str_eq(json_string_value(json_object_get(doc, "kind")),
	    "starttls-stripped");
	ck_assert_str_eq(json_string_value(json_object_get(doc, "class")),
	    "lost-on-path");
	ck_assert_str_eq(json_string_value(json_object_get(e,
	    "expected_since")), "2027-01-15T08:00:00Z");
	ck_assert_str_eq(json_string_value(json_object_get(e, "greeting")),
	    "220 *********************");
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(e,
	    "ehlo"), 1)), "SIZE 100");
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(e,
	    "fingerprints"), 0)), "banner-overwritten");
	ck_assert_str_eq(json_string_value(json_object_get(e, "why")),
	    "memory");
	json_decref(doc);
}
END_TEST

/* A relay that was broken into: what it says stays within its bounds. */
START_TEST(hostile_reports)
{
	static char big[1024];
	struct ipc_peer_lost m = stripped;
	struct finding_row r;
	json_t *doc;
	int64_t id = 0;

	seen("TLS1.3", false);
	seen("TLS1.3", false);
	memset(big, '\n', sizeof(big));
	m.ehlo = span_of(big, sizeof(big));
	m.greeting = SPAN_LIT("220 \xff\xfe\x01");
	m.reason = SPAN_LIT("\xc3");
	watch_lost(&w, &m);
	r = only(&id);
	doc = finding_json(&r);
	ck_assert_ptr_nonnull(doc);
	json_decref(doc);
	m = stripped;
	m.addr = SPAN_LIT("192.0.2.1\xff");
	m.finding = FINDING_REFUSED;
	watch_lost(&w, &m);
	m.addr = stripped.addr;
	m.asked = LEVEL_COUNT;
	watch_lost(&w, &m);
	m.asked = LEVEL_DANE;
	m.finding = FINDING_NONE;
	watch_lost(&w, &m);
	ck_assert_uint_eq(told, 1);
}
END_TEST

/* ---- older versions ---- */

static const struct downgrade {
	const char	*before[3], *then;
	bool		reduced, found;
} downgrades[] = {
	{ { "TLS1.3", "TLS1.3" }, "TLS1.2", false, true },
	{ { "TLS1.3", "TLS1.3" }, "TLS1.0", false, true },
	{ { "TLS1.2", "TLS1.2" }, "TLS1.1", false, true },
	/* one name, machines of several kinds */
	{ { "TLS1.3", "TLS1.2" }, "TLS1.2", false, false },
	{ { "TLS1.2", "TLS1.2" }, "TLS1.3", false, false },
	/* we offered no more */
	{ { "TLS1.3", "TLS1.3" }, "TLS1.2", true, false },
	/* not known well enough */
	{ { "TLS1.3", NULL }, "TLS1.0", false, false },
	{ { "TLS1.3", "TLS1.3" }, "nonsense", false, false },
};

START_TEST(older_versions)
{
	const struct downgrade *d = &downgrades[_i];
	int64_t id = 0;

	for (int i = 0; i < 2 && d->before[i] != NULL; i++)
		seen(d->before[i], false);
	seen(d->then, d->reduced);
	seen(d->then, d->reduced);	/* said once */
	if (!d->found) {
		ck_assert_msg(none(), "row %d", _i);
		return;
	}
	ck_assert_int_eq(only(&id).kind, FINDING_DOWNGRADE);
	ck_assert_uint_eq(told, 1);
}
END_TEST

START_TEST(bounded)
{
	struct fault f = { .class = FAULT_NONE };
	struct finding_row r = { .kind = FINDING_STRIPPED, .evidence = "{}",
	    .time = T0 };
	int64_t id = 0, n = 0;

	ck_assert_int_eq(db_begin(db, &f), 0);
	for (int i = 0; i < FINDINGS_MAX + 10; i++) {
		(void)snprintf(r.mx, sizeof(r.mx), "m%d.example", i);
		ck_assert_int_eq(findings_put(w.findings, &r, &f), 1);
	}
	ck_assert_int_eq(db_commit(db, &f), 0);
	while (findings_next(w.findings, 0, NULL, &id, &r, &f) == 1)
		n++;
	ck_assert_int_eq(n, FINDINGS_MAX);
	id = 0;
	ck_assert_int_eq(findings_next(w.findings, 0, "m9.example", &id, &r,
	    &f), 0);
	ck_assert_int_eq(findings_next(w.findings, 0, "m10.example", &id, &r,
	    &f), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/findings");
	TCase *tc = tcase_create("findings");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, reports, 0, NELEM(rows));
	tcase_add_test(tc, goes_on);
	tcase_add_test(tc, evidence);
	tcase_add_test(tc, hostile_reports);
	tcase_add_loop_test(tc, older_versions, 0, NELEM(downgrades));
	tcase_add_test(tc, bounded);
	tcase_set_timeout(tc, 30);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
