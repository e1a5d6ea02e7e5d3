/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/role.c - the role as base/role.h runs it: messages of other roles,
 * drain and stop. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "smtpd/smtpd.h"
#include "smtpd/smtpd_priv.h"

static struct smtpd *
state_of(struct role_env *env)
{
	return env->state;
}

/* ---- messages ---- */

static void
on_listen(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	struct smtpd *d = state_of(env);
	uint32_t index = m->u.listen.index;

	(void)l;
	if (env->draining || index >= env->conf->nlistens)
		return;
	if (listener_add(d, ipc_take_fd(m), &env->conf->listens[index]) == -1)
		role_give_up(env, env->conf->listens[index].label);
}

static void
on_spool_opened(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	(void)l;
	smtpd_intake_spooled(state_of(env), m);
}

static void
on_msg_committed(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	(void)l;
	smtpd_intake_committed(state_of(env), &m->u.msg_committed);
}

static void
on_verify_answer(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	(void)l;
	smtpd_intake_verified(state_of(env), &m->u.verify_answer);
}

static void
on_peer_down(struct role_env *env, enum role role, unsigned index)
{
	(void)index;
	if (role == ROLE_QUEUE)
		smtpd_intake_lost(state_of(env));
}

static void
on_peer_up(struct role_env *env, struct link *l)
{
	if (link_role(l) == ROLE_QUEUE)
		crowd_share_all(state_of(env));
}

static void
on_room(struct role_env *env, struct link *l)
{
	if (link_role(l) == ROLE_QUEUE)
		smtpd_intake_go_on(state_of(env));
}

/* ---- start, drain, stop ---- */

static void
on_again(void *arg)
{
	listeners_watch(arg);
}

static int
start(struct role_env *env, struct fault *f)
{
	struct smtpd *d = calloc(1, sizeof *d);

	if (d == NULL)
		goto no_memory;
	d->env = env;
	d->reserve_fd = -1;
	descriptors_share(d);
	STAILQ_INIT(&d->spool_line);
	d->again = loop_timer_new(env->loop, on_again, d);
	if (d->again == NULL || creds_init(d) == -1)
		goto free_state;
	if (crowd_start(d) == -1)
		goto free_creds;
	if (pace_start(d) == -1)
		goto stop_crowd;
	env->state = d;
	return 0;
stop_crowd:
	crowd_stop(d);
free_creds:
	creds_free(d);
free_state:
	loop_timer_close(&d->again);
	free(d);
no_memory:
	return fault_set(f, FAULT_TEMP, 0, "4.3.0", "no memory");
}

void
smtpd_check_drained(struct smtpd *d)
{
	if (!d->env->draining || d->drained || d->nclients > 0)
		return;
	d->drained = true;
	role_drained(d->env);
}

static void
drain(struct role_env *env)
{
	struct smtpd *d = state_of(env);

	if (d == NULL) {
		role_drained(env);
		return;
	}
	listeners_close(d);
	for (unsigned i = 0; i < CLIENT_SLOTS_MAX; i++)
		if (d->clients[i] != NULL)
			smtpd_client_run(d->clients[i]);
	smtpd_check_drained(d);
}

static void
stop(struct role_env *env)
{
	struct smtpd *d = state_of(env);

	d->drained = true;		/* nobody to tell any more */
	listeners_close(d);
	for (unsigned i = 0; i < CLIENT_SLOTS_MAX; i++)
		if (d->clients[i] != NULL)
			smtpd_client_free(d->clients[i]);
	channel_close_lingering(env->loop);
	loop_timer_close(&d->again);
	pace_stop(d);
	crowd_stop(d);
	creds_free(d);
	if (d->reserve_fd != -1)
		close(d->reserve_fd);
	free(d);
	env->state = NULL;
}

static void
adopt(struct role_env *env, const struct conf *old)
{
	struct smtpd *d = state_of(env);

	(void)old;
	descriptors_share(d);
	crowd_adopt(d);
	listeners_adopt(d);
	creds_adopt(d);
}

static void
on_certs(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	(void)l;
	creds_take(state_of(env), &m->u.certs);
}

static void
on_ticket_key(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	(void)l;
	creds_take_ticket_key(state_of(env), m->u.ticket_key.key);
}

static void
keys_changed(struct role_env *env)
{
	if (env->state != NULL)
		creds_keys_changed(env->state);
}

static const struct role_handler handlers[] = {
	{ IPC_CERTS, on_certs },
	{ IPC_TICKET_KEY, on_ticket_key },
	{ IPC_LISTEN, on_listen },
	{ IPC_SPOOL_OPENED, on_spool_opened },
	{ IPC_MSG_COMMITTED, on_msg_committed },
	{ IPC_VERIFY_ANSWER, on_verify_answer },
	{ IPC_LIMITS_OTHERS, crowd_others },
};

const struct role_ops smtpd_ops = {
	.start = start,
	.adopt = adopt,
	.peer_up = on_peer_up,
	.peer_down = on_peer_down,
	.keys_changed = keys_changed,
	.room = on_room,
	.drain = drain,
	.stop = stop,
	.handlers = handlers,
	.nhandlers = sizeof handlers / sizeof handlers[0],
};
