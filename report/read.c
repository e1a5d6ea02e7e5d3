/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/read.c - the questions to the ledger.  SQLite counts; what comes out
 * is one row per group. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/db.h"
#include "report/schema.h"
#include "report/report.h"

#define DAY_MS		"86400000"
#define DAY_MS_N	86400000ULL

/* ?1 since, ?2 until, ?3 and ?4 the least and greatest `out` */
#define IN_PERIOD	"time >= ?1 AND time < ?2 AND out BETWEEN ?3 AND ?4"
/* Sessions that were set up, and those that STARTTLS was the end of. */
#define UP		IN_PERIOD " AND reached > 0"
#define RETRIED		IN_PERIOD " AND reached = 0"
/* LEDGER_ACCEPTED and LEDGER_SENT; the ledger lets neither in with the other
 * direction. */
#define DELIVERED	IN_PERIOD " AND status IN (1, 2)"
/* recipients, bytes, recipients at each level from 1 on, and with weak TLS */
#define SUMS								\
	"sum(recipients), sum(bytes), sum(recipients * (reached = 1)), "	\
	"sum(recipients * (reached = 2)), sum(recipients * (reached = 3)), "	\
	"sum(recipients * (reached = 4)), sum(recipients * (reached = 5)), "	\
	"sum(recipients * (weak <> ''))"

_Static_assert(LEDGER_ACCEPTED == 1 && LEDGER_SENT == 2, "used in DELIVERED");
_Static_assert(LEVEL_CLEAR == 1 && LEVEL_COUNT == 6, "used in SUMS");

static const char total_sql[] =
	"SELECT '', count(DISTINCT message), (SELECT count(*) FROM session "
	"WHERE " UP "), " SUMS " FROM delivery WHERE " DELIVERED;

/* A session serves many domains, so what a domain's row counts are the
 * sessions that carried mail for it. */
static const char domain_sql[] =
	"SELECT domain, count(DISTINCT message), "
	"count(DISTINCT nullif(session, '')), " SUMS " FROM delivery "
	"WHERE " DELIVERED " GROUP BY domain "
	"ORDER BY sum(recipients) DESC, domain";

/* Each session has one level and one day: all are counted, also those that
 * carried nothing. */
#define BY_NUMBER(expr)							\
	"SELECT k, sum(m), sum(s), sum(r), sum(b), sum(l1), sum(l2), "	\
	"sum(l3), sum(l4), sum(l5), sum(w) FROM (SELECT " expr " AS k, "	\
	"count(DISTINCT message) AS m, 0 AS s, sum(recipients) AS r, "	\
	"sum(bytes) AS b, sum(recipients * (reached = 1)) AS l1, "	\
	"sum(recipients * (reached = 2)) AS l2, "			\
	"sum(recipients * (reached = 3)) AS l3, "			\
	"sum(recipients * (reached = 4)) AS l4, "			\
	"sum(recipients * (reached = 5)) AS l5, "			\
	"sum(recipients * (weak <> '')) AS w "				\
	"FROM delivery WHERE " DELIVERED " GROUP BY k UNION ALL "	\
	"SELECT " expr " AS k, 0, count(*), 0, 0, 0, 0, 0, 0, 0, 0 "	\
	"FROM session WHERE " UP " GROUP BY k) "				\
	"GROUP BY k ORDER BY k"

static const char *const rows_sql[] = {
	[REPORT_DOMAIN] = domain_sql,
	[REPORT_LEVEL] = BY_NUMBER("reached"),
	[REPORT_DAY] = BY_NUMBER("time / " DAY_MS),
};

static struct db_stmt *
ask(struct db *db, const char *sql, const struct report_query *q,
    struct fault *f)
{
	struct db_stmt *s = db_prepare(db, sql, f);

	if (s == NULL)
		return NULL;
	db_bind_int(s, 1, q->since > INT64_MAX ? INT64_MAX : (int64_t)q->since);
	db_bind_int(s, 2, q->until > INT64_MAX ? INT64_MAX : (int64_t)q->until);
	db_bind_int(s, 3, q->direction == REPORT_OUT ? 1 : 0);
	db_bind_int(s, 4, q->direction == REPORT_IN ? 0 : 1);
	return s;
}

static uint64_t
count_of(struct db_stmt *s, int column)
{
	int64_t n = db_int(s, column);

	return n < 0 ? 0 : (uint64_t)n;
}

