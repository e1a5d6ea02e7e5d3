/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/line.h - cuts what a client sends into command lines.
 *
 * Pure.  Only CRLF ends a command (RFC 5321 sec 2.3.8).  A line is judged when
 * its first LF is there: that LF without a CR before it, another CR, or a NUL
 * make it bad, and the caller is expected to close, for behind it the two
 * sides no longer agree on where commands begin.  The verdict does not depend
 * on how the bytes were cut into pieces. */
#ifndef SMTP_LINE_H
#define SMTP_LINE_H

#include "base/span.h"

/* Line without CRLF.  RFC 5321 sec 4.5.3.1.4 asks for 512 and more for each
 * extension; paths and parameters of ours need less than this. */
#define SMTP_LINE_MAX	2048

enum smtp_line_kind {
	SMTP_LINE_NONE,		/* no whole line yet */
	SMTP_LINE_OK,
	SMTP_LINE_BAD,		/* bare LF, bare CR, NUL */
	SMTP_LINE_LONG,		/* over SMTP_LINE_MAX; all of it was skipped */
};

struct smtp_lines {
	bool	skipping;	/* inside a line that is too long */
};

/* Looks at the front of `in`.  *used bytes of it are done with, whatever the
 * answer; the line points into `in`. */
enum smtp_line_kind	smtp_line_take(struct smtp_lines *, struct span in,
			    struct span *line, size_t *used);

#endif
