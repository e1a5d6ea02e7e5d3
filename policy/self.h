/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/self.h - who we are to the DNS: the names and addresses by which an
 * MX list can point back at this host (RFC 5321 sec 5.1).  Pure.
 *
 * Names: conf_own_name().  Addresses: those of the listeners, and, because a
 * listener on [::] or 0.0.0.0 does not say which they are, those of the machine,
 * which the parent tells by OWN_ADDRESSES.  IPv6 forms that carry one of our IPv4
 * addresses (6to4, NAT64) lead to us as well. */
#ifndef POLICY_SELF_H
#define POLICY_SELF_H

#include "base/conf.h"

#define SELF_ADDRS_MAX	1024	/* of the machine; more are not known */

struct self {
	const struct conf	*conf;
	struct addr		 local[SELF_ADDRS_MAX];
	size_t			 nlocal;
};

/* The `addrs` list of OWN_ADDRESSES, in place of what was known. */
void	self_take(struct self *, struct span list);

bool	self_named(const struct self *, const char *name);

/* A connection to `a` at `port` reaches a listener of ours. */
bool	self_listens(const struct self *, const struct addr *a, uint16_t port);

/* `a` is a public address of this machine: as an MX host it is us, whatever
 * program has that port.  Of a loopback or private address only the port
 * tells: a laboratory has many hosts on one machine. */
bool	self_owns(const struct self *, const struct addr *a);

#endif
