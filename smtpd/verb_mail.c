/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/verb_mail.c - MAIL and RCPT: who sends what to whom, and may it. */
#include "smtpd/verbs.h"

#include <stdio.h>

#include "base/conf_table.h"
#include "smtp/params.h"

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

/* Clients of this network have to encrypt (`require` of accept.client).  530
 * only where the client can do something about it. */
static bool
too_clear(struct session *s)
{
	if (s->secured || s->rules == NULL ||
	    s->rules->require != REQUIRE_ENCRYPTED)
		return false;
	if (starttls_offered(s) && s->ops->tls_ready(s->arg))
		session_refuse(s, 530, "5.7.0",
		    "Must issue a STARTTLS command first");
	else
		session_refuse(s, 450, "4.7.0",
		    "TLS is needed and not available now");
	return true;
}

enum session_state
cmd_mail(struct session *s, struct span arg, size_t behind)
{
	struct smtp_mail_params p;
	struct smtp_address a;
	uint64_t most = s->conf->limits.message_size;

	(void)behind;
	if (too_clear(s))
		return s->state;
	if (!take_path(s, &arg, SPAN_LIT("FROM:"), true, &a) ||
	    !params_ok(s, smtp_mail_params(arg, &p)))
		return s->state;
	if (a.kind == SMTP_POSTMASTER)
		return cmd_refuse(s, 501, "5.1.7", "Address without a domain");
	if (p.size > most)
		return cmd_refuse(s, 552, "5.3.4", "Message is too large");
	s->msg.sender = a;
	s->msg.flags = p.flags;
	(void)span_copy(p.envid, s->msg.envid, sizeof s->msg.envid);
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

/* RFC 5321 sec 4.5.1: postmaster is always there. */
static bool
unlisted(const struct conf_accept *accept, const struct smtp_address *a)
{
	struct span local = span_of(a->text, a->local);

	return accept != NULL && accept->recipients == RECIPIENTS_FILE &&
	    !span_ieq(local, SPAN_LIT("postmaster")) &&
	    !conf_table_has(accept->table, local, smtp_address_domain(a));
}

/* `why` for the log, with the address. */
static enum session_state
refuse_rcpt(struct session *s, const struct smtp_address *a, const char *why,
    const char *enhanced, const char *text)
{
	char words[sizeof a->text + 32];

	(void)snprintf(words, sizeof words, "%s <%.*s>", why, (int)a->n,
	    a->text);
	s->ops->rejected(s->arg, span_str(words));
	return cmd_refuse(s, 550, enhanced, text);
}

enum session_state
cmd_rcpt(struct session *s, struct span arg, size_t behind)
{
	const struct conf_accept *accept;
	struct smtp_rcpt_params p;
	struct smtp_address a;

	(void)behind;
	if (!take_path(s, &arg, SPAN_LIT("TO:"), false, &a) ||
	    !params_ok(s, smtp_rcpt_params(arg, s->msg.flags, &p)))
		return s->state;
	if (a.kind == SMTP_NULL ||
	    (a.kind == SMTP_POSTMASTER && !place_postmaster(s, &a)))
		return cmd_refuse(s, 501, "5.1.3", "Bad address syntax");
	accept = conf_accept_for(s->conf, smtp_address_domain(&a));
	if (accept == NULL && !may_relay(s))
		return refuse_rcpt(s, &a, "relaying denied to", "5.7.1",
		    "Relaying denied");
	if (unlisted(accept, &a))
		return refuse_rcpt(s, &a, "no such recipient:", "5.1.1",
		    "No such recipient here");
	/* RFC 5321 sec 4.5.3.1.10: the client sends the rest again. This is
	 * no error of its. */
	if (s->msg.nrcpts >= s->conf->limits.recipients) {
		session_reply(s, 452, "4.5.3", "Too many recipients");
		return s->state;
	}
	if (ipc_put_rcpt(&s->msg.rcpts, &(struct ipc_rcpt){
	    .address = span_of(a.text, a.n), .notify = p.notify,
	    .orcpt = p.orcpt }) == -1) {
		/* Half a record must not stay; the transaction ends. */
		session_forget_message(s);
		session_reply(s, 451, "4.3.0", "No memory");
		return ST_READY;
	}
	s->msg.nrcpts++;
	session_reply(s, 250, "2.1.5", "Recipient ok");
	return ST_RCPT;
}
