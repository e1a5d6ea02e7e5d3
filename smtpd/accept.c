/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/accept.c - listening sockets, shared with the other smtpd processes.
 *
 * No client is turned away without a word: it gets a 421 (RFC 5321 sec 3.8)
 * where its network has too many connections, at our own cap, and when the
 * process or the machine has no descriptor left; for the latter one is kept in
 * reserve.  A process at its cap first lets the others have the next clients. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "smtpd/smtpd_priv.h"

#define BATCH		8	/* accepts a tick, so that the others get some */
#define FULL_BATCH	64	/* refusals */
#define FULL_MS		50
#define AGAIN_MS	100
#define SAY_MS		60000	/* one event for all refusals meanwhile */

/* Descriptors for links, loop, reserve and whatever else; spool files of large
 * messages have some of their own, so that a descriptor that queue sends always
 * finds room. */
#define FDS_KEPT	48u
#define FDS_SPOOL_MOST	4096u

void
descriptors_share(struct smtpd *d)
{
	const struct conf *conf = d->env->conf;
	unsigned n = 256, kept = FDS_KEPT + (unsigned)conf->nlistens;
	unsigned part = (conf->limits.connections + conf->smtpd_processes - 1) /
	    (conf->smtpd_processes > 0 ? conf->smtpd_processes : 1);
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0)
		n = r.rlim_cur < 1u << 20 ? (unsigned)r.rlim_cur : 1u << 20;
	n = n > kept + 32 ? n - kept : 32;
	d->spools_most = n / 8 < FDS_SPOOL_MOST ? n / 8 : FDS_SPOOL_MOST;
	n -= d->spools_most;
	d->most = n < CLIENT_SLOTS_MAX ? n : CLIENT_SLOTS_MAX;
	if (part > 0 && part < d->most)
		d->most = part;
}

void
reserve_open(struct smtpd *d, int any_fd)
{
	if (d->reserve_fd == -1)
		d->reserve_fd = fcntl(any_fd, F_DUPFD_CLOEXEC, 0);
}

/* ---- refusals ---- */

/* Where TLS comes first, words would be nonsense: an alert (internal_error,
 * RFC 8446 sec 6) is what its client can read. */
static void
refuse(int fd, const struct conf_listen *listen, const char *words)
{
	static const char alert[] = "\x15\x03\x03\x00\x02\x02\x50";
	struct span s = listen->tls == LISTEN_IMPLICIT ?
	    span_of(alert, sizeof alert - 1) : span_str(words);

	(void)send(fd, s.p, s.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

/* For want of room here; no client's fault. */
static void
refuse_full(struct listener *l, int fd, const struct addr *peer,
    const char *reason)
{
	struct smtpd *d = l->d;
	uint64_t now = loop_now(d->env->loop);
	char ip[ADDR_TEXT_SIZE];

	refuse(fd, l->conf, "421 4.3.2 Too many connections, try again later\r\n");
	d->refused++;
	if (d->refused_said != 0 && now - d->refused_said < SAY_MS)
		return;
	log_warn("connect-refused", KV_S("client", addr_ip_text(peer, ip)),
	    KV_S("reason", reason), KV_N("clients", d->nclients),
	    KV_N("refused", d->refused));
	d->refused_said = now;
	d->refused = 0;
}

static bool
is_full(const struct smtpd *d)
{
	/* Those that say goodbye have their descriptor yet. */
	return d->nclients + channel_lingering() >= d->most;
}

/* ---- accepting ---- */

static int
accept_fd(struct listener *l, struct addr *peer)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof ss;
	int fd = accept4(loop_io_fd(l->io), (struct sockaddr *)&ss, &n,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	*peer = (struct addr){ 0 };
	if (fd != -1)
		addr_from_sockaddr(peer, (struct sockaddr *)&ss);
	return fd;
}

/* No descriptor or memory is left: answer with the reserved one.  False when that did
 * not work either; then leave the socket alone for a moment, instead of
 * spinning on a listener that stays readable. */
static bool
refuse_with_reserve(struct listener *l)
{
	struct addr peer;
	int fd;

	if (l->d->reserve_fd == -1)
		return false;
	close(l->d->reserve_fd);
	l->d->reserve_fd = -1;
	fd = accept_fd(l, &peer);
	if (fd != -1)
		refuse_full(l, fd, &peer, "descriptors");
	reserve_open(l->d, loop_io_fd(l->io));
	return fd != -1 || errno == EAGAIN;
}

static void
pause_listening(struct smtpd *d, uint64_t ms)
{
	loop_timer_set(d->again, ms);
	listeners_watch(d);
}

static void
take(struct listener *l, int fd, const struct addr *peer)
{
	bool counted;

	if (is_full(l->d))
		refuse_full(l, fd, peer, "limit");
	else if (!crowd_open(l->d, peer, l->conf, &counted))
		refuse(fd, l->conf, "421 4.7.0 Too many connections from "
		    "your network, try again later\r\n");
	else if (!smtpd_client_new(l->d, fd, peer, l->conf, counted) &&
	    counted)
		crowd_close(l->d, peer);
}

static bool
accept_one(struct listener *l)
{
	struct addr peer;
	int fd = accept_fd(l, &peer);

	if (fd != -1) {
		take(l, fd, &peer);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
	    errno == ENOBUFS) {
		if (refuse_with_reserve(l))
			return true;
		pause_listening(l->d, AGAIN_MS);
		return false;
	}
	/* Whoever came and left again is no reason to stop. */
	return errno == ECONNABORTED || errno == EINTR;
}

static void
on_readable(void *arg, int events)
{
	struct listener *l = arg;
	bool full = is_full(l->d);

	(void)events;
	if (full && !l->d->yielded && l->d->env->conf->smtpd_processes > 1) {
		l->d->yielded = true;
		pause_listening(l->d, FULL_MS);
		return;
	}
	l->d->yielded = false;
	for (int i = 0; i < (full ? FULL_BATCH : BATCH); i++)
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

static const struct conf_listen *
listen_at(const struct conf *conf, const struct addr *a)
{
	for (size_t i = 0; i < conf->nlistens; i++)
		if (addr_same_ip(&conf->listens[i].address, a) &&
		    conf->listens[i].address.port == a->port)
			return &conf->listens[i];
	return NULL;
}

/* A socket goes on under its block's new words; new ones come by LISTEN. */
void
listeners_adopt(struct smtpd *d)
{
	struct listener **at = &d->listeners, *l;

	while ((l = *at) != NULL) {
		l->conf = listen_at(d->env->conf, &l->conf->address);
		if (l->conf != NULL) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		loop_io_close(&l->io);
		free(l);
	}
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
