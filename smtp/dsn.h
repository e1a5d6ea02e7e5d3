/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/dsn.h - the values that RFC 3461 adds to MAIL and RCPT.
 *
 * Pure.  They are passed on as they came; decoded for reports only. */
#ifndef SMTP_DSN_H
#define SMTP_DSN_H

#include <stdint.h>

#include "base/buf.h"
#include "base/envelope.h"
#include "base/span.h"

/* NOTIFY, RFC 3461 sec 4.1: NEVER alone, or a list of the others. */
bool	smtp_notify(struct span value, uint8_t *notify);

/* ENVID, RFC 3461 sec 4.4.  Decoded into `out`, *n bytes of printable ASCII;
 * false when it is none. */
bool	smtp_envid(struct span value, char out[ENVELOPE_ENVID_MAX], size_t *n);

/* ORCPT, RFC 3461 sec 4.2 and RFC 6533 sec 3: type, ";", encoded address. */
struct smtp_orcpt {
	struct span	type;		/* as given, into the value */
	size_t		n;
	/* Decoded: printable ASCII, or where the type is "utf-8" or `raw` was
	 * given UTF-8 without control characters. */
	char		address[ENVELOPE_ORCPT_MAX];
};
/* `raw`: the message came with SMTPUTF8, so that bytes beyond ASCII may stand in
 * a value of type "utf-8" unencoded, and encoded in any. */
bool	smtp_orcpt(struct span value, bool raw, struct smtp_orcpt *);

/* UTF-8 as utf-8-addr-xtext of RFC 6533 sec 3, which is ASCII.  What is no
 * UTF-8 becomes '?'. */
void	smtp_utf8_xtext_put(struct buf *, struct span);

#endif
