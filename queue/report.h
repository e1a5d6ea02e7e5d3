/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/report.h - what became of a message, told to its sender:
 * multipart/report (RFC 6522) of words for people, message/delivery-status
 * (RFC 3464) and the message or its header.  Pure.
 *
 * Who is told what is decided in queue/notify.c.  A report has a null
 * reverse-path and is never answered by another one (RFC 5321 sec 4.5.5). */
#ifndef QUEUE_REPORT_H
#define QUEUE_REPORT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/envelope.h"
#include "base/span.h"

#define REPORT_MAX	65536		/* it travels inline */
#define REPORT_WHOLE	(50 * 1024)	/* messages up to here are returned whole */

enum report_action {
	REPORT_FAILED,
	REPORT_EXPIRED,		/* failed, after it was tried for too long */
	REPORT_DELAYED,
	REPORT_DELIVERED,
	REPORT_RELAYED,		/* RFC 3461 sec 5.2.2: to a host without DSN */
	REPORT_ACTIONS
};

struct report_rcpt {
	enum report_action action;
	struct span	address;
	struct span	orcpt;		/* as it came, "" not given */
	struct span	status;		/* RFC 3463; "" or another class than
					   the action's: a general one */
	struct span	reply;		/* the peer's words or ours */
	struct span	mx;		/* who said it, "" when nobody did */
	uint64_t	last;		/* attempt, wall ms, 0: none */
};

struct report {
	const char	*hostname;	/* ours */
	const char	*id;		/* of the report */
	uint64_t	 now;		/* wall ms */
	const char	*original_id;
	uint64_t	 arrived;	/* of the original, wall ms */
	uint64_t	 until;		/* delayed ones are tried so long, wall ms */
	struct span	 sender;	/* of the original: who gets this */
	struct span	 envid;		/* of the original, as it came */
	uint16_t	 envelope;	/* of the original, enum envelope_flag */
	const struct report_rcpt *rcpts;	/* equal actions together */
	size_t		 nrcpts;
	/* The original: all of it, or its beginning up to a bound; `whole`
	 * says which.  It is returned if something failed, nobody asked for
	 * less and it is no longer than REPORT_WHOLE; else its header is. */
	struct span	 original;
	bool		 whole;
};

/* Appends the report to `out` (bounded by REPORT_MAX).  Returns how many of
 * the recipients found room, from the front: the rest needs another report;
 * 0 when there is no memory.  *envelope: what the report itself needs,
 * ENVELOPE_8BIT and ENVELOPE_SMTPUTF8, and what its sender wished of TLS
 * (RFC 8689 sec 5). */
size_t	report_build(struct buf *out, const struct report *,
	    uint16_t *envelope);

#endif
