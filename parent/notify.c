/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/notify.c - tells a service manager how things stand: sd_notify(3)
 * and its watchdog, which are datagrams to the socket that NOTIFY_SOCKET
 * names.  Without it, nothing happens. */
#include "parent/parent_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

void
notify_say(const struct parent *p, const char *state)
{
	/* Never to wait for: a manager that does not read loses this one. */
	if (p->notify_fd != -1)
		(void)send(p->notify_fd, state, strlen(state),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* sd_notify(3): the time tells this reload from an earlier one. */
void
notify_reloading(const struct parent *p)
{
	char state[64];

	snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)clock_steady_ms() * 1000);
	notify_say(p, state);
}

static int
connect_manager(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t n = strlen(name);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	int fd;

	if ((name[0] != '/' && name[0] != '@') || n >= sizeof sun.sun_path) {
		errno = EINVAL;
		return -1;
	}
	memcpy(sun.sun_path, name, n);
	if (name[0] == '@')
		sun.sun_path[0] = '\0';		/* an abstract name */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&sun, len) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The loop turns: that is all that the watchdog asks. */
static void
watchdog_due(void *arg)
{
	struct parent *p = arg;

	notify_say(p, "WATCHDOG=1");
	loop_timer_set(p->watchdog, p->watchdog_ms);
}

/* Half of the manager's time, as sd_watchdog_enabled(3) advises; 0 when it
 * does not watch, or watches another process. */
static uint64_t
watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	unsigned long long us, who;

	if (!span_u64(span_str(usec), UINT64_MAX / 2, &us) || us < 2000)
		return 0;
	if (pid != NULL && (!span_u64(span_str(pid), INT32_MAX, &who) ||
	    who != (unsigned long long)getpid()))
		return 0;
	return us / 2000;
}

int
notify_open(struct parent *p)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct fault f;

	if (name != NULL && (p->notify_fd = connect_manager(name)) == -1) {
		fault_sys(&f, "NOTIFY_SOCKET");
		log_warn("notify-failed", KV_Q("reason", f.text));
	}
	p->notify_name = p->notify_fd == -1 ? NULL : strdup(name);
	p->watchdog_ms = p->notify_fd == -1 ? 0 : watchdog_ms();
	/* The roles have no business with it. */
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (p->watchdog_ms == 0)
		return 0;
	p->watchdog = loop_timer_new(p->loop, watchdog_due, p);
	if (p->watchdog == NULL)
		return -1;
	watchdog_due(p);
	return 0;
}

int
notify_hand_over(const struct parent *p)
{
	char usec[24];
	int rc = 0;

	snprintf(usec, sizeof usec, "%llu",
	    (unsigned long long)p->watchdog_ms * 2000);
	if (p->notify_name != NULL)
		rc = setenv("NOTIFY_SOCKET", p->notify_name, 1);
	if (p->watchdog_ms > 0)
		rc |= setenv("WATCHDOG_USEC", usec, 1);
	return rc;
}

void
notify_close(struct parent *p)
{
	loop_timer_close(&p->watchdog);
	free(p->notify_name);
	if (p->notify_fd != -1)
		close(p->notify_fd);
}
