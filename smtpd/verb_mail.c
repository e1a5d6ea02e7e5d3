/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/verb_mail.c - MAIL: who sends what; and what RCPT shares with it. */
#include "smtpd/verbs.h"

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
	[SMTP_ADDRESS_UTF8]	 = { 501, "5.1.7", "5.1.3", "Address is not UTF-8" },
};

/* RFC 6531 sec 3.5: what was asked for without the parameter is refused, as
 * nobody behind us would take it either. */
struct session_refusal
verb_utf8(const struct smtp_address *a, uint16_t flags)
{
	if (a->utf8 && !(flags & ENVELOPE_SMTPUTF8))
		return (struct session_refusal){ 553, "5.6.7",
		    "Address needs SMTPUTF8" };
	return (struct session_refusal){ .code = 0 };
}

/* "FROM:" or "TO:", then a path.  Spaces behind the colon are no part of the
 * grammar, but of many programs. */
struct session_refusal
verb_path(struct span *arg, struct span prefix, bool sender,
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
		return (struct session_refusal){ .code = 0 };
	return (struct session_refusal){ address_errors[e].code, sender ?
	    address_errors[e].sender : address_errors[e].rcpt,
	    address_errors[e].text };
}

struct session_refusal
verb_params(enum smtp_params_error e)
{
	switch (e) {
	case SMTP_PARAMS_OK:
		return (struct session_refusal){ .code = 0 };
	case SMTP_PARAMS_UNKNOWN:
		return (struct session_refusal){ 555, "5.5.4",
		    "Parameter is not known here" };
	default:
		return (struct session_refusal){ 501, "5.5.4",
		    "Bad parameter" };
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
	struct session_refusal no;
	struct smtp_address a;
	uint64_t most = s->conf->limits.message_size;

	(void)behind;
	if (too_clear(s))
		return s->state;
	no = verb_path(&arg, SPAN_LIT("FROM:"), true, &a);
	if (no.code == 0)
		no = verb_params(smtp_mail_params(arg, &p));
	if (no.code == 0)
		no = verb_utf8(&a, p.flags);
	if (no.code != 0)
		return cmd_refuse(s, no.code, no.enhanced, no.text);
	if ((p.flags & ENVELOPE_REQUIRETLS) && !s->secured)
		return cmd_refuse(s, 530, "5.7.10", "REQUIRETLS needs TLS");
	if (a.kind == SMTP_POSTMASTER)
		return cmd_refuse(s, 501, "5.1.7", "Address without a domain");
	if (p.size > most)
		return cmd_refuse(s, 552, "5.3.4", "Message is too large");
	s->msg.sender = a;
	s->msg.flags = p.flags;
	if (session_may_relay(s))
		s->msg.flags |= ENVELOPE_TRUSTED;
	(void)span_copy(p.envid, s->msg.envid, sizeof s->msg.envid);
	if (!s->met)
		s->ops->met(s->arg);
	s->met = true;
	session_reply(s, 250, "2.1.0", "Sender ok");
	return ST_MAIL;
}
