/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/sts_store.c - see sts_store.h. */
#include "policy/sts_store.h"

#include <stdlib.h>

enum {
	GET, PUT, USED, LATER, DUE, EXPIRED, SURPLUS, STATEMENTS
};

static const char *const sql[STATEMENTS] = {
	[GET] = "SELECT id, body, fetched, expires, refresh FROM sts "
	    "WHERE domain = ? AND expires > ?",
	[PUT] = "INSERT INTO sts (domain, id, body, mode, fetched, expires, "
	    "refresh, used) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?5) "
	    "ON CONFLICT (domain) DO UPDATE SET id = ?2, body = ?3, mode = ?4, "
	    "fetched = ?5, expires = ?6, refresh = ?7",
	/* Once an hour is enough to know what is in use. */
	[USED] = "UPDATE sts SET used = ?2 WHERE domain = ?1 AND used < ?2 - 3600",
	[LATER] = "UPDATE sts SET refresh = ?2 WHERE domain = ?1",
	[DUE] = "SELECT domain FROM sts WHERE refresh <= ?1 AND expires > ?1 "
	    "AND used > ?2 ORDER BY refresh LIMIT 1",
	[EXPIRED] = "DELETE FROM sts WHERE expires < ?",
	[SURPLUS] = "DELETE FROM sts WHERE domain IN (SELECT domain FROM sts "
	    "ORDER BY used DESC LIMIT -1 OFFSET ?)",
};

struct sts_store {
	struct db_stmt	*s[STATEMENTS];
};

void
sts_entry_free(struct sts_entry *e)
{
	sts_policy_free(&e->policy);
}

struct sts_store *
sts_store_new(struct db *db, struct fault *f)
{
	struct sts_store *st = calloc(1, sizeof *st);

	if (st == NULL) {
		fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
		return NULL;
	}
	for (int i = 0; i < STATEMENTS; i++) {
		st->s[i] = db_prepare(db, sql[i], f);
		if (st->s[i] == NULL) {
			sts_store_free(&st);
			return NULL;
		}
	}
	return st;
}

void
sts_store_free(struct sts_store **sp)
{
	struct sts_store *st = *sp;

	*sp = NULL;
	if (st == NULL)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		db_finish(&st->s[i]);
	free(st);
}

/* A text that no longer parses (another version wrote it, or a disk that
 * rots) is no policy. */
static int
take_row(struct db_stmt *s, struct sts_entry *e)
{
	if (!span_copy(db_text(s, 0), e->id, sizeof e->id) ||
	    sts_policy_parse(db_text(s, 1), &e->policy, NULL) != 0)
		return 0;
	e->fetched = (uint64_t)db_int(s, 2);
	e->expires = (uint64_t)db_int(s, 3);
	e->refresh = (uint64_t)db_int(s, 4);
	return 1;
}

int
sts_store_get(struct sts_store *st, const char *domain, uint64_t now,
    struct sts_entry *e, struct fault *f)
{
	struct db_stmt *s = st->s[GET];
	int rc;

	db_bind_text(s, 1, span_str(domain));
	db_bind_int(s, 2, (int64_t)now);
	rc = db_step(s, f);
	if (rc == 1)
		rc = take_row(s, e);
	db_reset(s);
	return rc;
}

static int
run(struct db_stmt *s, struct fault *f)
{
	return db_step(s, f) == -1 ? -1 : 0;
}

int
sts_store_put(struct sts_store *st, const char *domain, const char *id,
    struct span body, const struct sts_policy *policy, uint64_t now,
    uint64_t jitter, struct fault *f)
{
	uint64_t refresh = now + STS_REFRESH_S - jitter % STS_REFRESH_JITTER_S;
	struct db_stmt *s = st->s[PUT];

	db_bind_text(s, 1, span_str(domain));
	db_bind_text(s, 2, span_str(id));
	db_bind_text(s, 3, body);
	db_bind_int(s, 4, policy->mode);
	db_bind_int(s, 5, (int64_t)now);
	db_bind_int(s, 6, (int64_t)(now + policy->max_age));
	db_bind_int(s, 7, (int64_t)refresh);
	return run(s, f);
}

int
sts_store_used(struct sts_store *st, const char *domain, uint64_t now,
    struct fault *f)
{
	db_bind_text(st->s[USED], 1, span_str(domain));
	db_bind_int(st->s[USED], 2, (int64_t)now);
	return run(st->s[USED], f);
}

int
sts_store_later(struct sts_store *st, const char *domain, uint64_t when,
    struct fault *f)
{
	db_bind_text(st->s[LATER], 1, span_str(domain));
	db_bind_int(st->s[LATER], 2, (int64_t)when);
	return run(st->s[LATER], f);
}

int
sts_store_due(struct sts_store *st, uint64_t now, char domain[256],
    struct fault *f)
{
	struct db_stmt *s = st->s[DUE];
	int rc;

	db_bind_int(s, 1, (int64_t)now);
	db_bind_int(s, 2, (int64_t)now - STS_STORE_KEEP_S);
	rc = db_step(s, f);
	if (rc == 1)
		(void)span_copy(db_text(s, 0), domain, 256);
	db_reset(s);
	return rc;
}

int
sts_store_tidy(struct sts_store *st, uint64_t now, struct fault *f)
{
	db_bind_int(st->s[EXPIRED], 1, (int64_t)now - STS_STORE_KEEP_S);
	db_bind_int(st->s[SURPLUS], 1, STS_STORE_MAX);
	return run(st->s[EXPIRED], f) == -1 || run(st->s[SURPLUS], f) == -1 ?
	    -1 : 0;
}
