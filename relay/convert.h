/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/convert.h - a body looked through for a host that lacks 8BITMIME or
 * SMTPUTF8: what is in it, and what it becomes (smtp/mime7.h).
 *
 * In slices, so that a large file holds up nobody else: up to three walks over
 * it, to learn what it is, what its size will be (only if asked), and to send
 * it. */
#ifndef RELAY_CONVERT_H
#define RELAY_CONVERT_H

#include "relay/body.h"
#include "smtp/mime7.h"

#define CONVERT_SLICE	(1024 * 1024)	/* bytes looked through at once */
#define CONVERT_PIECE	4096		/* and converted at once */
#define CONVERT_OUT_MAX	MIME7_OUT_MAX(CONVERT_PIECE)

enum convert_state { CONVERT_SCAN, CONVERT_COUNT, CONVERT_READY };

struct convert {
	struct body	*body;
	bool			 count;
	enum convert_state	 state;
	uint64_t		 at;
	struct mime7		 mime;
	enum mime7_verdict	 verdict;	/* when READY */
	uint64_t		 size;		/* after conversion, if counted */
	struct buf		 out;
};

/* `count`: the size after conversion is wanted. NULL: no memory. */
struct convert	*convert_new(struct body *, bool count);
void	convert_free(struct convert **);
/* One slice: 1 when all is known, 0 when there is more, -1 with a fault: the
 * body can't be read, or there is no memory. */
int	convert_slice(struct convert *, struct fault *);

/* From the start: the next piece as it is to be sent, until *last. Valid until
 * the next call.  -1 as above. */
void	convert_rewind(struct convert *);
int	convert_piece(struct convert *, struct span *, bool *last, struct fault *);

#endif
