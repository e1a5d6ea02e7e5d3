/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* ledger/store.c - see store.h. */
#include "ledger/store.h"

#include <assert.h>
#include <stdlib.h>

#include "base/db.h"
#include "base/hop.h"
#include "report/schema.h"

#define TEXT_MAX	256	/* over every STR bound of the facts */

/* A run of facts that were lost for one reason. */
struct loss {
	const char	*reason;
	uint64_t	 first_ms, n;
};

struct store {
	struct db	*db;
	struct db_stmt	*session, *delivery, *gap;
	bool		 open;			/* a transaction is */
	unsigned	 pending;		/* facts in it */
	uint64_t	 pending_weight;	/* with those that gaps stand for */
	uint64_t	 retry_ms;		/* steady; 0: no failure */
	struct loss	 failed, malformed;
};

/* ---- values ---- */

/* Names come from peers: what is not plain printable ASCII is made so, here
 * and once, so that no reader of the file (nor its terminal) is surprised. */
static void
bind_text(struct db_stmt *s, int at, struct span text)
{
	char clean[TEXT_MAX];
	size_t i;

	text = span_head(text, sizeof clean);
	for (i = 0; i < text.n; i++)
		clean[i] = text.p[i] >= ' ' && text.p[i] <= '~' ?
		    text.p[i] : '?';
	db_bind_text(s, at, span_of(clean, text.n));
}

/* One spelling per domain or host, whatever case it was given in. */
static void
bind_name(struct db_stmt *s, int at, struct span name)
{
	char lower[TEXT_MAX];
	size_t i;

	name = span_head(name, sizeof lower);
	for (i = 0; i < name.n; i++)
		lower[i] = ascii_lower(name.p[i]);
	bind_text(s, at, span_of(lower, name.n));
}

/* Lines in the log say "none"; here nothing is nothing. */
static void
bind_word(struct db_stmt *s, int at, struct span word)
{
	bind_text(s, at, span_eq(word, SPAN_LIT("none")) ? SPAN_NONE : word);
}

