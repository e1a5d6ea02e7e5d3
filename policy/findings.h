/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/findings.h - findings, kept in policy.db for `sealane events`.
 *
 * What goes on is one finding, however many messages meet it: the same kind at
 * the same host with the same action, seen again within FINDINGS_QUIET_MS, is
 * counted and dated anew, not told again. */
#ifndef POLICY_FINDINGS_H
#define POLICY_FINDINGS_H

#include <jansson.h>

#include "base/db.h"
#include "base/finding.h"
#include "base/net.h"
#include "dns/name.h"

#define FINDINGS_MAX		20000	/* the oldest go */
#define FINDINGS_QUIET_MS	(86400u * 1000u)
#define FINDINGS_EVIDENCE_MAX	8192	/* bytes of JSON */

enum finding_class { CLASS_ON_PATH, CLASS_AT_PEER, CLASS_NEVER_HAD, CLASS_COUNT };
enum finding_action {
	ACTION_OBSERVED,	/* nothing follows from it here */
	ACTION_HELD,		/* mail waits */
	ACTION_REFUSED,		/* the host is no good, whatever else */
	ACTION_CLEAR,		/* delivered in clear all the same */
	ACTION_COUNT
};
const char	*finding_class_name(enum finding_class);
const char	*finding_action_name(enum finding_action);

struct finding_row {
	uint64_t	time, last;	/* wall ms: first and last seen */
	unsigned	count;
	enum finding	kind;
	char		domain[DNS_NAME_SIZE], mx[DNS_NAME_SIZE];
	char		address[ADDR_TEXT_SIZE];
	enum level	expected, reached;
	enum why	why;
	enum finding_class class;
	enum finding_action action;
	const char	*evidence;	/* JSON, an object */
};

struct findings;

struct findings	*findings_new(struct db *, struct fault *);	/* borrows */
void		 findings_free(struct findings **);

/* 1 it is new, 0 one that goes on, -1 fault.  `time` is when; `last` and
 * `count` are not read. */
int	findings_put(struct findings *, const struct finding_row *,
	    struct fault *);

/* The first one behind `id` (0: from the start) that was last seen at `since`
 * or later and, unless mx is NULL, is of that host or domain; what it points to
 * lasts until the next call.  1 with its number in *id, 0 none, -1. */
int	findings_next(struct findings *, uint64_t since, const char *name,
	    int64_t *id, struct finding_row *, struct fault *);

/* As in `sealane events --json`; NULL: no memory. */
json_t	*finding_json(const struct finding_row *);

#endif
