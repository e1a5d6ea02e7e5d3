/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/listen.c - the sockets that need the parent's rights: listeners for
 * smtpd (ports below 1024) and control sockets (directory owned by root). */
#include "parent/parent_priv.h"

#include <grp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG	1024
#define BIND_TRIES	20
#define BIND_WAIT_US	50000

/* The roles of a parent that was killed end a moment after it, and hold the
 * port until then: who restarts at once must not be turned away. */
static int
bind_patiently(int fd, const struct sockaddr *sa, socklen_t len)
{
	for (int i = 0; i < BIND_TRIES; i++) {
		if (bind(fd, sa, len) == 0)
			return 0;
		if (errno != EADDRINUSE)
			return -1;
		usleep(BIND_WAIT_US);
	}
	errno = EADDRINUSE;
	return -1;
}

int
listen_open(const struct conf_listen *cl, struct fault *f)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&cl->address, &ss);
	char what[ADDR_TEXT_SIZE + 16], text[ADDR_TEXT_SIZE];
	int on = 1, fd = inherit_take(&cl->address);

	if (fd != -1)
		return fd;
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);

	snprintf(what, sizeof what, "listen on %s",
	    addr_text(&cl->address, text));
	if (fd == -1)
		return fault_sys(f, what);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	/* [::] serves IPv4 too, so that one block means "everywhere". */
	if (cl->address.family == 6) {
		int off = 0;

		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	}
	if (bind_patiently(fd, (struct sockaddr *)&ss, len) == -1 ||
	    listen(fd, BACKLOG) == -1) {
		fault_sys(f, what);
		close(fd);
		return -1;
	}
	return fd;
}

static int
control_path(const struct conf *conf, enum role role, struct sockaddr_un *sun,
    struct fault *f)
{
	int n;

	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(sun->sun_path, sizeof sun->sun_path, "%s/%s",
	    conf->control_directory, role_name(role));
	if (n < 0 || (size_t)n >= sizeof sun->sun_path)
		return fault_set(f, FAULT_PERM, 0, NULL, "control directory "
		    "%.100s: path too long for a socket (at most %zu bytes)",
		    conf->control_directory, sizeof sun->sun_path - 12);
	return 0;
}

/* Root and group `sealane`; without the group, or not as root, the owner. */
static void
control_owner(const char *path)
{
	struct group *g = geteuid() == 0 ? getgrnam("sealane") : NULL;

	if (g != NULL && chown(path, 0, g->gr_gid) == 0)
		chmod(path, 0660);
}

int
listen_control(const struct conf *conf, enum role role, struct fault *f)
{
	struct sockaddr_un sun;
	mode_t old;
	int fd, rc;

	if (control_path(conf, role, &sun, f) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return fault_sys(f, "control socket");
	/* The state directory's lock says that nobody else uses this path. */
	unlink(sun.sun_path);
	old = umask(0177);
	rc = bind(fd, (struct sockaddr *)&sun, sizeof sun);
	umask(old);
	if (rc == -1 || listen(fd, 16) == -1) {
		fault_sys(f, sun.sun_path);
		close(fd);
		return -1;
	}
	control_owner(sun.sun_path);
	return fd;
}

void
listen_unlink_control(const struct conf *conf, enum role role)
{
	struct sockaddr_un sun;

	if (control_path(conf, role, &sun, NULL) == 0)
		unlink(sun.sun_path);
}
