/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any message through the conversion to 7 bits: the verdict and the result do
 * not depend on how it was cut, what comes out is 7-bit, has only whole line
 * ends, is within its bound, and has nothing more to convert. */
#include "smtp/mime7.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"

static enum mime7_verdict
scan(struct mime7 *m, struct span in, size_t step)
{
	mime7_begin(m);
	for (; in.n > 0; in = span_skip(in, step))
		mime7_scan(m, span_head(in, step));
	return mime7_verdict(m);
}

static void
convert(struct mime7 *m, struct span in, size_t step, struct buf *out)
{
	mime7_rewind(m);
	for (; in.n > 0; in = span_skip(in, step)) {
		size_t before = out->len;

		mime7_put(m, span_head(in, step), out);
		require(out->len - before <= MIME7_OUT_MAX(step));
	}
	mime7_end(m, out);
	require(!out->failed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mime7 m;
	struct span in = span_of(data, size);
	enum mime7_verdict v = scan(&m, in, 7);
	struct buf a, b;

	require(scan(&m, in, size + 1) == v);
	if (v != MIME7_CONVERT)
		return 0;
	buf_init(&a, MIME7_OUT_MAX(size));
	buf_init(&b, MIME7_OUT_MAX(size));
	convert(&m, in, size + 1, &a);
	require(scan(&m, in, 7) == v);
	convert(&m, in, 7, &b);
	require(span_eq(buf_get(&a), buf_get(&b)));
	require_crlf(buf_get(&a));
	for (size_t i = 0; i < a.len; i++)
		require((unsigned char)buf_get(&a).p[i] < 0x80);
	require(scan(&m, buf_get(&a), 7) == MIME7_PLAIN);
	buf_free(&a);
	buf_free(&b);
	return 0;
}
