/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/asks.h - routes under way for queue: questions for one domain with
 * one wish share one look-up, and there is a most of them. */
#ifndef POLICY_ASKS_H
#define POLICY_ASKS_H

#include "policy/route.h"

#define ASKS_MAX	10000	/* unanswered questions; 451 beyond */

struct asks;

typedef void	asks_answer_cb(void *arg, uint64_t txn,
		    const struct route_result *);

struct asks	*asks_new(struct route_world *, asks_answer_cb *, void *arg);
void		 asks_free(struct asks **);	/* nobody is answered */

/* Answers exactly once, now or later. */
void		 asks_take(struct asks *, uint64_t txn, struct span domain,
		    enum tls_wish);
/* Whoever asked is gone: forget all. */
void		 asks_forget(struct asks *);
size_t		 asks_pending(const struct asks *);

#endif
