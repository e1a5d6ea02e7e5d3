/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/courier.c - a job's life: waiting, and its end.  How it gets a
 * connection, and what the end of one means, is courier_hosts.c; what is said
 * on it courier_mail.c.
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
void
courier_tell(struct courier *c, struct job *j, const struct hop *h)
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
	courier_tell(c, j, h);
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

/* ---- connections ---- */

void
courier_release(struct courier *c, struct session *s)
{
	courier_keep_ticket(c, s);
	courier_detach(s);
	if (s->poolable && !c->draining && s->client.step == CLIENT_IDLE &&
	    courier_may_reuse(s)) {
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

void
courier_adopt(struct courier *c, const struct courier_setup *setup)
{
	c->setup = *setup;
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
	bool utf8 = j->flags & ENVELOPE_SMTPUTF8;
	size_t i;

	for (i = 0; i < j->nrcpts; i++) {
		struct job_rcpt *r = &j->rcpts[i];

		if (client_address_ok(r->address, utf8))
			continue;
		job_judge(j, r, OUTCOME_FAILED, "5.1.3",
		    "address can not be sent by SMTP without SMTPUTF8", "");
		courier_decide(c, j, r, &j->last);
	}
	courier_tell(c, j, &j->last);
}

void
courier_take(struct courier *c, struct job *j)
{
	const struct route *r = &j->route;

	courier_begin_hosts(j);
	if (r->nhosts > 0) {
		j->last.asked = r->hosts[0].asked;
		j->last.why = r->hosts[0].why;
	}
	if (r->discard) {
		finish_at_once(c, j, OUTCOME_SENT, "2.0.0", "discarded");
		return;
	}
	if (!client_address_ok(j->sender, j->flags & ENVELOPE_SMTPUTF8)) {
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
	tickets_free(&c->tickets);
}
