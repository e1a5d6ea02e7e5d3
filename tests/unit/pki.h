/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/pki.h - certificates made in the test: two authorities, one of
 * them with an intermediate, and leaves with whatever is wrong with them. */
#ifndef TESTS_UNIT_PKI_H
#define TESTS_UNIT_PKI_H

#include <gnutls/x509.h>

#include "base/span.h"

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
