/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* fetch/fetch.c - see fetch/fetch.h. */
#include "fetch/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/fetched.h"
#include "base/log.h"
#include "dns/name.h"
#include "fetch/request.h"

/* A request of policy. */
struct ask {
	TAILQ_ENTRY(ask)	 link;
	struct role_env		*env;
	uint64_t		 txn;
	char			 host[DNS_NAME_SIZE];
	struct request		*request;
};

struct fetch {
	TAILQ_HEAD(, ask)	 asks;
	unsigned		 nasks;
};

static void
ask_free(struct fetch *f, struct ask *a)
{
	TAILQ_REMOVE(&f->asks, a, link);
	f->nasks--;
	free(a);
}

static void
answer(struct link *l, uint64_t txn, const struct request_result *r)
{
	const struct ipc_fetched m = {
		.txn = txn,
		.result = (uint8_t)r->what,
		.status = (uint16_t)r->status,
		.why = span_head(span_str(r->why), 240),
		.body = r->body,
	};

	if (l != NULL)
		(void)ipc_send_fetched(l, &m, -1);
}

static void
refuse(struct link *l, uint64_t txn, const char *why)
{
	const struct request_result r = { .what = FETCHED_BUSY, .why = why,
	    .body = SPAN_NONE };

	answer(l, txn, &r);
}

static void
on_done(void *arg, const struct request_result *r)
{
	struct ask *a = arg;

	log_debug("fetched", KV_S("host", a->host),
	    KV_S("result", fetched_name(r->what)), KV_N("status", r->status),
	    KV_N("size", r->body.n), KV_Q("reason", r->why));
	answer(role_peer(a->env, ROLE_POLICY), a->txn, r);
	ask_free(a->env->state, a);
}

static bool
path_ok(struct span path)
{
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] <= ' ' || path.p[i] > '~')
			return false;
	return path.n > 0 && path.p[0] == '/';
}

static size_t
take_addresses(struct span list, struct addr out[REQUEST_ADDRS])
{
	struct ipc_host_addr a;
	size_t n = 0;

	while (n < REQUEST_ADDRS && ipc_get_host_addr(&list, &a) == 1) {
		if (a.family == 4 && a.ip.n == 4)
			addr_from_ip4(&out[n++], (const uint8_t *)a.ip.p);
		else if (a.family == 6 && a.ip.n == 16)
			addr_from_ip6(&out[n++], (const uint8_t *)a.ip.p);
	}
	return n;
}

static void
on_ask(struct role_env *env, struct link *l, struct ipc_msg *msg)
{
	const struct ipc_fetch_ask *m = &msg->u.fetch_ask;
	struct fetch *f = env->state;
	char path[513];		/* the message's bound */
	struct request_setup s = {
		.port = m->port,
		.path = path,
		.timeout_ms = m->timeout,
		.most = m->most,
		.ca_file = env->conf->tls.ca_file,
		.special_ok = env->conf->allow_loopback,
	};
	struct ask *a;

	s.naddrs = take_addresses(m->addrs, s.addrs);
	if (!dns_name_valid(m->host) || !path_ok(m->path) || s.naddrs == 0 ||
	    !span_copy(m->path, path, sizeof path)) {
		refuse(l, m->txn, "not a request");
		return;
	}
	if (f->nasks >= FETCH_ATONCE || (a = calloc(1, sizeof *a)) == NULL) {
		refuse(l, m->txn, "too many requests at once");
		return;
	}
	a->env = env;
	a->txn = m->txn;
	(void)span_copy(m->host, a->host, sizeof a->host);
	s.host = a->host;
	TAILQ_INSERT_TAIL(&f->asks, a, link);
	f->nasks++;
	a->request = request_start(env->loop, &s, on_done, a);
	if (a->request == NULL) {
		ask_free(f, a);
		refuse(l, m->txn, "no memory");
	}
}

/* ---- life ---- */

static int
fetch_start(struct role_env *env, struct fault *fault)
{
	struct fetch *f = calloc(1, sizeof *f);

	if (f == NULL || request_library_init() != 0) {
		free(f);
		return fault_set(fault, FAULT_TEMP, 0, NULL, "no memory");
	}
	TAILQ_INIT(&f->asks);
	env->state = f;
	return 0;
}

static void
forget_all(struct fetch *f)
{
	struct ask *a;

	while ((a = TAILQ_FIRST(&f->asks)) != NULL) {
		request_cancel(&a->request);
		ask_free(f, a);
	}
}

/* A new policy counts its requests anew. */
static void
fetch_peer_down(struct role_env *env, enum role role, unsigned index)
{
	(void)index;
	if (role == ROLE_POLICY)
		forget_all(env->state);
}

static void
fetch_stop(struct role_env *env)
{
	forget_all(env->state);
	free(env->state);
	env->state = NULL;
}

static const struct role_handler handlers[] = {
	{ IPC_FETCH_ASK, on_ask },
};

const struct role_ops fetch_ops = {
	.start = fetch_start,
	.peer_down = fetch_peer_down,
	.stop = fetch_stop,
	.handlers = handlers,
	.nhandlers = sizeof handlers / sizeof handlers[0],
};
