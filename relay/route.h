/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/route.h - where a job goes: the policy's answer as it came through the
 * queue, decoded and checked once. */
#ifndef RELAY_ROUTE_H
#define RELAY_ROUTE_H

#include "base/hop.h"
#include "base/net.h"

struct route_host {
	char		*name;		/* A-label, or IP text for a literal */
	uint16_t	 port, preference;
	enum level	 asked;
	enum why	 why;
	struct addr	*addrs;		/* with the port */
	unsigned	 naddrs;
	char		*base;		/* TLSA base domain, "" without DANE */
	struct span	*tlsa;		/* RDATA; one must match, if there are any */
	unsigned	 ntlsa;
	char		*path;		/* of a unix socket, then one address
					   that is none; else NULL */
};

struct route {
	uint64_t	 site, identity;
	bool		 discard, lmtp;
	bool		 found;		/* not the operator's choice: may be us */
	char		*domain;	/* policy domain */
	char		*expanded;	/* its secure CNAME expansion, or "" */
	bool		 mx_secure;	/* the DNS vouches for the hosts' names */
	struct route_host *hosts;
	unsigned	 nhosts;
};

#define ROUTE_HOSTS	128	/* more are left out: the last ones */
#define ROUTE_ADDRS	64	/* of one host */

/* `encoded` is a ROUTE message.  -1: it is none, or there is no memory; then
 * nothing is to be freed. */
int	route_decode(struct route *, struct span encoded);
void	route_free(struct route *);

/* RFC 5321 sec 5.1: senders must spread over hosts of equal preference.  The
 * same seed gives the same order. */
void	route_spread(struct route *, uint64_t seed);

#endif
