/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_review.c - what is allowed and yet worth a second look.
 *
 * Warnings only, most dangerous first; each says what may happen and what to
 * write instead. */
#include "base/conf_impl.h"

/* Prefixes shorter than these are nobody's own network. */
#define WIDE_IP4	8
#define WIDE_IP6	32

#define RCPTS_MIN	100		/* RFC 5321 sec 4.5.3.1.8 */
#define MESSAGE_MIN	(64 * 1024)	/* RFC 5321 sec 4.5.3.1.7 */

static void
open_relays(const struct conf *c, struct conf_notes *notes)
{
	char ip[ADDR_TEXT_SIZE];
	struct conf_place at;

	for (size_t i = 0; i < c->nlistens; i++) {
		const struct conf_listen *l = &c->listens[i];

		if (addr_is_loopback(&l->address))
			continue;
		for (size_t j = 0; j < l->nrelay_from; j++) {
			const struct prefix *p = &l->relay_from[j];

			if (p->bits >= (p->addr.family == 4 ? WIDE_IP4 :
			    WIDE_IP6))
				continue;
			conf_where(c, "listen", "relay-from", l->label, &at);
			conf_warn(notes, at, "listen \"%.64s\" is an open "
			    "relay: everyone in %s/%u may send to anywhere; "
			    "name your own networks only", l->label,
			    addr_ip_text(&p->addr, ip), p->bits);
		}
	}
}

static void
dead_ends(const struct conf *c, struct conf_notes *notes)
{
	struct conf_place at;

	for (size_t i = 0; i < c->nlistens; i++) {
		const struct conf_listen *l = &c->listens[i];

		if (addr_is_loopback(&l->address))
			continue;
		conf_where(c, "", "listen", l->label, &at);
		if (l->nrelay_from == 0 && c->naccepts == 0)
			conf_warn(notes, at, "listen \"%.64s\" refuses all "
			    "mail: there is no accept domain, and relay-from "
			    "names nobody", l->label);
		if (l->tls == LISTEN_NONE) {
			conf_where(c, "listen", "tls", l->label, &at);
			conf_warn(notes, at, "listen \"%.64s\" takes all mail "
			    "in clear text over the network", l->label);
		}
		if (l->tls == LISTEN_IMPLICIT && l->address.port == 25) {
			conf_where(c, "listen", "tls", l->label, &at);
			conf_warn(notes, at, "listen \"%.64s\" begins with TLS "
			    "on port 25, where every sender waits for a "
			    "greeting in clear text: write \"starttls\"",
			    l->label);
		}
		if (l->tls == LISTEN_REQUIRED && l->address.port == 25) {
			conf_where(c, "listen", "tls", l->label, &at);
			conf_warn(notes, at, "listen \"%.64s\" refuses senders "
			    "without TLS on port 25; a server for the public "
			    "must not (RFC 3207 sec 4)", l->label);
		}
	}
}

static void
clients(const struct conf *c, struct conf_notes *notes)
{
	struct conf_place at;

	for (size_t i = 0; i < c->nclients; i++) {
		const struct conf_client *x = &c->clients[i];

		if (x->require != REQUIRE_ENCRYPTED || x->net.bits >=
		    (x->net.addr.family == 4 ? WIDE_IP4 : WIDE_IP6))
			continue;
		conf_where(c, "accept.client", "require", x->label, &at);
		conf_warn(notes, at, "mail without TLS from %.64s is refused; "
		    "a server for the public must not do that (RFC 3207 sec "
		    "4)", x->label);
	}
}

static void
loopback(const struct conf *c, struct conf_notes *notes)
{
	struct conf_place at;

	if (!c->allow_loopback)
		return;
	conf_where(c, "", "allow-loopback", NULL, &at);
	conf_warn(notes, at, "`allow-loopback` lets anybody's DNS send this "
	    "relay to services on this machine and your networks; for labs "
	    "and tests only");
}

static void
limits(const struct conf *c, struct conf_notes *notes)
{
	struct conf_place at;

	conf_where(c, "limits", "recipients", NULL, &at);
	if (c->limits.recipients < RCPTS_MIN)
		conf_warn(notes, at, "fewer than %d recipients: senders may "
		    "count on that many (RFC 5321 sec 4.5.3.1.8)", RCPTS_MIN);
	conf_where(c, "limits", "message-size", NULL, &at);
	if (c->limits.message_size < MESSAGE_MIN)
		conf_warn(notes, at, "less than 64K: senders may count on "
		    "that much (RFC 5321 sec 4.5.3.1.7)");
}

static void
retries(const struct conf *c, struct conf_notes *notes)
{
	struct conf_place at;

	conf_where(c, "relay.retry", "first", NULL, &at);
	if (c->relay.retry.first > c->relay.retry.max)
		conf_warn(notes, at, "longer than `max`, which then is the "
		    "wait before every attempt");
	if (c->relay.retry.first >= c->relay.retry.give_up)
		conf_warn(notes, at, "not shorter than `give-up`: there is "
		    "no second attempt");
}

static void
name(const struct conf *c, struct conf_notes *notes)
{
	struct conf_place at;

	conf_where(c, "", "hostname", NULL, &at);
	if (strchr(c->hostname, '.') == NULL)
		conf_warn(notes, at, "the host name \"%s\" is not fully "
		    "qualified; many servers refuse mail from it: set "
		    "`hostname`", c->hostname);
}

void
conf_review(const struct conf *c, struct conf_notes *notes)
{
	open_relays(c, notes);
	loopback(c, notes);
	dead_ends(c, notes);
	clients(c, notes);
	limits(c, notes);
	retries(c, notes);
	name(c, notes);
}
