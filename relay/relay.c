/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/relay.c - the role: messages in and out, and what must survive the
 * death of queue: a job's outcome is kept until queue has acknowledged it, and
 * a new queue first learns what is still being sent. */
#include "relay/relay.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "relay/authenticate.h"
#include "relay/courier.h"
#include "relay/evidence.h"
#include "relay/facts.h"
#include "relay/job_table.h"
#include "tls/trust.h"

/* An outcome that memory was missing for is tried again after this. */
#define RESEND_MS	1000
#define LIST_MAX	(116 * 1024)	/* the largest list of messages.def */

struct relay {
	struct role_env	*env;
	struct courier	 courier;
	struct tls_creds *creds, *next_creds;
	struct tls_trust *trust;	/* NULL: none could be loaded */
	struct job_table	 jobs;
	struct buf	 list;		/* for what is being sent */
	struct loop_timer *resend;
	bool		 registered;	/* queue knows all that is being sent */
	bool		 told_drained;
	char		 probe_sender[300];
};

/* ---- to queue ---- */

static void
send_outcome(struct relay *r, struct job *j)
{
	struct link *queue = role_peer(r->env, ROLE_QUEUE);
	struct ipc_job_outcome m;

	if (queue == NULL)
		return;		/* the next queue gets it, see peer_up() */
	if (job_outcome(j, &r->list, &m) == 0 &&
	    ipc_send_job_outcome(queue, &m, -1) == 0)
		return;
	log_error("outcome-not-sent", KV_S("id", j->id), KV_N("job", j->number));
	loop_timer_set(r->resend, RESEND_MS);
}

static void
send_if_decided(void *arg, struct job *j)
{
	if (j->state == JOB_DECIDED)
		send_outcome(arg, j);
}

static void
send_running(void *arg, struct job *j)
{
	struct relay *r = arg;
	struct link *queue = role_peer(r->env, ROLE_QUEUE);
	struct ipc_job_running m;

	/* A new queue has nobody who waits for a probe's outcome. */
	if (queue == NULL || j->state == JOB_ROUTED || j->probe)
		return;
	if (job_running(j, &r->list, &m) == 0 &&
	    ipc_send_job_running(queue, &m, -1) == 0)
		return;
	log_error("running-not-sent", KV_S("id", j->id), KV_N("job", j->number));
	r->registered = false;
}

/* Without memory for all of it, once more: what queue does not know of, it would
 * give to another relay as well; and without REGISTERED it gives nothing. */
static void
register_with(struct relay *r, struct link *queue)
{
	const struct ipc_registered done = { .highest_job = r->jobs.highest };

	r->registered = true;
	job_table_each(&r->jobs, send_running, r);
	if (!r->registered || ipc_send_registered(queue, &done, -1) == -1) {
		r->registered = false;
		loop_timer_set(r->resend, RESEND_MS);
	}
}

/* Queue acknowledges an outcome that it had already just once more. */
static void
on_resend(void *arg)
{
	struct relay *r = arg;
	struct link *queue = role_peer(r->env, ROLE_QUEUE);

	if (queue != NULL && !r->registered)
		register_with(r, queue);
	job_table_each(&r->jobs, send_if_decided, r);
}

static void
peer_up(struct role_env *env, struct link *l)
{
	struct relay *r = env->state;

	if (link_role(l) != ROLE_QUEUE)
		return;
	register_with(r, l);
	job_table_each(&r->jobs, send_if_decided, r);
}

static void
drop_routed(void *arg, struct job *j)
{
	struct relay *r = arg;

	if (j->state == JOB_ROUTED)
		job_table_free(&r->jobs, j);
}

static void
peer_down(struct role_env *env, enum role role, unsigned index)
{
	struct relay *r = env->state;

	(void)index;
	/* Half a job: its JOB will never come. */
	if (role == ROLE_QUEUE)
		job_table_each(&r->jobs, drop_routed, r);
}

/* ---- from queue ---- */

static void
on_job_route(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	struct relay *r = env->state;
	const struct ipc_job_route *in = &m->u.job_route;
	struct job *j = job_table_find(&r->jobs, in->job);

	(void)l;
	if (j == NULL)
		j = job_table_add(&r->jobs, in->job);
	if (j == NULL || j->state != JOB_ROUTED)
		return;		/* JOB is answered without */
	if (job_route(j, in->route) == -1)
		log_error("route-unreadable", KV_N("job", in->job));
}

