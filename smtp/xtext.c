/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/xtext.c - see xtext.h. */
#include "smtp/xtext.h"

int
smtp_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
printable(char c)
{
	return (c >= ' ' && c <= '~') || c == '\t';
}

bool
smtp_xtext_decode(struct span in, bool beyond, char *out, size_t *n)
{
	for (*n = 0; in.n > 0; in = span_skip(in, 1)) {
		char c = in.p[0];

		if (c <= ' ' || c > '~' || c == '=')
			return false;
		if (c == '+') {
			int high = in.n < 3 ? -1 : smtp_hex_digit(in.p[1]);
			int low = in.n < 3 ? -1 : smtp_hex_digit(in.p[2]);

			if (high == -1 || low == -1)
				return false;
			c = (char)(high << 4 | low);
			in = span_skip(in, 2);
		}
		if (!printable(c) && !(beyond && (unsigned char)c >= 0x80))
			return false;
		out[(*n)++] = c;
	}
	return *n > 0;
}
