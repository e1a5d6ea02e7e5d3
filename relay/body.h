/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/body.h - the content of a message: bytes at hand, or a read-only file
 * descriptor that the queue gave. Read in pieces, in any order, any often. */
#ifndef RELAY_BODY_H
#define RELAY_BODY_H

#include <stdint.h>

#include "base/fault.h"
#include "base/span.h"

#define BODY_PIECE	(64 * 1024)

struct body {
	struct span	 inline_bytes;	/* when fd is -1 */
	int		 fd;		/* owned */
	uint64_t	 size;
	bool		 summed;	/* a file's `sum` is known, CRC32C */
	uint32_t	 sum;
	uint32_t	 so_far;	/* of what was read from the start, up to */
	uint64_t	 so_far_at;	/* here */
};

/* The next piece from `at`, at most `most` and BODY_PIECE, empty at the end;
 * valid until the next call for any body.  -1: the file can't be read or is shorter than
 * it was said to be, or, known with its last byte, not what was received; such
 * a message must not be ended with a dot. */
int	body_piece(struct body *, uint64_t at, size_t most, struct span *,
	    struct fault *);

/* A line of the bytes at hand is longer than SMTP allows, RFC 5321 sec
 * 4.5.3.1.6.  Files are not looked at. */
bool	body_has_long_line(const struct body *);

void	body_close(struct body *);

#endif
