/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/parent.c - the life of the whole: start in order, restart what
 * dies. */
#include "parent/parent.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "parent/parent_priv.h"

#define EXIT_CONF	64	/* a mistake in the configuration */

/* ---- events that child.c reports ---- */

bool
parent_all_ready(const struct parent *p)
{
	for (size_t i = 0; i < p->nchildren; i++)
		if (p->children[i].state != CHILD_READY)
			return false;
	return true;
}

static void
send_control(struct parent *p, struct child *c)
{
	struct ipc_control m = { 0 };
	int fd = fcntl(p->control_fds[c->role], F_DUPFD_CLOEXEC, 0);

	if (fd != -1)
		ipc_send_control(c->link, &m, fd);
}

void
parent_spawn_all(struct parent *p)
{
	for (size_t i = 0; i < p->nchildren; i++)
		if (p->children[i].state == CHILD_DOWN &&
		    p->children[i].pid == 0)
			child_spawn(&p->children[i]);
}

/* All is up for the first time: nobody is let in before, or the first clients
 * would be told to come back later. */
static void
open_doors(struct parent *p)
{
	p->announced = true;
	if (p->aside_fd != -1) {
		aside_ready(p);
		return;
	}
	for (size_t i = 0; i < p->nchildren; i++)
		if (p->children[i].role == ROLE_SMTPD)
			generation_send_listeners(&p->now, NULL, &p->children[i]);
	announce(p->now.conf, buf_get(&p->certs));
	isolation_log(p);
	log_info("started", KV_S("version", SEALANE_VERSION),
	    KV_N("processes", p->nchildren + 1));
	notify_say(p, "READY=1");
}

void
parent_child_ready(struct child *c)
{
	struct parent *p = c->parent;

	if (c->state != CHILD_STARTING || p->stage != STAGE_RUNNING)
		return;
	c->state = CHILD_READY;
	log_info("role-up", KV_S("name", role_name(c->role)),
	    KV_N("instance", c->index), KV_N("pid", c->pid));
	if (c->role == ROLE_SMTPD) {
		certs_send(p, c);
		tickets_send(p, c);
		if (p->announced)
			generation_send_listeners(&p->now, NULL, c);
	}
	if (c->role == ROLE_POLICY)
		addresses_send(c);
	if (p->control_fds[c->role] != -1)
		send_control(p, c);
	wiring_connect(p, c);
	/* keys 1 makes the keys; only then can anybody else use them. */
	if (c->role == ROLE_KEYS && c->index == 1 && !p->announced)
		parent_spawn_all(p);
	if (!p->announced && parent_all_ready(p))
		open_doors(p);
	reload_child_ready(c);
}

void
parent_child_refused(struct child *c, struct span error)
{
	struct parent *p = c->parent;

	log_error("role-start-failed", KV_S("name", role_name(c->role)),
	    KV_N("instance", c->index), KV_QSPAN("reason", error));
	/* At first start a person is watching: say it and end.  Later the
	 * others go on, and this one is tried again. */
	if (!p->announced && p->stage == STAGE_RUNNING) {
		/* keys cannot read what the configuration names. */
		p->exit_code = c->role == ROLE_KEYS &&
		    p->now.conf->tls.ncertificates > 0 ? EXIT_CONF : 1;
		stop_begin(p);
	}
}

void
parent_child_down(struct child *c)
{
	if (c->parent->stage != STAGE_RUNNING)
		stop_advance(c->parent);
	else
		reload_child_down(c);
}

void
parent_child_drained(struct child *c)
{
	if (c->parent->stage != STAGE_RUNNING)
		stop_advance(c->parent);
}

/* ---- signals ---- */

static void
on_child(void *arg)
{
	struct parent *p = arg;

	upgrade_reap(p);
	for (size_t i = 0; i < p->nchildren; i++) {
		struct child *c = &p->children[i];
		int status;

		if (c->pid > 0 && waitpid(c->pid, &status, WNOHANG) == c->pid)
			child_reaped(c, status);
	}
}

static void
on_stop(void *arg)
{
	struct parent *p = arg;

	/* Asked again: somebody is in a hurry.  Not within a second: some
	 * tools signal the process and then its whole group. */
	if (p->stage == STAGE_RUNNING)
		stop_begin(p);
	else if (p->upgrading)
		stop_for_good(p);
	else if (loop_now(p->loop) - p->stop_asked > 1000)
		stop_timeout(p);
}

static void
on_hangup(void *arg)
{
	reload_begin(arg);
}

static void
on_upgrade(void *arg)
{
	upgrade_begin(arg);
}

int
parent_watch_signals(struct parent *p)
{
	static const struct { int signum; void (*cb)(void *); } rows[] = {
		{ SIGCHLD, on_child }, { SIGTERM, on_stop },
		{ SIGINT, on_stop },
		{ SIGHUP, on_hangup }, { SIGUSR2, on_upgrade },
	};
	/* A start aside is neither reloaded nor upgraded. */
	size_t n = p->aside_fd == -1 ? sizeof rows / sizeof rows[0] : 3;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < n; i++) {
		p->signals[i] = loop_signal_new(p->loop, rows[i].signum,
		    rows[i].cb, p);
		if (p->signals[i] == NULL)
			return -1;
	}
	return 0;
}

/* ---- start ---- */

