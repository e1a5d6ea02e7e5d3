/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "report/log_journal.h"
#include "report/log_line.h"
#include "tests/unit/suite.h"

#define LATEST	"2026-03-01T12:00:00"

static void
zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static const struct {
	const char	*tz, *in;
	const char	*time;		/* NULL: none */
	const char	*program;
	unsigned	 pid;
	const char	*text;
} lines[] = {
	/* RFC 3164 sec 4.1.2: no year, local time, a day of one digit padded */
	{ "UTC", "Feb  9 06:46:46 mx postfix/smtp[12]: x",
	    "2026-02-09T06:46:46.000Z", "postfix/smtp", 12, "x" },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", "Feb 19 06:46:46 mx postfix/smtp[12]: x",
	    "2026-02-19T05:46:46.000Z", "postfix/smtp", 12, "x" },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", "Aug 19 06:46:46 mx postfix/smtp[12]: x",
	    "2025-08-19T04:46:46.000Z", "postfix/smtp", 12, "x" },
	/* the last such day that is not behind the log's end */
	{ "UTC", "Mar  2 06:00:00 mx a: x", "2026-03-02T06:00:00.000Z", "a", 0, "x" },
	{ "UTC", "Mar  3 06:00:00 mx a: x", "2025-03-03T06:00:00.000Z", "a", 0, "x" },
	{ "UTC", "Dec 31 23:59:59 mx a: x", "2025-12-31T23:59:59.000Z", "a", 0, "x" },
	{ "UTC", "Feb 29 00:00:00 mx a: x", "2024-02-29T00:00:00.000Z", "a", 0, "x" },
	{ "UTC", "<22>Feb 19 06:46:46 mx a[1]: x", "2026-02-19T06:46:46.000Z", "a", 1, "x" },
	{ "UTC", "Feb 30 06:46:46 mx a: x", NULL, NULL, 0, NULL },
	{ "UTC", "Feb 19 24:46:46 mx a: x", NULL, NULL, 0, NULL },
	{ "UTC", "Feb 19 06:60:46 mx a: x", NULL, NULL, 0, NULL },
	{ "UTC", "Foo 19 06:46:46 mx a: x", NULL, NULL, 0, NULL },
	{ "UTC", "Feb 19 06:46:46 mx", NULL, NULL, 0, NULL },
	{ "UTC", "Feb 19 06:46:46 mx last message repeated 2 times", NULL, NULL, 0, NULL },
	{ "UTC", "Feb 19 06:46:46 mx a[x]: x", NULL, NULL, 0, NULL },
	/* ISO 8601 */
	{ "CET-1", "2026-01-02T03:04:05.678901+01:00 mx a[1]: x",
	    "2026-01-02T02:04:05.678Z", "a", 1, "x" },
	{ "CET-1", "2026-01-02T03:04:05Z mx a[1]: x", "2026-01-02T03:04:05.000Z", "a", 1, "x" },
	{ "CET-1", "2026-01-02T03:04:05-0330 mx a: x", "2026-01-02T06:34:05.000Z", "a", 0, "x" },
	{ "CET-1", "2026-01-02T03:04:05 mx a: x", NULL, NULL, 0, NULL },
	{ "CET-1", "2026-13-02T03:04:05Z mx a: x", NULL, NULL, 0, NULL },
	/* Exim's own */
	{ "CET-1", "2026-01-02 03:04:05 1oABCD-0001Xy-2Z Completed",
	    "2026-01-02T02:04:05.000Z", "exim", 0, "1oABCD-0001Xy-2Z Completed" },
	{ "CET-1", "2026-01-02 03:04:05.250 +0000 [7] 1oABCD-0001Xy-2Z Completed",
	    "2026-01-02T03:04:05.250Z", "exim", 0, "[7] 1oABCD-0001Xy-2Z Completed" },
	{ "UTC", "", NULL, NULL, 0, NULL },
	{ "UTC", "hello", NULL, NULL, 0, NULL },
	{ "UTC", "2026-01-02 03:04", NULL, NULL, 0, NULL },
};

