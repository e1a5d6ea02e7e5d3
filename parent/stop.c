/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/stop.c - the end in order: smtpd lets its clients finish, relay its
 * deliveries, then all are ended, those that hold state last. */
#include "parent/parent_priv.h"

#include "base/log.h"

#define STOP_MS		5000	/* for a role to flush and end */

static bool
is_network(enum role r)
{
	return r == ROLE_SMTPD || r == ROLE_RELAY;
}

/* Is `c` done with what this stage asks of it? */
static bool
stage_done_by(enum stop_stage stage, const struct child *c)
{
	bool gone = c->pid == 0;

	switch (stage) {
	case STAGE_DRAIN_SMTPD:
		return gone || c->role != ROLE_SMTPD || c->drained;
	case STAGE_DRAIN_RELAY:
		return gone || c->role != ROLE_RELAY || c->drained;
	case STAGE_STOP_NETWORK:
		return gone || !is_network(c->role);
	case STAGE_STOP_QUEUE:
		return gone || c->role != ROLE_QUEUE;
	case STAGE_STOP_REST:
		return gone;
	case STAGE_RUNNING:
	case STAGE_GONE:
		break;
	}
	return true;
}

static void
stage_begin_for(enum stop_stage stage, struct child *c)
{
	struct ipc_drain m = { 0 };
	enum role draining = stage == STAGE_DRAIN_SMTPD ? ROLE_SMTPD : ROLE_RELAY;

	if (stage_done_by(stage, c))
		return;
	if (stage >= STAGE_STOP_NETWORK)
		child_stop(c);
	else if (c->role == draining && c->state == CHILD_READY && c->link != NULL)
		ipc_send_drain(c->link, &m, -1);
	else if (c->role == draining)
		child_kill(c);		/* not even up: nothing to drain */
}

/* Both stages of draining share the time that the configuration gives. */
static uint64_t
stage_ms(const struct parent *p)
{
	uint64_t gone = loop_now(p->loop) - p->stop_asked;

	if (p->stage >= STAGE_STOP_NETWORK)
		return STOP_MS;
	return gone < p->now.conf->drain ? p->now.conf->drain - gone : 0;
}

void
stop_advance(struct parent *p)
{
	bool done = true;

	for (size_t i = 0; i < p->nchildren; i++)
		done = done && stage_done_by(p->stage, &p->children[i]);
	if (!done)
		return;
	p->stage++;
	if (p->stage == STAGE_GONE) {
		loop_stop(p->loop);
		return;
	}
	loop_timer_set(p->stage_timer, stage_ms(p));
	for (size_t i = 0; i < p->nchildren; i++)
		stage_begin_for(p->stage, &p->children[i]);
	stop_advance(p);
}

/* What did not finish in time is ended: the spool makes that harmless. */
void
stop_timeout(void *arg)
{
	struct parent *p = arg;

	upgrade_check_timeout(p);
	for (size_t i = 0; i < p->nchildren; i++) {
		struct child *c = &p->children[i];

		if (stage_done_by(p->stage, c))
			continue;
		log_warn("stop-forced", KV_S("name", role_name(c->role)),
		    KV_N("instance", c->index));
		child_kill(c);
	}
}

static void
stop_say(const struct parent *p)
{
	log_info("stopping", KV_S("version", SEALANE_VERSION));
	notify_say(p, "STOPPING=1");
}

void
stop_for_good(struct parent *p)
{
	p->upgrading = false;
	p->stop_asked = loop_now(p->loop);
	stop_say(p);
}

void
stop_begin(struct parent *p)
{
	if (p->stage != STAGE_RUNNING)
		return;
	reload_end(p);
	p->stop_asked = loop_now(p->loop);
	if (p->upgrading)
		notify_reloading(p);
	else
		stop_say(p);
	for (size_t i = 0; i < p->nchildren; i++)
		if (p->children[i].restart != NULL)
			loop_timer_stop(p->children[i].restart);
	p->stage = STAGE_DRAIN_SMTPD;
	loop_timer_set(p->stage_timer, stage_ms(p));
	for (size_t i = 0; i < p->nchildren; i++)
		stage_begin_for(p->stage, &p->children[i]);
	stop_advance(p);
}