/* SQLite's integers are signed. */
static void
bind_u64(struct db_stmt *s, int at, uint64_t n)
{
	db_bind_int(s, at, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

/* ---- losses ---- */

static void
lose(struct loss *l, struct ledger_now now, uint64_t n)
{
	if (l->n == 0)
		l->first_ms = now.wall_ms;
	l->n = n > UINT64_MAX - l->n ? UINT64_MAX : l->n + n;
}

/* All that the open transaction held is gone too: SQLite may have rolled it
 * back by itself, and after a failed COMMIT nobody knows. */
static enum ledger_result
give_up(struct store *s, struct ledger_now now, uint64_t weight)
{
	db_rollback(s->db);
	s->open = false;
	lose(&s->failed, now, s->pending_weight + weight);
	s->pending = 0;
	s->pending_weight = 0;
	s->retry_ms = now.steady_ms + STORE_RETRY_MS;
	return STORE_FAILED;
}

static enum ledger_result
refuse(struct store *s, struct ledger_now now, const char *what,
    struct fault *f)
{
	lose(&s->malformed, now, 1);
	fault_set(f, FAULT_PERM, 0, "", "a fact with an unknown %s", what);
	return STORE_MALFORMED;
}

/* A wait for SQLite's busy_timeout per fact would make this process deaf. */
static bool
too_soon(const struct store *s, struct ledger_now now)
{
	return s->retry_ms != 0 && now.steady_ms < s->retry_ms;
}

static enum ledger_result
begin(struct store *s, struct ledger_now now, uint64_t weight,
    struct fault *f)
{
	if (s->open)
		return STORE_OK;
	if (too_soon(s, now)) {
		lose(&s->failed, now, weight);
		return STORE_LOST;
	}
	if (db_begin(s->db, f) == -1)
		return give_up(s, now, weight);
	s->open = true;
	return STORE_OK;
}

/* Runs a bound statement. */
static enum ledger_result
insert(struct store *s, struct db_stmt *stmt, struct ledger_now now,
    uint64_t weight, struct fault *f)
{
	if (db_step(stmt, f) == -1)
		return give_up(s, now, weight);
	s->pending++;
	s->pending_weight += weight;
	return STORE_OK;
}

/* ---- facts ---- */

enum ledger_result
ledger_store_session(struct store *s, struct ledger_now now,
    const struct ipc_fact_session *m, struct fault *f)
{
	struct db_stmt *q = s->session;
	enum ledger_result r;

	if (m->out > 1)
		return refuse(s, now, "direction", f);
	if (m->reached >= LEVEL_COUNT || m->how >= HOW_COUNT)
		return refuse(s, now, "level", f);
	r = begin(s, now, 1, f);
	if (r != STORE_OK)
		return r;
	bind_u64(q, 1, m->time);
	db_bind_int(q, 2, m->out);
	bind_text(q, 3, m->session);
	bind_name(q, 4, m->domain);
	bind_name(q, 5, m->mx);
	bind_text(q, 6, m->addr);
	db_bind_int(q, 7, m->reached);
	db_bind_int(q, 8, m->how);
	bind_word(q, 9, m->tls);
	bind_word(q, 10, m->cipher);
	bind_word(q, 11, m->kx);
	bind_word(q, 12, m->spki);
	db_bind_int(q, 13, m->resumed != 0);
	bind_text(q, 14, m->not_after);
	bind_text(q, 15, m->issuer);
	bind_word(q, 16, m->weak);
	return insert(s, q, now, 1, f);
}

enum ledger_result
ledger_store_delivery(struct store *s, struct ledger_now now,
    const struct ipc_fact_delivery *m, struct fault *f)
{
	struct db_stmt *q = s->delivery;
	enum ledger_status status;
	enum ledger_result r;

	if (m->out > 1)
		return refuse(s, now, "direction", f);
	if (m->asked >= LEVEL_COUNT || m->reached >= LEVEL_COUNT ||
	    m->why >= WHY_COUNT || m->how >= HOW_COUNT)
		return refuse(s, now, "level", f);
	if (!report_status_parse(m->status, &status) ||
	    (status == LEDGER_ACCEPTED) == (m->out == 1))
		return refuse(s, now, "status", f);
	r = begin(s, now, 1, f);
	if (r != STORE_OK)
		return r;
	bind_u64(q, 1, m->time);
	db_bind_int(q, 2, m->out);
	bind_text(q, 3, m->id);
	bind_text(q, 4, m->session);
	bind_name(q, 5, m->domain);
	bind_name(q, 6, m->mx);
	bind_text(q, 7, m->addr);
	db_bind_int(q, 8, m->asked);
	db_bind_int(q, 9, m->why);
	db_bind_int(q, 10, m->reached);
	db_bind_int(q, 11, m->how);
	bind_word(q, 12, m->tls);
	bind_word(q, 13, m->cipher);
	bind_word(q, 14, m->kx);
	db_bind_int(q, 15, status);
	bind_text(q, 16, m->dsn);
	db_bind_int(q, 17, m->recipients);
	bind_u64(q, 18, m->bytes);
	bind_u64(q, 19, m->delay);
	bind_word(q, 20, m->weak);
	return insert(s, q, now, 1, f);
}

static enum ledger_result
insert_gap(struct store *s, struct ledger_now now, uint64_t time,
    const char *role, unsigned index, const char *reason, uint64_t dropped,
    struct fault *f)
{
	bind_u64(s->gap, 1, time);
	bind_text(s->gap, 2, span_str(role));
	db_bind_int(s->gap, 3, index);
	bind_text(s->gap, 4, span_str(reason));
	bind_u64(s->gap, 5, dropped);
	return insert(s, s->gap, now, dropped, f);
}

enum ledger_result
ledger_store_gap(struct store *s, struct ledger_now now, enum role role,
    unsigned index, uint64_t dropped, struct fault *f)
{
	enum ledger_result r;

	if (dropped == 0)
		return STORE_OK;
	r = begin(s, now, dropped, f);
	if (r != STORE_OK)
		return r;
	return insert_gap(s, now, now.wall_ms, role_name(role), index,
	    "link-full", dropped, f);
}

/* ---- batches ---- */

enum ledger_result
ledger_store_commit(struct store *s, struct ledger_now now, struct fault *f)
{
	struct loss *const losses[] = { &s->failed, &s->malformed };
	struct loss was[2];
	enum ledger_result r;
	size_t i;

	if (!s->open && ledger_store_lost(s) == 0)
		return STORE_OK;
	r = begin(s, now, 0, f);
	/* The count leaves memory only when its row is safe: while it is
	 * being written it weighs as much as what it stands for. */
	for (i = 0; i < 2 && r == STORE_OK; i++) {
		was[i] = *losses[i];
		if (was[i].n == 0)
			continue;
		losses[i]->n = 0;
		r = insert_gap(s, now, was[i].first_ms, "", 0, was[i].reason,
		    was[i].n, f);
	}
	if (r != STORE_OK)
		return r;
	if (db_commit(s->db, f) == -1)
		return give_up(s, now, 0);
	s->open = false;
	s->pending = 0;
	s->pending_weight = 0;
	s->retry_ms = 0;
	return STORE_OK;
}

unsigned
ledger_store_pending(const struct store *s)
{
	return s->pending;
}

uint64_t
ledger_store_lost(const struct store *s)
{
	return s->failed.n > UINT64_MAX - s->malformed.n ? UINT64_MAX :
	    s->failed.n + s->malformed.n;
}

/* ---- life ---- */

struct store *
ledger_store_open(const char *path, struct fault *f)
{
	struct store *s = calloc(1, sizeof *s);

	if (s == NULL) {
		fault_set(f, FAULT_TEMP, 0, "", "no memory");
		return NULL;
	}
	s->failed.reason = "write-failed";
	s->malformed.reason = "malformed";
	s->db = db_open_writer(path, report_migrations, LEDGER_SCHEMA_VERSION,
	    f);
	if (s->db == NULL)
		goto fail;
	s->session = db_prepare(s->db, "INSERT INTO session (time, out, "
	    "session, domain, mx, addr, reached, how, tls, cipher, kx, spki, "
	    "resumed, not_after, issuer, weak) "
	    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", f);
	s->delivery = db_prepare(s->db, "INSERT INTO delivery (time, out, "
	    "message, session, domain, mx, addr, asked, why, reached, how, "
	    "tls, cipher, kx, status, dsn, recipients, bytes, delay, weak) "
	    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
	    "?)", f);
	s->gap = db_prepare(s->db, "INSERT INTO gap (time, role, instance, "
	    "reason, dropped) VALUES (?, ?, ?, ?, ?)", f);
	if (s->session == NULL || s->delivery == NULL || s->gap == NULL)
		goto fail;
	return s;
fail:
	db_close(&s->db);
	free(s);
	return NULL;
}

void
ledger_store_close(struct store **sp, uint64_t wall_ms)
{
	struct store *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	/* The last chance: however fresh a failure was. */
	s->retry_ms = 0;
	(void)ledger_store_commit(s, (struct ledger_now){ 0, wall_ms }, NULL);
	db_close(&s->db);
	free(s);
}
