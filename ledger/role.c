/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* ledger/role.c - the role around the store: links in, a timer per batch, the
 * control socket.
 *
 * Writing blocks this loop, and may (fsync at a checkpoint takes as long as
 * the disk does): nothing waits for it, senders drop and count. */
#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/control.h"
#include "base/log.h"
#include "ledger/ledger.h"
#include "report/schema.h"
#include "ledger/store.h"

#define COMMIT_MS	1000
/* Between a flush request and its commit: facts sent before the request may
 * still lie in the sockets of links, and the loop reads those meanwhile. */
#define FLUSH_MS	50

struct ledger {
	struct role_env		*env;
	struct store		*store;
	struct loop_timer	*commit;	/* end of the open batch */
	struct loop_timer	*flush;
	struct control		*control;
	struct control_client	*waiting[CONTROL_CLIENTS_MAX];	/* for a flush */
	unsigned		 nwaiting;
	bool			 failing;	/* said in the log */
	bool			 said_malformed;
};

static struct ledger_now
now(const struct ledger *l)
{
	return (struct ledger_now){ loop_now(l->env->loop), clock_wall_ms() };
}

/* ---- writing ---- */

/* One line when trouble begins and one when it ends, however many facts. */
static void
note_result(struct ledger *l, enum ledger_result r, const struct fault *f)
{
	if (r == STORE_FAILED && !l->failing) {
		log_error("write-failed", KV_Q("reason", f->text),
		    KV_Q("effect", "facts are lost and counted as a gap; "
		    "mail is not affected"));
		l->failing = true;
	} else if (r == STORE_MALFORMED && !l->said_malformed) {
		log_error("fact-malformed", KV_Q("reason", f->text));
		l->said_malformed = true;
	}
	/* A loss is written down with the next batch, so one is due. */
	if (!loop_timer_active(l->commit) &&
	    (ledger_store_pending(l->store) > 0 ||
	    ledger_store_lost(l->store) > 0))
		loop_timer_set(l->commit, COMMIT_MS);
}

static void
commit(struct ledger *l)
{
	struct fault f = { 0 };
	uint64_t lost = ledger_store_lost(l->store);
	enum ledger_result r = ledger_store_commit(l->store, now(l), &f);

	loop_timer_stop(l->commit);
	if (r == STORE_OK && l->failing) {
		log_warn("write-recovered", KV_N("lost", lost));
		l->failing = false;
	}
	note_result(l, r, &f);
}

static void
commit_due(void *arg)
{
	commit(arg);
}

static void
stored(struct ledger *l, enum ledger_result r, const struct fault *f)
{
	note_result(l, r, f);
	if (ledger_store_pending(l->store) >= STORE_BATCH)
		commit(l);
}

static void
on_fact_session(struct role_env *env, struct link *from, struct ipc_msg *m)
{
	struct ledger *l = env->state;
	struct fault f = { 0 };

	(void)from;
	stored(l, ledger_store_session(l->store, now(l), &m->u.fact_session,
	    &f), &f);
}

static void
on_fact_delivery(struct role_env *env, struct link *from, struct ipc_msg *m)
{
	struct ledger *l = env->state;
	struct fault f = { 0 };

	(void)from;
	stored(l, ledger_store_delivery(l->store, now(l), &m->u.fact_delivery,
	    &f), &f);
}

static void
on_gap(struct role_env *env, struct link *from, struct ipc_msg *m)
{
	struct ledger *l = env->state;
	struct fault f = { 0 };

	log_warn("facts-dropped", KV_S("peer", role_name(link_role(from))),
	    KV_N("instance", link_index(from)),
	    KV_N("dropped", m->u.gap.dropped));
	stored(l, ledger_store_gap(l->store, now(l), link_role(from),
	    link_index(from), m->u.gap.dropped, &f), &f);
}

/* ---- the control socket ---- */

