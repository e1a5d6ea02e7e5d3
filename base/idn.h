/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/idn.h - domain names beyond ASCII, IDNA2008 (RFC 5891 sec 5).
 *
 * Pure, but for memory that it takes and gives back. */
#ifndef BASE_IDN_H
#define BASE_IDN_H

#include "base/span.h"

#define IDN_SIZE	256	/* of any result, its NUL included */

/* A name in UTF-8 with its U-labels made A-labels, in lower case; ASCII is only
 * made lower.  Says nothing about a name that was ASCII: whether it is a domain
 * is the caller's to check.  Bytes in out, which ends in a NUL; 0 when the name
 * has no such form or it does not fit. */
size_t	idn_to_ascii(struct span name, char out[IDN_SIZE]);

#endif
