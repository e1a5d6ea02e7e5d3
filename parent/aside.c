/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/aside.c - a start aside: the few roles that answer a command when no
 * relay runs that could.  They are the same roles under the same users and
 * sandboxes; only their directory is new, and goes with them. */
#include "parent/parent.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "parent/parent_priv.h"

#define DIRECTORY	"sealane-aside.XXXXXX"

/* ---- its directory ---- */

/* Passable, for the roles' users; the files in it are for their owners. */
static int
make_directory(char *out, size_t size, struct fault *f)
{
	const char *tmp = getenv("TMPDIR");
	int n;

	if (tmp == NULL || tmp[0] != '/')
		tmp = "/tmp";
	n = snprintf(out, size, "%s/" DIRECTORY, tmp);
	if (n < 0 || (size_t)n >= size)
		return fault_set(f, FAULT_PERM, 0, NULL, "TMPDIR is too long");
	if (mkdtemp(out) == NULL)
		return fault_sys(f, out);
	if (chmod(out, 0755) == 0)
		return 0;
	(void)fault_sys(f, out);
	(void)rmdir(out);
	return -1;
}

/* There are only files in it. */
static void
remove_directory(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		closedir(d);
	(void)rmdir(path);
}

/* ---- its life ---- */

void
aside_ready(struct parent *p)
{
	const char *directory = p->now.conf->state_directory;

	if (send(p->aside_fd, directory, strlen(directory), MSG_NOSIGNAL) == -1)
		stop_begin(p);
}

/* The other end never writes: this is its end. */
static void
on_asker(void *arg, int events)
{
	struct parent *p = arg;

	(void)events;
	loop_io_watch(p->aside_io, 0);
	stop_begin(p);
}

static int
prepare(struct parent *p, struct fault *f)
{
	static const enum role order[] = { ROLE_RESOLVER, ROLE_FETCH,
	    ROLE_POLICY };

	if (parent_make_children(p, order, sizeof order / sizeof order[0],
	    f) == -1 || state_prepare_aside(p->now.conf, f) == -1)
		return -1;
	p->control_fds[ROLE_POLICY] = listen_control(p->now.conf, ROLE_POLICY,
	    f);
	if (p->control_fds[ROLE_POLICY] == -1)
		return -1;
	p->loop = loop_new();
	if (p->loop == NULL || parent_watch_signals(p) == -1 ||
	    (p->stage_timer = loop_timer_new(p->loop, stop_timeout, p)) ==
	    NULL || log_target_start(p) == -1 || reload_start(p) == -1 ||
	    addresses_start(p) == -1 ||
	    (p->aside_io = loop_io_new(p->loop, p->aside_fd, on_asker, p)) ==
	    NULL || loop_io_watch(p->aside_io, LOOP_READ) == -1)
		return fault_set(f, FAULT_TEMP, 0, NULL, "no event loop");
	return 0;
}

static int
load(struct parent *p, const char *directory, struct fault *f)
{
	struct conf_notes notes = { 0 };
	int rc = generation_load_aside(&p->now, p->path, directory, &notes, f);

	conf_notes_print(&notes, stderr);
	conf_notes_free(&notes);
	return rc;
}

static int
run(struct parent *p, const char *directory)
{
	struct fault f = { 0 };

	if (load(p, directory, &f) == -1 || prepare(p, &f) == -1) {
		log_error("start-failed", KV_Q("reason", f.text));
		return 1;
	}
	parent_spawn_all(p);
	loop_run(p->loop);
	return p->exit_code;
}

int
parent_aside(const char *conf_path, int fd)
{
	char directory[80];
	struct fault f = { 0 };
	struct parent p;
	int rc = 1;

	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	parent_init(&p, conf_path);
	p.aside_fd = fd;
	log_open("parent", LOG_LOGFMT);
	if (make_directory(directory, sizeof directory, &f) == -1) {
		log_error("start-failed", KV_Q("reason", f.text));
	} else {
		rc = run(&p, directory);
		remove_directory(directory);
	}
	if (p.aside_io == NULL)		/* which closes it */
		close(fd);
	parent_free(&p);
	return rc;
}
