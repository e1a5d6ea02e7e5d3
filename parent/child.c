/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/child.c - one role process: re-executed under its own user, told the
 * configuration, watched, restarted with back-off. */
#include "parent/parent_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define CHILD_FD	3
#define BACKOFF_FIRST	100	/* ms */
#define BACKOFF_MAX	10000
#define RENEW_MS	5000	/* to end in order, for a new one */
#define HEALTHY_AFTER	30000	/* a process that ran so long starts afresh */

extern char **environ;

static void
child_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	struct child *c = ctx;

	(void)l;
	switch (m->type) {
	case IPC_READY:
		c->sandbox = (struct sandbox){ m->u.ready.calls,
		    m->u.ready.landlock };
		if (m->u.ready.ok == 1)
			parent_child_ready(c);
		else
			parent_child_refused(c, m->u.ready.error);
		break;
	case IPC_DRAINED:
		c->drained = true;
		parent_child_drained(c);
		break;
	case IPC_LOG_GONE:
		/* One that does not read gets no second. */
		if (link_queued(c->link) == 0)
			log_target_send(c);
		break;
	case IPC_CONFIG_DONE:
		reload_answer(c, &m->u.config_done);
		break;
	case IPC_BLAME:
		wiring_blame(c, &m->u.blame);
		break;
	case IPC_KEY_CERTS:
		if (c->index == 1)
			certs_take(c->parent, &m->u.key_certs);
		break;
	default:
		log_warn("ipc-unhandled", KV_S("message", ipc_name(m->type)),
		    KV_S("peer", role_name(c->role)));
	}
}

void
child_misbehaved(struct child *c, const char *accuser, const char *why)
{
	log_error("role-misbehaved", KV_S("name", role_name(c->role)),
	    KV_N("instance", c->index), KV_Q("reason", why),
	    KV_S("accuser", accuser));
	child_kill(c);
}

/* Its end closed, or it spoke nonsense: either way that process is over. */
static void
child_link_closed(void *ctx, struct link *l, const char *why)
{
	struct child *c = ctx;

	(void)l;
	c->link = NULL;
	c->state = CHILD_DOWN;
	if (strcmp(why, "closed") != 0)
		child_misbehaved(c, "parent", why);
	child_kill(c);
}

static const struct link_ops child_ops = { child_message, NULL, child_link_closed };

void
child_send_config(struct child *c, const struct generation *g)
{
	struct ipc_config m = { .generation = g->number };
	int fd = fcntl(g->bundle_fd, F_DUPFD_CLOEXEC, 0);

	if (c->role == ROLE_KEYS)
		certs_send_files(g, c);
	/* Without it the process would wait for ever: the back-off is better. */
	if (fd == -1 || ipc_send_config(c->link, &m, fd) == -1)
		child_kill(c);
}

/* None, ever again: neither what an ambient set brought along nor, where we may
 * shrink it, what a program with capabilities of its own could give.  A change
 * of user alone leaves those two. */
static void
drop_capabilities(void)
{
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

	if (syscall(SYS_capset, &head, none) == -1)
		_exit(111);
}

static void
shrink_bounding_set(void)
{
	/* Until there are no more, or a unit without CAP_SETPCAP has shrunk it
	 * already. */
	for (unsigned long cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0;)
		cap++;
}

