/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/data.h - the receiver's side of DATA and BDAT: finds the end, takes the
 * transparency dots off, and leaves only CRLF as a line end.
 *
 * Pure.  The end is the five bytes CR LF "." CR LF and nothing else (RFC 5321
 * sec 4.1.1.4), where the CRLF of the DATA command counts as the first two.  A
 * bare CR or LF becomes a CRLF in what is kept, but never begins a line for
 * the purposes of the dot: whoever sends LF "." LF or any other near miss gets
 * it into the message as text, and nothing behind it is taken for a command
 * (SMTP smuggling, CVE-2023-51764 and its like).
 *
 * Behind BDAT (RFC 3030) the end is counted and dots mean nothing, but line
 * ends are made the same: the message may leave here by DATA.
 *
 * Any cutting of the same bytes into pieces gives the same output. */
#ifndef SMTP_DATA_H
#define SMTP_DATA_H

#include <stdint.h>

#include "base/span.h"

enum smtp_data_state {
	SMTP_DATA_LINE,		/* at the start of a line, behind a true CRLF */
	SMTP_DATA_DOT,		/* a dot there, kept back */
	SMTP_DATA_DOT_CR,	/* CR behind it, kept back */
	SMTP_DATA_TEXT,
	SMTP_DATA_CR,		/* a CR, kept back */
	SMTP_DATA_DONE,		/* never in chunks */
};

struct smtp_data {
	enum smtp_data_state	state;	/* all zero: ready to begin */
	bool			chunked;	/* BDAT */
	uint64_t		size;	/* bytes given out */
	bool			bare_cr, bare_lf;	/* were seen, and replaced */
	bool			nul;	/* was seen, and given out */
};

/* Feeds a piece.  `emit` gets the bytes of the message in order, in pieces
 * that point into `in` or at constants.  Returns how many bytes of `in`
 * belong to the data; fewer than all only when the state is then DONE: what
 * follows is the next command.  At most 2 * in.n + 2 bytes are emitted. */
size_t	smtp_data_feed(struct smtp_data *, struct span in,
	    void (*emit)(void *arg, struct span), void *arg);

/* Behind the last octet of the last chunk: what was kept back is given out. */
void	smtp_data_end(struct smtp_data *,
	    void (*emit)(void *arg, struct span), void *arg);

#endif
