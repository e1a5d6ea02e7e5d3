/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/crowd.c - the limits of networks in the role: who has them, the event
 * when one is reached, and what the processes tell each other. */
#include <stdio.h>

#include "base/log.h"
#include "smtpd/smtpd_priv.h"

#define SHARE_MS	1000
#define SHARE_MAX	65536	/* as in messages.def */

/* ---- who ---- */

static bool
has_limits(const struct smtpd *d, const struct addr *a,
    const struct conf_listen *listen)
{
	const struct conf_client *rules = conf_client_for(d->env->conf, a);

	if (a->family == 0)
		return false;
	if (rules != NULL && rules->limits != LIMITS_AUTO)
		return rules->limits == LIMITS_ON;
	if (addr_is_loopback(a))
		return false;
	for (size_t i = 0; i < listen->nrelay_from; i++)
		if (prefix_has(&listen->relay_from[i], a))
			return false;
	return true;
}

/* Once for each time that a limit is reached, not for each client that feels
 * it. */
static void
say(const struct addr *a, const struct limit_hit *hit)
{
	char ip[ADDR_TEXT_SIZE], net[ADDR_TEXT_SIZE + 8], text[ADDR_TEXT_SIZE];

	if (!hit->first)
		return;
	(void)snprintf(net, sizeof net, "%s/%u",
	    addr_ip_text(&hit->net.addr, text), hit->net.bits);
	log_warn("limit-reached", KV_S("client", addr_ip_text(a, ip)),
	    KV_S("net", net), KV_S("limit", limit_name(hit->limit)),
	    KV_N("most", hit->most));
}

bool
crowd_open(struct smtpd *d, const struct addr *a,
    const struct conf_listen *listen, bool *counted)
{
	struct limit_hit hit;

	*counted = has_limits(d, a, listen);
	if (!*counted || limits_open(&d->limits, a, loop_now(d->env->loop),
	    &hit))
		return true;
	say(a, &hit);
	return false;
}

void
crowd_close(struct smtpd *d, const struct addr *a)
{
	limits_close(&d->limits, a, loop_now(d->env->loop));
}

bool
crowd_count(void *arg, enum session_count what)
{
	static const enum limit limit[] = {
		[COUNT_RECIPIENT] = LIMIT_RECIPIENTS,
		[COUNT_ERROR] = LIMIT_ERRORS,
		[COUNT_UNKNOWN] = LIMIT_UNKNOWN,
	};
	struct client *c = arg;
	struct limit_hit hit;

	if (!c->limited || limits_take(&c->d->limits, &c->peer, limit[what],
	    loop_now(c->d->env->loop), &hit))
		return true;
	say(&c->peer, &hit);
	return false;
}

/* ---- the other processes ---- */

static void
on_share(void *arg)
{
	struct smtpd *d = arg;
	struct link *queue = role_peer(d->env, ROLE_QUEUE);
	struct buf uses;

	loop_timer_set(d->share, SHARE_MS);
	if (queue == NULL || link_full(queue))
		return;		/* it adds up until then */
	buf_init(&uses, SHARE_MAX);
	limits_share(&d->limits, loop_now(d->env->loop), &uses, SHARE_MAX);
	if (uses.len > 0)
		(void)ipc_send_limits_used(queue, &(struct ipc_limits_used){
		    .uses = buf_get(&uses) }, -1);
	buf_free(&uses);
}

void
crowd_others(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	struct smtpd *d = env->state;
	const struct ipc_limits_others *o = &m->u.limits_others;

	(void)l;
	if (o->gone)
		limits_gone(&d->limits, o->smtpd);
	else
		limits_others(&d->limits, o->smtpd, o->uses,
		    loop_now(env->loop));
}

void
crowd_share_all(struct smtpd *d)
{
	d->limits.share_all = true;
}

void
crowd_adopt(struct smtpd *d)
{
	limits_configure(&d->limits, d->env->conf);
}

int
crowd_start(struct smtpd *d)
{
	if (limits_init(&d->limits, d->env->conf, d->env->index) == -1)
		return -1;
	d->share = loop_timer_new(d->env->loop, on_share, d);
	if (d->share == NULL) {
		limits_free(&d->limits);
		return -1;
	}
	if (d->env->conf->smtpd_processes > 1)
		loop_timer_set(d->share, SHARE_MS);
	return 0;
}

void
crowd_stop(struct smtpd *d)
{
	loop_timer_close(&d->share);
	limits_free(&d->limits);
}
