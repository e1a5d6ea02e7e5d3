/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/watch_priv.h - what watch.c and watch_finding.c share. */
#ifndef POLICY_WATCH_PRIV_H
#define POLICY_WATCH_PRIV_H

#include "base/clock.h"
#include "policy/watch.h"

struct watch_evidence {
	struct span	session, greeting, ehlo, reason;
	bool		helo;
	unsigned	clues;
	char		since[CLOCK_RFC3339_SIZE];	/* TLS was seen; "" never */
};

/* Keeps it and, if it is new, tells the log and who follows; fills in what of
 * the row depends on that. */
void	watch_found(struct watch *, struct finding_row *,
	    const struct watch_evidence *, uint64_t now);

/* One line when trouble with the file begins and one when it ends. */
void	watch_result(struct watch *, int rc, const struct fault *);

#endif
