/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/channel.c - see channel.h.
 *
 * Bytes go   socket -> wire.rx -> [TLS] -> in        (reader consumes)
 * and        channel_send -> [plain -> TLS] -> tx -> socket.
 *
 * All work is done by channel_step(), called from the loop only, never from
 * inside a call of the owner; so no callback runs inside channel_send() or
 * channel_consume(), and a burst of replies leaves in one record and one
 * system call at the end of the tick.
 *
 * A callback may close the channel: descriptor and handles go at once, the
 * memory when the outermost channel_step() returns (`busy`). */
#include "tls/channel_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* How often one tick may refill an emptied queue, or read again, before other
 * connections get their turn. */
#define ROUNDS_MAX	4
#define RECORD_MAX	16384

static bool
channel_live(const struct channel *c)
{
	return c->state == CHAN_CLEAR || c->state == CHAN_HANDSHAKE ||
	    c->state == CHAN_TLS;
}

/* Run channel_step() at the end of this tick. */
static void
channel_poke(struct channel *c)
{
	if (c->busy == 0 && channel_live(c) && !loop_timer_active(c->tick))
		loop_timer_set(c->tick, 0);
}

static void
channel_end(struct channel *c, enum channel_end end)
{
	if (c->ending)
		return;
	c->ending = true;
	c->end = end;
}

static void
channel_end_sys(struct channel *c, const char *what, int err)
{
	if (c->ending)
		return;
	errno = err;
	fault_sys(&c->fault, what);
	channel_end(c, CHANNEL_ERROR);
}

static void
channel_no_memory(struct channel *c)
{
	channel_end_sys(c, "connection", ENOMEM);
}

/* ---- in ---- */

/* Ciphertext that GnuTLS did not take yet must leave the shared read buffer
 * before anybody else runs. */
static void
rx_keep(struct channel *c)
{
	struct span rest = c->wire.rx;

	if (rest.n == 0) {
		buf_free(&c->rx);
		return;
	}
	if (c->rx.len > 0)
		return;			/* it lies there already */
	if (buf_span(&c->rx, rest) == -1) {
		channel_no_memory(c);
		c->wire.rx = SPAN_NONE;
		return;
	}
	c->wire.rx = buf_get(&c->rx);
}

static bool
want_read(const struct channel *c)
{
	if (!channel_live(c) || c->ending || c->wire.eof || c->wire.rx.n > 0)
		return false;
	return c->state == CHAN_HANDSHAKE ||
	    (!c->paused && c->in.len < c->in_max);
}

/* Bytes that came and that only room in `in` is missing for. */
static bool
channel_withheld(const struct channel *c)
{
	return c->state == CHAN_TLS &&
	    (c->wire.rx.n > 0 || tls_session_pending(c->tls) > 0);
}

/* One recv(2).  True when bytes or the end came. */
static bool
channel_receive(struct channel *c)
{
	static char scratch[CHANNEL_IN_MAX];
	bool clear = c->state == CHAN_CLEAR;
	ssize_t n;

	if (!want_read(c))
		return false;
	do
		n = recv(loop_io_fd(c->io), scratch,
		    clear ? c->in_max - c->in.len : c->in_max, 0);
	while (n == -1 && errno == EINTR);
	if (n == -1 && errno == EAGAIN) {
		if (c->send_errno != 0)
			channel_end_sys(c, "send", c->send_errno);
		return c->ending;
	}
	if (n == -1) {
		channel_end_sys(c, "receive", errno);
	} else if (n == 0) {
		c->wire.eof = true;
		if (c->send_errno != 0)
			channel_end_sys(c, "send", c->send_errno);
		else if (clear)
			channel_end(c, CHANNEL_EOF);
	} else if (!clear) {
		c->wire.rx = span_of(scratch, (size_t)n);
	} else if (buf_add(&c->in, scratch, (size_t)n) == 0) {
		c->news = true;
	} else {
		channel_no_memory(c);
	}
	return true;
}

static void
channel_handshake(struct channel *c)
{
	c->hello_due = false;
	switch (tls_session_handshake(c->tls, &c->fault)) {
	case TLS_DONE:
		tls_session_facts(c->tls, &c->facts);
		c->state = CHAN_TLS;
		c->secured = true;
		rx_keep(c);
		c->ops->secured(c->arg);
		break;
	case TLS_WAIT:
		break;
	default:
		channel_end(c, CHANNEL_ERROR);
	}
}

/* Room for one read: no more than can come, so that the buffer of a session
 * that exchanges short lines stays small. */
static size_t
plain_room(const struct channel *c)
{
	size_t n = c->wire.rx.n + tls_session_pending(c->tls);

	if (n < 256)
		n = 256;
	if (n > RECORD_MAX)
		n = RECORD_MAX;
	return n < c->in_max - c->in.len ? n : c->in_max - c->in.len;
}

/* Until GnuTLS has nothing more: what is decrypted inside it never makes the
 * socket readable. */
