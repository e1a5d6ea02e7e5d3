/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dns/name.h - domain names as text: the one form that all roles compare.
 *
 * A normal name is lower case, A-labels only, without a final dot, 1 to 253
 * bytes, labels of 1 to 63 letters, digits, hyphens and underscores.  Hyphens
 * at the ends of a label are let through: such hosts exist, and nothing here
 * ever reaches a command line. */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include "base/net.h"
#include "base/span.h"

#define DNS_NAME_MAX	253	/* bytes of text, RFC 1035 sec 2.3.4 */
#define DNS_NAME_SIZE	256

/* Is it a normal name, exactly as it stands? */
bool	dns_name_valid(struct span);

/* Does the last label consist of digits only?  Then it is a badly written
 * address and never a host (RFC 3696 sec 2). */
bool	dns_name_numeric(struct span);

/* Make it normal: case, one final dot, U-labels by IDNA 2008 (RFC 5891) with
 * UTS 46 non-transitional mapping.  0, or -1 and out is "". */
int	dns_name_normalize(struct span, char out[DNS_NAME_SIZE]);

/* "[192.0.2.1]", "[IPv6:2001:db8::1]", RFC 5321 sec 4.1.3.  The port of the
 * address stays 0. */
bool	dns_name_literal(struct span, struct addr *);

#endif
