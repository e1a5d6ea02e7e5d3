/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/header.h - what a message's header holds, seen while it passes.
 *
 * Pure.  Fed with the message in pieces of any size, until the empty line or
 * the first line that is no field (RFC 5322 sec 2.2): from there on it is
 * text, whatever it looks like.  Time is linear in what is fed. */
#ifndef SMTP_HEADER_H
#define SMTP_HEADER_H

#include <stdint.h>

#include "base/span.h"

#define SMTP_HEADER_NAME_MAX	12	/* of the longest name looked for */

struct smtp_header {		/* all zero: ready to begin */
	uint64_t	size;		/* bytes, that of the empty line included */
	unsigned	hops;		/* Received: fields, RFC 5321 sec 6.3 */
	bool		date, message_id;	/* there is one */
	bool		ended;

	enum { HEADER_START, HEADER_NAME, HEADER_COLON, HEADER_VALUE,
	    HEADER_REST } at;
	unsigned char	n;		/* bytes in name[], more when one over */
	char		name[SMTP_HEADER_NAME_MAX];
	/* TLS-Required: how many, is this line of one, its letters so far. */
	unsigned	tls_fields;
	bool		in_tls;
	unsigned char	tls_n;
	char		tls[2];
};

void	smtp_header_feed(struct smtp_header *, struct span);

/* The sender would rather have the message delivered than protected: it has one
 * "TLS-Required: No", the only value there is (RFC 8689 sec 3).  Several, or
 * anything else, lower nothing. */
bool	smtp_header_tls_optional(const struct smtp_header *);

#endif
