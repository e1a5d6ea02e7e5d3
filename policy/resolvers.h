/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/resolvers.h - the resolver processes as one dns/lookup.h.
 *
 * Each name has a resolver that it is usually asked of, so that two caches are
 * worth two; when that one has much more to do, the other is asked.  A question
 * whose resolver dies, or does not answer in time, goes to the other once.
 * What the links cannot take yet waits here, bounded in number and time. */
#ifndef POLICY_RESOLVERS_H
#define POLICY_RESOLVERS_H

#include "base/ipc/ipc.h"
#include "base/loop.h"
#include "dns/lookup.h"
#include "base/siphash.h"

struct resolvers_times {
	/* More than resolver allows itself for one answer. */
	uint64_t	answer_ms;
	/* From the question to giving up when no resolver takes it. */
	uint64_t	total_ms;
};
extern const struct resolvers_times	resolvers_times;	/* the usual */

#define RESOLVERS_OUT_MAX	2048	/* unanswered at one resolver */
#define RESOLVERS_MAX		100000	/* in all; ask() is NULL beyond */

struct resolvers;

struct resolvers_ops {
	/* Give the question to that resolver: 0, or -1 when it cannot be. */
	int	(*send)(void *ctx, unsigned index, const struct ipc_dns_ask *);
	/* Its link is full for now; resolvers_room() says when it no longer is. */
	bool	(*full)(void *ctx, unsigned index);
};

struct resolvers	*resolvers_new(struct loop *, const struct siphash_key *,
			    const struct resolvers_times *,
			    const struct resolvers_ops *, void *ctx);
/* Questions left are dropped; their callbacks do not run. */
void			 resolvers_free(struct resolvers **);
struct dns_lookup	 resolvers_lookup(struct resolvers *);
/* The same without DNSSEC: nothing is bogus, and nothing is secure. */
struct dns_lookup	 resolvers_unchecked(struct resolvers *);
/* The same by that resolver, from 1, as long as it is up and has room. */
#define RESOLVERS_PINNED	2	/* as many as parent/wiring.c starts */
struct dns_lookup	 resolvers_pinned(struct resolvers *, unsigned index);
size_t			 resolvers_pending(const struct resolvers *);

void	resolvers_up(struct resolvers *, unsigned index);
void	resolvers_down(struct resolvers *, unsigned index);
void	resolvers_room(struct resolvers *);
void	resolvers_answer(struct resolvers *, unsigned index,
	    const struct ipc_dns_answer *);

#endif
