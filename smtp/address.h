/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/address.h - the address in MAIL FROM:<...> and RCPT TO:<...>.
 *
 * Pure.  The result has one spelling per mailbox: the domain in lower case and
 * A-labels (docs/decisions/0015-smtputf8.md), the local part quoted only where
 * it must be, literals as inet_ntop(3) writes them.  Beyond ASCII a local part
 * is kept byte for byte: only its own host may say which two are one (RFC 6530
 * sec 10.1). */
#ifndef SMTP_ADDRESS_H
#define SMTP_ADDRESS_H

#include <stdbool.h>

#include "base/span.h"

#define SMTP_LOCAL_MAX		64	/* RFC 5321 sec 4.5.3.1.1 */
#define SMTP_DOMAIN_MAX		255	/* RFC 5321 sec 4.5.3.1.2 */
#define SMTP_MAILBOX_MAX	254	/* RFC 5321 sec 4.5.3.1.3 less <>, erratum 1690 */

enum smtp_address_kind {
	SMTP_NULL,		/* <>, the null reverse-path */
	SMTP_POSTMASTER,	/* <Postmaster>, without a domain */
	SMTP_MAILBOX,		/* local@domain or local@[literal] */
};

struct smtp_address {
	enum smtp_address_kind	kind;
	size_t	n;				/* bytes in text[] */
	size_t	local;				/* of them before the @ */
	bool	utf8;				/* was not all ASCII: needs SMTPUTF8 */
	char	text[SMTP_MAILBOX_MAX + 1];	/* NUL-ended; "" when null */
};

enum smtp_address_error {
	SMTP_ADDRESS_OK,
	SMTP_ADDRESS_SYNTAX,
	SMTP_ADDRESS_LOCAL_LONG,
	SMTP_ADDRESS_LONG,
	SMTP_ADDRESS_DOMAIN,		/* the domain is none */
	SMTP_ADDRESS_NO_DOMAIN,		/* <someone> */
	SMTP_ADDRESS_UTF8,		/* neither ASCII nor UTF-8, or a control character */
};

/* Takes a Path (RFC 5321 sec 4.1.2, RFC 6531 sec 3.3), "<" to ">", off the front
 * of *in, which then begins right behind it.  A source route is checked and dropped, as sec
 * 4.1.1.3 asks.  On an error *out and *in are undefined. */
enum smtp_address_error	smtp_path_take(struct span *in,
			    struct smtp_address *out);

/* The domain, "[literal]" included; empty for null and postmaster. */
struct span	smtp_address_domain(const struct smtp_address *);

/* A Domain in LDH letters (RFC 5321 sec 4.1.2), which is not all digits at its
 * end like an IP address without brackets. */
bool	smtp_domain_valid(struct span);

/* An address literal with its brackets (RFC 5321 sec 4.1.3), rewritten in one
 * spelling into out.  0 when it is none, else its length. */
#define SMTP_LITERAL_SIZE	64
size_t	smtp_literal(struct span, char out[SMTP_LITERAL_SIZE]);

#endif
