/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/guard.h - handshake messages that would cost us more than mail is worth,
 * known before GnuTLS computes with them.  Its own bounds are a message of
 * 64 KiB and the smallest group; it takes a group or an exponent of any size,
 * and one computation with them holds up every other session of a process
 * beyond what a timer can end.  Pure. */
#ifndef TLS_GUARD_H
#define TLS_GUARD_H

#include "base/span.h"
#include "tls/chain.h"		/* TLS_CHAIN_MAX */

#define TLS_RSA_BITS_MAX	16384
#define TLS_RSA_E_BITS_MAX	64	/* 65537 is what everybody uses */
#define TLS_DH_BITS_MAX		8192	/* the largest of RFC 7919 */

/* Body of a Certificate message (RFC 5246 sec 7.4.2, RFC 8446 sec 4.4.2), and of
 * a ServerKeyExchange with a DH group (RFC 5246 sec 7.4.3).  NULL: nothing to
 * object to, which includes what GnuTLS will not be able to read; else the
 * objection, for people. */
const char	*tls_guard_certificate(struct span body, bool tls13);
const char	*tls_guard_dh(struct span body);

#endif
