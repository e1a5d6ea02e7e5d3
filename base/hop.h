/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/hop.h - the one vocabulary for how a hop was, or must be, protected.
 * Log, ledger, JSON, Received: and DSNs all print these words; the numbers are
 * stored in the ledger and travel between roles, so they never change. */
#ifndef BASE_HOP_H
#define BASE_HOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* In order of strength.  NONE only as `reached`: nothing was sent. */
enum level {
	LEVEL_NONE,
	LEVEL_CLEAR,		/* clear text */
	LEVEL_ENCRYPTED,	/* TLS, peer not authenticated */
	LEVEL_VERIFIED,		/* WebPKI and a name that the operator gave,
				   or DNSSEC did and REQUIRETLS asks */
	LEVEL_STS,		/* WebPKI and MX match, RFC 8461 */
	LEVEL_DANE,		/* TLSA match behind a secure MX, RFC 7672 */
	LEVEL_COUNT
};

enum why {			/* why a level was asked */
	WHY_NONE, WHY_RULE, WHY_PIN, WHY_REQUIRETLS, WHY_TLS_REQUIRED_NO,
	WHY_DANE, WHY_STS, WHY_MEMORY, WHY_LIST, WHY_EXCEPTION,
	WHY_COUNT
};

enum how {			/* how the reached level came about */
	HOW_NONE, HOW_NOT_OFFERED, HOW_REFUSED, HOW_MANGLED, HOW_FAILED,
	HOW_OPPORTUNISTIC, HOW_DANE_INSECURE_MX, HOW_NAME, HOW_PIN,
	HOW_WEBPKI, HOW_TLSA,
	HOW_COUNT
};

const char	*level_name(enum level);
const char	*why_name(enum why);
const char	*how_name(enum how);
bool		 level_parse(struct span, enum level *);

#define TLS_WEAK_SIZE	24

/* What is known of the TLS of a session; all "none" in clear. */
struct tls_facts {
	char	version[12];	/* "TLS1.3" */
	char	cipher[40];	/* "AES-256-GCM" */
	char	kx[32];		/* key exchange group: "X25519", "SECP256R1" */
	char	spki[65];	/* SHA-256 of the peer's public key, hex; "none" */
	/* What is weak in it, words joined by commas: "version" (TLS 1.0 and
	 * 1.1), "dh" (a group of less than 2048 bits), "no-pfs" (who gets the
	 * server's key reads what was recorded); "none". */
	char	weak[TLS_WEAK_SIZE];
	bool	resumed;
};

void	tls_facts_clear(struct tls_facts *);	/* to "none" and false */

#endif
