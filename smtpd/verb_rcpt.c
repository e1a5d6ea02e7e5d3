/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/verb_rcpt.c - RCPT: who may be sent to, and who exists.
 *
 * Where the next hop has to be asked, the reply waits; RCPTs behind it in the
 * pipeline are asked for meanwhile, everything else waits with it, so that
 * replies keep their order (RFC 2920 sec 3.2). */
#include "smtpd/verbs.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/conf_table.h"
#include "smtp/params.h"

/* ---- what is asked for ---- */

struct wanted {
	struct smtp_address	 to;
	struct smtp_rcpt_params	 params;
	const struct conf_accept *accept;	/* NULL: no domain of ours */
	bool			 postmaster;	/* of this relay: for anyone */
};

static bool
is_postmaster(const struct smtp_address *a)
{
	/* Local parts are not told apart by case where this one is. */
	return a->kind == SMTP_POSTMASTER || (a->kind == SMTP_MAILBOX &&
	    span_ieq(span_of(a->text, a->local), SPAN_LIT("postmaster")));
}

static bool
address_set(struct smtp_address *a, const char *front, const char *rest)
{
	char path[SMTP_MAILBOX_MAX + 3];
	int n = snprintf(path, sizeof path, "<%s%s>", front, rest);
	struct span in = span_of(path, (size_t)n);

	return n > 0 && (size_t)n < sizeof path &&
	    smtp_path_take(&in, a) == SMTP_ADDRESS_OK;
}

/* RFC 5321 sec 4.5.1: <Postmaster> is the one of this host, and so is the one at
 * its name, unless that is a domain like others. */
static bool
place_postmaster(const struct session *s, struct wanted *w)
{
	const char *host = s->conf->hostname, *to = s->conf->postmaster;

	if (!is_postmaster(&w->to) || (w->to.kind == SMTP_MAILBOX &&
	    (!span_ieq(smtp_address_domain(&w->to), span_str(host)) ||
	    conf_accept_for(s->conf, span_str(host)) != NULL)))
		return true;
	w->postmaster = to[0] != '\0';
	return w->postmaster ? address_set(&w->to, "", to) :
	    address_set(&w->to, "postmaster@", host);
}

static struct session_refusal
wanted_read(const struct session *s, struct span arg, struct wanted *w)
{
	struct session_refusal no = verb_path(&arg, SPAN_LIT("TO:"), false,
	    &w->to);

	if (no.code == 0)
		no = verb_utf8(&w->to, s->msg.flags);
	if (no.code == 0)
		no = verb_params(smtp_rcpt_params(arg, s->msg.flags,
		    &w->params));
	if (no.code != 0)
		return no;
	w->postmaster = false;
	if (w->to.kind == SMTP_NULL || !place_postmaster(s, w))
		return (struct session_refusal){ 501, "5.1.3",
		    "Bad address syntax" };
	w->accept = conf_accept_for(s->conf, smtp_address_domain(&w->to));
	return no;
}

/* A local part that says where to go on: user%other@here, other!user@here,
 * "user@other"@here.  We would only pass it on, but the next hop may follow it
 * for us whom it trusts, and nobody who may not relay here shall do so there.
 * Where the operator lists such an address it is one. */
static bool
routes_on(const struct wanted *w)
{
	for (size_t i = 0; i < w->to.local; i++)
		if (strchr("%!@", w->to.text[i]) != NULL)
			return w->accept->recipients != RECIPIENTS_FILE;
	return false;
}

/* ---- who exists ---- */

static enum conf_recipients
known_by(const struct wanted *w)
{
	/* RFC 5321 sec 4.5.1: postmaster is always there. */
	if (w->accept == NULL || w->postmaster || is_postmaster(&w->to))
		return RECIPIENTS_ANY;
	/* Where all is thrown away, everybody exists. */
	if (w->accept->recipients == RECIPIENTS_VERIFY &&
	    w->accept->to.kind == HOP_DISCARD)
		return RECIPIENTS_ANY;
	return w->accept->recipients;
}

