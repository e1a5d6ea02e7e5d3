/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* From lines to figures: what is tied to what, and the bounds. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "report/log_count.h"
#include "report/log_table.h"
#include "tests/unit/suite.h"

#define NOW	1767323045000u

struct counting {
	struct log_count	*count;
	struct log_join		*join;
	uint64_t		 time;
};

static void
begin(struct counting *c, enum report_direction d, enum report_by by)
{
	const struct report_query q = { .since = 0, .until = UINT64_MAX,
	    .direction = d, .by = by };
	struct log_sink sink;

	c->count = log_count_new(&q, LOG_SEEN);
	ck_assert_ptr_nonnull(c->count);
	sink = log_count_sink(c->count);
	c->join = log_join_new(&sink, 64);
	ck_assert_ptr_nonnull(c->join);
	c->time = NOW;
}

static void
line(struct counting *c, const char *origin, const char *program, unsigned pid,
    const char *text)
{
	const struct log_line l = { .time = c->time, .pid = pid,
	    .origin = span_str(origin), .program = span_str(program),
	    .text = span_str(text) };
	struct log_fact f;

	if (log_fact_parse(&l, &f))
		log_join_fact(c->join, &l, &f);
}

static void
finish(struct counting *c, struct report *r)
{
	ck_assert_int_eq(log_count_report(c->count, r), 0);
	log_count_free(&c->count);
	log_join_free(&c->join);
}

#define TLS_TO(host)	"Untrusted TLS connection established to " host	\
	"[192.0.2.1]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"
#define REUSED_TO(host)	"Untrusted TLS connection reused to " host		\
	"[192.0.2.1]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"
#define TO(id, box, host, more)	id ": to=<" box ">, relay=" host		\
	"[192.0.2.1]:25, " more "delay=1, dsn=2.0.0, status=sent (250 Ok)"

static void
smtp(struct counting *c, unsigned pid, const char *text)
{
	line(c, "mx", "postfix/smtp", pid, text);
}

/* clear, encrypted, verified, dane; sessions, messages */
static void
expect(const struct report *r, unsigned clear, unsigned encrypted,
    unsigned verified, unsigned dane, unsigned sessions, unsigned messages)
{
	const struct coverage *t = &r->total;

	ck_assert_uint_eq(t->levels[LEVEL_CLEAR], clear);
	ck_assert_uint_eq(t->levels[LEVEL_ENCRYPTED], encrypted);
	ck_assert_uint_eq(t->levels[LEVEL_VERIFIED], verified);
	ck_assert_uint_eq(t->levels[LEVEL_DANE], dane);
	ck_assert_uint_eq(t->recipients, clear + encrypted + verified + dane);
	ck_assert_uint_eq(t->sessions, sessions);
	ck_assert_uint_eq(t->messages, messages);
}

START_TEST(by_process)
{
	struct counting c;
	struct report r;

	begin(&c, REPORT_OUT, REPORT_LEVEL);
	/* Two processes at once, each has its own session. */
	smtp(&c, 1, TLS_TO("a"));
	smtp(&c, 2, TO("4A7E05B1", "x@b.example", "b", ""));
	smtp(&c, 1, TO("4A7E05B2", "x@a.example", "a", ""));
	smtp(&c, 1, TO("4A7E05B2", "y@a.example", "a", ""));
	/* The next message of that process had no TLS. */
	smtp(&c, 1, TO("4A7E05B3", "x@a.example", "a", ""));
	smtp(&c, 1, TO("4A7E05B3", "y@a.example", "a", ""));
	/* Nor had the second host of this one. */
	smtp(&c, 3, TLS_TO("a"));
	smtp(&c, 3, TO("4A7E05B4", "x@a.example", "other", ""));
	/* A process of the same number on another machine is another. */
	smtp(&c, 4, TLS_TO("a"));
	line(&c, "mx2", "postfix/smtp", 4, TO("4A7E05B5", "x@a.example", "a", ""));
	finish(&c, &r);
	expect(&r, 5, 2, 0, 0, 7, 5);
	ck_assert_uint_eq(r.nrows, 2);
	ck_assert_str_eq(r.rows[0].key, "clear");
	ck_assert_uint_eq(r.rows[0].coverage.sessions, 4);
	ck_assert_uint_eq(r.rows[1].coverage.sessions, 3);
	report_free(&r);
}
END_TEST

