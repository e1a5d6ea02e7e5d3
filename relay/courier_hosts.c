/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/courier_hosts.c - connections of a job: the ladder's next one, how it
 * came up, and what its end means. */
#include "relay/courier_priv.h"

#include <stdio.h>

#include "relay/record.h"

static bool	on_address(struct session *, struct dial_target *);
static void	on_missed(struct session *, unsigned, const struct fault *);
static void	on_reached(struct session *, unsigned);
static void	on_ready(struct session *);
static void	on_ended(struct session *);

static const struct session_ops session_ops = {
	.address = on_address, .missed = on_missed, .reached = on_reached,
	.resume = courier_on_resume, .ready = on_ready,
	.verdict = courier_on_verdict, .done = courier_on_done,
	.ended = on_ended,
};

static const struct outcome_rule connect_rule = {
	OUTCOME_DEFERRED, true, false, true, "4.4.1",
};
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

/* ---- troubles ---- */

void
courier_note(struct job *j, const struct hop *h,
    const struct outcome_rule *rule, const char *dsn, const char *text,
    bool is_tls)
{
	/* Failed only if every host said so. */
	if (j->last_text[0] == '\0' || rule->status == OUTCOME_DEFERRED)
		j->last_status = rule->status;
	j->trouble = rule->trouble;
	if (j->last_is_tls && !is_tls)
		return;
	j->last = *h;
	j->last_is_tls = is_tls;
	(void)span_copy(span_str(dsn), j->last_dsn, sizeof(j->last_dsn));
	(void)span_copy(span_str(text), j->last_text, sizeof(j->last_text));
}

static void
peer_text(const struct hop *h, char *out, size_t size)
{
	(void)snprintf(out, size, "%s[%s]", h->mx, h->addr);
}

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

/* ---- connecting ---- */

static void
fill_hop(struct hop *h, const struct job *j)
{
	const struct route_host *host = &j->route.hosts[j->step.host];

	hop_init(h);
	(void)span_copy(span_str(host->name), h->mx, sizeof(h->mx));
	h->local = host->path != NULL;
	if (h->local)
		(void)span_copy(SPAN_LIT("unix"), h->addr, sizeof(h->addr));
	else
		(void)addr_ip_text(&host->addrs[j->step.addr], h->addr);
	h->asked = host->asked;
	h->why = host->why;
	id_make(clock_wall_ms(), h->session);
}

/* RFC 6066 sec 3: no literals. */
static const char *
sni_of(const char *name)
{
	struct addr a;

	return name[0] == '[' || addr_parse_ip(span_str(name), &a) ? "" : name;
}

/* The same for all recipients: it is part of the identity. */
static const struct conf_sending *
sending_of(const struct courier *c, const struct job *j)
{
	return conf_sending_for(c->setup.conf, job_domain(j->rcpts[0].address));
}

static const struct addr *
show_address(struct session *s, unsigned at)
{
	const struct job *j = s->job;
	const struct addr *a = &j->route.hosts[j->step.host].addrs[at];

	(void)addr_ip_text(a, s->hop.addr);
	return a;
}

static bool
on_address(struct session *s, struct dial_target *t)
{
	const struct conf_sending *sending = sending_of(s->courier, s->job);
	struct job *j = s->job;

	if (s->dialled && !ladder_beside(&j->ladder, &j->step))
		return false;
	s->dialled = true;
	t->id = j->step.addr;
	t->to = show_address(s, t->id);
	t->source = t->to->family == 6 ? &sending->source6 : &sending->source4;
	return true;
}

static void
on_missed(struct session *s, unsigned at, const struct fault *f)
{
	(void)f;
	ladder_missed(&s->job->ladder, at);
	(void)show_address(s, at);
}

static void
on_reached(struct session *s, unsigned at)
{
	ladder_reached(&s->job->ladder, at, &s->job->step);
	(void)show_address(s, at);
}

