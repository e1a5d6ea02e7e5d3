/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* keys/rate.c - see rate.h. */
#include "keys/rate.h"

#define ONE	1000u				/* RSA-2048 */
#define MOST	(RATE_RSA_A_SECOND * ONE)	/* a second's worth at once */

void
rate_init(struct rate *r, uint64_t now)
{
	*r = (struct rate){ .credit = MOST, .at = now };
}

/* The cube: twice the bits are eight times the work. */
static uint64_t
cost(unsigned bits)
{
	uint64_t k = bits / 64 > 512 ? 512 : bits / 64;	/* 32 for 2048 */

	return ONE * k * k * k / (32 * 32 * 32);
}

bool
rate_take(struct rate *r, uint64_t now, unsigned bits)
{
	uint64_t passed = now > r->at ? now - r->at : 0, c = cost(bits);

	r->at = now;
	r->credit = passed >= 1000 || r->credit + passed * RATE_RSA_A_SECOND >
	    MOST ? MOST : r->credit + passed * RATE_RSA_A_SECOND;
	/* A key that costs more than a second's worth is used all the same. */
	if (c > MOST)
		c = MOST;
	if (r->credit < c) {
		r->refused++;
		return false;
	}
	r->credit -= c;
	return true;
}

unsigned
rate_report(struct rate *r, uint64_t now)
{
	unsigned n = r->refused;

	if (n == 0 || (r->said != 0 && now < r->said + 1000))
		return 0;
	r->said = now;
	r->refused = 0;
	return n;
}
