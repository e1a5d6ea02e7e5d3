/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/crc32c.c - the processor's instruction where there is one (SSE 4.2,
 * asked at run time, because packages are built for the oldest amd64), four
 * tables of 256 entries elsewhere. */
#include "base/crc32c.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#define POLY	0x82f63b78u	/* 0x1edc6f41 with its bits reversed */

static uint32_t tables[4][256];
static bool tables_made;

static void
tables_make(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = (c >> 1) ^ ((c & 1) != 0 ? POLY : 0);
		tables[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; i++) {
		for (int t = 1; t < 4; t++) {
			uint32_t before = tables[t - 1][i];

			tables[t][i] = (before >> 8) ^
			    tables[0][before & 0xff];
		}
	}
	tables_made = true;
}

uint32_t
crc32c_table(uint32_t crc, const void *data, size_t n)
{
	const unsigned char *p = data;

	if (!tables_made)
		tables_make();
	crc = ~crc;
	for (; n >= 4; p += 4, n -= 4) {
		crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 |
		    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		crc = tables[3][crc & 0xff] ^ tables[2][crc >> 8 & 0xff] ^
		    tables[1][crc >> 16 & 0xff] ^ tables[0][crc >> 24];
	}
	for (; n > 0; p++, n--)
		crc = (crc >> 8) ^ tables[0][(crc ^ *p) & 0xff];
	return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2")))
static uint32_t
crc32c_sse42(uint32_t crc, const void *data, size_t n)
{
	const unsigned char *p = data;
	uint64_t c = (uint32_t)~crc;

	for (; n >= 8; p += 8, n -= 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		c = _mm_crc32_u64(c, word);
	}
	for (; n > 0; p++, n--)
		c = _mm_crc32_u8((uint32_t)c, *p);
	return ~(uint32_t)c;
}
#endif

uint32_t
crc32c(uint32_t crc, const void *data, size_t n)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return crc32c_sse42(crc, data, n);
#endif
	return crc32c_table(crc, data, n);
}
