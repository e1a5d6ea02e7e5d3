/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/courier.c - a job's life: waiting, verdicts, end.  How it gets a
 * connection, and what the end of one means, is courier_hosts.c.
 * A session always belongs to one job or to the pool. */
#include "relay/courier_priv.h"

#include <assert.h>
#include <stdio.h>

#include "relay/outcome.h"
#include "relay/record.h"

/* ---- outcomes ---- */

void
courier_decide(struct courier *c, struct job *j, struct job_rcpt *r,
    const struct hop *h)
{
	(void)c;
	assert(!r->decided);
	r->decided = true;
	r->again = false;
	j->nundecided--;
	if (j->probe)
		record_probe(r, h);
	else
		record_delivery(j, r, h, clock_wall_ms());
}

/* Facts for the ledger: one for all with equal status and dsn. */
static void
tell(struct courier *c, struct job *j, const struct hop *h)
{
	size_t i, k;

	if (j->probe)
		return;		/* no mail travelled, or failed to */
	for (i = 0; i < j->nrcpts; i++) {
		struct job_rcpt *first = &j->rcpts[i];
		unsigned n = 0;

		if (!first->decided || first->told)
			continue;
		for (k = i; k < j->nrcpts; k++) {
			struct job_rcpt *r = &j->rcpts[k];

			if (!r->decided || r->told ||
			    r->status != first->status ||
			    strcmp(r->dsn, first->dsn) != 0)
				continue;
			r->told = true;
			n++;
		}
		c->setup.ops->delivered(c->setup.arg, j, h, first, n);
	}
}

void
courier_decide_rest(struct courier *c, struct job *j,
    enum outcome_status status, const char *dsn, const char *text,
    const struct hop *h)
{
	size_t i;

	for (i = 0; i < j->nrcpts; i++) {
		struct job_rcpt *r = &j->rcpts[i];

		if (r->decided)
			continue;
		if (!r->again)	/* else it has its own words already */
			job_judge(j, r, status, dsn, text, h->mx);
		courier_decide(c, j, r, h);
	}
	tell(c, j, h);
}

static void
check_idle(struct courier *c)
{
	if (c->draining && c->nsending == 0)
		c->setup.ops->idle(c->setup.arg);
}

void
courier_finish(struct courier *c, struct job *j)
{
	size_t i;

	assert(j->nundecided == 0 && j->session == NULL);
	for (i = 0; i < j->nrcpts; i++) {
		if (j->rcpts[i].status == OUTCOME_DEFERRED)
			j->tls_failed = ladder_tls_trouble(&j->ladder) ||
			    (j->tls_failed_before && !j->tls_worked);
	}
	j->state = JOB_DECIDED;
	body_close(&j->body);
	c->nsending--;
	c->setup.ops->decided(c->setup.arg, j);
	check_idle(c);
}

/* ---- a transaction ---- */

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

void
courier_send(struct courier *c, struct job *j, struct session *s)
{
	struct client_message m = {
		.sender = j->sender, .size = j->body.size,
		.flags = j->flags, .probe = j->probe,
	};

	(void)c;
	if (job_batch(j) == -1) {
		struct hop h = courier_hop(s);

		courier_decide_rest(c, j, OUTCOME_DEFERRED, "4.3.0",
		    "no memory", &h);
		courier_release(c, s);
		courier_finish(c, j);
		return;
	}
	j->next_host = j->null_refused = s->touched = false;
	m.rcpts = j->batch;
	m.nrcpts = j->nbatch;
	/* BODY=8BITMIME is also said of content that is plain after all. */
	if ((m.flags & ENVELOPE_8BIT) &&
	    !(s->client.ehlo.caps & EHLO_8BITMIME) &&
	    !body_has_8bit(&j->body))
		m.flags &= (uint16_t)~ENVELOPE_8BIT;
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
	return j->probe && j->sender.n == 0 && cl->reply.code >= 500 &&
	    (cl->verdict == CLIENT_MAIL ||
	    strncmp(cl->reply.enhanced, "5.7.", 4) == 0);
}

