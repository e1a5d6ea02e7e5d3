/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/utf8.c - see utf8.h. */
#include "base/utf8.h"

/* By number of bytes: the least code that needs so many. */
static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

static bool
is_code(uint32_t code)
{
	return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

size_t
utf8_take(struct span s, uint32_t *code)
{
	const unsigned char *p = (const unsigned char *)s.p;
	uint32_t c;
	size_t n;

	if (s.n == 0)
		return 0;
	n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 :
	    p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
	if (n == 0 || s.n < n)
		return 0;
	c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[n] || !is_code(c))
		return 0;
	if (code != NULL)
		*code = c;
	return n;
}

bool
utf8_valid(struct span s)
{
	while (s.n > 0) {
		size_t n = utf8_take(s, NULL);

		if (n == 0)
			return false;
		s = span_skip(s, n);
	}
	return true;
}

bool
utf8_any(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return true;
	return false;
}

size_t
utf8_put(uint32_t code, char out[4])
{
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	if (!is_code(code))
		return 0;
	for (size_t i = n - 1; i > 0; i--, code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(n == 1 ? code : (0xf00u >> n & 0xf0u) | code);
	return n;
}
