/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Do signatures come through?  The rule by table, and the prober with a table
 * for the DNS, a clock of its own and a real file. */
#include "tests/unit/suite.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "policy/db.h"
#include "policy/prober.h"
#include "tests/unit/policy/fake_dns.h"

#define T0	1800000000u

/* ---- the rule ---- */

enum { UN = HONESTY_UNKNOWN, HO = HONESTY_HONEST, DI = HONESTY_DISHONEST };

static const struct row {
	const char	*name;
	int		 state;
	bool		 was;		/* honest before */
	const char	*heard;		/* of each probe: s b i e */
	bool		 answered;
	int		 want;
	enum honesty_effect held, accepted;
} rows[] = {
	{ "first start, all secure", UN, false, "sss", true, HO, EFFECT_NONE, EFFECT_NONE },
	{ "first start, all bogus", UN, false, "bbb", true, DI, EFFECT_UNCHECKED, EFFECT_UNCHECKED },
	{ "one bogus is enough", UN, false, "ssb", true, DI, EFFECT_UNCHECKED, EFFECT_UNCHECKED },
	{ "no answer proves nothing", UN, false, "eee", false, UN, EFFECT_NONE, EFFECT_NONE },
	{ "nor do some", UN, false, "sse", true, UN, EFFECT_NONE, EFFECT_NONE },
	{ "anchor below the root", UN, false, "iii", true, UN, EFFECT_NONE, EFFECT_NONE },
	{ "keys not to be had", UN, false, "bbe", false, UN, EFFECT_NONE, EFFECT_NONE },
	{ "no probe at all", UN, false, "", true, UN, EFFECT_NONE, EFFECT_NONE },
	{ "honest stays", HO, true, "sss", true, HO, EFFECT_NONE, EFFECT_NONE },
	{ "honest, then bogus", HO, true, "sbb", true, DI, EFFECT_HELD, EFFECT_UNCHECKED },
	{ "honest, then nothing", HO, true, "eee", false, HO, EFFECT_NONE, EFFECT_NONE },
	{ "honest, then servers down", HO, true, "sbb", false, HO, EFFECT_NONE, EFFECT_NONE },
	{ "honest, then unsigned", HO, true, "iii", true, HO, EFFECT_NONE, EFFECT_NONE },
	{ "held, nothing heard", DI, true, "eee", false, DI, EFFECT_HELD, EFFECT_UNCHECKED },
	{ "held, some from a cache", DI, true, "sse", false, DI, EFFECT_HELD, EFFECT_UNCHECKED },
	{ "held, then honest", DI, true, "sss", true, HO, EFFECT_NONE, EFFECT_NONE },
	{ "never, goes on", DI, false, "bbb", true, DI, EFFECT_UNCHECKED, EFFECT_UNCHECKED },
	{ "never, nothing heard", DI, false, "eee", false, DI, EFFECT_UNCHECKED, EFFECT_UNCHECKED },
	{ "never, honest at last", DI, false, "sss", true, HO, EFFECT_NONE, EFFECT_NONE },
};

START_TEST(rule)
{
	const struct row *w = &rows[_i];
	struct honesty h = { .state = (enum honesty_state)w->state,
	    .since = 5, .first = w->was ? 3 : 0 };
	struct honesty_round r = { .answered = w->answered };
	bool changed;

	for (const char *c = w->heard; *c != '\0'; c++)
		honesty_heard(&r, *c == 's' ? DNS_SECURE : *c == 'b' ?
		    DNS_BOGUS : *c == 'i' ? DNS_INSECURE : DNS_ERROR);
	changed = honesty_judge(&h, &r, 9);
	ck_assert_msg((int)h.state == w->want, "%s: %s", w->name,
	    honesty_name(h.state));
	ck_assert_msg(changed == (w->want != w->state), "%s", w->name);
	ck_assert_uint_eq(h.since, changed ? 9 : 5);
	ck_assert_uint_eq(h.first, w->was ? 3 : w->want == HO ? 9 : 0);
	ck_assert_msg(honesty_effect(&h, false) == w->held, "%s", w->name);
	ck_assert_msg(honesty_effect(&h, true) == w->accepted, "%s", w->name);
}
END_TEST

/* ---- the prober ---- */

