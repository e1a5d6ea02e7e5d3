/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/session_priv.h - what session.c, facts.c and creds.c share. */
#ifndef TLS_SESSION_PRIV_H
#define TLS_SESSION_PRIV_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "tls/creds.h"
#include "tls/names.h"
#include "tls/session.h"

#define TLS_KEYS_MAX	32	/* certificates of one server: bits of a mask */
#define TLS_GROUPS_MAX	96

/* A private key that lives elsewhere, as GnuTLS sees it. */
struct tls_remote_key {
	struct tls_signer	 signer;
	unsigned		 number;
	int			 pk, bits;
};

/* What is shown to who asks for a name that these have. */
struct tls_group {
	uint32_t			 certs;
	gnutls_certificate_credentials_t cert;
};

struct tls_creds {
	unsigned			 refs;
	bool				 server;
	gnutls_certificate_credentials_t cert;	/* to who asks for none */
	/* [strict][reduced]; of a server only the first. */
	gnutls_priority_t		 priority[2][2];
	struct tls_remote_key		 keys[TLS_KEYS_MAX];
	unsigned			 nkeys;
	struct tls_names		 names;
	struct tls_group		 groups[TLS_GROUPS_MAX];
	unsigned			 ngroups;
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

struct tls_creds	*tls_creds_new(bool server, bool old_versions,
			    struct fault *);
/* Of a server, for who asks for that name. */
gnutls_certificate_credentials_t
	tls_creds_for_name(const struct tls_creds *, struct span name);

#endif
