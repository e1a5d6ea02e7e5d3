/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/client.c - the client session: one handler per awaited reply in one
 * table, RFC 5321 sec 4.1, RFC 3207, RFC 2920. */
#include "smtp/client.h"

#include <assert.h>
#include <inttypes.h>

/* A transaction's commands at once: what the largest job of 36 KiB of addresses
 * makes, with "RCPT TO:<>" around each. */
#define OUT_MAX	(256 * 1024)

static const char *const end_names[] = {
	[CLIENT_END_NONE] = "none", [CLIENT_END_QUIT] = "quit",
	[CLIENT_END_REPLY] = "reply", [CLIENT_END_TLS_REFUSED] = "refused",
	[CLIENT_END_INJECTED] = "injection",
	[CLIENT_END_PROTOCOL] = "protocol", [CLIENT_END_TIMEOUT] = "timeout",
	[CLIENT_END_LOST] = "lost",
};

const char *
client_end_name(enum client_end e)
{
	return end_names[e];
}

/* ---- one handler per reply ---- */

static enum client_event on_greeting(struct client *, uint64_t);
static enum client_event on_ehlo(struct client *, uint64_t);
static enum client_event on_helo(struct client *, uint64_t);
static enum client_event on_starttls(struct client *, uint64_t);
static enum client_event on_idle(struct client *, uint64_t);
static enum client_event on_rset(struct client *, uint64_t);
static enum client_event on_mail(struct client *, uint64_t);
static enum client_event on_rcpt(struct client *, uint64_t);
static enum client_event on_data(struct client *, uint64_t);
static enum client_event on_body(struct client *, uint64_t);
static enum client_event on_final(struct client *, uint64_t);

#define T(field)	offsetof(struct client_timeouts, field)
#define T_NONE		((size_t)-1)

static const struct step {
	const char	*name;
	size_t		 timeout;	/* RFC 5321 sec 4.5.3.2 */
	bool		 lockstep;	/* nothing may follow this reply in clear */
	enum client_event (*reply)(struct client *, uint64_t now);
} steps[CLIENT_STEP_COUNT] = {
	[CLIENT_GREETING] =	{ "greeting",	T(greeting),	true,	on_greeting },
	[CLIENT_EHLO] =		{ "EHLO",	T(command),	true,	on_ehlo },
	[CLIENT_HELO] =		{ "HELO",	T(command),	true,	on_helo },
	[CLIENT_STARTTLS] =	{ "STARTTLS",	T(command),	true,	on_starttls },
	[CLIENT_HANDSHAKE] =	{ "handshake",	T(handshake),	false,	NULL },
	[CLIENT_IDLE] =		{ "idle",	T_NONE,		false,	on_idle },
	[CLIENT_RSET] =		{ "RSET",	T(command),	false,	on_rset },
	[CLIENT_MAIL] =		{ "MAIL",	T(command),	false,	on_mail },
	[CLIENT_RCPT] =		{ "RCPT",	T(command),	false,	on_rcpt },
	[CLIENT_DATA] =		{ "DATA",	T(data_start),	false,	on_data },
	[CLIENT_BODY] =		{ "body",	T(data_block),	false,	on_body },
	[CLIENT_FINAL] =	{ "final dot",	T(data_end),	false,	on_final },
	[CLIENT_OVER] =		{ "over",	T_NONE,		false,	NULL },
};

const char *
client_step_name(enum client_step s)
{
	return steps[s].name;
}

static enum client_event
enter(struct client *c, enum client_step step, uint64_t now)
{
	uint64_t ms;

	c->step = step;
	c->deadline = CLIENT_NEVER;
	if (steps[step].timeout != T_NONE) {
		memcpy(&ms, (const char *)&c->setup.timeouts +
		    steps[step].timeout, sizeof(ms));
		c->deadline = now + ms;
	}
	return CLIENT_WAIT;
}

/* ---- ends ---- */

static enum client_event
finish(struct client *c, enum client_end end)
{
	c->end = end;
	c->at = c->step;
	c->step = CLIENT_OVER;
	c->deadline = CLIENT_NEVER;
	c->say_verdict = c->say_done = c->say_close = false;
	return CLIENT_CLOSE;
}

/* End in good manners, RFC 5321 sec 4.1.1.10. */
static enum client_event
finish_quit(struct client *c, enum client_end end)
{
	(void)buf_str(&c->out, "QUIT\r\n");
	return finish(c, end);
}

static enum client_event
finish_nonsense(struct client *c)
{
	c->reply.why = "reply that makes no sense here";
	return finish(c, CLIENT_END_PROTOCOL);
}

