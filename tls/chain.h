/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/chain.h - the certificates that a peer sent, as they came. */
#ifndef TLS_CHAIN_H
#define TLS_CHAIN_H

#include "base/span.h"

/* GnuTLS itself stops a handshake that brings more. */
#define TLS_CHAIN_MAX	16

struct tls_chain {
	struct span	cert[TLS_CHAIN_MAX];	/* DER; the leaf first */
	size_t		n;
};

#endif
