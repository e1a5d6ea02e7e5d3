/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/authenticate.h - what a host with TLS has proven of itself, held
 * against the level that its route asks. */
#ifndef RELAY_AUTHENTICATE_H
#define RELAY_AUTHENTICATE_H

#include "relay/route.h"
#include "relay/session.h"

struct tls_trust;		/* tls/trust.h */

/* As courier_ops.authenticate.  `trust` NULL: there are no authorities, and
 * nothing that needs them is proven. */
bool	authenticate(const struct tls_trust *trust, struct session *,
	    const struct route *, const struct route_host *);

#endif
