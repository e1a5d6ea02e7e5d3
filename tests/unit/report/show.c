/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* What people and programs are shown, byte by byte. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "tests/unit/suite.h"

#define SINCE		1767225600000ULL	/* 2026-01-01 */
#define WEEK		(7 * 86400000ULL)

#define COVERAGE(m, r, b, s, clear, enc, ver, sts, dane)		\
	WEAK(m, r, b, s, clear, enc, ver, sts, dane, 0)
#define WEAK(m, r, b, s, clear, enc, ver, sts, dane, weak)		\
	{ (m), (r), (b), (s), { 0, (clear), (enc), (ver), (sts), (dane) }, (weak) }

static char empty[] = "", example[] = "mixed.example", wild[] = "a\nb\xff.example";
static char clear[] = "clear", none[] = "none";

static struct report_row some_rows[] = {
	{ example, COVERAGE(3, 1200, 5000000, 4, 31, 1100, 9, 20, 40) },
	{ empty, COVERAGE(1, 1, 700, 1, 0, 1, 0, 0, 0) },
	{ wild, COVERAGE(1, 1, 12, 1, 1, 0, 0, 0, 0) },
};
static struct report_row level_rows[] = {
	{ none, COVERAGE(1, 2, 100, 0, 0, 0, 0, 0, 0) },
	{ clear, COVERAGE(1, 1, 50, 1, 1, 0, 0, 0, 0) },
};

