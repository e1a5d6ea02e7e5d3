/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/session_mail.c - a message on a session: what of it the host can take, and
 * its body, pumped. */
#include "relay/session_priv.h"

#include <stdio.h>

/* Above it the file is not read on: what waits for a slow peer waits on disk. */
#define PUMP_LOW	(128 * 1024)
/* A leading dot or a bare line end doubles; the final dot comes on top. */
#define STUFFED_MAX	(2 * (BODY_PIECE > CONVERT_OUT_MAX ? BODY_PIECE : \
			    CONVERT_OUT_MAX) + 64)
#define CHUNK_HEAD_MAX	64

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
	client_chunk(&s->client, bytes.n, last, &head, session_now(s));
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
		client_body_end(&s->client, session_now(s));
	return 0;
}

static bool
pump_due(const struct session *s)
{
	return s->pumping && channel_unsent(s->channel) < PUMP_LOW &&
	    (!s->client.chunked || client_chunk_due(&s->client));
}

void
session_pump(struct session *s)
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
		session_end_own(s, "no memory for the body");
		break;
	}
	buf_free(&out);
}

void
session_pump_begin(struct session *s)
{
	s->body_at = 0;
	if (s->convert != NULL)
		convert_rewind(s->convert);
	dot_begin(&s->dot, s->client.chunked);
	s->pumping = true;
	session_pump(s);
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
	client_message(&s->client, &s->message, session_now(s));
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
	session_enter(s);
	do
		rc = convert_slice(s->convert, &s->fault);
	while (rc == 0 && s->body->fd == -1);
	if (rc == 0) {
		loop_timer_set(s->work, 0);
	} else if (rc == 1) {
		settle_message(s);
		session_leave(s);
		begin_message(s);
		return;
	} else {
		s->body_failed = true;
		session_end_own(s, "no memory for the body");
	}
	session_leave(s);
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
		session_end_own(s, "no memory for the body");
		return;
	}
	on_work(s);
}
