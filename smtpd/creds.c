/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/creds.c - credentials of the TLS server: certificates from the parent,
 * signatures from the keys process, the key of session tickets. */
#include <stdlib.h>
#include <sys/socket.h>

#include "base/log.h"
#include "smtpd/smtpd_priv.h"

#define RELOAD_MS	2000
#define CERTS_MAX	(2 * 1024 * 1024)
/* KEY_SIGNED.ok */
#define KEYS_SIGNED	1
#define KEYS_BUSY	2

/* ---- signatures ---- */

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
	if (ipc_call_key_sign(d->env->keys_fd, &ask, &reply, mem) == -1)
		r->ok = 0;
	if (r->ok == KEYS_BUSY)
		return -1;		/* keys says so, once a second */
	if (r->txn != ask.txn || r->ok != KEYS_SIGNED ||
	    r->signature.n > sig_size) {
		log_error("sign-failed", KV_N("key", key));
		return -1;
	}
	memcpy(sig, r->signature.p, r->signature.n);
	return (int)r->signature.n;
}

/* ---- loading ---- */

/* Sessions that run keep what they began with. */
static void
creds_load(struct smtpd *d)
{
	struct tls_creds *fresh;
	struct fault f = { 0 };

	if (d->certs.len == 0 || d->env->keys_fd == -1)
		return;
	fresh = tls_creds_server(buf_get(&d->certs), d->env->conf->hostname,
	    &d->signer, d->env->conf->tls.old_versions, &f);
	if (fresh == NULL) {
		log_error("credentials-failed", KV_Q("reason", f.text));
		loop_timer_set(d->reload, RELOAD_MS);
		return;
	}
	if (d->has_ticket_key)
		tls_creds_tickets(fresh, span_of(d->ticket_key,
		    sizeof d->ticket_key));
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

int
creds_init(struct smtpd *d)
{
	d->signer = (struct tls_signer){ sign, d };
	buf_init(&d->certs, CERTS_MAX);
	buf_init(&d->coming, CERTS_MAX);
	d->reload = loop_timer_new(d->env->loop, on_reload, d);
	return d->reload == NULL ? -1 : 0;
}

void
creds_free(struct smtpd *d)
{
	loop_timer_close(&d->reload);
	tls_creds_unref(&d->creds);
	buf_free(&d->certs);
	buf_free(&d->coming);
	explicit_bzero(d->ticket_key, sizeof d->ticket_key);
}

void
creds_take(struct smtpd *d, const struct ipc_certs *m)
{
	struct buf was;

	if (buf_span(&d->coming, m->certs) == -1) {
		/* Nobody would send them again. */
		role_give_up(d->env, "certificates");
		return;
	}
	if (m->more)
		return;
	was = d->certs;
	d->certs = d->coming;
	d->coming = was;
	if (d->creds == NULL ||
	    !span_eq(buf_get(&d->certs), buf_get(&d->coming)))
		creds_load(d);
	buf_reset(&d->coming);
}

void
creds_take_ticket_key(struct smtpd *d, struct span key)
{
	if (key.n != sizeof d->ticket_key)
		return;
	memcpy(d->ticket_key, key.p, key.n);
	d->has_ticket_key = true;
	if (d->creds != NULL)
		tls_creds_tickets(d->creds, key);
}

/* Names and versions of the configuration may differ. */
void
creds_adopt(struct smtpd *d)
{
	d->has_ticket_key = d->has_ticket_key && d->env->conf->tls.tickets;
	creds_load(d);
}

void
creds_keys_changed(struct smtpd *d)
{
	/* The signer looks the socket up at each call: credentials that were
	 * loaded over the last one still serve. */
	if (d->creds == NULL)
		creds_load(d);
}