static void
channel_decrypt(struct channel *c)
{
	while (!c->ending && c->in.len < c->in_max) {
		size_t room = plain_room(c), got;
		char *at = buf_room(&c->in, room);

		if (at == NULL) {
			channel_no_memory(c);
			return;
		}
		switch (tls_session_recv(c->tls, at, room, &got, &c->fault)) {
		case TLS_DONE:
			buf_grown(&c->in, got);
			c->news = true;
			break;
		case TLS_WAIT:
			return;
		case TLS_CLOSED:
			/* Bytes behind close_notify are an attacker's: they
			 * are neither decrypted nor read as clear text. */
			c->wire.rx = SPAN_NONE;
			channel_end(c, CHANNEL_EOF);
			return;
		default:
			c->wire.rx = SPAN_NONE;
			channel_end(c, CHANNEL_ERROR);
			return;
		}
	}
}

/* ---- out ---- */

static void
channel_encrypt(struct channel *c)
{
	/* No further ahead than the socket needs: ciphertext is as large again,
	 * and a peer that reads slowly must not double our memory. */
	while (c->plain.len > 0 && c->tx.len < CHANNEL_TX_LOW) {
		struct span s = span_head(buf_get(&c->plain), CHANNEL_TX_LOW);

		if (tls_session_send(c->tls, s, &c->fault) == -1) {
			channel_end(c, CHANNEL_ERROR);
			buf_reset(&c->plain);
			return;
		}
		buf_consume(&c->plain, s.n);
	}
}

static void
buf_shrink(struct buf *b)
{
	if (b->len == 0 && b->cap > CHANNEL_BUF_KEEP)
		buf_free(b);
}

void
channel_flush(struct channel *c)
{
	while (!c->blocked && c->send_errno == 0) {
		struct span s;
		ssize_t n;

		if (c->state != CHAN_HANDSHAKE && c->tls != NULL)
			channel_encrypt(c);
		s = buf_get(&c->tx);
		if (s.n == 0)
			break;
		n = send(loop_io_fd(c->io), s.p, s.n, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno != EAGAIN && errno != ENOBUFS) {
			/* Not told yet: what the peer said last (a 421) may
			 * still lie unread, and it is the better reason. */
			c->send_errno = errno;
			buf_reset(&c->tx);
			buf_reset(&c->plain);
			break;
		}
		if (n > 0)
			buf_consume(&c->tx, (size_t)n);
		c->blocked = n < (ssize_t)s.n;
	}
	buf_shrink(&c->tx);
	buf_shrink(&c->plain);
}

/* ---- the one place where things happen ---- */

static void
channel_tell_input(struct channel *c)
{
	c->news = false;
	c->telling = true;
	c->ops->input(c->arg);
	c->telling = false;
}

static void
channel_tell_end(struct channel *c)
{
	bool handshake = c->state == CHAN_HANDSHAKE;

	c->state = CHAN_ENDED;
	loop_timer_stop(c->tick);
	loop_io_watch(c->io, 0);
	c->ops->ended(c->arg, c->end, handshake, &c->fault);
}

/* Everything that needs no system call to read: decrypt, tell, send.  True
 * when the reader may have made room for more of it. */
static bool
channel_turn(struct channel *c)
{
	size_t before;

	if (c->state == CHAN_HANDSHAKE && !c->ending)
		channel_handshake(c);
	if (c->state == CHAN_TLS && !c->paused)
		channel_decrypt(c);
	if (!channel_live(c))
		return false;
	rx_keep(c);
	before = c->in.len;
	if (c->news && !c->paused)
		channel_tell_input(c);
	if (!channel_live(c))
		return false;
	if (c->in.len == 0 && before < CHANNEL_BUF_KEEP)
		buf_shrink(&c->in);
	/* An alert leaves before the end is told. */
	channel_flush(c);
	if (c->ending && (!c->paused || c->state == CHAN_HANDSHAKE ||
	    c->send_errno != 0)) {
		channel_tell_end(c);
		return false;
	}
	if (c->hello_due)
		return true;
	return !c->paused && (c->news ||
	    (c->in.len < before && channel_withheld(c)));
}

static bool
channel_emptied(struct channel *c)
{
	return channel_live(c) && c->state != CHAN_HANDSHAKE &&
	    c->owes_drained && channel_unsent(c) == 0 && c->send_errno == 0;
}

static void
channel_watch(struct channel *c, bool yield)
{
	int events = 0;

	if (want_read(c))
		events |= LOOP_READ;
	if (c->blocked || yield)
		events |= LOOP_WRITE;
	if (loop_io_watch(c->io, events) != 0) {
		channel_no_memory(c);
		channel_tell_end(c);
	}
}

