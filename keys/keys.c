/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* keys/keys.c - see keys.h.  The role around store.c. */
#include "keys/keys.h"

#include <sys/prctl.h>

#include "base/clock.h"
#include "base/log.h"
#include "keys/store.h"

#define MAKER		1	/* the instance that makes and writes */
#define SIGNATURE_MAX	1024

static int
send_certs(struct role_env *env, const struct keys_store *store,
    struct fault *f)
{
	struct ipc_key_certs m;
	struct buf list;
	int rc = -1;

	buf_init(&list, KEYS_CERTS_MAX);
	if (keys_store_certs(store, &list) == 0) {
		m.certs = buf_get(&list);
		rc = ipc_send_key_certs(env->parent, &m, -1);
	}
	buf_free(&list);
	return rc == 0 ? 0 : fault_set(f, FAULT_TEMP, 0, "",
	    "the certificates cannot be sent to the parent");
}

static int
keys_start(struct role_env *env, struct fault *f)
{
	struct keys_store *store;
	bool maker = env->index == MAKER;

	/* No core file, no debugger of the same user. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	store = keys_store_open(env->conf->state_directory,
	    env->conf->hostname, maker, (time_t)(clock_wall_ms() / 1000), f);
	if (store == NULL)
		return -1;
	env->state = store;
	return maker ? send_certs(env, store, f) : 0;
}

static void
keys_stop(struct role_env *env)
{
	struct keys_store *store = env->state;

	keys_store_close(&store);
	env->state = NULL;
}

static void
on_key_sign(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	const struct ipc_key_sign *ask = &m->u.key_sign;
	unsigned char sig[SIGNATURE_MAX];
	struct ipc_key_signed answer = { .txn = ask->txn };
	int n = keys_store_sign(env->state, ask, sig, sizeof sig);

	if (n > 0) {
		answer.ok = 1;
		answer.signature = span_of(sig, (size_t)n);
	} else {
		/* smtpd itself never asks for what is refused here. */
		answer.signature = SPAN_NONE;
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
	.stop = keys_stop,
	.handlers = handlers,
	.nhandlers = sizeof handlers / sizeof handlers[0],
};
