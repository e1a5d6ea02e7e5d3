/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* keys/store.h - the key files.
 *
 *	ecdsa.key  ecdsa.crt  rsa.key  rsa.crt		in use
 *	next-ecdsa.key  next-ecdsa.crt  next-rsa.key  next-rsa.crt
 *
 * The next ones exist from the first start, so that their TLSA records can be
 * published long before a key is changed (RFC 7671 sec 8.1).  Keys are 0600,
 * certificates 0644; each file appears whole or not at all. */
#ifndef KEYS_STORE_H
#define KEYS_STORE_H

#include <time.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/ipc/ipc.h"

#define KEYS_CERTS_MAX	65536	/* bytes of a KEY_CERTS list */

struct keys_store;

/* `make` (keys 1): what is missing is made, and a certificate that does not
 * fit its key or names another host is made anew for the kept key.  Otherwise
 * the keys in use are loaded and nothing is written.  NULL with a fault; a key
 * file that others may read is refused, because that key must be taken for
 * known. */
struct keys_store	*keys_store_open(const char *state_directory,
			    const char *hostname, bool make, time_t now,
			    struct fault *);
/* Wipes the keys. */
void	keys_store_close(struct keys_store **);

/* LIST of own_cert, ECDSA first: certificates in use.  0 or -1. */
int	keys_store_certs(const struct keys_store *, struct buf *);

/* Of the key with that number; 0: not RSA, or there is none. */
unsigned	keys_store_rsa_bits(const struct keys_store *, uint32_t key);

/* Signs what a TLS server signs and nothing else: the algorithm must be one of
 * the key's, the data of its exact size or, for RSA PKCS#1, a well-formed
 * DigestInfo.  Length of the signature, or -1. */
int	keys_store_sign(const struct keys_store *, const struct ipc_key_sign *,
	    unsigned char *sig, size_t sig_size);

#endif
