/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_join.h - facts of single lines become hops.
 *
 * Postfix says in one line that a process has a TLS session, in others what
 * that process delivered; who came in is in a third place than what was
 * accepted.  Here they are tied together: by process, by message id, and by
 * peer for connections that are used again.  What is remembered for that is
 * bounded, whatever the log's length. */
#ifndef REPORT_LOG_JOIN_H
#define REPORT_LOG_JOIN_H

#include "base/hop.h"
#include "report/log_fact.h"

/* What a message has been counted for already: the sink's own, zero at first,
 * and there as long as the message is remembered. */
#define LOG_MARKS	8
struct log_marks {
	uint32_t	n;
	uint64_t	mark[LOG_MARKS];
};

/* A session, or a delivery in one.  Borrowed for the call. */
struct log_hop {
	uint64_t	time;		/* wall-clock ms */
	bool		out;
	enum level	level;
	enum how	how;		/* NONE: clear, and the log says not why */
	const struct tls_facts *tls;	/* "none" in clear */
	struct span	host, addr;
	uint64_t	session;	/* numbers of their own; never 0 */
	/* Of a delivery: */
	struct span	domain;		/* out: recipient's; in: sender's */
	uint64_t	message;
	struct log_marks *marks;
	uint64_t	recipients, bytes;
};

struct log_sink {
	void	(*session)(void *ctx, const struct log_hop *);
	void	(*delivery)(void *ctx, const struct log_hop *);
	void	*ctx;
};

struct log_counts {
	uint64_t	unknown;	/* lines that should count */
	uint64_t	local;		/* deliveries within that machine */
	uint64_t	tls_in, tls_out;	/* lines about TLS */
	uint64_t	untold;		/* in: STARTTLS, and no line about it */
	uint64_t	failed;		/* out: STARTTLS failed */
	uint64_t	forgotten;	/* of the bounded tables */
};

struct log_join;

/* `most` messages, a power of two and at least 8, are remembered for sure: the
 * last ones.  Of processes it is an eighth, of peers a quarter.  NULL: no
 * memory. */
#define LOG_MESSAGES	65536
struct log_join	*log_join_new(const struct log_sink *, size_t most);
void		 log_join_free(struct log_join **);
void		 log_join_fact(struct log_join *, const struct log_line *,
		    const struct log_fact *);
struct log_counts	log_join_counts(const struct log_join *);

#endif
