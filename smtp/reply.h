/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/reply.h - the replies of an SMTP server, read as they come.
 *
 * Pure.  The same bytes give the same result however they are cut in pieces.
 * Tolerant where servers differ without harm (lines that end with LF alone,
 * empty lines, a code without text), strict where a guess could be turned
 * against us: other codes inside one reply, no code at all, too long.  What is
 * refused fails the host; it never reads as "the host offers less". */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include "base/buf.h"
#include "base/span.h"

#define REPLY_BYTES_MAX		(64 * 1024)
#define REPLY_LINES_MAX		512
#define REPLY_ENHANCED_SIZE	12	/* "5.123.123" and room */
#define REPLY_LINE_SIZE		1024	/* for reply_line(), with NUL */

enum reply_state {
	REPLY_MORE,	/* all of the input was used, the reply goes on */
	REPLY_DONE,	/* complete; what follows belongs to the next one */
	REPLY_BAD,	/* `why` says it; nothing more can be read */
};

struct reply {
	int		 code;		/* 200 to 599; 0 before the first line */
	/* RFC 3463 code of the first line that has one whose class is that of
	 * the reply (RFC 2034 sec 4), or "". */
	char		 enhanced[REPLY_ENHANCED_SIZE];
	/* The text of each line behind code and separator, '\n' between lines.
	 * Control and 8-bit bytes are '?', a tab is a space, NULs are left out. */
	struct buf	 lines;
	const char	*why;		/* of REPLY_BAD, static text */

	/* of the parser */
	size_t		 bytes;
	unsigned	 nlines;
	unsigned	 column;	/* up to 4: behind the separator */
	unsigned	 crs;		/* CRs that came last */
	int		 line_code;
	bool		 last, has_text, bad;
};

void	reply_init(struct reply *);
void	reply_free(struct reply *);
void	reply_reset(struct reply *);		/* for the next one */

/* Reads up to the end of one reply; *used bytes of `in` were taken. */
enum reply_state	reply_feed(struct reply *, struct span in, size_t *used);

/* Some bytes of a reply that is not complete have come. */
bool	reply_started(const struct reply *);

/* A reply of our own making, in the same form. */
void	reply_make(struct reply *, int code, const char *enhanced,
	    const char *text);

/* For logs and reports: "550 5.1.1 No such user, go away", one line, the
 * enhanced code once.  Cut to `size` with NUL; returns `out`. */
const char	*reply_line(const struct reply *, char *out, size_t size);

/* The enhanced code that `s` begins with and its length, or 0. */
size_t	reply_enhanced(struct span s, char out[REPLY_ENHANCED_SIZE]);

#endif