void
client_quit(struct client *c)
{
	if (c->step == CLIENT_OVER)
		return;
	(void)finish_quit(c, CLIENT_END_QUIT);
	c->say_close = true;
}

void
client_lost(struct client *c)
{
	if (c->step != CLIENT_OVER)
		(void)finish(c, CLIENT_END_LOST);
}

void
client_timeout(struct client *c)
{
	if (c->step != CLIENT_OVER)
		(void)finish(c, CLIENT_END_TIMEOUT);
}

/* ---- setting up ---- */

void
client_init(struct client *c, const struct client_setup *setup, uint64_t now)
{
	*c = (struct client){ .setup = *setup };
	reply_init(&c->reply);
	buf_init(&c->out, OUT_MAX);
	enter(c, CLIENT_GREETING, now);
}

void
client_free(struct client *c)
{
	reply_free(&c->reply);
	buf_free(&c->out);
}

void
client_connected(struct client *c, uint64_t now)
{
	if (c->step == CLIENT_GREETING)
		(void)enter(c, CLIENT_GREETING, now);
}

static enum client_event
send_hello(struct client *c, enum client_step step, uint64_t now)
{
	(void)buf_printf(&c->out, "%s %s\r\n", steps[step].name, c->setup.name);
	return enter(c, step, now);
}

static enum client_event
on_greeting(struct client *c, uint64_t now)
{
	if (c->reply.code / 100 == 3)
		return finish_nonsense(c);
	if (c->reply.code / 100 != 2)	/* RFC 5321 sec 3.1, RFC 7504 */
		return finish_quit(c, CLIENT_END_REPLY);
	return send_hello(c, CLIENT_EHLO, now);
}

static enum client_event
settle(struct client *c, uint64_t now)
{
	(void)enter(c, CLIENT_IDLE, now);
	return CLIENT_READY;
}

static enum client_event
on_ehlo(struct client *c, uint64_t now)
{
	switch (c->reply.code / 100) {
	case 2:
		break;
	case 3:
		return finish_nonsense(c);
	case 5:		/* RFC 5321 sec 3.2: an old server, perhaps */
		return send_hello(c, CLIENT_HELO, now);
	default:
		return finish_quit(c, CLIENT_END_REPLY);
	}
	ehlo_parse(&c->ehlo, buf_get(&c->reply.lines));
	/* Inside TLS there is no second STARTTLS (RFC 3207 sec 4.2).  Where the
	 * word was overwritten on the way, asking costs one refusal, and gives
	 * TLS whenever only the announcement was tampered with. */
	if (c->setup.starttls && !c->is_tls &&
	    ((c->ehlo.caps & EHLO_STARTTLS) || c->ehlo.mangled)) {
		(void)buf_str(&c->out, "STARTTLS\r\n");
		return enter(c, CLIENT_STARTTLS, now);
	}
	return settle(c, now);
}

static enum client_event
on_helo(struct client *c, uint64_t now)
{
	if (c->reply.code / 100 == 3)
		return finish_nonsense(c);
	if (c->reply.code / 100 != 2)
		return finish_quit(c, CLIENT_END_REPLY);
	c->ehlo = (struct ehlo){ .caps = 0 };
	return settle(c, now);
}

static enum client_event
on_starttls(struct client *c, uint64_t now)
{
	if (c->reply.code != 220)	/* RFC 3207 sec 4: 220, 501, 454 */
		return finish_quit(c, CLIENT_END_TLS_REFUSED);
	(void)enter(c, CLIENT_HANDSHAKE, now);
	return CLIENT_START_TLS;
}

void
client_secured(struct client *c, uint64_t now)
{
	assert(c->step == CLIENT_HANDSHAKE);
	c->is_tls = true;
	c->ehlo = (struct ehlo){ .caps = 0 };	/* RFC 3207 sec 4.2 */
	reply_reset(&c->reply);
	(void)send_hello(c, CLIENT_EHLO, now);
}

/* ---- a message ---- */

bool
client_address_ok(struct span a)
{
	size_t i;

	for (i = 0; i < a.n; i++) {
		unsigned char u = (unsigned char)a.p[i];

		/* Control bytes could end the command; 8-bit ones need
		 * SMTPUTF8 (RFC 6531), which is not spoken here. */
		if (u < 0x20 || u > 0x7e)
			return false;
	}
	return true;
}