static struct session *
make_session(struct courier *c, struct job *j)
{
	const struct route_host *host = &j->route.hosts[j->step.host];
	struct session_setup setup = {
		.loop = c->setup.loop, .ops = &session_ops,
		.client = c->setup.client, .connect_ms = c->setup.connect_ms,
		.creds = c->setup.creds,
		.reduced = j->step.mode == LADDER_REDUCED,
		.strict = host->asked > LEVEL_ENCRYPTED,
	};
	struct session *s;

	setup.client.name = sending_of(c, j)->ehlo_name;
	setup.client.lmtp = j->route.lmtp;
	/* What goes over a socket of this machine nobody can listen to. */
	setup.client.starttls = j->step.mode != LADDER_CLEAR &&
	    host->path == NULL;
	s = session_new(&setup);
	if (s == NULL)
		return NULL;
	s->fresh = j->step.fresh;
	fill_hop(&s->hop, j);
	/* RFC 7672 sec 8.1: the name that the records stand for. */
	(void)span_copy(span_str(host->base), s->base, sizeof(s->base));
	s->sni = s->base[0] != '\0' ? s->base : sni_of(s->hop.mx);
	s->courier = c;
	s->site = j->route.site;
	s->identity = j->route.identity;
	s->job = j;
	j->session = s;
	c->nsessions++;
	return s;
}

static bool
try_connect(struct courier *c, struct job *j)
{
	const char *path = j->route.hosts[j->step.host].path;
	struct fault f = { .class = FAULT_TEMP, .text = "no memory" };
	struct session *s = make_session(c, j);
	char peer[sizeof(s->hop.mx) + sizeof(s->hop.addr) + 3];
	char text[REPLY_LINE_SIZE];
	struct hop h;

	if (s == NULL) {
		fill_hop(&h, j);
	} else {
		if (session_connect(s, path, &f) == 0)
			return true;
		h = s->hop;
		courier_detach(s);
		c->nsessions--;
		session_close(&s);
	}
	peer_text(&h, peer, sizeof(peer));
	(void)snprintf(text, sizeof(text), "%s: %s", peer, f.text);
	courier_note(j, &h, &connect_rule, connect_rule.dsn, text, false);
	return false;
}

void
courier_begin_hosts(struct job *j)
{
	const struct route *r = &j->route;
	unsigned h, a;

	ladder_init(&j->ladder, j->tls_failed_before);
	for (h = 0; h < r->nhosts; h++) {
		for (a = 0; a < r->hosts[h].naddrs; a++)
			ladder_add(&j->ladder, h, a, r->hosts[h].asked);
	}
}

/* All was tried. */
static void
give_up(struct courier *c, struct job *j)
{
	if (j->last_text[0] == '\0') {
		j->last_status = OUTCOME_DEFERRED;
		courier_note(j, &j->last, &connect_rule, "4.4.4",
		    "no host to deliver to", false);
	}
	j->last_dsn[0] = j->last_status == OUTCOME_DEFERRED ? '4' : '5';
	courier_decide_rest(c, j, j->last_status, j->last_dsn, j->last_text,
	    &j->last);
	courier_finish(c, j);
	courier_pump(c);
}

void
courier_next(struct courier *c, struct job *j)
{
	while (ladder_next(&j->ladder, &j->step)) {
		if (try_connect(c, j))
			return;
		ladder_report(&j->ladder, LADDER_NO_HOST);
	}
	give_up(c, j);
}

void
courier_advance(struct courier *c, struct job *j, enum ladder_trouble t)
{
	ladder_report(&j->ladder, t);
	courier_next(c, j);
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

	peer_text(&h, peer, sizeof(peer));
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

	peer_text(&h, peer, sizeof(peer));
	(void)snprintf(text, sizeof(text), "%s: it has our own name %s, so mail "
	    "loops back to this host", peer, s->client.host);
	courier_note(j, &h, &self_rule, self_rule.dsn, text, false);
	courier_detach(s);
	c->nsessions--;
	session_quit(&s);
	ladder_stop(&j->ladder);
	courier_next(c, j);
}

static void
on_ready(struct session *s)
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

	peer_text(h, peer, sizeof(peer));
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
	if (!ladder_tries_again(&j->ladder, t))
		c->setup.ops->lost(c->setup.arg, j, s, t == LADDER_INJECTED ?
		    FINDING_INJECTION : finding_of_how(how[t]), text);
	courier_note(j, h, &tls_rule, tls_dsn(t), text, true);
}

static void
on_ended(struct session *s)
{
	struct courier *c = s->courier;
	struct job *j = s->job;
	const struct outcome_rule *rule = &connect_rule;
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
