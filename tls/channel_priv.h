/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/channel_priv.h - a channel from inside: channel.c moves bytes,
 * channel_life.c begins and ends. */
#ifndef TLS_CHANNEL_PRIV_H
#define TLS_CHANNEL_PRIV_H

#include "base/buf.h"
#include "tls/channel.h"
#include "tls/session.h"

#define CHANNEL_IN_MAX		(64 * 1024)
#define CHANNEL_OUT_MAX		(1024 * 1024)
#define CHANNEL_TX_LOW		(64 * 1024)	/* encrypt while less is queued */
#define CHANNEL_TX_MAX		(CHANNEL_OUT_MAX + 256 * 1024)
#define CHANNEL_BUF_KEEP	(8 * 1024)	/* an idle session keeps no more */
#define CHANNEL_LINGER_MAX	(1024 * 1024)	/* read and dropped at the end */

enum channel_state {
	CHAN_CONNECTING,
	CHAN_CLEAR,
	CHAN_HANDSHAKE,
	CHAN_TLS,
	CHAN_ENDED,	/* ended() was called: only closing is legal */
	CHAN_LINGER,	/* the owner left; queued bytes still go out */
	CHAN_CLOSED,	/* the descriptor is gone, the memory soon is */
};

struct channel {
	struct loop		*loop;
	struct loop_io		*io;
	struct loop_timer	*tick;	/* end of tick; in LINGER: the bound */
	const struct channel_ops *ops;
	void			*arg;
	enum channel_state	 state;
	unsigned		 busy;	/* calls of channel_step() under way */

	bool	paused;
	bool	news;		/* input() is owed */
	bool	telling;	/* inside input() */
	bool	owes_drained;
	bool	blocked;	/* the socket took less than it was given */
	bool	hello_due;	/* the handshake's first step was not made */
	bool	secured;
	bool	fin;		/* LINGER: close_notify is queued */
	bool	shut;		/* LINGER: our direction is shut */
	bool	ending;		/* the end was seen; told when input was */
	enum channel_end end;
	int	send_errno;
	size_t	dropped;	/* LINGER: bytes read */
	struct fault fault;

	size_t			 in_max;	/* bytes of it, see channel_set_input() */
	struct buf		 in;	/* plain text for the reader */
	struct buf		 plain;	/* TLS: from the owner, not encrypted yet */
	struct buf		 tx;	/* for the socket */
	struct buf		 rx;	/* ciphertext kept from one tick to the next */
	struct tls_wire		 wire;
	struct tls_session	*tls;
	struct tls_facts	 facts;
	struct addr		 peer;
	struct channel		*prev, *next;	/* among the lingering */
};

/* channel.c */
void	channel_io(void *, int events);
void	channel_ticked(void *);
void	channel_flush(struct channel *);
/* channel_life.c */
void	channel_linger(struct channel *, int events);
void	channel_destroy(struct channel *);

#endif
