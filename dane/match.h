/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dane/match.h - does a host's chain satisfy its TLSA records?
 *
 * No I/O and no logging; GnuTLS reads the clock for DANE-TA.  RFC 7671 sec 5
 * (how each usage matches), RFC 7672 sec 3.1 and 3.2 (names, dates).  GnuTLS's
 * own libdane is not used: it takes a chain to which the true authority was
 * merely appended, and compares no name. */
#ifndef DANE_MATCH_H
#define DANE_MATCH_H

#include "base/fault.h"
#include "dane/tlsa.h"
#include "tls/chain.h"

/* Chains to a trust anchor that are verified for one host at most, so that a
 * thousand records cost no more than a few. */
#define DANE_PATHS_MAX	32

enum dane_verdict {
	DANE_MATCH,	/* a used record matched: the host is authenticated */
	DANE_MISMATCH,	/* there are used records, none matched: send nothing */
	DANE_UNUSABLE,	/* no record is used: TLS is asked all the same */
};
const char	*dane_verdict_name(enum dane_verdict);

/* `records`: after tlsa_choose().  `names`: NULL-ended reference names, for
 * usage 2 alone: the TLSA base domain and what RFC 7672 sec 3.2.2 adds.
 * `which`: the record that matched, or -1; may be NULL.  A MISMATCH comes with
 * a fault that says why. */
enum dane_verdict	dane_match(const struct tlsa *records, size_t n,
			    const struct tls_chain *, const char *const *names,
			    int *which, struct fault *);

#endif
