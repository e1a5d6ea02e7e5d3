/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/session.c - see session.h.
 *
 * Callbacks of the owner may close the session; its memory goes when the
 * outermost function here returns (`busy`). */
#include "relay/session.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/envelope.h"
#include "relay/convert.h"
#include "relay/tickets.h"

/* Above it the file is not read on: what waits for a slow peer waits on disk. */
#define PUMP_LOW	(128 * 1024)
/* A leading dot or a bare line end doubles; the final dot comes on top. */
#define STUFFED_MAX	(2 * (BODY_PIECE > CONVERT_OUT_MAX ? BODY_PIECE : \
			    CONVERT_OUT_MAX) + 64)
#define CHUNK_HEAD_MAX	64
#define QUIT_FLUSH_MS	5000

static void	session_run(struct session *);

static uint64_t
now_of(const struct session *s)
{
	return loop_now(s->loop);
}

static void
enter(struct session *s)
{
	s->busy++;
}

static void
leave(struct session *s)
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
	uint64_t at = client_deadline(&s->client), now = now_of(s);

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
static void
end_own(struct session *s, const char *what)
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
		end_own(s, "no memory to send");
	if (!s->closed)
		buf_reset(out);
}

/* ---- body ---- */

/* What was read goes as one chunk: only then its size is known, for line ends
 * may have been mended. */
static int
pump_chunk(struct session *s, struct span bytes, bool last)
{
	struct buf head;
	int rc;

	if (bytes.n == 0 && !last)
		return 0;
	buf_init(&head, CHUNK_HEAD_MAX);
	client_chunk(&s->client, bytes.n, last, &head, now_of(s));
	rc = head.failed ? -1 : channel_send(s->channel, buf_get(&head));
	buf_free(&head);
	return rc == -1 ? -1 : channel_send(s->channel, bytes);
}

static int
next_piece(struct session *s, struct span *piece, bool *last)
{
	if (s->convert != NULL)
		return convert_piece(s->convert, piece, last, &s->fault);
	if (body_piece(s->body, s->body_at, BODY_PIECE, piece, &s->fault) == -1)
		return -1;
	s->body_at += piece->n;
	*last = s->body_at >= s->body->size;
	return 0;
}

static int
pump_piece(struct session *s, struct buf *out)
{
	struct span piece;
	bool last;

	if (next_piece(s, &piece, &last) == -1) {
		s->body_failed = true;
		return -1;
	}
	if (dot_put(&s->dot, piece, out) == -1 ||
	    (last && dot_end(&s->dot, out) == -1))
		return -1;
	s->pumping = !last;
	if (s->client.chunked)
		return pump_chunk(s, buf_get(out), last);
	if (channel_send(s->channel, buf_get(out)) == -1)
		return -1;
	if (last)
		client_body_end(&s->client, now_of(s));
	return 0;
}

static bool
pump_due(const struct session *s)
{
	return s->pumping && channel_unsent(s->channel) < PUMP_LOW &&
	    (!s->client.chunked || client_chunk_due(&s->client));
}

