/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/convert.c - see convert.h. */
#include "relay/convert.h"

#include <stdlib.h>

struct convert *
convert_new(struct body *body, bool count)
{
	struct convert *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->body = body;
	c->count = count;
	buf_init(&c->out, CONVERT_OUT_MAX);
	mime7_begin(&c->mime);
	return c;
}

void
convert_free(struct convert **cp)
{
	if (*cp == NULL)
		return;
	buf_free(&(*cp)->out);
	free(*cp);
	*cp = NULL;
}

static int
scan(struct convert *c, struct fault *f)
{
	struct span piece;

	if (body_piece(c->body, c->at, BODY_PIECE, &piece, f) == -1)
		return -1;
	mime7_scan(&c->mime, piece);
	c->at += piece.n;
	if (c->at < c->body->size)
		return 0;
	c->verdict = mime7_verdict(&c->mime);
	c->state = CONVERT_READY;
	if (c->verdict == MIME7_CONVERT && c->count) {
		c->state = CONVERT_COUNT;
		convert_rewind(c);
	}
	return 0;
}

static int
count(struct convert *c, struct fault *f)
{
	struct span piece;
	bool last;

	if (convert_piece(c, &piece, &last, f) == -1)
		return -1;
	c->size += piece.n;
	if (last)
		c->state = CONVERT_READY;
	return 0;
}

int
convert_slice(struct convert *c, struct fault *f)
{
	uint64_t start = c->at;
	enum convert_state state = c->state;

	while (c->state != CONVERT_READY && c->state == state &&
	    c->at - start < CONVERT_SLICE) {
		if ((state == CONVERT_SCAN ? scan : count)(c, f) == -1)
			return -1;
	}
	return c->state == CONVERT_READY;
}

void
convert_rewind(struct convert *c)
{
	c->at = 0;
	mime7_rewind(&c->mime);
}

int
convert_piece(struct convert *c, struct span *out, bool *last, struct fault *f)
{
	struct span piece;

	if (body_piece(c->body, c->at, CONVERT_PIECE, &piece, f) == -1)
		return -1;
	c->at += piece.n;
	*last = c->at >= c->body->size;
	buf_reset(&c->out);
	mime7_put(&c->mime, piece, &c->out);
	if (*last)
		mime7_end(&c->mime, &c->out);
	if (c->out.failed)
		return fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "no memory to convert the message");
	*out = buf_get(&c->out);
	return 0;
}
