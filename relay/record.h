/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/record.h - what the log says of deliveries and sessions; docs and
 * outside tools read these lines. */
#ifndef RELAY_RECORD_H
#define RELAY_RECORD_H

#include "relay/session.h"

/* One line per recipient and attempt. */
void	record_delivery(const struct job *, const struct job_rcpt *,
	    const struct hop *, uint64_t now_wall);
/* A message went to a host without 8BITMIME, in 7 bits. */
void	record_converted(const struct job *, const struct session *);
/* What a probe learnt of a recipient. */
void	record_probe(const struct job_rcpt *, const struct hop *);
/* TLS did not come about on a connection, and why. */
void	record_tls_failure(const struct job *, const struct session *,
	    enum how, const char *reason);
/* Replies ahead of the handshake. */
void	record_injection(const struct job *, const struct session *);
/* The certificate of a peer, at each new TLS connection. */
void	record_peer_cert(const struct session *, const char *not_after,
	    const char *issuer);

/* A session of before could not be resumed; it is tried afresh. */
void	record_stale_session(const struct job *, const struct session *,
	    const char *reason);

#endif
