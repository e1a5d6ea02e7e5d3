/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/peer.h - what is remembered of a peer, and what follows from it.
 * Pure: times come in, seconds of the wall clock.
 *
 * Two clocks.  A peer's memory grows by completed TLS sessions alone, and dies
 * of age alone: whoever takes STARTTLS away, or invents names, changes nothing
 * in it.  A loss is a host of which TLS is expected and not to be had; its hold
 * clock starts when that is first seen and ends with the next TLS session. */
#ifndef POLICY_PEER_H
#define POLICY_PEER_H

#include "base/conf.h"
#include "base/span.h"

#define PEER_SPKI_SIZE	65

struct peer {
	uint64_t	first, last;	/* TLS sessions; 0: none, nothing is known */
	unsigned	sessions;	/* at least; see peer_news() */
	unsigned	days;		/* of UTC, with such a session */
	unsigned	versions;	/* 1u << n for TLS 1.n */
	char		spki[PEER_SPKI_SIZE];	/* of the last one; "" domain */
};

struct peer_rules {
	unsigned	sessions;
	uint64_t	over, expire, hold_for;		/* s */
	/* A loss that nobody saw for so long, and that was not accepted before,
	 * is over: else who strips once could come back after hold_for and find
	 * the clock run down.  Longer than mail waits between attempts. */
	uint64_t	quiet;
	enum on_loss	on_loss;
};
void	peer_rules_of(struct peer_rules *, const struct conf *);

/* One completed TLS session, as the memory takes it. */
struct peer_session {
	int		version;	/* n of TLS 1.n, -1 not to be noted */
	struct span	spki;		/* "" for a domain */
	uint64_t	now;
};
/* Does it add anything?  Of a peer that is known well enough only one session
 * in a while is written down. */
bool	peer_news(const struct peer *, const struct peer_rules *,
	    const struct peer_session *);
void	peer_take(struct peer *, const struct peer_session *);

/* Enough sessions, far enough apart. */
bool	peer_known(const struct peer *, const struct peer_rules *);
/* And not too long ago: TLS is expected of it. */
bool	peer_expects(const struct peer *, const struct peer_rules *,
	    uint64_t now);

/* ---- losses ---- */

struct loss {
	uint64_t	since, last;	/* seen; since 0: there is none */
};

/* Seen, or seen again. */
void	loss_take(struct loss *, const struct peer_rules *, uint64_t now);
/* The hold clock has run down: clear text is accepted of that host. */
bool	loss_accepted(const struct loss *, const struct peer_rules *,
	    uint64_t now);

/* What memory asks of a host, of its own record and that of its domain. */
enum recall {
	RECALL_NOTHING,		/* not known, or not any more */
	RECALL_OBSERVE,		/* TLS is expected, and not insisted on */
	RECALL_ACCEPTED,	/* was expected; the loss is accepted */
	RECALL_TLS,		/* encrypted */
	RECALL_COUNT
};
const char	*recall_name(enum recall);
enum recall	recall(const struct peer *host, const struct peer *domain,
		    const struct loss *, const struct peer_rules *,
		    uint64_t now);

#endif
