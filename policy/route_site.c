/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/route_site.c - which mail goes together; see policy/route_priv.h. */
#include "policy/route_priv.h"

#include <inttypes.h>

/* Bytes that the site's lines are hashed from: a set of the most hosts that an
 * answer can hold. */
#define SITE_TEXT_MAX	(DNS_ANSWER_RRS * (DNS_NAME_SIZE + 32))

/* What makes a connection another one although the hosts are the same. */
static void
sending_add(struct buf *b, const struct route_plan *p)
{
	const struct conf_sending *s = p->sending;
	char ip4[ADDR_TEXT_SIZE], ip6[ADDR_TEXT_SIZE];

	(void)buf_printf(b, "%s %s %s %s %u\n", p->lmtp ? "lmtp" : "smtp",
	    s->ehlo_name, addr_ip_text(&s->source4, ip4),
	    addr_ip_text(&s->source6, ip6), s->protocols);
}

int
route_set_site(struct route *r, const struct mx_host *hosts, size_t n)
{
	struct buf b;
	int rc;

	buf_init(&b, SITE_TEXT_MAX);
	for (size_t i = 0; i < n; i++)
		(void)buf_printf(&b, "%u %s %u\n", hosts[i].preference,
		    hosts[i].name, r->plan.port);
	r->result.site = siphash(&r->world->key, buf_get(&b));
	(void)span_copy(span_str(hosts[0].name), r->result.site_name,
	    sizeof(r->result.site_name));
	rc = b.failed ? -1 : 0;
	buf_free(&b);
	return rc;
}

/* At the opportunistic level nothing of a session is checked against the
 * recipient domain, so that two domains with the same hosts may share
 * connections and even transactions, as they would share the hosts' mail
 * store.  A level that authenticates a peer for a domain puts that domain and
 * its evidence in here. */
int
route_set_identity(struct route *r)
{
	bool domain = false;
	struct buf b;
	int rc;

	buf_init(&b, SITE_TEXT_MAX);
	/* RFC 8689 sec 4.2.1: never over what was negotiated for less. */
	(void)buf_printf(&b, "identity %d\n", r->wish == TLS_WISH_REQUIRED);
	sending_add(&b, &r->plan);
	for (size_t i = 0; i < r->ncands; i++) {
		const struct route_host *h = &r->cands[i].host;

		(void)buf_printf(&b, "%u %s %u %s %s\n", h->preference,
		    h->name, h->port, level_name(h->asked), why_name(h->why));
		if (h->tlsa.n > 0)
			(void)buf_printf(&b, "%s %016" PRIx64 "\n", h->base,
			    siphash(&r->world->key, h->tlsa));
		domain = domain || h->asked > LEVEL_ENCRYPTED;
	}
	if (domain)
		(void)buf_printf(&b, "%s sts=%s\n", r->plan.name, r->sts_id);
	r->result.identity = siphash(&r->world->key, buf_get(&b));
	rc = b.failed ? -1 : 0;
	buf_free(&b);
	return rc;
}
