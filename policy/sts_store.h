/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/sts_store.h - the policies of MTA-STS that were fetched, kept over
 * restarts, so that whoever blocks the DNS or HTTPS of a domain cannot take
 * its protection away before it expires (RFC 8461 sec 3.3, sec 10.2).
 *
 * Times are seconds of the wall clock.  Nothing but a newer policy or age
 * removes one; what has expired stays for a while and merely no longer
 * counts, so that a clock that jumps ahead and back loses nothing. */
#ifndef POLICY_STS_STORE_H
#define POLICY_STS_STORE_H

#include "base/db.h"
#include "mtasts/policy.h"
#include "mtasts/record.h"

#define STS_STORE_MAX		50000		/* policies; the least used go */
#define STS_STORE_KEEP_S	(30u * 86400)	/* after expiry, or unused */
#define STS_REFRESH_S		86400u		/* sec 3.3: daily */
#define STS_REFRESH_JITTER_S	21600u

struct sts_entry {
	char		  id[STS_ID_SIZE];
	struct sts_policy policy;
	uint64_t	  fetched, expires, refresh;
};
void	sts_entry_free(struct sts_entry *);

struct sts_store;

struct sts_store	*sts_store_new(struct db *, struct fault *);	/* borrows */
void			 sts_store_free(struct sts_store **);

/* 1 found and valid at `now` (free the entry), 0 none, -1 fault. */
int	sts_store_get(struct sts_store *, const char *domain, uint64_t now,
	    struct sts_entry *, struct fault *);
/* `body` parsed to `policy`; `jitter`: any number. */
int	sts_store_put(struct sts_store *, const char *domain, const char *id,
	    struct span body, const struct sts_policy *, uint64_t now,
	    uint64_t jitter, struct fault *);
/* Mail went by it: it stays among the refreshed ones. */
int	sts_store_used(struct sts_store *, const char *domain, uint64_t now,
	    struct fault *);
/* A refresh failed: next one at `when`. */
int	sts_store_later(struct sts_store *, const char *domain, uint64_t when,
	    struct fault *);
/* A domain whose refresh is due: 1, 0 none, -1 fault. */
int	sts_store_due(struct sts_store *, uint64_t now, char domain[256],
	    struct fault *);
/* Drops what is long expired or over the bound. */
int	sts_store_tidy(struct sts_store *, uint64_t now, struct fault *);

#endif
