/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/hops.h - how many Received: fields does a message begin with?
 *
 * Pure.  Fed with the message in pieces of any size, it counts until the empty
 * line that ends the header (RFC 5321 sec 6.3: more than 100 is a loop). */
#ifndef SMTP_HOPS_H
#define SMTP_HOPS_H

#include "base/span.h"

#define SMTP_HOPS_MAX	100

struct smtp_hops {		/* all zero: ready to begin */
	unsigned	count;
	unsigned char	at;	/* bytes of the line compared so far */
	bool		rest;	/* of this line does not matter */
	bool		text;	/* the line is not empty */
	bool		ended;	/* the header is over */
};

void	smtp_hops_feed(struct smtp_hops *, struct span);

#endif
