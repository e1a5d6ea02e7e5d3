/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/route_policy.c - what the domain's policy asks of each host, and
 * which hosts it bars; see policy/route_priv.h.  The rule is decide.c's. */
#include "base/log.h"
#include "policy/decide.h"
#include "policy/trace.h"

/* RFC 8461 sec 3.4: of a smart host its own policy counts, not that of the
 * recipients; without MX records there is nothing that a policy could list.
 * RFC 8689 sec 4.2.2: who waives TLS waives it. */
static bool
has_policy(const struct route *r)
{
	return r->world->sts != NULL && r->plan.kind == PLAN_MX &&
	    r->wish != TLS_WISH_OPTIONAL;
}

static void
on_sts(void *arg, const struct sts_answer *a)
{
	struct route *r = arg;

	r->sts_ask = NULL;
	r->sts_lost = a->entry == NULL &&
	    (a->record_error || a->failure[0] != '\0');
	trace_sts(r, a);
	log_debug("sts", KV_S("domain", r->plan.name),
	    KV_S("record", a->record_error ? "error" :
	    sts_record_name(a->record)),
	    KV_S("mode", a->entry == NULL ? "-" :
	    sts_mode_name(a->entry->policy.mode)),
	    KV_Q("reason", a->failure));
	if (a->entry != NULL) {
		r->sts.mode = a->entry->policy.mode;
		r->sts.nmx = a->entry->policy.nmx;
		memcpy(r->sts_id, a->entry->id, sizeof(r->sts_id));
		if (buf_span(&r->sts.mx, buf_get(&a->entry->policy.mx)) == -1)
			r->no_memory = true;
	}
	route_answered(r);
}

int
route_policy_ask(struct route *r)
{
	buf_init(&r->sts.mx, (size_t)STS_POLICY_MAX * 4);
	if (!has_policy(r))
		return 0;
	r->sts_ask = sts_ask(r->world->sts, r->plan.name, on_sts, r);
	/* "_mta-sts." before it is too long a name: it cannot have one. */
	if (r->sts_ask == NULL)
		return strlen(r->plan.name) > STS_DOMAIN_MAX ? 0 : -1;
	r->pending++;
	return 0;
}

void
route_policy_free(struct route *r)
{
	sts_cancel(&r->sts_ask);
	buf_free(&r->sts.mx);
}

/* Named in testing as well, where nothing follows from it. */
static void
tell_mismatch(const struct route *r, const struct candidate *c)
{
	log_warn("sts-mx-mismatch", KV_S("domain", r->plan.name),
	    KV_S("mx", c->host.name), KV_S("mode", sts_mode_name(r->sts.mode)),
	    KV_S("id", r->sts_id));
}

/* A mail store of our operator's: RFC 8689 ends at it. */
static bool
is_final(const struct route *r)
{
	return r->plan.kind == PLAN_UNIX || (r->plan.lmtp &&
	    r->plan.kind == PLAN_ADDRESS && addr_is_loopback(&r->plan.addr));
}

/* The operator wants less than the domain publishes: its records bind nobody,
 * and are no loss. */
static void
waive(struct candidate *c)
{
	c->host.tlsa = SPAN_NONE;
	c->host.base[0] = '\0';
	c->dane = DANE_ABSENT;
}

bool
route_excepted(const struct candidate *c, struct exception *x)
{
	const struct route *r = c->route;
	const char *const names[] = { c->host.name, r->plan.name, r->rcpt,
	    NULL };

	return !is_final(r) && watch_excepted(r->world->watch, names, x);
}

static struct evidence
evidence_of(struct candidate *c)
{
	const struct route *r = c->route;
	const struct conf_policy_domain *rule = is_final(r) ? NULL :
	    conf_policy_for(r->conf, span_str(r->rcpt));
	struct exception x;
	struct evidence e = {
		.excepted = route_excepted(c, &x),
		.wish = r->wish,
		.final = is_final(r),
		.dane = c->dane == DANE_USED,
		.dane_unusable = c->dane == DANE_NONE_USED,
		.mx_secure = r->plan.kind == PLAN_HOST ||
		    r->result.mx_secure == DNS_SECURE,
		.sts = r->sts.mode,
		.sts_allows = sts_policy_allows(&r->sts,
		    span_str(c->host.name)),
		.memory = c->host.is_unix ? RECALL_NOTHING :
		    watch_recall(r->world->watch, c->host.name, r->plan.name),
	};

	if (rule != NULL) {
		e.require = rule->require;
		e.permit = rule->permit;
	}
	/* What could not be learnt asks for as much as may be asked. */
	if (c->dane == DANE_LOST && e.wish != TLS_WISH_REQUIRED &&
	    (e.excepted || (e.permit != LEVEL_NONE && e.permit < LEVEL_DANE)))
		e.dane = true;
	return e;
}

void
route_policy_apply(struct route *r)
{
	for (size_t i = 0; i < r->ncands; i++) {
		struct candidate *c = &r->cands[i];
		const struct evidence e = evidence_of(c);
		const struct decision d = decide(&e);

		if (r->sts.mode != STS_NONE && !e.sts_allows &&
		    d.asked != LEVEL_DANE)
			tell_mismatch(r, c);
		c->host.asked = d.asked;
		c->host.why = d.why;
		c->barred = d.barred;
		trace_host(c, &e, &d);
		if (d.waived)
			waive(c);
	}
}
