/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* resolver/resolver.c - see resolver/resolver.h. */
#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "resolver/engine.h"
#include "resolver/resolver.h"

#define RRS_MAX		65536		/* bytes of the list in DNS_ANSWER */

/* A question of a peer. */
struct ask {
	struct ask		*prev, *next;
	struct role_env		*env;
	unsigned		 index;		/* of the policy process */
	uint64_t		 txn;
	struct dns_query	*query;
	struct dns_lookup	 lookup;	/* that has it */
	uint16_t		 type;
	char			 name[DNS_NAME_SIZE];
};

struct resolver {
	struct engine		*engine;
	struct engine		*unchecked;	/* without trust anchor */
	struct ask		*asks;
};

static void
ask_free(struct resolver *r, struct ask *a)
{
	if (a->prev != NULL)
		a->prev->next = a->next;
	else
		r->asks = a->next;
	if (a->next != NULL)
		a->next->prev = a->prev;
	free(a);
}

static void
send_answer(struct link *l, uint64_t txn, const struct dns_answer *answer)
{
	struct dns_answer error;
	struct ipc_dns_answer m;
	struct buf rrs;

	buf_init(&rrs, RRS_MAX);
	if (dns_answer_put(answer, txn, &rrs, &m) == -1 ||
	    ipc_send_dns_answer(l, &m, -1) == -1) {
		dns_answer_init(&error);
		dns_answer_fail(&error, DNS_ERROR, "answer too large");
		buf_reset(&rrs);
		(void)dns_answer_put(&error, txn, &rrs, &m);
		(void)ipc_send_dns_answer(l, &m, -1);
	}
	buf_free(&rrs);
}

static void
refuse(struct link *l, uint64_t txn, const char *why)
{
	struct dns_answer a;

	dns_answer_init(&a);
	dns_answer_fail(&a, DNS_ERROR, why);
	send_answer(l, txn, &a);
}

static void
on_answer(void *arg, const struct dns_answer *answer)
{
	struct ask *a = arg;
	struct link *l = a->env->peer[ROLE_POLICY][a->index];

	log_debug("dns", KV_S("name", a->name), KV_N("type", a->type),
	    KV_S("status", dns_status_name(answer->status)),
	    KV_N("rcode", answer->rcode), KV_N("records", answer->n),
	    KV_N("ttl", answer->ttl), KV_Q("reason", answer->why));
	if (answer->status == DNS_BOGUS)
		log_warn("dnssec-bogus", KV_S("name", a->name),
		    KV_N("type", a->type), KV_Q("reason", answer->why));
	if (l != NULL)
		send_answer(l, a->txn, answer);
	ask_free(a->env->state, a);
}

static void
on_ask(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	struct resolver *r = env->state;
	const struct ipc_dns_ask *in = &m->u.dns_ask;
	struct ask *a;

	if (!dns_question_valid(in->name, in->type)) {
		refuse(l, in->txn, "not a question");
		return;
	}
	a = calloc(1, sizeof(*a));
	if (a == NULL) {
		refuse(l, in->txn, "no memory");
		return;
	}
	a->env = env;
	a->index = link_index(l);
	a->txn = in->txn;
	a->type = in->type;
	(void)span_copy(in->name, a->name, sizeof(a->name));
	a->lookup = engine_lookup(in->unchecked ? r->unchecked : r->engine);
	a->query = a->lookup.ops->ask(a->lookup.ctx, a->name, a->type,
	    on_answer, a);
	if (a->query == NULL) {
		free(a);
		refuse(l, in->txn, "too many questions at once");
		return;
	}
	a->next = r->asks;
	if (r->asks != NULL)
		r->asks->prev = a;
	r->asks = a;
}

static int
resolver_start(struct role_env *env, struct fault *f)
{
	struct engine_settings s = {
		.trust_anchor_file = env->conf->dns.trust_anchor_file,
		.root_hints = env->conf->dns.root_hints,
		.forward = env->conf->dns.forward,
		.nforward = env->conf->dns.nforward,
		.deadline_ms = ENGINE_DEADLINE_MS,
	};
	struct resolver *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
	r->engine = engine_new(env->loop, &s, f);
	s.trust_anchor_file = NULL;
	if (r->engine != NULL)
		r->unchecked = engine_new(env->loop, &s, f);
	if (r->unchecked == NULL) {
		engine_free(&r->engine);
		free(r);
		return -1;
	}
	env->state = r;
	return 0;
}

/* Whoever asked is gone, and so is the interest in the answer. */
static void
resolver_peer_down(struct role_env *env, enum role role, unsigned index)
{
	struct resolver *r = env->state;
	struct ask *next;

	if (role != ROLE_POLICY)
		return;
	for (struct ask *a = r->asks; a != NULL; a = next) {
		next = a->next;
		if (a->index != index)
			continue;
		a->lookup.ops->cancel(a->lookup.ctx, a->query);
		ask_free(r, a);
	}
}

static void
resolver_stop(struct role_env *env)
{
	struct resolver *r = env->state;

	engine_free(&r->engine);
	engine_free(&r->unchecked);
	while (r->asks != NULL)
		ask_free(r, r->asks);
	free(r);
	env->state = NULL;
}

static const struct role_handler handlers[] = {
	{ IPC_DNS_ASK, on_ask },
};

const struct role_ops resolver_ops = {
	.start = resolver_start,
	.peer_down = resolver_peer_down,
	.stop = resolver_stop,
	.handlers = handlers,
	.nhandlers = sizeof(handlers) / sizeof(handlers[0]),
};