static const struct row {
	const char	*name;
	struct report	 report;
	const char	*table, *json;
} rows[] = {
	{ "empty",
	  { { SINCE, SINCE + WEEK, REPORT_BOTH, REPORT_DOMAIN },
	    COVERAGE(0, 0, 0, 0, 0, 0, 0, 0, 0), NULL, 0, 0, 0 },
	  "Mail in and out, each hop counted, from 2026-01-01T00:00:00Z to 2026-01-08T00:00:00Z:\n"
	  "There was no mail in this period.\n",
	  "{\"since\":\"2026-01-01T00:00:00Z\",\"until\":\"2026-01-08T00:00:00Z\",\"direction\":\"both\","
	  "\"total\":{\"messages\":0,\"recipients\":0,\"bytes\":0,\"sessions\":0,"
	  "\"levels\":{\"clear\":0,\"encrypted\":0,\"verified\":0,\"sts\":0,\"dane\":0},\"weak\":0},\"rows\":[],\"retried\":0}" },
	{ "sessions without mail, and a gap",
	  { { SINCE, SINCE + WEEK, REPORT_IN, REPORT_DAY },
	    COVERAGE(0, 0, 0, 1, 0, 0, 0, 0, 0), NULL, 0, 17, 0 },
	  "Mail that came in, from 2026-01-01T00:00:00Z to 2026-01-08T00:00:00Z:\n"
	  "There was no mail in this period, only 1 session without any.\n"
	  "\n"
	  "Careful: 17 facts about sessions or deliveries of this period were lost;\n"
	  "the figures are too low by as much.\n",
	  "{\"since\":\"2026-01-01T00:00:00Z\",\"until\":\"2026-01-08T00:00:00Z\",\"direction\":\"in\","
	  "\"total\":{\"messages\":0,\"recipients\":0,\"bytes\":0,\"sessions\":1,"
	  "\"levels\":{\"clear\":0,\"encrypted\":0,\"verified\":0,\"sts\":0,\"dane\":0},\"weak\":0},\"rows\":[],\"retried\":0}" },
	{ "by domain",
	  { { SINCE, SINCE + WEEK, REPORT_OUT, REPORT_DOMAIN },
	    COVERAGE(5, 1202, 5000712, 6, 32, 1101, 9, 20, 40),
	    some_rows, NELEM(some_rows), 0, 0 },
	  "Mail that went out, from 2026-01-01T00:00:00Z to 2026-01-08T00:00:00Z:\n"
	  "97.3% travelled encrypted: 1170 of 1202 recipients. 32 went in clear text.\n"
	  "\n"
	  "domain            TLS  recipients  clear  encrypted  verified  sts  dane  messages  sessions  size\n"
	  "mixed.example   97.4%        1200     31       1100         9   20    40         3         4  4.8M\n"
	  "<>             100.0%           1      0          1         0    0     0         1         1   700\n"
	  "a?b?.example     0.0%           1      1          0         0    0     0         1         1    12\n"
	  "all             97.3%        1202     32       1101         9   20    40         5         6  4.8M\n",
	  "{\"since\":\"2026-01-01T00:00:00Z\",\"until\":\"2026-01-08T00:00:00Z\",\"direction\":\"out\","
	  "\"total\":{\"messages\":5,\"recipients\":1202,\"bytes\":5000712,\"sessions\":6,"
	  "\"levels\":{\"clear\":32,\"encrypted\":1101,\"verified\":9,\"sts\":20,\"dane\":40},\"weak\":0},\"rows\":["
	  "{\"key\":\"mixed.example\",\"messages\":3,\"recipients\":1200,\"bytes\":5000000,\"sessions\":4,"
	  "\"levels\":{\"clear\":31,\"encrypted\":1100,\"verified\":9,\"sts\":20,\"dane\":40},\"weak\":0},"
	  "{\"key\":\"\",\"messages\":1,\"recipients\":1,\"bytes\":700,\"sessions\":1,"
	  "\"levels\":{\"clear\":0,\"encrypted\":1,\"verified\":0,\"sts\":0,\"dane\":0},\"weak\":0},"
	  "{\"key\":\"a?b?.example\",\"messages\":1,\"recipients\":1,\"bytes\":12,\"sessions\":1,"
	  "\"levels\":{\"clear\":1,\"encrypted\":0,\"verified\":0,\"sts\":0,\"dane\":0},\"weak\":0}],\"retried\":0}" },
	{ "by level, some discarded, one lost",
	  { { SINCE, SINCE + WEEK, REPORT_OUT, REPORT_LEVEL },
	    COVERAGE(2, 3, 150, 1, 1, 0, 0, 0, 0),
	    level_rows, NELEM(level_rows), 1, 2 },
	  "Mail that went out, from 2026-01-01T00:00:00Z to 2026-01-08T00:00:00Z:\n"
	  "0.0% travelled encrypted: 0 of 1 recipient. 1 went in clear text.\n"
	  "2 recipients got nothing by wire: their mail was discarded, as configured.\n"
	  "\n"
	  "level   TLS  recipients  clear  encrypted  verified  sts  dane  messages  sessions  size\n"
	  "none      -           2      0          0         0    0     0         1         0   100\n"
	  "clear  0.0%           1      1          0         0    0     0         1         1    50\n"
	  "all    0.0%           3      1          0         0    0     0         2         1   150\n"
	  "\n"
	  "STARTTLS failed in 2 sessions and was tried again at once.\n"
	  "\n"
	  "Careful: 1 fact about sessions or deliveries of this period was lost;\n"
	  "the figures are too low by as much.\n",
	  "{\"since\":\"2026-01-01T00:00:00Z\",\"until\":\"2026-01-08T00:00:00Z\",\"direction\":\"out\","
	  "\"total\":{\"messages\":2,\"recipients\":3,\"bytes\":150,\"sessions\":1,"
	  "\"levels\":{\"clear\":1,\"encrypted\":0,\"verified\":0,\"sts\":0,\"dane\":0},\"weak\":0},\"rows\":["
	  "{\"key\":\"none\",\"messages\":1,\"recipients\":2,\"bytes\":100,\"sessions\":0,"
	  "\"levels\":{\"clear\":0,\"encrypted\":0,\"verified\":0,\"sts\":0,\"dane\":0},\"weak\":0},"
	  "{\"key\":\"clear\",\"messages\":1,\"recipients\":1,\"bytes\":50,\"sessions\":1,"
	  "\"levels\":{\"clear\":1,\"encrypted\":0,\"verified\":0,\"sts\":0,\"dane\":0},\"weak\":0}],\"retried\":2}" },
	{ "all encrypted",
	  { { SINCE, SINCE + WEEK, REPORT_IN, REPORT_DOMAIN },
	    WEAK(1, 2, 10, 1, 0, 2, 0, 0, 0, 1), NULL, 0, 0, 0 },
	  "Mail that came in, from 2026-01-01T00:00:00Z to 2026-01-08T00:00:00Z:\n"
	  "All of it travelled encrypted: 2 recipients of 1 message.\n"
	  "1 recipient had weak TLS: an old version, a small group or no forward secrecy.\n"
	  "\n"
	  "domain     TLS  recipients  clear  encrypted  verified  sts  dane  messages  sessions  size\n"
	  "all     100.0%           2      0          2         0    0     0         1         1    10\n",
	  "{\"since\":\"2026-01-01T00:00:00Z\",\"until\":\"2026-01-08T00:00:00Z\",\"direction\":\"in\","
	  "\"total\":{\"messages\":1,\"recipients\":2,\"bytes\":10,\"sessions\":1,"
	  "\"levels\":{\"clear\":0,\"encrypted\":2,\"verified\":0,\"sts\":0,\"dane\":0},\"weak\":1},\"rows\":[],\"retried\":0}" },
};

START_TEST(table_rows)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	ck_assert_int_eq(report_table(&rows[_i].report, &b), 0);
	ck_assert_str_eq(buf_cstr(&b), rows[_i].table);
	buf_free(&b);
	/* A buffer that is too small is told, not cut off. */
	buf_init(&b, strlen(rows[_i].table) - 1);
	ck_assert_int_eq(report_table(&rows[_i].report, &b), -1);
	buf_free(&b);
}
END_TEST

START_TEST(json_rows)
{
	json_t *j = report_json(&rows[_i].report);
	char *text;

	ck_assert_ptr_nonnull(j);
	text = json_dumps(j, JSON_COMPACT);
	ck_assert_str_eq(text, rows[_i].json);
	free(text);
	json_decref(j);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("report_show");
	TCase *tc = tcase_create("show");

	tcase_add_loop_test(tc, table_rows, 0, (int)NELEM(rows));
	tcase_add_loop_test(tc, json_rows, 0, (int)NELEM(rows));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
