/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/commands.c - the command table and what each verb does.  Dispatch and
 * the reply to EHLO read nothing but the tables here. */
#include "smtpd/session_priv.h"

#include <stdio.h>

#include "smtp/params.h"

#define ST_TALK		(ST_FRESH | ST_READY | ST_MAIL | ST_RCPT)

#define F_NOARG		0x01	/* 501 when it has an argument */
#define F_CLEAR		0x02	/* also before TLS where that is required (RFC 3207 sec 4) */
#define F_CHATTER	0x04	/* brings no message forward: counted */
#define F_QUEUE		0x08	/* needs room on the link to the queue */
#define F_ANNOUNCED	0x10	/* the verb is an EHLO keyword too */

struct command {
	const char	*verb;
	unsigned	 states;	/* in which the verb is legal */
	unsigned	 flags;
	/* Is it there at all for this session?  NULL: always. */
	bool		(*offered)(const struct session *);
	/* The state to go to. */
	enum session_state	(*run)(struct session *, struct span arg,
				    size_t behind);
	const char	*wrong;		/* the reply's words in a wrong state */
};

/* session_refuse() may have closed the session. */
static enum session_state
refuse(struct session *s, int code, const char *enhanced, const char *text)
{
	session_refuse(s, code, enhanced, text);
	return s->state;
}

/* ---- EHLO, HELO ---- */

static enum session_state
greet(struct session *s, struct span arg, bool ehlo)
{
	struct span name;

	if (!smtp_helo(arg, &name))
		return refuse(s, 501, "5.5.4", ehlo ? "Syntax: EHLO hostname" :
		    "Syntax: HELO hostname");
	session_forget_message(s);
	span_copy(name, s->helo, sizeof s->helo);
	s->ehlo = ehlo;
	if (ehlo)
		session_announce(s);
	else
		session_reply(s, 250, "", "%s", s->conf->hostname);
	return ST_READY;
}

static enum session_state
cmd_ehlo(struct session *s, struct span arg, size_t behind)
{
	(void)behind;
	return greet(s, arg, true);
}

static enum session_state
cmd_helo(struct session *s, struct span arg, size_t behind)
{
	(void)behind;
	return greet(s, arg, false);
}

/* ---- MAIL, RCPT ---- */

static const struct {
	int		 code;
	const char	*sender, *rcpt;		/* enhanced codes, RFC 3463 */
	const char	*text;
} address_errors[] = {
	[SMTP_ADDRESS_SYNTAX]	 = { 501, "5.1.7", "5.1.3", "Bad address syntax" },
	[SMTP_ADDRESS_LOCAL_LONG] = { 501, "5.1.7", "5.1.3", "Local part is too long" },
	[SMTP_ADDRESS_LONG]	 = { 501, "5.1.7", "5.1.3", "Address is too long" },
	[SMTP_ADDRESS_DOMAIN]	 = { 501, "5.1.7", "5.1.3", "Bad domain in address" },
	[SMTP_ADDRESS_NO_DOMAIN] = { 501, "5.1.7", "5.1.3", "Address without a domain" },
	/* RFC 6531 sec 3.5 */
	[SMTP_ADDRESS_UTF8]	 = { 553, "5.6.7", "5.6.7", "SMTPUTF8 is not offered" },
};

/* "FROM:" or "TO:", then a path.  Spaces behind the colon are no part of the
 * grammar, but of many programs. */
static bool
take_path(struct session *s, struct span *arg, struct span prefix, bool sender,
    struct smtp_address *a)
{
	enum smtp_address_error e = SMTP_ADDRESS_SYNTAX;

	if (span_istarts(*arg, prefix)) {
		*arg = span_skip(*arg, prefix.n);
		while (arg->n > 0 && arg->p[0] == ' ')
			*arg = span_skip(*arg, 1);
		e = smtp_path_take(arg, a);
	}
	if (e == SMTP_ADDRESS_OK)
		return true;
	session_refuse(s, address_errors[e].code, sender ?
	    address_errors[e].sender : address_errors[e].rcpt,
	    address_errors[e].text);
	return false;
}

static bool
params_ok(struct session *s, enum smtp_params_error e)
{
	switch (e) {
	case SMTP_PARAMS_OK:
		return true;
	case SMTP_PARAMS_UNKNOWN:
		session_refuse(s, 555, "5.5.4", "Parameter is not known here");
		return false;
	default:
		session_refuse(s, 501, "5.5.4", "Bad parameter");
		return false;
	}
}

static enum session_state
cmd_mail(struct session *s, struct span arg, size_t behind)
{
	struct smtp_mail_params p;
	struct smtp_address a;
	uint64_t most = s->conf->limits.message_size;

	(void)behind;
	if (!take_path(s, &arg, SPAN_LIT("FROM:"), true, &a) ||
	    !params_ok(s, smtp_mail_params(arg, &p)))
		return s->state;
	if (a.kind == SMTP_POSTMASTER)
		return refuse(s, 501, "5.1.7", "Address without a domain");
	if (p.size > most)
		return refuse(s, 552, "5.3.4", "Message is too large");
	s->msg.sender = a;
	s->msg.body_8bit = p.body_8bit;
	if (!s->met)
		s->ops->met(s->arg);
	s->met = true;
	session_reply(s, 250, "2.1.0", "Sender ok");
	return ST_MAIL;
}

