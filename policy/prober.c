/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/prober.c - see policy/prober.h. */
#include "policy/prober.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/chance.h"
#include "base/clock.h"
#include "base/log.h"
#include "policy/honesty_store.h"

/* Of the root: SOA, DNSKEY, a question without DNSSEC, and denials. */
#define FIXED		(3 + PROBER_EACH_MAX)
#define NAMES_MAX	8
#define HELD_TEXT	"signatures of DNSSEC came through once and no longer " \
			"do: no answer counts until they do again"

struct probe {
	struct prober		*all;
	struct dns_query	*query;		/* under way */
	char			 name[DNS_NAME_SIZE];
	uint16_t		 type;
	bool			 unchecked;
	struct dns_lookup	 by;
	enum dns_status		 status;
	char			 why[160];
};

/* A question of the role, passed on. */
struct dns_query {
	struct prober		*all;
	struct dns_lookup	 to;
	struct dns_query	*inner;		/* of `to`: never looked into */
	dns_answer_cb		*cb;
	void			*arg;
};

struct prober {
	struct prober_setup	 s;
	const struct conf	*conf;
	struct honesty		 is;
	struct loop_timer	*timer;
	uint64_t		 begun;		/* loop ms, of the last round */
	struct probe		 probes[FIXED + NAMES_MAX];
	unsigned		 n, open;
	size_t			 passing;	/* questions passed on */
};

static enum honesty_effect
effect(const struct prober *p)
{
	return honesty_effect(&p->is,
	    p->conf->dns.on_dishonest == DISHONEST_ACCEPT);
}

/* ---- what people see ---- */

static const char *
type_name(uint16_t type)
{
	return type == DNS_TYPE_SOA ? "SOA" : type == DNS_TYPE_DNSKEY ?
	    "DNSKEY" : "A";
}

static json_t *
time_json(uint64_t s)
{
	char text[CLOCK_RFC3339_SIZE];

	if (s == 0)
		return json_null();
	clock_rfc3339(s * 1000, false, text);
	return json_string(text);
}

static json_t *
probes_json(const struct prober *p)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < p->n; i++) {
		const struct probe *b = &p->probes[i];

		if (!b->unchecked)
			(void)json_array_append_new(list, json_pack(
			    "{s:s, s:s, s:s, s:s?}", "name", b->name[0] == '\0' ?
			    "." : b->name, "type", type_name(b->type),
			    "dnssec", dns_status_name(b->status),
			    "reason", b->why[0] != '\0' ? b->why : NULL));
	}
	return list;
}

static const struct probe *
worst(const struct prober *p)
{
	const struct probe *found = NULL;

	for (unsigned i = 0; i < p->n; i++)
		if (!p->probes[i].unchecked && (found == NULL ||
		    (p->probes[i].status == DNS_BOGUS &&
		    found->status != DNS_BOGUS)))
			found = &p->probes[i];
	return found;
}

json_t *
prober_json(const struct prober *p)
{
	const struct probe *b;

	if (p == NULL)
		return json_null();
	b = worst(p);
	return json_pack("{s:s, s:o, s:o, s:s, s:s?, s:o}",
	    "state", honesty_name(p->is.state),
	    "since", time_json(p->is.since),
	    "honest_since", time_json(p->is.first),
	    "effect", honesty_effect_name(effect(p)),
	    "reason", b != NULL && b->why[0] != '\0' ? b->why : NULL,
	    "probes", probes_json(p));
}

/* ---- a verdict ---- */

static char *
evidence(const struct prober *p)
{
	json_t *servers = json_array(), *doc;
	char *text;

	for (size_t i = 0; i < p->conf->dns.nforward; i++)
		(void)json_array_append_new(servers,
		    json_string(p->conf->dns.forward[i]));
	doc = json_pack("{s:o, s:o, s:o}", "probes", probes_json(p),
	    "forwarders", servers, "honest_since", time_json(p->is.first));
	text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	return text;
}

/* Counted with each round that goes on like that. */
static void
find(struct prober *p)
{
	uint64_t now = p->s.wall_s(p->s.ctx) * 1000;
	char *text = evidence(p);
	struct finding_row r = { .time = now, .last = now, .count = 1,
	    .kind = FINDING_RESOLVER, .expected = LEVEL_DANE, .why = WHY_DANE,
	    .class = CLASS_ON_PATH, .action = effect(p) == EFFECT_HELD ?
	    ACTION_HELD : ACTION_OBSERVED,
	    .evidence = text != NULL ? text : "{}" };
	struct fault f;
	int rc = findings_put(p->s.findings, &r, &f);

	if (rc == -1)
		log_error("policy-db-failed", KV_Q("reason", f.text));
	if (rc != 0)
		p->s.found(p->s.ctx, &r);
	free(text);
}

static void
tell(const struct prober *p)
{
	const struct probe *b = worst(p);

	if (p->is.state == HONESTY_HONEST)
		log_info("resolver-honest", KV_N("probes", p->n - 1));
	else
		log_warn("resolver-dishonest", KV_S("name", b->name),
		    KV_S("type", type_name(b->type)),
		    KV_S("effect", honesty_effect_name(effect(p))),
		    KV_Q("reason", b->why));
}

static void
round_end(struct prober *p)
{
	struct honesty_round r = { .probes = 0 };
	uint64_t pause = p->conf->dns.probe_interval;
	struct fault f;

	for (unsigned i = 0; i < p->n; i++)
		if (p->probes[i].unchecked)
			r.answered = p->probes[i].status > DNS_BOGUS;
		else
			honesty_heard(&r, p->probes[i].status);
	if (honesty_judge(&p->is, &r, p->s.wall_s(p->s.ctx))) {
		tell(p);
		if (honesty_save(p->s.db, &p->is, &f) == -1)
			log_error("policy-db-failed", KV_Q("reason", f.text));
	}
	if (p->is.state == HONESTY_DISHONEST && r.bogus > 0)
		find(p);
	if (r.secure < r.probes && pause > PROBER_AGAIN_MS)
		pause = PROBER_AGAIN_MS;
	loop_timer_set(p->timer, pause);
}

