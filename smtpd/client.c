/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/client.c - a connection: moves bytes between its channel and its
 * session, and watches the clock for both. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "smtpd/smtpd_priv.h"

#define COMMAND_MS	(5 * 60 * 1000u)	/* RFC 5321 sec 4.5.3.2.7 */
#define HANDSHAKE_MS	(60 * 1000u)
#define LINGER_MS	(5 * 1000u)
/* A session that waits does not empty its channel, and a client that does not
 * read its replies gets no new ones: beyond these the kernel, and so the
 * client, has to hold what it sends. */
#define HOLD_INPUT	(16u * 1024)
#define HOLD_OUTPUT	(64u * 1024)

static int
client_send(void *arg, struct span s)
{
	struct client *c = arg;

	/* Who has left needs no reply; what was accepted stays accepted. */
	return c->ch == NULL ? 0 : channel_send(c->ch, s);
}

static uint64_t
client_wall_ms(void *arg)
{
	(void)arg;
	return clock_wall_ms();
}

/* The socket to keys is only used for blocking calls, so nobody has noticed yet
 * when its other end has died: look. */
static bool
client_tls_ready(void *arg)
{
	const struct client *c = arg;
	int fd = c->d->env->keys_fd;
	char byte;

	if (c->d->creds == NULL || fd == -1)
		return false;
	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
}

static const struct session_ops session_ops = {
	.send = client_send,
	.wall_ms = client_wall_ms,
	.room = smtpd_intake_room,
	.spool_open = smtpd_intake_spool_open,
	.spool_write = smtpd_intake_spool_write,
	.abort = smtpd_intake_abort,
	.commit = smtpd_intake_commit,
	.verify = smtpd_intake_verify,
	.accepted = facts_accepted,
	.met = facts_met,
	.rejected = facts_rejected,
	.abuse = facts_abuse,
	.tls_ready = client_tls_ready,
};

/* ---- time ---- */

/* Restarted only when the session got somewhere, and then lazily: the timer
 * is set anew when it fires too early, not at each command. */
static void
client_touch(struct client *c, uint64_t ms)
{
	c->progress = c->session.progress;
	c->deadline = loop_now(c->d->env->loop) + ms;
	if (!loop_timer_active(c->timer) || ms < COMMAND_MS)
		loop_timer_set(c->timer, ms);
}

static void
on_timer(void *arg)
{
	struct client *c = arg;
	struct fault f;
	uint64_t now = loop_now(c->d->env->loop);

	if (now < c->deadline) {
		loop_timer_set(c->timer, c->deadline - now);
	} else if (c->handshaking) {
		fault_set(&f, FAULT_TEMP, 0, "4.7.0", "handshake timed out");
		facts_handshake_failed(c, &f);
		smtpd_client_end(c);
	} else if (session_owes(&c->session)) {
		client_touch(c, COMMAND_MS);	/* it is us who are slow */
	} else {
		session_timeout(&c->session);
		smtpd_client_run(c);
	}
}

/* ---- the session goes on ---- */

static void
client_hold(struct client *c)
{
	bool wait = session_wants(&c->session) == SESSION_WAIT;
	bool hold = channel_unsent(c->ch) > HOLD_OUTPUT ||
	    (wait && channel_input(c->ch).n >= HOLD_INPUT);

	if (hold != c->paused) {
		c->paused = hold;
		channel_pause(c->ch, hold);
	}
}

static void
client_start_tls(struct client *c)
{
	c->handshaking = true;
	client_touch(c, HANDSHAKE_MS);
	if (channel_start_server(c->ch, c->d->creds,
	    c->session.listen->client_certificates ==
	    CLIENT_CERTIFICATES_REQUEST) == -1) {
		struct fault f;

		fault_set(&f, FAULT_TEMP, 0, "4.7.0", "no memory");
		facts_handshake_failed(c, &f);
		smtpd_client_end(c);
	}
}

