/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/client.c - the client session: one handler per awaited reply in one
 * table, RFC 5321 sec 4.1, RFC 3207; the handlers of a transaction are in
 * client_mail.c. */
#include "smtp/client_priv.h"

#include <assert.h>

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
	[CLIENT_RSET] =		{ "RSET",	T(command),	false,	client_on_rset },
	[CLIENT_MAIL] =		{ "MAIL",	T(command),	false,	client_on_mail },
	[CLIENT_RCPT] =		{ "RCPT",	T(command),	false,	client_on_rcpt },
	[CLIENT_DATA] =		{ "DATA",	T(data_start),	false,	client_on_data },
	[CLIENT_BODY] =		{ "body",	T(data_block),	false,	client_on_body },
	[CLIENT_FINAL] =	{ "final dot",	T(data_end),	false,	client_on_final },
	[CLIENT_OVER] =		{ "over",	T_NONE,		false,	NULL },
};

const char *
client_step_name(enum client_step s)
{
	return steps[s].name;
}

enum client_event
client_enter(struct client *c, enum client_step step, uint64_t now)
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

enum client_event
client_finish(struct client *c, enum client_end end)
{
	c->end = end;
	c->at = c->step;
	c->step = CLIENT_OVER;
	c->deadline = CLIENT_NEVER;
	c->say_verdict = c->say_body = c->say_done = c->say_close = false;
	return CLIENT_CLOSE;
}

/* End in good manners, RFC 5321 sec 4.1.1.10. */
static enum client_event
client_finish_quit(struct client *c, enum client_end end)
{
	(void)buf_str(&c->out, "QUIT\r\n");
	return client_finish(c, end);
}

enum client_event
client_finish_nonsense(struct client *c)
{
	c->reply.why = "reply that makes no sense here";
	return client_finish(c, CLIENT_END_PROTOCOL);
}

void
client_quit(struct client *c)
{
	if (c->step == CLIENT_OVER)
		return;
	(void)client_finish_quit(c, CLIENT_END_QUIT);
	c->say_close = true;
}

void
client_lost(struct client *c)
{
	if (c->step != CLIENT_OVER)
		(void)client_finish(c, CLIENT_END_LOST);
}

void
client_timeout(struct client *c)
{
	if (c->step != CLIENT_OVER)
		(void)client_finish(c, CLIENT_END_TIMEOUT);
}

/* ---- setting up ---- */

void
client_init(struct client *c, const struct client_setup *setup, uint64_t now)
{
	*c = (struct client){ .setup = *setup };
	reply_init(&c->reply);
	buf_init(&c->out, OUT_MAX);
	buf_init(&c->taken, OUT_MAX);
	client_enter(c, CLIENT_GREETING, now);
}

void
client_free(struct client *c)
{
	reply_free(&c->reply);
	buf_free(&c->out);
	buf_free(&c->taken);
}

void
client_connected(struct client *c, uint64_t now)
{
	if (c->step == CLIENT_GREETING)
		(void)client_enter(c, CLIENT_GREETING, now);
}

static enum client_event
send_hello(struct client *c, enum client_step step, uint64_t now)
{
	(void)buf_printf(&c->out, "%s %s\r\n", c->setup.lmtp ? "LHLO" :
	    steps[step].name, c->setup.name);
	return client_enter(c, step, now);
}

/* RFC 5321 sec 4.2, 4.1.1.1: the first word of either reply. */
static struct span
host_word(const struct client *c)
{
	struct span lines = buf_get(&c->reply.lines);
	struct span line = span_trim(span_cut(&lines, '\n'));

	return span_cut(&line, ' ');
}

static void
agree_host(struct client *c)
{
	if (!span_ieq(host_word(c), span_str(c->host)))
		c->host[0] = '\0';
}

