/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/memory.c - see policy/memory.h. */
#include "policy/memory.h"

#include <stdlib.h>

#define TIDY_MOST	"2000"		/* records at a time, so that mail goes on */

enum {
	GET, PUT, ROOM, DROP, OLD, COUNT,
	LOSS_GET, LOSS_PUT, LOSS_DROP, LOSS_ROOM, LOSS_OLD, LOSS_COUNT,
	CHANGES, STATEMENTS
};

static const char *const sql[STATEMENTS] = {
	[GET] = "SELECT first, last, sessions, days, versions, spki, known "
	    "FROM peers WHERE kind = ? AND name = ?",
	[PUT] = "INSERT INTO peers (kind, name, known, first, last, sessions, "
	    "days, versions, spki) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
	    "ON CONFLICT (kind, name) DO UPDATE SET known = ?3, first = ?4, "
	    "last = ?5, sessions = ?6, days = ?7, versions = ?8, spki = ?9",
	[ROOM] = "DELETE FROM peers WHERE (kind, name) IN (SELECT kind, name "
	    "FROM peers WHERE kind = ?1 AND known = ?2 ORDER BY last LIMIT 1)",
	[DROP] = "DELETE FROM peers WHERE kind = ? AND name = ?",
	[OLD] = "DELETE FROM peers WHERE (kind, name) IN (SELECT kind, name "
	    "FROM peers WHERE kind = ?1 AND known = ?2 AND last < ?3 "
	    "LIMIT " TIDY_MOST ")",
	[COUNT] = "SELECT count(*) FROM peers WHERE kind = ? AND known = ?",
	[LOSS_GET] = "SELECT since, last FROM losses WHERE host = ?",
	[LOSS_PUT] = "INSERT INTO losses (host, since, last) "
	    "VALUES (?1, ?2, ?3) ON CONFLICT (host) DO UPDATE SET since = ?2, "
	    "last = ?3",
	[LOSS_DROP] = "DELETE FROM losses WHERE host = ?",
	[LOSS_ROOM] = "DELETE FROM losses WHERE host IN (SELECT host FROM "
	    "losses ORDER BY last LIMIT 1)",
	[LOSS_OLD] = "DELETE FROM losses WHERE last < ?",
	[LOSS_COUNT] = "SELECT count(*) FROM losses",
	[CHANGES] = "SELECT changes()",
};

const struct memory_bounds memory_bounds = {
	.known = 1000000, .new = 100000, .losses = 10000,
};

struct memory {
	struct db_stmt		*s[STATEMENTS];
	struct peer_rules	 rules;
	struct memory_bounds	 bounds;
	/* Counting a million rows each time would take longer than all else. */
	uint64_t		 n[PEER_KINDS][2];	/* by `known` */
	uint64_t		 nlosses;
};

/* ---- life ---- */

static int
count(struct db_stmt *s, uint64_t *n, struct fault *f)
{
	int rc = db_step(s, f);

	if (rc == 1)
		*n = (uint64_t)db_int(s, 0);
	db_reset(s);
	return rc == -1 ? -1 : 0;
}

static int
count_all(struct memory *m, struct fault *f)
{
	for (int kind = 0; kind < PEER_KINDS; kind++)
		for (int known = 0; known < 2; known++) {
			db_bind_int(m->s[COUNT], 1, kind);
			db_bind_int(m->s[COUNT], 2, known);
			if (count(m->s[COUNT], &m->n[kind][known], f) == -1)
				return -1;
		}
	return count(m->s[LOSS_COUNT], &m->nlosses, f);
}

struct memory *
memory_new(struct db *db, const struct peer_rules *rules,
    const struct memory_bounds *bounds, struct fault *f)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
		return NULL;
	}
	m->rules = *rules;
	m->bounds = *bounds;
	for (int i = 0; i < STATEMENTS; i++) {
		m->s[i] = db_prepare(db, sql[i], f);
		if (m->s[i] == NULL) {
			memory_free(&m);
			return NULL;
		}
	}
	if (count_all(m, f) == -1)
		memory_free(&m);
	return m;
}

