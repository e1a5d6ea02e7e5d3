/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/accept.c - listening sockets, shared with the other smtpd processes.
 *
 * No client is turned away without a word: at our own cap, and when the
 * process or the machine has no descriptor left, it gets a 421 (RFC 5321 sec
 * 3.8).  For the latter one descriptor is kept in reserve. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "smtpd/smtpd_priv.h"

#define BATCH		8	/* accepts a tick, so that the others get some */
#define AGAIN_MS	100

void
reserve_open(struct smtpd *d, int any_fd)
{
	if (d->reserve_fd == -1)
		d->reserve_fd = fcntl(any_fd, F_DUPFD_CLOEXEC, 0);
}

static void
refuse(int fd, const char *reason)
{
	static const char words[] =
	    "421 4.3.2 Too many connections, try again later\r\n";
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof ss;
	char ip[ADDR_TEXT_SIZE];
	struct addr a = { 0 };

	if (getpeername(fd, (struct sockaddr *)&ss, &n) == 0)
		addr_from_sockaddr(&a, (struct sockaddr *)&ss);
	(void)send(fd, words, sizeof words - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
	log_warn("connect-refused", KV_S("client", addr_ip_text(&a, ip)),
	    KV_S("reason", reason));
}

/* No descriptor or memory is left: answer with the reserved one.  False when that did
 * not work either; then leave the socket alone for a moment, instead of
 * spinning on a listener that stays readable. */
static bool
refuse_with_reserve(struct listener *l)
{
	int lfd = loop_io_fd(l->io), fd;

	if (l->d->reserve_fd == -1)
		return false;
	close(l->d->reserve_fd);
	l->d->reserve_fd = -1;
	fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd != -1)
		refuse(fd, "descriptors");
	reserve_open(l->d, lfd);
	return fd != -1 || errno == EAGAIN;
}

static bool
accept_one(struct listener *l)
{
	int fd = accept4(loop_io_fd(l->io), NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd != -1) {
		if (l->d->nclients >= l->d->most)
			refuse(fd, "limit");
		else
			smtpd_client_new(l->d, fd, l->conf);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
	    errno == ENOBUFS) {
		if (refuse_with_reserve(l))
			return true;
		loop_timer_set(l->d->again, AGAIN_MS);
		listeners_watch(l->d);
		return false;
	}
	/* Whoever came and left again is no reason to stop. */
	return errno == ECONNABORTED || errno == EINTR;
}

static void
on_readable(void *arg, int events)
{
	struct listener *l = arg;

	(void)events;
	for (int i = 0; i < BATCH; i++)
		if (!accept_one(l))
			return;
}

int
listener_add(struct smtpd *d, int fd, const struct conf_listen *conf)
{
	struct listener *l = calloc(1, sizeof *l);
	int flags = fcntl(fd, F_GETFL);

	if (l == NULL || flags == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		goto free_listener;
	reserve_open(d, fd);
	l->d = d;
	l->conf = conf;
	l->io = loop_io_new(d->env->loop, fd, on_readable, l);
	if (l->io == NULL)
		goto free_listener;
	l->next = d->listeners;
	d->listeners = l;
	listeners_watch(d);
	return 0;
free_listener:
	free(l);
	close(fd);
	return -1;
}

/* Not before there are credentials: a client that comes earlier waits in the
 * kernel's queue instead of being told that there is no STARTTLS. */
void
listeners_watch(struct smtpd *d)
{
	bool may = d->creds != NULL && !loop_timer_active(d->again);

	for (struct listener *l = d->listeners; l != NULL; l = l->next)
		if (loop_io_watch(l->io, may ? LOOP_READ : 0) != 0)
			log_error("listen-failed", KV_S("listen",
			    l->conf->label));
}

void
listeners_close(struct smtpd *d)
{
	struct listener *l;

	while ((l = d->listeners) != NULL) {
		d->listeners = l->next;
		loop_io_close(&l->io);
		free(l);
	}
}
