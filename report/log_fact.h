/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_fact.h - what one line of a foreign mail log says about the
 * protection of hops.  The parsers (log_postfix.c, log_exim.c) make facts of
 * lines, one at a time and without memory; log_join.c ties them together. */
#ifndef REPORT_LOG_FACT_H
#define REPORT_LOG_FACT_H

#include "report/log_line.h"

enum log_fact_kind {
	LOG_NOTHING,		/* a line that counts for nothing */
	LOG_UNKNOWN,		/* one that should, and was not understood */
	LOG_CONNECT,		/* in: a client came */
	LOG_DISCONNECT,		/* and went: starttls, hello */
	LOG_TLS,		/* a session got TLS: out, reused, trust, ... */
	LOG_TLS_FAILED,		/* out: STARTTLS failed, for message `id` */
	LOG_DANE_MATCHED,	/* out: a TLSA record matched */
	LOG_MESSAGE,		/* in: message `id` has begun, from a client */
	LOG_ACCEPTED,		/* in: sender, size, recipients of `id` */
	LOG_RECEIVED,		/* in: both in one line */
	LOG_DELIVERY,		/* out: a recipient of `id` was sent */
	LOG_DEFERRED,		/* out: it has to wait; somebody answered */
	LOG_LOCAL,		/* a delivery within this machine: no hop */
	LOG_DONE,		/* `id` is over */
};

enum log_trust { LOG_UNTRUSTED, LOG_VERIFIED, LOG_DANE };

/* Spans point into the line; empty where the line does not say. */
struct log_fact {
	enum log_fact_kind kind;
	bool		out;
	bool		exim;
	uint64_t	pid;		/* 0: unsaid */
	struct span	id;		/* queue id, message id */
	struct span	peer;		/* as it stands: host[addr]:port */
	struct span	host, addr;
	struct span	domain;		/* out: recipient's; in: sender's */
	uint64_t	bytes, recipients;
	enum log_trust	trust;
	bool		has_tls;	/* the next three are filled */
	struct span	version, suite, kx;
	bool		reused;		/* of a connection made earlier */
	bool		again;		/* a further recipient, same transaction */
	bool		starttls;	/* it was used in that session */
	bool		hello;		/* EHLO or HELO came */
};

/* False: of a program, Postfix's or not, of which no line counts.  What a line
 * of one that does says may still be LOG_NOTHING. */
bool	log_fact_parse(const struct log_line *, struct log_fact *);
bool	log_postfix_parse(const struct log_line *, struct log_fact *);
bool	log_exim_parse(const struct log_line *, struct log_fact *);

/* The domain of an address without its <>; empty: none. */
struct span	log_address_domain(struct span address);
/* Takes up to `end`, which follows; a quoted local part may contain it. */
bool	log_address_take(struct span *text, char end, struct span *address);

#endif
