/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/session.h - one GnuTLS session that reads and writes memory only.
 * Private to tls/: channel.c moves the bytes between the wire and a socket.
 * GnuTLS never sees a descriptor, so that one place decides about system
 * calls, back-pressure and the end of a connection. */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/hop.h"
#include "base/span.h"
#include "tls/creds.h"

struct tls_chain;
struct tls_session;

/* The two directions of ciphertext.  Borrowed by the session for its life. */
struct tls_wire {
	struct span	 rx;	/* received and not yet taken by GnuTLS */
	bool		 eof;	/* nothing comes after rx */
	struct buf	*tx;	/* to be sent; everything is taken, or it fails */
};

enum tls_step {
	TLS_DONE,		/* secured; data came */
	TLS_WAIT,		/* more bytes are needed */
	TLS_CLOSED,		/* close_notify: whatever follows is not ours */
	TLS_FAILED,		/* fault says why; an alert may lie in tx */
};

/* Both take their own reference to the credentials.  NULL: no memory. */
struct tls_session	*tls_session_server(struct tls_creds *, struct tls_wire *,
			    bool ask_certificate);
struct tls_session	*tls_session_client(struct tls_creds *, struct tls_wire *,
			    const struct tls_offer *);
void			 tls_session_free(struct tls_session **);

enum tls_step	tls_session_handshake(struct tls_session *, struct fault *);
/* Up to n bytes of plain text; *got is set for TLS_DONE only. */
enum tls_step	tls_session_recv(struct tls_session *, char *, size_t n,
		    size_t *got, struct fault *);
/* Plain text that is decrypted and waits inside: the socket does not become
 * readable for it. */
size_t		tls_session_pending(const struct tls_session *);
/* Encrypts all of it into tx.  0 or -1. */
int		tls_session_send(struct tls_session *, struct span,
		    struct fault *);
/* Client: what the next session may resume this one with, appended.  1; 0: it
 * cannot be, or not yet, as a TLS 1.3 server sends its tickets behind the
 * handshake; -1: no room.  Worth asking after the first answer came. */
int		tls_session_resumable(const struct tls_session *, struct buf *);
void		tls_session_bye(struct tls_session *);	/* close_notify into tx */

/* tls/facts.c; after the handshake. */
void	tls_session_facts(const struct tls_session *, struct tls_facts *);
void	tls_session_peer_chain(const struct tls_session *, struct tls_chain *);
void	tls_session_peer_cert(const struct tls_session *, char not_after[24],
	    char *issuer, size_t issuer_size);

#endif
