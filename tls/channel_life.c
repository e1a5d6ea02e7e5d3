/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/channel_life.c - how a channel begins and ends.
 *
 * The end with a flush is a lingering close: shut our direction, then read and
 * drop until the peer has closed too.  close(2) with unread bytes there would
 * send a reset, which takes a last "421" or "554" away from a peer that has
 * not read it yet (RFC 1122 sec 4.2.2.13). */
#include "tls/chain.h"
#include "tls/channel_priv.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Owners have let go of these; a role that stops ends them all. */
static struct channel *lingering;
static unsigned nlingering;

/* ---- beginning ---- */

static void
socket_no_delay(int fd)
{
	int one = 1;

	/* We write whole replies; Nagle would hold back the next one for the
	 * peer's delayed acknowledgement.  Fails on what is not TCP. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static struct channel *
channel_new(struct loop *loop, int fd, const struct channel_ops *ops, void *arg)
{
	struct channel *c = calloc(1, sizeof *c);

	if (c == NULL)
		goto close_fd;
	c->loop = loop;
	c->ops = ops;
	c->arg = arg;
	c->wire = (struct tls_wire){ .rx = SPAN_NONE, .tx = &c->tx };
	tls_facts_clear(&c->facts);
	c->in_max = CHANNEL_IN_MAX;
	buf_init(&c->in, CHANNEL_IN_MAX);
	buf_init(&c->plain, CHANNEL_OUT_MAX);
	buf_init(&c->tx, CHANNEL_TX_MAX);
	buf_init(&c->rx, CHANNEL_IN_MAX);
	c->tick = loop_timer_new(loop, channel_ticked, c);
	if (c->tick == NULL)
		goto free_channel;
	c->io = loop_io_new(loop, fd, channel_io, c);
	if (c->io == NULL)
		goto close_tick;
	socket_no_delay(fd);
	return c;
close_tick:
	loop_timer_close(&c->tick);
free_channel:
	free(c);
close_fd:
	close(fd);
	return NULL;
}

struct channel *
channel_accept(struct loop *loop, int fd, const struct channel_ops *ops,
    void *arg)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof ss;
	struct channel *c = channel_new(loop, fd, ops, arg);

	if (c == NULL)
		return NULL;
	/* Asked now: after a reset the kernel no longer knows. */
	if (getpeername(fd, (struct sockaddr *)&ss, &n) == 0)
		addr_from_sockaddr(&c->peer, (struct sockaddr *)&ss);
	c->state = CHAN_CLEAR;
	if (loop_io_watch(c->io, LOOP_READ) != 0)
		channel_close(&c);
	return c;
}

static int
connect_socket(const struct addr *to, const struct addr *source,
    struct fault *f)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(to, &ss);
	int one = 1, fd;

	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return fault_sys(f, "socket");
	if (source != NULL && source->family != 0) {
		struct sockaddr_storage from;
		socklen_t m = addr_to_sockaddr(source, &from);

		/* The port is chosen at connect(2), per destination, so that
		 * a source address does not limit us to 28000 connections. */
		(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
		    sizeof one);
		if (bind(fd, (struct sockaddr *)&from, m) == -1) {
			fault_sys(f, "source address");
			goto close_fd;
		}
	}
	if (connect(fd, (struct sockaddr *)&ss, n) == -1 &&
	    errno != EINPROGRESS) {
		char text[ADDR_TEXT_SIZE];
		int err = errno;

		fault_set(f, FAULT_TEMP, 0, "4.4.1", "connect to %s: %s",
		    addr_text(to, text), strerror(err));
		if (f != NULL)
			f->err = err;
		goto close_fd;
	}
	return fd;
close_fd:
	close(fd);
	return -1;
}

static int
connect_path(const char *path, struct fault *f)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if (!span_copy(span_str(path), to.sun_path, sizeof to.sun_path))
		return fault_set(f, FAULT_TEMP, 0, "4.3.5",
		    "path of a socket is too long");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return fault_sys(f, "socket");
	/* At once or not at all: EAGAIN says that its queue is full. */
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == -1) {
		int err = errno;

		fault_set(f, FAULT_TEMP, 0, "4.4.1", "connect to %s: %s", path,
		    strerror(err));
		if (f != NULL)
			f->err = err;
		close(fd);
		return -1;
	}
	return fd;
}

static struct channel *
channel_connecting(struct loop *loop, int fd, const struct addr *to,
    const struct channel_ops *ops, void *arg, struct fault *f)
{
	struct channel *c;

	if (fd == -1)
		return NULL;
	c = channel_new(loop, fd, ops, arg);
	if (c != NULL) {
		c->peer = *to;
		c->state = CHAN_CONNECTING;
		if (loop_io_watch(c->io, LOOP_WRITE) != 0)
			channel_close(&c);
	}
	if (c == NULL)
		fault_set(f, FAULT_TEMP, 451, "4.3.0", "connect: no memory");
	return c;
}

struct channel *
channel_connect(struct loop *loop, const struct addr *to,
    const struct addr *source, const struct channel_ops *ops, void *arg,
    struct fault *f)
{
	return channel_connecting(loop, connect_socket(to, source, f), to, ops,
	    arg, f);
}

