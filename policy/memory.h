/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/memory.h - the memory of peers, kept in policy.db.  What it means is
 * in policy/peer.h; this is where it lies, and how much of it.
 *
 * Bounds are per kind.  Who is not known well enough yet has room of his own,
 * so that invented names, which cost their inventor a TLS session each, push
 * out each other and nobody who is known.  What goes first is what was seen
 * last the longest ago.
 * A record costs about 130 bytes on disk and none in memory. */
#ifndef POLICY_MEMORY_H
#define POLICY_MEMORY_H

#include "base/db.h"
#include "policy/peer.h"

enum peer_kind { PEER_HOST, PEER_DOMAIN, PEER_KINDS };

struct memory_bounds {
	unsigned	known, new;	/* per kind */
	unsigned	losses;
};
extern const struct memory_bounds memory_bounds;	/* the usual */

/* Long after they count no more: a clock that jumps ahead and back loses
 * nothing. */
#define MEMORY_KEEP_S	(30u * 86400)

struct memory;

struct memory	*memory_new(struct db *, const struct peer_rules *,
		    const struct memory_bounds *, struct fault *); /* borrows db */
void		 memory_free(struct memory **);
const struct peer_rules	*memory_rules(const struct memory *);
void		 memory_set_rules(struct memory *, const struct peer_rules *);

/* 1 found, 0 none (the record is zero then), -1 fault. */
int	memory_get(struct memory *, enum peer_kind, const char *name,
	    struct peer *, struct fault *);
int	memory_get_loss(struct memory *, const char *host, struct loss *,
	    struct fault *);

/* A TLS session with `host` for `domain` ("" none) was completed; ends a loss
 * of that host.  `before`: what was known of the host until now. */
int	memory_seen(struct memory *, const char *host, const char *domain,
	    const struct peer_session *, struct peer *before, struct fault *);
/* TLS is expected of that host and not to be had; the loss as it is now. */
int	memory_lost(struct memory *, const char *host, uint64_t now,
	    struct loss *, struct fault *);

/* 1 something was dropped, 0 nothing was known, -1. */
int	memory_forget(struct memory *, enum peer_kind, const char *name,
	    struct fault *);
/* Drops what is long expired, some at a time. */
int	memory_tidy(struct memory *, uint64_t now, struct fault *);

#endif