static bool
may_relay(const struct session *s)
{
	for (size_t i = 0; i < s->listen->nrelay_from; i++)
		if (prefix_has(&s->listen->relay_from[i], &s->client))
			return true;
	return false;
}

/* RFC 5321 sec 4.5.1: <Postmaster> is the one of this host. */
static bool
place_postmaster(const struct session *s, struct smtp_address *a)
{
	int n = snprintf(a->text, sizeof a->text, "postmaster@%s",
	    s->conf->hostname);

	if (n < 0 || (size_t)n >= sizeof a->text)
		return false;
	a->n = (size_t)n;
	a->local = strlen("postmaster");
	a->kind = SMTP_MAILBOX;
	for (size_t i = 0; i < a->n; i++)
		a->text[i] = ascii_lower(a->text[i]);
	return true;
}

static enum session_state
cmd_rcpt(struct session *s, struct span arg, size_t behind)
{
	struct smtp_address a;
	char why[sizeof a.text + 32];

	(void)behind;
	if (!take_path(s, &arg, SPAN_LIT("TO:"), false, &a) ||
	    !params_ok(s, smtp_rcpt_params(arg)))
		return s->state;
	if (a.kind == SMTP_NULL ||
	    (a.kind == SMTP_POSTMASTER && !place_postmaster(s, &a)))
		return refuse(s, 501, "5.1.3", "Bad address syntax");
	if (!may_relay(s) &&
	    conf_accept_for(s->conf, smtp_address_domain(&a)) == NULL) {
		(void)snprintf(why, sizeof why, "relaying denied to <%.*s>",
		    (int)a.n, a.text);
		s->ops->rejected(s->arg, span_str(why));
		return refuse(s, 550, "5.7.1", "Relaying denied");
	}
	/* RFC 5321 sec 4.5.3.1.10: the client sends the rest again. This is
	 * no error of its. */
	if (s->msg.nrcpts >= s->conf->limits.recipients) {
		session_reply(s, 452, "4.5.3", "Too many recipients");
		return s->state;
	}
	if (buf_char(&s->msg.rcpts, (char)a.n) == -1 ||
	    buf_add(&s->msg.rcpts, a.text, a.n) == -1) {
		/* Half a record must not stay; the transaction ends. */
		session_forget_message(s);
		session_reply(s, 451, "4.3.0", "No memory");
		return ST_READY;
	}
	s->msg.nrcpts++;
	session_reply(s, 250, "2.1.5", "Recipient ok");
	return ST_RCPT;
}

/* ---- the rest ---- */

static enum session_state
cmd_data(struct session *s, struct span arg, size_t behind)
{
	(void)arg, (void)behind;
	return body_begin(s);
}

static enum session_state
cmd_rset(struct session *s, struct span arg, size_t behind)
{
	(void)arg, (void)behind;
	session_forget_message(s);
	session_reply(s, 250, "2.0.0", "Ok");
	return s->state == ST_FRESH ? ST_FRESH : ST_READY;
}

static enum session_state
cmd_noop(struct session *s, struct span arg, size_t behind)
{
	(void)arg, (void)behind;
	session_reply(s, 250, "2.0.0", "Ok");
	return s->state;
}

/* RFC 5321 sec 3.5.3: neither yes nor no, so that nobody can harvest. */
static enum session_state
cmd_vrfy(struct session *s, struct span arg, size_t behind)
{
	(void)behind;
	if (span_trim(arg).n == 0)
		return refuse(s, 501, "5.5.4", "Syntax: VRFY address");
	session_reply(s, 252, "2.5.2", "Send some mail, it will be tried");
	return s->state;
}

static enum session_state
cmd_quit(struct session *s, struct span arg, size_t behind)
{
	(void)arg, (void)behind;
	session_reply(s, 221, "2.0.0", "Bye");
	session_forget_message(s);
	return ST_CLOSED;
}

static bool
starttls_offered(const struct session *s)
{
	return s->listen->tls != LISTEN_NONE && !s->secured;
}