/* What can't be taken is deferred at once, without a job of ours. */
static void
refuse_job(struct relay *r, struct link *l, const struct ipc_job *in)
{
	struct span rcpts = in->rcpts;
	struct ipc_job_rcpt rcpt;
	struct ipc_job_outcome m = { .job = in->job, .id = in->id };

	buf_reset(&r->list);
	while (ipc_get_job_rcpt(&rcpts, &rcpt) == 1) {
		const struct ipc_outcome o = {
			.index = rcpt.index, .status = OUTCOME_DEFERRED,
			.dsn = SPAN_LIT("4.3.0"),
			.reply = SPAN_LIT("no memory for the message"),
			.mx = SPAN_NONE,
		};

		(void)ipc_put_outcome(&r->list, &o);
	}
	m.outcomes = buf_get(&r->list);
	if (r->list.failed || ipc_send_job_outcome(l, &m, -1) == -1)
		log_error("job-lost", KV_SPAN("id", in->id),
		    KV_N("job", in->job));
}

/* Whoever says where to: only sockets that the operator named are called. */
static void
check_socket(const struct relay *r, struct job *j)
{
	struct span domain = job_domain(j->rcpts[0].address);

	for (unsigned i = 0; i < j->route.nhosts; i++) {
		const char *path = j->route.hosts[i].path;

		if (path == NULL ||
		    conf_allows_socket(r->env->conf, domain, path))
			continue;
		log_error("route-unreadable", KV_N("job", j->number));
		route_free(&j->route);
		return;
	}
}

static void
on_job(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	struct relay *r = env->state;
	const struct ipc_job *in = &m->u.job;
	struct job *j = job_table_find(&r->jobs, in->job);

	if (j != NULL && j->state != JOB_ROUTED) {
		log_error("job-twice", KV_SPAN("id", in->id),
		    KV_N("job", in->job));
		return;
	}
	if (j == NULL)
		j = job_table_add(&r->jobs, in->job);
	if (j == NULL || job_fill(j, in, ipc_take_fd(m)) == -1) {
		if (j != NULL)
			job_table_free(&r->jobs, j);
		log_error("job-refused", KV_SPAN("id", in->id),
		    KV_N("job", in->job));
		refuse_job(r, l, in);
		return;
	}
	check_socket(r, j);
	courier_take(&r->courier, j);
}

static void
check_drained(struct relay *r)
{
	if (!r->env->draining || r->told_drained || r->courier.nsending > 0)
		return;
	/* What queue has not acknowledged would be sent again. */
	for (size_t i = 0; i < JOB_TABLE_CHAINS; i++) {
		struct job *j = r->jobs.chain[i];

		for (; j != NULL; j = j->next) {
			if (j->state == JOB_DECIDED)
				return;
		}
	}
	r->told_drained = true;
	role_drained(r->env);
}

static void
on_outcome_ack(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	struct relay *r = env->state;
	struct job *j = job_table_find(&r->jobs, m->u.outcome_ack.job);

	(void)l;
	if (j != NULL && j->state == JOB_DECIDED)
		job_table_free(&r->jobs, j);
	check_drained(r);
}

/* ---- the courier's ---- */

static void
decided(void *arg, struct job *j)
{
	send_outcome(arg, j);
}

static void
session_settled(void *arg, const struct job *j, const struct session *s)
{
	struct relay *r = arg;

	facts_session(role_peer(r->env, ROLE_LEDGER), j, s);
	evidence_settled(role_peer(r->env, ROLE_POLICY), j, s);
}

static void
again(void *arg, const struct job *j, const struct session *s, enum how how)
{
	struct relay *r = arg;

	facts_retried(role_peer(r->env, ROLE_LEDGER), j, s, how);
}

static void
lost(void *arg, const struct job *j, const struct session *s,
    enum finding finding, const char *reason)
{
	struct relay *r = arg;

	evidence_lost(role_peer(r->env, ROLE_POLICY), j, s, finding, reason);
}

static bool
prove(void *arg, struct session *s, const struct route *route,
    const struct route_host *h)
{
	struct relay *r = arg;

	return authenticate(r->trust, s, route, h);
}

static void
delivered(void *arg, const struct job *j, const struct hop *h,
    const struct job_rcpt *first, unsigned n)
{
	struct relay *r = arg;

	facts_delivery(role_peer(r->env, ROLE_LEDGER), j, h, first, n);
}

static void
courier_is_idle(void *arg)
{
	check_drained(arg);
}

static const struct courier_ops courier_ops = {
	.decided = decided, .session = session_settled,
	.again = again, .lost = lost, .delivered = delivered, .authenticate = prove,
	.idle = courier_is_idle,
};

