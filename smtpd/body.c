/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/body.c - the message behind DATA or BDAT: Received: on top, then what
 * the client sends, into memory or, when it grows, into a file of the queue.
 *
 * A message that will be refused is still read to its end (RFC 5321 sec
 * 4.1.1.4: no reply before it), but no longer kept. */
#include "smtpd/session_priv.h"

#include <stdio.h>

#include "base/clock.h"
#include "smtp/received.h"

#define PIECE_MAX	(4u * 1024)	/* bounds what one piece adds */
/* So much body keeps a slow client alive for another deadline: a drip of a
 * byte a minute does not. */
#define PROGRESS_BYTES	(16u * 1024)
/* A header up to here is still in memory when its end is seen. */
#define ADD_MAX		(SESSION_INLINE_MAX / 2)

void
body_fail(struct session *s, enum fault_class class, int code,
    const char *enhanced, const char *text)
{
	if (s->failure.class != FAULT_NONE)
		return;
	fault_set(&s->failure, class, code, enhanced, "%s", text);
	s->ops->abort(s->arg);
	s->msg.in_file = false;
	buf_free(&s->msg.body);
}

static void
put_received(struct session *s)
{
	char date[CLOCK_RFC5322_SIZE];
	struct span rest = buf_get(&s->msg.rcpts);
	struct ipc_rcpt rcpt;
	struct smtp_received r = {
		.helo = span_str(s->helo), .client = s->client,
		.by = span_str(s->listen->greeting_name), .ehlo = s->ehlo,
		.utf8 = s->msg.flags & ENVELOPE_SMTPUTF8,
		.tls = s->secured ? &s->tls : NULL,
		.level = session_reached(s), .id = span_str(s->msg.id),
		.date = date,
	};

	clock_rfc5322(s->msg.arrived, date);
	if (s->msg.nrcpts == 1 && ipc_get_rcpt(&rest, &rcpt) == 1)
		r.only_rcpt = rcpt.address;
	if (smtp_received_put(&s->msg.body, &r) == -1)
		body_fail(s, FAULT_TEMP, 451, "4.3.0", "No memory");
}

int
body_begin(struct session *s, bool chunked)
{
	s->data = (struct smtp_data){ .chunked = chunked };
	s->header = (struct smtp_header){ .size = 0 };
	s->whole = false;
	if (s->ops->room(s->arg) == ROOM_NONE)
		return -1;
	s->msg.arrived = s->ops->wall_ms(s->arg);
	id_make(s->msg.arrived, s->msg.id);
	put_received(s);
	s->msg.size = s->received = s->msg.body.len;
	return 0;
}

static void
keep_bytes(void *arg, struct span piece)
{
	struct session *s = arg;

	/* Seen in any case: why it is refused must not depend on the cutting. */
	smtp_header_feed(&s->header, piece);
	if (s->failure.class != FAULT_NONE)
		return;
	if (buf_span(&s->msg.body, piece) == -1)
		body_fail(s, FAULT_TEMP, 451, "4.3.0", "No memory");
	s->msg.size += piece.n;
}

/* The message itself is at fault.  All of these only grow while it comes, so
 * the last look names the same reason however the bytes were cut: the first
 * in this order, and not the one that was seen first. */
static void
body_check(struct session *s)
{
	const struct smtp_data *d = &s->data;
	const struct conf *c = s->conf;
	uint64_t most = c->limits.message_size;
	struct fault f = { .class = FAULT_NONE };

	if (d->size > most)
		fault_set(&f, FAULT_PERM, 552, "5.3.4", "Message is too large");
	else if (s->header.size > c->limits.header_size)
		fault_set(&f, FAULT_PERM, 552, "5.3.4", "Header is too large");
	else if (c->limits.bare_newline == BARE_REJECT &&
	    (d->bare_cr || d->bare_lf))
		fault_set(&f, FAULT_PERM, 550, "5.6.0",
		    "Bare CR or LF in the message");
	else if (c->limits.nul == NUL_REJECT && d->nul)
		fault_set(&f, FAULT_PERM, 550, "5.6.0",
		    "NUL byte in the message");
	else if (s->header.hops > c->limits.hops)
		fault_set(&f, FAULT_PERM, 554, "5.4.6",
		    "Too many hops, this is a loop");
	if (f.class != FAULT_NONE) {
		body_fail(s, f.class, f.code, f.enhanced, f.text);
		s->failure = f;
	}
	if (d->size > most + BODY_EXCESS_MAX)
		session_abuse(s, 552, "5.3.4", "Message is too large",
		    "flood");
}

/* All of the header has been seen.  A message of a client of our own gets the
 * fields that it lacks (RFC 6409 sec 8); mail of others is none of our business.
 * Right below our Received:, where
 * they do no harm to a header that has no end. */
