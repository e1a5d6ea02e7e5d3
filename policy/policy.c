/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/policy.c - see policy/policy.h. */
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "policy/asks.h"
#include "policy/db.h"
#include "policy/desk.h"
#include "policy/policy.h"
#include "policy/prober.h"
#include "policy/resolvers.h"
#include "policy/route_frame.h"
#include "policy/sts.h"
#include "policy/watch.h"

#define TICK_MS		60000

struct policy {
	struct role_env		*env;
	struct db		*db;
	struct sts_store	*sts_store;
	struct sts		*sts;		/* also when mta-sts = false */
	struct watch		 watch;
	struct desk		*desk;
	struct loop_timer	*tick;
	struct resolvers	*resolvers;
	struct prober		*prober;
	struct self		 self;
	struct route_world	 world;
	struct asks		*asks;
};

/* ---- to and from resolver ---- */

static int
send_ask(void *ctx, unsigned index, const struct ipc_dns_ask *m)
{
	struct policy *p = ctx;
	struct link *l = p->env->peer[ROLE_RESOLVER][index];

	return l == NULL ? -1 : ipc_send_dns_ask(l, m, -1);
}

static bool
resolver_full(void *ctx, unsigned index)
{
	struct policy *p = ctx;
	struct link *l = p->env->peer[ROLE_RESOLVER][index];

	return l == NULL || link_full(l);
}

static const struct resolvers_ops resolver_links = { send_ask, resolver_full };

static void
on_dns_answer(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	struct policy *p = env->state;

	resolvers_answer(p->resolvers, link_index(l), &m->u.dns_answer);
}

/* ---- from parent ---- */

static void
on_own_addresses(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	struct policy *p = env->state;

	(void)l;
	self_take(&p->self, m->u.own_addresses.addrs);
	log_debug("own-addresses", KV_N("known", p->self.nlocal));
}

/* ---- to and from fetch ---- */

static int
send_fetch(void *ctx, const struct ipc_fetch_ask *m)
{
	struct policy *p = ctx;
	struct link *l = role_peer(p->env, ROLE_FETCH);

	return l == NULL ? -1 : ipc_send_fetch_ask(l, m, -1);
}

static uint64_t
wall_s(void *ctx)
{
	(void)ctx;
	return clock_wall_ms() / 1000;
}

static void
on_fetched(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	struct policy *p = env->state;

	(void)l;
	sts_fetched(p->sts, &m->u.fetched);
}

static void
on_control(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	struct policy *p = env->state;

	(void)l;
	desk_listen(p->desk, ipc_take_fd(m));
}

/* ---- from relay ---- */

static void
on_found(void *ctx, const struct finding_row *r)
{
	struct policy *p = ctx;

	desk_found(p->desk, r);
}

static void
on_peer_seen(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	struct policy *p = env->state;

	(void)l;
	watch_seen(&p->watch, &m->u.peer_seen);
}

static void
on_peer_lost(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	struct policy *p = env->state;

	(void)l;
	watch_lost(&p->watch, &m->u.peer_lost);
}

/* ---- to and from queue ---- */

static void
send_route(void *arg, uint64_t txn, const struct route_result *r)
{
	struct policy *p = arg;
	struct link *l = p->env->peer[ROLE_QUEUE][1];
	const struct route_result too_large = { .code = 451, .dsn = "4.3.0",
	    .text = "The route is too large" };
	struct ipc_route m;
	struct buf hosts;

	if (l == NULL)
		return;
	buf_init(&hosts, ROUTE_FRAME_HOSTS_MAX);
	if (route_frame_put(r, txn, &hosts, &m) == -1 ||
	    ipc_send_route(l, &m, -1) == -1) {
		buf_reset(&hosts);
		(void)route_frame_put(&too_large, txn, &hosts, &m);
		(void)ipc_send_route(l, &m, -1);
	}
	buf_free(&hosts);
}

static void
on_route_ask(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	const struct ipc_route_ask *ask = &m->u.route_ask;
	struct policy *p = env->state;

	(void)l;
	asks_take(p->asks, ask->txn, ask->domain,
	    ask->wish < TLS_WISH_COUNT ? (enum tls_wish)ask->wish :
	    TLS_WISH_REQUIRED);
}

/* ---- life ---- */

static void
policy_free(struct policy *p)
{
	loop_timer_close(&p->tick);
	desk_free(&p->desk);
	asks_free(&p->asks);
	sts_free(&p->sts);
	prober_free(&p->prober);
	resolvers_free(&p->resolvers);
	sts_store_free(&p->sts_store);
	exceptions_free(&p->watch.exceptions);
	findings_free(&p->watch.findings);
	memory_free(&p->watch.memory);
	db_close(&p->db);
	free(p);
}

static void
on_tick(void *arg)
{
	struct policy *p = arg;

	if (p->world.sts != NULL)
		sts_tick(p->sts);
	watch_tick(&p->watch);
	loop_timer_set(p->tick, TICK_MS);
}

static int
start_sts(struct policy *p, uint64_t seed, struct fault *f)
{
	const struct conf *conf = p->env->conf;
	struct sts_setup s = {
		.lookup = p->world.lookup,
		.fetch = send_fetch,
		.wall_s = wall_s,
		.ctx = p,
		.timeout_ms = (uint32_t)conf->policy.fetch_timeout,
		.seed = seed,
	};

	s.store = p->sts_store = sts_store_new(p->db, f);
	if (p->sts_store == NULL)
		return -1;
	p->sts = sts_new(&s);
	p->world.sts = conf->policy.mta_sts ? p->sts : NULL;
	return p->sts != NULL ? 0 :
	    fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
}

