/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Timed exceptions: how long one holds, and what it does to a route. */
#include "tests/unit/suite.h"

#include <stdio.h>
#include <unistd.h>

#include "policy/db.h"
#include "policy/route.h"
#include "tests/unit/policy/fake_dns.h"

#define T0	1800000000u
#define HOUR	3600u

static const struct peer_rules rules = { .sessions = 3, .over = 1,
    .expire = 90 * 24 * HOUR, .hold_for = 4 * HOUR, .quiet = 48 * HOUR };

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
open_all(void)
{
	struct fault f = { .class = FAULT_NONE };

	db = policy_db_open(dir, &f);
	ck_assert_msg(db != NULL, "%s", f.text);
	w = (struct watch){ .wall_s = wall,
	    .memory = memory_new(db, &rules, &memory_bounds, &f),
	    .exceptions = exceptions_new(db, &f) };
	ck_assert_msg(w.memory != NULL && w.exceptions != NULL, "%s", f.text);
}

static void
close_all(void)
{
	exceptions_free(&w.exceptions);
	memory_free(&w.memory);
	db_close(&db);
}

static void
setup(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/sealane-except-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	now = T0;
	open_all();
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

static int
put(const char *name, uint64_t until, const char *why)
{
	struct exception x = { .made = now, .until = until };
	struct fault f = { .class = FAULT_NONE };

	(void)span_copy(span_str(name), x.name, sizeof(x.name));
	(void)span_copy(span_str(why), x.why, sizeof(x.why));
	return exceptions_put(w.exceptions, &x, &f);
}

/* The reason of the one that holds for the name, or "-". */
static const char *
held(const char *name)
{
	static struct exception x;
	const char *const names[] = { name, NULL };

	return watch_excepted(&w, names, &x) ? x.why : "-";
}

START_TEST(until_its_date)
{
	ck_assert_int_eq(put("example.org", T0 + HOUR, "their gateway"), 0);
	ck_assert_str_eq(held("example.org"), "their gateway");
	ck_assert_str_eq(held("mx.example.org"), "-");	/* that name alone */
	close_all();
	open_all();
	now = T0 + HOUR - 1;
	ck_assert_str_eq(held("example.org"), "their gateway");
	now = T0 + HOUR;
	ck_assert_str_eq(held("example.org"), "-");
}
END_TEST

START_TEST(changed_and_ended)
{
	struct fault f = { .class = FAULT_NONE };
	struct exception x;

	ck_assert_int_eq(put("a.example", T0 + HOUR, "first"), 0);
	ck_assert_int_eq(put("a.example", T0 + 2 * HOUR, "second"), 0);
	now = T0 + HOUR;
	ck_assert_str_eq(held("a.example"), "second");
	ck_assert_int_eq(exceptions_end(w.exceptions, "a.example", &f), 1);
	ck_assert_str_eq(held("a.example"), "-");
	ck_assert_int_eq(exceptions_end(w.exceptions, "a.example", &f), 0);
	ck_assert_int_eq(put("b.example", now + 1, "short"), 0);
	ck_assert_int_eq(put("c.example", now + 2, "longer"), 0);
	ck_assert_int_eq(exceptions_over(w.exceptions, now, &x, &f), 0);
	watch_tick(&w);
	now++;
	ck_assert_int_eq(exceptions_over(w.exceptions, now, &x, &f), 1);
	ck_assert_str_eq(x.name, "b.example");
	now++;
	watch_tick(&w);
	ck_assert_int_eq(exceptions_over(w.exceptions, now, &x, &f), 0);
	ck_assert_int_eq(exceptions_next(w.exceptions, "", 0, &x, &f), 0);
}
END_TEST

START_TEST(listed_and_bounded)
{
	struct fault f = { .class = FAULT_NONE };
	struct exception x = { .name = "" };
	char name[32];
	int n = 0;

	for (int i = EXCEPTIONS_MAX - 1; i >= 0; i--) {
		(void)snprintf(name, sizeof(name), "n%03d.example", i);
		ck_assert_int_eq(put(name, T0 + 1 + (unsigned)(i % 2) * HOUR,
		    "w"), 0);
	}
	ck_assert_int_eq(put("more.example", T0 + HOUR, "w"), -1);
	ck_assert_int_eq(put("n007.example", T0 + 2 * HOUR, "longer"), 0);
	now = T0 + 1;		/* the even ones are over, and still there */
	while (exceptions_next(w.exceptions, x.name, now, &x, &f) == 1) {
		(void)snprintf(name, sizeof(name), "n%03d.example", 2 * n + 1);
		ck_assert_str_eq(x.name, name);
		n++;
	}
	ck_assert_int_eq(n, EXCEPTIONS_MAX / 2);
	watch_tick(&w);
	ck_assert_int_eq(put("more.example", T0 + HOUR, "w"), 0);
}
END_TEST

/* ---- on a route ---- */

static char got[512];
static json_t *shown;

static void
on_route(void *arg, const struct route_result *r)
{
	(void)arg;
	(void)snprintf(got, sizeof(got), "%d", r->code);
	if (r->nhosts > 0)
		(void)snprintf(got, sizeof(got), "%s %s, %zu",
		    level_name(r->hosts[0].asked), why_name(r->hosts[0].why),
		    r->hosts[0].tlsa.n);
	shown = json_deep_copy(json_object_get(json_array_get(
	    json_object_get(r->trace, "hosts"), 0), "exception"));
}

static const struct {
	const char	*name, *tlsa, *except, *got;
	enum tls_wish	wish;
} ways[] = {
	{ "none was made", "secure TLSA _25._tcp.mx.d.example = 3 1 1 a",
	  "other.example", "dane dane, 39", TLS_WISH_NONE },
	{ "of the host", "secure TLSA _25._tcp.mx.d.example = 3 1 1 a",
	  "mx.d.example", "clear exception, 0", TLS_WISH_NONE },
	{ "of the domain", "secure TLSA _25._tcp.mx.d.example = 3 1 1 a",
	  "d.example", "clear exception, 0", TLS_WISH_NONE },
	{ "RFC 7672 sec 2.2: what could not be learnt",
	  "TLSA _25._tcp.mx.d.example SERVFAIL", "d.example",
	  "clear exception, 0", TLS_WISH_NONE },
	{ "RFC 7672 sec 2.2: nor proven", "TLSA _25._tcp.mx.d.example BOGUS",
	  "d.example", "clear exception, 0", TLS_WISH_NONE },
	{ "RFC 8689 sec 4.2.1: the sender asks it",
	  "secure TLSA _25._tcp.mx.d.example = 3 1 1 a", "d.example",
	  "dane dane, 39", TLS_WISH_REQUIRED },
	{ "nothing is asked anyway", "secure TLSA _25._tcp.mx.d.example NODATA",
	  "d.example", "clear none, 0", TLS_WISH_NONE },
};

static const struct conf conf = { .allow_loopback = true,
    .hostname = "me.example.net", .policy = { .dane = true },
    .relay = { .port = 25, .connections = 20,
    .sending = { .ehlo_name = "me.example.net" } } };

START_TEST(of_a_route)
{
	const char *const lines[] = { "secure MX d.example = 10 mx.d.example",
	    "secure A mx.d.example = 192.0.2.1", ways[_i].tlsa, NULL };
	const struct self self = { .conf = &conf };
	struct fake_dns dns = { .lines = lines };
	struct route_world world = { .conf = &conf, .self = &self,
	    .lookup = fake_lookup(&dns), .watch = &w, .seed = 1 };

	ck_assert_int_eq(put(ways[_i].except, T0 + HOUR, "why"), 0);
	(void)route_start(&world, SPAN_LIT("D.example"), ways[_i].wish,
	    on_route, NULL);
	fake_run(&dns);
	ck_assert_msg(strcmp(got, ways[_i].got) == 0, "%s: %s", ways[_i].name,
	    got);
	if (ways[_i].wish != TLS_WISH_NONE)
		return;
	(void)route_explain(&world, SPAN_LIT("d.example"), on_route, NULL);
	fake_run(&dns);
	ck_assert_msg(json_is_object(shown) == (_i > 0), "%s", ways[_i].name);
	if (_i > 0)
		ck_assert_str_eq(json_string_value(json_object_get(shown,
		    "until")), "2027-01-15T09:00:00Z");
	json_decref(shown);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/exceptions");
	TCase *tc = tcase_create("exceptions");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, until_its_date);
	tcase_add_test(tc, changed_and_ended);
	tcase_add_test(tc, listed_and_bounded);
	tcase_add_loop_test(tc, of_a_route, 0, NELEM(ways));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
