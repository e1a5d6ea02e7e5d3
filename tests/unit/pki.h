/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/pki.h - certificates made in the test.
 *
 * Two ways: single ones with a key of their own (pki_cert), and a family of
 * two authorities, one of them with an intermediate, whose leaves have whatever
 * is wrong with them. */
#ifndef TESTS_UNIT_PKI_H
#define TESTS_UNIT_PKI_H

#include <time.h>
#include <gnutls/x509.h>

#include "base/buf.h"

/* ---- single ones ---- */

struct pki_cert {
	gnutls_x509_privkey_t	key;
	gnutls_x509_crt_t	crt;
};

#define PKI_P256	0
#define PKI_ED25519	1

/* `names` "a.example,b.example": the first is the CN too; "" for none.
 * `issuer` NULL: by itself. `bits` of RSA, or one of the above. */
void	pki_make(struct pki_cert *, const struct pki_cert *issuer,
	    const char *names, unsigned bits, bool ca, time_t from, time_t to);
void	pki_free(struct pki_cert *);
void	pki_crt_pem(const struct pki_cert *, struct buf *);
void	pki_key_pem(const struct pki_cert *, struct buf *);
/* With a passphrase. */
void	pki_key_locked(const struct pki_cert *, struct buf *);

/* ---- the family ---- */

enum pki_key { PKI_ROOT, PKI_OTHER, PKI_MIDDLE, PKI_LEAF, PKI_KEYS };

struct pki {
	gnutls_x509_privkey_t	key[PKI_KEYS];
	gnutls_x509_crt_t	root, other, middle;
};

struct pki_leaf {
	const char	*cn, *dns;	/* dns: "a,b"; NULL: none */
	long		 from, to;	/* days from now */
	enum pki_key	 issuer;	/* whose name it bears; LEAF: its own */
	enum pki_key	 signer;
	const char	*purpose;	/* OID, NULL: none */
};

void	pki_open(struct pki *);
void	pki_close(struct pki *);

/* A certificate of this key, signed. */
gnutls_x509_crt_t	pki_authority(struct pki *, enum pki_key, const char *cn,
			    long to, gnutls_x509_crt_t issuer,
			    enum pki_key signer);
gnutls_x509_crt_t	pki_leaf(struct pki *, const struct pki_leaf *);

/* To be freed with gnutls_free(). */
gnutls_datum_t		pki_der(gnutls_x509_crt_t);

#endif
