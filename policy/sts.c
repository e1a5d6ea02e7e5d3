/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/sts.c - see sts.h.
 *
 *	TXT ─┬─ no id, or a known one ─────────────────────────────── done
 *	     └─ another id ── A and AAAA of mta-sts.DOMAIN ── GET ── done
 */
#include "policy/sts.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/fetched.h"
#include "base/log.h"
#include "policy/sts_failures.h"

#define STS_HOST	"mta-sts."
#define STS_PATH	"/.well-known/mta-sts.txt"
#define STS_PORT	443
#define REFRESHES	8	/* started per tick */
#define FETCH_ADDRS	16

enum { V6, V4, FAMILIES };

static const uint16_t family_type[FAMILIES] = {
	[V6] = DNS_TYPE_AAAA,
	[V4] = DNS_TYPE_A,
};

struct sts_ask {
	TAILQ_ENTRY(sts_ask)	 link;
	struct lookup		*lookup;
	sts_answer_cb		*done;
	void			*arg;
};

/* A domain that is being looked at. */
struct lookup {
	char			 domain[DNS_NAME_SIZE];	/* first: the tree's key */
	TAILQ_ENTRY(lookup)	 link;
	struct sts		*sts;
	TAILQ_HEAD(, sts_ask)	 asks;		/* none: a refresh */
	struct dns_query	*txt, *query[FAMILIES];
	struct addr		 addrs[FETCH_ADDRS];
	size_t			 naddrs;
	uint64_t		 txn;		/* of the fetch; 0: none */
	bool			 waits;		/* for a place to fetch */
	TAILQ_ENTRY(lookup)	 wait_link;
	enum sts_record		 record;
	bool			 record_error, has_entry, refreshing;
	char			 id[STS_ID_SIZE];
	struct sts_entry	 entry;
	char			 failure[STS_FAILURE_SIZE];
};

struct sts {
	struct sts_setup	 setup;
	void			*by_domain;	/* tree of struct lookup */
	TAILQ_HEAD(, lookup)	 lookups;
	struct sts_failures	*failures;
	/* A request's number is a multiple of FETCH_ATONCE and its place. */
	struct lookup		*fetching[FETCH_ATONCE];
	TAILQ_HEAD(, lookup)	 waiting;
	uint64_t		 round, tidied;
};

