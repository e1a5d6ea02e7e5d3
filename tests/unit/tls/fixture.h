/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* fixture.h - two channels with a wire between them that the test holds: it
 * carries bytes in pieces of any size, counts them, stops, adds its own. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "base/buf.h"
#include "base/loop.h"
#include "tests/unit/suite.h"
#include "tls/channel.h"
#include "tls/creds.h"
#include "tls/selfsigned.h"

struct fix;

/* One channel and what its callbacks were told. */
struct side {
	struct fix	*fix;
	struct channel	*chan;
	struct buf	 got;
	bool		 keep;		/* do not consume */
	unsigned	 inputs, drains, secures, connects, ends;
	enum channel_end end;
	bool		 in_handshake;
	struct fault	 fault;
	void		(*on_input)(struct side *);	/* NULL: collect */
	void		(*on_secured)(struct side *);
	void		(*on_drained)(struct side *);
};

/* One direction of the wire. */
struct wire {
	struct fix	*fix;
	struct loop_io	*from;
	struct wire	*back;
	struct buf	 seen;		/* all that went through */
	struct buf	 held;
	bool		 hold;		/* keep what comes in `held` */
	bool		 eof;
};

struct fix {
	struct loop		*loop;
	struct loop_timer	*guard;
	struct loop_io		*listener;
	struct side		 client, server;
	struct wire		 up, down;	/* client to server; back */
	size_t			 piece;		/* bytes at once */
	struct tls_creds	*client_creds, *server_creds;
	struct buf		 certs;		/* LIST of own_cert */
	gnutls_privkey_t	 keys[TLS_KEY_KINDS];
	char			 spki[TLS_KEY_KINDS][65];
	unsigned		 signatures;
	bool			 sign_fails;
	bool			 strict, want_tickets;	/* of the client's offer */
	struct span		 resume;
	bool			 ask_certificate;	/* of the client */
	bool			 no_old_versions;	/* set ahead of fix_open() */
	bool			(*done)(struct fix *);
	bool			 timed_out;
};

/* Credentials with an ECDSA and an RSA key (either may be left out), and two
 * channels over the wire in clear text. */
void	fix_open(struct fix *, bool ecdsa, bool rsa);
/* Credentials for a further process of the same server. */
struct tls_creds	*fix_server_creds(struct fix *);
/* Two new channels, over a new wire, with the same credentials. */
void	fix_again(struct fix *);
/* The same over TCP, from 127.0.0.7, without a wire in between. */
void	fix_open_tcp(struct fix *, bool ecdsa, bool rsa);
/* Only a listening socket; who connects becomes x->server. */
void	fix_open_listener(struct fix *, struct addr *at);
void	fix_close(struct fix *);
/* Until done() says so; fails the test after 20 s. */
void	fix_run(struct fix *, bool (*done)(struct fix *));
void	fix_start_server(struct fix *);
void	fix_start_client(struct fix *, const char *sni, bool reduced);
void	fix_handshake(struct fix *, const char *sni, bool reduced);
/* The client's priority string from now on. */
void	fix_client_priority(struct fix *, const char *);

bool	fix_both_secured(struct fix *);
bool	fix_any_ended(struct fix *);
bool	fix_both_ended(struct fix *);

extern const struct channel_ops side_ops;

void	wire_inject(struct wire *, struct span);	/* behind what went through */
void	wire_release(struct wire *, struct span extra);	/* held and extra in one write */
void	wire_cut(struct wire *);			/* end of file, this direction */

#endif
