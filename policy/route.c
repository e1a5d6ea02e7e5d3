/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/route.c - see policy/route.h.
 *
 *	plan ─┬─ discard, nonsense ──────────────────────────────┐
 *	      ├─ address, socket ────────────────────────┐       │
 *	      ├─ host ────────────────────┐              │       │
 *	      ├─ MX question ── hosts ── A and AAAA ── finish ── done
 *	      └─ policy question ──────────────────────┘
 *
 * What the answers mean is in mx.c, route_filter.c and verdict(); which level
 * is asked of a host is in route_policy.c. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "policy/trace.h"

static const uint16_t family_type[FAMILIES] = {
	[V6] = DNS_TYPE_AAAA,
	[V4] = DNS_TYPE_A,
};

/* ---- the end ---- */

static void
route_free(struct route *r)
{
	const struct dns_lookup *l = &r->world->lookup;

	if (r->mx_query != NULL)
		l->ops->cancel(l->ctx, r->mx_query);
	for (size_t i = 0; i < r->ncands; i++) {
		for (int f = 0; f < FAMILIES; f++)
			if (r->cands[i].query[f] != NULL)
				l->ops->cancel(l->ctx, r->cands[i].query[f]);
		json_decref(r->cands[i].trace_tlsa);
		route_dane_free(&r->cands[i]);
	}
	route_policy_free(r);
	json_decref(r->trace);
	free(r->cands);
	free(r->result.hosts);
	conf_release(&r->conf);
	free(r);
}

static void
route_done(struct route *r)
{
	struct route_result *a = &r->result;

	trace_end(r);
	a->trace = r->trace;
	log_debug("route", KV_S("domain", r->domain), KV_S("policy-domain", a->domain),
	    KV_N("code", a->code), KV_S("dsn", a->dsn),
	    KV_S("mx-dnssec", dns_status_name(a->mx_secure)),
	    KV_S("site", a->site_name), KV_N("hosts", a->nhosts),
	    KV_Q("text", a->text));
	r->over = true;
	r->done(r->arg, a);
	if (!r->starting)
		route_free(r);
}

static void
succeed(struct route *r)
{
	r->result.code = 250;
	(void)span_copy(SPAN_LIT("2.0.0"), r->result.dsn, sizeof(r->result.dsn));
	route_done(r);
}