static enum session_state
cmd_starttls(struct session *s, struct span arg, size_t behind)
{
	(void)arg;
	if (s->secured)
		return refuse(s, 503, "5.5.1", "TLS is already active");
	if (!starttls_offered(s))
		return refuse(s, 502, "5.5.1", "Not implemented");
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

/* A browser, made to speak to port 25 by a web page, must not get as far as
 * its request body, where commands would be. */
static enum session_state
cmd_foreign(struct session *s, struct span arg, size_t behind)
{
	(void)arg, (void)behind;
	session_abuse(s, 500, "5.5.2", "This is an SMTP server",
	    "foreign-protocol");
	return ST_CLOSED;
}

static const struct command commands[] = {
	{ "CONNECT", ST_TALK, F_CLEAR, NULL, cmd_foreign, "" },
	{ "DATA", ST_RCPT, F_NOARG | F_QUEUE, NULL, cmd_data,
	    "RCPT first" },					/* RFC 5321 sec 4.1.1.4 */
	{ "EHLO", ST_TALK, F_CLEAR | F_CHATTER, NULL, cmd_ehlo, "" }, /* RFC 5321 sec 4.1.1.1 */
	{ "GET", ST_TALK, F_CLEAR, NULL, cmd_foreign, "" },
	{ "HELO", ST_TALK, F_CHATTER, NULL, cmd_helo, "" },	/* RFC 5321 sec 4.1.1.1 */
	{ "MAIL", ST_READY, 0, NULL, cmd_mail,
	    "A transaction is open" },				/* RFC 5321 sec 4.1.1.2 */
	{ "NOOP", ST_TALK, F_CLEAR | F_CHATTER, NULL, cmd_noop, "" }, /* RFC 5321 sec 4.1.1.9 */
	{ "POST", ST_TALK, F_CLEAR, NULL, cmd_foreign, "" },
	{ "QUIT", ST_TALK, F_NOARG | F_CLEAR, NULL, cmd_quit, "" }, /* RFC 5321 sec 4.1.1.10 */
	{ "RCPT", ST_MAIL | ST_RCPT, 0, NULL, cmd_rcpt,
	    "MAIL first" },					/* RFC 5321 sec 4.1.1.3 */
	{ "RSET", ST_TALK, F_NOARG | F_CHATTER, NULL, cmd_rset, "" }, /* RFC 5321 sec 4.1.1.5 */
	{ "STARTTLS", ST_READY, F_NOARG | F_CLEAR | F_ANNOUNCED | F_CHATTER,
	    starttls_offered, cmd_starttls, "Not now" },		/* RFC 3207 sec 4 */
	{ "VRFY", ST_TALK, F_CHATTER, NULL, cmd_vrfy, "" },	/* RFC 5321 sec 4.1.1.6 */
};

/* EHLO keywords that are no verbs. */
static uint64_t
size_limit(const struct session *s)
{
	return s->conf->limits.message_size;
}

static const struct {
	const char	*keyword;
	uint64_t	(*value)(const struct session *);	/* NULL: none */
} extensions[] = {
	{ "PIPELINING", NULL },			/* RFC 2920 */
	{ "SIZE", size_limit },			/* RFC 1870 */
	{ "8BITMIME", NULL },			/* RFC 6152 */
	{ "ENHANCEDSTATUSCODES", NULL },	/* RFC 2034 */
};

#define NCOMMANDS	(sizeof commands / sizeof commands[0])
#define NEXTENSIONS	(sizeof extensions / sizeof extensions[0])

void
session_announce(struct session *s)
{
	buf_printf(&s->out, "250-%s\r\n", s->conf->hostname);
	for (size_t i = 0; i < NCOMMANDS; i++)
		if ((commands[i].flags & F_ANNOUNCED) &&
		    commands[i].offered(s))
			buf_printf(&s->out, "250-%s\r\n", commands[i].verb);
	for (size_t i = 0; i < NEXTENSIONS; i++) {
		buf_printf(&s->out, "250%c%s", i + 1 < NEXTENSIONS ? '-' : ' ',
		    extensions[i].keyword);
		if (extensions[i].value != NULL)
			buf_printf(&s->out, " %llu", (unsigned long long)
			    extensions[i].value(s));
		buf_str(&s->out, "\r\n");
	}
}

/* ---- dispatch ---- */

static const struct command *
command_find(struct span verb)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (span_ieq(verb, span_str(commands[i].verb)))
			return &commands[i];
	return NULL;
}

static bool
too_chatty(struct session *s, const struct command *c)
{
	return (c->flags & F_CHATTER) && ++s->chatter > SESSION_CHATTER_MAX;
}

bool
session_command(struct session *s, struct span line, size_t behind)
{
	struct span arg = span_trim(line), verb = span_cut(&arg, ' ');
	const struct command *c = command_find(verb);

	if (c == NULL) {
		session_refuse(s, 500, "5.5.1", "Command is not known");
	} else if (s->listen->tls == LISTEN_REQUIRED && !s->secured &&
	    !(c->flags & F_CLEAR)) {
		session_refuse(s, 530, "5.7.0",
		    "Must issue a STARTTLS command first");
	} else if (!(s->state & c->states)) {
		session_refuse(s, 503, "5.5.1", s->state == ST_FRESH ?
		    "EHLO first" : c->wrong);
	} else if ((c->flags & F_NOARG) && span_trim(arg).n > 0) {
		session_refuse(s, 501, "5.5.4", "No argument is allowed");
	} else if (too_chatty(s, c)) {
		session_abuse(s, 421, "4.7.0", "Too many commands",
		    "too-many-commands");
	} else if ((c->flags & F_QUEUE) &&
	    s->ops->room(s->arg) == ROOM_LATER) {
		s->waiting = true;
		return false;
	} else {
		s->state = c->run(s, span_trim(arg), behind);
	}
	return true;
}

void
session_too_long(struct session *s)
{
	session_refuse(s, 500, "5.5.2", "Line is too long");
}
