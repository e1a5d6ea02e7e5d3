/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any bytes of a client: cut into command lines whole and byte by byte they
 * are the same lines, and no line has a CR, LF or NUL in it. */
#include "base/buf.h"
#include "smtp/line.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"

struct cutter {
	struct smtp_lines lines;
	struct buf	 in, log;
	bool		 bad;
};

static void
cut(struct cutter *c, struct span s)
{
	enum smtp_line_kind kind = SMTP_LINE_OK;
	struct span line;
	size_t used;

	if (c->bad)
		return;
	require(buf_span(&c->in, s) == 0);
	while (!c->bad && kind != SMTP_LINE_NONE) {
		kind = smtp_line_take(&c->lines, buf_get(&c->in), &line, &used);
		require(used <= c->in.len);
		require(line.n <= SMTP_LINE_MAX);
		require(memchr(line.p, '\r', line.n) == NULL);
		require(memchr(line.p, '\n', line.n) == NULL);
		require(memchr(line.p, '\0', line.n) == NULL);
		c->bad = kind == SMTP_LINE_BAD;
		if (kind != SMTP_LINE_NONE)
			buf_printf(&c->log, "%d %zu\n", (int)kind, line.n);
		buf_span(&c->log, line);
		buf_consume(&c->in, used);
	}
	require(c->bad || c->in.len <= SMTP_LINE_MAX + 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cutter a = { 0 }, b = { 0 };

	buf_init(&a.in, size + SMTP_LINE_MAX + 2);
	buf_init(&b.in, size + SMTP_LINE_MAX + 2);
	buf_init(&a.log, 1u << 24);
	buf_init(&b.log, 1u << 24);
	cut(&a, span_of(data, size));
	for (size_t i = 0; i < size; i++)
		cut(&b, span_of(data + i, 1));
	require(a.bad == b.bad);
	require(span_eq(buf_get(&a.log), buf_get(&b.log)));
	buf_free(&a.in);
	buf_free(&b.in);
	buf_free(&a.log);
	buf_free(&b.log);
	return 0;
}
