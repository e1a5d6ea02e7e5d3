/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* mtasts/syntax.h - what record and policy have in common. */
#ifndef MTASTS_SYNTAX_H
#define MTASTS_SYNTAX_H

#include "base/span.h"

static inline bool
sts_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

/* A field's name: (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / "."). */
static inline bool
sts_key_valid(struct span k)
{
	for (size_t i = 0; i < k.n; i++)
		if (!sts_alnum(k.p[i]) && (i == 0 || (k.p[i] != '_' &&
		    k.p[i] != '-' && k.p[i] != '.')))
			return false;
	return k.n >= 1 && k.n <= 32;
}

#endif
