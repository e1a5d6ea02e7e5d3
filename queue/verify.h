/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/verify.h - does a recipient exist?  smtpd asks before it answers RCPT;
 * the answer is remembered, or the next hop is asked by a relay (a JOB that is
 * a probe), over the route that mail would take.
 *
 *	verify.c	questions of smtpd, answers, the file
 *	verify_probe.c	addresses that are asked for: routes, jobs, outcomes
 *	verify_cache.c	what is known
 *
 * An address is asked for once at a time, however many wait for it. */
#ifndef QUEUE_VERIFY_H
#define QUEUE_VERIFY_H

#include "base/role.h"

struct queue;

int	verify_open(struct queue *, struct fault *);
void	verify_close(struct queue *);		/* keeps what is known */
void	verify_house(struct queue *);		/* once a second */
void	verify_drain(struct queue *);		/* nobody waits any more */
void	verify_forget_misses(struct queue *);

void	verify_ask(struct role_env *, struct link *, struct ipc_msg *);
void	verify_smtpd_lost(struct queue *, unsigned smtpd);

/* ---- verify_probe.c ---- */
void	verify_pump(struct queue *);		/* there is room somewhere */
/* True: it was ours, and is done with. */
bool	verify_route_answer(struct queue *, const struct ipc_route *);
bool	verify_outcome(struct queue *, unsigned relay,
	    const struct ipc_job_outcome *);
void	verify_relay_lost(struct queue *, unsigned relay);
void	verify_policy_lost(struct queue *);

#endif
