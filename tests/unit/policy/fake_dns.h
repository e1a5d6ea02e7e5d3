/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/policy/fake_dns.h - a dns/lookup.h that answers from a text:
 *
 *	"MX example.org = 10 mx1.example.org, 20 mx2.example.org"
 *	"A mx1.example.org = 192.0.2.1"		"MX null.example = 0 ."
 *	"MX x.example SERVFAIL"	   "... BOGUS"	 "... NXDOMAIN"	  "... NODATA"
 *	"TLSA _25._tcp.mx1.example.org = 3 1 1 a, 3 1 2 b"	(digests aaa.. bbb..)
 *	"CNAME alias.example = host.example"
 *	"TXT _mta-sts.example.org = v=STSv1; id=1, another record"
 *	"A alias.example > host.example = 192.0.2.1"	(canonical name)
 *	"secure MX example.org = ..."	 "SOA . = x"	 "DNSKEY . = x"
 *	"A * NXDOMAIN"		(whatever name is in no line before it)
 *
 * What is not in the text is NODATA when the name has some other record, else
 * NXDOMAIN, both insecure.  Answers come when fake_run() is called, in the
 * order of the questions or backwards. */
#ifndef TESTS_UNIT_POLICY_FAKE_DNS_H
#define TESTS_UNIT_POLICY_FAKE_DNS_H

#include "dns/lookup.h"

struct fake_dns {
	const char		*const *lines;	/* NULL-ended */
	struct dns_query	*first, *last;
	unsigned		 asked, cancelled;
	bool			 full;		/* ask() is NULL */
	bool			 backwards;
};

struct dns_lookup	fake_lookup(struct fake_dns *);
void			fake_run(struct fake_dns *);	/* until none is left */
bool			fake_one(struct fake_dns *);	/* answer one */

#endif
