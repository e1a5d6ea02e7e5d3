/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dane/tlsa.h - TLSA records of a mail host: which of them count.
 *
 * Pure.  RFC 6698 sec 2.1 (fields), RFC 7672 sec 3.1 (which usages count in
 * SMTP), RFC 7671 sec 9 (of several digests the strongest).  Only records from
 * a DNSSEC-secure answer may come here. */
#ifndef DANE_TLSA_H
#define DANE_TLSA_H

#include <stdint.h>

#include "base/span.h"

enum tlsa_usage {
	TLSA_PKIX_TA = 0, TLSA_PKIX_EE = 1, TLSA_DANE_TA = 2, TLSA_DANE_EE = 3,
};
enum tlsa_selector { TLSA_CERT = 0, TLSA_SPKI = 1 };
enum tlsa_matching { TLSA_FULL = 0, TLSA_SHA256 = 1, TLSA_SHA512 = 2 };

enum tlsa_use {
	TLSA_USED,
	TLSA_WEAKER,		/* a stronger digest stands beside it */
	TLSA_UNUSABLE,		/* as if it were not there; `why` says it */
};

struct tlsa {
	uint8_t		usage, selector, matching;
	struct span	data;		/* borrowed from the RDATA */
	enum tlsa_use	use;
	const char	*why;		/* of UNUSABLE, for people; else "" */
};

/* One record.  Anything is a record; what is malformed is unusable. */
void	tlsa_read(struct span rdata, struct tlsa *);

/* All records of one answer, each read by tlsa_read(): passes over weaker
 * digests.  Returns how many are used. */
size_t	tlsa_choose(struct tlsa *, size_t n);

/* "3 1 1 0123abcd...", cut to fit; for people. */
#define TLSA_TEXT_SIZE	160
const char	*tlsa_text(const struct tlsa *, char out[TLSA_TEXT_SIZE]);

#endif