struct channel *
channel_connect_unix(struct loop *loop, const char *path,
    const struct channel_ops *ops, void *arg, struct fault *f)
{
	static const struct addr none = { .family = 0 };

	return channel_connecting(loop, connect_path(path, f), &none, ops, arg,
	    f);
}

void
channel_adopt(struct channel *c, const struct channel_ops *ops, void *arg)
{
	c->ops = ops;
	c->arg = arg;
}

/* ---- ending ---- */

static void
channel_unlink(struct channel *c)
{
	if (c->state == CHAN_LINGER)
		nlingering--;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else if (lingering == c)
		lingering = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	c->prev = c->next = NULL;
}

void
channel_destroy(struct channel *c)
{
	channel_unlink(c);
	loop_io_close(&c->io);
	loop_timer_close(&c->tick);
	tls_session_free(&c->tls);
	buf_free(&c->in);
	buf_free(&c->plain);
	buf_free(&c->tx);
	buf_free(&c->rx);
	free(c);
}

void
channel_close(struct channel **cp)
{
	struct channel *c = *cp;

	if (c == NULL)
		return;
	*cp = NULL;
	assert(c->state != CHAN_LINGER && c->state != CHAN_CLOSED);
	/* Behind bytes that are lost a close_notify would call the stream
	 * complete. */
	if (c->state == CHAN_TLS && channel_unsent(c) == 0) {
		tls_session_bye(c->tls);
		channel_flush(c);
	}
	c->state = CHAN_CLOSED;
	if (c->busy == 0) {
		channel_destroy(c);
		return;
	}
	/* Inside a callback: its frames may still look at the input. */
	loop_io_close(&c->io);
	loop_timer_close(&c->tick);
}

/* Nothing more can be sent.  A peer that only closed its own direction still
 * gets its last replies. */
static bool
channel_broken(const struct channel *c)
{
	return c->send_errno != 0 || (c->ending && c->end == CHANNEL_ERROR);
}

void
channel_close_after_flush(struct channel **cp, uint64_t ms)
{
	struct channel *c = *cp;

	if (c == NULL)
		return;
	if ((c->state != CHAN_CLEAR && c->state != CHAN_TLS) ||
	    channel_broken(c)) {
		channel_close(cp);
		return;
	}
	*cp = NULL;
	c->state = CHAN_LINGER;
	nlingering++;
	c->next = lingering;
	if (lingering != NULL)
		lingering->prev = c;
	lingering = c;
	loop_timer_set(c->tick, ms);
	if (c->busy == 0)
		channel_linger(c, 0);
}

/* True when the peer has closed, or floods us. */
static bool
linger_read(struct channel *c)
{
	static char scratch[16 * 1024];
	ssize_t n;

	do
		n = recv(loop_io_fd(c->io), scratch, sizeof scratch, 0);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno != EAGAIN;
	c->dropped += (size_t)n;
	return n == 0 || c->dropped > CHANNEL_LINGER_MAX;
}

void
channel_linger(struct channel *c, int events)
{
	channel_flush(c);
	if (channel_broken(c)) {
		channel_destroy(c);
		return;
	}
	if (!c->fin && channel_unsent(c) == 0) {
		c->fin = true;
		if (c->tls != NULL) {
			tls_session_bye(c->tls);
			channel_flush(c);
		}
	}
	if (c->fin && !c->blocked && !c->shut) {
		c->shut = true;
		if (shutdown(loop_io_fd(c->io), SHUT_WR) == -1) {
			channel_destroy(c);
			return;
		}
		events |= LOOP_READ;
	}
	if ((c->shut && (events & LOOP_READ) && linger_read(c)) ||
	    loop_io_watch(c->io, c->shut ? LOOP_READ : LOOP_WRITE) != 0)
		channel_destroy(c);
}

unsigned
channel_lingering(void)
{
	return nlingering;
}

void
channel_close_lingering(struct loop *loop)
{
	struct channel *c, *next;

	for (c = lingering; c != NULL; c = next) {
		next = c->next;
		if (c->loop == loop && c->busy == 0)
			channel_destroy(c);
	}
}

/* ---- what is known of the peer ---- */

const struct tls_facts *
channel_facts(const struct channel *c)
{
	return &c->facts;
}

int
channel_resumable(const struct channel *c, struct buf *to)
{
	return c->secured ? tls_session_resumable(c->tls, to) : 0;
}

void
channel_peer_chain(const struct channel *c, struct tls_chain *chain)
{
	chain->n = 0;
	if (c->secured)
		tls_session_peer_chain(c->tls, chain);
}

void
channel_peer_cert(const struct channel *c, char not_after[24], char *issuer,
    size_t issuer_size)
{
	not_after[0] = '\0';
	issuer[0] = '\0';
	if (c->secured)
		tls_session_peer_cert(c->tls, not_after, issuer, issuer_size);
}

void
channel_peer_addr(const struct channel *c, struct addr *a)
{
	*a = c->peer;
}

void
channel_local_addr(const struct channel *c, struct addr *a)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof ss;

	*a = (struct addr){ 0 };
	if (getsockname(loop_io_fd(c->io), (struct sockaddr *)&ss, &n) == 0)
		addr_from_sockaddr(a, (struct sockaddr *)&ss);
}
