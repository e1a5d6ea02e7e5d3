/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/idn.c - see idn.h. */
#include "base/idn.h"

#include <idn2.h>
#include <stdlib.h>

#include "base/utf8.h"

#define UTF8_NAME_MAX	1012	/* bytes: 253 characters of four */

static size_t
put_lower(struct span name, char out[IDN_SIZE])
{
	if (!span_copy(name, out, IDN_SIZE))
		return 0;
	for (size_t i = 0; i < name.n; i++)
		out[i] = ascii_lower(out[i]);
	return name.n;
}

size_t
idn_to_ascii(struct span name, char out[IDN_SIZE])
{
	char text[UTF8_NAME_MAX + 1], *ascii = NULL;
	size_t n;

	if (!utf8_any(name))
		return put_lower(name, out);
	if (!span_copy(name, text, sizeof text) || idn2_to_ascii_8z(text,
	    &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return 0;
	n = put_lower(span_str(ascii), out);
	free(ascii);
	return n;
}
