/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/tickets.h - what TLS sessions can be resumed with, of this process.
 *
 * A session goes on only where everything is equal that decides about trust in
 * its peer, and its chain is judged again there as if it had just been shown.
 * Each ticket is used once and is gone with its use, so that one which leads
 * nowhere cannot lead there twice, and nobody on the path sees one again
 * (RFC 8446 app C.4); the session that came of it leaves another.  None lives
 * on beyond TICKET_AGE_MAX from the handshake in which the peer last proved
 * that it has its key.  (A shorter life that the peer gave to a ticket is kept
 * by GnuTLS in TLS 1.3, and by the peer itself in all others: it just answers
 * with a full handshake.)  Pure. */
#ifndef RELAY_TICKETS_H
#define RELAY_TICKETS_H

#include "base/buf.h"
#include "base/hop.h"

#define TICKETS_MAX	256		/* the oldest goes first */
#define TICKET_SIZE_MAX	(16 * 1024)	/* bytes of one; it holds the chain */
#define TICKET_AGE_MAX	(2 * 3600 * 1000u)	/* ms */

/* The strings are borrowed. */
struct ticket_key {
	/* Of the route: policy domain, levels, where they come from, reference
	 * names, TLSA records, STS policy, EHLO name and source address. */
	uint64_t	 identity;
	const char	*host, *addr, *sni;
	uint16_t	 port;
	enum level	 asked;
	bool		 modern;	/* TLS 1.2 or newer only */
};

struct ticket;
struct tickets {
	struct ticket	*first, *last;	/* the newest last */
	unsigned	 n;
};

/* `since`: when the peer's key was last used for it, loop time.  Copies; what
 * is too large, or finds no memory, is left out. */
void	tickets_put(struct tickets *, const struct ticket_key *, struct span,
	    uint64_t since, uint64_t now);
/* Appends the newest one to `to`, which the caller wipes.  False: there is
 * none. */
bool	tickets_take(struct tickets *, const struct ticket_key *, uint64_t now,
	    struct buf *to, uint64_t *since);
/* Overwrites and frees all. */
void	tickets_free(struct tickets *);

#endif
