/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/ladder.h - which connection a delivery tries next, and when clear text
 * is allowed.  Pure: told what happened, it says what to do; no I/O, no clock.
 *
 * Opportunistic TLS means: never less deliverable than clear text (RFC 7435
 * sec 3), and never in clear as long as TLS may still work:
 *  1. every address of every host, in order, with STARTTLS; where it is offered
 *     and does not work, once more with a small ClientHello, on a new
 *     connection; addresses of one host side by side where they are silent.
 *     Where a session of before was to be resumed, the first repetition is the
 *     same without that: its failure says nothing of TLS there. Likewise where
 *     the connection broke off once when our side of the handshake was done:
 *     that the other side refused it is possible, an accident is likelier;
 *  2. if TLS did not work somewhere and none of the others took the mail, wait
 *     for the next attempt;
 *  3. that attempt begins at 1 again, and only then goes to the hosts whose TLS
 *     failed in clear, on a new connection (never on the one that the failed
 *     handshake left, RFC 3207 sec 4.1).
 * Where STARTTLS is not offered at all and nothing asks for more, clear text is
 * used at once, on the same connection - unless TLS has failed at another host
 * in this attempt: then step 2 comes first.
 * A host that asks for `encrypted` or more never gets clear text.
 * Deliberately not here: what a reply means for a recipient (outcome.h). */
#ifndef RELAY_LADDER_H
#define RELAY_LADDER_H

#include "base/hop.h"

enum ladder_mode {
	LADDER_TLS,
	LADDER_REDUCED,		/* small, middlebox-proof ClientHello */
	LADDER_CLEAR,		/* do not ask for STARTTLS */
};
const char	*ladder_mode_name(enum ladder_mode);

enum ladder_trouble {
	LADDER_NO_HOST,		/* unreachable, or broke off: nothing to do with TLS */
	LADDER_NOT_OFFERED,	/* and ladder_clear_now() said no */
	LADDER_MANGLED,		/* STARTTLS was overwritten on the way, and refused */
	LADDER_REFUSED,		/* offered, and refused */
	LADDER_FAILED,		/* the handshake, or the connection during it */
	LADDER_STALE,		/* the same, and it tried to resume a session */
	LADDER_UNSURE,		/* the connection, right behind the handshake */
	LADDER_INJECTED,	/* replies ahead of the handshake */
	LADDER_TOO_WEAK,	/* TLS, but not the level that is asked */
};

enum ladder_state { LADDER_NEW, LADDER_TRYING, LADDER_DONE };

/* RFC 5321 sec 5.1 allows a limit on the addresses that are tried. */
#define LADDER_TARGETS	64
#define LADDER_TRIES	30	/* connections with TLS in one attempt */
#define LADDER_CLEARS	10	/* and in clear */

struct ladder_target {
	uint16_t	host, addr;	/* indices of the route */
	uint8_t		asked;		/* enum level */
	uint8_t		how;		/* enum how: what became of TLS there */
	uint8_t		state;		/* enum ladder_state */
};

struct ladder_step {
	unsigned	 host, addr;
	enum ladder_mode mode;
	enum how	 how;		/* LADDER_CLEAR: why in clear */
	bool		 fresh;		/* resume no session */
};

struct ladder {
	struct ladder_target	targets[LADDER_TARGETS];
	unsigned		n, next;
	unsigned		tries;
	int			at;		/* target tried now, -1 none */
	enum ladder_mode	mode;		/* of it */
	bool			again;		/* reduced, same target */
	bool			stale;		/* as it was, but afresh */
	bool			unsure;		/* that has been so once, there */
	bool			clear_allowed;	/* TLS failed in an earlier attempt */
	bool			tls_trouble, clear_phase;
};

void	ladder_init(struct ladder *, bool tls_failed_before);
void	ladder_add(struct ladder *, unsigned host, unsigned addr, enum level asked);

/* The next connection to make; false: all was tried. */
bool	ladder_next(struct ladder *, struct ladder_step *);
/* Another address of the same host to try beside it, as long as nothing
 * answers; false: there is none. */
bool	ladder_beside(struct ladder *, struct ladder_step *);
/* That address of the host can't be reached. */
void	ladder_missed(struct ladder *, unsigned addr);
/* That one has answered, and the connection is with it; those beside it that
 * had not may be tried again. */
void	ladder_reached(struct ladder *, unsigned addr, struct ladder_step *);
/* What became of the one that ladder_next() gave, or of the one reached. */
void	ladder_report(struct ladder *, enum ladder_trouble);
/* Would that trouble be followed by another try of the same address? */
bool	ladder_tries_again(const struct ladder *, enum ladder_trouble);
/* The host at hand is ourselves: those behind it are no better, and no way out
 * (RFC 5321 sec 5.1).  Nothing is tried any more. */
void	ladder_stop(struct ladder *);
/* STARTTLS is not offered on the connection at hand: go on in clear on it? */
bool	ladder_clear_now(const struct ladder *, enum level asked);
/* TLS did not work somewhere in this attempt. */
bool	ladder_tls_trouble(const struct ladder *);

#endif
