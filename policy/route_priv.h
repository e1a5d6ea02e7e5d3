/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/route_priv.h - a route under way; for policy/route*.c alone. */
#ifndef POLICY_ROUTE_PRIV_H
#define POLICY_ROUTE_PRIV_H

#include "policy/mx.h"
#include "policy/route.h"
#include "policy/route_plan.h"

enum { V6, V4, FAMILIES };

/* A host while its addresses are asked for. */
struct candidate {
	struct route		*route;
	struct route_host	 host;
	struct dns_query	*query[FAMILIES];
	struct addr		 found[FAMILIES][ROUTE_ADDRS_MAX];
	size_t			 nfound[FAMILIES];
	bool			 trouble;	/* an answer that proves nothing */
	bool			 special;	/* had addresses, all refused */
	bool			 self;
};

struct route {
	struct route_world	*world;
	char			 domain[DNS_NAME_SIZE];	/* as asked, for texts */
	struct route_plan	 plan;
	struct dns_query	*mx_query;
	struct candidate	*cands;
	size_t			 ncands;
	unsigned		 pending;	/* address questions */
	bool			 implicit;
	bool			 cut;		/* ourselves were in the set */
	bool			 off;		/* a host has only addresses of the
						   family that `protocols` leaves out */
	bool			 over;		/* done has run */
	bool			 starting;	/* inside route_start() */
	struct route_result	 result;
	route_done_cb		*done;
	void			*arg;
};

/* Site, identity and site name of the result: over the whole set, sorted and
 * before any address is known, so that neither the spreading among equals nor
 * a name server that is down for a minute makes another site of it.
 * 0, or -1 without memory. */
int	route_set_site(struct route *, const struct mx_host *, size_t n);

/* All addresses are there: drops those that may not be used, cuts ourselves
 * out, and puts the rest of each host in the order to try.  Says whether a
 * host that could have been tried is missing for a failed look-up
 * (`trouble`) or for its addresses alone (`special`). */
void	route_filter(struct route *, bool *trouble, bool *special);

#endif
