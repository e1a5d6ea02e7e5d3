/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/chain.h - the certificates that a peer sent, as they came. */
#ifndef TLS_CHAIN_H
#define TLS_CHAIN_H

#include "base/span.h"

/* A real chain has 2 to 5; a handshake that brings more is stopped
 * (tls/guard.h). */
#define TLS_CHAIN_MAX	32

struct tls_chain {
	struct span	cert[TLS_CHAIN_MAX];	/* DER; the leaf first */
	size_t		n;
};

#endif
