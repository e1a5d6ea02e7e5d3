/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any bytes behind DATA or BDAT: the end is the first CRLF.CRLF and nothing else (the
 * CRLF of the command counted), which a search finds too; only CRLF is left as
 * a line end; whole, byte by byte and in two halves give the same. */
#include "base/buf.h"
#include "smtp/data.h"
#include "smtp/header.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"

struct taker {
	struct smtp_data d;
	struct smtp_header h;
	struct buf	 out;
	size_t		 used;
};

static void
emit(void *arg, struct span s)
{
	struct taker *t = arg;

	require(s.n > 0);
	smtp_header_feed(&t->h, s);
	require(buf_span(&t->out, s) == 0);
}

static void
take(struct taker *t, struct span s)
{
	size_t n, before = t->out.len;

	if (t->d.state == SMTP_DATA_DONE)
		return;
	n = smtp_data_feed(&t->d, s, emit, t);
	require(n <= s.n && (n == s.n || t->d.state == SMTP_DATA_DONE));
	require(t->out.len - before <= 2 * s.n + 2);
	require(t->d.size == t->out.len);
	t->used += n;
}

static void
same(const struct taker *a, const struct taker *b)
{
	require(a->used == b->used && a->d.state == b->d.state);
	require(a->d.bare_cr == b->d.bare_cr && a->d.bare_lf == b->d.bare_lf);
	require(a->h.hops == b->h.hops && a->h.size == b->h.size);
	require(a->h.ended == b->h.ended && a->h.date == b->h.date);
	require(a->h.message_id == b->h.message_id);
	require(a->d.nul == b->d.nul);
	require(span_eq(buf_get(&a->out), buf_get(&b->out)));
}

static void
right_end(const struct taker *t, struct span in)
{
	struct buf all;
	const char *end;

	buf_init(&all, in.n + 2);
	require(buf_add(&all, "\r\n", 2) == 0 && buf_span(&all, in) == 0);
	end = memmem(buf_get(&all).p, all.len, "\r\n.\r\n", 5);
	require((end != NULL) == (t->d.state == SMTP_DATA_DONE));
	if (end != NULL)
		require(t->used == (size_t)(end - buf_get(&all).p) + 3);
	buf_free(&all);
}

static void
three_ways(struct span in, bool chunked)
{
	struct taker t[3];

	for (int i = 0; i < 3; i++) {
		t[i] = (struct taker){ .d = { .chunked = chunked } };
		buf_init(&t[i].out, 2 * in.n + 2);
	}
	take(&t[0], in);
	for (size_t i = 0; i < in.n; i++)
		take(&t[1], span_of(in.p + i, 1));
	take(&t[2], span_head(in, in.n / 2));
	take(&t[2], span_skip(in, in.n / 2));
	for (int i = 0; i < 3 && chunked; i++)
		smtp_data_end(&t[i].d, emit, &t[i]);
	same(&t[0], &t[1]);
	same(&t[0], &t[2]);
	if (chunked)
		require(t[0].used == in.n && t[0].d.state != SMTP_DATA_DONE);
	else
		right_end(&t[0], in);
	require_crlf(buf_get(&t[0].out));
	require(t[0].h.size <= t[0].out.len);
	for (int i = 0; i < 3; i++)
		buf_free(&t[i].out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	three_ways(span_of(data, size), false);
	three_ways(span_of(data, size), true);
	return 0;
}
