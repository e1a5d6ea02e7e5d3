/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/xforward.h - XFORWARD, by which Postfix tells the next server whom a
 * message came from, for its log.
 *
 * Pure.  No RFC; the reference is Postfix's XFORWARD_README.  Each command adds
 * to what earlier ones have said since the last message; [UNAVAILABLE] takes
 * an attribute back. */
#ifndef SMTP_XFORWARD_H
#define SMTP_XFORWARD_H

#include "base/span.h"

#define SMTP_XFORWARD_MAX	255	/* bytes of a value, decoded or not */
#define SMTP_XFORWARD_WORDS	"NAME ADDR PORT PROTO HELO IDENT SOURCE"

/* What is not known is "".  Printable ASCII without spaces. */
struct smtp_xforward {
	char	name[SMTP_XFORWARD_MAX + 1];
	char	addr[SMTP_XFORWARD_MAX + 1];	/* IPv6 without "IPv6:" */
	char	port[8];
	char	proto[65];
	char	helo[SMTP_XFORWARD_MAX + 1];
	char	ident[SMTP_XFORWARD_MAX + 1];	/* the other queue's id */
	char	source[8];			/* LOCAL, REMOTE */
};

/* False, and nothing changed, when an attribute is not known or its value is
 * none. */
bool	smtp_xforward_take(struct span arg, struct smtp_xforward *);

#endif
