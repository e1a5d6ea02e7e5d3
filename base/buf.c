/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/buf.c - see buf.h. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_free(struct buf *b)
{
	free(b->mem);
	buf_init(b, b->max);
}

void
buf_wipe(struct buf *b)
{
	if (b->mem != NULL)
		explicit_bzero(b->mem, b->cap);
	buf_free(b);
}

void
buf_reset(struct buf *b)
{
	b->off = b->len = 0;
	b->failed = false;
}

static bool
buf_reserve(struct buf *b, size_t n)
{
	size_t cap, need;
	char *mem;

	if (n > b->max || b->len > b->max - n)
		return false;
	need = b->len + n + 1;		/* the NUL of buf_cstr() */
	if (b->off + need <= b->cap)
		return true;
	/* Sliding a nearly full buffer for each small piece would be
	 * quadratic: slide only when half of it gets free, else grow. */
	if (need <= b->cap / 2) {
		memmove(b->mem, b->mem + b->off, b->len);
		b->off = 0;
		return true;
	}
	cap = b->cap == 0 ? 256 : b->cap;
	while (cap < need || cap == b->cap)
		cap *= 2;
	/* Not beyond what may ever be in it, unless room to slide is needed. */
	if (b->off == 0 && cap > b->max + 1)
		cap = b->max + 1;
	mem = malloc(cap);
	if (mem == NULL)
		return false;
	if (b->len > 0)
		memcpy(mem, b->mem + b->off, b->len);
	free(b->mem);
	b->mem = mem;
	b->off = 0;
	b->cap = cap;
	return true;
}

char *
buf_room(struct buf *b, size_t n)
{
	if (b->failed || !buf_reserve(b, n)) {
		b->failed = true;
		return NULL;
	}
	return b->mem + b->off + b->len;
}

void
buf_grown(struct buf *b, size_t n)
{
	assert(b->off + b->len + n < b->cap);
	b->len += n;
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
	char *at = buf_room(b, n);

	if (at == NULL)
		return -1;
	if (n > 0)
		memcpy(at, p, n);
	b->len += n;
	return 0;
}

int
buf_span(struct buf *b, struct span s)
{
	return buf_add(b, s.p, s.n);
}

int
buf_str(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int
buf_char(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;
	char *at;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (at = buf_room(b, (size_t)n)) == NULL) {
		b->failed = true;
		return -1;
	}
	va_start(ap, fmt);
	vsnprintf(at, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

int
buf_insert(struct buf *b, size_t at, struct span s)
{
	size_t tail = b->len - at;
	char *p;

	assert(at <= b->len);
	if (buf_room(b, s.n) == NULL)
		return -1;
	p = b->mem + b->off + at;
	memmove(p + s.n, p, tail);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	buf_grown(b, s.n);
	return 0;
}

void
buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->len);
	b->len -= n;
	b->off = b->len == 0 ? 0 : b->off + n;
}

const char *
buf_cstr(struct buf *b)
{
	if (b->mem == NULL)
		return "";
	b->mem[b->off + b->len] = '\0';
	return b->mem + b->off;
}
