/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/span.h - a borrowed run of bytes: pointer and length, no NUL needed.
 *
 * Spans never own.  Whoever hands one out says how long it lives; as a rule
 * until the next read into the buffer that it points into. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char	*p;
	size_t		 n;
};

#define SPAN_LIT(s)	((struct span){ (s), sizeof(s) - 1 })
#define SPAN_NONE	((struct span){ "", 0 })
/* for printf("%.*s"): lengths here are bounded far below INT_MAX */
#define SPAN_FMT(s)	(int)(s).n, (s).p

static inline struct span
span_of(const void *p, size_t n)
{
	return (struct span){ p, n };
}

static inline struct span
span_str(const char *s)
{
	return s == NULL ? SPAN_NONE : span_of(s, strlen(s));
}

static inline bool
span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline struct span
span_skip(struct span s, size_t n)
{
	if (n > s.n)
		n = s.n;
	return span_of(s.p + n, s.n - n);
}

static inline struct span
span_head(struct span s, size_t n)
{
	return span_of(s.p, n < s.n ? n : s.n);
}

/* ASCII only, whatever the locale: protocol words and domains. */
static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool	span_ieq(struct span, struct span);		/* ASCII case folded */
bool	span_istarts(struct span, struct span prefix);
int	span_cmp(struct span, struct span);		/* as strcmp */
struct span	span_trim(struct span);			/* SP and HTAB, both ends */

/* Cut at the first `sep`: the part before it is returned, `rest` goes on
 * behind it.  Without `sep` all is returned and `rest` becomes empty. */
struct span	span_cut(struct span *rest, char sep);

/* A decimal number that fills the whole span, at most `max`. */
bool	span_u64(struct span, unsigned long long max, unsigned long long *);

/* Copy as a C string; false when it does not fit `size` (dst is then cut, and
 * always NUL-ended) or when the span holds a NUL. */
bool	span_copy(struct span, char *dst, size_t size);

#endif
