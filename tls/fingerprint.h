/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/fingerprint.h - the short names of certificates and keys: SHA-256
 * fingerprint and the TLSA record that publishes a key (RFC 7672 sec 3.1.1). */
#ifndef TLS_FINGERPRINT_H
#define TLS_FINGERPRINT_H

#include <stdint.h>

#include "base/fault.h"
#include "base/span.h"

#define TLS_HEX_SIZE		65	/* 64 digits + NUL */
#define TLS_FINGERPRINT_SIZE	96	/* AA:BB:... + NUL */
#define TLS_TLSA_SIZE		384	/* a name of 255 bytes fits */

/* Lower-case hex.  False, and "" , when hashing failed (no memory). */
bool	tls_sha256_hex(struct span, char out[TLS_HEX_SIZE]);

/* Of a certificate in DER, as other tools print it: "AA:BB:..". */
bool	tls_fingerprint(struct span der, char out[TLS_FINGERPRINT_SIZE]);

/* "_25._tcp.mx1.example.org. IN TLSA 3 1 1 <hex of SHA-256 of the SPKI>" */
bool	tls_tlsa_record(const char *host, uint16_t port, struct span spki,
	    char out[TLS_TLSA_SIZE]);

/* The same from the digest of tls_sha256_hex(). */
bool	tls_tlsa_digest(const char *host, uint16_t port, const char *hex,
	    char out[TLS_TLSA_SIZE]);

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
