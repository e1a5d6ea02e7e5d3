/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/verify_cache.h - what next hops said of recipients, for how long it
 * counts, and its form on disk.  No I/O and no clock.
 *
 * Times are steady ms and may be negative: an answer can be older than this
 * machine is up.  docs/decisions/0005-verify.md argues for bounds and form. */
#ifndef QUEUE_VERIFY_CACHE_H
#define QUEUE_VERIFY_CACHE_H

#include <sys/queue.h>

#include "base/buf.h"
#include "queue/table.h"

#define VERIFY_ENTRIES		100000u
#define VERIFY_FILE_MAX		(64u << 20)

#define VERIFY_HIT_MS		(7 * 86400000ll)
#define VERIFY_AHEAD_MS		(6 * 86400000ll) /* older hits are asked again in time */
#define VERIFY_KEPT_MS		(31 * 86400000ll) /* and those not renewed forgotten */
#define VERIFY_MISS_MS		3600000ll
#define VERIFY_UNCLEAR_MS	30000ll
#define VERIFY_RETRY_MS		900000ll	/* between tries to renew a hit */

enum verdict { VERDICT_HIT, VERDICT_MISS, VERDICT_UNCLEAR };

struct verify_entry {
	struct table_link	 link;
	TAILQ_ENTRY(verify_entry) line;
	uint8_t			 verdict;
	bool			 proven;	/* asked for more than once */
	uint32_t		 hop;		/* of whom it was asked */
	int64_t			 at;		/* when it was answered */
	int64_t			 tried;		/* and a renewal failed; 0 never */
	char			 dsn[12];
	uint16_t		 n;
	char			 address[];
};
TAILQ_HEAD(verify_entries, verify_entry);

/* An address is asked for once by a sender who guesses, and again by those
 * who mail it: a flood of guesses drives out only what was never asked for
 * again. */
struct verify_cache {
	struct table		 table;
	struct verify_entries	 fresh, proven;	/* the latest first */
	size_t			 nfresh, nproven, most;
};

void	verify_cache_init(struct verify_cache *, size_t most);
void	verify_cache_free(struct verify_cache *);

/* What is known; an entry of another next hop is dropped.  Counts as asked. */
struct verify_entry	*verify_cache_ask(struct verify_cache *,
			    struct span address, uint32_t hop);
/* NULL: no memory, nothing is remembered. */
struct verify_entry	*verify_cache_set(struct verify_cache *,
			    struct span address, uint32_t hop, enum verdict,
			    struct span dsn, int64_t at);
/* The operator has made a mailbox and does not want to wait. */
void	verify_cache_forget_misses(struct verify_cache *);

enum verify_age {
	VERIFY_GOOD,		/* it counts */
	VERIFY_OLD,		/* it counts, and should be asked again */
	VERIFY_STALE,		/* a hit that counts if it can't be asked again */
	VERIFY_GONE,		/* as if it were not there */
};
enum verify_age	verify_age(const struct verify_entry *, int64_t now);

/* On disk: lines, the last one a sum over all before it.  `wall` is now, too.
 * put: -1 no memory.  take: -1, and an empty cache, when it is damaged. */
int	verify_cache_put(const struct verify_cache *, int64_t now,
	    uint64_t wall, struct buf *);
int	verify_cache_take(struct verify_cache *, struct span, int64_t now,
	    uint64_t wall);

#endif