void
smtpd_client_run(struct client *c)
{
	struct session *s = &c->session;

	if (c->ch == NULL) {
		/* It left while the queue worked, and nobody is there to go on. */
		if (!session_open_commit(s))
			smtpd_client_free(c);
		return;
	}
	if (!c->handshaking && channel_unsent(c->ch) <= HOLD_OUTPUT)
		channel_consume(c->ch, session_input(s, channel_input(c->ch)));
	if (c->d->env->draining && session_idle(s) && !c->handshaking)
		session_shut(s);
	if (c->progress != s->progress)
		client_touch(c, COMMAND_MS);
	switch (session_wants(s)) {
	case SESSION_CLOSE:
		smtpd_client_end(c);
		break;
	case SESSION_TLS:
		if (!c->handshaking)
			client_start_tls(c);
		break;
	default:
		client_hold(c);
	}
}

/* ---- the channel's calls ---- */

static void
on_input(void *arg)
{
	smtpd_client_run(arg);
}

static void
on_drained(void *arg)
{
	struct client *c = arg;

	if (c->paused)
		smtpd_client_run(c);
}

static void
on_secured(void *arg)
{
	struct client *c = arg;

	c->handshaking = false;
	session_secured(&c->session, channel_facts(c->ch));
	smtpd_client_run(c);
}

static void
on_ended(void *arg, enum channel_end end, bool in_handshake,
    const struct fault *f)
{
	struct client *c = arg;

	(void)end;
	if (in_handshake)
		facts_handshake_failed(c, f);
	smtpd_client_end(c);
}

static const struct channel_ops channel_ops = {
	.input = on_input,
	.drained = on_drained,
	.secured = on_secured,
	.ended = on_ended,
};

/* ---- life ---- */

static bool
client_place(struct smtpd *d, struct client *c)
{
	for (unsigned i = 0; i < CLIENT_SLOTS_MAX; i++) {
		unsigned slot = (d->free_hint + i) % CLIENT_SLOTS_MAX;

		if (d->clients[slot] != NULL)
			continue;
		d->clients[slot] = c;
		d->free_hint = slot + 1;
		d->nclients++;
		c->slot = slot;
		return true;
	}
	return false;
}

void
smtpd_client_new(struct smtpd *d, int fd, const struct conf_listen *conf)
{
	struct client *c = calloc(1, sizeof *c);
	struct addr peer;

	if (c == NULL)
		goto close_fd;
	c->d = d;
	c->spool_fd = -1;
	c->timer = loop_timer_new(d->env->loop, on_timer, c);
	if (c->timer == NULL)
		goto free_client;
	c->ch = channel_accept(d->env->loop, fd, &channel_ops, c);
	fd = -1;
	if (c->ch == NULL)
		goto close_timer;
	if (!client_place(d, c))
		goto close_channel;
	channel_peer_addr(c->ch, &peer);
	session_start(&c->session, &session_ops, c, d->env->conf, conf, &peer);
	client_touch(c, COMMAND_MS);
	if (session_wants(&c->session) == SESSION_TLS)
		client_start_tls(c);
	return;
close_channel:
	channel_close(&c->ch);
close_timer:
	loop_timer_close(&c->timer);
free_client:
	free(c);
close_fd:
	if (fd != -1)
		close(fd);
}

void
smtpd_client_free(struct client *c)
{
	struct smtpd *d = c->d;

	channel_close(&c->ch);
	loop_timer_close(&c->timer);
	session_end(&c->session);
	smtpd_intake_abort(c);
	d->clients[c->slot] = NULL;
	d->nclients--;
	free(c);
	smtpd_check_drained(d);
}

void
smtpd_client_end(struct client *c)
{
	if (session_wants(&c->session) == SESSION_CLOSE)
		channel_close_after_flush(&c->ch, LINGER_MS);
	else
		channel_close(&c->ch);
	/* RFC 1047: the queue may have it, then it is ours to deliver and to
	 * log, although the client could not be told. */
	if (session_open_commit(&c->session)) {
		loop_timer_stop(c->timer);
		return;
	}
	smtpd_client_free(c);
}
