/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/siphash.h - SipHash-2-4 (Aumasson and Bernstein, 2012): a 64-bit hash
 * that nobody without the key can find collisions for. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stdint.h>

#include "base/span.h"

struct siphash_key {
	uint64_t	k0, k1;
};

uint64_t	siphash(const struct siphash_key *, struct span);

#endif
