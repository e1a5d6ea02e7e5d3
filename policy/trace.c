/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/trace.c - see policy/trace.h. */
#include "policy/trace.h"

#include <stdio.h>

#include "base/clock.h"
#include "policy/prober.h"
#include "policy/sentence.h"

#define SHOWN_MAX	100	/* records of an answer, lines of a policy */

static const char *const rules[] = {
	[PLAN_MX] = "mx", [PLAN_HOST] = "host", [PLAN_ADDRESS] = "address",
	[PLAN_UNIX] = "socket", [PLAN_DISCARD] = "discard",
	[PLAN_NONSENSE] = "none",
};

static void
set(json_t *to, const char *key, json_t *value)
{
	(void)json_object_set_new(to, key, value);
}

/* What is not UTF-8 is not shown. */
static json_t *
text(const char *s)
{
	json_t *j = s[0] == '\0' ? NULL : json_string(s);

	return j == NULL ? json_null() : j;
}

static json_t *
time_json(uint64_t s)
{
	char out[CLOCK_RFC3339_SIZE];

	clock_rfc3339(s * 1000, false, out);
	return json_string(out);
}

static json_t *
source(const struct conf *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->dns.nforward; i++)
		(void)json_array_append_new(list,
		    json_string(c->dns.forward[i]));
	return list;
}

void
trace_begin(struct route *r)
{
	const struct route_plan *p = &r->plan;
	json_t *t = r->trace = json_object();

	set(t, "domain", text(r->domain));
	set(t, "rule", json_string(rules[p->kind]));
	set(t, "next_hop", text(p->name));
	set(t, "by_configuration", json_boolean(p->by_operator));
	set(t, "forwarders", source(r->world->conf));
	set(t, "resolver", prober_json(r->world->prober));
	set(t, "lookups", json_array());
	set(t, "sts", json_null());
	set(t, "hosts", json_array());
}

/* ---- the DNS ---- */

static const char *
type_name(uint16_t type)
{
	switch (type) {
	case DNS_TYPE_A: return "A";
	case DNS_TYPE_AAAA: return "AAAA";
	case DNS_TYPE_MX: return "MX";
	case DNS_TYPE_CNAME: return "CNAME";
	case DNS_TYPE_TXT: return "TXT";
	default: return "TLSA";
	}
}

static json_t *
record(const struct dns_rr *rr)
{
	char ip[ADDR_TEXT_SIZE], tlsa[TLSA_TEXT_SIZE];
	struct addr a;
	struct tlsa t;

	switch (rr->type) {
	case DNS_TYPE_A:
		addr_from_ip4(&a, rr->ip);
		return json_string(addr_ip_text(&a, ip));
	case DNS_TYPE_AAAA:
		addr_from_ip6(&a, rr->ip);
		return json_string(addr_ip_text(&a, ip));
	case DNS_TYPE_MX:
		return json_sprintf("%u %s", rr->pref, rr->name[0] == '\0' ?
		    "." : rr->name);
	case DNS_TYPE_TLSA:
		tlsa_read(span_of(rr->data, rr->data_len), &t);
		return json_string(tlsa_text(&t, tlsa));
	default:
		return json_string(rr->name);
	}
}

void
trace_answer(struct route *r, const char *name, uint16_t type,
    const struct dns_answer *a)
{
	json_t *one, *list;

	if (r->trace == NULL)
		return;
	list = json_array();
	for (size_t i = 0; i < a->n && i < SHOWN_MAX; i++)
		(void)json_array_append_new(list, record(&a->rrs[i]));
	one = json_pack("{s:s, s:s, s:s, s:i, s:I, s:o, s:o, s:o}",
	    "name", name, "type", type_name(type),
	    "dnssec", dns_status_name(a->status), "rcode", a->rcode,
	    "ttl", (json_int_t)a->ttl, "canonical", text(a->canonical),
	    "reason", text(a->why), "records", list);
	(void)json_array_append_new(json_object_get(r->trace, "lookups"), one);
}

void
trace_tlsa_answer(const struct candidate *c, const struct dns_answer *a)
{
	char name[DNS_NAME_SIZE + sizeof("_65535._tcp.")];

	(void)snprintf(name, sizeof(name), "_%u._tcp.%s", c->host.port,
	    c->bases[c->base_at]);
	trace_answer(c->route, name, DNS_TYPE_TLSA, a);
}

/* ---- policies ---- */

void
trace_sts(struct route *r, const struct sts_answer *a)
{
	const struct sts_entry *e = a->entry;
	uint64_t now = clock_wall_ms() / 1000;
	json_t *o;

	if (r->trace == NULL)
		return;
	o = json_object();
	set(o, "record", json_string(a->record_error ? "error" :
	    sts_record_name(a->record)));
	set(o, "reason", text(a->failure));
	set(o, "mode", e == NULL ? json_null() :
	    json_string(sts_mode_name(e->policy.mode)));
	set(o, "id", e == NULL ? json_null() : text(e->id));
	set(o, "fetched", e == NULL ? json_null() : time_json(e->fetched));
	set(o, "age", e == NULL ? json_null() : json_integer(
	    now > e->fetched ? (json_int_t)(now - e->fetched) : 0));
	set(o, "expires", e == NULL ? json_null() : time_json(e->expires));
	set(r->trace, "sts", o);
}