START_TEST(used_again)
{
	struct counting c;
	struct report r;

	begin(&c, REPORT_OUT, REPORT_DOMAIN);
	smtp(&c, 1, TLS_TO("a"));
	smtp(&c, 1, TO("4A7E05B1", "x@a.example", "a", ""));
	smtp(&c, 2, REUSED_TO("a"));
	smtp(&c, 2, TO("4A7E05B2", "x@a.example", "a", "conn_use=2, "));
	smtp(&c, 3, TO("4A7E05B3", "x@b.example", "b", ""));
	smtp(&c, 4, TO("4A7E05B4", "x@b.example", "b", "conn_use=2, "));
	/* Of a connection that began before the log. */
	smtp(&c, 5, TO("4A7E05B5", "x@c.example", "c", "conn_use=9, "));
	finish(&c, &r);
	expect(&r, 3, 2, 0, 0, 2, 5);
	ck_assert_uint_eq(r.nrows, 3);
	ck_assert_str_eq(r.rows[0].key, "a.example");
	ck_assert_uint_eq(r.rows[0].coverage.sessions, 1);
	ck_assert_uint_eq(r.rows[1].coverage.sessions, 1);
	report_free(&r);
}
END_TEST

START_TEST(levels)
{
	struct counting c;
	struct report r;

	begin(&c, REPORT_OUT, REPORT_LEVEL);
	smtp(&c, 1, "Verified TLS connection established to a[192.0.2.1]:25: "
	    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)");
	smtp(&c, 1, TO("4A7E05B1", "x@a.example", "a", ""));
	smtp(&c, 1, "a[192.0.2.1]:25: Matched DANE EE certificate at depth 0: "
	    "3 1 1 ab");
	smtp(&c, 1, "Verified TLS connection established to a[192.0.2.1]:25: "
	    "TLSv1.0 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)");
	smtp(&c, 1, TO("4A7E05B2", "x@a.example", "a", ""));
	/* tls=dane without TLS is no level. */
	smtp(&c, 2, TO("4A7E05B3", "x@a.example", "a", "tls=dane, "));
	smtp(&c, 3, "4A7E05B4: Cannot start TLS: handshake failure");
	smtp(&c, 3, TO("4A7E05B4", "x@a.example", "a", ""));
	ck_assert_uint_eq(log_join_counts(c.join).failed, 1);
	finish(&c, &r);
	expect(&r, 2, 0, 1, 1, 4, 4);
	ck_assert_uint_eq(r.total.weak, 1);
	report_free(&r);
}
END_TEST

static void
come(struct counting *c, const char *tls, const char *id)
{
	char text[256];

	line(c, "mx", "postfix/smtpd", 9, "connect from c[192.0.2.9]");
	if (tls != NULL)
		line(c, "mx", "postfix/smtpd", 9, tls);
	snprintf(text, sizeof text, "%s: client=c[192.0.2.9]", id);
	line(c, "mx", "postfix/smtpd", 9, text);
	snprintf(text, sizeof text, "%s: from=<a@b.example>, size=100, nrcpt=3 "
	    "(queue active)", id);
	line(c, "mx", "postfix/qmgr", 8, text);
	line(c, "mx", "postfix/qmgr", 8, text);	/* a second attempt */
}

