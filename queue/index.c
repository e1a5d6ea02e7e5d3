/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/index.c - see index.h. */
#include "queue/index.h"

#include <assert.h>
#include <stdlib.h>

/* ---- recipients ---- */

struct span
rcpt_address(const struct rcpt *r)
{
	return span_of(r->address, r->address_len);
}

struct span
rcpt_domain(const struct rcpt *r)
{
	return span_skip(rcpt_address(r), r->domain_at);
}

struct span
rcpt_orcpt(const struct rcpt *r)
{
	return span_of(r->address + r->address_len, r->orcpt_len);
}

/* The nth text of the note. */
static struct span
note_text(const struct rcpt *r, unsigned n)
{
	const char *p;

	if (r->note == NULL)
		return SPAN_NONE;
	for (p = r->note->text; n > 0; n--)
		p += strlen(p) + 1;
	return span_str(p);
}

struct span
rcpt_site(const struct rcpt *r)
{
	return note_text(r, 0);
}

struct span
rcpt_reply(const struct rcpt *r)
{
	return note_text(r, 1);
}

struct span
rcpt_dsn(const struct rcpt *r)
{
	return note_text(r, 2);
}

struct span
rcpt_mx(const struct rcpt *r)
{
	return note_text(r, 3);
}

uint64_t
rcpt_at(const struct rcpt *r)
{
	return r->note == NULL ? 0 : r->note->at;
}

/* A NUL would end a text early, and make the next ones wrong. */
static struct span
plain(struct span s, size_t max)
{
	s = span_head(s, max);
	return s.n == 0 ? SPAN_NONE : span_head(s, strnlen(s.p, s.n));
}

void
rcpt_note(struct rcpt *r, const struct record_change *c)
{
	const struct span texts[] = { plain(c->site, 255),
	    plain(c->reply, RECORD_REPLY_MAX), plain(c->dsn, RECORD_DSN_MAX),
	    plain(c->mx, 255) };
	size_t size = sizeof(struct rcpt_note);
	struct rcpt_note *note;
	char *p;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		size += texts[i].n + 1;
	note = malloc(size);
	if (note == NULL)
		return;		/* only words for people */
	note->at = c->at;
	p = note->text;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memcpy(p, texts[i].p, texts[i].n);
		p += texts[i].n;
		*p++ = '\0';
	}
	free(r->note);
	r->note = note;
}

static bool
state_open(uint8_t state)
{
	return state != RCPT_DELIVERED && state != RCPT_FAILED;
}

bool
rcpt_open(const struct rcpt *r)
{
	return state_open(r->state);
}

void
rcpt_change(struct message *m, struct rcpt *r, const struct record_change *c,
    uint64_t next)
{
	if (state_open(r->state) && !state_open(c->state))
		m->nopen--;
	if (!state_open(r->state) && state_open(c->state))
		m->nopen++;
	m->nheld -= r->state == RCPT_HELD;
	m->nheld += c->state == RCPT_HELD;
	r->state = c->state;
	r->phase = PHASE_IDLE;
	r->tls_failed = c->tls_failed;
	r->asked = c->asked;
	r->attempts = c->attempts;
	r->next = next;
	m->ndue -= r->due != DUE_NONE;
	m->ndue += c->due != DUE_NONE;
	r->due = c->due;
	if (c->site.n > 0 || c->reply.n > 0)
		rcpt_note(r, c);
}

/* ---- messages ---- */

static struct span
keep(char **at, struct span s)
{
	struct span kept = span_of(*at, s.n);

	memcpy(*at, s.p, s.n);
	*at += s.n;
	return kept;
}

static void
take_rcpt(struct message *m, struct rcpt *r, char **at,
    const struct record_rcpt *rcpt, const struct record_change *c,
    uint64_t next)
{
	struct span kept = keep(at, rcpt->address);
	size_t i = kept.n;

	r->address = kept.p;
	r->address_len = (uint16_t)kept.n;
	r->orcpt_len = (uint16_t)keep(at, rcpt->orcpt).n;
	r->notify = rcpt->notify;
	while (i > 0 && kept.p[i - 1] != '@')
		i--;
	r->domain_at = (uint16_t)(i == 0 ? kept.n : i);
	r->state = RCPT_FAILED;		/* so that rcpt_change() counts */
	rcpt_change(m, r, c, next);
	if (r->state == RCPT_ACTIVE)
		r->state = RCPT_DEFERRED;	/* what was under way is due */
}