static void
control_request(void *ctx, struct control_client *c, const json_t *request)
{
	struct ledger *l = ctx;
	const char *cmd = json_string_value(json_object_get(request, "cmd"));

	if (strcmp(cmd, "flush") != 0) {
		control_error(c, 64, "the ledger knows only the command flush");
		return;
	}
	/* A client has one request at a time and there are no more clients
	 * than this. */
	assert(l->nwaiting < CONTROL_CLIENTS_MAX);
	l->waiting[l->nwaiting++] = c;
	if (!loop_timer_active(l->flush))
		loop_timer_set(l->flush, FLUSH_MS);
}

static void
flush_due(void *arg)
{
	struct ledger *l = arg;

	commit(l);
	while (l->nwaiting > 0) {
		struct control_client *c = l->waiting[--l->nwaiting];

		if (l->failing)
			control_error(c, 1, "the ledger cannot be written, "
			    "its log says why; facts are being lost");
		else
			control_done(c);
	}
}

static void
control_gone(void *ctx, struct control_client *c)
{
	struct ledger *l = ctx;
	unsigned i;

	for (i = 0; i < l->nwaiting; i++)
		if (l->waiting[i] == c) {
			l->waiting[i] = l->waiting[--l->nwaiting];
			return;
		}
}

static const struct control_ops control_ops = {
	.request = control_request,
	.gone = control_gone,
};

static void
on_control(struct role_env *env, struct link *from, struct ipc_msg *m)
{
	struct ledger *l = env->state;

	(void)from;
	control_close(&l->control);
	l->control = control_new(env->loop, ipc_take_fd(m), &control_ops, l);
	if (l->control == NULL)
		log_error("control-failed", KV_Q("reason", "no memory or "
		    "descriptors for the control socket"));
}

/* ---- life ---- */

static int
ledger_start(struct role_env *env, struct fault *f)
{
	struct ledger *l = calloc(1, sizeof *l);
	char path[PATH_MAX];
	int n;

	if (l == NULL)
		return fault_set(f, FAULT_TEMP, 0, "", "no memory");
	n = snprintf(path, sizeof path, "%s/" LEDGER_FILE,
	    env->conf->state_directory);
	if (n < 0 || (size_t)n >= sizeof path) {
		fault_set(f, FAULT_PERM, 0, "", "state.directory is too long");
		goto fail;
	}
	l->env = env;
	l->store = ledger_store_open(path, f);
	if (l->store == NULL)
		goto fail;
	l->commit = loop_timer_new(env->loop, commit_due, l);
	l->flush = loop_timer_new(env->loop, flush_due, l);
	if (l->commit == NULL || l->flush == NULL) {
		fault_set(f, FAULT_TEMP, 0, "", "no memory");
		goto fail;
	}
	env->state = l;
	return 0;
fail:
	loop_timer_close(&l->commit);
	loop_timer_close(&l->flush);
	ledger_store_close(&l->store, clock_wall_ms());
	free(l);
	return -1;
}

static void
ledger_drain(struct role_env *env)
{
	/* Others still send facts while they drain; ops->stop commits those. */
	commit(env->state);
	role_drained(env);
}

static void
ledger_stop(struct role_env *env)
{
	struct ledger *l = env->state;

	control_close(&l->control);
	loop_timer_close(&l->commit);
	loop_timer_close(&l->flush);
	ledger_store_close(&l->store, clock_wall_ms());
	free(l);
	env->state = NULL;
}

static const struct role_handler handlers[] = {
	{ IPC_FACT_SESSION, on_fact_session },
	{ IPC_FACT_DELIVERY, on_fact_delivery },
	{ IPC_GAP, on_gap },
	{ IPC_CONTROL, on_control },
};

const struct role_ops ledger_ops = {
	.start = ledger_start,
	.drain = ledger_drain,
	.stop = ledger_stop,
	.handlers = handlers,
	.nhandlers = sizeof handlers / sizeof handlers[0],
};
