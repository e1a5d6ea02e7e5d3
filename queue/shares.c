/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/shares.c - what one smtpd has counted of its clients' networks goes to
 * the others: they have no links to each other, and all have one to queue. */
#include "queue/queue_priv.h"

static void
tell_others(struct queue *q, unsigned smtpd, bool gone, struct span uses)
{
	for (unsigned i = 1; i <= ROLE_INSTANCES; i++) {
		struct link *l = q->env->peer[ROLE_SMTPD][i];

		/* One that is behind with mail hears of the next count. */
		if (l == NULL || i == smtpd || (link_full(l) && !gone))
			continue;
		(void)ipc_send_limits_others(l, &(struct ipc_limits_others){
		    .smtpd = smtpd, .gone = gone, .uses = uses }, -1);
	}
}

void
shares_used(struct role_env *env, struct link *l, struct ipc_msg *msg)
{
	tell_others(env->state, link_index(l), false,
	    msg->u.limits_used.uses);
}

void
shares_smtpd_lost(struct queue *q, unsigned smtpd)
{
	tell_others(q, smtpd, true, SPAN_NONE);
}
