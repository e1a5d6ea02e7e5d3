/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/courier_ends.c - what became of a connection: it came up, and is good
 * enough for the job or not; or it ended, and what that says. */
#include "relay/courier_priv.h"

#include <stdio.h>

#include "relay/record.h"

static const struct outcome_rule tls_rule = {
	OUTCOME_DEFERRED, true, false, false, "4.7.5",
};
/* RFC 8689 sec 4.2.1: the next host, and when there is none, back. */
static const struct outcome_rule required_rule = {
	OUTCOME_FAILED, true, false, false, "5.7.30",
};
static const struct outcome_rule self_rule = {
	OUTCOME_FAILED, false, false, false, "5.4.6",
};

static const char *
tls_dsn(enum ladder_trouble t)
{
	switch (t) {
	case LADDER_NOT_OFFERED:
		return "4.7.4";		/* RFC 3463 sec 3.8: not supported */
	case LADDER_INJECTED:
		return "4.7.7";		/* integrity */
	default:
		return "4.7.5";		/* cryptographic failure */
	}
}

/* ---- set up ---- */

static bool
must_prove(const struct job *j)
{
	return envelope_tls_wish(j->flags, j->sender.n == 0 && !j->probe) ==
	    TLS_WISH_REQUIRED;
}

static void
refuse_level(struct courier *c, struct job *j, struct session *s,
    enum ladder_trouble t)
{
	struct hop h = courier_hop(s);
	char peer[sizeof(h.mx) + sizeof(h.addr) + 3], text[REPLY_LINE_SIZE];

	courier_peer_text(&h, peer, sizeof(peer));
	if (t == LADDER_TOO_WEAK)
		(void)snprintf(text, sizeof(text), "%s: TLS without the "
		    "authentication that is asked (%s): %s", peer,
		    level_name(s->hop.asked), s->fault.text);
	else if (s->hop.asked > LEVEL_CLEAR)
		(void)snprintf(text, sizeof(text), "%s: STARTTLS is not "
		    "offered, but TLS is asked (%s, by %s)", peer,
		    level_name(s->hop.asked), why_name(s->hop.why));
	else
		(void)snprintf(text, sizeof(text), "%s: STARTTLS is not "
		    "offered, and TLS failed at another host; clear text waits "
		    "for the next attempt", peer);
	if (must_prove(j))
		courier_note(j, &h, &required_rule, required_rule.dsn, text,
		    true);
	else
		courier_note(j, &h, &tls_rule, tls_dsn(t), text, true);
	if (t == LADDER_NOT_OFFERED)
		s->finding = FINDING_STRIPPED;
	if (s->finding != FINDING_NONE)
		c->setup.ops->lost(c->setup.arg, j, s, s->finding, text);
	courier_detach(s);
	c->nsessions--;
	session_quit(&s);
	courier_advance(c, j, t);
}

/* What a resumed session shows is what was seen at another time, and that time
 * may be over: the certificate has expired since, say. */
static void
begin_afresh(struct courier *c, struct job *j, struct session *s)
{
	record_stale_session(j, s, s->fault.text);
	courier_detach(s);
	c->nsessions--;
	session_quit(&s);
	courier_advance(c, j, LADDER_STALE);
}

/* RFC 5321 sec 6.3: a way back to us that MX records and addresses did not show,
 * through a translated address, say.  One that the operator wrote leads to
 * another program here, which has our name. */
static bool
is_self(const struct courier *c, const struct job *j, const struct session *s)
{
	return j->route.found && strchr(s->client.host, '.') != NULL &&
	    conf_own_name(c->setup.conf, span_str(s->client.host));
}

static void
refuse_self(struct courier *c, struct job *j, struct session *s)
{
	struct hop h = courier_hop(s);
	char peer[sizeof(h.mx) + sizeof(h.addr) + 3], text[REPLY_LINE_SIZE];

	courier_peer_text(&h, peer, sizeof(peer));
	(void)snprintf(text, sizeof(text), "%s: it has our own name %s, so mail "
	    "loops back to this host", peer, s->client.host);
	courier_note(j, &h, &self_rule, self_rule.dsn, text, false);
	courier_detach(s);
	c->nsessions--;
	session_quit(&s);
	ladder_stop(&j->ladder);
	courier_next(c, j);
}

void
courier_on_ready(struct session *s)
{
	struct courier *c = s->courier;
	struct job *j = s->job;
	bool proven = true;

	if (is_self(c, j, s)) {
		refuse_self(c, j, s);
		return;
	}
	s->poolable = true;
	if (s->client.is_tls) {
		j->tls_worked = true;
		s->level = LEVEL_ENCRYPTED;
		s->hop.how = HOW_OPPORTUNISTIC;
		proven = c->setup.ops->authenticate(c->setup.arg, s,
		    &j->route, &j->route.hosts[j->step.host]);
		if (!proven && s->hop.tls.resumed) {
			begin_afresh(c, j, s);
			return;
		}
	} else if (s->hop.local) {
		s->level = LEVEL_CLEAR;
	} else if (j->step.mode == LADDER_CLEAR) {
		/* Good for jobs alone that have TLS trouble behind them. */
		s->poolable = false;
		s->level = LEVEL_CLEAR;
		s->hop.how = j->step.how;
	} else if (ladder_clear_now(&j->ladder, s->hop.asked)) {
		s->level = LEVEL_CLEAR;
		s->hop.how = HOW_NOT_OFFERED;
	} else {
		refuse_level(c, j, s, LADDER_NOT_OFFERED);
		return;
	}
	s->hop.reached = s->level;
	c->setup.ops->session(c->setup.arg, j, s);
	if (!proven || s->level < s->hop.asked) {
		refuse_level(c, j, s, LADDER_TOO_WEAK);
		return;
	}
	j->trouble = false;
	job_again(j);
	courier_send(c, j, s);
}

