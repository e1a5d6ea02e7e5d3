/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/pool.h - connections without a message, kept for the next one to the
 * same site with the same identity (which holds the levels asked: what was
 * negotiated for less is never used for more). */
#ifndef RELAY_POOL_H
#define RELAY_POOL_H

#include "relay/session.h"

#define POOL_IDLE_MS	5000
#define POOL_MESSAGES	100	/* over one connection */

struct pool {
	struct loop	*loop;
	struct loop_timer *timer;
	struct session	*first, *last;	/* the oldest first */
	unsigned	 n;
	/* A connection left the pool by itself or by age; it is gone. */
	void		(*dropped)(void *arg);
	void		*arg;
};

int	pool_init(struct pool *, struct loop *, void (*dropped)(void *),
	    void *arg);			/* -1: no memory */
void	pool_put(struct pool *, struct session *);
struct session	*pool_take(struct pool *, uint64_t site, uint64_t identity);
bool	pool_drop_oldest(struct pool *);	/* with QUIT; false: empty */
void	pool_ended(struct pool *, struct session *);	/* it ended while idle */
void	pool_close(struct pool *);

#endif
