/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* mtasts/policy.h - the policy file of MTA-STS (RFC 8461 sec 3.2) and which
 * hosts it allows (sec 4.1).
 *
 * Pure: the text is what HTTPS brought or the cache kept; how old it is and
 * whether it still counts is the caller's matter.  The patterns say which MX
 * hosts may be used; the certificate is then compared with the host's own
 * name, never with a pattern (sec 4.2). */
#ifndef MTASTS_POLICY_H
#define MTASTS_POLICY_H

#include <stdint.h>

#include "base/buf.h"
#include "base/fault.h"

#define STS_POLICY_MAX	65536		/* bytes of the file, sec 3.3 */
#define STS_AGE_MAX	31557600	/* seconds, sec 3.2; more counts as this */

enum sts_mode {		/* kept in the cache; never renumber */
	STS_NONE = 0,
	STS_TESTING = 1,
	STS_ENFORCE = 2,
	STS_MODES
};
const char	*sts_mode_name(enum sts_mode);

struct sts_policy {
	enum sts_mode	 mode;
	uint32_t	 max_age;	/* seconds from the fetch on */
	struct buf	 mx;		/* patterns as A-labels, each with a \n */
	size_t		 nmx;
};

/* 0, or -1 and the fault says which line is wrong.  Free after 0 only. */
int	sts_policy_parse(struct span text, struct sts_policy *, struct fault *);
void	sts_policy_free(struct sts_policy *);

/* May mail go to this MX host?  `host` is a normal name (dns/name.h).  For
 * mode none too: what that means is the caller's. */
bool	sts_policy_allows(const struct sts_policy *, struct span host);

#endif
