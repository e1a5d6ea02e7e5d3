/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/honesty.h - do signatures come through to us?  The rule alone, pure:
 * told what the probes heard, and the time.
 *
 * Probes are the records that every signed root has: its SOA, its DNSKEY, and
 * its denial of a name that is not there.  Secure is honest.  Bogus is
 * dishonest: someone on the way takes signatures out or changes what they sign.
 * No answer proves nothing, and neither does an insecure one, which is what a
 * trust anchor below the root makes of them.
 *
 * A way that never was honest is that of many small networks: DNSSEC is off, and
 * DANE with it, as if there were none.  One that was honest is held to it: to
 * lose signatures is then what an attack looks like, and nobody may lower what
 * was there by taking it away. */
#ifndef POLICY_HONESTY_H
#define POLICY_HONESTY_H

#include "dns/answer.h"

/* The numbers are kept in policy.db and never change. */
enum honesty_state { HONESTY_UNKNOWN, HONESTY_HONEST, HONESTY_DISHONEST,
	HONESTY_COUNT };
const char	*honesty_name(enum honesty_state);

struct honesty {
	enum honesty_state	state;
	uint64_t	since;	/* wall s: so it is since then; 0 never told */
	uint64_t	first;	/* honest for the first time; 0 never */
};

/* What one round of probes came to; starts as all zero. */
struct honesty_round {
	unsigned	probes, secure, bogus;
	bool		answered;	/* without DNSSEC, something answers */
};
void	honesty_heard(struct honesty_round *, enum dns_status);

/* True: the state is another now. */
bool	honesty_judge(struct honesty *, const struct honesty_round *,
	    uint64_t now);

enum honesty_effect {
	EFFECT_NONE,		/* answers count as they are */
	EFFECT_UNCHECKED,	/* without DNSSEC, DANE is off */
	EFFECT_HELD,		/* every look-up is an error, mail waits */
	EFFECT_COUNT
};
const char	*honesty_effect_name(enum honesty_effect);

/* `accept`: our operator takes a loss of signatures as it comes. */
enum honesty_effect	honesty_effect(const struct honesty *, bool accept);

#endif