/* ---- life ---- */

static struct courier_setup
setup_of(struct relay *r)
{
	const struct conf *conf = r->env->conf;

	(void)snprintf(r->probe_sender, sizeof(r->probe_sender),
	    "double-bounce@%s", conf->hostname);
	return (struct courier_setup){
		.loop = r->env->loop, .ops = &courier_ops, .arg = r,
		.conf = conf,
		.client = {
			.timeouts = {
				.greeting = conf->relay.timeout.greeting,
				.command = conf->relay.timeout.command,
				.data_start = conf->relay.timeout.data_start,
				.data_block = conf->relay.timeout.data_block,
				.data_end = conf->relay.timeout.data_end,
				.handshake = conf->relay.timeout.handshake,
			},
		},
		.probe_sender = r->probe_sender,
		.connect_ms = conf->relay.timeout.connect,
		.creds = r->creds,
		.sessions = COURIER_SESSIONS,
	};
}

/* Without authorities mail still goes out, but not to hosts of which a
 * certificate is asked that leads to one. */
static void
load_trust(struct relay *r)
{
	struct fault f = { .class = FAULT_NONE };

	r->trust = tls_trust_load(r->env->conf->tls.ca_file, &f);
	if (r->trust == NULL)
		log_warn("no-authorities", KV_Q("reason", f.text));
}

static int
start(struct role_env *env, struct fault *f)
{
	struct relay *r = calloc(1, sizeof(*r));
	struct courier_setup setup;

	if (r == NULL)
		return fault_set(f, FAULT_TEMP, 0, "4.3.0", "no memory");
	r->env = env;
	buf_init(&r->list, LIST_MAX);
	r->creds = tls_creds_client(env->conf->tls.old_versions, f);
	if (r->creds == NULL)
		goto free_relay;
	load_trust(r);
	r->resend = loop_timer_new(env->loop, on_resend, r);
	if (r->resend == NULL)
		goto no_memory;
	setup = setup_of(r);
	if (courier_init(&r->courier, &setup) == -1)
		goto close_timer;
	env->state = r;
	return 0;
close_timer:
	loop_timer_close(&r->resend);
no_memory:
	(void)fault_set(f, FAULT_TEMP, 0, "4.3.0", "no memory");
	tls_trust_free(&r->trust);
	tls_creds_unref(&r->creds);
free_relay:
	free(r);
	return -1;
}

/* Without old versions, or with them: what TLS offers is its credentials'. */
static int
prepare(struct role_env *env, const struct conf *next, struct fault *f)
{
	struct relay *r = env->state;

	r->next_creds = tls_creds_client(next->tls.old_versions, f);
	return r->next_creds == NULL ? -1 : 0;
}

static void
forget(struct role_env *env)
{
	struct relay *r = env->state;

	tls_creds_unref(&r->next_creds);
}

static void
adopt(struct role_env *env, const struct conf *old)
{
	struct relay *r = env->state;
	struct courier_setup setup;

	(void)old;
	tls_creds_unref(&r->creds);
	r->creds = r->next_creds;
	r->next_creds = NULL;
	setup = setup_of(r);
	courier_adopt(&r->courier, &setup);
}

static void
drain(struct role_env *env)
{
	struct relay *r = env->state;

	courier_drain(&r->courier);
}

static void
end_job(void *arg, struct job *j)
{
	struct relay *r = arg;

	courier_abort(&r->courier, j);
	job_table_free(&r->jobs, j);
}

static void
stop(struct role_env *env)
{
	struct relay *r = env->state;

	courier_close(&r->courier);
	job_table_each(&r->jobs, end_job, r);
	channel_close_lingering(env->loop);
	loop_timer_close(&r->resend);
	tls_trust_free(&r->trust);
	tls_creds_unref(&r->creds);
	buf_free(&r->list);
	free(r);
	env->state = NULL;
}

static const struct role_handler handlers[] = {
	{ IPC_JOB_ROUTE, on_job_route },
	{ IPC_JOB, on_job },
	{ IPC_OUTCOME_ACK, on_outcome_ack },
};

const struct role_ops relay_ops = {
	.start = start,
	.prepare = prepare, .adopt = adopt, .forget = forget,
	.peer_up = peer_up, .peer_down = peer_down,
	.drain = drain, .stop = stop,
	.handlers = handlers,
	.nhandlers = sizeof(handlers) / sizeof(handlers[0]),
};
