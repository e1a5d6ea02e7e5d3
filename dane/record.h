/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dane/record.h - TLSA records as text, fit for a zone file.  Always 3 1 1:
 * the end entity's key by SHA-256, the one that needs no authority and stays
 * valid when the certificate is renewed (RFC 7672 sec 3.1.1, RFC 7671 sec
 * 5.1).  Looking up the records of others is not here. */
#ifndef DANE_RECORD_H
#define DANE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define DANE_RECORD_SIZE	384	/* a name of 255 bytes fits */

/* "_25._tcp.mx1.example.org. IN TLSA 3 1 1 <digest>"; digest is the SHA-256
 * of the public key (SPKI) in hex.  False, and "", when it has no room. */
bool	dane_record_text(const char *host, uint16_t port, const char *digest,
	    char out[DANE_RECORD_SIZE]);

/* The same from the public key in DER.  False also when hashing failed. */
bool	dane_record_of_key(const char *host, uint16_t port, struct span spki,
	    char out[DANE_RECORD_SIZE]);

#endif
