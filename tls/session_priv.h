/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/session_priv.h - what session.c, facts.c and creds.c share. */
#ifndef TLS_SESSION_PRIV_H
#define TLS_SESSION_PRIV_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "tls/creds.h"
#include "tls/session.h"

#define TLS_KEYS_MAX	8	/* certificates of one server */

/* A private key that lives elsewhere, as GnuTLS sees it. */
struct tls_remote_key {
	struct tls_signer	 signer;
	unsigned		 number;
	int			 pk, bits;
};

struct tls_creds {
	unsigned			 refs;
	bool				 server;
	gnutls_certificate_credentials_t cert;
	/* [strict][reduced]; of a server only the first. */
	gnutls_priority_t		 priority[2][2];
	struct tls_remote_key		 keys[TLS_KEYS_MAX];
	unsigned			 nkeys;
	bool				 tickets;
	unsigned char			 ticket_key[TLS_TICKET_KEY];
};

struct tls_session {
	gnutls_session_t	 g;
	struct tls_wire		*wire;
	struct tls_creds	*creds;
	unsigned		 nuisances;	/* warnings, renegotiation wishes */
	bool			 shaking;	/* the handshake is not done */
	bool			 plain_text;	/* it began as no TLS begins */
	size_t			 taken;		/* bytes of it */
	const char		*objection;	/* to one of its messages */
};

#endif
