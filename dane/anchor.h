/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dane/anchor.h - a certificate around a bare key, so that a library that
 * knows only certificates can take the key as its trust anchor (TLSA 2 1 0
 * without the certificate in the chain, RFC 7671 sec 5.2.2). */
#ifndef DANE_ANCHOR_H
#define DANE_ANCHOR_H

#include "base/buf.h"

#define DANE_ANCHOR_MAX	16384

/* An authority with this subject (a DER Name) and public key (a DER
 * SubjectPublicKeyInfo), valid always.  Its signature is nonsense: that of an
 * anchor is never looked at.  0, or -1 when it does not fit. */
int	dane_anchor(struct span subject, struct span spki, struct buf *der);

#endif
