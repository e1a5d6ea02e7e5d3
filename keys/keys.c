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

struct keys {
	struct keys_store	*store;
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
open_store(struct role_env *env, struct fault *f)
{
	const struct conf *c = env->conf;
	time_t now = (time_t)(clock_wall_ms() / 1000);

	return c->tls.ncertificates > 0 ?
	    keys_store_configured(c, &env->files, now, f) :
	    keys_store_open(c->state_directory, c->hostname,
	    env->index == MAKER, now, f);
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
	k->store = open_store(env, f);
	if (k->store == NULL) {
		free(k);
		return -1;
	}
	env->state = k;
	return env->index == MAKER ? send_certs(env, k->store, f) : 0;
}

static void
keys_stop(struct role_env *env)
{
	struct keys *k = env->state;

	keys_store_close(&k->store);
	free(k);
	env->state = NULL;
}

/* False: this one has to wait for another second. */
static bool
may_sign(struct keys *k, const struct ipc_key_sign *ask, uint64_t now)
{
	unsigned bits = keys_store_rsa_bits(k->store, ask->key), refused;
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
	} else if ((n = keys_store_sign(k->store, ask, sig, sizeof sig)) > 0) {
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
	.stop = keys_stop,
	.handlers = handlers,
	.nhandlers = sizeof handlers / sizeof handlers[0],
};
