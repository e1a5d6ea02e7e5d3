/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* keys/store_priv.h - the store from inside: store.c keeps, sign.c signs. */
#ifndef KEYS_STORE_PRIV_H
#define KEYS_STORE_PRIV_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include "keys/file.h"
#include "keys/store.h"
#include "tls/selfsigned.h"

#define KEYS_SLOTS	(2 * TLS_KEY_KINDS)	/* in use, next */
#define KEYS_NAME_SIZE	32

struct keys_store {
	struct keys_dir		 dir;
	gnutls_x509_privkey_t	 keys[KEYS_SLOTS];
	gnutls_x509_crt_t	 certs[KEYS_SLOTS];
	gnutls_privkey_t	 signers[TLS_KEY_KINDS];	/* over keys[] */
};

#endif
