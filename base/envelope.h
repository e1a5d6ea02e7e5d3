/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/envelope.h - what a client asked for beside sender and recipients.
 *
 * These numbers travel between roles and lie in the spool: never renumber. */
#ifndef BASE_ENVELOPE_H
#define BASE_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

/* Of MAIL. */
enum envelope_flag {
	ENVELOPE_8BIT = 1,		/* BODY=8BITMIME, RFC 6152 */
	ENVELOPE_SMTPUTF8 = 2,		/* RFC 6531 */
	ENVELOPE_RET_FULL = 4,		/* RFC 3461 sec 4.3 */
	ENVELOPE_RET_HDRS = 8,
	ENVELOPE_REQUIRETLS = 16,	/* RFC 8689 */
	ENVELOPE_TLS_OPTIONAL = 32,	/* TLS-Required: No, RFC 8689 sec 5 */
	/* Nothing of MAIL: the client may relay, so the sender is one of ours
	 * and hardly forged. */
	ENVELOPE_TRUSTED = 64,
};
#define ENVELOPE_FLAGS		0x7fu	/* all of them */

/* What they ask of the way to the next host, RFC 8689. */
enum tls_wish {
	TLS_WISH_NONE,
	TLS_WISH_OPTIONAL,	/* policies of the recipient's side don't count */
	TLS_WISH_REQUIRED,	/* a proven host that promises the same, or none */
	/* A report on such a message, without its body (sec 5): it travels
	 * in TLS, and is not lost for want of more. */
	TLS_WISH_REPORT,
	TLS_WISH_COUNT
};

/* RFC 8689 sec 3: beside REQUIRETLS the header field is ignored. */
static inline enum tls_wish
envelope_tls_wish(unsigned flags, bool null_sender)
{
	if (flags & ENVELOPE_REQUIRETLS)
		return null_sender ? TLS_WISH_REPORT : TLS_WISH_REQUIRED;
	return flags & ENVELOPE_TLS_OPTIONAL ? TLS_WISH_OPTIONAL :
	    TLS_WISH_NONE;
}

/* Of RCPT, RFC 3461 sec 4.1; 0: NOTIFY was not given. */
enum notify {
	NOTIFY_NEVER = 1,
	NOTIFY_SUCCESS = 2,
	NOTIFY_FAILURE = 4,
	NOTIFY_DELAY = 8,
};
#define NOTIFY_BITS		0x0fu

/* Bytes of ENVID and ORCPT, kept as they came: in xtext (RFC 3461 sec 4.2 and
 * 4.4), ORCPT with its type, as in "rfc822;user+2Bx@example.org". */
#define ENVELOPE_ENVID_MAX	100
#define ENVELOPE_ORCPT_MAX	500

#endif
