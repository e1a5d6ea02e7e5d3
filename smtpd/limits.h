/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/limits.h - what the clients of one network may do: connections at
 * once, and in a time new connections, recipients, refused commands, commands
 * that are none.
 *
 * Counted per address (IPv4 /32, IPv6 /64) and, with ten times the limit, per
 * network around it (/24, /48).  No I/O, no clock, memory allocated once; the
 * hash is keyed.  Rates are buckets that run out evenly: the limit at once, and
 * as much again spread over the period.
 *
 * Each smtpd counts for itself and is told what the others count (limits_share
 * and limits_others); docs/decisions/0006-limits.md has the error of that. */
#ifndef SMTPD_LIMITS_H
#define SMTPD_LIMITS_H

#include "base/buf.h"
#include "base/conf.h"
#include "base/net.h"
#include "base/siphash.h"

#define LIMITS_ENTRIES	65536u	/* twice the clients of a process, and the same
				   for networks whose clients have left */

enum limit {
	LIMIT_CONNECTIONS,	/* at once */
	LIMIT_CONNECTS,		/* per minute */
	LIMIT_RECIPIENTS,	/* per hour, as the next two */
	LIMIT_ERRORS,
	LIMIT_UNKNOWN,
	LIMITS
};
const char	*limit_name(enum limit);	/* of its key in limits.client */

/* What was reached, for the one event of an incident. */
struct limit_hit {
	enum limit	 limit;
	struct prefix	 net;
	uint64_t	 most;
	bool		 first;		/* since it was last below half of it */
};

struct limits_entry;

struct limits {
	uint64_t	 most[LIMITS];	/* per address; 0: no limit */
	unsigned	 self, processes;	/* of smtpd, from 1 */
	struct siphash_key key;
	char		*mem;
	size_t		 entry_size;
	uint32_t	*chains;
	uint32_t	 free;		/* those from here on were never used */
	uint32_t	 first, last;	/* by use, from 1; 0: none */
	uint64_t	 shared;	/* ms of the last share */
	bool		 share_all;
};

/* -1: no memory. */
int	limits_init(struct limits *, const struct conf *, unsigned self);
void	limits_configure(struct limits *, const struct conf *);	/* what is allowed */
void	limits_free(struct limits *);

/* A new connection.  False: it must be refused, and is not counted as open.
 * Each true is ended by a limits_close() for the same address. */
bool	limits_open(struct limits *, const struct addr *, uint64_t now,
	    struct limit_hit *);
void	limits_close(struct limits *, const struct addr *, uint64_t now);
/* One more of LIMIT_RECIPIENTS, ERRORS or UNKNOWN.  False: that was too many. */
bool	limits_take(struct limits *, const struct addr *, enum limit,
	    uint64_t now, struct limit_hit *);

/* ---- between processes (limits_share.c) ---- */

/* What other processes should know since the last call, as records of
 * LIMITS_USED; at most `max` bytes. */
void	limits_share(struct limits *, uint64_t now, struct buf *, size_t max);
/* What process `smtpd` has shared. */
void	limits_others(struct limits *, unsigned smtpd, struct span uses,
	    uint64_t now);
/* It is gone, and its connections with it. */
void	limits_gone(struct limits *, unsigned smtpd);

#endif
