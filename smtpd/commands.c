/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/commands.c - the command table.  Dispatch and the reply to EHLO read
 * nothing but the tables here; what a verb does is in verb_*.c. */
#include "smtpd/verbs.h"

#define ST_TALK		(ST_FRESH | ST_READY | ST_MAIL | ST_RCPT | ST_BDAT)

#define F_NOARG		0x01	/* 501 when it has an argument */
#define F_CLEAR		0x02	/* also before TLS where that is required (RFC 3207 sec 4) */
#define F_CHATTER	0x04	/* brings no message forward: counted */
#define F_QUEUE		0x08	/* needs room on the link to the queue */
#define F_OCTETS	0x10	/* octets follow, also when it is refused */
#define F_HIDDEN	0x20	/* no command of ours: not in HELP */
#define F_ASKS		0x40	/* its reply may have to wait for the next hop's */

static const struct command commands[] = {
	{ "BDAT", ST_RCPT | ST_BDAT, F_QUEUE | F_OCTETS, NULL, cmd_bdat,
	    "RCPT first" },					/* RFC 3030 sec 2 */
	{ "CONNECT", ST_TALK, F_CLEAR | F_HIDDEN, NULL, cmd_foreign, "" },
	{ "DATA", ST_RCPT, F_NOARG | F_QUEUE, NULL, cmd_data,
	    "RCPT first" },					/* RFC 5321 sec 4.1.1.4 */
	{ "EHLO", ST_TALK, F_CLEAR | F_CHATTER, NULL, cmd_ehlo, "" }, /* RFC 5321 sec 4.1.1.1 */
	{ "EXPN", ST_TALK, F_CHATTER | F_HIDDEN, NULL, cmd_expn, "" }, /* RFC 5321 sec 4.1.1.7 */
	{ "GET", ST_TALK, F_CLEAR | F_HIDDEN, NULL, cmd_foreign, "" },
	{ "HELO", ST_TALK, F_CHATTER, NULL, cmd_helo, "" },	/* RFC 5321 sec 4.1.1.1 */
	{ "HELP", ST_TALK, F_CLEAR | F_CHATTER, NULL, cmd_help, "" }, /* RFC 5321 sec 4.1.1.8 */
	{ "MAIL", ST_READY, 0, NULL, cmd_mail,
	    "A transaction is open" },				/* RFC 5321 sec 4.1.1.2 */
	{ "NOOP", ST_TALK, F_CLEAR | F_CHATTER, NULL, cmd_noop, "" }, /* RFC 5321 sec 4.1.1.9 */
	{ "POST", ST_TALK, F_CLEAR | F_HIDDEN, NULL, cmd_foreign, "" },
	{ "QUIT", ST_TALK, F_NOARG | F_CLEAR, NULL, cmd_quit, "" }, /* RFC 5321 sec 4.1.1.10 */
	{ "RCPT", ST_MAIL | ST_RCPT, F_ASKS, NULL, cmd_rcpt,
	    "MAIL first" },					/* RFC 5321 sec 4.1.1.3 */
	{ "RSET", ST_TALK, F_NOARG | F_CHATTER, NULL, cmd_rset, "" }, /* RFC 5321 sec 4.1.1.5 */
	{ "STARTTLS", ST_READY, F_NOARG | F_CLEAR | F_CHATTER,
	    starttls_offered, cmd_starttls, "Not now" },		/* RFC 3207 sec 4 */
	{ "VRFY", ST_TALK, F_CHATTER, NULL, cmd_vrfy, "" },	/* RFC 5321 sec 4.1.1.6 */
	{ "XFORWARD", ST_READY, F_CHATTER, xforward_offered, cmd_xforward,
	    "Not now" },					/* smtp/xforward.h */
};

/* ---- EHLO's reply ---- */

static uint64_t
size_limit(const struct session *s)
{
	return s->conf->limits.message_size;
}

static uint64_t
rcpt_limit(const struct session *s)
{
	return s->conf->limits.recipients;
}

static bool
is_secured(const struct session *s)
{
	return s->secured;
}

