/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/channel.h - a byte stream over a socket, TCP as a rule, that can turn into
 * TLS.
 * Both SMTP sides use it: smtpd (accepted sockets), relay, probe and bench
 * (connected ones).  It owns socket, loop handle, buffers and TLS session.
 *
 * Input: on_input is called when bytes came; the reader looks at
 * channel_input() and says how much it used with channel_consume().  Output:
 * channel_send() copies into a bounded queue; on_drained when it is empty.
 * Backpressure: stop feeding above channel_unsent() limits of your own;
 * channel_pause() stops reading from the peer. */
#ifndef TLS_CHANNEL_H
#define TLS_CHANNEL_H

#include "base/buf.h"
#include "base/fault.h"
#include "base/hop.h"
#include "base/loop.h"
#include "base/net.h"
#include "base/span.h"

struct channel;
struct tls_creds;		/* tls/creds.h */
struct tls_offer;
struct tls_chain;		/* tls/chain.h */

enum channel_end {
	CHANNEL_EOF,		/* the peer closed (TLS: close_notify; then nothing is parsed any more) */
	CHANNEL_ERROR,		/* reset, time-out of the kernel, TLS alert, truncation; fault says */
};

struct channel_ops {
	void	(*connected)(void *arg);	/* client only */
	void	(*input)(void *arg);
	void	(*drained)(void *arg);		/* all sent bytes are in the kernel */
	void	(*secured)(void *arg);		/* handshake done; channel_facts() is valid */
	/* Not called for channel_close().  After it only channel_close() is
	 * legal.  `in_handshake`: TLS was being set up. */
	void	(*ended)(void *arg, enum channel_end, bool in_handshake,
		    const struct fault *);
};

/* An accepted, non-blocking socket; takes it. NULL: no memory. */
struct channel	*channel_accept(struct loop *, int fd,
		    const struct channel_ops *, void *arg);
/* Starts connecting; `source` may be NULL.  NULL with a fault when not even
 * that worked; later failure comes by ended(). */
struct channel	*channel_connect(struct loop *, const struct addr *to,
		    const struct addr *source, const struct channel_ops *,
		    void *arg, struct fault *);
/* The same over the unix socket at `path`. */
struct channel	*channel_connect_unix(struct loop *, const char *path,
		    const struct channel_ops *, void *arg, struct fault *);
/* Another owner takes it over, even inside of a callback. */
void		 channel_adopt(struct channel *, const struct channel_ops *,
		    void *arg);
/* Closes at once: unsent bytes are lost.  A TLS session sends close_notify if
 * the socket takes it. */
void		 channel_close(struct channel **);
/* Sends what is queued, then closes (bounded by `ms`); no callbacks any more. */
void		 channel_close_after_flush(struct channel **, uint64_t ms);
/* Ends at once all that still flush on this loop: for ops->stop of a role,
 * before loop_free() asserts that no handle is left. */
void		 channel_close_lingering(struct loop *);
unsigned	 channel_lingering(void);	/* how many have a descriptor yet */

struct span	 channel_input(const struct channel *);	/* plain text, up to 64 KiB */
/* Up to `max` bytes instead (1 KiB to 64 KiB), and no more ciphertext than that
 * kept: for many sessions with strangers. */
void		 channel_set_input(struct channel *, size_t max);
void		 channel_consume(struct channel *, size_t);
void		 channel_pause(struct channel *, bool paused);

int		 channel_send(struct channel *, struct span);	/* -1: over 1 MiB queued, no memory */
size_t		 channel_unsent(const struct channel *);

/* Turn into TLS.  Asserts that no unread input is there: bytes that came
 * ahead of the handshake are an injection and the caller must have closed
 * (RFC 3207 sec 4.2).  Outcome by secured() or ended(in_handshake).
 * -1: could not even start. */
int		 channel_start_server(struct channel *, struct tls_creds *,
		    bool ask_certificate);
int		 channel_start_client(struct channel *, struct tls_creds *,
		    const struct tls_offer *);
bool		 channel_is_tls(const struct channel *);
const struct tls_facts	*channel_facts(const struct channel *);

/* As tls_session_resumable(). */
int		 channel_resumable(const struct channel *, struct buf *);

/* The peer's leaf certificate: end of validity as RFC 3339 and issuer DN, ""
 * when it sent none. */
void		 channel_peer_cert(const struct channel *, char not_after[24],
		    char *issuer, size_t issuer_size);

/* All that it sent; borrowed until the channel closes. */
void		 channel_peer_chain(const struct channel *, struct tls_chain *);

void		 channel_peer_addr(const struct channel *, struct addr *);
void		 channel_local_addr(const struct channel *, struct addr *);

#endif