START_TEST(in_and_out)
{
	struct counting c;
	struct report r;

	begin(&c, REPORT_BOTH, REPORT_LEVEL);
	come(&c, "Anonymous TLS connection established from c[192.0.2.9]: "
	    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
	    "4A7E05B1");
	line(&c, "mx", "postfix/smtpd", 9, "disconnect from c[192.0.2.9] ehlo=2 "
	    "starttls=1 commands=3");
	smtp(&c, 1, TLS_TO("a"));
	smtp(&c, 1, TO("4A7E05B1", "x@a.example", "a", ""));
	line(&c, "mx", "postfix/qmgr", 8, "4A7E05B1: removed");
	/* The same id again, another message, and no line about its TLS. */
	come(&c, NULL, "4A7E05B1");
	line(&c, "mx", "postfix/smtpd", 9, "disconnect from c[192.0.2.9] ehlo=2 "
	    "starttls=1 commands=3");
	/* Handed over on the machine: not in, but out. */
	line(&c, "mx", "postfix/qmgr", 8, "4A7E05B2: from=<a@b.example>, "
	    "size=50, nrcpt=1 (queue active)");
	smtp(&c, 1, TO("4A7E05B2", "x@a.example", "a", ""));
	line(&c, "mx", "postfix/virtual", 7, "4A7E05B2: to=<z@b.example>, "
	    "relay=virtual, delay=1, dsn=2.0.0, status=sent (delivered)");
	ck_assert_uint_eq(log_join_counts(c.join).untold, 1);
	ck_assert_uint_eq(log_join_counts(c.join).local, 1);
	finish(&c, &r);
	expect(&r, 4, 4, 0, 0, 4, 3);
	ck_assert_uint_eq(r.total.bytes, 100 + 100 + 100 + 50);
	report_free(&r);
}
END_TEST

START_TEST(exim)
{
	struct counting c;
	struct report r;

	begin(&c, REPORT_BOTH, REPORT_LEVEL);
	line(&c, "", "exim", 0, "[7] 1oABCD-0001Xy-2Z <= a@b.example H=c "
	    "[192.0.2.9] P=esmtps X=TLS1.3:A:256 S=10 for x@y z@y");
	line(&c, "", "exim", 0, "[7] 1oABCD-0001Xy-2A <= a@b.example H=c "
	    "[192.0.2.9] P=esmtps X=TLS1.3:A:256 S=10");
	line(&c, "", "exim", 0, "1oABCD-0001Xy-2Z => x@y R=r T=t H=m "
	    "[192.0.2.1] X=TLS1.3:A:256 CV=dane");
	line(&c, "", "exim", 0, "1oABCD-0001Xy-2Z -> z@y R=r T=t H=m "
	    "[192.0.2.1] X=TLS1.3:A:256 CV=dane");
	line(&c, "", "exim", 0, "1oABCD-0001Xy-2A => z@y R=r T=t H=m "
	    "[192.0.2.1]* X=TLS1.3:A:256 CV=yes");
	line(&c, "", "exim", 0, "1oABCD-0001Xy-2A => z@w R=r T=t H=n "
	    "[192.0.2.2]");
	finish(&c, &r);
	expect(&r, 1, 4, 0, 2, 3, 2);
	ck_assert_uint_eq(r.total.bytes, 50);
	report_free(&r);
}
END_TEST

START_TEST(period_and_direction)
{
	const struct report_query q = { .since = NOW, .until = NOW + 1000,
	    .direction = REPORT_OUT, .by = REPORT_DAY };
	struct tls_facts none;
	struct log_marks marks = { 0 };
	struct log_hop h = { .tls = &none, .level = LEVEL_CLEAR,
	    .recipients = 1, .session = 1, .message = 1, .marks = &marks };
	struct log_count *c = log_count_new(&q, LOG_SEEN);
	struct log_sink sink = log_count_sink(c);
	struct report r;
	int64_t at;
	int out;

	tls_facts_clear(&none);
	for (at = -1; at <= 1000; at += 1001 / 7)
		for (out = 0; out < 2; out++) {
			h.time = (uint64_t)((int64_t)NOW + at);
			h.out = out == 1;
			sink.session(sink.ctx, &h);
			sink.delivery(sink.ctx, &h);
		}
	h.time = NOW + 1000;
	h.out = true;
	sink.delivery(sink.ctx, &h);
	ck_assert_int_eq(log_count_report(c, &r), 0);
	ck_assert_uint_eq(r.total.recipients, 6);
	ck_assert_uint_eq(r.total.sessions, 6);
	ck_assert_uint_eq(r.total.messages, 1);
	ck_assert_uint_eq(r.nrows, 1);
	ck_assert_str_eq(r.rows[0].key, "2026-01-02");
	ck_assert_uint_eq(r.query.since, NOW);
	report_free(&r);
	log_count_free(&c);
}
END_TEST

