/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/mx.h - what an answer to an MX question means for mail: RFC 5321
 * sec 5.1, RFC 7505 (null MX), RFC 7672 sec 2.1 (errors are not absence).
 * Pure: chance comes in as a seed. */
#ifndef POLICY_MX_H
#define POLICY_MX_H

#include "dns/answer.h"
#include "policy/self.h"

enum mx_kind {
	MX_HOSTS,	/* try these */
	MX_IMPLICIT,	/* no MX records: the domain itself is the only host */
	MX_NULL,	/* takes no mail at all */
	MX_NO_DOMAIN,	/* the domain does not exist */
	MX_UNUSABLE,	/* records, but no host name among them */
	MX_LOOP,	/* the best host is ourselves */
	MX_TROUBLE,	/* nothing is known: error or bogus */
	MX_KIND_COUNT
};

struct mx_host {
	char		name[DNS_NAME_SIZE];
	uint16_t	preference;
};

struct mx_set {
	enum mx_kind	 kind;
	struct mx_host	*hosts;		/* MX_HOSTS, MX_IMPLICIT; owned */
	size_t		 n;
	size_t		 odd;		/* records left out: no host name */
	bool		 cut;		/* we were in it, and it was cut there */
};

/* `domain`: what was asked.  The hosts come sorted by preference and name,
 * each once.  0, or -1 without memory. */
int	mx_read(const struct dns_answer *, const char *domain,
	    const struct self *, struct mx_set *);
void	mx_free(struct mx_set *);

/* Equals in random order, so that another twenty of many are tried each time;
 * relay spreads its connections over those that come (relay/route.h). */
void	mx_shuffle(struct mx_host *, size_t n, uint64_t *seed);

#endif
