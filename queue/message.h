/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/message.h - a message in memory and its recipients, without its body.
 * No I/O and no clock. */
#ifndef QUEUE_MESSAGE_H
#define QUEUE_MESSAGE_H

#include <sys/queue.h>

#include "queue/record.h"
#include "queue/segment.h"
#include "queue/table.h"
#include "queue/words.h"

enum rcpt_phase {		/* of an active recipient; JOB also of a held one */
	PHASE_IDLE,
	PHASE_ASKED,		/* waits for its domain's route: at.domain */
	PHASE_ROUTED,		/* waits for its fellow recipients: at.route */
	PHASE_QUEUED,		/* in a batch at a site: at.batch */
	PHASE_JOB,		/* a relay has it: at.batch */
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
	/* Of the last attempt: */
	uint64_t	 noted;		/* wall ms, 0: none yet */
	const struct words *note;	/* "site\0reply\0dsn\0mx\0" */
};

struct grace;

/* A queue may have a million of them: what only few need stands elsewhere. */
struct message {
	struct table_link	 by_id;
	TAILQ_ENTRY(message)	 arrival, placed;
	char			 id[ID_SIZE];
	uint8_t			 flags;		/* RECORD_IN_FILE ... */
	uint8_t			 envid_len;
	uint8_t			 session_len, client_len;
	uint16_t		 sender_len;
	uint16_t		 envelope;	/* enum envelope_flag */
	bool			 pending;	/* not durable yet */
	bool			 dead;		/* out of the index */
	bool			 is_placed;
	bool			 stands;	/* its clock */
	uint32_t		 sum;		/* of a body in a file */
	uint32_t		 heap_at;	/* 0: not in the heap */
	uint64_t		 arrived, size;
	uint64_t		 clock;		/* ms that it ran, if it stands; else
						   the steady ms at which that was 0 */
	struct place		 place;
	uint64_t		 due;		/* steady ms */
	uint64_t		 report_at;	/* steady ms; when ndue > 0 */
	struct grace		*grace;		/* it waits for further routes */
	unsigned		 refs;		/* the index, batches, asks, jobs */
	unsigned		 asking;	/* domains not answered yet */
	uint32_t		 nrcpts;
	uint32_t		 nopen;		/* not delivered or failed */
	uint32_t		 nheld;		/* of the open ones */
	uint32_t		 ndue;		/* of whom the sender must be told */
	struct rcpt		 rcpts[];	/* and behind them sender, client,
						   session, envid, addresses */
};
/* A message from its record; NULL: no memory.  Not in the index yet.
 * `now_steady`, `now_wall`: to turn times of the disk into times here. */
struct message	*message_new(const struct record_message *,
		    uint64_t now_steady, uint64_t now_wall);
void	message_ref(struct message *);
void	message_unref(struct message *);	/* frees at 0 */
struct span	message_sender(const struct message *);
struct span	message_client(const struct message *);
struct span	message_session(const struct message *);
struct span	message_envid(const struct message *);
/* Nothing is left to do, and nothing to say. */
bool	message_done(const struct message *);
/* Running time up to now. */
uint64_t	message_running(const struct message *, uint64_t now_steady);
void	message_running_set(struct message *, uint64_t ms,
	    uint64_t now_steady);
/* After changes: the clock stands while all that is open is held. */
void	message_clock(struct message *, uint64_t now_steady);

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