static bool
unlisted(const struct wanted *w)
{
	return known_by(w) == RECIPIENTS_FILE &&
	    !conf_table_has(w->accept->table,
	    span_of(w->to.text, w->to.local), smtp_address_domain(&w->to));
}

static bool
asked(const struct session *s, struct span arg)
{
	struct wanted w;

	return (s->state & (ST_MAIL | ST_RCPT)) &&
	    wanted_read(s, arg, &w).code == 0 &&
	    known_by(&w) == RECIPIENTS_VERIFY &&
	    (!routes_on(&w) || session_may_relay(s)) &&
	    s->msg.nrcpts + s->nasks < s->conf->limits.recipients;
}

bool
session_rcpt_waits(const struct session *s, struct span arg)
{
	if (!asked(s, arg))
		return s->nasks > 0;
	return s->nasks >= SESSION_ASKS_MAX ||
	    s->ops->room(s->arg) == ROOM_LATER;
}

/* ---- replies ---- */

/* `why` for the log, with the address. */
static enum session_state
refuse_rcpt(struct session *s, struct span address, const char *why,
    const char *enhanced, const char *text)
{
	char words[SMTP_MAILBOX_MAX + 64];

	(void)snprintf(words, sizeof words, "%s <%.*s>", why,
	    SPAN_FMT(address));
	s->ops->rejected(s->arg, span_str(words));
	return cmd_refuse(s, 550, enhanced, text);
}

/* One more recipient, as ipc_put_rcpt() wrote it. */
static enum session_state
take_rcpt(struct session *s, struct span record)
{
	/* RFC 5321 sec 4.5.3.1.10: the client sends the rest again. */
	if (buf_span(&s->msg.rcpts, record) == -1) {
		session_reply(s, 452, "4.5.3", "Too many recipients");
		return s->state;
	}
	s->msg.nrcpts++;
	session_reply(s, 250, "2.1.5", "Recipient ok");
	return ST_RCPT;
}

/* The next hop has said no; what it says of itself is not for others. */
static enum session_state
refuse_unknown(struct session *s, struct span address, const char *dsn)
{
	if (dsn[0] != '5' || strcmp(dsn, "5.0.0") == 0)
		dsn = "5.1.1";
	if (strcmp(dsn, "5.7.30") == 0)
		return refuse_rcpt(s, address, "no way with REQUIRETLS to",
		    dsn, "REQUIRETLS cannot be kept on the way there");
	if (strncmp(dsn, "5.1.", 4) == 0 || strcmp(dsn, "5.2.1") == 0)
		return refuse_rcpt(s, address, "no such recipient:", dsn,
		    "No such recipient here");
	return refuse_rcpt(s, address, "refused by the next hop:", dsn,
	    "The mail host of this recipient refuses it");
}

static enum session_state
settle(struct session *s, const struct session_ask *a)
{
	struct span record = span_of(a->record, a->n), rest = record;
	struct ipc_rcpt r = { .address = SPAN_NONE };

	if (a->code == 250)
		return take_rcpt(s, record);
	(void)ipc_get_rcpt(&rest, &r);
	if (a->code == 550)
		return refuse_unknown(s, r.address, a->dsn);
	/* No error of the client's. */
	session_reply(s, 451, a->dsn[0] == '4' ? a->dsn : "4.4.1", "%s",
	    a->text != NULL ? a->text :
	    "Recipient cannot be verified now, try again later");
	return s->state;
}

static void
settle_first(struct session *s)
{
	struct session_ask *a;

	while ((a = STAILQ_FIRST(&s->asks)) != NULL && a->code != 0) {
		/* Out first: too many errors forget them all. */
		STAILQ_REMOVE_HEAD(&s->asks, next);
		s->nasks--;
		s->state = settle(s, a);
		free(a);
		s->progress++;
	}
}

