/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/buf.h - a byte buffer that grows up to a bound given at birth.
 *
 * Adding never aborts: over the bound or out of memory the call returns -1,
 * nothing of that piece is added, and `failed` stays set until buf_reset().
 * A run of adds may therefore be checked once, at its end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/span.h"

struct buf {
	char	*mem;
	size_t	 off, len;	/* valid bytes: mem[off .. off+len) */
	size_t	 cap, max;
	bool	 failed;
};

void	buf_init(struct buf *, size_t max);
void	buf_free(struct buf *);			/* may be used again after it */
void	buf_wipe(struct buf *);			/* the same, overwritten first */
void	buf_reset(struct buf *);		/* empty; memory kept */

int	buf_add(struct buf *, const void *, size_t);
int	buf_span(struct buf *, struct span);
int	buf_str(struct buf *, const char *);
int	buf_char(struct buf *, char);
int	buf_printf(struct buf *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));

/* Ahead of the valid byte number `at`. */
int	buf_insert(struct buf *, size_t at, struct span);

/* Room for at least n bytes behind the valid ones, to read into; then
 * buf_grown() says how many came.  NULL as for a failed add. */
char	*buf_room(struct buf *, size_t n);
void	 buf_grown(struct buf *, size_t n);

void	buf_consume(struct buf *, size_t n);	/* drop n bytes at the front */

static inline struct span
buf_get(const struct buf *b)
{
	return b->len == 0 ? SPAN_NONE : span_of(b->mem + b->off, b->len);
}

/* The bytes as a C string (a NUL is kept behind them, not counted). "" when
 * there are none.  Valid until the next add. */
const char	*buf_cstr(struct buf *);

#endif
