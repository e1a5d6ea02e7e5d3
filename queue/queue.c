/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/queue.c - the role: start and end, its one timer, who comes and goes,
 * and the table of messages.  What they do is in the files that queue_priv.h
 * lists. */
#include "queue/queue.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "queue/queue_priv.h"
#include "queue/verify.h"

#define DUE_BATCH	200	/* messages taken up in one tick */
#define HOUSE_MS	1000

/* ---- the timer ---- */

void
queue_wake(struct queue *q)
{
	loop_timer_set(q->tick, 0);
}

static void
take_due(struct queue *q)
{
	struct message *m;

	for (int i = 0; i < DUE_BATCH && q->gate && !q->draining; i++) {
		m = index_due_first(&q->index);
		if (m == NULL || m->due > queue_now(q))
			return;
		index_due_clear(&q->index, m);
		message_ref(m);
		notify_take(q, m);
		if (!m->dead)
			route_message(q, m);
		message_unref(m);
	}
}

static void
keep_house(struct queue *q)
{
	if (queue_now(q) - q->kept_house < HOUSE_MS)
		return;
	q->kept_house = queue_now(q);
	dispatch_gate(q);
	route_expire(q);
	site_expire(q);
	verify_house(q);
	carry_house(q);
}

static bool
jobs_running(const struct queue *q)
{
	for (unsigned i = 1; i <= ROLE_INSTANCES; i++)
		if (q->relays[i].njobs > 0)
			return true;
	return false;
}

static void
finish_drain(struct queue *q)
{
	struct spool_stats stats;

	if (!q->draining || q->drained || jobs_running(q))
		return;
	spool_stats(q->spool, &stats);
	if (!stats.idle)
		return;
	q->drained = true;
	role_drained(q->env);
}

static void
next_tick(struct queue *q)
{
	uint64_t now = queue_now(q), wait = HOUSE_MS;
	struct message *due = index_due_first(&q->index);
	struct grace *grace = TAILQ_FIRST(&q->grace);

	if (due != NULL && q->gate && !q->draining)
		wait = due->due <= now ? 0 :
		    due->due - now < wait ? due->due - now : wait;
	if (grace != NULL && grace->until < now + wait)
		wait = grace->until > now ? grace->until - now : 0;
	if (q->checkpoint.running && wait > 20)
		wait = spool_checkpoint_ready(q->spool) ? 1 : 20;
	if (q->pump_again)
		wait = 0;
	if (q->draining && wait > 50)
		wait = 50;
	loop_timer_set(q->tick, wait);
}

static void
tick(void *arg)
{
	struct queue *q = arg;

	keep_house(q);
	checkpoint_turn(q);
	take_due(q);
	batch_grace(q);
	dispatch_pump(q);
	finish_drain(q);
	next_tick(q);
}

/* ---- start and end ---- */

static void
configure(struct queue *q, const struct conf *conf)
{
	q->conf = conf;
	q->schedule = (struct schedule){ conf->relay.retry.first,
	    conf->relay.retry.max, conf->relay.retry.give_up,
	    conf->relay.retry.delay_warning };
}

static void
init(struct queue *q, struct role_env *env)
{
	q->env = env;
	q->loop = env->loop;
	configure(q, env->conf);
	q->started = q->kept_house = queue_now(q);
	/* Later than all numbers of an earlier process, of which a relay may
	 * still hold jobs; REGISTERED makes sure of it. */
	q->next_job = clock_wall_ms() << 16;
	index_init(&q->index);
	TAILQ_INIT(&q->grace);
	TAILQ_INIT(&q->ring);
	route_init(q);
	for (unsigned i = 0; i <= ROLE_INSTANCES; i++) {
		TAILQ_INIT(&q->relays[i].jobs);
		LIST_INIT(&q->links[i]);
	}
	LIST_INIT(&q->orphans);
	LIST_INIT(&q->imports);
	buf_init(&q->record, SEGMENT_PAYLOAD_MAX);
	buf_init(&q->body, SEGMENT_PAYLOAD_MAX + SEGMENT_HEADER);
}