static void
body_complete(struct session *s)
{
	char date[CLOCK_RFC5322_SIZE];
	struct buf more;

	s->whole = true;
	/* RFC 8689 sec 3: beside REQUIRETLS it is ignored. */
	if (smtp_header_tls_optional(&s->header) &&
	    !(s->msg.flags & ENVELOPE_REQUIRETLS))
		s->msg.flags |= ENVELOPE_TLS_OPTIONAL;
	if (s->failure.class != FAULT_NONE || s->msg.in_file ||
	    s->header.size > ADD_MAX || !session_may_relay(s))
		return;
	clock_rfc5322(s->msg.arrived, date);
	buf_init(&more, SESSION_INLINE_MAX);
	if (smtp_missing_put(&more, s->header.date ? NULL : date,
	    s->header.message_id ? SPAN_NONE : span_str(s->msg.id),
	    span_str(s->conf->hostname)) == -1 ||
	    buf_insert(&s->msg.body, s->received, buf_get(&more)) == -1)
		body_fail(s, FAULT_TEMP, 451, "4.3.0", "No memory");
	s->msg.size += more.len;
	buf_free(&more);
}

static void
body_write(struct session *s)
{
	struct fault f;

	if (s->msg.body.len > 0 &&
	    s->ops->spool_write(s->arg, buf_get(&s->msg.body), &f) == -1)
		body_fail(s, FAULT_TEMP, f.code, f.enhanced, f.code == 452 ?
		    "No room for the message" : "Cannot store the message");
	buf_reset(&s->msg.body);
}

static bool
all_here(const struct session *s)
{
	return s->data.chunked ? s->chunk.left == 0 :
	    s->data.state == SMTP_DATA_DONE;
}

void
body_settle(struct session *s)
{
	bool part = s->data.chunked && !s->chunk.last, done = all_here(s);

	if (!s->whole && (s->header.ended || (done && !part)))
		body_complete(s);
	if (s->failure.class == FAULT_NONE && !s->msg.in_file &&
	    s->msg.body.len > SESSION_INLINE_MAX) {
		if (s->ops->spool_open(s->arg) == 0) {
			s->state = ST_SPOOL;
			return;
		}
		body_fail(s, FAULT_TEMP, 451, "4.3.0",
		    "No queue, try again later");
	}
	if (s->failure.class == FAULT_NONE && s->msg.in_file &&
	    ((done && !part) || s->msg.body.len >= SESSION_INLINE_MAX))
		body_write(s);
	if (!done)
		s->state = s->data.chunked ? ST_CHUNK : ST_DATA;
	else if (part)
		chunk_done(s);
	else
		s->state = ST_COMMIT;
}

static size_t
take_octets(struct session *s, struct span in)
{
	in = span_head(in, s->chunk.left);
	s->chunk.left -= in.n;
	if (s->chunk.refusal.code != 0)
		return in.n;
	(void)smtp_data_feed(&s->data, in, keep_bytes, s);
	if (s->chunk.left == 0 && s->chunk.last)
		smtp_data_end(&s->data, keep_bytes, s);
	return in.n;
}

static void
body_progress(struct session *s, size_t n)
{
	s->taken += n;
	if (s->taken - s->mark >= PROGRESS_BYTES) {
		s->mark = s->taken;
		s->progress++;
	}
}

size_t
body_input(struct session *s, struct span in)
{
	bool refused = s->state == ST_CHUNK && s->chunk.refusal.code != 0;
	size_t used;

	in = span_head(in, PIECE_MAX);
	used = s->state == ST_CHUNK ? take_octets(s, in) :
	    smtp_data_feed(&s->data, in, keep_bytes, s);
	body_progress(s, used);
	if (refused && s->chunk.left == 0)
		chunk_done(s);
	if (refused)
		return used;
	body_check(s);
	if (s->state != ST_CLOSED)
		body_settle(s);
	return used;
}

void
session_spooled(struct session *s, const struct fault *f)
{
	if (s->state != ST_SPOOL)
		return;
	if (f != NULL)
		body_fail(s, f->class, f->code, f->enhanced, f->text);
	else
		s->msg.in_file = true;
	s->progress++;
	body_settle(s);
}

/* The message is whole: hand it over, or say why not. */
void
body_commit(struct session *s)
{
	switch (s->failure.class == FAULT_NONE ? s->ops->room(s->arg) :
	    ROOM_NONE) {
	case ROOM_LATER:
		s->waiting = true;
		return;
	case ROOM_NOW:
		s->committing = true;
		if (s->ops->commit(s->arg, &s->msg) == 0)
			return;
		s->committing = false;
		break;
	case ROOM_NONE:
		break;
	}
	body_fail(s, FAULT_TEMP, 451, "4.3.0", "No queue, try again later");
	s->ops->rejected(s->arg, span_str(s->failure.text));
	session_refuse(s, s->failure.code, s->failure.enhanced,
	    s->failure.text);
	session_forget_message(s);
	if (s->state != ST_CLOSED)
		s->state = ST_READY;
}
