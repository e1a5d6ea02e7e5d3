/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/route_plan.h - which rule of the configuration holds for a domain.
 * Pure. */
#ifndef POLICY_ROUTE_PLAN_H
#define POLICY_ROUTE_PLAN_H

#include "base/conf.h"
#include "dns/name.h"

enum plan_kind {
	PLAN_MX,	/* the hosts that MX records of `name` list */
	PLAN_HOST,	/* `name` itself */
	PLAN_ADDRESS,	/* `addr` */
	PLAN_UNIX,	/* the socket at the path in `name` */
	PLAN_DISCARD,
	PLAN_NONSENSE,	/* the domain is neither a name nor a literal */
};

struct route_plan {
	enum plan_kind	 kind;
	char		 name[DNS_NAME_SIZE];	/* policy domain; of ADDRESS: IP text;
						   of UNIX: the path */
	struct addr	 addr;			/* port not set */
	uint16_t	 port;
	/* `to` or `via` says so: its addresses may be anywhere, and when the
	 * DNS denies the name, that is the operator's slip and no reason to
	 * send mail back. */
	bool		 by_operator;
	bool		 lmtp;
	unsigned	 connections;
	const struct conf_sending *sending;	/* from where, as whom */
};

void	route_plan_make(const struct conf *, struct span domain,
	    struct route_plan *);

#endif
