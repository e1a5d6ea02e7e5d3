/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/findings.c - see policy/findings.h. */
#include "policy/findings.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"

enum { OPEN, AGAIN, NEW, ROOM, COUNT, NEXT, STATEMENTS };

#define COLUMNS	"id, time, last, count, kind, domain, mx, address, expected, " \
	"why, reached, class, action, evidence"

static const char *const sql[STATEMENTS] = {
	[OPEN] = "SELECT id FROM findings WHERE mx = ?1 AND kind = ?2 AND "
	    "action = ?3 AND last > ?4 ORDER BY id DESC LIMIT 1",
	[AGAIN] = "UPDATE findings SET last = ?2, count = count + 1 "
	    "WHERE id = ?1",
	[NEW] = "INSERT INTO findings (time, last, count, kind, domain, mx, "
	    "address, expected, why, reached, class, action, evidence) VALUES "
	    "(?1, ?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
	[ROOM] = "DELETE FROM findings WHERE id = "
	    "(SELECT min(id) FROM findings)",
	[COUNT] = "SELECT count(*) FROM findings",
	[NEXT] = "SELECT " COLUMNS " FROM findings WHERE id > ?1 AND "
	    "last >= ?2 AND (?3 = '' OR mx = ?3 OR domain = ?3) "
	    "ORDER BY id LIMIT 1",
};

static const char *const class_names[CLASS_COUNT] = {
	"lost-on-path", "lost-at-peer", "never-had",
};
static const char *const action_names[ACTION_COUNT] = {
	"observed", "held", "refused", "delivered-clear",
};

struct findings {
	struct db_stmt	*s[STATEMENTS];
	uint64_t	 n;
	char		 evidence[FINDINGS_EVIDENCE_MAX + 1];	/* lent */
};

const char *
finding_class_name(enum finding_class c)
{
	assert((unsigned)c < CLASS_COUNT);
	return class_names[c];
}

const char *
finding_action_name(enum finding_action a)
{
	assert((unsigned)a < ACTION_COUNT);
	return action_names[a];
}

struct findings *
findings_new(struct db *db, struct fault *f)
{
	struct findings *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
		return NULL;
	}
	for (int i = 0; i < STATEMENTS; i++) {
		l->s[i] = db_prepare(db, sql[i], f);
		if (l->s[i] == NULL) {
			findings_free(&l);
			return NULL;
		}
	}
	if (db_step(l->s[COUNT], f) != 1) {
		findings_free(&l);
		return NULL;
	}
	l->n = (uint64_t)db_int(l->s[COUNT], 0);
	db_reset(l->s[COUNT]);
	return l;
}

void
findings_free(struct findings **lp)
{
	struct findings *l = *lp;

	*lp = NULL;
	if (l == NULL)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		db_finish(&l->s[i]);
	free(l);
}

/* ---- writing ---- */

static int
go_on(struct findings *l, const struct finding_row *r, struct fault *f)
{
	uint64_t quiet = r->time > FINDINGS_QUIET_MS ?
	    r->time - FINDINGS_QUIET_MS : 0;
	struct db_stmt *s = l->s[OPEN];
	int64_t id = 0;
	int rc;

	db_bind_text(s, 1, span_str(r->mx));
	db_bind_int(s, 2, r->kind);
	db_bind_int(s, 3, r->action);
	db_bind_int(s, 4, (int64_t)quiet);
	rc = db_step(s, f);
	if (rc == 1)
		id = db_int(s, 0);
	db_reset(s);
	if (rc != 1)
		return rc;
	db_bind_int(l->s[AGAIN], 1, id);
	db_bind_int(l->s[AGAIN], 2, (int64_t)r->time);
	return db_step(l->s[AGAIN], f) == -1 ? -1 : 1;
}

int
findings_put(struct findings *l, const struct finding_row *r, struct fault *f)
{
	struct db_stmt *s = l->s[NEW];
	int rc = go_on(l, r, f);

	if (rc != 0)
		return rc == 1 ? 0 : -1;
	if (l->n >= FINDINGS_MAX) {
		if (db_step(l->s[ROOM], f) == -1)
			return -1;
		l->n--;
	}
	db_bind_int(s, 1, (int64_t)r->time);
	db_bind_int(s, 2, r->kind);
	db_bind_text(s, 3, span_str(r->domain));
	db_bind_text(s, 4, span_str(r->mx));
	db_bind_text(s, 5, span_str(r->address));
	db_bind_int(s, 6, r->expected);
	db_bind_int(s, 7, r->why);
	db_bind_int(s, 8, r->reached);
	db_bind_int(s, 9, r->class);
	db_bind_int(s, 10, r->action);
	db_bind_text(s, 11, span_str(r->evidence));
	if (db_step(s, f) == -1)
		return -1;
	l->n++;
	return 1;
}

/* ---- reading ---- */

/* A number that another version wrote shows as the first word. */
static int
bounded(struct db_stmt *s, int column, int count)
{
	int64_t n = db_int(s, column);

	return n < 0 || n >= count ? 0 : (int)n;
}

static void
take_row(struct findings *l, struct db_stmt *s, struct finding_row *r)
{
	*r = (struct finding_row){
		.time = (uint64_t)db_int(s, 1), .last = (uint64_t)db_int(s, 2),
		.count = (unsigned)db_int(s, 3),
		.kind = (enum finding)bounded(s, 4, FINDING_COUNT),
		.expected = (enum level)bounded(s, 8, LEVEL_COUNT),
		.why = (enum why)bounded(s, 9, WHY_COUNT),
		.reached = (enum level)bounded(s, 10, LEVEL_COUNT),
		.class = (enum finding_class)bounded(s, 11, CLASS_COUNT),
		.action = (enum finding_action)bounded(s, 12, ACTION_COUNT),
		.evidence = l->evidence,
	};
	(void)span_copy(db_text(s, 5), r->domain, sizeof(r->domain));
	(void)span_copy(db_text(s, 6), r->mx, sizeof(r->mx));
	(void)span_copy(db_text(s, 7), r->address, sizeof(r->address));
	(void)span_copy(db_text(s, 13), l->evidence, sizeof(l->evidence));
}

int
findings_next(struct findings *l, uint64_t since, const char *name,
    int64_t *id, struct finding_row *r, struct fault *f)
{
	struct db_stmt *s = l->s[NEXT];
	int rc;

	db_bind_int(s, 1, *id);
	db_bind_int(s, 2, (int64_t)since);
	db_bind_text(s, 3, name == NULL ? SPAN_LIT("") : span_str(name));
	rc = db_step(s, f);
	if (rc == 1) {
		*id = db_int(s, 0);
		take_row(l, s, r);
	}
	db_reset(s);
	return rc;
}

static json_t *
time_json(uint64_t ms)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339(ms, false, text);
	return json_string(text);
}

json_t *
finding_json(const struct finding_row *r)
{
	json_t *evidence = json_loads(r->evidence, 0, NULL);

	if (!json_is_object(evidence)) {
		json_decref(evidence);
		evidence = json_object();
	}
	(void)json_object_set_new(evidence, "why", json_string(why_name(r->why)));
	(void)json_object_set_new(evidence, "last", time_json(r->last));
	(void)json_object_set_new(evidence, "count",
	    json_integer((json_int_t)r->count));
	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
	    "s:o}", "time", time_json(r->time), "kind", finding_name(r->kind),
	    "direction", "out", "domain", r->domain, "mx", r->mx, "address",
	    r->address, "expected", level_name(r->expected), "reached",
	    level_name(r->reached), "class", finding_class_name(r->class),
	    "action", finding_action_name(r->action), "evidence", evidence);
}
