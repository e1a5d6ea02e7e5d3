/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/sts_failures.h - fetches that failed, so that a policy host is left
 * alone for a while: RFC 8461 sec 3.3 wants five minutes between two tries of
 * one id.  In memory only, and bounded: whoever has many domains can make
 * others forgotten, and gains a few more requests to his own hosts. */
#ifndef POLICY_STS_FAILURES_H
#define POLICY_STS_FAILURES_H

#include <stdint.h>

#define STS_RETRY_S		300u
#define STS_FAILURES_MAX	10000u	/* the oldest go */
#define STS_FAILURE_SIZE	272	/* what failed, and 240 bytes of why */

struct sts_failures;

struct sts_failures	*sts_failures_new(void);	/* NULL: no memory */
void			 sts_failures_free(struct sts_failures **);

/* `why` has STS_FAILURE_SIZE bytes; `now` is the wall clock, s. */
void	sts_failures_add(struct sts_failures *, const char *domain,
	    const char *id, const char *why, uint64_t now);
void	sts_failures_forget(struct sts_failures *, const char *domain);
/* Why it failed lately, or NULL: it may be tried.  STS_FAILURE_SIZE bytes,
 * lent until the next call. */
const char	*sts_failures_find(const struct sts_failures *,
		    const char *domain, const char *id, uint64_t now);

#endif
