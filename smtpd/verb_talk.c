/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/verb_talk.c - the verbs around a message: EHLO and HELO, STARTTLS,
 * RSET, NOOP, VRFY, EXPN, HELP, XFORWARD, QUIT. */
#include "smtpd/verbs.h"

#include <stdlib.h>

#include "base/utf8.h"

/* ---- EHLO, HELO ---- */

static enum session_state
greet(struct session *s, struct span arg, bool ehlo)
{
	struct span name;

	if (!smtp_helo(arg, &name))
		return cmd_refuse(s, 501, "5.5.4", ehlo ? "Syntax: EHLO hostname" :
		    "Syntax: HELO hostname");
	session_forget_message(s);
	span_copy(name, s->helo, sizeof s->helo);
	s->ehlo = ehlo;
	if (ehlo)
		session_announce(s);
	else
		session_reply(s, 250, "", "%s", s->listen->greeting_name);
	return ST_READY;
}

enum session_state
cmd_ehlo(struct session *s, struct span arg, size_t behind)
{
	(void)behind;
	return greet(s, arg, true);
}

enum session_state
cmd_helo(struct session *s, struct span arg, size_t behind)
{
	(void)behind;
	return greet(s, arg, false);
}

/* ---- the rest ---- */

enum session_state
cmd_data(struct session *s, struct span arg, size_t behind)
{
	(void)arg, (void)behind;
	if (body_begin(s, false) == -1) {
		session_forget_message(s);
		session_reply(s, 451, "4.3.0", "No queue, try again later");
		return ST_READY;
	}
	session_reply(s, 354, "", "End with <CRLF>.<CRLF>");
	return ST_DATA;
}

enum session_state
cmd_rset(struct session *s, struct span arg, size_t behind)
{
	(void)arg, (void)behind;
	session_forget_message(s);
	session_reply(s, 250, "2.0.0", "Ok");
	return s->state == ST_FRESH ? ST_FRESH : ST_READY;
}

enum session_state
cmd_noop(struct session *s, struct span arg, size_t behind)
{
	(void)arg, (void)behind;
	session_reply(s, 250, "2.0.0", "Ok");
	return s->state;
}

/* Takes SMTPUTF8 (RFC 6531 sec 3.7.4.2) off the end of a VRFY's argument. */
static bool
asks_utf8(struct span *arg)
{
	const struct span word = SPAN_LIT(" SMTPUTF8");
	size_t before = arg->n - word.n;

	if (arg->n <= word.n || !span_ieq(span_skip(*arg, before), word))
		return false;
	*arg = span_trim(span_head(*arg, before));
	return true;
}

/* RFC 5321 sec 3.5.3: neither yes nor no, so that nobody can harvest. */
enum session_state
cmd_vrfy(struct session *s, struct span arg, size_t behind)
{
	bool utf8;

	(void)behind;
	arg = span_trim(arg);
	utf8 = asks_utf8(&arg);
	if (arg.n == 0 || !utf8_valid(arg))
		return cmd_refuse(s, 501, "5.5.4", "Syntax: VRFY address");
	if (utf8_any(arg) && !utf8)
		return cmd_refuse(s, 553, "5.6.7", "Address needs SMTPUTF8");
	session_reply(s, 252, "2.5.2", "Send some mail, it will be tried");
	return s->state;
}

/* RFC 5321 sec 3.5.2: there are no lists here that could be expanded. */
enum session_state
cmd_expn(struct session *s, struct span arg, size_t behind)
{
	(void)arg, (void)behind;
	return cmd_refuse(s, 502, "5.5.1", "Not implemented");
}

/* RFC 5321 sec 4.1.1.8: with an argument too, as this is all there is. */
enum session_state
cmd_help(struct session *s, struct span arg, size_t behind)
{
	(void)arg, (void)behind;
	session_help(s);
	return s->state;
}

enum session_state
cmd_quit(struct session *s, struct span arg, size_t behind)
{
	(void)arg, (void)behind;
	session_reply(s, 221, "2.0.0", "Bye");
	session_forget_message(s);
	return ST_CLOSED;
}

bool
starttls_offered(const struct session *s)
{
	return s->listen->tls != LISTEN_NONE && !s->secured;
}

enum session_state
cmd_starttls(struct session *s, struct span arg, size_t behind)
{
	(void)arg;
	if (s->secured)
		return cmd_refuse(s, 503, "5.5.1", "TLS is already active");
	if (!starttls_offered(s))
		return cmd_refuse(s, 502, "5.5.1", "Not implemented");
	/* Why close instead of discarding: whoever put bytes behind STARTTLS
	 * wants them run after the handshake (CVE-2011-0411).  Answering 220
	 * would leave us trusting that every later layer threw them away. */
	if (behind > 0) {
		session_abuse(s, 501, "5.5.2", "Bytes behind STARTTLS",
		    "starttls-injection");
		return ST_CLOSED;
	}
	/* RFC 3207 sec 4: temporary, where a handshake that fails would look
	 * like an attack or a broken server. */
	if (!s->ops->tls_ready(s->arg)) {
		session_reply(s, 454, "4.7.0", "TLS is not available now");
		return s->state;
	}
	session_reply(s, 220, "2.0.0", "Ready to start TLS");
	return ST_TLS;
}

/* ---- XFORWARD ---- */

bool
xforward_offered(const struct session *s)
{
	return s->listen->xforward &&
	    (session_may_relay(s) || addr_is_loopback(&s->client));
}

enum session_state
cmd_xforward(struct session *s, struct span arg, size_t behind)
{
	(void)behind;
	if (!xforward_offered(s))
		return cmd_refuse(s, 550, "5.7.1", "Not for you");
	if (s->forward == NULL)
		s->forward = calloc(1, sizeof *s->forward);
	if (s->forward == NULL) {
		session_reply(s, 451, "4.3.0", "No memory");
		return s->state;
	}
	if (!smtp_xforward_take(arg, s->forward))
		return cmd_refuse(s, 501, "5.5.4",
		    "Syntax: XFORWARD attribute=value");
	session_reply(s, 250, "2.0.0", "Ok");
	return s->state;
}

/* A browser, made to speak to port 25 by a web page, must not get as far as
 * its request body, where commands would be. */
enum session_state
cmd_foreign(struct session *s, struct span arg, size_t behind)
{
	(void)arg, (void)behind;
	session_abuse(s, 500, "5.5.2", "This is an SMTP server",
	    "foreign-protocol");
	return ST_CLOSED;
}