/* ---- a round ---- */

static void
on_probe(void *arg, const struct dns_answer *a)
{
	struct probe *b = arg;

	b->query = NULL;
	b->status = a->status;
	(void)span_copy(span_head(span_str(a->why), sizeof(b->why) - 1), b->why,
	    sizeof(b->why));
	if (--b->all->open == 0)
		round_end(b->all);
}

static void
add(struct prober *p, const char *name, uint16_t type,
    const struct dns_lookup *by)
{
	struct probe *b = &p->probes[p->n++];

	*b = (struct probe){ .all = p, .type = type, .by = *by,
	    .unchecked = by == &p->s.unchecked,
	    .status = DNS_ERROR, .why = "too many look-ups at once" };
	(void)span_copy(span_str(name), b->name, sizeof(b->name));
	b->query = by->ops->ask(by->ctx, b->name, type, on_probe, b);
	if (b->query != NULL)
		p->open++;
}

/* Not there, and in nobody's cache: twelve letters below the root. */
static const char *
no_name(struct prober *p, char out[16])
{
	uint64_t n = chance_next(&p->s.seed);

	for (int i = 0; i < 12; i++, n /= 26)
		out[i] = (char)('a' + n % 26);
	out[12] = '\0';
	return out;
}

static void
round_begin(void *arg)
{
	struct prober *p = arg;
	const struct conf *c = p->conf;
	char name[16];

	if (p->open > 0)
		return;
	p->begun = loop_now(p->s.loop);
	p->n = 0;
	add(p, "", DNS_TYPE_SOA, &p->s.checked);
	add(p, "", DNS_TYPE_DNSKEY, &p->s.checked);
	add(p, no_name(p, name), DNS_TYPE_A, &p->s.unchecked);
	for (unsigned i = 0; i < p->s.neach; i++)
		add(p, no_name(p, name), DNS_TYPE_A, &p->s.each[i]);
	for (size_t i = 0; i < c->dns.nprobe_names && i < NAMES_MAX; i++)
		add(p, c->dns.probe_names[i], DNS_TYPE_SOA, &p->s.checked);
	if (p->open == 0)
		round_end(p);
}

/* ---- the look-ups of others ---- */

static void
hurry(struct prober *p)
{
	uint64_t due = p->begun + PROBER_SOON_MS, now = loop_now(p->s.loop);

	if (p->open == 0 && p->is.state != HONESTY_DISHONEST &&
	    p->conf->dns.probe_interval > PROBER_SOON_MS)
		loop_timer_set(p->timer, due > now ? due - now : 0);
}

static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct dns_query q = *(struct dns_query *)arg;
	struct dns_answer held;

	free(arg);
	q.all->passing--;
	if (a->status == DNS_BOGUS)
		hurry(q.all);
	if (effect(q.all) != EFFECT_HELD) {
		q.cb(q.arg, a);
		return;
	}
	dns_answer_init(&held);
	dns_answer_fail(&held, DNS_ERROR, HELD_TEXT);
	q.cb(q.arg, &held);
}

static struct dns_query *
ask(void *ctx, const char *name, uint16_t type, dns_answer_cb *cb, void *arg)
{
	struct prober *p = ctx;
	struct dns_query *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	*q = (struct dns_query){ .all = p, .cb = cb, .arg = arg,
	    .to = effect(p) == EFFECT_UNCHECKED ? p->s.unchecked :
	    p->s.checked };
	q->inner = q->to.ops->ask(q->to.ctx, name, type, on_answer, q);
	if (q->inner == NULL) {
		free(q);
		return NULL;
	}
	p->passing++;
	return q;
}

static void
cancel(void *ctx, struct dns_query *q)
{
	struct prober *p = ctx;

	q->to.ops->cancel(q->to.ctx, q->inner);
	p->passing--;
	free(q);
}

static const struct dns_lookup_ops lookup_ops = { ask, cancel };

struct dns_lookup
prober_lookup(struct prober *p)
{
	return (struct dns_lookup){ &lookup_ops, p };
}

/* ---- life ---- */

/* What is under way is dropped: it may have gone to servers that are no longer
 * those of the configuration. */
static void
drop(struct prober *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		struct probe *b = &p->probes[i];

		if (b->query != NULL)
			b->by.ops->cancel(b->by.ctx, b->query);
		b->query = NULL;
	}
	p->open = 0;
}

void
prober_adopt(struct prober *p, const struct conf *conf)
{
	p->conf = conf;
	drop(p);
	loop_timer_set(p->timer, 0);
}

struct prober *
prober_new(const struct prober_setup *s, const struct conf *conf,
    struct fault *f)
{
	struct prober *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
		return NULL;
	}
	p->s = *s;
	p->conf = conf;
	p->timer = loop_timer_new(s->loop, round_begin, p);
	if (p->timer == NULL)
		fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
	if (p->timer == NULL || honesty_load(s->db, &p->is, f) == -1) {
		prober_free(&p);
		return NULL;
	}
	loop_timer_set(p->timer, 0);
	return p;
}

void
prober_free(struct prober **pp)
{
	struct prober *p = *pp;

	*pp = NULL;
	if (p == NULL)
		return;
	assert(p->passing == 0);
	drop(p);
	loop_timer_close(&p->timer);
	free(p);
}