void
memory_free(struct memory **mp)
{
	struct memory *m = *mp;

	*mp = NULL;
	if (m == NULL)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		db_finish(&m->s[i]);
	free(m);
}

const struct peer_rules *
memory_rules(const struct memory *m)
{
	return &m->rules;
}

void
memory_set_rules(struct memory *m, const struct peer_rules *rules)
{
	m->rules = *rules;
}

/* ---- rows ---- */

/* Runs a DELETE and takes what it dropped off the count. */
static int
drop(struct memory *m, struct db_stmt *s, uint64_t *n, struct fault *f)
{
	uint64_t gone = 0;

	if (db_step(s, f) == -1 || count(m->s[CHANGES], &gone, f) == -1)
		return -1;
	*n -= gone < *n ? gone : *n;
	return gone > 0;
}

/* `known`: as what it is counted, by the rules of when it was written. */
static int
get(struct memory *m, enum peer_kind kind, const char *name, struct peer *p,
    bool *known, struct fault *f)
{
	struct db_stmt *s = m->s[GET];
	int rc;

	*p = (struct peer){ .first = 0 };
	db_bind_int(s, 1, kind);
	db_bind_text(s, 2, span_str(name));
	rc = db_step(s, f);
	if (rc == 1) {
		p->first = (uint64_t)db_int(s, 0);
		p->last = (uint64_t)db_int(s, 1);
		p->sessions = (unsigned)db_int(s, 2);
		p->days = (unsigned)db_int(s, 3);
		p->versions = (unsigned)db_int(s, 4);
		(void)span_copy(db_text(s, 5), p->spki, sizeof(p->spki));
		*known = db_int(s, 6) != 0;
	}
	db_reset(s);
	return rc;
}

int
memory_get(struct memory *m, enum peer_kind kind, const char *name,
    struct peer *p, struct fault *f)
{
	bool known;

	return get(m, kind, name, p, &known, f);
}

static int
put(struct memory *m, enum peer_kind kind, const char *name,
    const struct peer *p, bool known, struct fault *f)
{
	struct db_stmt *s = m->s[PUT];

	db_bind_int(s, 1, kind);
	db_bind_text(s, 2, span_str(name));
	db_bind_int(s, 3, known);
	db_bind_int(s, 4, (int64_t)p->first);
	db_bind_int(s, 5, (int64_t)p->last);
	db_bind_int(s, 6, p->sessions);
	db_bind_int(s, 7, p->days);
	db_bind_int(s, 8, p->versions);
	db_bind_text(s, 9, span_str(p->spki));
	return db_step(s, f) == -1 ? -1 : 0;
}

static int
make_room(struct memory *m, enum peer_kind kind, bool known, struct fault *f)
{
	unsigned most = known ? m->bounds.known : m->bounds.new;

	if (m->n[kind][known] < most)
		return 0;
	db_bind_int(m->s[ROOM], 1, kind);
	db_bind_int(m->s[ROOM], 2, known);
	return drop(m, m->s[ROOM], &m->n[kind][known], f) == -1 ? -1 : 0;
}

/* ---- sessions ---- */

static int
take(struct memory *m, enum peer_kind kind, const char *name,
    const struct peer_session *session, struct peer *before, struct fault *f)
{
	bool was_known = false, known;
	int there = get(m, kind, name, before, &was_known, f);
	struct peer after = *before;

	if (there == -1)
		return -1;
	if (there == 1 && !peer_news(before, &m->rules, session))
		return 0;
	peer_take(&after, session);
	known = peer_known(&after, &m->rules);
	if (there == 0 || known != was_known) {
		if (make_room(m, kind, known, f) == -1)
			return -1;
		m->n[kind][known]++;
		if (there == 1)
			m->n[kind][was_known]--;
	}
	return put(m, kind, name, &after, known, f);
}