static void
send_mail(struct client *c)
{
	(void)buf_printf(&c->out, "MAIL FROM:<%.*s>", SPAN_FMT(c->msg.sender));
	if ((c->ehlo.caps & EHLO_SIZE) && !c->msg.probe)
		(void)buf_printf(&c->out, " SIZE=%" PRIu64, c->msg.size);
	if (c->msg.flags & ENVELOPE_8BIT)
		(void)buf_str(&c->out, " BODY=8BITMIME");
	(void)buf_str(&c->out, "\r\n");
}

static void
send_rcpt(struct client *c)
{
	(void)buf_printf(&c->out, "RCPT TO:<%.*s>\r\n",
	    SPAN_FMT(c->msg.rcpts[c->nsent]));
	c->nsent++;
}

static enum client_event
judge(struct client *c, enum client_step command, size_t rcpt)
{
	c->verdict = command;
	c->rcpt = rcpt;
	return CLIENT_VERDICT;
}

/* A verdict for all, given by ourselves; no transaction is begun. */
static void
refuse(struct client *c, int code, const char *enhanced, const char *text)
{
	reply_make(&c->reply, code, enhanced, text);
	(void)judge(c, CLIENT_MAIL, CLIENT_ALL);
	c->say_verdict = c->say_done = true;
}

void
client_message(struct client *c, const struct client_message *m, uint64_t now)
{
	assert(c->step == CLIENT_IDLE && m->nrcpts > 0);
	c->msg = *m;
	c->nsent = c->nanswered = c->naccepted = 0;
	c->mail_refused = c->pipelined = c->lone_dot = false;
	if ((m->flags & ENVELOPE_8BIT) && !(c->ehlo.caps & EHLO_8BITMIME)) {
		refuse(c, 554, "5.6.3",
		    "8-bit content, and the host does not take 8BITMIME");
		return;
	}
	if (c->ehlo.size_max != 0 && m->size > c->ehlo.size_max && !m->probe) {
		refuse(c, 552, "5.3.4",
		    "message is larger than the SIZE that the host announces");
		return;
	}
	if (c->need_rset)
		(void)buf_str(&c->out, "RSET\r\n");
	(void)enter(c, c->need_rset ? CLIENT_RSET : CLIENT_MAIL, now);
	/* Without PIPELINING RSET is waited for, see on_rset(). */
	c->pipelined = (c->ehlo.caps & EHLO_PIPELINING) != 0;
	if (c->pipelined || !c->need_rset)
		send_mail(c);
	if (!c->pipelined)
		return;
	while (c->nsent < m->nrcpts)
		send_rcpt(c);
	if (!m->probe)
		(void)buf_str(&c->out, "DATA\r\n");
}

static enum client_event
message_done(struct client *c, uint64_t now)
{
	(void)enter(c, CLIENT_IDLE, now);
	return CLIENT_MESSAGE_DONE;
}

/* Something said while nothing was asked: a 421 before it closes, as a rule. */
static enum client_event
on_idle(struct client *c, uint64_t now)
{
	(void)now;
	return finish(c, CLIENT_END_REPLY);
}

static enum client_event
on_rset(struct client *c, uint64_t now)
{
	if (c->reply.code / 100 != 2)
		return finish_nonsense(c);
	c->need_rset = false;
	if (!c->pipelined)
		send_mail(c);
	return enter(c, CLIENT_MAIL, now);
}

static enum client_event
on_mail(struct client *c, uint64_t now)
{
	switch (c->reply.code / 100) {
	case 2:
		if (!c->pipelined)
			send_rcpt(c);
		return enter(c, CLIENT_RCPT, now);
	case 3:
		return finish_nonsense(c);
	}
	c->mail_refused = true;
	if (c->pipelined)
		(void)enter(c, CLIENT_RCPT, now);
	else
		c->say_done = true;
	return judge(c, CLIENT_MAIL, CLIENT_ALL);
}

/* Past a RCPT reply: the next one, DATA, or nobody is left to get it; a probe
 * has no more to ask. */
static void
after_rcpt(struct client *c, uint64_t now)
{
	if (c->nanswered < c->msg.nrcpts) {
		if (!c->pipelined)
			send_rcpt(c);
		(void)enter(c, CLIENT_RCPT, now);
	} else if (!c->msg.probe && (c->pipelined || c->naccepted > 0)) {
		if (!c->pipelined)
			(void)buf_str(&c->out, "DATA\r\n");
		(void)enter(c, CLIENT_DATA, now);
	} else {
		c->need_rset = true;	/* MAIL was accepted, and stands */
		c->say_done = true;
	}
}

