/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/record.c - fields in order, little-endian, texts with their length
 * before them; a reader that stays failed once it ran over the end. */
#include "queue/record.h"

#include "base/envelope.h"
#include "base/hop.h"
#include "queue/bytes.h"

const char *
rcpt_state_name(enum rcpt_state s)
{
	static const char *const names[RCPT_STATES] = {
		[RCPT_ACTIVE] = "active", [RCPT_DEFERRED] = "deferred",
		[RCPT_DELIVERED] = "delivered", [RCPT_FAILED] = "failed",
		[RCPT_HELD] = "held",
	};

	return (unsigned)s < RCPT_STATES ? names[s] : "active";
}

/* ---- writing ---- */

static void
put_number(struct buf *b, uint64_t v, unsigned bytes)
{
	char p[8];

	le_put(p, v, bytes);
	(void)buf_add(b, p, bytes);
}

static void
put_text(struct buf *b, struct span s, size_t max)
{
	s = span_head(s, max);
	put_number(b, s.n, 2);
	(void)buf_span(b, s);
}

int
record_put_message(struct buf *b, const struct record_message *m)
{
	(void)buf_add(b, m->id.p, ID_LEN);
	put_number(b, m->flags, 1);
	put_number(b, m->envelope, 2);
	put_number(b, m->arrived, 8);
	put_number(b, m->size, 8);
	put_number(b, m->running, 8);
	put_text(b, m->sender, RECORD_ADDRESS_MAX);
	put_text(b, m->client, 64);
	put_text(b, m->session, ID_LEN);
	put_text(b, m->envid, ENVELOPE_ENVID_MAX);
	put_number(b, m->nrcpts, 4);
	put_number(b, m->rcpts.n, 4);
	(void)buf_span(b, m->rcpts);
	if ((m->flags & RECORD_IN_FILE) != 0)
		put_number(b, m->sum, 4);
	put_number(b, m->body.n, 4);
	return b->failed ? -1 : 0;
}

int
record_put_change(struct buf *b, const struct record_change *c)
{
	put_number(b, c->index, 4);
	put_number(b, c->state, 1);
	put_number(b, c->tls_failed, 1);
	put_number(b, c->asked, 1);
	put_number(b, c->due, 1);
	put_number(b, c->attempts, 2);
	put_number(b, c->next, 8);
	put_number(b, c->at, 8);
	put_text(b, c->site, 255);
	put_text(b, c->reply, RECORD_REPLY_MAX);
	put_text(b, c->dsn, RECORD_DSN_MAX);
	put_text(b, c->mx, 255);
	return b->failed ? -1 : 0;
}

int
record_put_rcpt(struct buf *b, const struct record_rcpt *r,
    const struct record_change *c)
{
	put_text(b, r->address, RECORD_ADDRESS_MAX);
	put_text(b, r->orcpt, ENVELOPE_ORCPT_MAX);
	put_number(b, r->notify, 1);
	return record_put_change(b, c);
}

int
record_put_outcome(struct buf *b, const struct record_outcome *o)
{
	(void)buf_add(b, o->id.p, ID_LEN);
	put_number(b, o->flags, 1);
	put_number(b, o->running, 8);
	put_number(b, o->nchanges, 4);
	(void)buf_span(b, o->changes);
	return b->failed ? -1 : 0;
}

int
record_put_void(struct buf *b, uint64_t segment, uint32_t offset)
{
	put_number(b, segment, 8);
	put_number(b, offset, 4);
	return b->failed ? -1 : 0;
}

/* ---- reading ---- */

struct reader {
	struct span	left;
	bool		failed;
};

static struct span
get_bytes(struct reader *r, size_t n)
{
	struct span s = span_head(r->left, n);

	if (s.n < n) {
		r->failed = true;
		r->left = SPAN_NONE;
		return SPAN_NONE;
	}
	r->left = span_skip(r->left, n);
	return s;
}

static uint64_t
get_number(struct reader *r, unsigned bytes)
{
	struct span s = get_bytes(r, bytes);

	return s.n == bytes ? le_get(s.p, bytes) : 0;
}

static struct span
get_text(struct reader *r, size_t max)
{
	size_t n = get_number(r, 2);

	if (n > max)
		r->failed = true;
	return get_bytes(r, n);
}

