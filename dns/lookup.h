/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dns/lookup.h - the seam between whoever asks the DNS and whatever answers:
 * libunbound in resolver, the links to resolver in policy, a table in tests.
 *
 * Every question that was taken is answered exactly once, in bounded time,
 * unless it is cancelled; never before ask() has returned. */
#ifndef DNS_LOOKUP_H
#define DNS_LOOKUP_H

#include "dns/answer.h"

struct dns_query;	/* one question under way; each implementation's own */

/* The answer is lent until return. */
typedef void	dns_answer_cb(void *arg, const struct dns_answer *);

struct dns_lookup_ops {
	/* dns_question_valid() holds.  NULL when
	 * it cannot be taken now (no memory, too many): count it as an error. */
	struct dns_query	*(*ask)(void *ctx, const char *name,
				    uint16_t type, dns_answer_cb *, void *arg);
	/* Its callback will not run.  Not after the callback. */
	void			 (*cancel)(void *ctx, struct dns_query *);
};

struct dns_lookup {
	const struct dns_lookup_ops	*ops;
	void				*ctx;
};

#endif
