/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/span.c - see span.h. */
#include "base/span.h"

bool
span_ieq(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

bool
span_istarts(struct span s, struct span prefix)
{
	return s.n >= prefix.n && span_ieq(span_head(s, prefix.n), prefix);
}

int
span_cmp(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (c != 0)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span
span_trim(struct span s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = span_skip(s, 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct span
span_cut(struct span *rest, char sep)
{
	struct span all = *rest;
	const char *at = all.n == 0 ? NULL : memchr(all.p, sep, all.n);

	if (at == NULL) {
		*rest = span_skip(all, all.n);
		return all;
	}
	*rest = span_skip(all, (size_t)(at - all.p) + 1);
	return span_of(all.p, (size_t)(at - all.p));
}

bool
span_u64(struct span s, unsigned long long max, unsigned long long *out)
{
	unsigned long long v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = (unsigned)(s.p[i] - '0');

		if (s.p[i] < '0' || d > 9 || v > (max - d) / 10 || d > max)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return true;
}

bool
span_copy(struct span s, char *dst, size_t size)
{
	size_t n = s.n < size ? s.n : size - 1;

	if (n > 0)
		memcpy(dst, s.p, n);
	dst[n] = '\0';
	return n == s.n && (n == 0 || memchr(dst, '\0', n) == NULL);
}
