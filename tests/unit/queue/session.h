/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/session.h - mail through a queue, once: small and large, sent,
 * failed with its bounce, deferred.  What the outside was told stands in
 * memory that outlives the process, to be held against what the next process
 * finds in the spool. */
#ifndef TESTS_QUEUE_SESSION_H
#define TESTS_QUEUE_SESSION_H

#include <stdbool.h>
#include <stddef.h>

struct session;

struct session	*session_new(void);
void	session_free(struct session *);
/* Called when the queue is about to start. */
extern void (*session_begins)(void);
/* For step_run(): a queue's life.  From session_new() on, or after reset. */
void	session_run(void *);
void	session_reset(struct session *);	/* an empty spool, nothing told */
/* Was every message taken and answered, so that nothing went wrong? */
bool	session_whole(const struct session *);
/* In a process of its own: what was promised is there, nothing is altered,
 * nothing looks damaged, and new mail is taken.  `once`: nothing may be
 * delivered twice but what was under way.  false, and why. */
bool	session_check(struct session *, bool once, char *why, size_t n);

#endif
