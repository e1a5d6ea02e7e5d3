/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/prober.h - asks the probes of policy/honesty.h from time to time, and
 * is the dns/lookup.h of the rest of the role: questions go by it to the
 * resolvers, with DNSSEC or without, and while the way is held to what it once
 * was, every answer becomes an error.
 *
 * What changes is kept in policy.db, told to the log, and a finding when it is
 * for the worse. */
#ifndef POLICY_PROBER_H
#define POLICY_PROBER_H

#include <jansson.h>

#include "base/conf.h"
#include "base/loop.h"
#include "dns/lookup.h"
#include "policy/findings.h"
#include "policy/honesty.h"

/* So soon at the earliest after the last round, when something is bogus; and so
 * late at the latest while the way is not known to be honest. */
#define PROBER_SOON_MS	10000
#define PROBER_AGAIN_MS	30000

#define PROBER_EACH_MAX	4

struct prober;

struct prober_setup {
	struct loop		*loop;
	struct dns_lookup	 checked, unchecked;
	/* Each resolver process by itself, for each has a cache of its own. */
	struct dns_lookup	 each[PROBER_EACH_MAX];
	unsigned		 neach;
	struct db		*db;		/* borrowed, as is the next */
	struct findings		*findings;
	uint64_t		 (*wall_s)(void *ctx);
	void			 (*found)(void *ctx, const struct finding_row *);
	void			*ctx;
	uint64_t		 seed;
};

/* NULL with a fault.  The first round begins when the loop runs. */
struct prober		*prober_new(const struct prober_setup *,
			    const struct conf *, struct fault *);
/* Nobody asks by it any more. */
void			 prober_free(struct prober **);
/* Another configuration: a round begins at once. */
void			 prober_adopt(struct prober *, const struct conf *);
struct dns_lookup	 prober_lookup(struct prober *);

/* {"state", "since", "honest_since", "effect", "reason", "probes": [...]} for
 * people; null for a prober that is NULL. */
json_t			*prober_json(const struct prober *);

#endif