static int
queue_start(struct role_env *env, struct fault *f)
{
	struct queue *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
	init(q, env);
	env->state = q;
	q->tick = loop_timer_new(q->loop, tick, q);
	if (q->tick == NULL)
		return fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
	if (store_open(q, f) == -1 || verify_open(q, f) == -1)
		return -1;
	queue_wake(q);
	return 0;
}

static void
queue_stop(struct role_env *env)
{
	struct queue *q = env->state;

	control_close(&q->control);
	checkpoint_stop(q);
	intake_free_all(q);
	import_free_all(q);
	dispatch_free_all(q);
	site_free_all(q);
	while (!TAILQ_EMPTY(&q->grace))
		batch_forget(q, TAILQ_FIRST(&q->grace)->message);
	verify_close(q);
	route_free_all(q);
	store_close(q);
	loop_timer_close(&q->tick);
	buf_free(&q->record);
	buf_free(&q->body);
	free(q);
	env->state = NULL;
}

static void
queue_adopt(struct role_env *env, const struct conf *old)
{
	struct queue *q = env->state;

	(void)old;
	configure(q, env->conf);
	route_renew(q);
	queue_wake(q);
}

static void
queue_drain(struct role_env *env)
{
	struct queue *q = env->state;

	q->draining = true;
	verify_drain(q);
	queue_wake(q);
}

/* ---- who comes and goes ---- */

static void
queue_peer_up(struct role_env *env, struct link *l)
{
	struct queue *q = env->state;

	if (link_role(l) == ROLE_POLICY)
		route_ask_more(q);
	verify_pump(q);
	queue_wake(q);
}

static void
queue_peer_down(struct role_env *env, enum role role, unsigned index)
{
	struct queue *q = env->state;

	switch (role) {
	case ROLE_SMTPD:
		intake_lost(q, index);
		verify_smtpd_lost(q, index);
		shares_smtpd_lost(q, index);
		break;
	case ROLE_RELAY:
		dispatch_relay_lost(q, index);
		verify_relay_lost(q, index);
		break;
	case ROLE_POLICY:
		route_policy_lost(q);
		verify_policy_lost(q);
		break;
	default:
		break;
	}
}

static void
queue_room(struct role_env *env, struct link *l)
{
	struct queue *q = env->state;

	if (link_role(l) == ROLE_POLICY)
		route_ask_more(q);
	else if (link_role(l) == ROLE_RELAY)
		dispatch_pump(q);
	verify_pump(q);
}

static void
queue_control(struct role_env *env, struct link *l, struct ipc_msg *msg)
{
	struct queue *q = env->state;

	(void)l;
	control_close(&q->control);
	q->control = control_new(q->loop, ipc_take_fd(msg), &listing_ops, q);
	if (q->control == NULL)
		log_error("control-failed", KV_Q("reason", "no memory"));
}

static const struct role_handler handlers[] = {
	{ IPC_SPOOL_OPEN, intake_spool_open },
	{ IPC_MSG_BEGIN, intake_begin },
	{ IPC_MSG_RCPTS, intake_rcpts },
	{ IPC_MSG_COMMIT, intake_commit },
	{ IPC_MSG_ABORT, intake_abort },
	{ IPC_VERIFY_ASK, verify_ask },
	{ IPC_LIMITS_USED, shares_used },
	{ IPC_ROUTE, route_answer },
	{ IPC_JOB_OUTCOME, dispatch_outcome },
	{ IPC_JOB_RUNNING, dispatch_running },
	{ IPC_REGISTERED, dispatch_registered },
	{ IPC_CONTROL, queue_control },
};

const struct role_ops queue_ops = {
	.start = queue_start,
	.adopt = queue_adopt,
	.peer_up = queue_peer_up,
	.peer_down = queue_peer_down,
	.room = queue_room,
	.drain = queue_drain,
	.stop = queue_stop,
	.handlers = handlers,
	.nhandlers = sizeof(handlers) / sizeof(handlers[0]),
};