static enum client_event
on_rcpt(struct client *c, uint64_t now)
{
	size_t at = c->nanswered++;

	if (c->reply.code / 100 == 3)
		return finish_nonsense(c);
	if (c->reply.code / 100 == 2)
		c->naccepted++;
	after_rcpt(c, now);
	/* Behind a refused MAIL a RCPT says nothing of its recipient. */
	if (c->mail_refused || (c->reply.code / 100 == 2 && !c->msg.probe))
		return CLIENT_WAIT;
	return judge(c, CLIENT_RCPT, at);
}

static enum client_event
on_data(struct client *c, uint64_t now)
{
	switch (c->reply.code / 100) {
	case 2:
		return finish_nonsense(c);
	case 3:
		break;
	default:
		c->need_rset = true;
		c->say_done = true;
		if (c->mail_refused || c->naccepted == 0)
			return CLIENT_WAIT;
		return judge(c, CLIENT_DATA, CLIENT_ALL);
	}
	if (c->naccepted > 0 && !c->mail_refused) {
		(void)enter(c, CLIENT_BODY, now);
		return CLIENT_SEND_BODY;
	}
	/* Somebody takes recipients behind a refused MAIL: an empty message
	 * could reach them. */
	if (c->naccepted > 0)
		return finish_nonsense(c);
	/* RFC 2920 sec 3.1: DATA was pipelined and accepted for nobody. */
	c->lone_dot = true;
	(void)buf_str(&c->out, ".\r\n");
	return enter(c, CLIENT_FINAL, now);
}

void
client_body_moved(struct client *c, uint64_t now)
{
	if (c->step == CLIENT_BODY)
		(void)enter(c, CLIENT_BODY, now);
}

void
client_body_end(struct client *c, uint64_t now)
{
	assert(c->step == CLIENT_BODY);
	(void)enter(c, CLIENT_FINAL, now);
}

/* The final dot is not sent yet: a refusal is one, but the connection is in
 * the middle of a body and of no more use; and an acceptance is of something
 * else than this message. */
static enum client_event
on_body(struct client *c, uint64_t now)
{
	(void)now;
	if (c->reply.code < 400)
		return finish_nonsense(c);
	return finish(c, CLIENT_END_REPLY);
}

static enum client_event
on_final(struct client *c, uint64_t now)
{
	if (c->reply.code / 100 == 3)
		return finish_nonsense(c);
	if (c->lone_dot)
		return message_done(c, now);
	c->say_done = true;
	return judge(c, CLIENT_FINAL, CLIENT_ALL);
}

/* ---- the one entrance for bytes ---- */

static enum client_event
next_reply(struct client *c, size_t left, uint64_t now)
{
	const struct step *st = &steps[c->step];

	if (c->reply.code == 421)	/* RFC 5321 sec 3.8, 4.2.3 */
		return finish(c, CLIENT_END_REPLY);
	/* Only who asks for TLS has something to lose by it; to a server that
	 * greets twice mail must still be possible in clear. */
	if (left > 0 && st->lockstep && c->setup.starttls && !c->is_tls &&
	    c->reply.code < 400)
		return finish(c, CLIENT_END_INJECTED);
	return st->reply(c, now);
}

static enum client_event
say(struct client *c, uint64_t now)
{
	if (c->say_verdict) {
		c->say_verdict = false;
		return CLIENT_VERDICT;
	}
	if (c->say_done) {
		c->say_done = false;
		return message_done(c, now);
	}
	if (c->say_close) {
		c->say_close = false;
		return CLIENT_CLOSE;
	}
	return CLIENT_WAIT;
}

enum client_event
client_next(struct client *c, struct span in, size_t *used, uint64_t now)
{
	enum client_event ev = say(c, now);
	size_t n;

	*used = 0;
	while (ev == CLIENT_WAIT && in.n > 0 && steps[c->step].reply != NULL) {
		if (!c->partial)
			reply_reset(&c->reply);
		switch (reply_feed(&c->reply, in, &n)) {
		case REPLY_MORE:
			c->partial = true;
			*used += n;
			return CLIENT_WAIT;
		case REPLY_BAD:
			*used += n;
			return finish(c, CLIENT_END_PROTOCOL);
		case REPLY_DONE:
			break;
		}
		c->partial = false;
		*used += n;
		in = span_skip(in, n);
		ev = next_reply(c, in.n, now);
		if (ev == CLIENT_WAIT)
			ev = say(c, now);
	}
	if (c->out.failed && c->step != CLIENT_OVER) {
		c->reply.why = "no memory";
		return finish(c, CLIENT_END_PROTOCOL);
	}
	return ev;
}

uint64_t
client_deadline(const struct client *c)
{
	return c->deadline;
}

struct buf *
client_output(struct client *c)
{
	return &c->out;
}
