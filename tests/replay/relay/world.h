/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/replay/relay/world.h - a world without sockets: fake channels
 * (tls/channel.h), timers and clock (base/loop.h) under the real courier.
 * Linked instead of tls/ and base/loop.c. */
#ifndef TESTS_REPLAY_RELAY_WORLD_H
#define TESTS_REPLAY_RELAY_WORLD_H

#include "base/buf.h"
#include "base/loop.h"
#include "tls/channel.h"

enum wire_state { WIRE_CONNECTING, WIRE_CLEAR, WIRE_HANDSHAKE, WIRE_TLS, WIRE_CLOSED };

struct channel {
	struct channel	*next;
	const struct channel_ops *ops;
	void		*arg;
	struct addr	 to, source;
	char		 path[108];	/* of a unix socket, or "" */
	enum wire_state	 state;
	bool		 ended;		/* told to the owner */
	bool		 reduced, owes_drained;
	bool		 linger;	/* closed after flush */
	char		 sni[256];
	char		 resumes[64];	/* what the handshake offered to resume */
	char		 ticket[64];	/* of the peer; "" none yet */
	struct buf	 in, out;
	struct tls_facts facts;
};

struct world {
	uint64_t	 now;
	struct channel	*channels;	/* newest first, closed ones too */
	struct loop_timer *timers;
	unsigned	 opened;
};
extern struct world world;

void	world_init(void);
void	world_free(void);		/* asserts that all was closed */
void	world_settle(void);		/* tell what is due now */
void	world_pass(uint64_t ms);	/* with timers on the way */

/* What the peer does. */
void	wire_connect(struct channel *, bool ok, const char *error);
void	wire_bytes(struct channel *, struct span);
void	wire_secure(struct channel *, bool ok, const char *error);
void	wire_end(struct channel *, enum channel_end, const char *error);

#endif