static uint64_t
now_s(const struct sts *s)
{
	return s->setup.wall_s(s->setup.ctx);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
store_failed(const struct fault *f)
{
	log_error("policy-db-failed", KV_Q("reason", f->text));
}

/* ---- places to fetch ---- */

static void	fetch(struct lookup *);

static bool
place_take(struct lookup *l)
{
	struct sts *s = l->sts;

	for (size_t i = 0; i < FETCH_ATONCE; i++)
		if (s->fetching[i] == NULL) {
			s->fetching[i] = l;
			l->txn = ++s->round * FETCH_ATONCE + i;
			return true;
		}
	return false;
}

static void
place_give(struct lookup *l)
{
	if (l->txn != 0)
		l->sts->fetching[l->txn % FETCH_ATONCE] = NULL;
	l->txn = 0;
	if (l->waits)
		TAILQ_REMOVE(&l->sts->waiting, l, wait_link);
	l->waits = false;
}

static void
fetch_next(struct sts *s)
{
	struct lookup *l = TAILQ_FIRST(&s->waiting);

	if (l == NULL)
		return;
	place_give(l);
	fetch(l);
}

/* ---- the end ---- */

static void
lookup_free(struct lookup *l)
{
	const struct dns_lookup *d = &l->sts->setup.lookup;
	struct sts_ask *a;

	while ((a = TAILQ_FIRST(&l->asks)) != NULL) {
		TAILQ_REMOVE(&l->asks, a, link);
		free(a);
	}
	if (l->txt != NULL)
		d->ops->cancel(d->ctx, l->txt);
	for (int i = 0; i < FAMILIES; i++)
		if (l->query[i] != NULL)
			d->ops->cancel(d->ctx, l->query[i]);
	place_give(l);
	if (l->has_entry)
		sts_entry_free(&l->entry);
	(void)tdelete(l, &l->sts->by_domain, by_name);
	TAILQ_REMOVE(&l->sts->lookups, l, link);
	free(l);
}

static void
lookup_done(struct lookup *l)
{
	const struct sts_answer answer = {
		.entry = l->has_entry ? &l->entry : NULL,
		.record = l->record,
		.record_error = l->record_error,
		.failure = l->failure,
	};
	struct fault f = { 0 };
	struct sts_ask *a;

	if (l->has_entry && !TAILQ_EMPTY(&l->asks) &&
	    sts_store_used(l->sts->setup.store, l->domain, now_s(l->sts),
	    &f) == -1)
		store_failed(&f);
	/* A callback may ask anew, but not for what is over. */
	while ((a = TAILQ_FIRST(&l->asks)) != NULL) {
		TAILQ_REMOVE(&l->asks, a, link);
		a->done(a->arg, &answer);
		free(a);
	}
	lookup_free(l);
}

/* The kept policy, if any, goes on to hold.  `why` may be l->failure. */
static void
fail(struct lookup *l, const char *event, const char *what, const char *why)
{
	struct fault f = { 0 };
	char text[STS_FAILURE_SIZE];

	(void)snprintf(text, sizeof text, "%s: %.240s", what, why);
	log_warn(event, KV_S("domain", l->domain), KV_S("id", l->id),
	    KV_S("result", what), KV_S("kept", l->has_entry ? "yes" : "no"),
	    KV_Q("reason", why));
	memcpy(l->failure, text, sizeof text);
	sts_failures_add(l->sts->failures, l->domain, l->id, text,
	    now_s(l->sts));
	if (l->has_entry && sts_store_later(l->sts->setup.store, l->domain,
	    now_s(l->sts) + STS_RETRY_S, &f) == -1)
		store_failed(&f);
	lookup_done(l);
}

/* ---- the policy came ---- */

static void
keep(struct lookup *l, struct span body, struct sts_policy *policy)
{
	struct sts *s = l->sts;
	uint64_t now = now_s(s);
	struct fault f = { 0 };

	if (!l->has_entry || strcmp(l->entry.id, l->id) != 0)
		log_info("sts-policy", KV_S("domain", l->domain),
		    KV_S("id", l->id), KV_S("mode", sts_mode_name(policy->mode)),
		    KV_N("mx", policy->nmx), KV_N("max-age", policy->max_age));
	if (sts_store_put(s->setup.store, l->domain, l->id, body, policy, now,
	    s->setup.seed++ * 0x9e3779b97f4a7c15u >> 16, &f) == -1)
		store_failed(&f);	/* it still holds for those who ask */
	sts_failures_forget(s->failures, l->domain);
	if (l->has_entry)
		sts_entry_free(&l->entry);
	l->entry = (struct sts_entry){ .policy = *policy, .fetched = now,
	    .expires = now + policy->max_age };
	memcpy(l->entry.id, l->id, sizeof l->id);
	l->has_entry = true;
	lookup_done(l);
}

void
sts_fetched(struct sts *s, const struct ipc_fetched *m)
{
	struct lookup *l = s->fetching[m->txn % FETCH_ATONCE];
	struct sts_policy policy;
	struct fault f = { 0 };
	char why[241];

	if (l == NULL || l->txn != m->txn)
		return;
	place_give(l);
	(void)span_copy(m->why, why, sizeof why);
	if (m->result != FETCHED_OK)
		fail(l, "sts-fetch-failed", m->result < FETCHED_COUNT ?
		    fetched_name((enum fetched)m->result) : "unknown", why);
	else if (sts_policy_parse(m->body, &policy, &f) != 0)
		fail(l, "sts-invalid", "policy", f.text);
	else
		keep(l, m->body, &policy);
	fetch_next(s);
}

void
sts_fetch_lost(struct sts *s)
{
	for (size_t i = 0; i < FETCH_ATONCE; i++)
		if (s->fetching[i] != NULL)
			fail(s->fetching[i], "sts-fetch-failed", "busy",
			    "the fetch process ended");
	while (!TAILQ_EMPTY(&s->waiting))
		fail(TAILQ_FIRST(&s->waiting), "sts-fetch-failed", "busy",
		    "the fetch process ended");
}

/* ---- the fetch ---- */

static void
fetch(struct lookup *l)
{
	char host[sizeof STS_HOST + DNS_NAME_SIZE];
	struct ipc_fetch_ask m = { .port = STS_PORT,
	    .path = SPAN_LIT(STS_PATH), .most = STS_POLICY_MAX,
	    .timeout = l->sts->setup.timeout_ms };
	struct buf addrs;

	l->failure[0] = '\0';
	if (!place_take(l)) {
		TAILQ_INSERT_TAIL(&l->sts->waiting, l, wait_link);
		l->waits = true;
		return;
	}
	buf_init(&addrs, 1024);
	for (size_t i = 0; i < l->naddrs; i++) {
		const struct ipc_host_addr a = { .family = l->addrs[i].family,
		    .ip = span_of(l->addrs[i].ip,
		    l->addrs[i].family == 4 ? 4 : 16) };

		(void)ipc_put_host_addr(&addrs, &a);
	}
	(void)snprintf(host, sizeof host, STS_HOST "%s", l->domain);
	m.txn = l->txn;
	m.host = span_str(host);
	m.addrs = buf_get(&addrs);
	if (l->sts->setup.fetch(l->sts->setup.ctx, &m) != 0)
		fail(l, "sts-fetch-failed", "busy", "no fetch process");
	buf_free(&addrs);
}

static void
take_addresses(struct lookup *l, int family, const struct dns_answer *a)
{
	l->query[family] = NULL;
	if (a->status < DNS_INSECURE && l->failure[0] == '\0')
		(void)snprintf(l->failure, sizeof l->failure, "%s", a->why);
	for (size_t i = 0; i < a->n && l->naddrs < FETCH_ADDRS; i++) {
		struct addr *to = &l->addrs[l->naddrs++];

		if (family == V6)
			addr_from_ip6(to, a->rrs[i].ip);
		else
			addr_from_ip4(to, a->rrs[i].ip);
	}
	if (l->query[V4] != NULL || l->query[V6] != NULL)
		return;
	if (l->naddrs > 0)
		fetch(l);
	else
		fail(l, "sts-fetch-failed", "unreachable",
		    l->failure[0] != '\0' ? l->failure :
		    "the policy host has no address");
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
ask_addresses(struct lookup *l)
{
	static dns_answer_cb *const cb[FAMILIES] = { on_v6, on_v4 };
	const struct dns_lookup *d = &l->sts->setup.lookup;
	char host[sizeof STS_HOST + DNS_NAME_SIZE];

	(void)snprintf(host, sizeof host, STS_HOST "%s", l->domain);
	for (int i = 0; i < FAMILIES && dns_name_valid(span_str(host)); i++)
		l->query[i] = d->ops->ask(d->ctx, host, family_type[i], cb[i],
		    l);
	if (l->query[V4] == NULL && l->query[V6] == NULL)
		fail(l, "sts-fetch-failed", "unreachable",
		    "the policy host cannot be looked up");
}

/* ---- the record ---- */

static void
take_record(struct lookup *l, const struct dns_answer *a)
{
	struct span txts[STS_TXT_RRS];
	size_t n = a->n < STS_TXT_RRS ? a->n : STS_TXT_RRS;

	for (size_t i = 0; i < n; i++)
		txts[i] = span_of(a->rrs[i].data, a->rrs[i].data_len);
	l->record_error = a->status < DNS_INSECURE;
	l->record = sts_record_find(txts, n, l->id);
	if (l->record_error)
		(void)snprintf(l->failure, sizeof l->failure, "record: %s",
		    a->why);
	else if (l->record == STS_RECORD_MANY ||
	    l->record == STS_RECORD_INVALID)
		(void)snprintf(l->failure, sizeof l->failure, "record: %s",
		    l->record == STS_RECORD_MANY ? "more than one" :
		    "wrong syntax");
}

static void
on_txt(void *arg, const struct dns_answer *a)
{
	struct lookup *l = arg;
	struct sts *s = l->sts;
	const char *why;
	struct fault f = { 0 };
	int rc;

	l->txt = NULL;
	take_record(l, a);
	rc = sts_store_get(s->setup.store, l->domain, now_s(s), &l->entry, &f);
	l->has_entry = rc == 1;
	if (rc == -1)
		store_failed(&f);
	if (l->record != STS_RECORD_VALID) {
		lookup_done(l);
	} else if (l->has_entry && !l->refreshing &&
	    strcmp(l->entry.id, l->id) == 0) {
		lookup_done(l);
	} else if ((why = sts_failures_find(s->failures, l->domain, l->id,
	    now_s(s))) != NULL) {
		memcpy(l->failure, why, sizeof l->failure);
		lookup_done(l);
	} else {
		ask_addresses(l);
	}
}

/* ---- questions ---- */

static struct lookup *
lookup_start(struct sts *s, const char *domain)
{
	const struct dns_lookup *d = &s->setup.lookup;
	char name[sizeof "_mta-sts." + DNS_NAME_SIZE];
	struct lookup *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->sts = s;
	TAILQ_INIT(&l->asks);
	(void)snprintf(l->domain, sizeof l->domain, "%s", domain);
	(void)snprintf(name, sizeof name, "_mta-sts.%s", domain);
	if (!dns_name_valid(span_str(name)))
		goto free_lookup;
	if (tsearch(l, &s->by_domain, by_name) == NULL)
		goto free_lookup;
	TAILQ_INSERT_TAIL(&s->lookups, l, link);
	l->txt = d->ops->ask(d->ctx, name, DNS_TYPE_TXT, on_txt, l);
	if (l->txt != NULL)
		return l;
	lookup_free(l);
	return NULL;
free_lookup:
	free(l);
	return NULL;
}

static struct lookup *
lookup_of(struct sts *s, const char *domain)
{
	void *at = tfind(domain, &s->by_domain, by_name);

	return at == NULL ? lookup_start(s, domain) : *(struct lookup **)at;
}

struct sts_ask *
sts_ask(struct sts *s, const char *domain, sts_answer_cb *done, void *arg)
{
	struct lookup *l = lookup_of(s, domain);
	struct sts_ask *a;

	if (l == NULL)
		return NULL;
	a = calloc(1, sizeof *a);
	if (a == NULL)
		return NULL;	/* the look-up goes on as a refresh */
	a->lookup = l;
	a->done = done;
	a->arg = arg;
	TAILQ_INSERT_TAIL(&l->asks, a, link);
	return a;
}

/* What it asked for goes on: the next one will ask the same. */
void
sts_cancel(struct sts_ask **ap)
{
	struct sts_ask *a = *ap;

	*ap = NULL;
	if (a == NULL)
		return;
	TAILQ_REMOVE(&a->lookup->asks, a, link);
	free(a);
}

/* ---- life ---- */

void
sts_tick(struct sts *s)
{
	char domain[256];
	struct fault f = { 0 };
	uint64_t now = now_s(s);
	int rc = 1;

	for (int i = 0; i < REFRESHES; i++) {
		struct lookup *l;

		rc = sts_store_due(s->setup.store, now, domain, &f);
		/* Moved on at once, so that one that ends in no fetch (no
		 * record any more) does not come up each minute. */
		if (rc != 1 || (rc = sts_store_later(s->setup.store, domain,
		    now + STS_REFRESH_S, &f)) == -1)
			break;
		l = lookup_of(s, domain);
		if (l != NULL)
			l->refreshing = true;
	}
	if (rc != -1 && now - s->tidied >= STS_REFRESH_S) {
		s->tidied = now;
		rc = sts_store_tidy(s->setup.store, now, &f);
	}
	if (rc == -1)
		store_failed(&f);
}

struct sts *
sts_new(const struct sts_setup *setup)
{
	struct sts *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->setup = *setup;
	TAILQ_INIT(&s->lookups);
	TAILQ_INIT(&s->waiting);
	s->failures = sts_failures_new();
	if (s->failures == NULL)
		sts_free(&s);
	return s;
}

void
sts_set_timeout(struct sts *s, uint32_t ms)
{
	s->setup.timeout_ms = ms;
}

void
sts_free(struct sts **sp)
{
	struct sts *s = *sp;
	struct lookup *l;

	*sp = NULL;
	if (s == NULL)
		return;
	while ((l = TAILQ_FIRST(&s->lookups)) != NULL)
		lookup_free(l);
	sts_failures_free(&s->failures);
	free(s);
}
