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

/* What a client offers in one handshake. */
struct tls_offer {
	const char	*sni;		/* "": none; nor is one sent for a literal */
	/* For a peer or a box on the way that broke off at a full ClientHello:
	 * no TLS 1.3, and below 256 bytes. */
	bool		 reduced;
	/* An authenticated level is asked: neither old versions nor small
	 * groups, which hold up a listener only. */
	bool		 strict;
	/* Ask for a ticket, for tls_session_resumable() to hand out; never in
	 * a reduced hello. */
	bool		 tickets;
	struct span	 resume;	/* what that gave, or nothing */
};

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

/* `old_versions`: TLS 1.0 and 1.1 are better than clear text (RFC 7435 sec 3);
 * facts name them weak.
 *
 * Server: `certs` is a LIST of own_cert records (base/ipc/messages.def), 32 at
 * most.  A client that names a server gets a certificate with that name, else
 * one with `hostname`, else the first; never an alert for it (RFC 8461 sec 7.1).
 * Makes a trial signature with each key, so the signer must answer.  NULL with
 * a fault.  The signer must outlive the credentials. */
struct tls_creds	*tls_creds_server(struct span certs,
			    const char *hostname, const struct tls_signer *,
			    bool old_versions, struct fault *);
/* Client: any certificate is taken and recorded. */
struct tls_creds	*tls_creds_client(bool old_versions, struct fault *);
/* Server: session tickets under this key, TLS_TICKET_KEY bytes, from now on; who
 * has the same key resumes what another process began. */
#define TLS_TICKET_KEY	64
void			 tls_creds_tickets(struct tls_creds *, struct span key);
struct tls_creds	*tls_creds_ref(struct tls_creds *);
void			 tls_creds_unref(struct tls_creds **);

#endif
