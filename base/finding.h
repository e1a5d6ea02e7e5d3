/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/finding.h - what can be found wrong with the protection of a hop: one
 * vocabulary for log and JSON.  The numbers are stored in policy.db and travel
 * between roles, so they never change. */
#ifndef BASE_FINDING_H
#define BASE_FINDING_H

#include "base/hop.h"

enum finding {
	FINDING_NONE,
	FINDING_STRIPPED,	/* STARTTLS is not offered */
	FINDING_MANGLED,	/* its announcement was overwritten */
	FINDING_REFUSED,	/* offered, and refused */
	FINDING_HANDSHAKE,	/* begun, and broken, reset or never answered */
	FINDING_DOWNGRADE,	/* an older version than ever before */
	FINDING_KEY_CHANGED,
	FINDING_DANE_MISMATCH,
	FINDING_DANE_UNUSABLE,
	FINDING_DNSSEC_BOGUS,
	FINDING_STS_FETCH,
	FINDING_STS_INVALID,
	FINDING_STS_MX,
	FINDING_CERT_UNTRUSTED,
	FINDING_CERT_EXPIRED,
	FINDING_CERT_NAME,
	FINDING_REQUIRETLS,
	FINDING_INJECTION,	/* replies ahead of the handshake */
	FINDING_RESOLVER,
	FINDING_INBOUND,
	FINDING_COUNT
};
const char	*finding_name(enum finding);

/* The finding that stands for what became of STARTTLS; NONE when nothing is
 * wrong with it. */
enum finding	 finding_of_how(enum how);

#endif
