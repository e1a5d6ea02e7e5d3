/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/fingerprint.h - the short names of certificates and keys: SHA-256
 * digests, in the forms that logs, records and people use. */
#ifndef TLS_FINGERPRINT_H
#define TLS_FINGERPRINT_H

#include <stdint.h>

#include "base/fault.h"
#include "base/span.h"

#define TLS_HEX_SIZE		65	/* 64 digits + NUL */
#define TLS_FINGERPRINT_SIZE	96	/* AA:BB:... + NUL */

/* Lower-case hex.  False, and "" , when hashing failed (no memory). */
bool	tls_sha256_hex(struct span, char out[TLS_HEX_SIZE]);

/* Of a certificate in DER, as other tools print it: "AA:BB:..". */
bool	tls_fingerprint(struct span der, char out[TLS_FINGERPRINT_SIZE]);

/* A certificate for people: `cert show` and events print it. */
struct tls_cert_info {
	char		subject[256];		/* RFC 4514 */
	char		type[32];		/* "ECDSA SECP256R1", "RSA 2048" */
	uint64_t	not_before, not_after;	/* wall ms */
	char		fingerprint[TLS_FINGERPRINT_SIZE];
	char		spki[TLS_HEX_SIZE];	/* SHA-256 */
};

/* PEM or DER bytes of one certificate.  0 or -1 with a fault. */
int	tls_cert_read(struct span, struct tls_cert_info *, struct fault *);

#endif
