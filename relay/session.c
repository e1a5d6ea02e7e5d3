/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/session.c - see session.h.
 *
 * Callbacks of the owner may close the session; its memory goes when the
 * outermost function here returns (`busy`). */
#include "relay/session_priv.h"

#include <stdlib.h>

#include "relay/tickets.h"

#define QUIT_FLUSH_MS	5000

uint64_t
session_now(const struct session *s)
{
	return loop_now(s->loop);
}

void
session_enter(struct session *s)
{
	s->busy++;
}

void
session_leave(struct session *s)
{
	if (--s->busy > 0 || !s->closed)
		return;
	client_free(&s->client);
	convert_free(&s->convert);
	tls_creds_unref(&s->creds);
	free(s);
}

static void
arm(struct session *s)
{
	uint64_t at = client_deadline(&s->client), now = session_now(s);

	if (s->closed || s->over || s->connecting || at == s->timer_at)
		return;
	s->timer_at = at;
	if (at == CLIENT_NEVER)
		loop_timer_stop(s->timer);
	else
		loop_timer_set(s->timer, at > now ? at - now : 0);
}

static void
end(struct session *s)
{
	if (s->over || s->closed)
		return;
	s->over = true;
	s->pumping = false;
	loop_timer_stop(s->timer);
	s->ops->ended(s);
}

/* Something of ours is missing: memory, or the message file. */
void
session_end_own(struct session *s, const char *what)
{
	if (s->fault.text[0] == '\0')
		(void)fault_set(&s->fault, FAULT_TEMP, 451, "4.3.0", "%s", what);
	client_lost(&s->client);
	end(s);
}

static void
flush(struct session *s)
{
	struct buf *out = client_output(&s->client);

	if (s->closed || out->len == 0)
		return;
	if (channel_send(s->channel, buf_get(out)) == -1 && !s->over)
		session_end_own(s, "no memory to send");
	if (!s->closed)
		buf_reset(out);
}

/* ---- events of the client ---- */

static void
start_tls(struct session *s)
{
	struct tls_offer offer = { .sni = s->sni, .reduced = s->reduced,
	    .strict = s->strict, .tickets = !s->reduced };
	struct buf data;
	int rc;

	buf_init(&data, TICKET_SIZE_MAX);
	if (!s->reduced)
		s->ops->resume(s, &data);
	s->resuming = data.len > 0;
	offer.resume = buf_get(&data);
	rc = channel_start_client(s->channel, s->creds, &offer);
	buf_wipe(&data);
	if (rc == -1)
		session_end_own(s, "TLS could not be started");
}

static void
event(struct session *s, enum client_event ev)
{
	switch (ev) {
	case CLIENT_WAIT:
		break;
	case CLIENT_READY:
		s->ops->ready(s);
		break;
	case CLIENT_START_TLS:
		start_tls(s);
		break;
	case CLIENT_VERDICT:
		s->ops->verdict(s);
		break;
	case CLIENT_SEND_BODY:
		session_pump_begin(s);
		break;
	case CLIENT_SEND_MORE:
		session_pump(s);
		break;
	case CLIENT_MESSAGE_DONE:
		s->body = NULL;
		convert_free(&s->convert);
		s->ops->done(s);
		break;
	case CLIENT_CLOSE:
		flush(s);
		end(s);
		break;
	}
}

/* Read replies and act until nothing more is to be done now.  What was queued
 * goes before the body and before a close, never behind them. */
void
session_run(struct session *s)
{
	enum client_event ev = CLIENT_READY;
	size_t used;

	session_enter(s);
	while (!s->over && !s->closed && ev != CLIENT_WAIT) {
		ev = client_next(&s->client, channel_input(s->channel), &used,
		    session_now(s));
		channel_consume(s->channel, used);
		flush(s);
		if (!s->over && !s->closed)
			event(s, ev);
		if (!s->over && !s->closed)
			flush(s);
	}
	arm(s);
	session_leave(s);
}

/* ---- of the channel ---- */

static void
on_connected(void *arg)
{
	struct session *s = arg;

	s->connecting = false;
	client_connected(&s->client, session_now(s));
	arm(s);
}

static void
on_input(void *arg)
{
	struct session *s = arg;

	if (!s->over)
		session_run(s);
	else	/* nobody reads it any more */
		channel_consume(s->channel, channel_input(s->channel).n);
}

static void
on_drained(void *arg)
{
	struct session *s = arg;

	session_enter(s);
	client_body_moved(&s->client, session_now(s));
	session_pump(s);
	arm(s);
	session_leave(s);
}

static void
on_secured(void *arg)
{
	struct session *s = arg;

	s->hop.tls = *channel_facts(s->channel);
	if (!s->hop.tls.resumed)
		s->tls_since = session_now(s);
	client_secured(&s->client, session_now(s));
	session_run(s);
}

