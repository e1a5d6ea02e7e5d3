/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/client.c - a connection: moves bytes between its channel and its
 * session. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "smtpd/smtpd_priv.h"

#define HANDSHAKE_MS	(60 * 1000u)
#define LINGER_MS	(5 * 1000u)
/* A session that waits does not empty its channel, and a client that does not
 * read its replies gets no new ones: beyond these the kernel, and so the
 * client, has to hold what it sends. */
#define HOLD_INPUT	(8u * 1024)
#define HOLD_OUTPUT	(16u * 1024)
/* With what the session keeps itself this makes 256 KiB for one client. */
#define INPUT_MAX	(16u * 1024 - 1)
/* A pipeline is looked at in pieces, so that its replies are held in time.
 * Longer than any line, or one that does not end within a piece would wait for
 * ever. */
#define PIECE		(SMTP_LINE_MAX + 3u)

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
	.count = crowd_count,
	.tls_ready = client_tls_ready,
};

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
	pace_touch(c, HANDSHAKE_MS);
	if (channel_start_server(c->ch, c->d->creds,
	    c->session.listen->client_certificates ==
	    CLIENT_CERTIFICATES_REQUEST) == -1) {
		struct fault f;

		fault_set(&f, FAULT_TEMP, 0, "4.7.0", "no memory");
		smtpd_client_unsecured(c, &f);
	}
}

void
smtpd_client_unsecured(struct client *c, const struct fault *f)
{
	facts_handshake_failed(c, f);
	(void)crowd_count(c, COUNT_ERROR);
	smtpd_client_end(c);
}

/* In the body there are no replies: it goes in whole. */
static void
client_feed(struct client *c)
{
	struct session *s = &c->session;

	while (channel_unsent(c->ch) <= HOLD_OUTPUT) {
		struct span in = channel_input(c->ch);
		bool part = in.n > PIECE && !(s->state & (ST_DATA | ST_CHUNK));
		size_t used = session_input(s, part ? span_head(in, PIECE) : in);

		channel_consume(c->ch, used);
		if (!part || used == 0)
			break;
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
	if (!c->handshaking)
		client_feed(c);
	if (c->d->env->draining && session_idle(s) && !c->handshaking)
		session_shut(s);
	if (c->progress != s->progress)
		pace_touch(c, session_patience(s));
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
		smtpd_client_unsecured(c, f);
	else
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

bool
smtpd_client_new(struct smtpd *d, int fd, const struct addr *peer,
    const struct conf_listen *conf, bool limited)
{
	struct client *c = calloc(1, sizeof *c);

	if (c == NULL)
		goto close_fd;
	c->d = d;
	c->spool_fd = -1;
	c->peer = *peer;
	c->limited = limited;
	c->ch = channel_accept(d->env->loop, fd, &channel_ops, c);
	fd = -1;
	if (c->ch == NULL)
		goto free_client;
	if (!client_place(d, c))
		goto close_channel;
	channel_set_input(c->ch, INPUT_MAX);
	c->conf = conf_hold(d->env->conf);
	session_start(&c->session, &session_ops, c, c->conf, conf, peer);
	pace_touch(c, session_patience(&c->session));
	c->began = c->mailed = c->touched;
	/* TLS comes first, or there was no memory for the greeting. */
	if (session_wants(&c->session) == SESSION_TLS ||
	    session_wants(&c->session) == SESSION_CLOSE)
		smtpd_client_run(c);
	return true;
close_channel:
	channel_close(&c->ch);
free_client:
	free(c);
close_fd:
	if (fd != -1)
		close(fd);
	return false;
}

void
smtpd_client_free(struct client *c)
{
	struct smtpd *d = c->d;

	channel_close(&c->ch);
	if (c->limited)
		crowd_close(d, &c->peer);
	session_end(&c->session);
	conf_release(&c->conf);
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
	if (!session_open_commit(&c->session))
		smtpd_client_free(c);
}
