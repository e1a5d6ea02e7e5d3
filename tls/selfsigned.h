/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/selfsigned.h - keys and certificates that make themselves.
 * Uses GnuTLS types: for tls/ and keys/ only. */
#ifndef TLS_SELFSIGNED_H
#define TLS_SELFSIGNED_H

#include <time.h>
#include <gnutls/x509.h>

#include <stdbool.h>

#include "base/fault.h"

enum tls_key_kind {
	TLS_KEY_ECDSA,		/* P-256: what nearly every peer gets */
	TLS_KEY_RSA,		/* 2048 bits: for peers without ECDSA */
	TLS_KEY_KINDS
};

const char	*tls_key_kind_name(enum tls_key_kind);	/* "ecdsa", "rsa" */
/* The kind of an existing key, or TLS_KEY_KINDS when it is neither. */
enum tls_key_kind	tls_key_kind_of(gnutls_x509_privkey_t);

/* Both: the caller frees with gnutls_*_deinit.  NULL with a fault. */
gnutls_x509_privkey_t	tls_key_generate(enum tls_key_kind, struct fault *);
/* Valid from `now`, less an hour for clocks that are behind, for 10 years. */
gnutls_x509_crt_t	tls_cert_selfsign(gnutls_x509_privkey_t,
			    enum tls_key_kind, const char *hostname, time_t now,
			    struct fault *);

/* Whether the certificate's dNSName is this host. */
bool	tls_cert_names(gnutls_x509_crt_t, const char *hostname);
/* Whether certificate and key belong together. */
bool	tls_cert_fits(gnutls_x509_crt_t, gnutls_x509_privkey_t);

#endif
