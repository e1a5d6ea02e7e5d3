/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_review.c - what is allowed and yet worth a second look.
 *
 * Warnings only, most dangerous first; each says what may happen and what to
 * write instead. */
#include "base/conf_impl.h"

/* Prefixes shorter than these are nobody's own network; private ones may be as
 * wide as they are. */
#define WIDE_IP4	12
#define WIDE_IP6	32

#define RCPTS_MIN	100		/* RFC 5321 sec 4.5.3.1.8 */
#define MESSAGE_MIN	(64 * 1024)	/* RFC 5321 sec 4.5.3.1.7 */
#define HOPS_MIN	30
#define PATIENCE_MIN	(5 * 60 * 1000)	/* ms, RFC 5321 sec 4.5.3.2.7 */

/* Nobody's but ours (RFC 6890). */
static bool
is_private(const struct prefix *p)
{
	static const char *const blocks[] = { "10.0.0.0/8", "100.64.0.0/10",
	    "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
	    "::1", "fc00::/7", "fe80::/10" };
	struct prefix block;

	for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
		if (prefix_parse(span_str(blocks[i]), &block) &&
		    p->bits >= block.bits && prefix_has(&block, &p->addr))
			return true;
	return false;
}

/* Bits that say nothing where IPv6 wraps IPv4 (6to4, NAT64). */
static unsigned
wrapping(const struct prefix *p)
{
	static const struct {
		uint8_t head[12];
		unsigned bits;
	} forms[] = {
		{ { 0x20, 0x02 }, 16 },				/* RFC 3056 */
		{ { 0x00, 0x64, 0xff, 0x9b }, 96 },		/* RFC 6052 */
	};

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		if (p->addr.family == 6 && p->bits >= forms[i].bits &&
		    memcmp(p->addr.ip, forms[i].head, forms[i].bits / 8) == 0)
			return forms[i].bits;
	return 0;
}

static bool
is_wide(const struct prefix *p)
{
	unsigned wraps = wrapping(p);

	if (is_private(p))
		return false;
	if (wraps > 0)
		return p->bits - wraps < WIDE_IP4;
	return p->bits < (p->addr.family == 4 ? WIDE_IP4 : WIDE_IP6);
}

/* Together more than one may be: a list of all /8. */
static bool
are_wide(const struct conf_listen *l)
{
	uint64_t ip4 = 0, ip6 = 0;	/* addresses; /64 networks */

	for (size_t i = 0; i < l->nrelay_from; i++) {
		const struct prefix *p = &l->relay_from[i];
		unsigned bits = p->bits - wrapping(p);

		if (is_private(p))
			continue;
		if (p->addr.family == 4 || bits < p->bits)
			ip4 += bits < 32 ? 1ull << (32 - bits) : 1;
		else
			ip6 += bits < 64 ? 1ull << (64 - bits) : 1;
	}
	return ip4 > 1ull << (32 - WIDE_IP4) || ip6 > 1ull << (64 - WIDE_IP6);
}

static void
open_relays(const struct conf *c, struct conf_notes *notes)
{
	char ip[ADDR_TEXT_SIZE];
	struct conf_place at;

	for (size_t i = 0; i < c->nlistens; i++) {
		const struct conf_listen *l = &c->listens[i];
		bool said = false;

		if (addr_is_loopback(&l->address))
			continue;
		conf_where(c, "listen", "relay-from", l->label, &at);
		for (size_t j = 0; j < l->nrelay_from; j++) {
			const struct prefix *p = &l->relay_from[j];

			if (!is_wide(p))
				continue;
			said = true;
			conf_warn(notes, at, "listen \"%.64s\" is an open "
			    "relay: everyone in %s/%u may send to anywhere; "
			    "name your own networks only", l->label,
			    addr_ip_text(&p->addr, ip), p->bits);
		}
		if (!said && are_wide(l))
			conf_warn(notes, at, "listen \"%.64s\" is nearly an "
			    "open relay: the networks in relay-from are more "
			    "than a /%d together; name your own only",
			    l->label, WIDE_IP4);
	}
}

/* Mail for all of a top-level domain, or for all domains. */
static void
open_domains(const struct conf *c, struct conf_notes *notes)
{
	for (size_t i = 0; i < c->naccepts; i++) {
		const struct conf_accept *a = &c->accepts[i];
		const char *name = a->pattern;

		if (name[0] != '*' || a->to.kind == HOP_DISCARD ||
		    (name[1] == '.' && strchr(name + 2, '.') != NULL))
			continue;
		conf_warn(notes, (struct conf_place){ c->file, 1, 1 },
		    "accept domain \"%.64s\" is an open relay: mail for other "
		    "people's domains is taken from anyone", name);
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
	conf_where(c, "limits", "hops", NULL, &at);
	if (c->limits.hops < HOPS_MIN)
		conf_warn(notes, at, "fewer than %d hops: mail through lists "
		    "and filters may need them (RFC 5321 sec 6.3)", HOPS_MIN);
	conf_where(c, "limits.timeout", "command", NULL, &at);
	if (c->limits.timeout.command < PATIENCE_MIN)
		conf_warn(notes, at, "less than 5m: slow senders may count on "
		    "that (RFC 5321 sec 4.5.3.2.7)");
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

/* RFC 5321 sec 4.5.1 */
static void
postmaster(const struct conf *c, struct conf_notes *notes)
{
	struct span domain = span_str(c->postmaster);
	const struct conf_accept *a;
	bool public = false;
	struct conf_place at;

	for (size_t i = 0; i < c->nlistens; i++)
		public = public || !addr_is_loopback(&c->listens[i].address);
	conf_where(c, "", "postmaster", NULL, &at);
	if (domain.n == 0 && public)
		conf_warn(notes, at, "nobody gets the mail of <Postmaster>, "
		    "which must be taken wherever mail is (RFC 5321 sec 4.5.1): "
		    "set `postmaster`");
	if (domain.n == 0)
		return;
	(void)span_cut(&domain, '@');
	a = conf_accept_for(c, domain);
	if (a == NULL && span_eq(domain, span_str(c->hostname)))
		conf_warn(notes, at, "mail for postmaster comes back to this "
		    "relay: accept has no domain \"%s\"", c->hostname);
	if (a != NULL && a->to.kind == HOP_DISCARD)
		conf_warn(notes, at, "mail for postmaster is thrown away: \"%s\" "
		    "goes to discard:", a->pattern);
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
	open_domains(c, notes);
	loopback(c, notes);
	dead_ends(c, notes);
	clients(c, notes);
	limits(c, notes);
	retries(c, notes);
	name(c, notes);
	postmaster(c, notes);
}
