/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_count.c - see log_count.h. */
#include "report/log_count.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/siphash.h"
#include "report/log_table.h"

/* Messages and sessions count once per row, however many lines tell of them:
 * what was seen of late is known by hash. */
#define TOTAL		SIZE_MAX	/* the row of the sum */
#define KEY_MAX		255

struct log_count {
	struct report		 report;
	struct siphash_key	 key;
	struct log_table	*seen;
	struct place {
		uint32_t	hash, row;	/* row + 1; 0: free */
	} *index;
	size_t			 nindex, room;
	uint64_t		 first, last;	/* times of hops that counted */
	bool			 failed;
};

/* ---- once ---- */

enum once { ONCE_MESSAGE, ONCE_BYTES, ONCE_SESSION, ONCE_KINDS };

struct seen {
	struct log_slot	slot;
	bool		before;
};

static bool
first_of_all(struct log_count *c, uint64_t a, uint64_t b)
{
	const uint64_t both[] = { a, b };
	struct seen *s = log_table_put(c->seen, siphash(&c->key,
	    span_of(both, sizeof both)));
	bool first = !s->before;

	s->before = true;
	return first;
}

/* Most messages have few recipients, and remember that themselves.  Rows and
 * sessions are numbered from 0 and 1: they fit. */
static bool
first_of_message(struct log_count *c, const struct log_hop *h, enum once what,
    size_t row, uint64_t session)
{
	uint64_t mark = (session << 20 | (row & 0xfffff)) * ONCE_KINDS + what;
	struct log_marks *m = h->marks;

	for (uint32_t i = 0; i < m->n; i++)
		if (m->mark[i] == mark)
			return false;
	if (m->n == LOG_MARKS)
		return first_of_all(c, h->message, mark);
	m->mark[m->n++] = mark;
	return true;
}

struct log_count *
log_count_new(const struct report_query *q, size_t seen)
{
	struct log_count *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->report.query = *q;
	c->first = UINT64_MAX;
	c->seen = log_table_new(seen, sizeof(struct seen));
	if (c->seen == NULL ||
	    getrandom(&c->key, sizeof c->key, 0) != sizeof c->key)
		log_count_free(&c);
	return c;
}

void
log_count_free(struct log_count **cp)
{
	if (*cp == NULL)
		return;
	log_table_free(&(*cp)->seen);
	report_free(&(*cp)->report);
	free((*cp)->index);
	free(*cp);
	*cp = NULL;
}

/* ---- rows ---- */

/* Names come from strangers; as the ledger keeps them. */
static struct span
clean_key(struct span name, char out[KEY_MAX])
{
	size_t i;

	name = span_head(name, KEY_MAX);
	for (i = 0; i < name.n; i++)
		out[i] = name.p[i] > ' ' && name.p[i] <= '~' ?
		    ascii_lower(name.p[i]) : '?';
	return span_of(out, name.n);
}

static struct span
key_of(enum report_by by, const struct log_hop *h, char out[KEY_MAX])
{
	char day[CLOCK_RFC3339_SIZE];

	switch (by) {
	case REPORT_LEVEL:
		return span_str(level_name(h->level));
	case REPORT_DAY:
		clock_rfc3339(h->time, 0, day);
		memcpy(out, day, strlen("2026-01-02"));
		return span_of(out, strlen("2026-01-02"));
	default:
		return clean_key(h->domain, out);
	}
}

/* A session has no domain of its own: those that carried mail for one count. */
static bool
is_of_sessions(enum report_by by)
{
	return by != REPORT_DOMAIN;
}

static struct place *
index_at(const struct log_count *c, struct span key, uint32_t hash)
{
	size_t i = hash & (c->nindex - 1);

	for (;; i = (i + 1) & (c->nindex - 1)) {
		struct place *p = &c->index[i];

		if (p->row == 0 || (p->hash == hash && span_eq(key,
		    span_str(c->report.rows[p->row - 1].key))))
			return p;
	}
}

static uint32_t
hash_of(const struct log_count *c, struct span key)
{
	return (uint32_t)siphash(&c->key, key);
}

static bool
grow(struct log_count *c)
{
	size_t room = c->room == 0 ? 256 : c->room * 2, i;
	struct place *index;
	struct report_row *rows = reallocarray(c->report.rows, room,
	    sizeof *rows);

	if (rows == NULL)
		return false;
	c->report.rows = rows;
	index = calloc(room * 2, sizeof *index);
	if (index == NULL)
		return false;
	free(c->index);
	c->index = index;
	c->nindex = room * 2;
	c->room = room;
	for (i = 0; i < c->report.nrows; i++) {
		struct span key = span_str(rows[i].key);
		uint32_t hash = hash_of(c, key);

		*index_at(c, key, hash) = (struct place){ hash,
		    (uint32_t)i + 1 };
	}
	return true;
}