static int
start_prober(struct policy *p, uint64_t seed, struct fault *f)
{
	struct prober_setup s = {
		.loop = p->env->loop,
		.checked = resolvers_lookup(p->resolvers),
		.unchecked = resolvers_unchecked(p->resolvers),
		.db = p->db,
		.findings = p->watch.findings,
		.wall_s = wall_s,
		.found = on_found,
		.ctx = p,
		.seed = seed,
	};

	for (unsigned i = 1; i <= RESOLVERS_PINNED; i++)
		s.each[s.neach++] = resolvers_pinned(p->resolvers, i);
	p->world.prober = p->prober = prober_new(&s, p->env->conf, f);
	if (p->prober == NULL)
		return -1;
	p->world.lookup = prober_lookup(p->prober);
	return 0;
}

static int
start_memory(struct policy *p, struct fault *f)
{
	struct peer_rules rules;

	peer_rules_of(&rules, p->env->conf);
	p->watch = (struct watch){ .wall_s = wall_s, .found = on_found,
	    .ctx = p };
	p->watch.memory = memory_new(p->db, &rules, &memory_bounds, f);
	if (p->watch.memory == NULL)
		return -1;
	p->watch.findings = findings_new(p->db, f);
	if (p->watch.findings == NULL)
		return -1;
	p->watch.exceptions = exceptions_new(p->db, f);
	if (p->watch.exceptions == NULL)
		return -1;
	p->world.watch = &p->watch;
	return 0;
}

static int
policy_start(struct role_env *env, struct fault *f)
{
	struct policy *p = calloc(1, sizeof(*p));
	struct { struct siphash_key key; uint64_t seed; } fresh;

	if (p == NULL)
		return fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
	if (getrandom(&fresh, sizeof(fresh), 0) != sizeof(fresh)) {
		free(p);
		return fault_sys(f, "getrandom");
	}
	p->env = env;
	p->self.conf = env->conf;
	p->world = (struct route_world){
		.conf = env->conf,
		.self = &p->self,
		.key = fresh.key,
		.seed = fresh.seed,
	};
	p->resolvers = resolvers_new(env->loop, &p->world.key,
	    &resolvers_times, &resolver_links, p);
	p->asks = asks_new(&p->world, send_route, p);
	p->tick = loop_timer_new(env->loop, on_tick, p);
	p->desk = desk_new(env->loop, &p->watch, &p->world);
	if (p->resolvers == NULL || p->asks == NULL || p->tick == NULL ||
	    p->desk == NULL) {
		policy_free(p);
		return fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
	}
	p->db = policy_db_open(env->conf->state_directory, f);
	if (p->db == NULL || start_memory(p, f) == -1 ||
	    start_prober(p, fresh.seed ^ fresh.key.k1, f) == -1 ||
	    start_sts(p, fresh.seed ^ fresh.key.k0, f) == -1) {
		policy_free(p);
		return -1;
	}
	loop_timer_set(p->tick, TICK_MS);
	if (env->conf->allow_loopback)
		log_warn("allow-loopback", KV_Q("effect", "hosts found by DNS "
		    "may have loopback and private addresses"));
	env->state = p;
	return 0;
}

static void
policy_adopt(struct role_env *env, const struct conf *old)
{
	struct policy *p = env->state;
	struct peer_rules rules;

	(void)old;
	peer_rules_of(&rules, env->conf);
	memory_set_rules(p->watch.memory, &rules);
	p->self.conf = p->world.conf = env->conf;
	p->world.sts = env->conf->policy.mta_sts ? p->sts : NULL;
	prober_adopt(p->prober, env->conf);
	sts_set_timeout(p->sts, (uint32_t)env->conf->policy.fetch_timeout);
}

static void
policy_peer_up(struct role_env *env, struct link *l)
{
	struct policy *p = env->state;

	if (link_role(l) == ROLE_RESOLVER)
		resolvers_up(p->resolvers, link_index(l));
}

/* A new queue asks anew for all that it has; its numbers start again. */
static void
policy_peer_down(struct role_env *env, enum role role, unsigned index)
{
	struct policy *p = env->state;

	if (role == ROLE_RESOLVER)
		resolvers_down(p->resolvers, index);
	else if (role == ROLE_QUEUE)
		asks_forget(p->asks);
	else if (role == ROLE_FETCH)
		sts_fetch_lost(p->sts);
}

static void
policy_room(struct role_env *env, struct link *l)
{
	struct policy *p = env->state;

	if (link_role(l) == ROLE_RESOLVER)
		resolvers_room(p->resolvers);
}

static void
policy_stop(struct role_env *env)
{
	policy_free(env->state);
	env->state = NULL;
}

static const struct role_handler handlers[] = {
	{ IPC_OWN_ADDRESSES, on_own_addresses },
	{ IPC_CONTROL, on_control },
	{ IPC_ROUTE_ASK, on_route_ask },
	{ IPC_DNS_ANSWER, on_dns_answer },
	{ IPC_FETCHED, on_fetched },
	{ IPC_PEER_SEEN, on_peer_seen },
	{ IPC_PEER_LOST, on_peer_lost },
};

const struct role_ops policy_ops = {
	.start = policy_start,
	.adopt = policy_adopt,
	.peer_up = policy_peer_up,
	.peer_down = policy_peer_down,
	.room = policy_room,
	.stop = policy_stop,
	.handlers = handlers,
	.nhandlers = sizeof(handlers) / sizeof(handlers[0]),
};
