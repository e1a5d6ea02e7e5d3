/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/fuzz/check.h - properties that several targets check. */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include <stdlib.h>

#include "base/span.h"
#include "base/utf8.h"

static inline void
require(bool holds)
{
	if (!holds)
		abort();
}

static inline void
require_printable(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		require(s.p[i] >= 0x20 && s.p[i] <= 0x7e);
}

/* The same in UTF-8. */
static inline void
require_text(struct span s)
{
	size_t n;

	for (; s.n > 0; s = span_skip(s, n)) {
		uint32_t code = 0;

		n = utf8_take(s, &code);
		require(n > 0 && code >= 0x20 && (code <= 0x7e || code >= 0xa0));
	}
}

/* CR and LF only as CRLF. */
static inline void
require_crlf(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		require(s.p[i] != '\r' || (i + 1 < s.n && s.p[i + 1] == '\n'));
		require(s.p[i] != '\n' || (i > 0 && s.p[i - 1] == '\r'));
	}
}

#endif
