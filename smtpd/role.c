/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/role.c - the role as base/role.h runs it: credentials, messages of
 * other roles, drain and stop. */
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "smtpd/smtpd.h"
#include "smtpd/smtpd_priv.h"

#define FDS_KEPT	64u	/* for links, listeners, the loop, the reserve */
#define RELOAD_MS	2000
#define CERTS_MAX	65536

static struct smtpd *
state_of(struct role_env *env)
{
	return env->state;
}

/* ---- credentials ---- */

/* Replies that came after their time-out would answer the wrong question. */
static void
drop_late_replies(int fd)
{
	static char junk[1024];

	while (recv(fd, junk, sizeof junk, MSG_DONTWAIT) > 0)
		;
}

static int
sign(void *arg, unsigned key, unsigned alg, unsigned flags, bool prehashed,
    struct span data, unsigned char *sig, size_t sig_size)
{
	static char mem[IPC_FRAME_MAX];
	struct smtpd *d = arg;
	struct ipc_key_sign ask = { .txn = ++d->sign_txn, .key = key,
	    .alg = alg, .flags = flags, .prehashed = prehashed, .data = data };
	struct ipc_msg reply = { .fd = -1 };
	struct ipc_key_signed *r = &reply.u.key_signed;

	if (d->env->keys_fd == -1)
		return -1;
	drop_late_replies(d->env->keys_fd);
	if (ipc_call_key_sign(d->env->keys_fd, &ask, &reply, mem) == -1 ||
	    r->txn != ask.txn || !r->ok || r->signature.n > sig_size) {
		log_error("sign-failed", KV_N("key", key));
		return -1;
	}
	memcpy(sig, r->signature.p, r->signature.n);
	return (int)r->signature.n;
}

/* Sessions that run keep what they began with. */
static void
creds_load(struct smtpd *d)
{
	struct tls_creds *fresh;
	struct fault f = { 0 };

	if (d->certs.len == 0 || d->env->keys_fd == -1)
		return;
	fresh = tls_creds_server(buf_get(&d->certs), &d->signer,
	    d->env->conf->tls.old_versions, &f);
	if (fresh == NULL) {
		log_error("credentials-failed", KV_Q("reason", f.text));
		loop_timer_set(d->reload, RELOAD_MS);
		return;
	}
	tls_creds_unref(&d->creds);
	d->creds = fresh;
	loop_timer_stop(d->reload);
	listeners_watch(d);
}

static void
on_reload(void *arg)
{
	creds_load(arg);
}

static void
on_certs(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	struct smtpd *d = state_of(env);
	struct span now = m->u.certs.certs;

	(void)l;
	if (d->creds != NULL && span_eq(buf_get(&d->certs), now))
		return;
	buf_reset(&d->certs);
	if (buf_span(&d->certs, now) == -1)
		log_error("credentials-failed", KV_Q("reason", "no memory"));
	creds_load(d);
}

static void
keys_changed(struct role_env *env)
{
	struct smtpd *d = state_of(env);

	/* The signer looks the socket up at each call: credentials that were
	 * loaded over the last one still serve. */
	if (d != NULL && d->creds == NULL)
		creds_load(d);
}

/* ---- messages ---- */

static void
on_listen(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	struct smtpd *d = state_of(env);
	uint32_t index = m->u.listen.index;

	(void)l;
	if (env->draining || index >= env->conf->nlistens)
		return;
	if (listener_add(d, ipc_take_fd(m), &env->conf->listens[index]) == -1)
		log_error("listen-failed", KV_S("listen",
		    env->conf->listens[index].label));
}

static void
on_spool_opened(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	(void)l;
	smtpd_intake_spooled(state_of(env), m);
}

static void
on_msg_committed(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	(void)l;
	smtpd_intake_committed(state_of(env), &m->u.msg_committed);
}

static void
on_verify_answer(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	(void)l;
	smtpd_intake_verified(state_of(env), &m->u.verify_answer);
}

static void
on_peer_down(struct role_env *env, enum role role, unsigned index)
{
	(void)index;
	if (role == ROLE_QUEUE)
		smtpd_intake_lost(state_of(env));
}

static void
on_room(struct role_env *env, struct link *l)
{
	if (link_role(l) == ROLE_QUEUE)
		smtpd_intake_go_on(state_of(env));
}

/* ---- start, drain, stop ---- */

static void
on_again(void *arg)
{
	listeners_watch(arg);
}

/* A session needs a descriptor, and a second one while it receives a large
 * message: what is left below the limit carries the latter. */
static unsigned
clients_most(void)
{
	struct rlimit r;
	rlim_t n;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return FDS_KEPT;
	n = r.rlim_cur;
	n = n > 2 * FDS_KEPT ? (n - FDS_KEPT) / 4 * 3 : n / 4;
	return n < CLIENT_SLOTS_MAX ? (unsigned)n : CLIENT_SLOTS_MAX;
}

static int
start(struct role_env *env, struct fault *f)
{
	struct smtpd *d = calloc(1, sizeof *d);

	if (d == NULL)
		goto no_memory;
	d->env = env;
	d->reserve_fd = -1;
	d->most = clients_most();
	d->signer = (struct tls_signer){ sign, d };
	buf_init(&d->certs, CERTS_MAX);
	d->again = loop_timer_new(env->loop, on_again, d);
	d->reload = loop_timer_new(env->loop, on_reload, d);
	if (d->again == NULL || d->reload == NULL)
		goto free_state;
	env->state = d;
	return 0;
free_state:
	loop_timer_close(&d->again);
	loop_timer_close(&d->reload);
	free(d);
no_memory:
	return fault_set(f, FAULT_TEMP, 0, "4.3.0", "no memory");
}

void
smtpd_check_drained(struct smtpd *d)
{
	if (!d->env->draining || d->drained || d->nclients > 0)
		return;
	d->drained = true;
	role_drained(d->env);
}

static void
drain(struct role_env *env)
{
	struct smtpd *d = state_of(env);

	if (d == NULL) {
		role_drained(env);
		return;
	}
	listeners_close(d);
	for (unsigned i = 0; i < CLIENT_SLOTS_MAX; i++)
		if (d->clients[i] != NULL)
			smtpd_client_run(d->clients[i]);
	smtpd_check_drained(d);
}

static void
stop(struct role_env *env)
{
	struct smtpd *d = state_of(env);

	d->drained = true;		/* nobody to tell any more */
	listeners_close(d);
	for (unsigned i = 0; i < CLIENT_SLOTS_MAX; i++)
		if (d->clients[i] != NULL)
			smtpd_client_free(d->clients[i]);
	channel_close_lingering(env->loop);
	loop_timer_close(&d->again);
	loop_timer_close(&d->reload);
	tls_creds_unref(&d->creds);
	buf_free(&d->certs);
	if (d->reserve_fd != -1)
		close(d->reserve_fd);
	free(d);
	env->state = NULL;
}

static const struct role_handler handlers[] = {
	{ IPC_CERTS, on_certs },
	{ IPC_LISTEN, on_listen },
	{ IPC_SPOOL_OPENED, on_spool_opened },
	{ IPC_MSG_COMMITTED, on_msg_committed },
	{ IPC_VERIFY_ANSWER, on_verify_answer },
};

const struct role_ops smtpd_ops = {
	.start = start,
	.peer_down = on_peer_down,
	.keys_changed = keys_changed,
	.room = on_room,
	.drain = drain,
	.stop = stop,
	.handlers = handlers,
	.nhandlers = sizeof handlers / sizeof handlers[0],
};
