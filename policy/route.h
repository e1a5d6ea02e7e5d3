/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/route.h - from a recipient domain to the hosts that take its mail:
 * which rule of the configuration holds, which questions to the DNS follow
 * from it, and what the answers mean.
 *
 * No I/O and no clock of its own: it asks through dns/lookup.h, which answers
 * in bounded time, so that a route takes at most five such times (MX, then side
 * by side for all hosts: addresses, an alias, TLSA records of two names), or
 * as long as a policy is fetched. */
#ifndef POLICY_ROUTE_H
#define POLICY_ROUTE_H

#include <jansson.h>

#include "base/conf.h"
#include "base/envelope.h"
#include "base/hop.h"
#include "base/siphash.h"
#include "dns/lookup.h"
#include "policy/self.h"
#include "policy/sts.h"
#include "policy/watch.h"

/* Bounds of one ROUTE message.  Of more hosts the best are taken. */
#define ROUTE_HOSTS_MAX	20
#define ROUTE_ADDRS_MAX	8

struct route_host {
	char		name[DNS_NAME_SIZE];	/* or IP text */
	uint16_t	port, preference;
	enum level	asked;
	enum why	why;
	bool		is_unix;		/* `name` is its path; no addresses */
	struct addr	addrs[ROUTE_ADDRS_MAX];	/* port is not set */
	size_t		naddrs;
	char		base[DNS_NAME_SIZE];	/* TLSA base domain */
	struct span	tlsa;			/* list for the ROUTE message */
};

/* As the ROUTE message says. */
struct route_result {
	int		 code;			/* 250, 4xx, 5xx */
	char		 dsn[12], text[240];
	char		 domain[DNS_NAME_SIZE];	/* whom the hosts serve */
	char		 expanded[DNS_NAME_SIZE];
	bool		 discard, lmtp, found;
	enum dns_status	 mx_secure;
	unsigned	 connections;
	uint64_t	 site, identity;
	char		 site_name[DNS_NAME_SIZE];
	struct route_host *hosts;
	size_t		 nhosts;
	json_t		*trace;		/* of route_explain(); else NULL */
};

struct prober;

struct route_world {
	const struct conf	*conf;
	const struct self	*self;
	struct dns_lookup	 lookup;
	struct sts		*sts;		/* NULL: MTA-STS is off */
	struct watch		*watch;		/* NULL: nothing is remembered */
	const struct prober	*prober;	/* for explain; or NULL */
	/* Secret: whoever could find two host sets of one identity would get
	 * mail for one domain sent over a connection to the other's hosts. */
	struct siphash_key	 key;
	uint64_t		 seed;		/* moves on with each shuffle */
};

struct route;
typedef void	route_done_cb(void *arg, const struct route_result *);

/* `domain`: as in a recipient address, a name or [literal].  `wish`: of the
 * messages that will go there.  The result is
 * lent until `done` returns.  When everything was known at once, `done` has
 * run already and NULL is returned; else a route that frees itself after
 * `done`, once.  Without memory the result is a temporary error. */
struct route	*route_start(struct route_world *, struct span domain,
		    enum tls_wish, route_done_cb *done, void *arg);
/* The same for mail without a wish, and it tells how it came about
 * (policy/trace.h). */
struct route	*route_explain(struct route_world *, struct span domain,
		    route_done_cb *done, void *arg);
void		 route_cancel(struct route **);		/* `done` will not run */

#endif
