/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* mtasts/record.h - the TXT record at _mta-sts.DOMAIN (RFC 8461 sec 3.1).
 *
 * Pure.  The record only says that there is a policy and names its version by
 * an id; what the policy is stands in the file that HTTPS brings.  So neither
 * NONE nor INVALID may ever end a policy that was fetched before: whoever can
 * forge a TXT record could switch protection off (sec 3.1, sec 10.2). */
#ifndef MTASTS_RECORD_H
#define MTASTS_RECORD_H

#include "base/span.h"

#define STS_ID_MAX	32
#define STS_ID_SIZE	(STS_ID_MAX + 1)

enum sts_record {
	STS_RECORD_NONE,	/* no record that begins with v=STSv1; */
	STS_RECORD_VALID,
	STS_RECORD_MANY,	/* more than one: as if there were none */
	STS_RECORD_INVALID,	/* one, with a wrong syntax: likewise */
};
const char	*sts_record_name(enum sts_record);

/* `txts`: the strings of each TXT record, joined without spaces.  `id` is ""
 * unless VALID. */
enum sts_record	sts_record_find(const struct span *txts, size_t n,
		    char id[STS_ID_SIZE]);

#endif
