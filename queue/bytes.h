/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/bytes.h - little-endian numbers in memory, whatever the machine. */
#ifndef QUEUE_BYTES_H
#define QUEUE_BYTES_H

#include <stdint.h>

static inline void
le_put(char *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (char)(unsigned char)(v >> (8 * i));
}

static inline uint64_t
le_get(const char *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return v;
}

#endif
