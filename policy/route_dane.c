/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/route_dane.c - the TLSA records of each host; see
 * policy/route_priv.h.  RFC 7672 sec 2.2.2 (addresses first), sec 2.2.3 (TLSA
 * base domain), sec 2.2 (what an error means). */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "dane/tlsa.h"
#include "policy/trace.h"

#define LIST_MAX	8192	/* of the ROUTE message */

static bool
has_alias(const struct candidate *c)
{
	return c->canonical[0] != '\0' &&
	    strcmp(c->canonical, c->host.name) != 0;
}

/* Only addresses count: that there are none of one family changes nothing for
 * those of the other. */
void
route_dane_note(struct candidate *c, const struct dns_answer *a)
{
	if (a->n == 0)
		return;
	c->secure = c->secure || a->status == DNS_SECURE;
	c->insecure = c->insecure || a->status == DNS_INSECURE;
	memcpy(c->canonical, a->canonical, sizeof(c->canonical));
}

static void
lose(struct candidate *c, const char *name, const char *why)
{
	c->dane = DANE_LOST;
	log_warn("dane-lookup-failed", KV_S("domain", c->route->domain),
	    KV_S("mx", c->host.name), KV_S("name", name),
	    KV_Q("reason", why));
}

/* ---- records ---- */

static int
put_used(struct candidate *c, const struct tlsa *v, const struct dns_rr *rrs,
    size_t n)
{
	buf_init(&c->tlsa, LIST_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct ipc_tlsa m = {
			.rdata = span_of(rrs[i].data, rrs[i].data_len),
		};

		if (v[i].use == TLSA_USED && ipc_put_tlsa(&c->tlsa, &m) == -1)
			return -1;
	}
	c->host.tlsa = buf_get(&c->tlsa);
	return 0;
}

static void
tell_unusable(const struct candidate *c, const struct tlsa *v, size_t n)
{
	char text[TLSA_TEXT_SIZE];

	for (size_t i = 0; i < n && i < 4; i++)
		log_warn("dane-unusable", KV_S("domain", c->route->domain),
		    KV_S("mx", c->host.name), KV_S("base", c->host.base),
		    KV_Q("record", tlsa_text(&v[i], text)),
		    KV_Q("reason", v[i].why));
}

static void
take_records(struct candidate *c, const struct dns_answer *a)
{
	struct tlsa *v = calloc(a->n, sizeof(*v));

	if (v == NULL) {
		lose(c, c->bases[c->base_at], "no memory");
		return;
	}
	for (size_t i = 0; i < a->n; i++)
		tlsa_read(span_of(a->rrs[i].data, a->rrs[i].data_len), &v[i]);
	memcpy(c->host.base, c->bases[c->base_at], sizeof(c->host.base));
	c->dane = tlsa_choose(v, a->n) > 0 ? DANE_USED : DANE_NONE_USED;
	trace_tlsa(c, v, a->n);
	if (c->dane == DANE_NONE_USED)
		tell_unusable(c, v, a->n);
	else if (put_used(c, v, a->rrs, a->n) == -1)
		lose(c, c->host.base, "too many TLSA records");
	free(v);
}

/* ---- questions ---- */

static void	ask_tlsa(struct candidate *);

static void
on_tlsa(void *arg, const struct dns_answer *a)
{
	struct candidate *c = arg;
	struct route *r = c->route;

	c->tlsa_query = NULL;
	trace_tlsa_answer(c, a);
	log_debug("tlsa", KV_S("domain", r->domain), KV_S("mx", c->host.name),
	    KV_S("base", c->bases[c->base_at]),
	    KV_S("dnssec", dns_status_name(a->status)),
	    KV_N("records", a->n));
	if (a->status < DNS_INSECURE) {
		lose(c, c->bases[c->base_at], a->why);
	} else if (a->status == DNS_SECURE && a->n > 0) {
		take_records(c, a);
	} else {
		/* Absence is an answer; the other name may have some. */
		c->base_at++;
		ask_tlsa(c);
	}
	route_answered(r);
}

static void
ask_tlsa(struct candidate *c)
{
	const struct dns_lookup *l = &c->route->world->lookup;
	char name[DNS_NAME_SIZE + sizeof("_65535._tcp.")];

	for (; c->base_at < c->nbases; c->base_at++) {
		(void)snprintf(name, sizeof(name), "_%u._tcp.%s", c->host.port,
		    c->bases[c->base_at]);
		if (!dns_name_valid(span_str(name)))
			continue;	/* too long to have any */
		c->tlsa_query = l->ops->ask(l->ctx, name, DNS_TYPE_TLSA,
		    on_tlsa, c);
		if (c->tlsa_query == NULL)
			lose(c, name, "too many DNS look-ups at once");
		else
			c->route->pending++;
		return;
	}
}

static void
add_base(struct candidate *c, const char *name)
{
	(void)span_copy(span_str(name), c->bases[c->nbases++],
	    sizeof(c->bases[0]));
}

/* The addresses are insecure, but is the alias itself signed?  Then its own
 * name may still have records (sec 2.1.3, sec 2.2.2). */
static void
on_alias(void *arg, const struct dns_answer *a)
{
	struct candidate *c = arg;

	c->alias_query = NULL;
	trace_answer(c->route, c->host.name, DNS_TYPE_CNAME, a);
	if (a->status < DNS_INSECURE) {
		lose(c, c->host.name, a->why);
	} else if (a->status == DNS_SECURE && a->n > 0) {
		add_base(c, c->host.name);
		ask_tlsa(c);
	}
	route_answered(c->route);
}

static void
ask_alias(struct candidate *c)
{
	const struct dns_lookup *l = &c->route->world->lookup;

	c->alias_query = l->ops->ask(l->ctx, c->host.name, DNS_TYPE_CNAME,
	    on_alias, c);
	if (c->alias_query == NULL)
		lose(c, c->host.name, "too many DNS look-ups at once");
	else
		c->route->pending++;
}

/* A name that DANE knows: no literal, no socket, no LMTP; and a message whose
 * sender has not waived it (RFC 8689 sec 4.2.2). */
static bool
may_have(const struct route *r)
{
	return r->conf->policy.dane && !r->plan.lmtp &&
	    r->wish != TLS_WISH_OPTIONAL &&
	    (r->plan.kind == PLAN_MX || r->plan.kind == PLAN_HOST);
}

void
route_dane_ask(struct candidate *c)
{
	if (!may_have(c->route) || c->nfound[V4] + c->nfound[V6] == 0)
		return;
	if (c->secure && !c->insecure) {
		if (has_alias(c))
			add_base(c, c->canonical);
		add_base(c, c->host.name);
		ask_tlsa(c);
	} else if (c->insecure && has_alias(c)) {
		ask_alias(c);
	}
}

void
route_dane_free(struct candidate *c)
{
	const struct dns_lookup *l = &c->route->world->lookup;

	if (c->alias_query != NULL)
		l->ops->cancel(l->ctx, c->alias_query);
	if (c->tlsa_query != NULL)
		l->ops->cancel(l->ctx, c->tlsa_query);
	buf_free(&c->tlsa);
}
