/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/creds.h - what a TLS session is made with.  Shared by all sessions of a
 * process, read-only after loading, counted: sessions keep the credentials
 * they began with when new ones are loaded. */
#ifndef TLS_CREDS_H
#define TLS_CREDS_H

#include "base/fault.h"
#include "base/span.h"

struct tls_creds;

/* How a private key elsewhere signs.  Blocking (GnuTLS 3.7 cannot suspend a
 * handshake there); `alg` is a gnutls_sign_algorithm_t, `prehashed` says
 * whether `data` is the hash or the bytes to be hashed.  Returns the length of
 * the signature put into `sig`, or -1. */
struct tls_signer {
	int	(*sign)(void *arg, unsigned key, unsigned alg, unsigned flags,
		    bool prehashed, struct span data, unsigned char *sig,
		    size_t sig_size);
	void	*arg;
};

/* Server: `certs` is a LIST of own_cert records (base/ipc/messages.def), ECDSA
 * first.  Makes a trial signature with each key, so the signer must answer.
 * NULL with a fault.  The signer must outlive the credentials. */
struct tls_creds	*tls_creds_server(struct span certs,
			    const struct tls_signer *, struct fault *);
/* Client, opportunistic: any certificate is taken and recorded. */
struct tls_creds	*tls_creds_client(struct fault *);
struct tls_creds	*tls_creds_ref(struct tls_creds *);
void			 tls_creds_unref(struct tls_creds **);

#endif
