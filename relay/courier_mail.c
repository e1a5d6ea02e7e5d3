/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/courier_mail.c - a transaction on a connection: what goes into it, the
 * verdicts, and whether another one follows. */
#include "relay/courier_priv.h"

#include "relay/outcome.h"
#include "relay/record.h"

/* What we know ourselves that a host can't take, another one might. */
static const struct outcome_rule own_rule = {
	OUTCOME_FAILED, true, false, false, "5.0.0",
};

struct hop
courier_hop(const struct session *s)
{
	struct hop h = s->hop;
	const struct client *cl = &s->client;
	enum client_step at = cl->end != CLIENT_END_NONE ? cl->at : cl->step;

	/* Nothing of this message was sent: no level was reached by it. */
	if (at < CLIENT_MAIL) {
		h.reached = LEVEL_NONE;
		h.how = HOW_NONE;
	}
	return h;
}

/* More than the bytes at hand, or lines that are too long for DATA: then BDAT
 * saves the work of stuffing dots, and says the length ahead.  For the rest
 * DATA costs no more, and every host has practice in it. */
static bool
better_in_chunks(const struct job *j, const struct ehlo *e)
{
	return (e->caps & EHLO_CHUNKING) &&
	    (j->body.fd != -1 || body_has_long_line(&j->body));
}

void
courier_send(struct courier *c, struct job *j, struct session *s)
{
	const struct ehlo *e = &s->client.ehlo;
	struct client_message m = {
		.sender = j->sender, .size = j->body.size,
		.flags = j->flags, .envid = j->envid, .probe = j->probe,
	};

	if (job_batch(j, e) == -1) {
		struct hop h = courier_hop(s);

		courier_decide_rest(c, j, OUTCOME_DEFERRED, "4.3.0",
		    "no memory", &h);
		courier_release(c, s);
		courier_finish(c, j);
		return;
	}
	j->next_host = j->null_refused = s->touched = false;
	/* Policy asks nothing of the way to a mail store, where it ends. */
	if (j->route.lmtp && s->hop.asked <= LEVEL_CLEAR)
		m.flags &= ~(unsigned)ENVELOPE_REQUIRETLS;
	m.rcpts = j->batch;
	m.nrcpts = j->nbatch;
	m.chunks = better_in_chunks(j, e);
	session_send(s, &m, &j->body);
}

static void
judge(struct courier *c, struct job *j, struct job_rcpt *r,
    const struct outcome_rule *rule, const struct session *s,
    const struct hop *h)
{
	char dsn[REPLY_ENHANCED_SIZE], text[REPLY_LINE_SIZE];

	if (r->decided || r->again)
		return;
	outcome_dsn(rule, s->client.reply.enhanced, dsn);
	job_judge(j, r, rule->status, dsn,
	    reply_line(&s->client.reply, text, sizeof(text)), h->mx);
	if (rule->status == OUTCOME_SENT && !j->probe) {
		r->dsn_passed = s->client.ehlo.caps & EHLO_DSN;
		r->final = j->route.lmtp;
	}
	if (rule->again)
		r->again = true;
	else
		courier_decide(c, j, r, h);
}

const struct outcome_rule *
courier_rule(const struct job *j, enum client_step step, int code)
{
	return j->probe ? outcome_of_probe(step, code) :
	    outcome_of_reply(step, code);
}

/* RFC 5321 sec 4.5.5 wants the null sender taken everywhere, and some refuse
 * it by policy (RFC 3463 X.7): this is about the probe, not the mailbox. */
static bool
refuses_null(const struct job *j, const struct client *cl)
{
	return j->probe && j->sender.n == 0 && !cl->own_verdict &&
	    cl->reply.code >= 500 && (cl->verdict == CLIENT_MAIL ||
	    strncmp(cl->reply.enhanced, "5.7.", 4) == 0);
}

void
courier_on_verdict(struct session *s)
{
	struct courier *c = s->courier;
	struct job *j = s->job;
	const struct outcome_rule *rule = s->client.own_verdict ? &own_rule :
	    courier_rule(j, s->client.verdict, s->client.reply.code);
	struct hop h = courier_hop(s);
	size_t i;

	s->touched |= h.reached != LEVEL_NONE;
	if (s->converted && rule->status == OUTCOME_SENT) {
		s->converted = false;
		record_converted(j, s);
	}
	/* Refusals add up on a connection until the host closes it, or slows
	 * it down; mail shall not suffer from that. */
	if (j->probe && rule->status != OUTCOME_SENT)
		s->poolable = false;
	if (refuses_null(j, &s->client)) {
		j->null_refused = true;
		return;
	}
	if (rule->next_host) {
		char dsn[REPLY_ENHANCED_SIZE], text[REPLY_LINE_SIZE];

		outcome_dsn(rule, s->client.reply.enhanced, dsn);
		courier_note(j, &h, rule, dsn, reply_line(&s->client.reply,
		    text, sizeof(text)), false);
		j->next_host = true;
		return;
	}
	if (s->client.rcpt != CLIENT_ALL) {
		judge(c, j, &j->rcpts[j->batch_at[s->client.rcpt]], rule, s, &h);
		return;
	}
	for (i = 0; i < j->nbatch; i++)
		judge(c, j, &j->rcpts[j->batch_at[i]], rule, s, &h);
}

/* RFC 5321 sec 4.5.3.1.10: who did not fit goes in another transaction, as long
 * as each one takes somebody; and so does who was not in this one. */
static bool
another_round(struct job *j)
{
	size_t i;

	for (i = 0; i < j->nbatch; i++) {
		const struct job_rcpt *r = &j->rcpts[j->batch_at[i]];

		if (r->decided && r->status == OUTCOME_SENT) {
			job_again(j);
			return j->nundecided > 0;
		}
	}
	return job_has_more(j);
}

bool
courier_may_reuse(const struct session *s)
{
	const struct ehlo *e = &s->client.ehlo;

	/* Which domains a session has had is not kept count of. */
	return s->nmessages < POOL_MESSAGES && e->domain_max == 0 &&
	    (e->mail_max == 0 || s->nmessages < e->mail_max);
}

/* RFC 9422: for the rest another connection, to the first host again. */
static void
connect_again(struct courier *c, struct job *j, struct session *s)
{
	courier_detach(s);
	c->nsessions--;
	session_quit(&s);
	courier_begin_hosts(j);
	courier_next(c, j);
}

void
courier_on_done(struct session *s)
{
	struct courier *c = s->courier;
	struct job *j = s->job;
	struct hop h = courier_hop(s);

	if (s->touched) {	/* what was decided just now */
		h.reached = s->level;
		h.how = s->hop.how;
	}
	courier_tell(c, j, &h);
	if (j->null_refused) {
		j->sender = span_str(job_keep(j, c->setup.probe_sender));
		courier_send(c, j, s);
		return;
	}
	if (!j->next_host && another_round(j)) {
		if (courier_may_reuse(s))
			courier_send(c, j, s);
		else
			connect_again(c, j, s);
		return;
	}
	if (j->nundecided > 0 && j->next_host) {
		courier_detach(s);
		c->nsessions--;
		session_quit(&s);
		courier_advance(c, j, LADDER_NO_HOST);
		return;
	}
	courier_decide_rest(c, j, OUTCOME_DEFERRED, "4.0.0", "no verdict", &h);
	courier_release(c, s);
	courier_finish(c, j);
	courier_pump(c);
}

