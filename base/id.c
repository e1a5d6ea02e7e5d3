/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/id.c - see id.h. */
#include "base/id.h"

#include <errno.h>
#include <sys/random.h>

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

/* Random bits come from a small pool: one getrandom(2) for 64 ids. */
static uint32_t
random_u32(void)
{
	static uint32_t pool[64];
	static unsigned left;
	uint32_t v;

	if (left == 0) {
		size_t got = 0;

		while (got < sizeof pool) {
			ssize_t n = getrandom((char *)pool + got,
			    sizeof pool - got, 0);

			if (n > 0)
				got += (size_t)n;
		}
		left = 64;
	}
	v = pool[--left];
	pool[left] = 0;
	return v;
}

void
id_make(uint64_t now_wall_ms, char out[ID_SIZE])
{
	uint64_t high = now_wall_ms & 0xffffffffffffULL;
	uint32_t low = random_u32();

	/* 80 bits, five at a time, most significant first. */
	for (int i = 0; i < ID_LEN; i++) {
		int shift = 75 - 5 * i;
		unsigned v;

		if (shift >= 32)
			v = (unsigned)(high >> (shift - 32));
		else if (shift > 27)
			v = (unsigned)((high << (32 - shift)) | (low >> shift));
		else
			v = low >> shift;
		out[i] = alphabet[v & 31];
	}
	out[ID_LEN] = '\0';
}

bool
id_valid(struct span s)
{
	if (s.n != ID_LEN)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (memchr(alphabet, s.p[i], sizeof alphabet - 1) == NULL)
			return false;
	return true;
}