static void
become_user(uid_t uid, gid_t gid)
{
	if (geteuid() != 0)
		return;
	if (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		_exit(111);
}

/* Between fork and exec: only async-signal-safe calls. */
static void
run_child(int sock, char *title, uid_t uid, gid_t gid)
{
	char *argv[] = { title, NULL };

	if (sock == CHILD_FD)
		fcntl(sock, F_SETFD, 0);
	else if (dup2(sock, CHILD_FD) == -1)
		_exit(111);
	shrink_bounding_set();
	become_user(uid, gid);
	drop_capabilities();
	execve("/proc/self/exe", argv, environ);
	_exit(111);
}

static int
start_process(struct child *c, struct fault *f)
{
	char title[64];
	int fds[2];
	uid_t uid;
	gid_t gid;

	if (state_user(c->role, &uid, &gid, f) == -1)
		return -1;
	snprintf(title, sizeof title, "sealane: %s %u", role_name(c->role),
	    c->index);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0, fds) == -1)
		return fault_sys(f, "socketpair");
	c->pid = fork();
	if (c->pid == 0)
		run_child(fds[1], title, uid, gid);
	close(fds[1]);
	if (c->pid == -1) {
		c->pid = 0;
		close(fds[0]);
		return fault_sys(f, "fork");
	}
	c->link = link_new(c->parent->loop, fds[0], ROLE_PARENT, c->role,
	    c->index, &child_ops, c);
	if (c->link == NULL)
		return fault_set(f, FAULT_TEMP, 0, NULL, "no memory for a link");
	return 0;
}

static uint64_t
backoff(unsigned failures)
{
	uint64_t ms = BACKOFF_FIRST;

	while (failures-- > 1 && ms < BACKOFF_MAX)
		ms *= 2;
	return ms < BACKOFF_MAX ? ms : BACKOFF_MAX;
}

static void
restart_due(void *arg)
{
	struct child *c = arg;

	if (c->renewing)
		child_kill(c);		/* it had its time to end in order */
	else
		child_spawn(c);
}

static void
schedule_restart(struct child *c)
{
	if (c->parent->stage != STAGE_RUNNING)
		return;
	if (c->restart == NULL)
		c->restart = loop_timer_new(c->parent->loop, restart_due, c);
	if (c->restart != NULL)
		loop_timer_set(c->restart, backoff(c->failures));
}

void
child_spawn(struct child *c)
{
	struct fault f = { 0 };

	if (c->pid != 0)
		return;		/* two reasons to start it came together */
	if (c->restart != NULL)
		loop_timer_stop(c->restart);
	c->started = clock_steady_ms();
	c->drained = false;
	if (start_process(c, &f) == -1) {
		log_error("role-start-failed", KV_S("name", role_name(c->role)),
		    KV_N("instance", c->index), KV_Q("reason", f.text));
		c->failures++;
		child_kill(c);
		if (c->pid == 0)
			schedule_restart(c);
		return;
	}
	c->state = CHILD_STARTING;
	c->generation = c->parent->now.number;
	log_target_send(c);
	child_send_config(c, &c->parent->now);
}

void
child_reaped(struct child *c, int status)
{
	bool ours = c->parent->stage != STAGE_RUNNING || c->renewing;

	if (c->renewing)
		c->failures = 0;
	c->renewing = false;
	if (clock_steady_ms() - c->started > HEALTHY_AFTER)
		c->failures = 0;
	c->failures++;
	c->pid = 0;
	c->state = CHILD_DOWN;
	link_close(&c->link);
	if (!ours)
		log_event(LOG_WARN, "role-died", (const struct kv[]){
		    KV_S("name", role_name(c->role)),
		    KV_N("instance", c->index),
		    KV_N("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
		    KV_N("exit", WIFEXITED(status) ? WEXITSTATUS(status) : 0),
		    KV_SEC("restart_in", backoff(c->failures)) }, 5);
	schedule_restart(c);
	parent_child_down(c);
}

void
child_stop(struct child *c)
{
	if (c->restart != NULL)
		loop_timer_stop(c->restart);
	link_close(&c->link);
	c->state = CHILD_DOWN;
}

void
child_renew(struct child *c)
{
	if (c->restart == NULL)
		c->restart = loop_timer_new(c->parent->loop, restart_due, c);
	if (c->restart == NULL)
		return;			/* it stays as it is */
	c->renewing = true;
	child_stop(c);
	loop_timer_set(c->restart, RENEW_MS);
}

void
child_kill(struct child *c)
{
	if (c->pid > 0)
		kill(c->pid, SIGKILL);
}

void
child_free(struct child *c)
{
	child_stop(c);
	loop_timer_close(&c->restart);
}
