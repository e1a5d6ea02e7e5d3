/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/relay/sink.h - a small SMTP server on loopback, in the loop of the
 * test: takes mail over STARTTLS, counts, and misbehaves as told. */
#ifndef TESTS_UNIT_RELAY_SINK_H
#define TESTS_UNIT_RELAY_SINK_H

#include "base/buf.h"
#include "base/net.h"
#include "tls/channel.h"
#include "tls/creds.h"

struct sink_conn;

struct sink {
	struct loop	*loop;
	struct loop_io	*listener;
	struct addr	 at;
	struct tls_creds *creds;
	void		(*progress)(void *arg);
	void		*arg;
	struct sink_conn *conns;

	bool		 no_starttls, hold_final, no_handshake;

	unsigned	 connections, tls, messages, rcpts, quits;
	size_t		 body_bytes;
	struct buf	 body;		/* of the last message, as on the wire */
};

void	sink_open(struct sink *, struct loop *, struct tls_creds *);
void	sink_close(struct sink *);
/* Answer the final dots that hold_final kept back. */
void	sink_release(struct sink *);

#endif
