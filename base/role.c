/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/role.c - the frame in which every role runs; see role.h. */
#include "base/role.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sandbox.h"

#define PARENT_FD	3
#define KEYS_TIMEOUT_S	2

struct role_process {
	struct role_env	env;
	struct conf	*conf;
	struct conf	*next;		/* prepared; NULL: none */
	uint32_t	 generation;	/* of conf */
	struct loop_timer *log_timer;
	bool		 up;
	int		 exit_code;
};

static struct role_process *
process_of(struct role_env *env)
{
	return (struct role_process *)(void *)env;	/* env is its first member */
}

void
role_give_up(struct role_env *env, const char *what)
{
	log_error("gives-up", KV_S("for", what), KV_Q("reason", "no memory"));
	process_of(env)->exit_code = 1;
	loop_stop(env->loop);
}

/* ---- links to peers ---- */

static void
dispatch(void *ctx, struct link *l, struct ipc_msg *m)
{
	struct role_env *env = ctx;

	for (size_t i = 0; i < env->ops->nhandlers; i++)
		if (env->ops->handlers[i].type == m->type) {
			env->ops->handlers[i].run(env, l, m);
			return;
		}
	log_warn("ipc-unhandled", KV_S("message", ipc_name(m->type)),
	    KV_S("peer", role_name(link_role(l))));
}

static void
peer_room(void *ctx, struct link *l)
{
	struct role_env *env = ctx;

	if (env->ops->room != NULL)
		env->ops->room(env, l);
}

static void
peer_closed(void *ctx, struct link *l, const char *why)
{
	struct role_env *env = ctx;
	enum role role = link_role(l);
	unsigned index = link_index(l);
	bool died = strcmp(why, "closed") == 0;
	struct ipc_blame blame = { .role = (uint8_t)role, .index = index,
	    .reason = span_str(why) };

	/* A death is the parent's to report; nonsense is ours. */
	log_event(died ? LOG_DEBUG : LOG_ERROR, "peer-down",
	    (const struct kv[]){
	    KV_S("peer", role_name(role)), KV_N("instance", index),
	    KV_Q("reason", why) }, 3);
	if (!died && env->parent != NULL)
		ipc_send_blame(env->parent, &blame, -1);
	if (env->peer[role][index] == l)
		env->peer[role][index] = NULL;
	if (env->ops->peer_down != NULL)
		env->ops->peer_down(env, role, index);
}

static const struct link_ops peer_ops = { dispatch, peer_room, peer_closed };

static void
take_keys_socket(struct role_env *env, int fd)
{
	struct timeval limit = { .tv_sec = KEYS_TIMEOUT_S };

	if (env->keys_fd != -1)
		close(env->keys_fd);
	env->keys_fd = fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (env->ops->keys_changed != NULL)
		env->ops->keys_changed(env);
}

static void
on_peer(struct role_env *env, struct ipc_msg *m)
{
	unsigned role = m->u.peer.role, index = m->u.peer.index;
	int fd = ipc_take_fd(m);
	struct link *l;

	if (role >= ROLE_COUNT || index == 0 || index > ROLE_INSTANCES) {
		close(fd);
		return;
	}
	if (env->role == ROLE_SMTPD && role == ROLE_KEYS) {
		take_keys_socket(env, fd);
		return;
	}
	/* A new socket for a peer whose old one was not yet seen to close. */
	if (env->peer[role][index] != NULL) {
		link_close(&env->peer[role][index]);
		if (env->ops->peer_down != NULL)
			env->ops->peer_down(env, (enum role)role, index);
	}
	l = link_new(env->loop, fd, env->role, (enum role)role, index,
	    &peer_ops, env);
	if (l == NULL) {
		/* Nobody would ever connect the two again. */
		role_give_up(env, role_name((enum role)role));
		return;
	}
	env->peer[role][index] = l;
	if (env->ops->peer_up != NULL)
		env->ops->peer_up(env, l);
}

struct link *
role_peer(struct role_env *env, enum role role)
{
	struct link *best = NULL;

	for (unsigned i = 1; i <= ROLE_INSTANCES; i++) {
		struct link *l = env->peer[role][i];

		if (l == NULL)
			continue;
		if (best == NULL || (link_full(best) && !link_full(l)) ||
		    (link_full(best) == link_full(l) &&
		    link_queued(l) < link_queued(best)))
			best = l;
	}
	return best;
}

