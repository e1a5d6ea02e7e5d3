/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/index.h - the messages in memory: by id, by the time they are due, in
 * the order of arrival (listings) and of their places in the log (carrying).
 * No I/O and no clock.  Bodies are never here. */
#ifndef QUEUE_INDEX_H
#define QUEUE_INDEX_H

#include <sys/queue.h>

#include "queue/record.h"
#include "queue/segment.h"
#include "queue/table.h"

enum rcpt_phase {		/* of an active recipient; JOB also of a held one */
	PHASE_IDLE,
	PHASE_ASKED,		/* waits for its domain's route: at.domain */
	PHASE_ROUTED,		/* waits for its fellow recipients: at.route */
	PHASE_QUEUED,		/* in a batch at a site: at.batch */
	PHASE_JOB,		/* a relay has it: at.batch */
};

struct rcpt_note {
	uint64_t	 at;		/* wall ms */
	char		 text[];	/* "site\0reply\0dsn\0mx\0" */
};

struct rcpt {
	const char	*address;	/* behind message.rcpts */
	uint16_t	 address_len;
	uint16_t	 domain_at;	/* offset of the domain in it */
	uint16_t	 attempts;
	uint8_t		 state;		/* enum rcpt_state */
	uint8_t		 phase;
	uint8_t		 tls_failed;
	uint8_t		 asked;		/* enum level of the last route */
	uint8_t		 notify;	/* enum notify */
	uint8_t		 due;		/* enum rcpt_due */
	uint16_t	 orcpt_len;	/* it follows the address */
	uint64_t	 next;		/* steady ms when deferred */
	union {
		struct domain	*domain;
		struct route	*route;
		struct batch	*batch;
	} at;
	struct rcpt_note *note;		/* of the last attempt, NULL: none yet */
};

#define CLOCK_STOPPED	UINT64_MAX

struct message {
	struct table_link	 by_id;
	TAILQ_ENTRY(message)	 arrival, placed, grace;
	char			 id[ID_SIZE];
	uint8_t			 flags;		/* RECORD_IN_FILE ... */
	uint8_t			 envid_len;	/* it follows `session` */
	uint16_t		 envelope;	/* enum envelope_flag */
	uint32_t		 sum;		/* of a body in a file */
	bool			 pending;	/* not durable yet */
	bool			 dead;		/* out of the index */
	bool			 in_grace, is_placed;
	uint64_t		 arrived, size;
	uint64_t		 running;	/* ms, up to `since` */
	uint64_t		 since;		/* steady ms; CLOCK_STOPPED: it stands */
	struct place		 place;
	uint64_t		 due;		/* steady ms */
	uint64_t		 grace_until;
	uint64_t		 report_at;	/* steady ms; when ndue > 0 */
	size_t			 heap_at;	/* 0: not in the heap */
	unsigned		 refs;		/* the index, batches, asks, jobs */
	unsigned		 asking;	/* domains not answered yet */
	uint32_t		 nrcpts;
	uint32_t		 nopen;		/* not delivered or failed */
	uint32_t		 nheld;		/* of the open ones */
	uint32_t		 ndue;		/* of whom the sender must be told */
	struct span		 sender, client, session;
	struct rcpt		 rcpts[];	/* and behind them all texts */
};
TAILQ_HEAD(messages, message);

/* Somebody's place in a walk over what was there when it began; survives
 * whatever happens to messages. */
struct index_cursor {
	struct message			*at;	/* next one, NULL: done */
	struct message			*last;	/* what comes later is not seen */
	TAILQ_ENTRY(index_cursor)	 link;
};

struct index {
	struct table	 by_id;
	struct messages	 arrival, placed;
	TAILQ_HEAD(, index_cursor) cursors;
	struct message	**heap;			/* from 1 */
	size_t		 nheap, heap_size;
	uint64_t	 bytes;			/* in the log, of live messages */
};

void	index_init(struct index *);
void	index_free(struct index *);

/* A message from its record; NULL: no memory.  Not in the index yet.
 * `now_steady`, `now_wall`: to turn times of the disk into times here. */
struct message	*message_new(const struct record_message *,
		    uint64_t now_steady, uint64_t now_wall);
void	message_ref(struct message *);
void	message_unref(struct message *);	/* frees at 0 */
struct span	message_envid(const struct message *);
/* Nothing is left to do, and nothing to say. */
bool	message_done(const struct message *);
/* Running time up to now. */
uint64_t	message_running(const struct message *, uint64_t now_steady);
/* After changes: the clock stands while all that is open is held. */
void	message_clock(struct message *, uint64_t now_steady);

int	index_add(struct index *, struct message *);	/* takes the reference */
void	index_remove(struct index *, struct message *);	/* marks dead, drops it */
struct message	*index_find(const struct index *, struct span id);
void	index_place(struct index *, struct message *, struct place);
/* Brings the order of places in order, after messages came in any other. */
void	index_sort(struct index *);

int	index_due_set(struct index *, struct message *, uint64_t due);
void	index_due_clear(struct index *, struct message *);
struct message	*index_due_first(const struct index *);

void	index_cursor_start(struct index *, struct index_cursor *);
struct message	*index_cursor_next(struct index_cursor *);
void	index_cursor_end(struct index *, struct index_cursor *);

/* Not delivered or failed? */
bool		rcpt_open(const struct rcpt *);
struct span	rcpt_address(const struct rcpt *);
struct span	rcpt_domain(const struct rcpt *);
struct span	rcpt_orcpt(const struct rcpt *);	/* "" not given */
struct span	rcpt_site(const struct rcpt *);		/* "" unknown */
struct span	rcpt_reply(const struct rcpt *);
struct span	rcpt_dsn(const struct rcpt *);
struct span	rcpt_mx(const struct rcpt *);		/* "" nobody answered */
uint64_t	rcpt_at(const struct rcpt *);		/* wall ms, 0: never */
/* Keep site, reply, dsn, mx and time of an attempt. */
void	rcpt_note(struct rcpt *, const struct record_change *);
/* Apply what a record says; `next` is steady. */
void	rcpt_change(struct message *, struct rcpt *,
	    const struct record_change *, uint64_t next);

#endif