static const struct {
	const char	*keyword;
	uint64_t	(*value)(const struct session *);	/* NULL: none */
	bool		(*offered)(const struct session *);	/* NULL: always */
} extensions[] = {
	{ "STARTTLS", NULL, starttls_offered },		/* RFC 3207 */
	{ "XFORWARD " SMTP_XFORWARD_WORDS, NULL, xforward_offered },
	{ "PIPELINING", NULL, NULL },			/* RFC 2920 */
	{ "SIZE ", size_limit, NULL },			/* RFC 1870 */
	{ "8BITMIME", NULL, NULL },			/* RFC 6152 */
	{ "CHUNKING", NULL, NULL },			/* RFC 3030 */
	{ "DSN", NULL, NULL },				/* RFC 3461 */
	{ "SMTPUTF8", NULL, NULL },			/* RFC 6531 */
	{ "REQUIRETLS", NULL, is_secured },		/* RFC 8689 sec 2 */
	/* RFC 9422; docs/decisions/0006-limits.md says why no more of it */
	{ "LIMITS RCPTMAX=", rcpt_limit, NULL },
	{ "ENHANCEDSTATUSCODES", NULL, NULL },		/* RFC 2034; last, so always */
};

#define NCOMMANDS	(sizeof commands / sizeof commands[0])
#define NEXTENSIONS	(sizeof extensions / sizeof extensions[0])

void
session_announce(struct session *s)
{
	buf_printf(&s->out, "250-%s\r\n", s->listen->greeting_name);
	for (size_t i = 0; i < NEXTENSIONS; i++) {
		if (extensions[i].offered != NULL &&
		    !extensions[i].offered(s))
			continue;
		buf_printf(&s->out, "250%c%s", i + 1 < NEXTENSIONS ? '-' : ' ',
		    extensions[i].keyword);
		if (extensions[i].value != NULL)
			buf_printf(&s->out, "%llu", (unsigned long long)
			    extensions[i].value(s));
		buf_str(&s->out, "\r\n");
	}
}

void
session_help(struct session *s)
{
	buf_str(&s->out, "214 2.0.0 Commands:");
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (!(commands[i].flags & F_HIDDEN) &&
		    (commands[i].offered == NULL || commands[i].offered(s)))
			buf_printf(&s->out, " %s", commands[i].verb);
	buf_str(&s->out, "\r\n");
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

static struct session_refusal
why_not(const struct session *s, const struct command *c, struct span arg)
{
	if (c == NULL)
		return (struct session_refusal){ 500, "5.5.1",
		    "Command is not known" };
	if (s->listen->tls == LISTEN_REQUIRED && !s->secured &&
	    !(c->flags & F_CLEAR))
		return (struct session_refusal){ 530, "5.7.0",
		    "Must issue a STARTTLS command first" };
	if (!(s->state & c->states))
		return (struct session_refusal){ 503, "5.5.1",
		    s->state == ST_FRESH ? "EHLO first" :
		    s->state == ST_BDAT ? "BDAT or RSET first" : c->wrong };
	if ((c->flags & F_NOARG) && arg.n > 0)
		return (struct session_refusal){ 501, "5.5.4",
		    "No argument is allowed" };
	return (struct session_refusal){ .code = 0 };
}

bool
session_command(struct session *s, struct span line, size_t behind)
{
	struct span arg = span_trim(line), verb = span_cut(&arg, ' ');
	const struct command *c = command_find(verb);
	struct session_refusal no;

	arg = span_trim(arg);
	if (c != NULL && (c->flags & F_ASKS) ? session_rcpt_waits(s, arg) :
	    s->nasks > 0) {
		s->waiting = true;
		return false;
	}
	if (c == NULL && !s->ops->count(s->arg, COUNT_UNKNOWN)) {
		session_enough(s);
		return true;
	}
	no = why_not(s, c, arg);
	if (no.code != 0 && c != NULL && (c->flags & F_OCTETS)) {
		s->state = chunk_refuse(s, arg, no);
	} else if (no.code != 0) {
		session_refuse(s, no.code, no.enhanced, no.text);
	} else if ((c->flags & F_QUEUE) &&
	    s->ops->room(s->arg) == ROOM_LATER) {
		s->waiting = true;
		return false;
	} else if (!(c->flags & F_CHATTER) || !session_too_chatty(s)) {
		s->state = c->run(s, arg, behind);
	}
	return true;
}

void
session_too_long(struct session *s)
{
	session_refuse(s, 500, "5.5.2", "Line is too long");
}

enum session_state
cmd_refuse(struct session *s, int code, const char *enhanced, const char *text)
{
	session_refuse(s, code, enhanced, text);
	return s->state;
}
