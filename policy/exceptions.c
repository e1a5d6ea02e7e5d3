/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/exceptions.c - see policy/exceptions.h. */
#include "policy/exceptions.h"

#include <stdlib.h>

enum { PUT, END, GET, NEXT, OVER, COUNT, STATEMENTS };

#define COLUMNS	"name, made, until, why"

static const char *const sql[STATEMENTS] = {
	[PUT] = "INSERT OR REPLACE INTO exceptions (" COLUMNS ") "
	    "VALUES (?1, ?2, ?3, ?4)",
	[END] = "DELETE FROM exceptions WHERE name = ?1 RETURNING 1",
	[GET] = "SELECT " COLUMNS " FROM exceptions WHERE name = ?1 AND "
	    "until > ?2",
	[NEXT] = "SELECT " COLUMNS " FROM exceptions WHERE name > ?1 AND "
	    "until > ?2 ORDER BY name LIMIT 1",
	[OVER] = "SELECT " COLUMNS " FROM exceptions WHERE until <= ?1 LIMIT 1",
	[COUNT] = "SELECT count(*) FROM exceptions",
};

struct exceptions {
	struct db_stmt	*s[STATEMENTS];
	int64_t		 n;	/* without any, no look-up costs anything */
};

static int
count(struct exceptions *e, struct fault *f)
{
	if (db_step(e->s[COUNT], f) != 1)
		return -1;
	e->n = db_int(e->s[COUNT], 0);
	db_reset(e->s[COUNT]);
	return 0;
}

struct exceptions *
exceptions_new(struct db *db, struct fault *f)
{
	struct exceptions *e = calloc(1, sizeof(*e));

	if (e == NULL) {
		fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
		return NULL;
	}
	for (int i = 0; i < STATEMENTS; i++) {
		e->s[i] = db_prepare(db, sql[i], f);
		if (e->s[i] == NULL)
			goto free_exceptions;
	}
	if (count(e, f) == 0)
		return e;
free_exceptions:
	exceptions_free(&e);
	return NULL;
}

void
exceptions_free(struct exceptions **ep)
{
	struct exceptions *e = *ep;

	*ep = NULL;
	if (e == NULL)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		db_finish(&e->s[i]);
	free(e);
}

/* ---- reading ---- */

static int
take_row(struct db_stmt *s, struct exception *x, struct fault *f)
{
	int rc = db_step(s, f);

	if (rc != 1)
		return rc;
	(void)span_copy(db_text(s, 0), x->name, sizeof(x->name));
	x->made = (uint64_t)db_int(s, 1);
	x->until = (uint64_t)db_int(s, 2);
	(void)span_copy(db_text(s, 3), x->why, sizeof(x->why));
	db_reset(s);
	return 1;
}

static int
find(struct exceptions *e, int statement, const char *name, uint64_t now,
    struct exception *x, struct fault *f)
{
	struct db_stmt *s = e->s[statement];

	if (e->n == 0)
		return 0;
	db_bind_text(s, 1, span_str(name));
	db_bind_int(s, 2, (int64_t)now);
	return take_row(s, x, f);
}

int
exceptions_get(struct exceptions *e, const char *name, uint64_t now,
    struct exception *x, struct fault *f)
{
	return find(e, GET, name, now, x, f);
}

int
exceptions_next(struct exceptions *e, const char *after, uint64_t now,
    struct exception *x, struct fault *f)
{
	return find(e, NEXT, after, now, x, f);
}

/* ---- writing ---- */

int
exceptions_end(struct exceptions *e, const char *name, struct fault *f)
{
	struct db_stmt *s = e->s[END];
	int rc;

	db_bind_text(s, 1, span_str(name));
	rc = db_step(s, f);
	if (rc == 1)		/* the row goes when the statement is done */
		rc = db_step(s, f) == -1 ? -1 : 1;
	return rc != -1 && count(e, f) == -1 ? -1 : rc;
}

int
exceptions_put(struct exceptions *e, const struct exception *x,
    struct fault *f)
{
	struct db_stmt *s = e->s[PUT];
	struct exception before;
	int rc = exceptions_get(e, x->name, 0, &before, f);

	if (rc == -1)
		return -1;
	if (rc == 0 && e->n >= EXCEPTIONS_MAX)
		return fault_set(f, FAULT_PERM, 0, NULL, "there are %d "
		    "exceptions already: policy.domain of the configuration "
		    "is the place for more", EXCEPTIONS_MAX);
	db_bind_text(s, 1, span_str(x->name));
	db_bind_int(s, 2, (int64_t)x->made);
	db_bind_int(s, 3, (int64_t)x->until);
	db_bind_text(s, 4, span_str(x->why));
	return db_step(s, f) == -1 ? -1 : count(e, f);
}

int
exceptions_over(struct exceptions *e, uint64_t now, struct exception *x,
    struct fault *f)
{
	int rc;

	if (e->n == 0)
		return 0;
	db_bind_int(e->s[OVER], 1, (int64_t)now);
	rc = take_row(e->s[OVER], x, f);
	return rc == 1 ? exceptions_end(e, x->name, f) : rc;
}