/* ---- start ---- */

static struct conf *
load_conf(int fd, struct fault *f)
{
	struct conf_notes notes = { 0 };
	struct conf *c = conf_parse_fd(fd, &notes);

	if (c == NULL)
		fault_set(f, FAULT_PERM, 0, NULL, "configuration: %s",
		    notes.n > 0 ? notes.v[0].text : "no memory");
	conf_notes_free(&notes);
	return c;
}

static void
put_in_force(struct role_process *p, struct conf *c)
{
	p->conf = c;
	p->env.conf = c;
	log_open(role_name(p->env.role), c->log_format);
}

static int
begin(struct role_process *p, int fd, struct sandbox *in_force,
    struct fault *f)
{
	struct role_env *env = &p->env;

	struct conf *c = load_conf(fd, f);

	if (c == NULL)
		return -1;
	put_in_force(p, c);
	if (env->ops->start != NULL && env->ops->start(env, f) == -1)
		return -1;
	return sandbox_enter(env->role, env->conf, env->loop, in_force, f);
}

static void
files_close(struct role_env *env)
{
	for (unsigned i = 0; i < ROLE_FILE_KINDS * CONF_CERTIFICATES; i++) {
		int *fd = &env->files.fd[i / CONF_CERTIFICATES]
		    [i % CONF_CERTIFICATES];

		if (*fd != -1)
			close(*fd);
		*fd = -1;
	}
}

static void
on_config_file(struct role_env *env, struct ipc_msg *m)
{
	const struct ipc_config_file *file = &m->u.config_file;
	int *fd;

	if (file->what >= ROLE_FILE_KINDS || file->index >= CONF_CERTIFICATES)
		return;
	fd = &env->files.fd[file->what][file->index];
	if (*fd != -1)
		close(*fd);
	*fd = ipc_take_fd(m);
}

/* ---- a new configuration ---- */

static void
forget_next(struct role_process *p)
{
	struct role_env *env = &p->env;

	if (p->next != NULL && env->ops->forget != NULL)
		env->ops->forget(env);
	conf_free(&p->next);
	env->generation = p->generation;
}

static void
prepare_next(struct role_process *p, int fd, uint32_t generation)
{
	struct role_env *env = &p->env;
	struct fault f = { 0 };
	struct ipc_config_done m = { .generation = generation };

	forget_next(p);
	env->generation = generation;
	p->next = load_conf(fd, &f);
	if (p->next != NULL && env->ops->prepare != NULL &&
	    env->ops->prepare(env, p->next, &f) == -1)
		conf_free(&p->next);
	if (p->next == NULL) {
		m.error = span_str(f.text);
		env->generation = p->generation;
	}
	files_close(env);
	ipc_send_config_done(env->parent, &m, -1);
}

static void
on_config_switch(struct role_env *env, struct ipc_msg *msg)
{
	const struct ipc_config_done m = { .generation = env->generation,
	    .switched = 1 };
	struct role_process *p = process_of(env);
	struct conf *old = p->conf;

	if (msg->u.config_switch.take == 0 || p->next == NULL) {
		forget_next(p);
		return;
	}
	put_in_force(p, p->next);
	p->next = NULL;
	p->generation = env->generation;
	if (env->ops->adopt != NULL)
		env->ops->adopt(env, old);
	conf_free(&old);
	ipc_send_config_done(env->parent, &m, -1);
}

static void
on_config(struct role_env *env, struct ipc_msg *m)
{
	struct role_process *p = process_of(env);
	struct fault f = { 0 };
	struct ipc_ready ready = { .ok = 1 };
	struct sandbox in_force;

	if (p->conf != NULL) {
		prepare_next(p, m->fd, m->u.config.generation);
		return;
	}
	env->generation = p->generation = m->u.config.generation;
	if (begin(p, m->fd, &in_force, &f) == 0) {
		p->up = true;
		ready.calls = (uint8_t)in_force.calls;
		ready.landlock = (uint8_t)in_force.landlock;
	} else {
		ready.ok = 0;
		ready.error = span_str(f.text);
		p->exit_code = 1;
		loop_stop(env->loop);
	}
	files_close(env);
	if (ipc_send_ready(env->parent, &ready, -1) == -1)
		role_give_up(env, "parent");
}