static void
get_change(struct reader *r, struct record_change *c)
{
	c->index = (uint32_t)get_number(r, 4);
	c->state = (uint8_t)get_number(r, 1);
	c->tls_failed = (uint8_t)get_number(r, 1);
	c->asked = (uint8_t)get_number(r, 1);
	c->due = (uint8_t)get_number(r, 1);
	c->attempts = (uint16_t)get_number(r, 2);
	c->next = get_number(r, 8);
	c->at = get_number(r, 8);
	c->site = get_text(r, 255);
	c->reply = get_text(r, RECORD_REPLY_MAX);
	c->dsn = get_text(r, RECORD_DSN_MAX);
	c->mx = get_text(r, 255);
	if (c->state >= RCPT_STATES || c->asked >= LEVEL_COUNT ||
	    c->due >= DUE_COUNT || c->tls_failed > 1)
		r->failed = true;
}

int
record_change(struct span *changes, struct record_change *c)
{
	struct reader r = { *changes, false };

	if (changes->n == 0)
		return 0;
	get_change(&r, c);
	if (r.failed)
		return 0;	/* *changes stays as it is: not empty */
	*changes = r.left;
	return 1;
}

int
record_rcpt(struct span *rcpts, struct record_rcpt *rcpt,
    struct record_change *c)
{
	struct reader r = { *rcpts, false };

	if (rcpts->n == 0)
		return 0;
	rcpt->address = get_text(&r, RECORD_ADDRESS_MAX);
	rcpt->orcpt = get_text(&r, ENVELOPE_ORCPT_MAX);
	rcpt->notify = (uint8_t)get_number(&r, 1);
	get_change(&r, c);
	if (r.failed || (rcpt->notify & ~NOTIFY_BITS) != 0)
		return 0;	/* *rcpts stays as it is: not empty */
	*rcpts = r.left;
	return 1;
}

/* The list must hold exactly `n` good entries, numbered from 0. */
static bool
rcpts_ok(struct span list, uint32_t n)
{
	struct record_rcpt rcpt;
	struct record_change c;
	uint32_t i = 0;

	while (record_rcpt(&list, &rcpt, &c) == 1)
		if (c.index != i++)
			return false;
	return list.n == 0 && i == n && n > 0;
}

/* Up to its inline body, of which m->body only has the length. */
static int
get_message(struct reader *r, struct record_message *m)
{
	size_t n;

	m->id = get_bytes(r, ID_LEN);
	m->flags = (uint8_t)get_number(r, 1);
	m->envelope = (uint16_t)get_number(r, 2);
	m->arrived = get_number(r, 8);
	m->size = get_number(r, 8);
	m->running = get_number(r, 8);
	m->sender = get_text(r, RECORD_ADDRESS_MAX);
	m->client = get_text(r, 64);
	m->session = get_text(r, ID_LEN);
	m->envid = get_text(r, ENVELOPE_ENVID_MAX);
	m->nrcpts = (uint32_t)get_number(r, 4);
	n = get_number(r, 4);
	m->rcpts = get_bytes(r, n);
	m->sum = (m->flags & RECORD_IN_FILE) == 0 ? 0 :
	    (uint32_t)get_number(r, 4);
	n = get_number(r, 4);
	m->body = span_of("", n);
	if (r->failed || !id_valid(m->id) || !rcpts_ok(m->rcpts, m->nrcpts))
		return -1;
	return ((m->flags & RECORD_IN_FILE) != 0 ? n == 0 : n == m->size) ?
	    0 : -1;
}

int
record_get_message(struct span payload, struct record_message *m)
{
	struct reader r = { payload, false };

	if (get_message(&r, m) == -1 || r.left.n != m->body.n)
		return -1;
	m->body = r.left;
	return 0;
}

int
record_get_head(struct span payload, struct record_message *m)
{
	struct reader r = { payload, false };

	if (get_message(&r, m) == -1 || r.left.n != 0)
		return -1;
	m->body = SPAN_NONE;
	return 0;
}

int
record_get_outcome(struct span payload, struct record_outcome *o)
{
	struct reader r = { payload, false };
	struct span walk;
	struct record_change c;
	uint32_t n = 0;

	o->id = get_bytes(&r, ID_LEN);
	o->flags = (uint8_t)get_number(&r, 1);
	o->running = get_number(&r, 8);
	o->nchanges = (uint32_t)get_number(&r, 4);
	o->changes = r.left;
	if (r.failed || !id_valid(o->id))
		return -1;
	for (walk = o->changes; record_change(&walk, &c) == 1; n++)
		;
	return walk.n == 0 && n == o->nchanges ? 0 : -1;
}

int
record_get_end(struct span payload, struct span *id)
{
	*id = payload;
	return payload.n == ID_LEN && id_valid(payload) ? 0 : -1;
}

int
record_get_void(struct span payload, uint64_t *segment, uint32_t *offset)
{
	struct reader r = { payload, false };

	*segment = get_number(&r, 8);
	*offset = (uint32_t)get_number(&r, 4);
	return r.failed || r.left.n != 0 ? -1 : 0;
}