static void
pump(struct session *s)
{
	struct buf out;

	if (!s->pumping)
		return;
	buf_init(&out, STUFFED_MAX);
	while (pump_due(s)) {
		buf_reset(&out);
		if (pump_piece(s, &out) == 0)
			continue;
		/* Without its final dot nobody takes it for the message. */
		end_own(s, "no memory for the body");
		break;
	}
	buf_free(&out);
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
		end_own(s, "TLS could not be started");
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
		s->body_at = 0;
		if (s->convert != NULL)
			convert_rewind(s->convert);
		dot_begin(&s->dot, s->client.chunked);
		s->pumping = true;
		pump(s);
		break;
	case CLIENT_SEND_MORE:
		pump(s);
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
static void
session_run(struct session *s)
{
	enum client_event ev = CLIENT_READY;
	size_t used;

	enter(s);
	while (!s->over && !s->closed && ev != CLIENT_WAIT) {
		ev = client_next(&s->client, channel_input(s->channel), &used,
		    now_of(s));
		channel_consume(s->channel, used);
		flush(s);
		if (!s->over && !s->closed)
			event(s, ev);
		if (!s->over && !s->closed)
			flush(s);
	}
	arm(s);
	leave(s);
}

/* ---- of the channel ---- */

static void
on_connected(void *arg)
{
	struct session *s = arg;

	s->connecting = false;
	client_connected(&s->client, now_of(s));
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

	enter(s);
	client_body_moved(&s->client, now_of(s));
	pump(s);
	arm(s);
	leave(s);
}

static void
on_secured(void *arg)
{
	struct session *s = arg;

	s->hop.tls = *channel_facts(s->channel);
	if (!s->hop.tls.resumed)
		s->tls_since = now_of(s);
	client_secured(&s->client, now_of(s));
	session_run(s);
}

static void
on_ended(void *arg, enum channel_end how, bool in_handshake,
    const struct fault *f)
{
	struct session *s = arg;

	(void)in_handshake;	/* the client's step says so */
	enter(s);
	if (how == CHANNEL_ERROR && !s->over)
		s->fault = *f;
	client_lost(&s->client);
	end(s);
	leave(s);
}

static const struct channel_ops channel_ops = {
	.connected = on_connected, .input = on_input, .drained = on_drained,
	.secured = on_secured, .ended = on_ended,
};

static void
on_timer(void *arg)
{
	struct session *s = arg;

	enter(s);
	s->timer_at = CLIENT_NEVER;
	if (s->connecting)	/* by no address, whatever became of some */
		s->fault = (struct fault){ .class = FAULT_NONE };
	client_timeout(&s->client);
	end(s);
	leave(s);
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
	enter(s);
	client_lost(&s->client);
	end(s);
	leave(s);
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
	client_init(&s->client, &client, now_of(s));
	return s;
}

/* ---- a message ---- */

static bool
lacks(const struct session *s, unsigned cap)
{
	return (s->client.ehlo.caps & cap) == 0;
}

static bool
utf8_address(const struct client_message *m)
{
	size_t i;

	for (i = 0; i < m->nrcpts; i++) {
		if (!client_address_ok(m->rcpts[i].address, false))
			return true;
	}
	return !client_address_ok(m->sender, false);
}

/* All is known of the body: what of it the host can take, and how. */
static void
settle_message(struct session *s)
{
	struct client_message *m = &s->message;
	enum mime7_verdict v = s->convert->verdict;

	/* RFC 6531 sec 3.2 forbids what needs SMTPUTF8, not what might. */
	if (lacks(s, EHLO_SMTPUTF8) && !s->convert->mime.eight_header &&
	    !utf8_address(m))
		m->flags &= ~(unsigned)ENVELOPE_SMTPUTF8;
	if (lacks(s, EHLO_8BITMIME)) {
		m->flags &= ~(unsigned)ENVELOPE_8BIT;
		s->converted = v == MIME7_CONVERT;
		if (s->converted && s->convert->count)
			m->size = s->convert->size;
		if (v > MIME7_CONVERT) {
			(void)snprintf(s->unfit, sizeof(s->unfit), "%s, and "
			    "the host does not take 8BITMIME",
			    mime7_reason(v));
			m->flags |= ENVELOPE_8BIT;
			m->unfit = s->unfit;
		}
	}
	if (!s->converted)
		convert_free(&s->convert);
}

static void
begin_message(struct session *s)
{
	client_message(&s->client, &s->message, now_of(s));
	if (s->busy == 0)
		session_run(s);
}

/* A slice of the work, then the others' turn; what is at hand is done at once. */
static void
on_work(void *arg)
{
	struct session *s = arg;
	int rc;

	if (s->over)
		return;
	enter(s);
	do
		rc = convert_slice(s->convert, &s->fault);
	while (rc == 0 && s->body->fd == -1);
	if (rc == 0) {
		loop_timer_set(s->work, 0);
	} else if (rc == 1) {
		settle_message(s);
		leave(s);
		begin_message(s);
		return;
	} else {
		s->body_failed = true;
		end_own(s, "no memory for the body");
	}
	leave(s);
}

/* Does it depend on the body what the host can be given? */
static bool
must_look(const struct session *s, const struct client_message *m)
{
	if (!(m->flags & ENVELOPE_SMTPUTF8) || !lacks(s, EHLO_SMTPUTF8))
		return lacks(s, EHLO_8BITMIME);
	return !utf8_address(m);	/* else it is refused whatever is in it */
}

void
session_send(struct session *s, const struct client_message *m,
    struct body *body)
{
	s->body = body;
	s->message = *m;
	s->nmessages++;
	s->converted = false;
	/* A probe has no body, and its addresses alone decide. */
	if (m->probe && !utf8_address(m))
		s->message.flags &= ~(unsigned)ENVELOPE_SMTPUTF8;
	if (m->probe || !must_look(s, m)) {
		begin_message(s);
		return;
	}
	s->convert = convert_new(body, !lacks(s, EHLO_SIZE));
	if (s->convert != NULL && s->work == NULL)
		s->work = loop_timer_new(s->loop, on_work, s);
	if (s->convert == NULL || s->work == NULL) {
		s->body_failed = true;
		end_own(s, "no memory for the body");
		return;
	}
	on_work(s);
}

static void
forget(struct session **sp, bool gently)
{
	struct session *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	enter(s);
	s->closed = true;
	loop_timer_close(&s->timer);
	loop_timer_close(&s->work);
	dial_stop(&s->dial);
	if (gently)
		channel_close_after_flush(&s->channel, QUIT_FLUSH_MS);
	else
		channel_close(&s->channel);
	leave(s);
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