static int
load_conf(struct parent *p, const char *path)
{
	struct conf_notes notes = { 0 };
	struct fault f = { 0 };
	int rc = generation_load(&p->now, path, &notes, &f);

	conf_notes_print(&notes, stderr);
	conf_notes_free(&notes);
	if (rc == 0)
		return 0;
	if (f.text[0] == '\0')
		return EXIT_CONF;
	fprintf(stderr, "sealane: %s\n", f.text);
	return 1;
}

static int
open_sockets(struct parent *p, struct fault *f)
{
	size_t bad;

	if (generation_listen(&p->now, NULL, &bad, f) == -1)
		return -1;
	for (unsigned r = 0; r < ROLE_COUNT; r++) {
		if (!wiring_has_control((enum role)r))
			continue;
		p->control_fds[r] = listen_control(p->now.conf, (enum role)r, f);
		if (p->control_fds[r] == -1)
			return -1;
	}
	return 0;
}

int
parent_make_children(struct parent *p, const enum role *order, size_t norder,
    struct fault *f)
{
	size_t n = 0, total = 0;

	for (size_t i = 0; i < norder; i++)
		total += wiring_instances(p->now.conf, order[i]);
	p->children = calloc(total, sizeof *p->children);
	if (p->children == NULL)
		return fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
	for (size_t i = 0; i < norder; i++)
		for (unsigned k = 1; k <= wiring_instances(p->now.conf, order[i]); k++)
			p->children[n++] = (struct child){ .parent = p,
			    .role = order[i], .index = k };
	p->nchildren = n;
	for (size_t i = 0; i < n; i++) {
		uid_t uid;
		gid_t gid;

		if (state_user(p->children[i].role, &uid, &gid, f) == -1)
			return -1;
	}
	return 0;
}

/* Every connection is a descriptor: take what the system allows. */
static void
raise_descriptors(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
}

static int
prepare(struct parent *p, struct fault *f)
{
	/* keys first: spawn order is table order, and all wait for keys 1. */
	static const enum role order[] = { ROLE_KEYS, ROLE_LEDGER, ROLE_RESOLVER,
	    ROLE_FETCH, ROLE_POLICY, ROLE_QUEUE, ROLE_RELAY, ROLE_SMTPD };

	raise_descriptors();
	if (parent_make_children(p, order, sizeof order / sizeof order[0],
	    f) == -1 ||
	    state_prepare(p->now.conf, &p->lock_fd, f) == -1 ||
	    open_sockets(p, f) == -1)
		return -1;
	inherit_end();
	p->loop = loop_new();
	if (p->loop == NULL || parent_watch_signals(p) == -1 ||
	    (p->stage_timer = loop_timer_new(p->loop, stop_timeout, p)) == NULL ||
	    log_target_start(p) == -1 || reload_start(p) == -1 ||
	    notify_open(p) == -1 ||
	    tickets_start(p) == -1 ||
	    addresses_start(p) == -1)
		return fault_set(f, FAULT_TEMP, 0, NULL, "no event loop");
	return 0;
}

void
parent_init(struct parent *p, const char *conf_path)
{
	*p = (struct parent){ .path = conf_path, .lock_fd = -1,
	    .notify_fd = -1, .aside_fd = -1 };
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		p->control_fds[r] = -1;
	generation_init(&p->now);
	generation_init(&p->next);
	buf_init(&p->certs, CERTS_MAX);
	buf_init(&p->certs_coming, CERTS_MAX);
	buf_init(&p->addresses, ADDRESSES_MAX);
}

void
parent_free(struct parent *p)
{
	for (size_t i = 0; i < p->nchildren; i++)
		child_free(&p->children[i]);
	for (size_t i = 0; i < sizeof p->signals / sizeof p->signals[0]; i++)
		loop_signal_close(&p->signals[i]);
	loop_timer_close(&p->stage_timer);
	loop_timer_close(&p->reload.timer);
	notify_close(p);
	log_target_stop(p);
	tickets_stop(p);
	loop_timer_close(&p->addresses_timer);
	loop_io_close(&p->aside_io);
	loop_free(&p->loop);
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		if (p->control_fds[r] != -1) {
			listen_unlink_control(p->now.conf, (enum role)r);
			close(p->control_fds[r]);
		}
	free(p->children);
	buf_free(&p->certs);
	buf_free(&p->certs_coming);
	buf_free(&p->addresses);
	generation_free(&p->next);
	generation_free(&p->now);
	if (p->lock_fd != -1)
		close(p->lock_fd);
}

int
parent_serve(const char *conf_path)
{
	struct parent p;
	struct fault f = { 0 };
	int rc;

	parent_init(&p, conf_path);
	/* Too early for them is no reason to end. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	rc = load_conf(&p, conf_path);
	if (rc != 0)
		goto out;
	log_open("parent", p.now.conf->log_format);
	inherit_start(&p.lock_fd);
	upgrade_start(&p);
	if (prepare(&p, &f) == -1) {
		log_error("start-failed", KV_Q("reason", f.text));
		rc = 1;
		goto out;
	}
	if (p.now.conf->allow_loopback)
		log_warn("allow-loopback", KV_Q("reason", "hosts found by DNS "
		    "may have loopback or private addresses"));
	child_spawn(&p.children[0]);
	loop_run(p.loop);
	if (p.upgrading)
		upgrade_exec(&p);
	rc = p.exit_code;
	log_info("stopped", KV_N("exit", rc));
out:
	parent_free(&p);
	return rc;
}
