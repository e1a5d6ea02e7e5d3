/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* keys/keys.c - see keys.h.  The role around store.c. */
#include "keys/keys.h"

#include <stdlib.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/log.h"
#include "keys/rate.h"
#include "keys/store.h"
#include "tls/own.h"

#define MAKER		1	/* the instance that makes and writes */
#define SIGNATURE_MAX	1024
#define KEY_CERTS_MAX	65536		/* bytes of one message's list */
/* KEY_SIGNED.ok */
#define SIGNED		1
#define BUSY		2

/* Those of the last configuration stay for handshakes that began under it;
 * smtpd gives one a minute. */
#define LAST_MS		(120 * 1000u)

/* How often the maker looks whether a certificate ends soon. */
#define LOOK_MS		(12 * 3600 * 1000u)

struct keys {
	struct keys_store	*store, *next, *last;	/* in use; else may be NULL */
	struct loop_timer	*last_timer, *look;
	struct role_env		*env;
	struct rate		 rate;
};

static int
send_list(struct link *parent, struct span certs)
{
	int rc = 0;

	do {
		size_t n = tls_own_list_head(certs, KEY_CERTS_MAX);
		const struct ipc_key_certs m = { .more = n < certs.n,
		    .certs = span_head(certs, n) };

		rc = n == 0 ? -1 : ipc_send_key_certs(parent, &m, -1);
		certs = span_skip(certs, n);
	} while (rc == 0 && certs.n > 0);
	return rc;
}

static int
send_certs(struct role_env *env, const struct keys_store *store,
    struct fault *f)
{
	struct buf list;
	int rc = -1;

	buf_init(&list, KEYS_CERTS_MAX);
	if (keys_store_certs(store, &list) == 0)
		rc = send_list(env->parent, buf_get(&list));
	buf_free(&list);
	return rc == 0 ? 0 : fault_set(f, FAULT_TEMP, 0, "",
	    "the certificates cannot be sent to the parent");
}

static struct keys_store *
open_store(struct role_env *env, const struct conf *c, struct fault *f)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct keys_store *s = c->tls.ncertificates > 0 ?
	    keys_store_configured(c, &env->files, now, f) :
	    keys_store_open(c->state_directory, c->hostname,
	    env->index == MAKER, now, f);

	if (s != NULL)
		keys_store_number(s, env->generation);
	return s;
}

static void
on_last(void *arg)
{
	struct keys *k = arg;

	keys_store_close(&k->last);
}

/* In a server that runs for years: self-signed certificates are made anew in
 * time, as at a start.  For the kept keys alone: others are a matter of all keys
 * processes, and come by a reload. */
static void
on_look(void *arg)
{
	struct keys *k = arg;
	struct keys_store *fresh;
	struct fault f = { 0 };

	loop_timer_set(k->look, LOOK_MS);
	if (k->env->conf->tls.ncertificates > 0)
		return;
	fresh = open_store(k->env, k->env->conf, &f);
	if (fresh != NULL && keys_store_same_keys(fresh, k->store) &&
	    send_certs(k->env, fresh, &f) == 0) {
		struct keys_store *was = k->store;

		k->store = fresh;
		fresh = was;
	}
	if (f.text[0] != '\0')
		log_error("certificates-unread", KV_Q("reason", f.text));
	keys_store_close(&fresh);
}

static int
keys_start(struct role_env *env, struct fault *f)
{
	struct keys *k = calloc(1, sizeof *k);

	/* No core file, no debugger of the same user. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (k == NULL)
		return fault_set(f, FAULT_TEMP, 0, "", "no memory");
	rate_init(&k->rate, loop_now(env->loop));
	k->env = env;
	k->last_timer = loop_timer_new(env->loop, on_last, k);
	k->look = loop_timer_new(env->loop, on_look, k);
	if (k->last_timer == NULL || k->look == NULL)
		fault_set(f, FAULT_TEMP, 0, "", "no memory");
	else
		k->store = open_store(env, env->conf, f);
	if (k->store == NULL) {
		loop_timer_close(&k->last_timer);
		loop_timer_close(&k->look);
		free(k);
		return -1;
	}
	env->state = k;
	if (env->index != MAKER)
		return 0;
	loop_timer_set(k->look, LOOK_MS);
	return send_certs(env, k->store, f);
}

static int
keys_prepare(struct role_env *env, const struct conf *next, struct fault *f)
{
	struct keys *k = env->state;

	k->next = open_store(env, next, f);
	return k->next == NULL ? -1 : 0;
}

static void
keys_forget(struct role_env *env)
{
	struct keys *k = env->state;

	keys_store_close(&k->next);
}

static void
keys_adopt(struct role_env *env, const struct conf *old)
{
	struct keys *k = env->state;
	struct fault f;

	(void)old;
	keys_store_close(&k->last);
	k->last = k->store;
	k->store = k->next;
	k->next = NULL;
	loop_timer_set(k->last_timer, LAST_MS);
	if (env->index == MAKER && send_certs(env, k->store, &f) == -1)
		log_error("certificates-unsent", KV_Q("reason", f.text));
}

static void
keys_stop(struct role_env *env)
{
	struct keys *k = env->state;

	loop_timer_close(&k->last_timer);
	loop_timer_close(&k->look);
	keys_store_close(&k->last);
	keys_store_close(&k->store);
	free(k);
	env->state = NULL;
}

/* Those that are prepared serve already: another keys process may have told
 * its smtpd of them before this one is told to switch. */
static const struct keys_store *
store_of(const struct keys *k, uint32_t key)
{
	return keys_store_has(k->next, key) ? k->next :
	    keys_store_has(k->last, key) ? k->last : k->store;
}

/* False: this one has to wait for another second. */
static bool
may_sign(struct keys *k, const struct ipc_key_sign *ask, uint64_t now)
{
	unsigned bits = keys_store_rsa_bits(store_of(k, ask->key), ask->key),
	    refused;
	bool may = bits == 0 || rate_take(&k->rate, now, bits);

	if ((refused = rate_report(&k->rate, now)) > 0)
		log_warn("rsa-limited", KV_N("refused", refused));
	return may;
}

static void
on_key_sign(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	const struct ipc_key_sign *ask = &m->u.key_sign;
	struct keys *k = env->state;
	unsigned char sig[SIGNATURE_MAX];
	struct ipc_key_signed answer = { .txn = ask->txn,
	    .signature = SPAN_NONE };
	int n;

	if (!may_sign(k, ask, loop_now(env->loop))) {
		answer.ok = BUSY;
	} else if ((n = keys_store_sign(store_of(k, ask->key), ask, sig, sizeof sig)) > 0) {
		answer.ok = SIGNED;
		answer.signature = span_of(sig, (size_t)n);
	} else {
		/* smtpd itself never asks for what is refused here. */
		log_warn("sign-refused", KV_N("smtpd", link_index(l)),
		    KV_N("key", ask->key), KV_N("alg", ask->alg),
		    KV_N("bytes", ask->data.n));
	}
	ipc_send_key_signed(l, &answer, -1);
}

static const struct role_handler handlers[] = {
	{ IPC_KEY_SIGN, on_key_sign },
};

const struct role_ops keys_ops = {
	.start = keys_start,
	.prepare = keys_prepare,
	.adopt = keys_adopt,
	.forget = keys_forget,
	.stop = keys_stop,
	.handlers = handlers,
	.nhandlers = sizeof handlers / sizeof handlers[0],
};
