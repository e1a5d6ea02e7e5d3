/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/bounce.h - the text of a non-delivery report: multipart/report with a
 * part for people, one for programs (RFC 3464) and the message or its header.
 * Pure.  Who gets one, and that a null reverse-path never does, is decided in
 * queue/outcome.c. */
#ifndef QUEUE_BOUNCE_H
#define QUEUE_BOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

struct bounce_rcpt {
	struct span	address;
	struct span	dsn;		/* RFC 3463, "" becomes 5.0.0 */
	struct span	reply;		/* the remote host's words, or ours */
	struct span	mx;		/* the remote host, "" when the words are ours */
};

struct bounce {
	const char	*hostname;	/* Reporting-MTA */
	struct span	 id;		/* of the report itself */
	struct span	 original_id;
	struct span	 to;		/* the original's reverse-path, never empty */
	uint64_t	 arrived, now;	/* wall ms */
	const struct bounce_rcpt	*rcpts;
	size_t		 nrcpts;
	struct span	 original;	/* the message, or its beginning */
	bool		 whole;		/* it is all of it: attach it as it is */
};

/* Appends the report.  Whatever bytes addresses, replies and names hold, the
 * header and the delivery-status part stay well-formed 7-bit text; only the
 * attached original may make *is_8bit true.  0, or -1 when `out` is full. */
int	bounce_write(struct buf *out, const struct bounce *, bool *is_8bit);

#endif
