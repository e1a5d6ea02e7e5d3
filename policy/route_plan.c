/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/route_plan.c - see policy/route_plan.h. */
#include "policy/route_plan.h"

static void
plan_address(struct route_plan *p, const struct addr *a)
{
	char text[ADDR_TEXT_SIZE];

	p->kind = PLAN_ADDRESS;
	p->addr = *a;
	p->addr.port = 0;
	(void)span_copy(span_str(addr_ip_text(a, text)), p->name,
	    sizeof(p->name));
}

static void
plan_hop(struct route_plan *p, const struct conf_hop *hop,
    const struct conf *c)
{
	p->by_operator = true;
	p->lmtp = hop->lmtp;
	p->port = hop->port != 0 ? hop->port : c->relay.port;
	switch (hop->kind) {
	case HOP_DISCARD:
		p->kind = PLAN_DISCARD;
		return;
	case HOP_UNIX:
		p->kind = PLAN_UNIX;
		p->port = 0;
		(void)span_copy(span_str(hop->host), p->name, sizeof(p->name));
		return;
	case HOP_HOST:
		if (hop->literal.family != 0) {
			plan_address(p, &hop->literal);
			return;
		}
		p->kind = PLAN_HOST;
		break;
	case HOP_MX:
		p->kind = PLAN_MX;
		break;
	}
	if (dns_name_normalize(span_str(hop->host), p->name) == -1)
		p->kind = PLAN_NONSENSE;
}

static void
plan_domain(struct route_plan *p, struct span domain)
{
	struct addr literal = { 0 };

	if (dns_name_literal(domain, &literal))
		plan_address(p, &literal);
	else if (dns_name_normalize(domain, p->name) == 0)
		p->kind = PLAN_MX;
	else
		p->kind = PLAN_NONSENSE;
}

/* The first that matches: `to` of accept, `via` of the domain (which holds what
 * relay says unless it says otherwise), `via` of all else, the DNS. */
void
route_plan_make(const struct conf *c, struct span domain, struct route_plan *p)
{
	const struct conf_hop *hop = c->relay.has_via ? &c->relay.via : NULL;
	const struct conf_relay_domain *relay;
	const struct conf_accept *accept;
	char name[DNS_NAME_SIZE];

	if (dns_name_normalize(domain, name) == 0)
		domain = span_str(name);
	accept = conf_accept_for(c, domain);
	relay = conf_relay_for(c, domain);
	*p = (struct route_plan){
		.port = c->relay.port,
		.connections = c->relay.connections,
		.sending = conf_sending_for(c, domain),
	};
	if (relay != NULL) {
		hop = relay->has_via ? &relay->via : NULL;
		p->connections = relay->connections;
	}
	if (accept != NULL)
		hop = &accept->to;
	if (hop != NULL)
		plan_hop(p, hop, c);
	else
		plan_domain(p, domain);
}
