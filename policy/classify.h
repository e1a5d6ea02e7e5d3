/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/classify.h - where did TLS get lost: on the path, at the peer, or was
 * it never there?  Pure: told what was heard, now and elsewhere.
 *
 * A middlebox leaves fingerprints: keywords written over (XXXXXXXA), a banner
 * of stars, one banner for hosts that have nothing to do with each other, EHLO
 * refused by a host that took it before.  Without any, and without a policy
 * that still promises TLS, the peer itself is the simplest answer. */
#ifndef POLICY_CLASSIFY_H
#define POLICY_CLASSIFY_H

#include "base/finding.h"
#include "base/net.h"
#include "dns/name.h"
#include "policy/findings.h"

#define CLUES_RECENT	64		/* losses that are compared */
#define CLUES_SPAN_S	3600u		/* of the last hour */

enum clue {			/* bits */
	CLUE_MANGLED = 1,	/* a keyword was written over */
	CLUE_STARRED = 2,	/* the banner was */
	CLUE_HELO = 4,		/* EHLO refused, HELO taken */
	CLUE_SAME_BANNER = 8,	/* of an unrelated host in the same hour */
	CLUE_OTHERS = 16,	/* unrelated hosts lost TLS in the same hour */
	CLUE_INJECTED = 32,
	CLUE_PROMISED = 64,	/* published policy says that it has TLS */
};
#define CLUE_COUNT	7
const char	*clue_name(unsigned bit);	/* 0 to CLUE_COUNT - 1 */

/* What was heard of hosts, the last ones. */
struct recent {
	uint64_t	time;
	char		mx[DNS_NAME_SIZE], addr[ADDR_TEXT_SIZE];
	uint64_t	banner;		/* hash; 0: none was heard */
	bool		expected;	/* TLS was, of this one */
};
struct clues {
	struct recent	recent[CLUES_RECENT];
	unsigned	next;
};

struct heard_loss {		/* as relay told it */
	enum finding	finding;
	const char	*mx, *addr;
	struct span	greeting, ehlo;
	bool		helo;
	enum why	why;
};

/* The clues of a loss; does not remember it. */
unsigned	clues_of(const struct clues *, const struct heard_loss *,
		    uint64_t now);
void		clues_add(struct clues *, const struct heard_loss *,
		    bool expected, uint64_t now);

/* `host_known`: that very host has had TLS. */
enum finding_class	classify(unsigned clues, bool host_known);

#endif
