/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/record.h - what the records of the spool's log say.  Pure.
 *
 * Decoded spans point into the payload.  A payload passed its sum when it
 * comes here, but is judged again all the same: every length is checked. */
#ifndef QUEUE_RECORD_H
#define QUEUE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/id.h"
#include "base/span.h"

/* Stored; never renumber. */
enum record_type {
	RECORD_MESSAGE = 1,	/* a message came in */
	RECORD_CARRY = 2,	/* the same with its state now, from an older segment */
	RECORD_OUTCOME = 3,	/* recipients' states changed */
	RECORD_END = 4,		/* nothing is left to do for a message */
	RECORD_VOID = 5,	/* a failed sync: a segment counts only up to here */
	RECORD_MARK = 6,	/* says nothing but how far things are durable */
	/* In a checkpoint only. */
	RECORD_FROM = 7,	/* where the log goes on */
	RECORD_LIVE = 8,	/* a message without its body, and its place */
	RECORD_COUNT = 9,	/* the end: so many of them, and the number that
				   the next segment of the log was to have */
};

enum rcpt_state {	/* stored; never renumber */
	RCPT_ACTIVE = 0,	/* due, or under way */
	RCPT_DEFERRED = 1,
	RCPT_DELIVERED = 2,
	RCPT_FAILED = 3,
	RCPT_HELD = 4,		/* waits until the operator releases it */
	RCPT_STATES
};
const char	*rcpt_state_name(enum rcpt_state);

/* What the sender has still to be told of a recipient; stored. */
enum rcpt_due {
	DUE_NONE = 0,
	DUE_FAILED = 1,
	DUE_EXPIRED = 2,	/* tried for too long */
	DUE_DELIVERED = 3,
	DUE_RELAYED = 4,	/* to a host that sends no such reports */
	DUE_COUNT
};

#define RECORD_ADDRESS_MAX	320
#define RECORD_REPLY_MAX	512	/* longer replies are cut */
#define RECORD_DSN_MAX		11

/* What a recipient came with. */
struct record_rcpt {
	struct span	address;
	struct span	orcpt;		/* "" not given */
	uint8_t		notify;		/* enum notify */
};

/* What an attempt left behind. */
struct record_change {
	uint32_t	index;
	uint8_t		state;		/* enum rcpt_state */
	uint8_t		tls_failed;
	uint8_t		asked;		/* enum level, 0: never asked */
	uint8_t		due;		/* enum rcpt_due */
	uint16_t	attempts;
	uint64_t	next;		/* wall ms when deferred */
	uint64_t	at;		/* wall ms of the attempt, 0: none yet */
	struct span	site;		/* for people */
	struct span	reply;
	struct span	dsn, mx;	/* status of RFC 3463, and who gave it */
};

#define RECORD_IN_FILE	1	/* body is large/ID, not in the record */
#define RECORD_BOUNCE	2	/* made here */
#define RECORD_WARNED	4	/* its sender was told of the delay */

struct record_message {
	struct span	id;		/* ID_LEN characters */
	uint8_t		flags;		/* RECORD_... */
	uint16_t	envelope;	/* enum envelope_flag */
	uint64_t	arrived;	/* wall ms */
	uint64_t	size;
	uint64_t	running;	/* ms that this program ran with it */
	struct span	sender, client, session, envid;
	uint32_t	nrcpts;
	struct span	rcpts;		/* walk with record_rcpt() */
	uint32_t	sum;		/* CRC32C of the file */
	struct span	body;		/* inline, else empty */
};

/* The message up to its body, which follows as it is: put_message writes the
 * head (m->rcpts is what record_put_rcpt() wrote, m->body only its length). */
int	record_put_message(struct buf *, const struct record_message *);
int	record_put_rcpt(struct buf *, const struct record_rcpt *,
	    const struct record_change *);
int	record_get_message(struct span payload, struct record_message *);
/* The same for a message without its inline body, as put_message wrote it. */
int	record_get_head(struct span payload, struct record_message *);
/* Next recipient of m->rcpts: 1, 0 at the end. */
int	record_rcpt(struct span *rcpts, struct record_rcpt *,
	    struct record_change *);

struct record_outcome {
	struct span	id;
	uint8_t		flags;		/* of the message, now */
	uint64_t	running;
	uint32_t	nchanges;
	struct span	changes;	/* walk with record_change() */
};
/* o->changes is what record_put_change() wrote. */
int	record_put_outcome(struct buf *, const struct record_outcome *);
int	record_put_change(struct buf *, const struct record_change *);
int	record_get_outcome(struct span payload, struct record_outcome *);
int	record_change(struct span *changes, struct record_change *);

/* END: the payload is the id. */
int	record_get_end(struct span payload, struct span *id);

/* VOID: in `segment` nothing from `offset` on counts. */
int	record_put_void(struct buf *, uint64_t segment, uint32_t offset);
int	record_get_void(struct span payload, uint64_t *segment,
	    uint32_t *offset);

#endif
