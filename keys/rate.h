/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* keys/rate.h - how many RSA signatures a second.
 *
 * One with 2048 bits costs more than a millisecond, ten times what a whole
 * handshake with ECDSA costs us, and whoever likes can ask for one.  Beyond the
 * rate the handshake fails and may be tried again; peers that take ECDSA do not
 * notice.  Pure. */
#ifndef KEYS_RATE_H
#define KEYS_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_RSA_A_SECOND	300	/* per keys process, with 2048 bits */

struct rate {
	uint64_t	credit, at;	/* thousandths of one; ms */
	uint64_t	said;		/* ms */
	unsigned	refused;	/* since then */
};

void	rate_init(struct rate *, uint64_t now);
/* May a signature with an RSA key of `bits` be made now?  Larger keys count as
 * what they cost. */
bool	rate_take(struct rate *, uint64_t now, unsigned bits);
/* How many refusals to tell now, 0 for none: once a second. */
unsigned	rate_report(struct rate *, uint64_t now);

#endif