/* TOTAL: no memory. */
static size_t
row_of(struct log_count *c, struct span key)
{
	uint32_t hash = hash_of(c, key);
	struct report *r = &c->report;
	struct place *at;

	if (r->nrows == c->room && !grow(c))
		goto fail;
	at = index_at(c, key, hash);
	if (at->row == 0 && r->nrows >= LOG_ROWS_MOST) {
		key = SPAN_LIT(LOG_OTHERS);
		hash = hash_of(c, key);
		at = index_at(c, key, hash);
	}
	if (at->row == 0) {
		r->rows[r->nrows] = (struct report_row){
		    .key = strndup(key.p, key.n) };
		if (r->rows[r->nrows].key == NULL)
			goto fail;
		*at = (struct place){ hash, (uint32_t)++r->nrows };
	}
	return at->row - 1;
fail:
	c->failed = true;
	return TOTAL;
}

/* ---- counting ---- */

static bool
is_asked(struct log_count *c, const struct log_hop *h)
{
	const struct report_query *q = &c->report.query;

	if (h->time < q->since || h->time >= q->until ||
	    q->direction == (h->out ? REPORT_IN : REPORT_OUT))
		return false;
	if (h->time < c->first)
		c->first = h->time;
	if (h->time > c->last)
		c->last = h->time;
	return true;
}

static void
on_session(void *ctx, const struct log_hop *h)
{
	struct log_count *c = ctx;
	char key[KEY_MAX];
	size_t row;

	if (!is_asked(c, h))
		return;
	c->report.total.sessions++;
	if (!is_of_sessions(c->report.query.by))
		return;
	row = row_of(c, key_of(c->report.query.by, h, key));
	if (row != TOTAL)
		c->report.rows[row].coverage.sessions++;
}

static void
add(struct log_count *c, size_t row, const struct log_hop *h)
{
	struct coverage *v = row == TOTAL ? &c->report.total :
	    &c->report.rows[row].coverage;

	v->messages += first_of_message(c, h, ONCE_MESSAGE, row, 0);
	v->recipients += h->recipients;
	v->levels[h->level] += h->recipients;
	if (strcmp(h->tls->weak, "none") != 0)
		v->weak += h->recipients;
	/* It travels once for all recipients of a session. */
	if (first_of_message(c, h, ONCE_BYTES, row, h->session))
		v->bytes += h->bytes;
	if (row != TOTAL && !is_of_sessions(c->report.query.by))
		v->sessions += first_of_all(c, h->session, row *
		    ONCE_KINDS + ONCE_SESSION);
}

static void
on_delivery(void *ctx, const struct log_hop *h)
{
	struct log_count *c = ctx;
	char key[KEY_MAX];
	size_t row;

	if (!is_asked(c, h))
		return;
	add(c, TOTAL, h);
	row = row_of(c, key_of(c->report.query.by, h, key));
	if (row != TOTAL)
		add(c, row, h);
}

struct log_sink
log_count_sink(struct log_count *c)
{
	return (struct log_sink){ on_session, on_delivery, c };
}

/* ---- the report ---- */

static int
by_recipients(const void *a, const void *b)
{
	const struct report_row *x = a, *y = b;

	if (x->coverage.recipients != y->coverage.recipients)
		return x->coverage.recipients < y->coverage.recipients ? 1 : -1;
	return strcmp(x->key, y->key);
}

static int
by_key(const void *a, const void *b)
{
	const struct report_row *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static int
by_level(const void *a, const void *b)
{
	const struct report_row *x = a, *y = b;
	enum level p = LEVEL_NONE, q = LEVEL_NONE;

	(void)level_parse(span_str(x->key), &p);
	(void)level_parse(span_str(y->key), &q);
	return (int)p - (int)q;
}

int
log_count_report(struct log_count *c, struct report *r)
{
	static int (*const orders[])(const void *, const void *) = {
		[REPORT_DOMAIN] = by_recipients, [REPORT_LEVEL] = by_level,
		[REPORT_DAY] = by_key,
	};

	if (c->failed)
		return -1;
	*r = c->report;
	c->report = (struct report){ .query = r->query };
	if (r->nrows > 0)
		qsort(r->rows, r->nrows, sizeof r->rows[0],
		    orders[r->query.by]);
	if (r->query.since == 0 && c->first != UINT64_MAX)
		r->query.since = c->first - c->first % 1000;
	if (r->query.until == UINT64_MAX)
		r->query.until = c->first == UINT64_MAX ? r->query.since :
		    c->last + 1000 - c->last % 1000;
	return 0;
}
