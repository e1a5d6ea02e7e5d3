/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/session.c - see session.h: the life of a session and its replies. */
#include "smtpd/session_priv.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define OUT_MAX		(64u * 1024)
#define OUT_FLUSH	(16u * 1024)

/* ---- replies ---- */

void
session_flush(struct session *s)
{
	if (s->out.failed ||
	    (s->out.len > 0 && s->ops->send(s->arg, buf_get(&s->out)) == -1))
		s->mute = true;
	buf_reset(&s->out);
}

void
session_reply(struct session *s, int code, const char *enhanced,
    const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	buf_printf(&s->out, "%d %s%s%s\r\n", code, enhanced,
	    enhanced[0] == '\0' ? "" : " ", text);
	/* Pipelined replies leave together (RFC 2920 sec 3.2), but a long
	 * pipeline must not grow this. */
	if (s->out.len > OUT_FLUSH)
		session_flush(s);
}

void
session_refuse(struct session *s, int code, const char *enhanced,
    const char *text)
{
	if (++s->errors > SESSION_ERRORS_MAX) {
		session_abuse(s, 421, "4.7.0", "Too many errors",
		    "too-many-errors");
		return;
	}
	if (!s->ops->count(s->arg, COUNT_ERROR)) {
		session_enough(s);
		return;
	}
	session_reply(s, code, enhanced, "%s", text);
}

void
session_enough(struct session *s)
{
	session_reply(s, 421, "4.7.0",
	    "Too many errors from your network, try again later");
	session_forget_message(s);
	s->state = ST_CLOSED;
}

void
session_abuse(struct session *s, int code, const char *enhanced,
    const char *text, const char *kind)
{
	s->ops->abuse(s->arg, kind);
	session_reply(s, code, enhanced, "%s", text);
	session_forget_message(s);
	s->state = ST_CLOSED;
}

bool
session_too_chatty(struct session *s)
{
	if (++s->chatter <= SESSION_CHATTER_MAX)
		return false;
	session_abuse(s, 421, "4.7.0", "Too many commands",
	    "too-many-commands");
	return true;
}

/* ---- life ---- */

void
session_forget_message(struct session *s)
{
	/* What the queue already has is its own; the rest is taken back. */
	if ((s->state & ST_BODY) && !s->committing)
		s->ops->abort(s->arg);
	buf_free(&s->msg.body);
	buf_free(&s->msg.rcpts);
	free(s->forward);
	s->forward = NULL;
	session_forget_asks(s);
	s->msg.nrcpts = 0;
	s->msg.in_file = false;
	s->failure = (struct fault){ .class = FAULT_NONE };
	s->chunk.told = false;
	s->waiting = s->committing = false;
}

static void
session_greet(struct session *s)
{
	session_reply(s, 220, "", "%s ESMTP Sealane", s->listen->greeting_name);
	session_flush(s);
}

void
session_start(struct session *s, const struct session_ops *ops, void *arg,
    const struct conf *conf, const struct conf_listen *listen,
    const struct addr *client)
{
	*s = (struct session){ .ops = ops, .arg = arg, .conf = conf,
	    .listen = listen, .client = *client,
	    .rules = conf_client_for(conf, client), .state = ST_FRESH };
	STAILQ_INIT(&s->asks);
	id_make(ops->wall_ms(arg), s->id);
	tls_facts_clear(&s->tls);
	buf_init(&s->out, OUT_MAX);
	buf_init(&s->msg.body, SESSION_INLINE_MAX + SESSION_PIECE_MAX);
	buf_init(&s->msg.rcpts, SESSION_RCPTS_MAX);
	/* RFC 8314 sec 3: TLS first, then all as ever. */
	if (listen->tls == LISTEN_IMPLICIT)
		s->state = ST_TLS;
	else
		session_greet(s);
}

void
session_end(struct session *s)
{
	if (!s->met && s->helo[0] != '\0')
		s->ops->met(s->arg);
	s->met = true;
	session_forget_message(s);
	buf_free(&s->out);
	s->state = ST_CLOSED;
}

bool
session_owes(const struct session *s)
{
	return s->nasks > 0 || session_wants(s) == SESSION_WAIT;
}

bool
session_idle(const struct session *s)
{
	return (s->state & (ST_FRESH | ST_READY)) != 0;
}

bool
session_may_relay(const struct session *s)
{
	for (size_t i = 0; i < s->listen->nrelay_from; i++)
		if (prefix_has(&s->listen->relay_from[i], &s->client))
			return true;
	return false;
}

uint64_t
session_patience(const struct session *s)
{
	return s->state & (ST_DATA | ST_CHUNK) ?
	    s->conf->limits.timeout.data : s->conf->limits.timeout.command;
}

bool
session_open_commit(const struct session *s)
{
	return s->state == ST_COMMIT && s->committing;
}

enum session_want
session_wants(const struct session *s)
{
	if (s->state == ST_CLOSED || s->mute)
		return SESSION_CLOSE;
	if (s->state == ST_TLS)
		return SESSION_TLS;
	if (s->waiting || (s->state & (ST_SPOOL | ST_COMMIT)))
		return SESSION_WAIT;
	return SESSION_READ;
}

