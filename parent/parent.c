/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/parent.c - the life of the whole: start in order, restart what dies,
 * end in order. */
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

#define STOP_MS		5000	/* for a role to flush and end */
#define EXIT_CONF	64	/* a mistake in the configuration */

/* ---- events that child.c reports ---- */

static bool
all_ready(const struct parent *p)
{
	for (size_t i = 0; i < p->nchildren; i++)
		if (p->children[i].state != CHILD_READY)
			return false;
	return true;
}

static void
send_listeners(struct parent *p, struct child *c)
{
	for (size_t i = 0; i < p->conf->nlistens; i++) {
		struct ipc_listen m = { .index = (uint32_t)i };
		int fd = p->listen_fds[i] == -1 ? -1 :
		    fcntl(p->listen_fds[i], F_DUPFD_CLOEXEC, 0);

		if (fd != -1)
			ipc_send_listen(c->link, &m, fd);
	}
}

static void
send_control(struct parent *p, struct child *c)
{
	struct ipc_control m = { 0 };
	int fd = fcntl(p->control_fds[c->role], F_DUPFD_CLOEXEC, 0);

	if (fd != -1)
		ipc_send_control(c->link, &m, fd);
}

static void
spawn_all_down(struct parent *p)
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
	for (size_t i = 0; i < p->nchildren; i++)
		if (p->children[i].role == ROLE_SMTPD)
			send_listeners(p, &p->children[i]);
	announce(p->conf, buf_get(&p->certs));
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
			send_listeners(p, c);
	}
	if (c->role == ROLE_POLICY)
		addresses_send(c);
	if (p->control_fds[c->role] != -1)
		send_control(p, c);
	wiring_connect(p, c);
	/* keys 1 makes the keys; only then can anybody else use them. */
	if (c->role == ROLE_KEYS && c->index == 1 && !p->announced)
		spawn_all_down(p);
	if (!p->announced && all_ready(p))
		open_doors(p);
}

static void	stop_begin(struct parent *);
static void	stage_advance(struct parent *);

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
		    p->conf->tls.ncertificates > 0 ? EXIT_CONF : 1;
		stop_begin(p);
	}
}

void
parent_child_down(struct child *c)
{
	if (c->parent->stage != STAGE_RUNNING)
		stage_advance(c->parent);
}

void
parent_child_drained(struct child *c)
{
	if (c->parent->stage != STAGE_RUNNING)
		stage_advance(c->parent);
}

/* ---- ending ---- */

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
	return gone < p->conf->drain ? p->conf->drain - gone : 0;
}

static void
stage_advance(struct parent *p)
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
	stage_advance(p);
}

/* What did not finish in time is ended: the spool makes that harmless. */
static void
stage_timeout(void *arg)
{
	struct parent *p = arg;

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
stop_begin(struct parent *p)
{
	if (p->stage != STAGE_RUNNING)
		return;
	p->stop_asked = loop_now(p->loop);
	log_info("stopping", KV_S("version", SEALANE_VERSION));
	notify_say(p, "STOPPING=1");
	for (size_t i = 0; i < p->nchildren; i++)
		if (p->children[i].restart != NULL)
			loop_timer_stop(p->children[i].restart);
	p->stage = STAGE_DRAIN_SMTPD;
	loop_timer_set(p->stage_timer, stage_ms(p));
	for (size_t i = 0; i < p->nchildren; i++)
		stage_begin_for(p->stage, &p->children[i]);
	stage_advance(p);
}

/* ---- signals ---- */

static void
on_child(void *arg)
{
	struct parent *p = arg;

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
	else if (loop_now(p->loop) - p->stop_asked > 1000)
		stage_timeout(p);
}

static void
on_hangup(void *arg)
{
	(void)arg;
	log_warn("reload-unsupported", KV_Q("reason", "this version reads its "
	    "configuration at start only; restart it"));
}

static int
watch_signals(struct parent *p)
{
	static const struct { int signum; void (*cb)(void *); } rows[] = {
		{ SIGCHLD, on_child }, { SIGTERM, on_stop },
		{ SIGINT, on_stop }, { SIGHUP, on_hangup },
	};

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		p->signals[i] = loop_signal_new(p->loop, rows[i].signum,
		    rows[i].cb, p);
		if (p->signals[i] == NULL)
			return -1;
	}
	return 0;
}

/* ---- start ---- */

/* The configuration as every role will see it: one sealed memory file. */
static int
seal_bundle(struct span bundle, struct fault *f)
{
	int fd = memfd_create("sealane.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return fault_sys(f, "memfd_create");
	/* Memory files take a write whole, up to 2 GiB. */
	if (write(fd, bundle.p, bundle.n) != (ssize_t)bundle.n ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
	    F_SEAL_SEAL) == -1) {
		fault_sys(f, "configuration memory file");
		close(fd);
		return -1;
	}
	return fd;
}

static int
load_conf(struct parent *p, const char *path)
{
	struct conf_notes notes = { 0 };
	struct fault f = { 0 };
	struct buf bundle;
	bool bad = true;

	p->conf = conf_load(path, &notes, &bundle);
	if (p->conf != NULL) {
		conf_review(p->conf, &notes);
		bad = certs_open_files(p, &notes) == -1;
	}
	conf_notes_print(&notes, stderr);
	conf_notes_free(&notes);
	if (!bad) {
		p->bundle_fd = seal_bundle(buf_get(&bundle), &f);
		if (p->bundle_fd == -1)
			fprintf(stderr, "sealane: %s\n", f.text);
	}
	buf_free(&bundle);
	return bad ? EXIT_CONF : p->bundle_fd == -1 ? 1 : 0;
}

