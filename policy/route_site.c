/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/route_site.c - which mail goes together; see policy/route_priv.h. */
#include "policy/decide.h"
#include "policy/route_priv.h"

/* Bytes that the site's lines are hashed from: a set of the most hosts that an
 * answer can hold. */
#define SITE_TEXT_MAX	(DNS_ANSWER_RRS * (DNS_NAME_SIZE + 32))

static void
line_add(struct buf *b, const struct mx_host *h, uint16_t port,
    const struct decision *d)
{
	(void)buf_printf(b, "%u %s %u", h->preference, h->name, port);
	if (d != NULL)
		(void)buf_printf(b, " %s %s", level_name(d->asked),
		    why_name(d->why));
	(void)buf_char(b, '\n');
}

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

/* The identity holds no recipient domain.  At the opportunistic level nothing
 * of a session is checked against the domain, so that two domains with the
 * same hosts may share connections and even transactions, as they would share
 * the hosts' mail store.  A level that authenticates a peer for a domain has to
 * put that domain and its evidence in here. */
int
route_set_site(struct route *r, const struct mx_host *hosts, size_t n)
{
	const struct decision d = decide_opportunistic();
	struct buf site, identity;
	int rc = -1;

	buf_init(&site, SITE_TEXT_MAX);
	buf_init(&identity, 2 * SITE_TEXT_MAX);
	(void)buf_str(&identity, "identity\n");
	sending_add(&identity, &r->plan);
	for (size_t i = 0; i < n; i++) {
		line_add(&site, &hosts[i], r->plan.port, NULL);
		line_add(&identity, &hosts[i], r->plan.port, &d);
	}
	if (!site.failed && !identity.failed) {
		r->result.site = siphash(&r->world->key, buf_get(&site));
		r->result.identity = siphash(&r->world->key,
		    buf_get(&identity));
		(void)span_copy(span_str(hosts[0].name), r->result.site_name,
		    sizeof(r->result.site_name));
		rc = 0;
	}
	buf_free(&site);
	buf_free(&identity);
	return rc;
}
