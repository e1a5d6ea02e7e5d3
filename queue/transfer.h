/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/transfer.h - messages of a queue as a stream of bytes, for a file or
 * for another machine.  Pure.
 *
 *	stream	= "sealane-queue 1\n" message* end
 *	message	= header head body sum
 *	end	= header
 *
 * A header is 32 bytes, numbers little-endian: type (1 byte: 'M', or 'E' for the
 * end), 3 zeros, length of the head (4), length of the body (8), number (8: 1,
 * 2, ..., and the end's is the next), CRC32C of the head (4), CRC32C of these
 * 28 bytes (4).  The head is a RECORD_MESSAGE of queue/record.h up to its body;
 * sum is the CRC32C of the body (4).
 *
 * So a damaged message costs that message, and only a damaged header costs what
 * follows.  All recipients of a message are held: who takes it in and who
 * gave it away must not send it both. */
#ifndef QUEUE_TRANSFER_H
#define QUEUE_TRANSFER_H

#include "queue/record.h"

#define TRANSFER_BEGIN		"sealane-queue 1\n"
#define TRANSFER_HEADER		32u
#define TRANSFER_SUM		4u
#define TRANSFER_HEAD_MAX	(8u * 1024 * 1024)
#define TRANSFER_INLINE_MAX	(7u * 1024 * 1024)	/* not RECORD_IN_FILE */

void	transfer_put_message(uint64_t number, struct span head, uint64_t body,
	    char out[TRANSFER_HEADER]);
void	transfer_put_end(uint64_t number, char out[TRANSFER_HEADER]);

enum transfer_step {
	TRANSFER_WANTS,		/* all of the input was taken: more */
	TRANSFER_MESSAGE,	/* one begins: t->message, t->head */
	TRANSFER_BODY,		/* *piece of its body */
	TRANSFER_WHOLE,		/* it was the last one, and the sums hold */
	TRANSFER_SPOILT,	/* t->number is no good: t->why, t->message.id */
	TRANSFER_END,		/* a good end, and nothing behind it so far */
	TRANSFER_LOST,		/* no way on: t->why */
};

struct transfer {
	struct buf	 mem;		/* begin, header, head or sum, so far */
	struct buf	 head;		/* of the message, good up to the next */
	struct record_message message;	/* points into it; without its body */
	uint64_t	 number;	/* of the message, from 1 */
	uint64_t	 body;		/* bytes of it */
	const char	*why;
	/* the reader's own */
	int		 state;
	uint64_t	 left;		/* of the body */
	size_t		 head_length;
	uint32_t	 head_sum, sum;
};

void	transfer_init(struct transfer *);
void	transfer_free(struct transfer *);
/* The next step of what was fed so far; moves *in on.  After LOST there is no
 * other, after END only WANTS or LOST. */
enum transfer_step	transfer_next(struct transfer *, struct span *in,
			    struct span *piece);

#endif
