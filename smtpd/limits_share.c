/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/limits_share.c - the other smtpd processes count, too.
 *
 * What is far from a limit is not worth a word: a network is told of once it
 * has a quarter of one process's part.  Open connections are told as their
 * number, the rest as what was added. */
#include "base/ipc/ipc.h"
#include "smtpd/limits_priv.h"

#define QUARTER		4
#define USE_MAX		32	/* bytes of a record, and more */

static bool
worth(const struct limits *l, const struct limits_entry *e)
{
	uint64_t part = (uint64_t)QUARTER * l->processes;

	if (e->open != e->told_open && (e->told_open != 0 || l->share_all ||
	    e->open * part >= limits_most(l, e, LIMIT_CONNECTIONS)))
		return e->open > 0 || e->told_open > 0;
	for (unsigned k = LIMIT_CONNECTS; k < LIMITS; k++)
		if (e->unsent[k - 1] > 0 && e->unsent[k - 1] * part >=
		    limits_most(l, e, (enum limit)k))
			return true;
	return false;
}

static uint16_t
cut(uint32_t n)
{
	return n < UINT16_MAX ? (uint16_t)n : UINT16_MAX;
}

void
limits_share(struct limits *l, uint64_t now, struct buf *out, size_t max)
{
	struct limits_entry *e;

	for (uint32_t at = l->first; at != 0 && l->processes > 1 &&
	    out->len + USE_MAX <= max; at = e->older) {
		e = limits_entry(l, at);
		if (e->at < l->shared && !l->share_all)
			break;		/* so are all older ones */
		if (l->share_all)
			e->told_open = 0;
		if (!worth(l, e))
			continue;
		if (ipc_put_limit_use(out, &(struct ipc_limit_use){
		    .kind = e->kind, .net = e->net, .open = cut(e->open),
		    .connects = e->unsent[LIMIT_CONNECTS - 1],
		    .recipients = e->unsent[LIMIT_RECIPIENTS - 1],
		    .errors = e->unsent[LIMIT_ERRORS - 1],
		    .unknown = e->unsent[LIMIT_UNKNOWN - 1] }) == -1)
			return;
		e->told_open = e->open;
		memset(e->unsent, 0, sizeof e->unsent);
	}
	l->shared = now;
	l->share_all = false;
}

static void
set_other(struct limits_entry *e, unsigned smtpd, uint16_t open)
{
	e->others += open;
	e->others -= e->other[smtpd - 1];
	e->other[smtpd - 1] = open;
}

void
limits_others(struct limits *l, unsigned smtpd, struct span uses, uint64_t now)
{
	struct ipc_limit_use u;

	if (smtpd == 0 || smtpd > l->processes || smtpd == l->self)
		return;
	while (ipc_get_limit_use(&uses, &u) == 1) {
		struct limits_entry *e = u.kind >= NET_KINDS ? NULL :
		    limits_get(l, (enum net_kind)u.kind, u.net, now);

		if (e == NULL)
			continue;
		set_other(e, smtpd, u.open);
		e->used[LIMIT_CONNECTS - 1] += u.connects;
		e->used[LIMIT_RECIPIENTS - 1] += u.recipients;
		e->used[LIMIT_ERRORS - 1] += u.errors;
		e->used[LIMIT_UNKNOWN - 1] += u.unknown;
	}
}

void
limits_gone(struct limits *l, unsigned smtpd)
{
	if (smtpd == 0 || smtpd > l->processes)
		return;
	for (uint32_t at = 1; at < l->free; at++)
		set_other(limits_entry(l, at), smtpd, 0);
	/* The one that follows it knows nothing yet. */
	l->share_all = true;
}