/* Bytes of text that a message keeps. */
static size_t
texts_of(const struct record_message *rec)
{
	size_t n = rec->sender.n + rec->client.n + rec->session.n +
	    rec->envid.n;
	struct span list = rec->rcpts;
	struct record_rcpt rcpt;
	struct record_change c;

	while (record_rcpt(&list, &rcpt, &c) == 1)
		n += rcpt.address.n + rcpt.orcpt.n;
	return n;
}

struct message *
message_new(const struct record_message *rec, uint64_t now_steady,
    uint64_t now_wall)
{
	size_t rcpts = rec->nrcpts * sizeof(struct rcpt);
	struct span list = rec->rcpts;
	struct record_rcpt rcpt;
	struct record_change c;
	struct message *m = calloc(1, sizeof(*m) + rcpts + texts_of(rec));
	char *at;
	uint32_t i = 0;

	if (m == NULL)
		return NULL;
	at = (char *)m->rcpts + rcpts;
	m->refs = 1;
	(void)span_copy(rec->id, m->id, sizeof(m->id));
	m->flags = rec->flags;
	m->envelope = rec->envelope;
	m->arrived = rec->arrived;
	m->size = rec->size;
	m->sum = rec->sum;
	m->running = rec->running;
	m->since = now_steady;
	m->nrcpts = rec->nrcpts;
	m->sender = keep(&at, rec->sender);
	m->client = keep(&at, rec->client);
	m->session = keep(&at, rec->session);
	m->envid_len = (uint8_t)keep(&at, rec->envid).n;
	while (i < m->nrcpts && record_rcpt(&list, &rcpt, &c) == 1) {
		uint64_t left = c.next > now_wall ? c.next - now_wall : 0;

		take_rcpt(m, &m->rcpts[i++], &at, &rcpt, &c,
		    now_steady + left);
	}
	message_clock(m, now_steady);
	return m;
}

void
message_ref(struct message *m)
{
	m->refs++;
}

void
message_unref(struct message *m)
{
	assert(m->refs > 0);
	if (--m->refs > 0)
		return;
	assert(m->heap_at == 0 && !m->in_grace && !m->is_placed);
	for (uint32_t i = 0; i < m->nrcpts; i++)
		free(m->rcpts[i].note);
	free(m);
}

bool
message_done(const struct message *m)
{
	return m->nopen == 0 && m->ndue == 0;
}

struct span
message_envid(const struct message *m)
{
	return span_of(m->session.p + m->session.n, m->envid_len);
}

uint64_t
message_running(const struct message *m, uint64_t now_steady)
{
	return m->since == CLOCK_STOPPED ? m->running :
	    m->running + (now_steady - m->since);
}

void
message_clock(struct message *m, uint64_t now_steady)
{
	bool stands = m->nopen > 0 && m->nheld == m->nopen;

	if (stands == (m->since == CLOCK_STOPPED))
		return;
	m->running = message_running(m, now_steady);
	m->since = stands ? CLOCK_STOPPED : now_steady;
}

/* ---- index ---- */

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
heap_put(struct index *x, size_t at, struct message *m)
{
	x->heap[at] = m;
	m->heap_at = at;
}

static void
heap_up(struct index *x, struct message *m)
{
	size_t at = m->heap_at;

	while (at > 1 && x->heap[at / 2]->due > m->due) {
		heap_put(x, at, x->heap[at / 2]);
		at /= 2;
	}
	heap_put(x, at, m);
}

static void
heap_down(struct index *x, struct message *m)
{
	size_t at = m->heap_at, child;

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
			size_t size = x->heap_size == 0 ? 256 :
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
	size_t at = m->heap_at;

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