static struct {
	char		 dir[64];
	struct loop	*loop;
	struct db	*db;
	struct findings	*findings;
	struct prober	*prober;
	struct fake_dns	 checked, unchecked;
	const char	*lines[8], *plain[4];
	struct conf	 conf;
	unsigned	 found, answers;
	struct finding_row row;
	struct dns_answer last;
} x;

static uint64_t
wall(void *ctx)
{
	(void)ctx;
	return T0;
}

static void
found(void *ctx, const struct finding_row *r)
{
	(void)ctx;
	x.found++;
	x.row = *r;
}

static void
open_prober(void)
{
	struct prober_setup s = { .loop = x.loop, .db = x.db,
	    .checked = fake_lookup(&x.checked),
	    .unchecked = fake_lookup(&x.unchecked),
	    .each = { fake_lookup(&x.checked), fake_lookup(&x.checked) },
	    .neach = 2, .findings = x.findings, .wall_s = wall,
	    .found = found, .seed = 7 };
	struct fault f = { 0 };

	x.prober = prober_new(&s, &x.conf, &f);
	ck_assert_msg(x.prober != NULL, "%s", f.text);
}

static void
setup(void)
{
	struct fault f = { 0 };

	memset(&x, 0, sizeof(x));
	x.conf.dns.probe_interval = 1000000;
	x.checked.lines = x.lines;
	x.unchecked.lines = x.plain;
	snprintf(x.dir, sizeof(x.dir), "/tmp/sealane-honesty-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(x.dir));
	x.loop = loop_new();
	x.db = policy_db_open(x.dir, &f);
	ck_assert_msg(x.db != NULL, "%s", f.text);
	x.findings = findings_new(x.db, &f);
	ck_assert_ptr_nonnull(x.findings);
	open_prober();
}

static void
teardown(void)
{
	static const char *const names[] = { "", "-wal", "-shm" };
	char path[128];

	prober_free(&x.prober);
	findings_free(&x.findings);
	db_close(&x.db);
	loop_free(&x.loop);
	for (size_t i = 0; i < NELEM(names); i++) {
		snprintf(path, sizeof(path), "%s/policy.db%s", x.dir, names[i]);
		ck_assert_int_eq(unlink(path), 0);
	}
	ck_assert_int_eq(rmdir(x.dir), 0);
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop(x.loop);
}

/* The timer that begins a round has fired. */
static void
turn(void)
{
	struct loop_timer *t = loop_timer_new(x.loop, stop, NULL);

	ck_assert_ptr_nonnull(t);
	loop_timer_set(t, 5);
	loop_run(x.loop);
	loop_timer_close(&t);
}

/* And what it asked is answered. */
static void
one_round(void)
{
	turn();
	fake_run(&x.checked);
	fake_run(&x.unchecked);
}

static void
again(void)
{
	prober_adopt(x.prober, &x.conf);
	one_round();
}

static void
honest(void)
{
	x.lines[0] = "secure SOA . = a root";
	x.lines[1] = "secure DNSKEY . = keys";
	x.lines[2] = "MX bogus.example BOGUS";
	x.lines[3] = "MX null.example = 0 .";
	x.lines[4] = "secure A * NXDOMAIN";
	x.plain[0] = "MX null.example = 0 .";
	x.plain[1] = "A * NXDOMAIN";
}

static void
stripped(void)
{
	honest();
	x.lines[1] = "DNSKEY . BOGUS";
	x.lines[4] = "A * BOGUS";
}

static const char *
told(const char *key)
{
	static char out[64];
	json_t *j = prober_json(x.prober);
	const char *s = json_string_value(json_object_get(j, key));

	snprintf(out, sizeof(out), "%s", s == NULL ? "-" : s);
	json_decref(j);
	return out;
}

static void
on_answer(void *arg, const struct dns_answer *a)
{
	(void)arg;
	x.answers++;
	x.last = *a;
}

static const struct dns_answer *
lookup(const char *name, uint16_t type)
{
	struct dns_lookup l = prober_lookup(x.prober);

	x.answers = 0;
	ck_assert_ptr_nonnull(l.ops->ask(l.ctx, name, type, on_answer, NULL));
	fake_run(&x.checked);
	fake_run(&x.unchecked);
	ck_assert_uint_eq(x.answers, 1);
	return &x.last;
}

START_TEST(unknown)
{
	ck_assert_str_eq(told("state"), "unknown");
	one_round();		/* nothing but insecure denials */
	ck_assert_str_eq(told("state"), "unknown");
	ck_assert_str_eq(told("effect"), "none");
	ck_assert_int_eq(lookup("none.example", DNS_TYPE_MX)->status,
	    DNS_INSECURE);
	ck_assert_uint_eq(x.found, 0);
}
END_TEST

START_TEST(never)
{
	stripped();
	one_round();
	ck_assert_str_eq(told("effect"), "dane-off");
	ck_assert_uint_eq(x.found, 1);
	ck_assert_int_eq(x.row.kind, FINDING_RESOLVER);
	ck_assert_int_eq(x.row.action, ACTION_OBSERVED);
	/* Asked without DNSSEC, nothing is bogus. */
	ck_assert_int_eq(lookup("bogus.example", DNS_TYPE_MX)->status,
	    DNS_INSECURE);
	ck_assert_uint_eq(lookup("null.example", DNS_TYPE_MX)->rcode, 0);
	again();
	ck_assert_uint_eq(x.found, 1);		/* goes on: told once */
	honest();
	again();
	ck_assert_str_eq(told("state"), "honest");
	ck_assert_int_eq(lookup("bogus.example", DNS_TYPE_MX)->status,
	    DNS_BOGUS);
}
END_TEST

START_TEST(lost)
{
	honest();
	one_round();
	ck_assert_str_eq(told("state"), "honest");
	stripped();
	again();
	ck_assert_str_eq(told("effect"), "held");
	ck_assert_int_eq(x.row.action, ACTION_HELD);
	/* No denial and no null MX is believed. */
	ck_assert_int_eq(lookup("none.example", DNS_TYPE_MX)->status, DNS_ERROR);
	ck_assert_int_eq(lookup("null.example", DNS_TYPE_MX)->status, DNS_ERROR);
	/* Over a restart, and before any probe has an answer. */
	prober_free(&x.prober);
	open_prober();
	ck_assert_str_eq(told("effect"), "held");
	ck_assert_int_eq(lookup("none.example", DNS_TYPE_MX)->status, DNS_ERROR);
	/* Until our operator says so. */
	x.conf.dns.on_dishonest = DISHONEST_ACCEPT;
	again();
	ck_assert_str_eq(told("effect"), "dane-off");
	ck_assert_int_eq(lookup("none.example", DNS_TYPE_MX)->status,
	    DNS_INSECURE);
	ck_assert_int_eq(x.row.action, ACTION_OBSERVED);
}
END_TEST

/* A question that is under way when the verdict comes is held as well. */
START_TEST(under_way)
{
	struct dns_lookup l = prober_lookup(x.prober);
	struct dns_query *q;

	honest();
	one_round();
	stripped();
	ck_assert_ptr_nonnull(l.ops->ask(l.ctx, "null.example", DNS_TYPE_MX,
	    on_answer, NULL));
	prober_adopt(x.prober, &x.conf);
	turn();
	fake_run(&x.unchecked);
	x.checked.backwards = true;	/* the probes first */
	fake_run(&x.checked);
	ck_assert_str_eq(told("state"), "dishonest");
	ck_assert_int_eq(x.last.status, DNS_ERROR);
	ck_assert_uint_eq(x.answers, 1);
	q = l.ops->ask(l.ctx, "none.example", DNS_TYPE_MX, on_answer, NULL);
	ck_assert_ptr_nonnull(q);
	l.ops->cancel(l.ctx, q);
	x.checked.full = true;
	ck_assert_ptr_null(l.ops->ask(l.ctx, "none.example", DNS_TYPE_MX,
	    on_answer, NULL));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/honesty");
	TCase *tc = tcase_create("rule"), *with = tcase_create("prober");

	log_open("test", LOG_LOGFMT);
	log_set_level(LOG_ERROR);
	tcase_add_loop_test(tc, rule, 0, NELEM(rows));
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(with, setup, teardown);
	tcase_add_test(with, unknown);
	tcase_add_test(with, never);
	tcase_add_test(with, lost);
	tcase_add_test(with, under_way);
	suite_add_tcase(s, with);
	return suite_run(s);
}
