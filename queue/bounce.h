/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/bounce.h - the report to a sender that mail was not delivered:
 * multipart/report (RFC 6522) of words for people, message/delivery-status
 * (RFC 3464) and the message or its header.  Pure.
 *
 * Who gets one is decided elsewhere; a bounce itself has a null reverse-path
 * and is never bounced (RFC 5321 sec 4.5.5). */
#ifndef QUEUE_BOUNCE_H
#define QUEUE_BOUNCE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

#define BOUNCE_MAX	65536		/* it travels inline */
#define BOUNCE_WHOLE	(50 * 1024)	/* messages up to here are returned whole */

struct bounce_rcpt {
	struct span	address;
	struct span	status;		/* RFC 3463; "" becomes 5.0.0 */
	struct span	reply;		/* the peer's words or ours */
	struct span	mx;		/* who said it, "" when nobody did */
	bool		expired;	/* tried for too long */
};

struct bounce {
	const char	*hostname;	/* ours */
	const char	*id;		/* of the bounce */
	uint64_t	 now;		/* wall ms */
	const char	*original_id;
	uint64_t	 arrived;	/* of the original, wall ms */
	struct span	 sender;	/* of the original: who gets this */
	const struct bounce_rcpt *rcpts;
	size_t		 nrcpts;
	/* The original: all of it, or its beginning up to a bound; `whole`
	 * says which.  Of more than BOUNCE_WHOLE only the header is shown. */
	struct span	 original;
	bool		 whole;
};

/* Appends the bounce to `out` (bounded by BOUNCE_MAX).  Returns how many of
 * the recipients found room, from the front: the rest needs another bounce;
 * 0 when there is no memory.  *eight is set when it holds 8-bit bytes. */
size_t	bounce_build(struct buf *out, const struct bounce *, bool *eight);

#endif
