/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/fuzz/check.h - properties that several targets check. */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include <stdlib.h>

#include "base/span.h"

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