static void
channel_step(struct channel *c, int events)
{
	bool yield = false;

	if (events & LOOP_READ)
		(void)channel_receive(c);
	for (unsigned round = 0; channel_live(c); round++) {
		if (channel_turn(c))
			continue;
		if (!channel_live(c))
			return;
		/* A dead direction is told by reading to its end. */
		if (c->send_errno != 0 && !c->ending) {
			if (c->paused || !channel_receive(c))
				channel_end_sys(c, "send", c->send_errno);
			continue;
		}
		if (!channel_emptied(c))
			break;
		if (round >= ROUNDS_MAX) {
			yield = true;
			break;
		}
		c->owes_drained = false;
		c->ops->drained(c->arg);
	}
	if (channel_live(c))
		channel_watch(c, yield);
}

static void
channel_finish_connect(struct channel *c)
{
	char to[ADDR_TEXT_SIZE];
	socklen_t n = sizeof(int);
	int err = 0;

	if (getsockopt(loop_io_fd(c->io), SOL_SOCKET, SO_ERROR, &err, &n) == -1)
		err = errno;
	if (err == 0) {
		c->state = CHAN_CLEAR;
		c->ops->connected(c->arg);
		return;
	}
	fault_set(&c->fault, FAULT_TEMP, 0, "4.4.1", "connect to %s: %s",
	    addr_text(&c->peer, to), strerror(err));
	c->fault.err = err;
	channel_end(c, CHANNEL_ERROR);
	channel_tell_end(c);
}

static void
channel_leave(struct channel *c)
{
	if (--c->busy > 0)
		return;
	if (c->state == CHAN_CLOSED)
		channel_destroy(c);
	else if (c->state == CHAN_LINGER)
		channel_linger(c, 0);
}

void
channel_io(void *arg, int events)
{
	struct channel *c = arg;

	if (events & LOOP_WRITE)
		c->blocked = false;
	if (c->state == CHAN_LINGER) {
		channel_linger(c, events);
		return;
	}
	c->busy++;
	if (c->state == CHAN_CONNECTING)
		channel_finish_connect(c);
	if (channel_live(c))
		channel_step(c, events);
	channel_leave(c);
}

void
channel_ticked(void *arg)
{
	struct channel *c = arg;

	if (c->state == CHAN_LINGER) {
		channel_destroy(c);	/* the time for it is over */
		return;
	}
	c->busy++;
	channel_step(c, 0);
	channel_leave(c);
}

/* ---- the owner's calls ---- */

struct span
channel_input(const struct channel *c)
{
	return buf_get(&c->in);
}

void
channel_set_input(struct channel *c, size_t max)
{
	assert(max >= 1024 && max <= CHANNEL_IN_MAX);
	c->in_max = max;
}

void
channel_consume(struct channel *c, size_t n)
{
	bool withheld = c->in.len >= c->in_max || channel_withheld(c);

	buf_consume(&c->in, n);
	if (n > 0 && withheld && !c->paused)
		channel_poke(c);
}

void
channel_pause(struct channel *c, bool paused)
{
	if (paused == c->paused)
		return;
	c->paused = paused;
	if (c->busy == 0 && channel_live(c))
		channel_watch(c, false);
	if (paused)
		return;
	/* What came before the pause is shown again; but not from inside the
	 * callback that leaves it, which would never end. */
	if (c->in.len > 0 && !c->telling)
		c->news = true;
	channel_poke(c);
}

int
channel_send(struct channel *c, struct span s)
{
	struct buf *to = c->tls == NULL ? &c->tx : &c->plain;

	if (!channel_live(c) && c->state != CHAN_CONNECTING)
		return -1;
	if (c->send_errno != 0)
		return 0;	/* lost like all behind it; ended() is coming */
	/* Ciphertext is a little longer than what was let in. */
	if (channel_unsent(c) >= CHANNEL_OUT_MAX ||
	    s.n > CHANNEL_OUT_MAX - channel_unsent(c) ||
	    buf_span(to, s) == -1)
		return -1;
	c->owes_drained = true;
	if (!c->blocked)
		channel_poke(c);
	return 0;
}

size_t
channel_unsent(const struct channel *c)
{
	return c->plain.len + c->tx.len;
}

static int
channel_start_tls(struct channel *c, struct tls_session *s)
{
	/* Bytes ahead of the handshake were read as clear text: answering
	 * them after it is command injection (RFC 3207 sec 4.2). */
	assert(c->state == CHAN_CLEAR && c->tls == NULL && c->in.len == 0);
	if (s == NULL)
		return -1;
	c->tls = s;
	c->state = CHAN_HANDSHAKE;
	c->hello_due = true;
	c->owes_drained = false;
	channel_poke(c);
	return 0;
}

int
channel_start_server(struct channel *c, struct tls_creds *creds,
    bool ask_certificate)
{
	return channel_start_tls(c, tls_session_server(creds, &c->wire,
	    ask_certificate));
}

int
channel_start_client(struct channel *c, struct tls_creds *creds,
    const struct tls_offer *offer)
{
	return channel_start_tls(c,
	    tls_session_client(creds, &c->wire, offer));
}

bool
channel_is_tls(const struct channel *c)
{
	return c->secured;
}
