/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/sts.h - does a domain publish an MTA-STS policy, and which one holds
 * now (RFC 8461 sec 3, sec 5)?
 *
 * At each question the TXT record is looked at (the resolver keeps it for its
 * TTL).  An id that is known needs no more; another id, or none kept, leads to
 * one fetch, however many ask.  A kept policy that has not expired wins over
 * every failure: no record, two records, an error of the DNS, no HTTPS, a
 * text that is no policy.  Kept ones are fetched anew every day.
 *
 * No I/O and no clock of its own. */
#ifndef POLICY_STS_H
#define POLICY_STS_H

#include "base/ipc/ipc.h"
#include "dns/lookup.h"
#include "policy/sts_failures.h"
#include "policy/sts_store.h"

#define STS_TXT_RRS	64u	/* records of one answer that are looked at */
#define STS_DOMAIN_MAX	(DNS_NAME_MAX - sizeof "_mta-sts." + 1)

struct sts;
struct sts_ask;

struct sts_setup {
	struct dns_lookup	 lookup;
	struct sts_store	*store;		/* borrowed */
	/* To role fetch; -1: it is not there. */
	int	(*fetch)(void *ctx, const struct ipc_fetch_ask *);
	uint64_t (*wall_s)(void *ctx);
	void			*ctx;
	uint32_t		 timeout_ms;	/* of a fetch */
	uint64_t		 seed;		/* of the jitter */
};

/* What holds; lent until the callback returns. */
struct sts_answer {
	const struct sts_entry	*entry;		/* NULL: no policy */
	enum sts_record		 record;
	bool			 record_error;	/* the DNS did not say */
	const char		*failure;	/* "" or why the newest was not had */
};
typedef void	sts_answer_cb(void *arg, const struct sts_answer *);

struct sts	*sts_new(const struct sts_setup *);	/* NULL: no memory */
void		 sts_free(struct sts **);		/* nobody is answered */
void		 sts_set_timeout(struct sts *, uint32_t ms);	/* of later fetches */

/* Answers once, later.  NULL: cannot be asked now, or never: the name is
 * longer than STS_DOMAIN_MAX. */
struct sts_ask	*sts_ask(struct sts *, const char *domain, sts_answer_cb *,
		    void *arg);
void		 sts_cancel(struct sts_ask **);

/* From role fetch.  A reply to nothing that was asked is ignored. */
void	sts_fetched(struct sts *, const struct ipc_fetched *);
void	sts_fetch_lost(struct sts *);		/* its process is gone */

/* Once a minute: refreshes and tidies. */
void	sts_tick(struct sts *);

#endif
