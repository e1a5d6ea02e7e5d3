/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* pki.h - certificates for tests: authorities, and what they sign. */
#ifndef PKI_H
#define PKI_H

#include <time.h>
#include <gnutls/x509.h>

#include "base/buf.h"

struct pki {
	gnutls_x509_privkey_t	key;
	gnutls_x509_crt_t	crt;
};

/* `names` "a.example,b.example": the first is the CN too; "" for none.
 * `issuer` NULL: by itself. `bits` 0: P-256, 1: Ed25519, else RSA. */
void	pki_make(struct pki *, const struct pki *issuer, const char *names,
	    unsigned bits, bool ca, time_t from, time_t to);
void	pki_free(struct pki *);
void	pki_crt_pem(const struct pki *, struct buf *);
void	pki_key_pem(const struct pki *, struct buf *);
/* With a passphrase. */
void	pki_key_locked(const struct pki *, struct buf *);

#endif
