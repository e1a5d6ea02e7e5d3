/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/trace.h - a route that tells how it came about, for `sealane explain`:
 * every question to the DNS and its answer, the policy that was found, what is
 * remembered, and what is asked of each host and why.
 *
 * A route without a trace (route.trace is NULL) passes through all of this
 * untouched.  Without memory parts are missing, never wrong. */
#ifndef POLICY_TRACE_H
#define POLICY_TRACE_H

#include "dane/tlsa.h"
#include "policy/decide.h"
#include "policy/route_priv.h"

void	trace_begin(struct route *);
void	trace_answer(struct route *, const char *name, uint16_t type,
	    const struct dns_answer *);
void	trace_tlsa_answer(const struct candidate *, const struct dns_answer *);
void	trace_sts(struct route *, const struct sts_answer *);
/* The records of a host at its base domain: which are used, which not. */
void	trace_tlsa(struct candidate *, const struct tlsa *, size_t n);
void	trace_host(struct candidate *, const struct evidence *,
	    const struct decision *);
void	trace_end(struct route *);

#endif
