/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/evidence.h - what policy learns of next hops: that TLS worked, or that
 * it was not to be had and what was heard instead.  All of it is bounded and
 * printable (smtp/heard.h).
 *
 * `policy` may be NULL, or full: then what went well is not told, which delays
 * what is remembered and nothing else.  Sockets of this machine have no TLS and
 * are never told of. */
#ifndef RELAY_EVIDENCE_H
#define RELAY_EVIDENCE_H

#include "base/finding.h"
#include "relay/session.h"

/* A connection is ready, in TLS or in clear. */
void	evidence_settled(struct link *policy, const struct job *,
	    const struct session *);
/* It is not, and nothing was sent. */
void	evidence_lost(struct link *policy, const struct job *,
	    const struct session *, enum finding, const char *reason);

#endif
