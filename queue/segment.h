/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/segment.h - the bytes of one segment file of the spool's log.
 * Pure: works on memory.  What the records mean is queue/record.h's business,
 * files and syncing are queue/spool.h's.  docs/decisions/0001-spool.md has the
 * format and the argument why it survives crashes. */
#ifndef QUEUE_SEGMENT_H
#define QUEUE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define SEGMENT_SIZE		(16u * 1024 * 1024)	/* preallocated */
#define SEGMENT_LARGEST		(64u * 1024 * 1024)	/* more is not ours */
#define SEGMENT_FIRST		4096u		/* offset of the first record */
#define SEGMENT_HEADER		32u		/* bytes before each payload */
#define SEGMENT_PAYLOAD_MAX	(8u * 1024 * 1024)

/* Flags of a record. */
#define SEGMENT_MORE	1	/* counts only together with the next record */
#define SEGMENT_BEHIND	2	/* counts only together with the one before */

/* A place in the log; ordered by segment, then offset. */
struct place {
	uint64_t	segment;	/* 0: nowhere */
	uint32_t	offset;		/* of the record's header */
	uint32_t	length;		/* of its payload */
};

/* What seeds the sums of a segment: its number (0: a checkpoint, which has the
 * same form), and the spool's random salt,
 * without which a sender could put a forged record into a message body and
 * wait for damage to make the scan run into it. */
struct segment_key {
	uint64_t	number;
	uint64_t	salt;
};

/* The first SEGMENT_FIRST bytes of a segment: its head twice.  `before`: where
 * the segment with the number before this ended, 0 unknown. */
void	segment_head_put(const struct segment_key *, uint32_t before,
	    char out[SEGMENT_FIRST]);
/* Reads either copy.  0; -1 when both are bad; -2 from a newer program. */
int	segment_head_get(struct span bytes, struct segment_key *,
	    uint32_t *before);

struct segment_record {
	uint8_t		type;
	uint8_t		flags;
	struct place	place;
	struct place	durable;	/* what was synced before this batch */
	struct span	payload;
};

/* A record takes this much of a segment, padding included. */
uint32_t	segment_room(size_t payload);

/* Header for a payload that comes in two pieces. `durable` and `at` as above;
 * at.length is the whole payload. */
void	segment_put(const struct segment_key *, uint8_t type, uint8_t flags,
	    struct place at, struct place durable, struct span head,
	    struct span body, char out[SEGMENT_HEADER]);

enum segment_step {
	SEGMENT_END,		/* nothing but zeros from here on */
	SEGMENT_RECORD,		/* *r is good */
	SEGMENT_HEADER_ONLY,	/* its header is good, its payload is not */
	SEGMENT_BAD,		/* no record here: r->place says from where ...*/
};

/* Next step of a scan from *at, which moves on.  For SEGMENT_BAD place.length
 * is the number of bytes up to where the scan found its feet again, or the
 * end.  With `headers` payload sums are not checked. */
enum segment_step	segment_next(const struct segment_key *,
			    struct span bytes, bool headers, uint32_t *at,
			    struct segment_record *r);

/* A header alone: true, and *r but for the payload, when its sum holds. */
bool	segment_header_get(const struct segment_key *,
	    const char header[SEGMENT_HEADER], uint32_t offset,
	    struct segment_record *r);
/* Sum of a payload that was read back for delivery. */
bool	segment_payload_ok(const struct segment_key *, struct place,
	    const char header[SEGMENT_HEADER], struct span payload,
	    uint8_t *type);

static inline bool
place_before(struct place a, struct place b)
{
	return a.segment != b.segment ? a.segment < b.segment :
	    a.offset < b.offset;
}

#endif
