/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/route_priv.h - a route under way; for policy/route*.c alone. */
#ifndef POLICY_ROUTE_PRIV_H
#define POLICY_ROUTE_PRIV_H

#include "policy/mx.h"
#include "policy/route.h"
#include "policy/route_plan.h"

enum { V6, V4, FAMILIES };

/* What the TLSA look-ups came to, RFC 7672 sec 2.2. */
enum dane_found {
	DANE_ABSENT,		/* none, or not by secure answers */
	DANE_USED,		/* records that are used */
	DANE_NONE_USED,		/* records, all unusable */
	DANE_LOST,		/* an error: the host cannot be used */
};

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
	bool			 barred;	/* for host.why */
	/* of DANE, route_dane.c */
	bool			 secure, insecure;	/* address answers seen */
	char			 canonical[DNS_NAME_SIZE];	/* of them */
	struct dns_query	*alias_query, *tlsa_query;
	char			 bases[2][DNS_NAME_SIZE];
	unsigned		 nbases, base_at;
	enum dane_found		 dane;
	struct buf		 tlsa;
	json_t			*trace_tlsa;
};

struct route {
	struct route_world	*world;
	const struct conf	*conf;		/* held: the plan points into it */
	char			 domain[DNS_NAME_SIZE];	/* as asked, for texts */
	char			 rcpt[DNS_NAME_SIZE];	/* the same, normal; or "" */
	enum tls_wish		 wish;
	struct route_plan	 plan;
	struct dns_query	*mx_query;
	struct candidate	*cands;
	size_t			 ncands;
	struct sts_ask		*sts_ask;
	struct sts_policy	 sts;		/* mode NONE: none that holds */
	char			 sts_id[STS_ID_SIZE];
	bool			 sts_lost;	/* whether there is one is not known */
	unsigned		 pending;	/* questions not yet answered */
	bool			 implicit;
	bool			 cut;		/* ourselves were in the set */
	bool			 off;		/* a host has only addresses of the
						   family that `protocols` leaves out */
	bool			 no_memory;
	json_t			*trace;		/* NULL: nobody wants one */
	bool			 over;		/* done has run */
	bool			 starting;	/* inside route_start() */
	struct route_result	 result;
	route_done_cb		*done;
	void			*arg;
};

/* A question was answered that did not end the route; the last one that is
 * open leads to the result. */
void	route_answered(struct route *);

/* Site and site name of the result: over the whole set, sorted and before any
 * address is known, so that neither the spreading among equals nor a name
 * server that is down for a minute makes another site of it.
 * 0, or -1 without memory. */
int	route_set_site(struct route *, const struct mx_host *, size_t n);
/* Its identity, of the candidates with what is asked of them, likewise before
 * any of them is left out. */
int	route_set_identity(struct route *);

/* Ask whether the domain has a policy.  -1: cannot be asked now. */
int	route_policy_ask(struct route *);
/* Level and reason of each candidate, and which are barred. */
void	route_policy_apply(struct route *);
void	route_policy_free(struct route *);
/* An exception holds for mail by way of that host. */
bool	route_excepted(const struct candidate *, struct exception *);

/* An address answer of a host: notes how secure it is. */
void	route_dane_note(struct candidate *, const struct dns_answer *);
/* All addresses of a host are there: asks for its TLSA records, if it may have
 * any.  Each question counts as pending. */
void	route_dane_ask(struct candidate *);
void	route_dane_free(struct candidate *);

/* All addresses are there: drops those that may not be used, cuts ourselves
 * out, and puts the rest of each host in the order to try.  Says whether a
 * host that could have been tried is missing for a failed look-up
 * (`trouble`) or for its addresses alone (`special`). */
void	route_filter(struct route *, bool *trouble, bool *special);

#endif