static void	fail(struct route *, int code, const char *dsn,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void
fail(struct route *r, int code, const char *dsn, const char *fmt, ...)
{
	va_list ap;

	r->result.code = code;
	(void)span_copy(span_str(dsn), r->result.dsn, sizeof(r->result.dsn));
	va_start(ap, fmt);
	(void)vsnprintf(r->result.text, sizeof(r->result.text), fmt, ap);
	va_end(ap);
	route_done(r);
}

/* The DNS denies a name.  One that a sender wrote is answered for good; one
 * that our operator wrote is a slip of his and waits until it is mended. */
static void
deny(struct route *r, const char *dsn, const char *what)
{
	if (r->plan.by_operator)
		fail(r, 451, "4.3.5", "The configured next hop %s %s",
		    r->plan.name, what);
	else
		fail(r, 550, dsn, "Domain %s %s", r->plan.name, what);
}

static void
loop(struct route *r)
{
	if (r->plan.by_operator)
		deny(r, "5.4.6", "is this host itself");
	else
		fail(r, 554, "5.4.6", "Mail for %s loops back to this host",
		    r->plan.name);
}

static void
no_memory(struct route *r)
{
	fail(r, 451, "4.3.0", "No memory to look up a route");
}

/* ---- the verdict ---- */

static bool
barred_by_rule(const struct route *r)
{
	for (size_t i = 0; i < r->ncands; i++)
		if (r->cands[i].barred && r->cands[i].host.why == WHY_RULE)
			return true;
	return false;
}

/* No host is left: who is to blame decides between waiting and giving up.
 * What may be mended comes first, above all a better host whose name server
 * is down while we ourselves are the next. */
static void
verdict(struct route *r, bool trouble, bool special, bool barred, bool unproven)
{
	const char *name = r->plan.name;

	if (barred && barred_by_rule(r))
		fail(r, 451, "4.7.0", "The configuration asks more than the "
		    "hosts of %s can prove", name);
	else if (barred)
		fail(r, 451, "4.7.0", "The MTA-STS policy of %s allows none of "
		    "the hosts that could be tried", name);
	else if (trouble)
		fail(r, 451, "4.4.3",
		    "DNS look-up failed for the mail hosts of %s", name);
	else if (special)
		fail(r, 451, "4.4.4", "The mail hosts of %s have loopback or "
		    "private addresses only", name);
	else if (unproven && r->sts_lost)
		fail(r, 451, "4.7.30", "REQUIRETLS needs the MTA-STS policy of "
		    "%s, which can not be had now", name);
	else if (unproven)
		fail(r, 550, "5.7.30", "REQUIRETLS needs hosts that prove who "
		    "they are, and neither DNSSEC nor MTA-STS names those of "
		    "%s", name);
	else if (r->cut)
		loop(r);
	else if (r->off)
		deny(r, "5.4.4", r->plan.sending->protocols == PROTOCOLS_IP4 ?
		    "has no IPv4 address, and IPv6 is off here" :
		    "has no IPv6 address, and IPv4 is off here");
	else if (r->plan.kind == PLAN_HOST)
		deny(r, "5.4.4", "has no address records");
	else if (r->implicit)
		deny(r, "5.1.2", "has neither MX nor address records");
	else
		deny(r, "5.4.4", "has MX records, but none of the hosts exists");
}

static void
finish(struct route *r)
{
	bool trouble, special, barred = false, unproven = false;
	size_t n = 0;

	route_policy_apply(r);
	if (r->no_memory || route_set_identity(r) == -1) {
		no_memory(r);
		return;
	}
	route_filter(r, &trouble, &special);
	r->result.hosts = calloc(r->ncands + 1, sizeof(*r->result.hosts));
	if (r->result.hosts == NULL) {
		no_memory(r);
		return;
	}
	for (size_t i = 0; i < r->ncands; i++) {
		const struct candidate *c = &r->cands[i];

		if (c->host.naddrs == 0 && !c->host.is_unix)
			continue;
		/* RFC 7672 sec 2.2: never to it without knowing. */
		if (c->dane == DANE_LOST) {
			trouble = true;
			continue;
		}
		if (!c->barred)
			r->result.hosts[n++] = c->host;
		else if (c->host.why == WHY_REQUIRETLS)
			unproven = true;
		else
			barred = true;
	}
	r->result.nhosts = n;
	if (n == 0) {
		verdict(r, trouble, special, barred, unproven);
		return;
	}
	succeed(r);
}

void
route_answered(struct route *r)
{
	if (--r->pending == 0)
		finish(r);
}

/* ---- addresses ---- */

static struct candidate *
candidate_set(struct route *r, size_t at, const struct mx_host *h)
{
	struct candidate *c = &r->cands[at];

	c->route = r;
	memcpy(c->host.name, h->name, sizeof(c->host.name));
	c->host.preference = h->preference;
	c->host.port = r->plan.port;
	return c;
}

static void
take_addresses(struct candidate *c, int f, const struct dns_answer *a)
{
	struct route *r = c->route;

	c->query[f] = NULL;
	trace_answer(r, c->host.name, family_type[f], a);
	log_debug("mx-address", KV_S("domain", r->domain),
	    KV_S("mx", c->host.name), KV_S("family", f == V6 ? "6" : "4"),
	    KV_S("dnssec", dns_status_name(a->status)), KV_N("rcode", a->rcode),
	    KV_N("records", a->n));
	/* RFC 7672 sec 2.1.2: an error here costs this host, not the others. */
	if (a->status < DNS_INSECURE)
		c->trouble = true;
	for (size_t i = 0; i < a->n && c->nfound[f] < ROUTE_ADDRS_MAX; i++) {
		struct addr *to = &c->found[f][c->nfound[f]++];

		if (f == V6)
			addr_from_ip6(to, a->rrs[i].ip);
		else
			addr_from_ip4(to, a->rrs[i].ip);
	}
	if (!r->plan.by_operator && self_named(r->world->self, a->canonical))
		c->self = true;		/* an alias of ourselves */
	route_dane_note(c, a);
	if (c->query[V4] == NULL && c->query[V6] == NULL)
		route_dane_ask(c);
	route_answered(r);
}

static void
on_v6(void *arg, const struct dns_answer *a)
{
	take_addresses(arg, V6, a);
}

static void
on_v4(void *arg, const struct dns_answer *a)
{
	take_addresses(arg, V4, a);
}

static void
ask_addresses(struct route *r)
{
	const struct dns_lookup *l = &r->world->lookup;
	static dns_answer_cb *const cb[FAMILIES] = { on_v6, on_v4 };

	for (size_t i = 0; i < r->ncands; i++) {
		struct candidate *c = &r->cands[i];

		for (int f = 0; f < FAMILIES; f++) {
			c->query[f] = l->ops->ask(l->ctx, c->host.name,
			    family_type[f], cb[f], c);
			if (c->query[f] != NULL)
				r->pending++;
			else
				c->trouble = true;
		}
	}
	/* An answer of the MX question, or the start, counts until here. */
	route_answered(r);
}

/* ---- MX ---- */

static void
take_hosts(struct route *r, struct mx_set *s)
{
	size_t n = s->n < ROUTE_HOSTS_MAX ? s->n : ROUTE_HOSTS_MAX;

	r->cut = s->cut;
	r->implicit = s->kind == MX_IMPLICIT;
	r->cands = calloc(n, sizeof(*r->cands));
	if (r->cands == NULL || route_set_site(r, s->hosts, s->n) == -1) {
		no_memory(r);
		return;
	}
	mx_shuffle(s->hosts, s->n, &r->world->seed);
	for (size_t i = 0; i < n; i++)
		(void)candidate_set(r, i, &s->hosts[i]);
	r->ncands = n;
	ask_addresses(r);
}

static void
judge_mx(struct route *r, struct mx_set *s, const struct dns_answer *a)
{
	const char *name = r->plan.name;

	switch (s->kind) {
	case MX_HOSTS:
	case MX_IMPLICIT:
		take_hosts(r, s);
		return;
	case MX_NULL:			/* RFC 7505 sec 3 and 4 */
		if (r->plan.by_operator)
			deny(r, "5.1.10", "accepts no mail (null MX)");
		else
			fail(r, 556, "5.1.10",
			    "Domain %s accepts no mail (null MX)", name);
		return;
	case MX_NO_DOMAIN:
		deny(r, "5.1.2", "does not exist");
		return;
	case MX_UNUSABLE:
		deny(r, "5.4.4", "has MX records without any host name");
		return;
	case MX_LOOP:
		loop(r);
		return;
	case MX_TROUBLE:
	case MX_KIND_COUNT:
		break;
	}
	fail(r, 451, "4.4.3", "DNS look-up of MX for %s failed: %s%s", name,
	    a->status == DNS_BOGUS ? "DNSSEC validation: " : "", a->why);
}

static void
on_mx(void *arg, const struct dns_answer *a)
{
	struct route *r = arg;
	struct mx_set s;

	r->mx_query = NULL;
	trace_answer(r, r->plan.name, DNS_TYPE_MX, a);
	r->result.mx_secure = a->status;
	if (a->status == DNS_SECURE && strcmp(a->canonical, r->plan.name) != 0)
		(void)span_copy(span_str(a->canonical), r->result.expanded,
		    sizeof(r->result.expanded));
	if (mx_read(a, r->plan.name, r->world->self, &s) == -1) {
		no_memory(r);
		return;
	}
	if (s.odd > 0)
		log_info("mx-name-skipped", KV_S("domain", r->domain),
		    KV_N("records", s.odd));
	judge_mx(r, &s, a);
	mx_free(&s);
}

/* ---- start ---- */

static void
start_single(struct route *r)
{
	struct mx_host only = { .preference = 0 };
	struct candidate *c;

	memcpy(only.name, r->plan.name, sizeof(only.name));
	r->cands = calloc(1, sizeof(*r->cands));
	if (r->cands == NULL || route_set_site(r, &only, 1) == -1) {
		no_memory(r);
		return;
	}
	c = candidate_set(r, 0, &only);
	r->ncands = 1;
	r->pending++;
	if (r->plan.kind == PLAN_HOST) {
		ask_addresses(r);
		return;
	}
	if (r->plan.kind == PLAN_UNIX) {
		c->host.is_unix = true;
		route_answered(r);
		return;
	}
	c->found[V4][0] = r->plan.addr;	/* one address: its order is no matter */
	c->nfound[V4] = 1;
	route_answered(r);
}

static void
start_mx(struct route *r)
{
	const struct dns_lookup *l = &r->world->lookup;

	r->mx_query = l->ops->ask(l->ctx, r->plan.name, DNS_TYPE_MX, on_mx, r);
	r->pending++;
	if (r->mx_query == NULL || route_policy_ask(r) == -1)
		fail(r, 451, "4.4.3", "Too many DNS look-ups at once");
}

static void
start(struct route *r)
{
	switch (r->plan.kind) {
	case PLAN_MX:
		start_mx(r);
		return;
	case PLAN_HOST:
	case PLAN_ADDRESS:
	case PLAN_UNIX:
		start_single(r);
		return;
	case PLAN_DISCARD:
		r->result.discard = true;
		succeed(r);
		return;
	case PLAN_NONSENSE:
		break;
	}
	fail(r, 550, "5.1.2", "%s is no domain", r->domain);
}

static struct route *
begin(struct route_world *w, struct span domain, enum tls_wish wish,
    bool traced, route_done_cb *done, void *arg)
{
	struct route *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		const struct route_result error = {
			.code = 451,
			.dsn = "4.3.0",
			.text = "No memory to look up a route",
		};

		done(arg, &error);
		return NULL;
	}
	r->world = w;
	r->wish = wish;
	r->done = done;
	r->arg = arg;
	(void)span_copy(domain, r->domain, sizeof(r->domain));
	if (dns_name_normalize(domain, r->rcpt) == -1)
		r->rcpt[0] = '\0';
	r->conf = conf_hold(w->conf);
	route_plan_make(r->conf, domain, &r->plan);
	(void)span_copy(span_str(r->plan.name[0] != '\0' ? r->plan.name :
	    r->domain), r->result.domain, sizeof(r->result.domain));
	r->result.mx_secure = DNS_INSECURE;
	r->result.connections = r->plan.connections;
	r->result.lmtp = r->plan.lmtp;
	r->result.found = !r->plan.by_operator;
	if (traced)
		trace_begin(r);
	r->starting = true;
	start(r);
	r->starting = false;
	if (r->over) {
		route_free(r);
		return NULL;
	}
	return r;
}

struct route *
route_start(struct route_world *w, struct span domain, enum tls_wish wish,
    route_done_cb *done, void *arg)
{
	return begin(w, domain, wish, false, done, arg);
}

struct route *
route_explain(struct route_world *w, struct span domain, route_done_cb *done,
    void *arg)
{
	return begin(w, domain, TLS_WISH_NONE, true, done, arg);
}

void
route_cancel(struct route **rp)
{
	struct route *r = *rp;

	*rp = NULL;
	if (r != NULL)
		route_free(r);
}
