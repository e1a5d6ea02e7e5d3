/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/upgrade.c - SIGUSR2: another version of the program takes this one's
 * place, in the same process.
 *
 * First the new program checks the configuration; only if it can, this one
 * drains and ends its roles as at a stop, and executes the new one.  The
 * listening sockets stay open all the time, so that clients who come meanwhile
 * wait in the kernel and are not refused; the spool has one owner at a time,
 * since the old queue is gone before the new one starts. */
#include "parent/parent_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

#define CHECK_MS	60000

extern char **environ;

/* The file that was executed, by name: what lies there later is the new one. */
void
upgrade_start(struct parent *p)
{
	ssize_t n = readlink("/proc/self/exe", p->program,
	    sizeof p->program - 1);

	p->program[n > 0 ? n : 0] = '\0';
}

static void
fail(struct parent *p, const char *reason)
{
	log_error("upgrade-failed", KV_S("program", p->program),
	    KV_Q("reason", reason));
}

/* Between fork and exec: only async-signal-safe calls.  Its complaints go to
 * standard error, as those of this program do. */
static void
run_check(const struct parent *p)
{
	char *argv[] = { (char *)(uintptr_t)p->program, "-c",
	    (char *)(uintptr_t)p->path, "check", NULL };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null == -1 || dup2(null, STDOUT_FILENO) == -1)
		_exit(111);
	execve(p->program, argv, environ);
	_exit(111);
}

void
upgrade_begin(struct parent *p)
{
	if (p->stage != STAGE_RUNNING || p->checker != 0)
		return;
	if (!p->announced || p->reload.phase != RELOAD_NONE) {
		fail(p, "not now: it is starting or reloading");
		return;
	}
	log_info("upgrading", KV_S("program", p->program));
	p->checker = fork();
	if (p->checker == 0)
		run_check(p);
	if (p->checker == -1) {
		p->checker = 0;
		fail(p, strerror(errno));
		return;
	}
	loop_timer_set(p->stage_timer, CHECK_MS);
}

void
upgrade_check_timeout(struct parent *p)
{
	if (p->checker > 0)
		kill(p->checker, SIGKILL);
}

void
upgrade_reap(struct parent *p)
{
	char reason[120];
	int status;

	if (p->checker <= 0 ||
	    waitpid(p->checker, &status, WNOHANG) != p->checker)
		return;
	p->checker = 0;
	/* Told to stop meanwhile: the timer is that of the stop. */
	if (p->stage != STAGE_RUNNING)
		return;
	loop_timer_stop(p->stage_timer);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		p->upgrading = true;
		stop_begin(p);
		return;
	}
	snprintf(reason, sizeof reason, "its `check` ended with %s %d",
	    WIFEXITED(status) ? "exit code" : "signal",
	    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	fail(p, reason);
	if (p->reload.again)
		reload_begin(p);
}

/* ---- handing over ---- */

/* Each first goes to where nothing is overwritten, then to its place, where it
 * survives exec. */
static int
put_in_place(int *fds, int n)
{
	for (int i = 0; i < n; i++)
		if ((fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC,
		    INHERIT_FD + n)) == -1)
			return -1;
	for (int i = 0; i < n; i++)
		if (dup2(fds[i], INHERIT_FD + i) == -1)
			return -1;
	return 0;
}

static int
describe(int n)
{
	char number[24];
	struct buf names;
	int rc;

	buf_init(&names, 65536);
	buf_str(&names, INHERIT_LOCK);
	for (int i = 1; i < n; i++)
		buf_str(&names, ":sealane");
	snprintf(number, sizeof number, "%d", (int)getpid());
	rc = setenv("LISTEN_PID", number, 1);
	snprintf(number, sizeof number, "%d", n);
	rc |= setenv("LISTEN_FDS", number, 1);
	rc |= names.failed ? -1 : setenv("LISTEN_FDNAMES", buf_cstr(&names), 1);
	buf_free(&names);
	return rc == 0 ? 0 : -1;
}

void
upgrade_exec(struct parent *p)
{
	char *argv[] = { p->program, "-c", (char *)(uintptr_t)p->path, "serve",
	    NULL };
	int *fds = calloc(p->now.conf->nlistens + 1, sizeof *fds), n = 0;

	if (fds != NULL) {
		fds[n++] = p->lock_fd;
		for (size_t i = 0; i < p->now.conf->nlistens; i++)
			if (p->now.listen_fds[i] != -1)
				fds[n++] = p->now.listen_fds[i];
		if (put_in_place(fds, n) == 0 && describe(n) == 0 &&
		    notify_hand_over(p) == 0)
			execve(p->program, argv, environ);
	}
	fail(p, strerror(errno));
	free(fds);
	p->exit_code = 1;
}