static enum client_event
on_greeting(struct client *c, uint64_t now)
{
	heard_greeting(&c->heard, &c->reply);
	if (c->reply.code / 100 == 3)
		return client_finish_nonsense(c);
	if (c->reply.code / 100 != 2)	/* RFC 5321 sec 3.1, RFC 7504 */
		return client_finish_quit(c, CLIENT_END_REPLY);
	if (!span_copy(host_word(c), c->host, sizeof(c->host)))
		c->host[0] = '\0';
	return send_hello(c, CLIENT_EHLO, now);
}

static enum client_event
settle(struct client *c, uint64_t now)
{
	(void)client_enter(c, CLIENT_IDLE, now);
	return CLIENT_READY;
}

static enum client_event
on_ehlo(struct client *c, uint64_t now)
{
	if (!c->is_tls)
		heard_ehlo(&c->heard, &c->reply);
	switch (c->reply.code / 100) {
	case 2:
		break;
	case 3:
		return client_finish_nonsense(c);
	case 5:
		if (c->setup.lmtp)	/* RFC 2033 sec 4.1: there is no other */
			return client_finish_quit(c, CLIENT_END_REPLY);
		/* RFC 5321 sec 3.2: an old server, perhaps */
		return send_hello(c, CLIENT_HELO, now);
	default:
		return client_finish_quit(c, CLIENT_END_REPLY);
	}
	agree_host(c);
	ehlo_parse(&c->ehlo, buf_get(&c->reply.lines));
	/* Inside TLS there is no second STARTTLS (RFC 3207 sec 4.2).  Where the
	 * word was overwritten on the way, asking costs one refusal, and gives
	 * TLS whenever only the announcement was tampered with. */
	if (c->setup.starttls && !c->is_tls &&
	    ((c->ehlo.caps & EHLO_STARTTLS) || c->ehlo.mangled)) {
		(void)buf_str(&c->out, "STARTTLS\r\n");
		return client_enter(c, CLIENT_STARTTLS, now);
	}
	return settle(c, now);
}

static enum client_event
on_helo(struct client *c, uint64_t now)
{
	if (c->reply.code / 100 == 3)
		return client_finish_nonsense(c);
	if (c->reply.code / 100 != 2)
		return client_finish_quit(c, CLIENT_END_REPLY);
	agree_host(c);
	c->ehlo = (struct ehlo){ .caps = 0 };
	c->heard.helo = !c->is_tls;
	return settle(c, now);
}

static enum client_event
on_starttls(struct client *c, uint64_t now)
{
	if (c->reply.code != 220)	/* RFC 3207 sec 4: 220, 501, 454 */
		return client_finish_quit(c, CLIENT_END_TLS_REFUSED);
	(void)client_enter(c, CLIENT_HANDSHAKE, now);
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

/* Something said while nothing was asked: a 421 before it closes, as a rule. */
static enum client_event
on_idle(struct client *c, uint64_t now)
{
	(void)now;
	return client_finish(c, CLIENT_END_REPLY);
}

/* ---- the one entrance for bytes ---- */

static enum client_event
next_reply(struct client *c, size_t left, uint64_t now)
{
	const struct step *st = &steps[c->step];

	if (c->reply.code == 421)	/* RFC 5321 sec 3.8, 4.2.3 */
		return client_finish(c, CLIENT_END_REPLY);
	/* Only who asks for TLS has something to lose by it; to a server that
	 * greets twice mail must still be possible in clear. */
	if (left > 0 && st->lockstep && c->setup.starttls && !c->is_tls &&
	    c->reply.code < 400)
		return client_finish(c, CLIENT_END_INJECTED);
	return st->reply(c, now);
}

static enum client_event
say(struct client *c, uint64_t now)
{
	if (c->say_verdict) {
		c->say_verdict = false;
		return CLIENT_VERDICT;
	}
	if (c->say_body) {
		c->say_body = false;
		return CLIENT_SEND_BODY;
	}
	if (c->say_done) {
		c->say_done = false;
		return client_message_done(c, now);
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
			return client_finish(c, CLIENT_END_PROTOCOL);
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
	if ((c->out.failed || c->taken.failed) && c->step != CLIENT_OVER) {
		c->reply.why = "no memory";
		return client_finish(c, CLIENT_END_PROTOCOL);
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