/* The listeners that an empty file means: on a machine without IPv6 there is
 * no [::1], and nobody asked for it. */
static bool
may_be_absent(const struct parent *p, size_t i, const struct fault *f)
{
	if (p->conf->listens[i].line != 0 ||
	    (f->err != EADDRNOTAVAIL && f->err != EAFNOSUPPORT))
		return false;
	log_warn("listener-skipped", KV_Q("reason", f->text));
	return true;
}

static int
open_sockets(struct parent *p, struct fault *f)
{
	p->listen_fds = calloc(p->conf->nlistens + 1, sizeof *p->listen_fds);
	if (p->listen_fds == NULL)
		return fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
	for (size_t i = 0; i < p->conf->nlistens; i++)
		p->listen_fds[i] = -1;
	for (size_t i = 0; i < p->conf->nlistens; i++) {
		p->listen_fds[i] = listen_open(&p->conf->listens[i], f);
		if (p->listen_fds[i] == -1 && !may_be_absent(p, i, f))
			return -1;
	}
	for (unsigned r = 0; r < ROLE_COUNT; r++) {
		if (!wiring_has_control((enum role)r))
			continue;
		p->control_fds[r] = listen_control(p->conf, (enum role)r, f);
		if (p->control_fds[r] == -1)
			return -1;
	}
	return 0;
}

static int
make_children(struct parent *p, struct fault *f)
{
	/* keys first: spawn order is table order, and all wait for keys 1. */
	static const enum role order[] = { ROLE_KEYS, ROLE_LEDGER, ROLE_RESOLVER,
	    ROLE_FETCH, ROLE_POLICY, ROLE_QUEUE, ROLE_RELAY, ROLE_SMTPD };
	size_t n = 0, total = 0;

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		total += wiring_instances(p->conf, order[i]);
	p->children = calloc(total, sizeof *p->children);
	if (p->children == NULL)
		return fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		for (unsigned k = 1; k <= wiring_instances(p->conf, order[i]); k++)
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
	raise_descriptors();
	if (make_children(p, f) == -1 ||
	    state_prepare(p->conf, &p->lock_fd, f) == -1 ||
	    open_sockets(p, f) == -1)
		return -1;
	p->loop = loop_new();
	if (p->loop == NULL || watch_signals(p) == -1 ||
	    (p->stage_timer = loop_timer_new(p->loop, stage_timeout, p)) == NULL ||
	    log_target_start(p) == -1 ||
	    notify_open(p) == -1 ||
	    tickets_start(p) == -1 ||
	    addresses_start(p) == -1)
		return fault_set(f, FAULT_TEMP, 0, NULL, "no event loop");
	return 0;
}

static void
close_if(int fd)
{
	if (fd != -1)
		close(fd);
}

static void
parent_free(struct parent *p)
{
	for (size_t i = 0; i < p->nchildren; i++)
		child_free(&p->children[i]);
	for (size_t i = 0; i < 4; i++)
		loop_signal_close(&p->signals[i]);
	loop_timer_close(&p->stage_timer);
	notify_close(p);
	log_target_stop(p);
	tickets_stop(p);
	loop_timer_close(&p->addresses_timer);
	loop_free(&p->loop);
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		if (p->control_fds[r] != -1) {
			listen_unlink_control(p->conf, (enum role)r);
			close(p->control_fds[r]);
		}
	for (size_t i = 0; p->listen_fds != NULL && i < p->conf->nlistens; i++)
		close_if(p->listen_fds[i]);
	free(p->listen_fds);
	free(p->children);
	buf_free(&p->certs);
	buf_free(&p->certs_coming);
	certs_close_files(p);
	buf_free(&p->addresses);
	conf_free(&p->conf);
	close_if(p->bundle_fd);
	close_if(p->lock_fd);
}

int
parent_serve(const char *conf_path)
{
	struct parent p = { .bundle_fd = -1, .lock_fd = -1,
	    .notify_fd = -1 };
	struct fault f = { 0 };
	int rc;

	for (unsigned r = 0; r < ROLE_COUNT; r++)
		p.control_fds[r] = -1;
	memset(&p.files, 0xff, sizeof p.files);		/* -1 each */
	buf_init(&p.certs, CERTS_MAX);
	buf_init(&p.certs_coming, CERTS_MAX);
	buf_init(&p.addresses, ADDRESSES_MAX);
	rc = load_conf(&p, conf_path);
	if (rc != 0)
		goto out;
	log_open("parent", p.conf->log_format);
	if (prepare(&p, &f) == -1) {
		log_error("start-failed", KV_Q("reason", f.text));
		rc = 1;
		goto out;
	}
	if (p.conf->allow_loopback)
		log_warn("allow-loopback", KV_Q("reason", "hosts found by DNS "
		    "may have loopback or private addresses"));
	child_spawn(&p.children[0]);
	loop_run(p.loop);
	rc = p.exit_code;
	log_info("stopped", KV_N("exit", rc));
out:
	parent_free(&p);
	return rc;
}
