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
#define SEEN_MOST	262144
#define TOTAL		SIZE_MAX	/* the row of the sum */
#define KEY_MAX		255

struct log_count {
	struct report		 report;
	struct siphash_key	 key;
	struct log_table	*seen;
	size_t			*index;		/* row + 1 by key's hash; 0 free */
	size_t			 nindex, room;
	uint64_t		 first, last;	/* times of hops that counted */
	bool			 failed;
};

struct log_count *
log_count_new(const struct report_query *q)
{
	struct log_count *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->report.query = *q;
	c->first = UINT64_MAX;
	c->seen = log_table_new(SEEN_MOST, sizeof(struct log_slot));
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

/* ---- once ---- */

enum once { ONCE_MESSAGE, ONCE_SESSION, ONCE_BYTES };

static bool
first_time(struct log_count *c, enum once what, size_t row, uint64_t a,
    uint64_t b)
{
	const uint64_t all[] = { what, row, a, b };
	struct log_slot *s = log_table_put(c->seen, siphash(&c->key,
	    span_of(all, sizeof all)));
	bool first = !s->over;

	/* "Over" from the start: to drop it is what the table is for. */
	s->over = true;
	return first;
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

static size_t *
index_at(const struct log_count *c, struct span key)
{
	size_t i = (size_t)siphash(&c->key, key) & (c->nindex - 1);

	for (;; i = (i + 1) & (c->nindex - 1))
		if (c->index[i] == 0 || span_eq(key,
		    span_str(c->report.rows[c->index[i] - 1].key)))
			return &c->index[i];
}

static bool
grow(struct log_count *c)
{
	size_t room = c->room == 0 ? 256 : c->room * 2, *index, i;
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
	for (i = 0; i < c->report.nrows; i++)
		*index_at(c, span_str(rows[i].key)) = i + 1;
	return true;
}

/* TOTAL: no memory. */
static size_t
row_of(struct log_count *c, struct span key)
{
	struct report *r = &c->report;
	size_t *at;

	if (r->nrows == c->room && !grow(c))
		goto fail;
	at = index_at(c, key);
	if (*at == 0 && r->nrows >= LOG_ROWS_MOST)
		at = index_at(c, key = SPAN_LIT(LOG_OTHERS));
	if (*at == 0) {
		r->rows[r->nrows] = (struct report_row){
		    .key = strndup(key.p, key.n) };
		if (r->rows[r->nrows].key == NULL)
			goto fail;
		*at = ++r->nrows;
	}
	return *at - 1;
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

	v->messages += first_time(c, ONCE_MESSAGE, row, h->message, 0);
	v->recipients += h->recipients;
	v->levels[h->level] += h->recipients;
	if (strcmp(h->tls->weak, "none") != 0)
		v->weak += h->recipients;
	/* It travels once for all recipients of a session. */
	if (first_time(c, ONCE_BYTES, row, h->message, h->session))
		v->bytes += h->bytes;
	if (row != TOTAL && !is_of_sessions(c->report.query.by))
		v->sessions += first_time(c, ONCE_SESSION, row, h->session, 0);
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
	if (c->first != UINT64_MAX) {
		if (r->query.since == 0)
			r->query.since = c->first - c->first % 1000;
		if (r->query.until == UINT64_MAX)
			r->query.until = c->last + 1000 - c->last % 1000;
	}
	return 0;
}
