/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/san.h - does a certificate name a host in the place for it? */
#ifndef TLS_SAN_H
#define TLS_SAN_H

#include "base/span.h"

/* Has it a subjectAltName of type dNSName?  Only then a comparison of names
 * never looks at the common name (RFC 6125 sec 6.4.4). */
bool	tls_cert_has_dns_name(struct span der);

/* The same of the leaf of a gnutls_session_t, possibly of a library that uses
 * GnuTLS as we do. */
bool	tls_peer_has_dns_name(void *session);

#endif
