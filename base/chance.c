/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/chance.c - see base/chance.h.  SplitMix64 (Steele, Lea and Flood, 2014)
 * and the shuffle of Fisher and Yates. */
#include "base/chance.h"

#include <assert.h>
#include <string.h>

uint64_t
chance_next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

void
chance_shuffle(void *v, size_t n, size_t size, uint64_t *seed)
{
	char kept[CHANCE_ELEMENT], *at = v;

	assert(size <= sizeof(kept));
	for (size_t i = n; i > 1; i--) {
		size_t other = (size_t)(chance_next(seed) % i);

		if (other == i - 1)
			continue;
		memcpy(kept, at + (i - 1) * size, size);
		memcpy(at + (i - 1) * size, at + other * size, size);
		memcpy(at + other * size, kept, size);
	}
}
