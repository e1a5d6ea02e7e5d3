/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/base64.c - see base64.h. */
#include "base/base64.h"

#include <stdint.h>

static const char letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int
base64_put(struct buf *b, struct span s)
{
	size_t n = (s.n + 2) / 3 * 4;
	char *to = buf_room(b, n);

	if (to == NULL)
		return -1;
	for (size_t i = 0; i < s.n; i += 3) {
		size_t left = s.n - i;
		uint32_t v = (uint32_t)(unsigned char)s.p[i] << 16;

		if (left > 1)
			v |= (uint32_t)(unsigned char)s.p[i + 1] << 8;
		if (left > 2)
			v |= (unsigned char)s.p[i + 2];
		*to++ = letters[v >> 18];
		*to++ = letters[v >> 12 & 63];
		*to++ = left > 1 ? letters[v >> 6 & 63] : '=';
		*to++ = left > 2 ? letters[v & 63] : '=';
	}
	buf_grown(b, n);
	return 0;
}

static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int
base64_get(struct buf *b, struct span s)
{
	size_t pad = 0, n;
	char *to;

	while (pad < 2 && pad < s.n && s.p[s.n - 1 - pad] == '=')
		pad++;
	if (s.n % 4 != 0)
		return -1;
	n = s.n / 4 * 3 - pad;
	to = buf_room(b, n + 3);
	if (to == NULL)
		return -1;
	for (size_t i = 0; i < s.n; i += 4) {
		uint32_t v = 0;

		for (size_t j = i; j < i + 4; j++) {
			int bits = j >= s.n - pad ? 0 : value_of(s.p[j]);

			if (bits == -1)
				return -1;
			v = v << 6 | (uint32_t)bits;
		}
		*to++ = (char)(v >> 16);
		*to++ = (char)(v >> 8);
		*to++ = (char)v;
		/* RFC 4648 sec 3.5: what no byte uses must be zero. */
		if (i + 4 == s.n && (v & ((1u << 8 * pad) - 1)) != 0)
			return -1;
	}
	buf_grown(b, n);
	return 0;
}
