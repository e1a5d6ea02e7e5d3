/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/route_filter.c - which of the hosts found may be tried; see
 * policy/route_priv.h. */
#include "base/log.h"
#include "policy/route_priv.h"

/* Loopback and private addresses have no business in the public DNS: taking
 * them would let whoever owns a domain make us connect to our own network. */
static bool
refused(const struct route *r, const struct addr *a)
{
	return !r->plan.by_operator && !r->conf->allow_loopback &&
	    addr_is_special(a);
}

static void
drop_refused(struct route *r, struct candidate *c)
{
	size_t before = c->nfound[V6] + c->nfound[V4], left = 0;
	const struct addr *bad = NULL;
	char text[ADDR_TEXT_SIZE];

	for (int f = 0; f < FAMILIES; f++) {
		size_t kept = 0;

		for (size_t i = 0; i < c->nfound[f]; i++) {
			if (!refused(r, &c->found[f][i]))
				c->found[f][kept++] = c->found[f][i];
			else if (bad == NULL) {
				bad = &c->found[f][i];
				(void)addr_ip_text(bad, text);
			}
		}
		c->nfound[f] = kept;
		left += kept;
	}
	c->special = before > 0 && left == 0;
	if (bad != NULL)
		log_warn("mx-address-refused", KV_S("domain", r->domain),
		    KV_S("mx", c->host.name), KV_S("addr", text),
		    KV_N("refused", before - left), KV_N("left", left),
		    KV_Q("reason", "loopback or private, and allow-loopback is off"));
}

/* What the operator names by `to` or `via` may be another program on this
 * machine, told by its port; what the DNS names is a host. */
static bool
is_own_address(const struct route *r, const struct addr *a)
{
	const struct self *self = r->world->self;

	return self_listens(self, a, r->plan.port) ||
	    (!r->plan.by_operator && self_owns(self, a));
}

static void
find_self(struct route *r, struct candidate *c)
{
	for (int f = 0; f < FAMILIES; f++)
		for (size_t i = 0; i < c->nfound[f]; i++)
			if (is_own_address(r, &c->found[f][i]))
				c->self = true;
}

/* RFC 5321 sec 5.1 once more, now that aliases and addresses are known.  A
 * host that is us by a refused address is cut as well, or mail would go on to
 * a worse one; but it counts as refused, and the mail waits. */
static void
cut_self(struct route *r, bool *special)
{
	uint32_t least = UINT32_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < r->ncands; i++)
		if (r->cands[i].self && r->cands[i].host.preference < least)
			least = r->cands[i].host.preference;
	if (least == UINT32_MAX)
		return;
	r->cut = true;
	for (size_t i = 0; i < r->ncands; i++) {
		if (r->cands[i].host.preference < least)
			r->cands[kept++] = r->cands[i];
		else if (r->cands[i].self && r->cands[i].special)
			*special = true;
	}
	r->ncands = kept;
}

/* What `protocols` leaves out.  After cut_self(), which knows us by any
 * address.  An address that was spelt out needs no choice. */
static void
drop_protocol(struct route *r, struct candidate *c)
{
	static const int left_out[] = {
		[PROTOCOLS_IP4] = V6, [PROTOCOLS_IP6] = V4,
	};
	enum conf_protocols p = r->plan.sending->protocols;

	if (r->plan.kind == PLAN_ADDRESS || p <= PROTOCOLS_ANY ||
	    c->nfound[left_out[p]] == 0)
		return;
	c->nfound[left_out[p]] = 0;
	r->off = r->off || c->nfound[V6] + c->nfound[V4] == 0;
}

/* IPv6 first, then one of each in turn: a family that does not work costs one
 * attempt, not all of them. */
static void
interleave(struct candidate *c)
{
	struct route_host *h = &c->host;

	for (size_t i = 0; i < ROUTE_ADDRS_MAX; i++)
		for (int f = 0; f < FAMILIES; f++)
			if (i < c->nfound[f] && h->naddrs < ROUTE_ADDRS_MAX)
				h->addrs[h->naddrs++] = c->found[f][i];
}

void
route_filter(struct route *r, bool *trouble, bool *special)
{
	*trouble = *special = false;
	for (size_t i = 0; i < r->ncands; i++) {
		find_self(r, &r->cands[i]);
		drop_refused(r, &r->cands[i]);
	}
	cut_self(r, special);
	for (size_t i = 0; i < r->ncands; i++) {
		drop_protocol(r, &r->cands[i]);
		interleave(&r->cands[i]);
		*trouble = *trouble || r->cands[i].trouble;
		*special = *special || r->cands[i].special;
	}
}
