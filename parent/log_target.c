/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/log_target.c - opens what the log goes to, for itself and for the
 * roles, which may open nothing; and again when its reader was restarted. */
#include "parent/parent_priv.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

/* A pipe or terminal gets a description of our own, so that it can be made not
 * to block: the one we were given may be shared with whoever started us.  Roles
 * inherit it.  Where that is not permitted it stays as it is. */
static void
unblock_stderr(void)
{
	struct stat st;
	int fd;

	if (fstat(STDERR_FILENO, &st) == -1 ||
	    (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)))
		return;
	fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC);
	if (fd == -1)
		return;
	(void)dup2(fd, STDERR_FILENO);
	(void)close(fd);
}

static const char *
path_of(enum log_target target)
{
	return target == LOG_SYSLOG ? "/dev/log" :
	    "/run/systemd/journal/socket";
}

/* One for each process, so that none can fill another's. */
static int
target_open(enum log_target target, struct fault *f)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	(void)span_copy(span_str(path_of(target)), sun.sun_path,
	    sizeof sun.sun_path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return fault_sys(f, "socket");
	if (connect(fd, (struct sockaddr *)&sun, sizeof sun) == 0)
		return fd;
	(void)fault_sys(f, path_of(target));
	(void)close(fd);
	return -1;
}

/* What waits of the parent's own; false: it goes on waiting. */
static bool
flush(const struct parent *p)
{
	struct fault f;
	int fd = log_gone() ? target_open(p->now.conf->log_target, &f) : -1;

	if (fd != -1)
		log_to(p->now.conf->log_target, fd);
	return log_flush();
}

static void
due(void *arg)
{
	struct parent *p = arg;

	if (!flush(p))
		loop_timer_set(p->log_timer, log_retry_ms());
}

static void
lines_wait(void *arg)
{
	struct parent *p = arg;

	if (!loop_timer_active(p->log_timer))
		loop_timer_set(p->log_timer, log_retry_ms());
}

int
log_target_start(struct parent *p)
{
	struct fault f;
	int fd;

	unblock_stderr();
	p->log_timer = loop_timer_new(p->loop, due, p);
	if (p->log_timer == NULL)
		return -1;
	log_on_wait(lines_wait, p);
	if (p->now.conf->log_target == LOG_STDERR)
		return 0;
	fd = target_open(p->now.conf->log_target, &f);
	/* On standard error still, where a person may see it. */
	if (fd == -1)
		log_warn("log-unreachable", KV_Q("reason", f.text));
	log_to(p->now.conf->log_target, fd);
	return 0;
}

void
log_target_send(struct child *c)
{
	struct ipc_log_target m = { .target =
	    (uint8_t)c->parent->now.conf->log_target };
	struct fault f;

	if (c->link != NULL && m.target != LOG_STDERR)
		(void)ipc_send_log_target(c->link, &m,
		    target_open((enum log_target)m.target, &f));
}

void
log_target_stop(struct parent *p)
{
	log_on_wait(NULL, NULL);
	loop_timer_close(&p->log_timer);
	if (p->now.conf != NULL)
		(void)flush(p);
}
