/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dns/answer.h - what a question to the DNS gave, with its security status:
 * made in resolver, read in policy, and the words that both use for it. */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/ipc/ipc.h"
#include "dns/name.h"

/* RFC 4035 sec 4.3, as libunbound reports it for the whole chain. */
enum dns_status {
	DNS_ERROR,		/* no answer that proves anything: SERVFAIL, time-out, malformed */
	DNS_BOGUS,		/* validation failed: treated as an error, named in the log */
	DNS_INSECURE,
	DNS_SECURE,		/* also secure denial */
	DNS_STATUS_COUNT
};
const char	*dns_status_name(enum dns_status);	/* error bogus ... */

#define DNS_TYPE_A	1
#define DNS_TYPE_CNAME	5
#define DNS_TYPE_SOA	6	/* these two as RDATA, for probes */
#define DNS_TYPE_MX	15
#define DNS_TYPE_TXT	16
#define DNS_TYPE_AAAA	28
#define DNS_TYPE_DNSKEY	48
#define DNS_TYPE_TLSA	52

#define DNS_RCODE_NOERROR	0
#define DNS_RCODE_SERVFAIL	2
#define DNS_RCODE_NXDOMAIN	3

/* Larger sets are an error rather than cut: which part was left would change
 * from answer to answer, and with it the site that mail is grouped by. */
#define DNS_ANSWER_RRS	1024

/* Likewise a longer record: a TLSA record that was left out could be the only
 * one that asks for anything. */
#define DNS_RR_DATA_MAX	8192

/* The name that stands for an MX target which is no host name at all (a space,
 * a colon, a binary label).  It has to be seen: a set of such records is still
 * a set, and must not look like a domain without MX records. */
#define DNS_NAME_ODD	"?"

struct dns_rr {
	uint16_t	type;
	uint16_t	pref;			/* MX */
	uint32_t	ttl;			/* seconds */
	uint8_t		ip[16];			/* A: the first four, AAAA */
	char		name[DNS_NAME_SIZE];	/* MX, CNAME: normal name, "" root,
						 * or DNS_NAME_ODD */
	char		*data;			/* TXT: strings joined; TLSA, SOA,
						 * DNSKEY: RDATA; owned */
	size_t		 data_len;
};

/* ERROR and BOGUS never have records.  NOERROR without records is NODATA. */
struct dns_answer {
	enum dns_status	 status;
	uint16_t	 rcode;
	uint32_t	 ttl;			/* seconds; of the denial if no records */
	char		 canonical[DNS_NAME_SIZE];	/* owner after CNAMEs */
	char		 why[240];		/* of error and bogus, for people */
	struct dns_rr	*rrs;			/* the asked type only; owned */
	size_t		 n;
};

void	dns_answer_init(struct dns_answer *);	/* DNS_ERROR, SERVFAIL, empty */
void	dns_answer_free(struct dns_answer *);	/* empty again */

/* Drop what is there and become an error (or bogus) that says why. */
void	dns_answer_fail(struct dns_answer *, enum dns_status, const char *why);

/* One more record, zeroed; NULL at DNS_ANSWER_RRS or without memory. */
struct dns_rr	*dns_answer_add(struct dns_answer *);
/* Copies.  -1: over DNS_RR_DATA_MAX, or no memory. */
int	dns_rr_set_data(struct dns_rr *, struct span);

bool	dns_type_known(uint16_t);		/* one of DNS_TYPE_* */
/* A normal name; or the root, "", which has SOA and DNSKEY records only. */
bool	dns_question_valid(struct span name, uint16_t type);

/* To the DNS_ANSWER message and back.  `rrs` (an empty buf, 65536 bytes at
 * most) holds the list while the message is sent.  put: 0, or -1 when it does
 * not fit.  get trusts nothing: -1 and an error answer when a status, a type
 * other than the asked one, a name or an address is not what it should be. */
int	dns_answer_put(const struct dns_answer *, uint64_t txn, struct buf *rrs,
	    struct ipc_dns_answer *);
int	dns_answer_get(const struct ipc_dns_answer *, uint16_t type,
	    struct dns_answer *);

#endif