int
memory_seen(struct memory *m, const char *host, const char *domain,
    const struct peer_session *session, struct peer *before, struct fault *f)
{
	const struct peer_session of_domain = {
		.version = session->version, .spki = SPAN_NONE,
		.now = session->now,
	};
	struct peer ignored;

	if (m->nlosses > 0) {
		db_bind_text(m->s[LOSS_DROP], 1, span_str(host));
		if (drop(m, m->s[LOSS_DROP], &m->nlosses, f) == -1)
			return -1;
	}
	if (take(m, PEER_HOST, host, session, before, f) == -1)
		return -1;
	return domain[0] == '\0' ? 0 :
	    take(m, PEER_DOMAIN, domain, &of_domain, &ignored, f);
}

/* ---- losses ---- */

int
memory_get_loss(struct memory *m, const char *host, struct loss *l,
    struct fault *f)
{
	struct db_stmt *s = m->s[LOSS_GET];
	int rc;

	*l = (struct loss){ .since = 0 };
	if (m->nlosses == 0)
		return 0;
	db_bind_text(s, 1, span_str(host));
	rc = db_step(s, f);
	if (rc == 1) {
		l->since = (uint64_t)db_int(s, 0);
		l->last = (uint64_t)db_int(s, 1);
	}
	db_reset(s);
	return rc;
}

/* A loss that is pushed out starts its clock again when it is seen next: mail
 * waits longer, which is the safe side. */
int
memory_lost(struct memory *m, const char *host, uint64_t now, struct loss *l,
    struct fault *f)
{
	struct db_stmt *s = m->s[LOSS_PUT];
	int there = memory_get_loss(m, host, l, f);

	if (there == 0 && m->nlosses >= m->bounds.losses &&
	    drop(m, m->s[LOSS_ROOM], &m->nlosses, f) == -1)
		return -1;
	if (there == -1)
		return -1;
	loss_take(l, &m->rules, now);
	db_bind_text(s, 1, span_str(host));
	db_bind_int(s, 2, (int64_t)l->since);
	db_bind_int(s, 3, (int64_t)l->last);
	if (db_step(s, f) == -1)
		return -1;
	m->nlosses += there == 0;
	return 0;
}

/* ---- upkeep ---- */

int
memory_forget(struct memory *m, enum peer_kind kind, const char *name,
    struct fault *f)
{
	struct peer p;
	bool known = false;
	int there = get(m, kind, name, &p, &known, f);

	if (there != 1)
		return there;
	if (kind == PEER_HOST) {
		db_bind_text(m->s[LOSS_DROP], 1, span_str(name));
		if (drop(m, m->s[LOSS_DROP], &m->nlosses, f) == -1)
			return -1;
	}
	db_bind_int(m->s[DROP], 1, kind);
	db_bind_text(m->s[DROP], 2, span_str(name));
	return drop(m, m->s[DROP], &m->n[kind][known], f);
}

int
memory_tidy(struct memory *m, uint64_t now, struct fault *f)
{
	uint64_t keep = m->rules.expire + MEMORY_KEEP_S;
	uint64_t before = now > keep ? now - keep : 0;

	for (int kind = 0; kind < PEER_KINDS; kind++)
		for (int known = 0; known < 2; known++) {
			db_bind_int(m->s[OLD], 1, kind);
			db_bind_int(m->s[OLD], 2, known);
			db_bind_int(m->s[OLD], 3, (int64_t)before);
			if (drop(m, m->s[OLD], &m->n[kind][known], f) == -1)
				return -1;
		}
	db_bind_int(m->s[LOSS_OLD], 1, (int64_t)before);
	return drop(m, m->s[LOSS_OLD], &m->nlosses, f) == -1 ? -1 : 0;
}
