/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* keys/store.h - the private keys: those that made themselves (tls/keydir.h has
 * their files), or those that the configuration names. */
#ifndef KEYS_STORE_H
#define KEYS_STORE_H

#include <time.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/fault.h"
#include "base/ipc/ipc.h"
#include "base/role.h"

#define KEYS_CERTS_MAX	(2 * 1024 * 1024)	/* bytes of all own_certs */

struct keys_store;

/* `make` (keys 1): what is missing is made, and a self-signed certificate that
 * does not fit its key, names another host or ends within a month is made anew
 * for the kept key.
 * Otherwise the keys in use are loaded and nothing is written.  NULL with a
 * fault; a key file that others may read is refused, because that key must be
 * taken for known. */
struct keys_store	*keys_store_open(const char *state_directory,
			    const char *hostname, bool make, time_t now,
			    struct fault *);
/* The certificates of the configuration, from the files that came with it.
 * NULL with a fault that begins with the place: file:line:column. */
struct keys_store	*keys_store_configured(const struct conf *,
			    const struct role_files *, time_t now,
			    struct fault *);
/* Wipes the keys. */
void	keys_store_close(struct keys_store **);

/* The keys of a later configuration have other numbers, so that a handshake
 * which began under the last one gets the signature that it asks for.  All
 * keys processes count generations alike: it comes with the configuration. */
void	keys_store_number(struct keys_store *, uint32_t generation);
bool	keys_store_has(const struct keys_store *, uint32_t key);

/* Do both hold the same keys in the same places? */
bool	keys_store_same_keys(const struct keys_store *,
	    const struct keys_store *);

/* LIST of own_cert: certificates in use.  0 or -1. */
int	keys_store_certs(const struct keys_store *, struct buf *);

/* Of the key with that number; 0: not RSA, or there is none. */
unsigned	keys_store_rsa_bits(const struct keys_store *, uint32_t key);

/* Signs what a TLS server signs and nothing else: the algorithm must be one of
 * the key's, the data of its exact size or, for RSA PKCS#1, a well-formed
 * DigestInfo.  Length of the signature, or -1. */
int	keys_store_sign(const struct keys_store *, const struct ipc_key_sign *,
	    unsigned char *sig, size_t sig_size);

#endif
