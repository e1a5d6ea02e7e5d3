/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/own_priv.h - own.h from inside, for those who call GnuTLS: tls/, keys/. */
#ifndef TLS_OWN_PRIV_H
#define TLS_OWN_PRIV_H

#include <gnutls/x509.h>

#include "tls/own.h"

struct tls_own {
	gnutls_x509_crt_t	chain[TLS_OWN_CHAIN_MAX];	/* leaf first */
	unsigned		n;
	gnutls_x509_privkey_t	key;
};

#endif
