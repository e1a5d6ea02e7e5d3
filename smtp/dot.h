/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/dot.h - a message body as it goes over the wire behind DATA, or in
 * chunks behind BDAT.
 *
 * Pure.  Doubles leading dots and ends with CRLF.CRLF (RFC 5321 sec 4.5.2); in
 * chunks, which are counted, a dot is a byte like others (RFC 3030 sec 2).
 * Whatever the stored body holds, no bare CR or LF leaves here: each becomes a
 * CRLF.  The next hop's idea of a line end is then ours too, and nothing in a
 * message can end it early there (SMTP smuggling). */
#ifndef SMTP_DOT_H
#define SMTP_DOT_H

#include "base/buf.h"
#include "base/span.h"

struct dot {
	bool	chunks;
	bool	inside;		/* of a line: something of it was written */
	bool	cr;		/* a CR came last and is not written yet */
};

void	dot_begin(struct dot *, bool chunks);
/* Pieces may be cut anywhere; a piece of n bytes adds at most 2n + 2. 0, or -1
 * when `out` is full: then the message must not be ended. */
int	dot_put(struct dot *, struct span piece, struct buf *out);
int	dot_end(struct dot *, struct buf *out);

#endif