static void
on_ended(void *arg, enum channel_end how, bool in_handshake,
    const struct fault *f)
{
	struct session *s = arg;

	(void)in_handshake;	/* the client's step says so */
	session_enter(s);
	if (how == CHANNEL_ERROR && !s->over)
		s->fault = *f;
	client_lost(&s->client);
	end(s);
	session_leave(s);
}

static const struct channel_ops channel_ops = {
	.connected = on_connected, .input = on_input, .drained = on_drained,
	.secured = on_secured, .ended = on_ended,
};

static void
on_timer(void *arg)
{
	struct session *s = arg;

	session_enter(s);
	s->timer_at = CLIENT_NEVER;
	if (s->connecting)	/* by no address, whatever became of some */
		s->fault = (struct fault){ .class = FAULT_NONE };
	client_timeout(&s->client);
	end(s);
	session_leave(s);
}

/* ---- connecting ---- */

static bool
on_next_address(void *arg, struct dial_target *t)
{
	struct session *s = arg;

	if (!s->ops->address(s, t))
		return false;
	loop_timer_set(s->timer, s->connect_ms);
	return true;
}

static void
on_missed(void *arg, unsigned id, const struct fault *f)
{
	struct session *s = arg;

	s->fault = *f;
	s->ops->missed(s, id, f);
}

static void
on_reached(void *arg, unsigned id, struct channel *channel)
{
	struct session *s = arg;

	s->fault = (struct fault){ .class = FAULT_NONE };
	s->channel = channel;
	channel_adopt(channel, &channel_ops, s);
	s->ops->reached(s, id);
	on_connected(s);
}

static void
on_none_left(void *arg)
{
	struct session *s = arg;

	if (s->starting)
		return;		/* session_connect() says it */
	session_enter(s);
	client_lost(&s->client);
	end(s);
	session_leave(s);
}

static const struct dial_ops dial_ops = {
	.next = on_next_address, .missed = on_missed, .reached = on_reached,
	.over = on_none_left,
};

int
session_connect(struct session *s, const char *path, struct fault *f)
{
	int rc;

	if (path != NULL) {
		s->channel = channel_connect_unix(s->loop, path, &channel_ops,
		    s, f);
		loop_timer_set(s->timer, s->connect_ms);
		return s->channel == NULL ? -1 : 0;
	}
	s->starting = true;
	rc = dial_start(&s->dial, s->loop, &dial_ops, s);
	s->starting = false;
	if (rc == -1)
		return fault_set(f, FAULT_TEMP, 451, "4.3.0", "no memory");
	if (s->dial.timer != NULL)
		return 0;
	*f = s->fault;
	return -1;
}

/* ---- the owner's calls ---- */

struct session *
session_new(const struct session_setup *setup)
{
	struct session *s = calloc(1, sizeof(*s));
	struct client_setup client;

	if (s == NULL)
		return NULL;
	s->ops = setup->ops;
	s->loop = setup->loop;
	s->sni = setup->sni;
	s->reduced = setup->reduced;
	s->strict = setup->strict;
	s->connecting = true;
	s->connect_ms = setup->connect_ms;
	s->timer_at = CLIENT_NEVER;
	hop_init(&s->hop);
	s->timer = loop_timer_new(s->loop, on_timer, s);
	if (s->timer == NULL) {
		free(s);
		return NULL;
	}
	s->creds = tls_creds_ref(setup->creds);
	/* A connection outlives the configuration that the name is from. */
	client = setup->client;
	(void)span_copy(span_str(client.name), s->name, sizeof(s->name));
	client.name = s->name;
	client_init(&s->client, &client, session_now(s));
	return s;
}

static void
forget(struct session **sp, bool gently)
{
	struct session *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	session_enter(s);
	s->closed = true;
	loop_timer_close(&s->timer);
	loop_timer_close(&s->work);
	dial_stop(&s->dial);
	if (gently)
		channel_close_after_flush(&s->channel, QUIT_FLUSH_MS);
	else
		channel_close(&s->channel);
	session_leave(s);
}

void
session_quit(struct session **sp)
{
	struct session *s = *sp;

	if (s == NULL)
		return;
	client_quit(&s->client);
	if (!s->connecting && buf_get(client_output(&s->client)).n > 0)
		(void)channel_send(s->channel,
		    buf_get(client_output(&s->client)));
	forget(sp, true);
}

void
session_close(struct session **sp)
{
	struct session *s = *sp;

	/* An end in manners still has its QUIT on the way. */
	forget(sp, s != NULL && (s->client.end == CLIENT_END_REPLY ||
	    s->client.end == CLIENT_END_TLS_REFUSED));
}
