/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/spki.h - the SubjectPublicKeyInfo of a certificate, as its bytes are.
 * What pins and TLSA selector 1 hash is these bytes (RFC 6698 sec 2.1.2).
 * GnuTLS hands out only a re-encoding, and nothing for a key type that it does
 * not know.  Pure. */
#ifndef TLS_SPKI_H
#define TLS_SPKI_H

#include "base/span.h"

/* Points into `der`.  False when that is no certificate as far as we walk. */
bool	tls_spki(struct span der, struct span *spki);

/* Modulus and exponent of an RSA key (also one that is for PSS only), with the
 * leading zero that DER may give them.  False for every other key. */
bool	tls_spki_rsa(struct span spki, struct span *modulus,
	    struct span *exponent);

#endif
