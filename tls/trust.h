/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/trust.h - the WebPKI: authorities that are believed, and whether a
 * peer's chain leads to one of them and names the host.
 *
 * Names are compared as RFC 8461 sec 4.2 and RFC 6125 want it: DNS-IDs only, a
 * common name counts for nothing; a wildcard is a whole first label. */
#ifndef TLS_TRUST_H
#define TLS_TRUST_H

#include "base/fault.h"

struct tls_trust;
struct tls_chain;		/* tls/chain.h */

enum tls_verdict {
	TLS_VALID,
	TLS_UNTRUSTED,		/* no chain to an authority; what else is wrong */
	TLS_EXPIRED,		/* or not yet valid */
	TLS_NAME_MISMATCH,
	TLS_VERDICTS
};
const char	*tls_verdict_name(enum tls_verdict);

/* The certificates in a PEM file.  NULL with a fault: unreadable, or none. */
struct tls_trust	*tls_trust_load(const char *path, struct fault *);
void			 tls_trust_free(struct tls_trust **);

/* Now; on resumed sessions as on new ones.  A verdict other than VALID comes
 * with a fault that says why, for people. */
enum tls_verdict	tls_trust_judge(const struct tls_trust *,
			    const struct tls_chain *, const char *host,
			    struct fault *);

#endif