/* ---- bytes ---- */

/* One command line. False: nothing more can be done with what is there. */
static bool
take_line(struct session *s, struct span in, size_t *used)
{
	struct smtp_lines before = s->lines;
	struct span line;
	size_t n;
	enum smtp_line_kind kind = smtp_line_take(&s->lines, in, &line, &n);

	*used = n;
	/* The reply to this line is not the next one. */
	if (s->nasks > 0 && (kind == SMTP_LINE_BAD || kind == SMTP_LINE_LONG)) {
		s->waiting = true;
		goto later;
	}
	switch (kind) {
	case SMTP_LINE_NONE:
		return false;
	case SMTP_LINE_BAD:
		/* Where one side sees a line end and the other does not, a
		 * message can carry commands. */
		session_abuse(s, 500, "5.5.2", "Only CRLF ends a line",
		    "bare-newline");
		break;
	case SMTP_LINE_LONG:
		session_too_long(s);
		break;
	case SMTP_LINE_OK:
		if (!session_command(s, line, in.n - n))
			goto later;
		break;
	}
	s->progress++;
	return true;
later:
	s->lines = before;
	*used = 0;
	return false;
}

size_t
session_input(struct session *s, struct span in)
{
	size_t used = 0, n;

	s->waiting = false;
	for (;;) {
		if (s->state == ST_COMMIT && !s->committing)
			body_commit(s);
		if (session_wants(s) != SESSION_READ)
			break;
		if (s->state & (ST_DATA | ST_CHUNK)) {
			if (used == in.n)
				break;
			used += body_input(s, span_skip(in, used));
		} else {
			bool more = take_line(s, span_skip(in, used), &n);

			used += n;
			if (!more)
				break;
		}
	}
	session_flush(s);
	/* Nothing behind the end of a session is looked at. */
	return session_wants(s) == SESSION_CLOSE ? in.n : used;
}

/* ---- what happens elsewhere ---- */

void
session_secured(struct session *s, const struct tls_facts *facts)
{
	assert(s->state == ST_TLS);
	/* RFC 3207 sec 4.2: what was said in clear may have been said by
	 * anybody; the client begins again with EHLO. */
	session_forget_message(s);
	s->ehlo = false;
	s->helo[0] = '\0';
	s->lines = (struct smtp_lines){ .skipping = false };
	s->secured = true;
	s->tls = *facts;
	s->state = ST_FRESH;
	s->progress++;
	if (s->listen->tls == LISTEN_IMPLICIT)
		session_greet(s);
}

static void
session_lost(struct session *s, int code, const char *enhanced,
    const char *text)
{
	if (s->state == ST_CLOSED)
		return;
	if (s->state != ST_TLS)
		session_reply(s, code, enhanced, "%s", text);
	session_forget_message(s);
	s->state = ST_CLOSED;
	session_flush(s);
}

void
session_timeout(struct session *s)
{
	session_lost(s, 421, "4.4.2", "Timeout, closing");
}

void
session_shut(struct session *s)
{
	session_lost(s, 421, "4.3.2", "Going down, come back later");
}

void
session_committed(struct session *s, int code, struct span enhanced,
    struct span text)
{
	char words[512], status[12];

	if (!session_open_commit(s))
		return;
	if (code == 250) {
		s->ops->accepted(s->arg, &s->msg);
		session_reply(s, 250, "2.0.0", "%s queued", s->msg.id);
		s->errors = s->chatter = 0;
	} else {
		/* A queue's nonsense must not become a client's. */
		if (code < 400 || code > 599)
			code = 451;
		if (!span_copy(enhanced, status, sizeof status) ||
		    enhanced.n == 0)
			span_copy(SPAN_LIT("4.3.0"), status, sizeof status);
		if (!span_copy(text, words, sizeof words) || text.n == 0)
			span_copy(SPAN_LIT("Try again later"), words,
			    sizeof words);
		s->ops->rejected(s->arg, span_str(words));
		session_reply(s, code, status, "%s", words);
	}
	session_forget_message(s);
	s->state = ST_READY;
	s->progress++;
	session_flush(s);
}

void
session_queue_lost(struct session *s)
{
	static const char text[] = "Queue restarts, try again later";
	struct fault f;

	session_unverified(s);
	if (session_open_commit(s)) {
		session_committed(s, 451, SPAN_LIT("4.3.0"), span_str(text));
	} else if (s->state == ST_SPOOL) {
		fault_set(&f, FAULT_TEMP, 451, "4.3.0", "%s", text);
		session_spooled(s, &f);
	} else if (s->msg.in_file) {
		body_fail(s, FAULT_TEMP, 451, "4.3.0", text);
	}
}

/* ---- for log and facts ---- */

enum level
session_reached(const struct session *s)
{
	return s->secured ? LEVEL_ENCRYPTED : LEVEL_CLEAR;
}

enum how
session_how(const struct session *s)
{
	if (s->secured)
		return HOW_OPPORTUNISTIC;
	return s->listen->tls == LISTEN_NONE ? HOW_NOT_OFFERED : HOW_NONE;
}