void
trace_tlsa(struct candidate *c, const struct tlsa *v, size_t n)
{
	static const char *const uses[] = { [TLSA_USED] = "used",
	    [TLSA_WEAKER] = "weaker", [TLSA_UNUSABLE] = "unusable" };
	char out[TLSA_TEXT_SIZE];

	if (c->route->trace == NULL)
		return;
	if (c->trace_tlsa == NULL)
		c->trace_tlsa = json_array();
	for (size_t i = 0; i < n && i < SHOWN_MAX; i++)
		(void)json_array_append_new(c->trace_tlsa, json_pack(
		    "{s:s, s:s, s:o}", "record", tlsa_text(&v[i], out),
		    "use", uses[v[i].use], "reason", text(v[i].why)));
}

/* ---- hosts ---- */

static json_t *
addresses(const struct candidate *c)
{
	json_t *list = json_array();
	char out[ADDR_TEXT_SIZE];

	for (int f = 0; f < FAMILIES; f++)
		for (size_t i = 0; i < c->nfound[f]; i++)
			(void)json_array_append_new(list, json_string(
			    addr_ip_text(&c->found[f][i], out)));
	return list;
}

static const char *
dane_word(enum dane_found d)
{
	static const char *const words[] = { [DANE_ABSENT] = "none",
	    [DANE_USED] = "used", [DANE_NONE_USED] = "unusable",
	    [DANE_LOST] = "error" };

	return words[d];
}

void
trace_host(struct candidate *c, const struct evidence *e,
    const struct decision *d)
{
	struct route *r = c->route;
	char out[SENTENCE_SIZE];
	struct exception x;
	json_t *o;

	if (r->trace == NULL)
		return;
	o = json_pack("{s:s, s:i, s:i, s:o, s:o, s:s, s:b}", "name",
	    c->host.name, "preference", c->host.preference, "port",
	    c->host.port, "addresses", addresses(c), "tlsa_base",
	    text(c->host.base), "dane", dane_word(c->dane),
	    "mx_secure", e->mx_secure);
	set(o, "tlsa", c->trace_tlsa == NULL ? json_array() :
	    json_incref(c->trace_tlsa));
	set(o, "sts_lists", e->sts == STS_NONE ? json_null() :
	    json_boolean(e->sts_allows));
	set(o, "memory", c->host.is_unix || r->world->watch == NULL ?
	    json_null() : watch_json(r->world->watch, c->host.name,
	    r->plan.name));
	set(o, "rule", e->require == LEVEL_NONE && e->permit == LEVEL_NONE ?
	    json_null() : json_pack("{s:s, s:s}", "require",
	    level_name(e->require), "permit", level_name(e->permit)));
	set(o, "asked", json_string(level_name(d->asked)));
	set(o, "why", json_string(why_name(d->why)));
	set(o, "barred", json_boolean(d->barred));
	set(o, "exception", route_excepted(c, &x) ? exception_json(&x) :
	    json_null());
	set(o, "decision", json_string(c->dane == DANE_LOST && !d->waived ?
	    "no mail for now: whether it has TLSA records could not be "
	    "learnt" : sentence(e, d, out)));
	(void)json_array_append_new(json_object_get(r->trace, "hosts"), o);
}

/* In one sentence for all of them: what the best host that is tried gets. */
static const char *
in_one(const struct route *r, char out[SENTENCE_SIZE + 300])
{
	const struct route_result *a = &r->result;
	const json_t *host;
	size_t i;

	if (a->discard)
		return "Mail is taken and thrown away.";
	if (a->code != 250) {
		(void)snprintf(out, SENTENCE_SIZE + 300, "%s: %s.",
		    a->code >= 500 ? "Mail is returned" : "Mail waits",
		    a->text);
		return out;
	}
	json_array_foreach(json_object_get(r->trace, "hosts"), i, host) {
		const char *name = json_string_value(json_object_get(host,
		    "name"));

		if (name == NULL || strcmp(name, a->hosts[0].name) != 0)
			continue;
		(void)snprintf(out, SENTENCE_SIZE + 300, "Mail goes to %s%s: "
		    "%s.", name, a->nhosts > 1 ? " first" : "",
		    json_string_value(json_object_get(host, "decision")));
		return out;
	}
	return "Mail goes out.";
}

void
trace_end(struct route *r)
{
	char out[SENTENCE_SIZE + 300];
	json_t *tried;

	if (r->trace == NULL)
		return;
	tried = json_array();
	for (size_t i = 0; i < r->result.nhosts; i++)
		(void)json_array_append_new(tried,
		    text(r->result.hosts[i].name));
	set(r->trace, "tried", tried);
	set(r->trace, "code", json_integer(r->result.code));
	set(r->trace, "dsn", text(r->result.dsn));
	set(r->trace, "text", text(r->result.text));
	set(r->trace, "decision", text(in_one(r, out)));
}