START_TEST(line_rows)
{
	struct log_clock c = { .latest = clock_parse(LATEST, 0) };
	char time[CLOCK_RFC3339_SIZE];
	struct log_line l;
	int again;

	zone(lines[_i].tz);
	/* The second time the hour is remembered. */
	for (again = 0; again < 2; again++) {
		ck_assert_msg(log_line_parse(&c, span_str(lines[_i].in), &l) ==
		    (lines[_i].time != NULL), "%s", lines[_i].in);
		if (lines[_i].time == NULL)
			continue;
		clock_rfc3339(l.time, 1, time);
		ck_assert_str_eq(time, lines[_i].time);
		ck_assert(span_eq(l.program, span_str(lines[_i].program)));
		ck_assert_uint_eq(l.pid, lines[_i].pid);
		ck_assert(span_eq(l.text, span_str(lines[_i].text)));
	}
}
END_TEST

/* An hour of another form, or of another zone, is another. */
START_TEST(hours_apart)
{
	struct log_clock c = { .latest = clock_parse(LATEST, 0) };
	struct log_line l;

	zone("CET-1");
	ck_assert(log_line_parse(&c, SPAN_LIT("2026-01-02T03:04:05Z m a: x"), &l));
	ck_assert_uint_eq(l.time, clock_parse("2026-01-02T03:04:05", 0));
	ck_assert(log_line_parse(&c, SPAN_LIT("2026-01-02 03:04:05 x"), &l));
	ck_assert_uint_eq(l.time, clock_parse("2026-01-02T02:04:05", 0));
	ck_assert(log_line_parse(&c, SPAN_LIT("Jan  2 03:04:05 m a: x"), &l));
	ck_assert_uint_eq(l.time, clock_parse("2026-01-02T02:04:05", 0));
	ck_assert(log_line_parse(&c, SPAN_LIT("Jan  2 04:04:05 m a: x"), &l));
	ck_assert_uint_eq(l.time, clock_parse("2026-01-02T03:04:05", 0));
}
END_TEST

START_TEST(journal_entry)
{
	static struct log_journal j;
	struct log_line l;

	log_journal_clear(&j);
	ck_assert(!log_journal_line(&j, &l));
	log_journal_field(&j, SPAN_LIT("__REALTIME_TIMESTAMP=1767323045678901"));
	log_journal_field(&j, SPAN_LIT("SYSLOG_IDENTIFIER=postfix/smtp"));
	log_journal_field(&j, SPAN_LIT("_HOSTNAME=mx"));
	log_journal_field(&j, SPAN_LIT("_PID=1"));
	log_journal_field(&j, SPAN_LIT("UNKNOWN=else"));
	log_journal_begin(&j, SPAN_LIT("MESSAGE"));
	log_journal_add(&j, SPAN_LIT("two "));
	log_journal_add(&j, SPAN_LIT("pieces=1"));
	ck_assert(log_journal_line(&j, &l));
	ck_assert_uint_eq(l.time, 1767323045678);
	ck_assert_uint_eq(l.pid, 1);
	ck_assert(span_eq(l.text, SPAN_LIT("two pieces=1")));
	ck_assert(span_eq(l.origin, SPAN_LIT("mx")));
	log_journal_field(&j, SPAN_LIT("SYSLOG_PID=77"));
	ck_assert(log_journal_line(&j, &l));
	ck_assert_uint_eq(l.pid, 77);
	/* Of the same name the last counts, and its bound holds. */
	log_journal_begin(&j, SPAN_LIT("MESSAGE"));
	for (int i = 0; i < LOG_JOURNAL_TEXT; i++)
		log_journal_add(&j, SPAN_LIT("ab"));
	ck_assert(log_journal_line(&j, &l));
	ck_assert_uint_eq(l.text.n, LOG_JOURNAL_TEXT);
	log_journal_clear(&j);
	ck_assert(!log_journal_line(&j, &l));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("report_log_line");
	TCase *tc = tcase_create("line");

	tcase_add_loop_test(tc, line_rows, 0, NELEM(lines));
	tcase_add_test(tc, hours_apart);
	tcase_add_test(tc, journal_entry);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
