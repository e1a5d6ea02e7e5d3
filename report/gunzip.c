/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/gunzip.c - see gunzip.h. */
#include "report/gunzip.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_ONLY	(16 + MAX_WBITS)
#define STEP		16384

struct gunzip {
	z_stream	z;
	bool		inside;		/* a member has begun, and not ended */
};

bool
gunzip_is(struct span head)
{
	return head.n >= 2 && head.p[0] == '\x1f' && head.p[1] == '\x8b';
}

struct gunzip *
gunzip_new(void)
{
	struct gunzip *g = calloc(1, sizeof *g);

	if (g != NULL && inflateInit2(&g->z, GZIP_ONLY) != Z_OK) {
		free(g);
		g = NULL;
	}
	return g;
}

void
gunzip_free(struct gunzip **gp)
{
	if (*gp == NULL)
		return;
	(void)inflateEnd(&(*gp)->z);
	free(*gp);
	*gp = NULL;
}

static uInt
bounded(size_t n)
{
	return n > UINT_MAX ? UINT_MAX : (uInt)n;
}

/* A member has ended: another one may begin.  Zeros that pad a file are none. */
static void
next_member(struct gunzip *g, struct span *in)
{
	(void)inflateReset(&g->z);
	g->inside = false;
	while (in->n > 0 && in->p[0] == '\0')
		*in = span_skip(*in, 1);
}

long
gunzip_more(struct gunzip *g, struct span *in, char *out, size_t size,
    struct fault *f)
{
	uInt room = bounded(size), given;
	int rc;

	g->z.next_out = (Bytef *)out;
	g->z.avail_out = room;
	while (in->n > 0 && g->z.avail_out == room) {
		given = bounded(in->n);
		g->z.next_in = (z_const Bytef *)(uintptr_t)in->p;
		g->z.avail_in = given;
		g->inside = true;
		rc = inflate(&g->z, Z_NO_FLUSH);
		*in = span_skip(*in, given - g->z.avail_in);
		if (rc == Z_STREAM_END)
			next_member(g, in);
		else if (rc != Z_OK && rc != Z_BUF_ERROR)
			return fault_set(f, FAULT_PERM, 0, "",
			    "not gzip, or damaged: %s",
			    g->z.msg != NULL ? g->z.msg : "no memory");
	}
	return (long)(room - g->z.avail_out);
}

bool
gunzip_whole(const struct gunzip *g)
{
	return !g->inside;
}

int
gunzip_all(struct span in, struct buf *out, struct fault *f)
{
	struct gunzip *g = gunzip_new();
	char step[STEP];
	long n = 1;

	if (g == NULL)
		return fault_set(f, FAULT_TEMP, 0, "", "no memory");
	while (n > 0) {
		n = gunzip_more(g, &in, step, sizeof step, f);
		if (n > 0 && buf_add(out, step, (size_t)n) == -1)
			n = fault_set(f, FAULT_PERM, 0, "", "grows to more "
			    "than %zu bytes", out->max);
	}
	if (n == 0 && !gunzip_whole(g))
		n = fault_set(f, FAULT_PERM, 0, "", "gzip is cut off");
	gunzip_free(&g);
	return (int)n;
}