/* More domains than anybody mails: rows have a bound, and sums still hold. */
START_TEST(many_rows)
{
	const struct report_query q = { .since = 0, .until = UINT64_MAX,
	    .direction = REPORT_BOTH, .by = REPORT_DOMAIN };
	struct tls_facts none;
	struct log_marks marks = { 0 };
	struct log_hop h = { .tls = &none, .level = LEVEL_ENCRYPTED,
	    .recipients = 1, .time = NOW, .marks = &marks };
	struct log_count *c = log_count_new(&q, LOG_SEEN);
	struct log_sink sink = log_count_sink(c);
	struct report r;
	uint64_t sum = 0;
	char domain[32];
	size_t i;

	tls_facts_clear(&none);
	for (i = 0; i < LOG_ROWS_MOST + 500; i++) {
		snprintf(domain, sizeof domain, "D%zu.example", i);
		h.domain = span_str(domain);
		h.message = h.session = i + 1;
		marks.n = 0;
		sink.delivery(sink.ctx, &h);
	}
	ck_assert_int_eq(log_count_report(c, &r), 0);
	ck_assert_uint_eq(r.nrows, LOG_ROWS_MOST + 1);
	ck_assert_str_eq(r.rows[0].key, LOG_OTHERS);
	ck_assert_uint_eq(r.rows[0].coverage.recipients, 500);
	ck_assert_str_eq(r.rows[1].key, "d0.example");
	for (i = 0; i < r.nrows; i++)
		sum += r.rows[i].coverage.recipients;
	ck_assert_uint_eq(sum, r.total.recipients);
	report_free(&r);
	log_count_free(&c);
}
END_TEST

struct entry {
	struct log_slot	slot;
	uint64_t	value;
};

static struct entry *
entry_of(struct log_table *t, uint64_t i)
{
	/* Few homes: chains that grow, and shrink. */
	return log_table_put(t, i << 32 | i % 5);
}

/* What is asked for stays; of the rest the oldest goes, and is counted. */
START_TEST(table_bound)
{
	struct log_table *t = log_table_new(64, sizeof(struct entry));
	uint64_t i;

	for (i = 1; i <= 1000; i++) {
		ck_assert_uint_eq(entry_of(t, i)->value, 0);
		entry_of(t, i)->value = i;
		ck_assert_uint_eq(entry_of(t, 1)->value, 1);
		if (i > 20)
			ck_assert_uint_eq(entry_of(t, i - 20)->value, i - 20);
	}
	ck_assert_uint_ge(log_table_lost(t), 1000 - 128);
	ck_assert_uint_le(log_table_lost(t), 1000);
	ck_assert_uint_eq(entry_of(t, 2)->value, 0);
	log_table_free(&t);
}
END_TEST

/* What is removed makes room: nothing else is lost. */
START_TEST(table_removed)
{
	struct log_table *t = log_table_new(64, sizeof(struct entry));
	uint64_t i;

	for (i = 1; i <= 1000; i++) {
		ck_assert_uint_eq(entry_of(t, i)->value, 0);
		entry_of(t, i)->value = i;
		if (i <= 50)
			continue;
		ck_assert_uint_eq(entry_of(t, i - 30)->value, i - 30);
		log_table_remove(t, (i - 50) << 32 | (i - 50) % 5);
	}
	ck_assert_uint_eq(log_table_lost(t), 0);
	ck_assert_uint_eq(entry_of(t, 950)->value, 0);
	ck_assert_uint_eq(entry_of(t, 951)->value, 951);
	log_table_free(&t);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("report_log_count");
	TCase *tc = tcase_create("count");

	tcase_add_test(tc, by_process);
	tcase_add_test(tc, used_again);
	tcase_add_test(tc, levels);
	tcase_add_test(tc, in_and_out);
	tcase_add_test(tc, exim);
	tcase_add_test(tc, period_and_direction);
	tcase_add_test(tc, many_rows);
	tcase_add_test(tc, table_bound);
	tcase_add_test(tc, table_removed);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