static void
take_coverage(struct db_stmt *s, struct coverage *c)
{
	int level;

	*c = (struct coverage){ .messages = count_of(s, 1),
	    .sessions = count_of(s, 2), .recipients = count_of(s, 3),
	    .bytes = count_of(s, 4) };
	for (level = LEVEL_CLEAR; level < LEVEL_COUNT; level++)
		c->levels[level] = count_of(s, 4 + level);
	c->weak = count_of(s, 4 + LEVEL_COUNT);
}

static char *
take_key(struct db_stmt *s, enum report_by by)
{
	char day[CLOCK_RFC3339_SIZE];
	int64_t n = db_int(s, 0);
	struct span text = db_text(s, 0);

	switch (by) {
	case REPORT_LEVEL:
		return strdup(level_name(n > 0 && n < LEVEL_COUNT ?
		    (enum level)n : LEVEL_NONE));
	case REPORT_DAY:
		clock_rfc3339((n < 0 ? 0 : (uint64_t)n) * DAY_MS_N, 0, day);
		return strndup(day, strlen("2026-01-02"));
	default:
		return strndup(text.p, text.n);
	}
}

static int
read_rows(struct db *db, struct report *r, struct fault *f)
{
	struct db_stmt *s = ask(db, rows_sql[r->query.by], &r->query, f);
	struct report_row *grown;
	size_t room = 0;
	int rc;

	if (s == NULL)
		return -1;
	while ((rc = db_step(s, f)) == 1) {
		if (r->nrows == room) {
			room = room == 0 ? 64 : room * 2;
			grown = reallocarray(r->rows, room, sizeof *grown);
			if (grown == NULL)
				return fault_sys(f, "rows of the report");
			r->rows = grown;
		}
		r->rows[r->nrows].key = take_key(s, r->query.by);
		if (r->rows[r->nrows].key == NULL)
			return fault_sys(f, "rows of the report");
		take_coverage(s, &r->rows[r->nrows].coverage);
		r->nrows++;
	}
	return rc;
}

static int
read_total(struct db *db, struct report *r, struct fault *f)
{
	struct db_stmt *s = ask(db, total_sql, &r->query, f);
	int rc = s == NULL ? -1 : db_step(s, f);

	if (rc == 1)
		take_coverage(s, &r->total);
	return rc == 1 ? 0 : -1;
}

static int
read_retried(struct db *db, struct report *r, struct fault *f)
{
	struct db_stmt *s = ask(db, "SELECT count(*) FROM session WHERE "
	    RETRIED, &r->query, f);
	int rc = s == NULL ? -1 : db_step(s, f);

	if (rc == 1)
		r->retried = count_of(s, 0);
	return rc == 1 ? 0 : -1;
}

/* Of both directions: who lost them did not know of which they were. */
static int
read_lost(struct db *db, struct report *r, struct fault *f)
{
	struct db_stmt *s = ask(db, "SELECT total(dropped), ?3, ?4 FROM gap "
	    "WHERE time >= ?1 AND time < ?2", &r->query, f);
	int rc = s == NULL ? -1 : db_step(s, f);

	if (rc == 1)
		r->lost = count_of(s, 0);
	return rc == 1 ? 0 : -1;
}

static int
check_version(struct db *db, const char *path, struct fault *f)
{
	struct db_stmt *s = db_prepare(db, "PRAGMA user_version", f);

	if (s == NULL || db_step(s, f) != 1)
		return -1;
	if (db_int(s, 0) == LEDGER_SCHEMA_VERSION)
		return 0;
	return fault_set(f, FAULT_PERM, 0, "", "%s has version %lld of the "
	    "ledger, this sealane reads version %d", path,
	    (long long)db_int(s, 0), LEDGER_SCHEMA_VERSION);
}

int
report_read(const char *path, const struct report_query *q, struct report *r,
    struct fault *f)
{
	struct db *db = db_open_reader(path, f);
	int rc = -1;

	*r = (struct report){ .query = *q };
	if (db == NULL)
		return -1;
	/* One transaction: total and rows are of the same moment. */
	if (check_version(db, path, f) == 0 && db_begin(db, f) == 0 &&
	    read_total(db, r, f) == 0 && read_rows(db, r, f) == 0 &&
	    read_lost(db, r, f) == 0 && read_retried(db, r, f) == 0)
		rc = 0;
	db_close(&db);
	if (rc == -1)
		report_free(r);
	return rc;
}
