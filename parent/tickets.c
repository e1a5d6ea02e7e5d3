/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/tickets.c - the key of the session tickets, one for all smtpd, so that
 * a client may come back to any of them.  It lives in memory only: whoever gets
 * it reads what was resumed under it, and after a restart tickets are just not
 * taken. */
#include "parent/parent_priv.h"

#include <string.h>
#include <sys/random.h>

#include "base/log.h"

/* GnuTLS derives from it what it encrypts with, and lets a ticket be for six
 * hours; the master itself grows old too. */
#define ROTATE_MS	(12 * 3600 * 1000u)

void
tickets_send(struct parent *p, struct child *c)
{
	struct ipc_ticket_key m = { .key = span_of(p->ticket_key,
	    sizeof p->ticket_key) };

	if (p->ticket_timer != NULL)
		ipc_send_ticket_key(c->link, &m, -1);
}

static void
make_key(struct parent *p)
{
	/* A kernel without random bytes has none for TLS either. */
	if (getrandom(p->ticket_key, sizeof p->ticket_key, 0) ==
	    sizeof p->ticket_key)
		return;
	log_error("ticket-key-failed", KV_Q("reason", "no random bytes"));
	explicit_bzero(p->ticket_key, sizeof p->ticket_key);
	loop_timer_close(&p->ticket_timer);
}

static void
send_all(struct parent *p)
{
	for (size_t i = 0; i < p->nchildren; i++)
		if (p->children[i].role == ROLE_SMTPD &&
		    p->children[i].state == CHILD_READY)
			tickets_send(p, &p->children[i]);
}

static void
rotate(void *arg)
{
	struct parent *p = arg;

	loop_timer_set(p->ticket_timer, ROTATE_MS);
	make_key(p);
	send_all(p);
}

int
tickets_start(struct parent *p)
{
	if (!p->now.conf->tls.tickets)
		return 0;
	p->ticket_timer = loop_timer_new(p->loop, rotate, p);
	if (p->ticket_timer == NULL)
		return -1;
	loop_timer_set(p->ticket_timer, ROTATE_MS);
	make_key(p);
	return 0;
}

void
tickets_adopt(struct parent *p)
{
	if (p->now.conf->tls.tickets == (p->ticket_timer != NULL))
		return;
	if (p->ticket_timer != NULL)
		tickets_stop(p);
	else if (tickets_start(p) == -1)
		log_error("ticket-key-failed", KV_Q("reason", "no memory"));
	send_all(p);
}

void
tickets_stop(struct parent *p)
{
	loop_timer_close(&p->ticket_timer);
	explicit_bzero(p->ticket_key, sizeof p->ticket_key);
}
