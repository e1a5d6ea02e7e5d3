/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/session.h - one connection to a next hop: smtp/client.h's steps over
 * tls/channel.h, with the loop's timers, and the body pumped through.
 *
 * Knows nothing of jobs, hosts in order or verdicts: its owner is told what
 * the client's events say, and may from inside each callback begin a message,
 * quit or close. */
#ifndef RELAY_SESSION_H
#define RELAY_SESSION_H

#include "base/finding.h"
#include "relay/dial.h"
#include "relay/job.h"
#include "smtp/client.h"
#include "smtp/dot.h"
#include "tls/channel.h"
#include "tls/creds.h"

struct session;

struct session_ops {
	/* While connecting: another address, one that can't be reached, and
	 * the one that answered (ids as in dial_target). */
	bool	(*address)(struct session *, struct dial_target *);
	void	(*missed)(struct session *, unsigned id, const struct fault *);
	void	(*reached)(struct session *, unsigned id);
	/* The handshake begins: append what it may resume, if anything. */
	void	(*resume)(struct session *, struct buf *);
	/* Set up: s->client.ehlo and s->client.is_tls are final, s->hop.tls is
	 * filled. */
	void	(*ready)(struct session *);
	void	(*verdict)(struct session *);	/* s->client.verdict, rcpt, reply */
	void	(*done)(struct session *);	/* the message, not the session */
	/* Over, by whatever cause: client.end, client.at, connecting,
	 * body_failed and fault say it.  Only session_close() is legal after it. */
	void	(*ended)(struct session *);
};

struct session_setup {
	struct loop		*loop;
	const struct session_ops *ops;
	struct client_setup	 client;
	uint64_t		 connect_ms;
	struct tls_creds	*creds;
	const char		*sni;		/* "" none; outlives the session */
	bool			 reduced, strict;	/* as struct tls_offer */
};

struct convert;

struct session {
	const struct session_ops *ops;
	struct loop	*loop;
	struct dial	 dial;
	struct channel	*channel;	/* NULL while dialling */
	uint64_t	 connect_ms;
	struct loop_timer *timer, *work;
	struct client	 client;
	struct tls_creds *creds;
	const char	*sni;
	bool		 reduced, strict;
	bool		 resuming;	/* an earlier session; it was tried */
	uint64_t	 tls_since;	/* the peer used its key, loop time */

	struct fault	 fault;		/* why the connection ended; or "" */
	bool		 connecting, starting;
	bool		 body_failed;	/* our own file, not the peer's doing */

	/* inner */
	struct body *body;
	uint64_t	 body_at;
	struct client_message message;	/* waiting while the body is looked at */
	char		 name[256];	/* in EHLO */
	struct convert	*convert;	/* or NULL: it is sent as it is */
	char		 unfit[160];
	struct dot	 dot;
	bool		 pumping;
	uint64_t	 timer_at;
	unsigned	 busy;
	bool		 over, closed;

	/* the owner's */
	void		*courier;
	bool		 dialled;	/* the first address was given */
	struct job	*job;		/* NULL: idle */
	struct hop	 hop;
	char		 base[256];	/* TLSA base domain, "" without DANE */
	enum level	 level;		/* of the connection */
	enum finding	 finding;	/* why it is not what is asked */
	bool		 touched;	/* it was asked something for this message */
	bool		 poolable;
	bool		 fresh;		/* resumes nothing */
	bool		 kept;		/* it left a ticket */
	bool		 converted;	/* the message at hand, to 7 bits */
	uint64_t	 site, identity;
	unsigned	 nmessages;	/* begun */
	struct session	*prev, *next;	/* in the pool */
	uint64_t	 idle_until;
};

struct session	*session_new(const struct session_setup *);	/* NULL: no memory */
/* To addresses that ops->address() gives, or to the unix socket at `path`.
 * Callbacks but ended() may run before it returns.  -1 with a fault: nobody is
 * there, or not even a socket; close it then. */
int	session_connect(struct session *, const char *path, struct fault *);

/* Only when ready and without a message; what `m` points to and `body` are
 * borrowed until done() or ended().  Callbacks may run before it returns.
 * `m->flags` say what the message may hold; where the host lacks an extension
 * for that, the body is looked through first, and converted if it can be. */
void	session_send(struct session *, const struct client_message *m,
	    struct body *);
/* QUIT, and let it go; no callback follows. */
void	session_quit(struct session **);
/* At once. */
void	session_close(struct session **);

#endif
