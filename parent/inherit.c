/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/inherit.c - what was open before this program began: listening sockets
 * of a service manager, as sd_listen_fds(3) describes them, or those of the
 * Sealane whose place this one takes (upgrade.c), and its lock. */
#include "parent/parent_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

#define SOCKETS_MAX	256

static struct inherited {
	int		fd;
	struct addr	address;
} sockets[SOCKETS_MAX];
static size_t nsockets;

static bool
is_set(int fd, int option, int value)
{
	int got = -1;
	socklen_t n = sizeof got;

	return getsockopt(fd, SOL_SOCKET, option, &got, &n) == 0 &&
	    got == value;
}

static bool
keep(int fd)
{
	struct inherited *s = &sockets[nsockets];
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof ss;

	if (nsockets == SOCKETS_MAX || !is_set(fd, SO_TYPE, SOCK_STREAM) ||
	    !is_set(fd, SO_ACCEPTCONN, 1) ||
	    getsockname(fd, (struct sockaddr *)&ss, &n) == -1)
		return false;
	addr_from_sockaddr(&s->address, (struct sockaddr *)&ss);
	s->fd = fd;
	nsockets += s->address.family != 0;
	return s->address.family != 0;
}

/* How many there are for this process. */
static int
count(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	unsigned long long who, n;

	if (pid == NULL || !span_u64(span_str(pid), INT32_MAX, &who) ||
	    who != (unsigned long long)getpid() || fds == NULL ||
	    !span_u64(span_str(fds), 2 * SOCKETS_MAX, &n))
		return 0;
	return (int)n;
}

void
inherit_start(int *lock_fd)
{
	const char *names = getenv("LISTEN_FDNAMES");
	struct span rest = span_str(names != NULL ? names : "");
	int n = count();

	for (int fd = INHERIT_FD; fd < INHERIT_FD + n; fd++) {
		struct span name = span_cut(&rest, ':');

		if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
			continue;
		if (span_eq(name, SPAN_LIT(INHERIT_LOCK))) {
			*lock_fd = fd;
		} else if (!keep(fd)) {
			log_warn("socket-unused", KV_N("fd", fd),
			    KV_Q("reason", "no listening TCP socket"));
			close(fd);
		}
	}
	/* The roles have no business with it. */
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

int
inherit_take(const struct addr *a)
{
	for (size_t i = 0; i < nsockets; i++) {
		int fd = sockets[i].fd;

		if (!addr_same_ip(&sockets[i].address, a) ||
		    sockets[i].address.port != a->port)
			continue;
		sockets[i] = sockets[--nsockets];
		return fd;
	}
	return -1;
}

void
inherit_end(void)
{
	char text[ADDR_TEXT_SIZE];

	while (nsockets > 0) {
		const struct inherited *s = &sockets[--nsockets];

		log_warn("socket-unused", KV_N("fd", s->fd),
		    KV_S("address", addr_text(&s->address, text)),
		    KV_Q("reason", "no listen block has that address"));
		close(s->fd);
	}
}
