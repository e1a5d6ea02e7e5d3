/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/index.c - see index.h. */
#include "queue/index.h"

#include <assert.h>
#include <stdlib.h>

void
index_init(struct index *x)
{
	memset(x, 0, sizeof(*x));
	TAILQ_INIT(&x->arrival);
	TAILQ_INIT(&x->placed);
	TAILQ_INIT(&x->cursors);
}

void
index_free(struct index *x)
{
	struct message *m;

	while ((m = TAILQ_FIRST(&x->arrival)) != NULL)
		index_remove(x, m);
	table_free(&x->by_id);
	free(x->heap);
	memset(x, 0, sizeof(*x));
}

int
index_add(struct index *x, struct message *m)
{
	if (table_add(&x->by_id, &m->by_id, table_hash(span_str(m->id))) == -1)
		return -1;
	TAILQ_INSERT_TAIL(&x->arrival, m, arrival);
	return 0;
}

static void
unplace(struct index *x, struct message *m)
{
	if (!m->is_placed)
		return;
	TAILQ_REMOVE(&x->placed, m, placed);
	x->bytes -= m->place.length;
	m->is_placed = false;
}

void
index_place(struct index *x, struct message *m, struct place place)
{
	unplace(x, m);
	m->place = place;
	m->is_placed = true;
	x->bytes += place.length;
	TAILQ_INSERT_TAIL(&x->placed, m, placed);
}

static int
place_cmp(const void *a, const void *b)
{
	const struct message *x = *(struct message *const *)a;
	const struct message *y = *(struct message *const *)b;

	return place_before(x->place, y->place) ? -1 :
	    place_before(y->place, x->place);
}

void
index_sort(struct index *x)
{
	struct message *m, *next, **all;
	bool sorted = true;
	size_t n = 0;

	TAILQ_FOREACH(m, &x->placed, placed) {
		next = TAILQ_NEXT(m, placed);
		sorted = sorted && (next == NULL || place_cmp(&m, &next) < 0);
		n++;
	}
	all = sorted ? NULL : malloc(n * sizeof(*all));
	if (all == NULL)
		return;		/* old segments only stay longer */
	n = 0;
	TAILQ_FOREACH(m, &x->placed, placed)
		all[n++] = m;
	qsort(all, n, sizeof(*all), place_cmp);
	TAILQ_INIT(&x->placed);
	for (size_t i = 0; i < n; i++)
		TAILQ_INSERT_TAIL(&x->placed, all[i], placed);
	free(all);
}

/* It goes: the cursor must not stand on it. */
static void
cursor_pass(struct index_cursor *c, struct message *m)
{
	if (c->at == m)
		c->at = m == c->last ? NULL : TAILQ_NEXT(m, arrival);
	if (c->last == m)
		c->last = TAILQ_PREV(m, messages, arrival);
}

void
index_remove(struct index *x, struct message *m)
{
	struct index_cursor *c;

	assert(!m->dead);
	TAILQ_FOREACH(c, &x->cursors, link)
		cursor_pass(c, m);
	TAILQ_REMOVE(&x->arrival, m, arrival);
	unplace(x, m);
	table_remove(&x->by_id, &m->by_id);
	index_due_clear(x, m);
	m->dead = true;
	message_unref(m);
}

struct message *
index_find(const struct index *x, struct span id)
{
	struct table_link *l = table_find(&x->by_id, table_hash(id));

	for (; l != NULL; l = table_next(l)) {
		struct message *m = TABLE_ENTRY(l, struct message, by_id);

		if (span_eq(span_str(m->id), id))
			return m;
	}
	return NULL;
}

/* ---- the heap of due times ---- */

static void
heap_put(struct index *x, uint32_t at, struct message *m)
{
	x->heap[at] = m;
	m->heap_at = at;
}

static void
heap_up(struct index *x, struct message *m)
{
	uint32_t at = m->heap_at;

	while (at > 1 && x->heap[at / 2]->due > m->due) {
		heap_put(x, at, x->heap[at / 2]);
		at /= 2;
	}
	heap_put(x, at, m);
}

static void
heap_down(struct index *x, struct message *m)
{
	uint32_t at = m->heap_at, child;

	while ((child = at * 2) <= x->nheap) {
		if (child < x->nheap &&
		    x->heap[child + 1]->due < x->heap[child]->due)
			child++;
		if (x->heap[child]->due >= m->due)
			break;
		heap_put(x, at, x->heap[child]);
		at = child;
	}
	heap_put(x, at, m);
}

int
index_due_set(struct index *x, struct message *m, uint64_t due)
{
	if (m->heap_at == 0) {
		if (x->nheap + 2 > x->heap_size) {
			uint32_t size = x->heap_size == 0 ? 256 :
			    x->heap_size * 2;
			struct message **more = realloc(x->heap,
			    size * sizeof(*more));

			if (more == NULL)
				return -1;
			x->heap = more;
			x->heap_size = size;
		}
		heap_put(x, ++x->nheap, m);
	}
	m->due = due;
	heap_up(x, m);
	heap_down(x, m);
	return 0;
}

void
index_due_clear(struct index *x, struct message *m)
{
	struct message *last;
	uint32_t at = m->heap_at;

	if (at == 0)
		return;
	last = x->heap[x->nheap--];
	m->heap_at = 0;
	if (last == m)
		return;
	heap_put(x, at, last);
	heap_up(x, last);
	heap_down(x, last);
}

struct message *
index_due_first(const struct index *x)
{
	return x->nheap == 0 ? NULL : x->heap[1];
}

/* ---- cursors ---- */

void
index_cursor_start(struct index *x, struct index_cursor *c)
{
	c->at = TAILQ_FIRST(&x->arrival);
	c->last = TAILQ_LAST(&x->arrival, messages);
	TAILQ_INSERT_TAIL(&x->cursors, c, link);
}

struct message *
index_cursor_next(struct index_cursor *c)
{
	struct message *m = c->at;

	if (m != NULL)
		c->at = m == c->last ? NULL : TAILQ_NEXT(m, arrival);
	return m;
}

void
index_cursor_end(struct index *x, struct index_cursor *c)
{
	TAILQ_REMOVE(&x->cursors, c, link);
}