void
courier_on_verdict(struct session *s)
{
	struct courier *c = s->courier;
	struct job *j = s->job;
	const struct outcome_rule *rule = courier_rule(j, s->client.verdict,
	    s->client.reply.code);
	struct hop h = courier_hop(s);
	size_t i;

	s->touched |= h.reached != LEVEL_NONE;
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
 * as each one takes somebody. */
static bool
another_round(const struct job *j)
{
	size_t i;

	for (i = 0; i < j->nbatch; i++) {
		const struct job_rcpt *r = &j->rcpts[j->batch_at[i]];

		if (r->decided && r->status == OUTCOME_SENT)
			return true;
	}
	return false;
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
	tell(c, j, &h);
	if (j->null_refused) {
		j->sender = span_str(c->setup.probe_sender);
		courier_send(c, j, s);
		return;
	}
	if (j->nundecided > 0 && !j->next_host && another_round(j)) {
		courier_send(c, j, s);
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

void
courier_release(struct courier *c, struct session *s)
{
	courier_detach(s);
	if (s->poolable && !c->draining && s->nmessages < POOL_MESSAGES &&
	    s->client.step == CLIENT_IDLE) {
		pool_put(&c->pool, s);
		return;
	}
	c->nsessions--;
	session_quit(&s);
}

void
courier_detach(struct session *s)
{
	s->job->session = NULL;
	s->job = NULL;
}

/* ---- waiting ---- */

static void
enqueue(struct courier *c, struct job *j)
{
	j->state = JOB_WAITING;
	j->wait_next = NULL;
	if (j->probe) {		/* a client of ours waits for it */
		j->wait_next = c->first;
		c->first = j;
		if (c->last == NULL)
			c->last = j;
		return;
	}
	*(c->last != NULL ? &c->last->wait_next : &c->first) = j;
	c->last = j;
}

bool
courier_drop(struct courier *c, struct job *j)
{
	struct job **at = &c->first, *before = NULL;

	while (*at != NULL && *at != j) {
		before = *at;
		at = &before->wait_next;
	}
	if (*at == NULL)
		return false;
	*at = j->wait_next;
	if (c->last == j)
		c->last = before;
	return true;
}

static void
begin(struct courier *c, struct job *j, struct session *s)
{
	j->state = JOB_SENDING;
	c->nsending++;
	if (s == NULL) {
		courier_next(c, j);
		return;
	}
	s->job = j;
	j->session = s;
	j->tls_worked = s->client.is_tls;
	courier_send(c, j, s);
}

void
courier_pump(struct courier *c)
{
	struct session *s;
	struct job *j;

	/* A job may be decided inside begin(), and comes by here again. */
	if (c->pumping)
		return;
	c->pumping = true;
	while ((j = c->first) != NULL && !c->draining) {
		s = pool_take(&c->pool, j->route.site, j->route.identity);
		if (s == NULL && c->nsessions >= c->setup.sessions &&
		    !pool_drop_oldest(&c->pool))
			break;
		(void)courier_drop(c, j);
		begin(c, j, s);
	}
	c->pumping = false;
}

static void
dropped(void *arg)
{
	struct courier *c = arg;

	c->nsessions--;
	courier_pump(c);
}

/* ---- for the role ---- */

int
courier_init(struct courier *c, const struct courier_setup *setup)
{
	*c = (struct courier){ .setup = *setup };
	return pool_init(&c->pool, setup->loop, dropped, c);
}

static void
finish_at_once(struct courier *c, struct job *j, enum outcome_status status,
    const char *dsn, const char *text)
{
	j->state = JOB_SENDING;
	c->nsending++;
	courier_decide_rest(c, j, status, dsn, text, &j->last);
	courier_finish(c, j);
}

/* An address that can't be a part of a command line never becomes one. */
static void
refuse_addresses(struct courier *c, struct job *j)
{
	size_t i;

	for (i = 0; i < j->nrcpts; i++) {
		struct job_rcpt *r = &j->rcpts[i];

		if (client_address_ok(r->address))
			continue;
		job_judge(j, r, OUTCOME_FAILED, "5.1.3",
		    "address can not be sent by SMTP without SMTPUTF8", "");
		courier_decide(c, j, r, &j->last);
	}
	tell(c, j, &j->last);
}

void
courier_take(struct courier *c, struct job *j)
{
	const struct route *r = &j->route;
	unsigned h, a;

	ladder_init(&j->ladder, j->tls_failed_before);
	for (h = 0; h < r->nhosts; h++) {
		for (a = 0; a < r->hosts[h].naddrs; a++)
			ladder_add(&j->ladder, h, a, r->hosts[h].asked);
	}
	if (r->nhosts > 0) {
		j->last.asked = r->hosts[0].asked;
		j->last.why = r->hosts[0].why;
	}
	if (r->discard) {
		finish_at_once(c, j, OUTCOME_SENT, "2.0.0", "discarded");
		return;
	}
	if (!client_address_ok(j->sender)) {
		finish_at_once(c, j, OUTCOME_FAILED, "5.1.7",
		    "sender can not be sent by SMTP without SMTPUTF8");
		return;
	}
	refuse_addresses(c, j);
	if (j->nundecided == 0) {
		finish_at_once(c, j, OUTCOME_FAILED, "5.1.3", "");
		return;
	}
	enqueue(c, j);
	courier_pump(c);
}

void
courier_drain(struct courier *c)
{
	c->draining = true;
	while (pool_drop_oldest(&c->pool))
		;
	check_idle(c);
}

void
courier_abort(struct courier *c, struct job *j)
{
	if (j->session == NULL)
		return;
	c->nsessions--;
	session_close(&j->session);
}

void
courier_close(struct courier *c)
{
	c->draining = true;
	pool_close(&c->pool);
}
