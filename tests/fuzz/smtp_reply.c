/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any bytes from a server: read in one piece and byte by byte they are the
 * same reply, within its bounds, and nothing but printable ASCII comes out. */
#include <stdlib.h>

#include "smtp/ehlo.h"
#include "smtp/reply.h"
#include "tests/fuzz/fuzz.h"

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
printable(struct span s, bool lines)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		require((s.p[i] >= 0x20 && s.p[i] <= 0x7e) ||
		    (lines && s.p[i] == '\n'));
}

static void
whole(const struct reply *r)
{
	char one[REPLY_LINE_SIZE];
	struct ehlo e;

	require(r->code >= 200 && r->code <= 599);
	require(r->bytes <= REPLY_BYTES_MAX && r->nlines <= REPLY_LINES_MAX);
	require(r->enhanced[0] == '\0' || r->enhanced[0] - '0' == r->code / 100);
	printable(buf_get(&r->lines), true);
	printable(span_str(reply_line(r, one, sizeof(one))), false);
	ehlo_parse(&e, buf_get(&r->lines));
	printable(span_str(e.mangled_word), false);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	enum reply_state a, b = REPLY_MORE;
	struct reply x, y;
	size_t used, i, n;

	reply_init(&x);
	reply_init(&y);
	a = reply_feed(&x, in, &used);
	require(used <= size);
	for (i = 0; i < size && b == REPLY_MORE; i++)
		b = reply_feed(&y, span_of(in.p + i, 1), &n);
	require(a == b && i == used);
	require(x.code == y.code && x.nlines == y.nlines && x.why == y.why);
	require(span_eq(buf_get(&x.lines), buf_get(&y.lines)));
	if (a == REPLY_DONE)
		whole(&x);
	if (a == REPLY_BAD)
		require(x.why != NULL);
	reply_free(&x);
	reply_free(&y);
	return 0;
}