void
session_verified(struct session *s, uint64_t number, int code, struct span dsn)
{
	struct session_ask *a;

	STAILQ_FOREACH(a, &s->asks, next) {
		if (a->number != number || a->code != 0)
			continue;
		a->code = code == 250 || code == 550 ? code : 451;
		(void)span_copy(dsn, a->dsn, sizeof a->dsn);
		break;
	}
	settle_first(s);
	session_flush(s);
}

void
session_unverified(struct session *s)
{
	struct session_ask *a;

	STAILQ_FOREACH(a, &s->asks, next)
		if (a->code == 0) {
			a->code = 451;
			(void)span_copy(SPAN_LIT("4.3.0"), a->dsn,
			    sizeof a->dsn);
		}
	settle_first(s);
	session_flush(s);
}

void
session_forget_asks(struct session *s)
{
	struct session_ask *a;

	while ((a = STAILQ_FIRST(&s->asks)) != NULL) {
		STAILQ_REMOVE_HEAD(&s->asks, next);
		free(a);
	}
	s->nasks = 0;
}

/* ---- the verb ---- */

static const char crowd[] =
    "Too many recipients from your network, try again later";

static enum session_state
ask(struct session *s, const struct wanted *w, struct span record, bool crowded)
{
	struct session_ask *a = calloc(1, sizeof *a + record.n);

	if (a == NULL) {
		session_reply(s, 451, "4.3.0", "No memory");
		return s->state;
	}
	memcpy(a->record, record.p, record.n);
	a->n = record.n;
	STAILQ_INSERT_TAIL(&s->asks, a, next);
	s->nasks++;
	if (!crowded)
		a->number = s->ops->verify(s->arg, span_of(w->to.text,
		    w->to.n), envelope_tls_wish(s->msg.flags,
		    s->msg.sender.kind == SMTP_NULL));
	if (a->number == 0) {
		a->code = 451;
		(void)span_copy(span_str(crowded ? "4.7.1" : "4.3.0"), a->dsn,
		    sizeof a->dsn);
		a->text = crowded ? crowd : NULL;
		settle_first(s);
	}
	return s->state;
}

enum session_state
cmd_rcpt(struct session *s, struct span arg, size_t behind)
{
	struct wanted w;
	struct session_refusal no = wanted_read(s, arg, &w);
	struct span address = span_of(w.to.text, w.to.n);
	enum session_state to;
	struct buf record;
	bool crowded = !s->ops->count(s->arg, COUNT_RECIPIENT);

	(void)behind;
	if (no.code != 0)
		return cmd_refuse(s, no.code, no.enhanced, no.text);
	if (!w.postmaster && (w.accept == NULL || routes_on(&w)) &&
	    !session_may_relay(s))
		return refuse_rcpt(s, address, "relaying denied to", "5.7.1",
		    "Relaying denied");
	if (unlisted(&w))
		return refuse_rcpt(s, address, "no such recipient:", "5.1.1",
		    "No such recipient here");
	/* RFC 5321 sec 4.5.3.1.10: the client sends the rest again. This is
	 * no error of its. */
	if (s->msg.nrcpts >= s->conf->limits.recipients) {
		session_reply(s, 452, "4.5.3", "Too many recipients");
		return s->state;
	}
	buf_init(&record, SESSION_RCPT_MAX);
	(void)ipc_put_rcpt(&record, &(struct ipc_rcpt){ .address = address,
	    .notify = w.params.notify, .orcpt = w.params.orcpt });
	if (record.failed) {
		session_reply(s, 451, "4.3.0", "No memory");
		to = s->state;
	} else if (known_by(&w) == RECIPIENTS_VERIFY) {
		to = ask(s, &w, buf_get(&record), crowded);
	} else if (crowded) {
		session_reply(s, 451, "4.7.1", "%s", crowd);
		to = s->state;
	} else {
		to = take_rcpt(s, buf_get(&record));
	}
	buf_free(&record);
	return to;
}