/* ---- ends ---- */

/* What an end says of TLS there. */
static enum ladder_trouble
trouble_of(const struct session *s)
{
	const struct client *cl = &s->client;
	bool mangled = cl->ehlo.mangled && !(cl->ehlo.caps & EHLO_STARTTLS);

	if (cl->end == CLIENT_END_INJECTED)
		return LADDER_INJECTED;
	if (cl->at == CLIENT_STARTTLS) {
		if (mangled)
			return LADDER_MANGLED;
		return cl->end == CLIENT_END_TLS_REFUSED ||
		    cl->end == CLIENT_END_REPLY ? LADDER_REFUSED : LADDER_FAILED;
	}
	if (cl->at == CLIENT_HANDSHAKE)
		return s->resuming ? LADDER_STALE : LADDER_FAILED;
	/* In TLS 1.3 the client is done first; that the server is not content
	 * shows only where the reply to EHLO should come (RFC 8446 sec 4.4.4). */
	if (cl->is_tls && cl->end != CLIENT_END_REPLY &&
	    (cl->at == CLIENT_EHLO || cl->at == CLIENT_HELO))
		return s->resuming ? LADDER_STALE : LADDER_UNSURE;
	return LADDER_NO_HOST;
}

/* A connection from the pool that had died meanwhile says nothing of the host:
 * no reply of this transaction came. */
static bool
died_idle(const struct session *s)
{
	const struct client *cl = &s->client;

	return s->nmessages > 1 &&
	    (cl->at == CLIENT_RSET || cl->at == CLIENT_MAIL ||
	    cl->at == CLIENT_IDLE) &&
	    (cl->end == CLIENT_END_LOST ||
	    (cl->end == CLIENT_END_REPLY && cl->reply.code == 421));
}

static void
describe(const struct session *s, const struct hop *h, char *out, size_t size)
{
	const struct client *cl = &s->client;
	char peer[sizeof(h->mx) + sizeof(h->addr) + 3], line[REPLY_LINE_SIZE];
	const char *detail = s->fault.text;

	courier_peer_text(h, peer, sizeof(peer));
	if (s->connecting) {
		(void)snprintf(out, size, "%s: %s", peer, detail[0] != '\0' ?
		    detail : "timed out (connect)");
		return;
	}
	if (cl->end == CLIENT_END_REPLY) {
		(void)reply_line(&cl->reply, out, size);
		return;
	}
	if (cl->end == CLIENT_END_TLS_REFUSED)
		detail = reply_line(&cl->reply, line, sizeof(line));
	else if (cl->end == CLIENT_END_PROTOCOL && cl->reply.why != NULL)
		detail = cl->reply.why;
	outcome_text(cl->end, cl->at, peer, detail, out, size);
}

static void
end_with_tls_trouble(struct courier *c, struct job *j, const struct session *s,
    const struct hop *h, enum ladder_trouble t, const char *text)
{
	static const enum how how[] = {
		[LADDER_MANGLED] = HOW_MANGLED, [LADDER_REFUSED] = HOW_REFUSED,
		[LADDER_FAILED] = HOW_FAILED, [LADDER_UNSURE] = HOW_FAILED,
		[LADDER_INJECTED] = HOW_FAILED,
	};

	if (t == LADDER_INJECTED)
		record_injection(j, s);
	record_tls_failure(j, s, how[t], text);
	/* What is well at a second connection was an accident. */
	if (ladder_tries_again(&j->ladder, t))
		c->setup.ops->again(c->setup.arg, j, s, how[t]);
	else
		c->setup.ops->lost(c->setup.arg, j, s, t == LADDER_INJECTED ?
		    FINDING_INJECTION : finding_of_how(how[t]), text);
	courier_note(j, h, &tls_rule, tls_dsn(t), text, true);
}

void
courier_on_ended(struct session *s)
{
	struct courier *c = s->courier;
	struct job *j = s->job;
	const struct outcome_rule *rule = &courier_unreached;
	enum ladder_trouble t = trouble_of(s);
	char dsn[REPLY_ENHANCED_SIZE], text[REPLY_LINE_SIZE];
	struct hop h = courier_hop(s);
	bool silent = died_idle(s), own = s->body_failed;

	if (j == NULL) {
		pool_ended(&c->pool, s);
		return;
	}
	describe(s, &h, text, sizeof(text));
	if (!s->connecting)
		rule = s->client.end == CLIENT_END_REPLY ?
		    courier_rule(j, s->client.at, s->client.reply.code) :
		    outcome_of_end(s->client.end, s->client.at);
	outcome_dsn(rule, s->client.end == CLIENT_END_REPLY ?
	    s->client.reply.enhanced : "", dsn);
	if (t == LADDER_STALE)
		record_stale_session(j, s, text);
	else if (t != LADDER_NO_HOST)
		end_with_tls_trouble(c, j, s, &h, t, text);
	else if (rule->next_host && !silent && !own)
		courier_note(j, &h, rule, dsn, text, false);
	courier_detach(s);
	c->nsessions--;
	session_close(&s);
	if (!own && j->nundecided > 0 &&
	    (rule->next_host || silent || t != LADDER_NO_HOST)) {
		courier_advance(c, j, t);
		return;
	}
	courier_decide_rest(c, j, rule->next_host ? OUTCOME_DEFERRED :
	    rule->status, own ? "4.3.0" : dsn, text, &h);
	j->trouble = !own && rule->trouble;
	courier_finish(c, j);
	courier_pump(c);
}