static void
on_drain(struct role_env *env)
{
	if (env->draining)
		return;
	env->draining = true;
	if (env->ops->drain != NULL)
		env->ops->drain(env);
	else
		role_drained(env);
}

void
role_drained(struct role_env *env)
{
	struct ipc_drained m = { 0 };

	ipc_send_drained(env->parent, &m, -1);
}

/* ---- the log ---- */

static void
log_due(void *arg)
{
	struct role_process *p = arg;
	struct ipc_log_gone m = { 0 };

	if (log_gone() && p->env.parent != NULL)
		ipc_send_log_gone(p->env.parent, &m, -1);
	if (!log_flush())
		loop_timer_set(p->log_timer, log_retry_ms());
}

static void
log_waits(void *arg)
{
	struct role_process *p = arg;

	if (!loop_timer_active(p->log_timer))
		loop_timer_set(p->log_timer, log_retry_ms());
}

static void
on_log_target(struct ipc_msg *m)
{
	unsigned target = m->u.log_target.target;

	if (target == LOG_SYSLOG || target == LOG_JOURNAL)
		log_to((enum log_target)target,
		    m->fd == -1 ? -1 : ipc_take_fd(m));
	(void)log_flush();
}

static void
parent_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	struct role_env *env = ctx;

	switch (m->type) {
	case IPC_LOG_TARGET:
		on_log_target(m);
		break;
	case IPC_CONFIG_FILE:
		on_config_file(env, m);
		break;
	case IPC_CONFIG:
		on_config(env, m);
		break;
	case IPC_CONFIG_SWITCH:
		on_config_switch(env, m);
		break;
	case IPC_PEER:
		on_peer(env, m);
		break;
	case IPC_DRAIN:
		on_drain(env);
		break;
	default:
		if (process_of(env)->up)
			dispatch(env, l, m);
	}
}

static void
parent_gone(void *ctx, struct link *l, const char *why)
{
	struct role_env *env = ctx;

	(void)l, (void)why;
	env->parent = NULL;
	loop_stop(env->loop);
}

static const struct link_ops parent_ops = { parent_message, NULL, parent_gone };

/* Ctrl-C and a service manager's SIGTERM go to the whole group: ending in
 * order is the parent's to lead, by DRAIN and then by closing its socket. */
static void
ignore_signals(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

int
role_run(enum role role, unsigned index, const struct role_ops *ops)
{
	struct role_process *p = calloc(1, sizeof *p);
	struct role_env *env;
	int code;

	log_open(role_name(role), LOG_LOGFMT);
	ignore_signals();
	if (p == NULL)
		return 1;
	env = &p->env;
	*env = (struct role_env){ .role = role, .index = index,
	    .loop = loop_new(), .keys_fd = -1, .ops = ops };
	memset(&env->files, 0xff, sizeof env->files);	/* -1 each */
	if (env->loop == NULL)
		goto free_process;
	p->log_timer = loop_timer_new(env->loop, log_due, p);
	if (p->log_timer == NULL)
		goto free_loop;
	log_on_wait(log_waits, p);
	env->parent = link_new(env->loop, PARENT_FD, role, ROLE_PARENT, 1,
	    &parent_ops, env);
	if (env->parent == NULL) {
		log_error("start-failed", KV_Q("reason", "no parent; a role "
		    "is started by `sealane serve` only"));
		p->exit_code = 1;
		goto free_loop;
	}
	loop_run(env->loop);
	if (!p->up)
		return p->exit_code;	/* a start that failed half-way: the kernel tidies */
	forget_next(p);
	if (ops->stop != NULL)
		ops->stop(env);
	link_close(&env->parent);
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		for (unsigned i = 0; i <= ROLE_INSTANCES; i++)
			link_close(&env->peer[r][i]);
	if (env->keys_fd != -1)
		close(env->keys_fd);
free_loop:
	log_on_wait(NULL, NULL);
	loop_timer_close(&p->log_timer);
	(void)log_flush();
	loop_free(&env->loop);
	conf_free(&p->conf);
free_process:
	code = p->exit_code;
	free(p);
	return code;
}
