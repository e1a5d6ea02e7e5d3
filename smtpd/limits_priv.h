/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/limits_priv.h - an entry of the table, for limits*.c. */
#ifndef SMTPD_LIMITS_PRIV_H
#define SMTPD_LIMITS_PRIV_H

#include "smtpd/limits.h"

#define LIMIT_RATES	(LIMITS - 1)	/* all but LIMIT_CONNECTIONS */

enum net_kind { NET_IP4, NET_IP4_WIDE, NET_IP6, NET_IP6_WIDE, NET_KINDS };

struct net_form {
	uint8_t		 family;
	unsigned	 bits, factor;
};
extern const struct net_form	net_forms[NET_KINDS];

struct limits_entry {
	uint64_t	 net;		/* its leading bits, first byte on top */
	uint64_t	 at;		/* ms: `used` is as of then */
	double		 used[LIMIT_RATES];
	uint32_t	 next, newer, older;	/* in the chain; by use */
	uint32_t	 open;		/* here */
	uint32_t	 others;	/* elsewhere, as far as is known */
	uint32_t	 told_open;	/* to the others */
	uint16_t	 unsent[LIMIT_RATES];
	uint8_t		 kind;		/* enum net_kind */
	uint8_t		 incident;	/* a bit for each enum limit */
	uint16_t	 other[];	/* per process, from 0 for 1 */
};

struct limits_entry	*limits_entry(const struct limits *, uint32_t at);
/* Found or made, and now the newest.  NULL: every entry is in use. */
struct limits_entry	*limits_get(struct limits *, enum net_kind, uint64_t net,
			    uint64_t now);
/* Rates run out. */
void	limits_age(const struct limits *, struct limits_entry *, uint64_t now);
uint64_t	limits_most(const struct limits *, const struct limits_entry *,
		    enum limit);

#endif
