/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/transfer.c - see transfer.h. */
#include "queue/transfer.h"

#include "base/crc32c.h"
#include "base/envelope.h"
#include "queue/bytes.h"

enum { AT_BEGIN, AT_HEADER, AT_HEAD, AT_BODY, AT_SUM, AT_END, AT_LOST };

/* ---- writing ---- */

static void
put(char type, uint64_t number, struct span head, uint64_t body,
    char out[TRANSFER_HEADER])
{
	le_put(out, (unsigned char)type, 4);
	le_put(out + 4, head.n, 4);
	le_put(out + 8, body, 8);
	le_put(out + 16, number, 8);
	le_put(out + 24, crc32c(0, head.p, head.n), 4);
	le_put(out + 28, crc32c(0, out, 28), 4);
}

void
transfer_put_message(uint64_t number, struct span head, uint64_t body,
    char out[TRANSFER_HEADER])
{
	put('M', number, head, body, out);
}

void
transfer_put_end(uint64_t number, char out[TRANSFER_HEADER])
{
	put('E', number, SPAN_NONE, 0, out);
}

/* ---- is it a message for a queue? ---- */

/* A line end in an address would be a command of its own at the next hop. */
static bool
clean(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

static const char *
judge_rcpts(const struct record_message *m)
{
	struct span list = m->rcpts;
	struct record_rcpt r;
	struct record_change c;

	while (record_rcpt(&list, &r, &c) == 1) {
		if (c.state != RCPT_HELD || c.due != DUE_NONE)
			return "a recipient is not held";
		if (r.address.n == 0 || !clean(r.address) || !clean(r.orcpt))
			return "a recipient's address is none";
	}
	return NULL;
}

/* NULL: it is one; else why not. */
static const char *
judge(const struct transfer *t)
{
	const struct record_message *m = &t->message;

	if (m->size != t->body)
		return "its size is not that of its body";
	if ((m->flags & RECORD_IN_FILE) == 0 && m->size > TRANSFER_INLINE_MAX)
		return "it is too large to be kept in the log";
	if ((m->flags & ~(RECORD_IN_FILE | RECORD_BOUNCE | RECORD_WARNED)) !=
	    0 || (m->envelope & ~ENVELOPE_FLAGS) != 0)
		return "it has flags of a newer version";
	if (!clean(m->sender) || !clean(m->client) || !clean(m->session) ||
	    !clean(m->envid))
		return "its sender, client or envelope id is none";
	return judge_rcpts(m);
}

/* ---- reading ---- */

void
transfer_init(struct transfer *t)
{
	*t = (struct transfer){ .state = AT_BEGIN };
	buf_init(&t->mem, TRANSFER_HEADER);
	buf_init(&t->head, TRANSFER_HEAD_MAX);
}

void
transfer_free(struct transfer *t)
{
	buf_free(&t->mem);
	buf_free(&t->head);
}

/* Until `b` has n bytes. */
static bool
gather(struct buf *b, size_t n, struct span *in)
{
	struct span part = span_head(*in, n - b->len);

	if (buf_span(b, part) == 0)
		*in = span_skip(*in, part.n);
	return b->len == n;
}

static enum transfer_step
lost(struct transfer *t, const char *why)
{
	t->state = AT_LOST;
	t->why = why;
	return TRANSFER_LOST;
}

/* This one is no good; its body goes by without a word. */
static enum transfer_step
spoilt(struct transfer *t, const char *why)
{
	t->why = why;
	return TRANSFER_SPOILT;
}

static enum transfer_step
take_header(struct transfer *t)
{
	const char *h = buf_get(&t->mem).p;
	uint64_t number = le_get(h + 16, 8);
	bool end = le_get(h, 4) == 'E';

	if (le_get(h + 28, 4) != crc32c(0, h, 28))
		return lost(t, "a header is damaged");
	if (!end && le_get(h, 4) != 'M')
		return lost(t, "it is of a newer version");
	if (number != t->number + 1)
		return lost(t, "a message is missing or comes twice");
	t->head_length = (size_t)le_get(h + 4, 4);
	t->body = t->left = le_get(h + 8, 8);
	t->head_sum = (uint32_t)le_get(h + 24, 4);
	t->sum = 0;
	t->why = NULL;
	buf_reset(&t->mem);
	if (end) {
		t->state = AT_END;
		return TRANSFER_END;
	}
	if (t->head_length == 0 || t->head_length > TRANSFER_HEAD_MAX)
		return lost(t, "the head of a message is too long");
	t->number = number;
	buf_reset(&t->head);
	t->message = (struct record_message){ .id = SPAN_NONE };
	t->state = AT_HEAD;
	return TRANSFER_WANTS;
}

static enum transfer_step
take_head(struct transfer *t)
{
	struct span head = buf_get(&t->head);
	const char *why;

	t->state = AT_BODY;
	if (crc32c(0, head.p, head.n) != t->head_sum)
		return spoilt(t, "its head is damaged");
	if (record_get_head(head, &t->message) == -1) {
		t->message.id = SPAN_NONE;
		return spoilt(t, "its head is none");
	}
	why = judge(t);
	return why == NULL ? TRANSFER_MESSAGE : spoilt(t, why);
}

static bool
take_body(struct transfer *t, struct span *in, struct span *piece)
{
	*piece = span_head(*in, t->left < in->n ? (size_t)t->left : in->n);
	*in = span_skip(*in, piece->n);
	t->left -= piece->n;
	t->sum = crc32c(t->sum, piece->p, piece->n);
	if (t->left == 0)
		t->state = AT_SUM;
	return piece->n > 0 && t->why == NULL;
}

static enum transfer_step
take_sum(struct transfer *t)
{
	uint32_t sum = (uint32_t)le_get(buf_get(&t->mem).p, 4);

	buf_reset(&t->mem);
	t->state = AT_HEADER;
	if (t->why != NULL)
		return TRANSFER_WANTS;
	if (sum != t->sum || ((t->message.flags & RECORD_IN_FILE) != 0 &&
	    sum != t->message.sum))
		return spoilt(t, "its body is damaged");
	return TRANSFER_WHOLE;
}

static enum transfer_step
take_begin(struct transfer *t)
{
	static const struct span begin = { TRANSFER_BEGIN,
	    sizeof(TRANSFER_BEGIN) - 1 };
	struct span have = buf_get(&t->mem);

	if (!span_eq(have, begin))
		return lost(t, "it is no export of a queue, or of a newer "
		    "version");
	buf_reset(&t->mem);
	t->state = AT_HEADER;
	return TRANSFER_WANTS;
}

/* One step, when all bytes that it needs are there.  WANTS: there is nothing
 * to say of it. */
static enum transfer_step
step(struct transfer *t, struct span *in, struct span *piece)
{
	switch (t->state) {
	case AT_BEGIN:
		return gather(&t->mem, sizeof(TRANSFER_BEGIN) - 1, in) ?
		    take_begin(t) : TRANSFER_WANTS;
	case AT_HEADER:
		return gather(&t->mem, TRANSFER_HEADER, in) ?
		    take_header(t) : TRANSFER_WANTS;
	case AT_HEAD:
		return gather(&t->head, t->head_length, in) ? take_head(t) :
		    TRANSFER_WANTS;
	case AT_BODY:
		return take_body(t, in, piece) ? TRANSFER_BODY :
		    TRANSFER_WANTS;
	case AT_SUM:
		return gather(&t->mem, TRANSFER_SUM, in) ? take_sum(t) :
		    TRANSFER_WANTS;
	case AT_END:
		return in->n == 0 ? TRANSFER_WANTS :
		    lost(t, "something follows its end");
	default:
		return TRANSFER_LOST;
	}
}

enum transfer_step
transfer_next(struct transfer *t, struct span *in, struct span *piece)
{
	enum transfer_step s;
	size_t left;
	int state;

	/* An empty body needs no input. */
	do {
		state = t->state;
		left = in->n;
		s = step(t, in, piece);
	} while (s == TRANSFER_WANTS && (in->n < left || t->state != state));
	return s == TRANSFER_WANTS && in->n > 0 ? lost(t, "no memory") : s;
}
