/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dns/message.h - reads one answer packet (RFC 1035 sec 4) for the records
 * that were asked for.  Pure.
 *
 * It does not judge: DNSSEC was validated before, and the status comes from
 * there.  But the bytes are an outsider's, so that nothing is assumed: every
 * length is checked, compression pointers only go backwards, CNAME chains are
 * short.  One malformed record anywhere in the answer or authority section
 * makes the whole packet an error: half an answer is worse than none. */
#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include "dns/answer.h"

#define DNS_MESSAGE_CNAMES	16	/* longest chain followed */

/* The packet answers (name, type), class IN; `name` is normal, `type` known.
 * Fills rcode, ttl, canonical and the records of `out` (initialised by the
 * caller) and sets its status to DNS_INSECURE, for the caller to raise.
 * -1: malformed, or an answer to something else; `out` is an error then. */
int	dns_message_parse(struct span packet, const char *name, uint16_t type,
	    struct dns_answer *out);

#endif
