/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/decide.h - which level is asked of a host, and why.  Pure.
 *
 * Evidence goes in, one decision per MX host comes out.  Without any policy
 * or memory nothing is demanded (RFC 7435 sec 3); relay still attempts STARTTLS with
 * every host. */
#ifndef POLICY_DECIDE_H
#define POLICY_DECIDE_H

#include "base/envelope.h"
#include "base/hop.h"
#include "mtasts/policy.h"
#include "policy/peer.h"

struct evidence {
	enum tls_wish	wish;		/* of the message, RFC 8689 */
	bool		final;		/* a mail store: nobody else reads it there */
	bool		dane;		/* secure TLSA records that are used */
	bool		dane_unusable;	/* secure ones, none of them is used */
	bool		mx_secure;	/* the DNS vouches for the host's name */
	enum sts_mode	sts;		/* NONE: no policy that holds */
	bool		sts_allows;	/* it lists this host */
	enum recall	memory;
	enum level	require, permit;	/* by configuration; or NONE */
	bool		excepted;	/* by the operator, until a date */
};

struct decision {
	enum level	asked;
	enum why	why;
	bool		waived;		/* published policy does not count */
	bool		barred;		/* no such mail may go there, `why` says so */
};

struct decision	decide(const struct evidence *);

#endif
