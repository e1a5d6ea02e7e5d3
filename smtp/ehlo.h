/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/ehlo.h - what a server announces in its reply to EHLO.
 *
 * Pure.  Written to overlook nothing: any case, tabs, any number of lines and
 * any length that smtp/reply.h lets through, since a STARTTLS that is missed
 * here is mail in the clear. */
#ifndef SMTP_EHLO_H
#define SMTP_EHLO_H

#include <stdint.h>

#include "base/span.h"

#define EHLO_STARTTLS	1u	/* RFC 3207 */
#define EHLO_PIPELINING	2u	/* RFC 2920 */
#define EHLO_SIZE	4u	/* RFC 1870 */
#define EHLO_8BITMIME	8u	/* RFC 6152 */
#define EHLO_ENHANCED	16u	/* RFC 2034 */
#define EHLO_CHUNKING	32u	/* RFC 3030 */
#define EHLO_DSN	64u	/* RFC 3461 */
#define EHLO_SMTPUTF8	128u	/* RFC 6531 */
#define EHLO_LIMITS	256u	/* RFC 9422 */
#define EHLO_REQUIRETLS	512u	/* RFC 8689 */

struct ehlo {
	unsigned	caps;		/* EHLO_* */
	uint64_t	size_max;	/* of SIZE; 0: no limit was named */
	/* Of LIMITS, 0 likewise: transactions of a session, recipients of a
	 * transaction, domains of the recipients of a session. */
	unsigned	mail_max, rcpt_max, domain_max;
	/* A keyword that somebody on the way has overwritten, as firewalls do
	 * it to hide STARTTLS: XXXXXXXA, ****. The first one, for the log. */
	bool		mangled;
	char		mangled_word[32];
};

/* `lines` as in struct reply: the first is the host's name and greeting, each
 * other one an extension (RFC 5321 sec 4.1.1.1).  Of a first line only STARTTLS
 * is read, for servers that forget to greet. */
void	ehlo_parse(struct ehlo *, struct span lines);

/* Is this keyword an overwritten one? */
bool	ehlo_word_mangled(struct span);

#endif
