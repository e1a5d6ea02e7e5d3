/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/session.h - one SMTP session of a client: bytes in, bytes out.
 *
 * No sockets, no TLS, no queue in here: what a session needs of them it asks
 * through struct session_ops, or says in session_wants().  So unit tests,
 * scripted dialogues and production run the same code.
 *
 * Owner's rules: feed bytes with session_input() as long as it wants
 * SESSION_READ; keep what it did not use.  After every call below look at
 * session_wants().  No op may call back into the session. */
#ifndef SMTPD_SESSION_H
#define SMTPD_SESSION_H

#include <sys/queue.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/envelope.h"
#include "base/fault.h"
#include "base/hop.h"
#include "base/id.h"
#include "base/ipc/ipc.h"
#include "base/net.h"
#include "base/span.h"
#include "smtp/address.h"
#include "smtp/data.h"
#include "smtp/header.h"
#include "smtp/helo.h"
#include "smtp/line.h"
#include "smtp/xforward.h"

/* A body up to here, Received: included, goes to the queue inline. */
#define SESSION_INLINE_MAX	65536
/* What is kept of all recipients of a message; who does not fit is refused as
 * one too many. */
#define SESSION_RCPTS_MAX	65535
/* A recipient in the list: texts, their lengths, notify. */
#define SESSION_RCPT_MAX	(SMTP_MAILBOX_MAX + ENVELOPE_ORCPT_MAX + 9)

/* Recipients of one session that the next hop is asked for at once. */
#define SESSION_ASKS_MAX	20

#define SESSION_ERRORS_MAX	20	/* refused commands per accepted message */
#define SESSION_CHATTER_MAX	100	/* commands that lead nowhere, likewise */

/* Bits, so that the command table can say in which states a verb is legal. */
enum session_state {
	ST_FRESH	= 0x001,	/* no EHLO or HELO yet (again: after TLS) */
	ST_READY	= 0x002,
	ST_MAIL		= 0x004,	/* MAIL was accepted */
	ST_RCPT		= 0x008,	/* and at least one RCPT */
	ST_DATA		= 0x010,	/* 354 was said, reading the body */
	ST_SPOOL	= 0x020,	/* waits for a file to write the body to */
	ST_COMMIT	= 0x040,	/* body is whole, queue must take it */
	ST_TLS		= 0x080,	/* handshake */
	ST_CHUNK	= 0x100,	/* reading the octets behind BDAT */
	ST_BDAT		= 0x200,	/* between two chunks of a message */
	ST_CLOSED	= 0x400,
};

enum session_want {
	SESSION_READ,		/* bytes of the client */
	SESSION_WAIT,		/* the queue's answer, or room on its link */
	SESSION_TLS,		/* start the handshake, then session_secured() */
	SESSION_CLOSE,		/* send what was given out, then close */
};

enum session_room { ROOM_NONE, ROOM_LATER, ROOM_NOW };

/* Why a command is refused; the words are constants. */
struct session_refusal {
	int		 code;			/* 0: it is not */
	const char	*enhanced, *text;
};

/* The chunk behind a BDAT command (RFC 3030). */
struct session_chunk {
	uint64_t		left;		/* octets still to come */
	bool			last;		/* BDAT n LAST */
	bool			told;		/* that this message has failed */
	/* Taken in and thrown away, for nobody may read them as commands;
	 * then this is said, and the session is where it was. */
	struct session_refusal	refusal;
	enum session_state	back;
};

/* A message on its way in; valid for the owner during the ops that get it. */
struct session_message {
	char			id[ID_SIZE];
	struct smtp_address	sender;
	char			envid[ENVELOPE_ENVID_MAX + 1];	/* xtext */
	struct buf		rcpts;		/* walk with ipc_get_rcpt() */
	unsigned		nrcpts;
	uint16_t		flags;		/* enum envelope_flag */
	bool			in_file;	/* body was given to spool_write */
	struct buf		body;		/* the inline body, else empty */
	uint64_t		size;		/* of the whole, Received: included */
	uint64_t		arrived;	/* wall ms */
};

/* A recipient whose reply waits for its turn. */
struct session_ask {
	STAILQ_ENTRY(session_ask) next;
	uint64_t	number;
	int		code;		/* 0: not answered yet */
	char		dsn[12];
	const char	*text;		/* of a 451 that is ours; NULL: not known */
	size_t		n;
	char		record[];	/* as ipc_put_rcpt() wrote it */
};

/* What counts for a client's whole network, too. */
enum session_count { COUNT_RECIPIENT, COUNT_ERROR, COUNT_UNKNOWN };

struct session_ops {
	/* Replies.  -1: the client does not read them; the session closes. */
	int	(*send)(void *arg, struct span);
	uint64_t	(*wall_ms)(void *arg);
	/* Can the queue take a message now?  LATER: call session_input()
	 * again when it can. */
	enum session_room	(*room)(void *arg);
	/* Ask for a file; the answer comes by session_spooled(). -1: no queue. */
	int	(*spool_open)(void *arg);
	int	(*spool_write)(void *arg, struct span, struct fault *);
	/* The body, or the file, is no longer wanted. */
	void	(*abort)(void *arg);
	/* Hand over; the answer comes by session_committed(). -1: impossible. */
	int	(*commit)(void *arg, const struct session_message *);
	/* Does this recipient exist?  The answer comes by session_verified()
	 * with the number returned here.  0: nobody can be asked. */
	uint64_t	(*verify)(void *arg, struct span address, enum tls_wish);
	/* The queue has it and the client gets its 250: log line and facts. */
	void	(*accepted)(void *arg, const struct session_message *);
	/* The session is more than a knock: once, at its first MAIL, or at
	 * session_end() after an EHLO. */
	void	(*met)(void *arg);
	void	(*rejected)(void *arg, struct span reply);
	void	(*abuse)(void *arg, const char *kind);
	/* One more.  False: that was too many, and the owner has said so. */
	bool	(*count)(void *arg, enum session_count);
	/* Could a handshake be made now?  No while the keys process is away. */
	bool	(*tls_ready)(void *arg);
};

/* Read-only for the owner. */
struct session {
	const struct session_ops *ops;
	void			*arg;
	const struct conf	*conf;
	const struct conf_listen *listen;
	struct addr		 client;
	const struct conf_client *rules;	/* of its network; NULL: none */
	char			 id[ID_SIZE];

	enum session_state	 state;
	bool			 ehlo;		/* EHLO, not HELO */
	char			 helo[SMTP_HELO_MAX + 1];
	bool			 secured;
	struct tls_facts	 tls;
	bool			 met;
	bool			 waiting;	/* a line waits: for room on the queue's
						   link, or for replies ahead of its own */
	bool			 committing;	/* commit() was called */
	unsigned		 errors, chatter;
	unsigned		 progress;	/* changes: the deadline starts anew */

	struct smtp_lines	 lines;
	struct buf		 out;		/* replies not yet sent */
	bool			 mute;		/* send() failed: nothing more is said */
	STAILQ_HEAD(, session_ask) asks;	/* of RCPTs, in their order */
	unsigned		 nasks;
	struct smtp_xforward	*forward;	/* of the next message; NULL: nothing */
	struct session_message	 msg;
	struct smtp_data	 data;
	struct smtp_header	 header;	/* of the message that comes in */
	size_t			 received;	/* bytes of our own field on top */
	bool			 whole;		/* it lacks no field now */
	struct session_chunk	 chunk;
	uint64_t		 taken, mark;	/* octets of bodies; at the last progress */
	struct fault		 failure;	/* why this message will be refused */
};

/* `conf` and `listen` are borrowed.  Says the greeting, or wants SESSION_TLS
 * first. */
void	session_start(struct session *, const struct session_ops *, void *arg,
	    const struct conf *, const struct conf_listen *,
	    const struct addr *client);
/* The client is gone, or will be: says nothing, frees. */
void	session_end(struct session *);

/* Returns how many bytes are done with. */
size_t	session_input(struct session *, struct span);
enum session_want	session_wants(const struct session *);
/* It is our turn: the client waits for us, or would if it knew. */
bool	session_owes(const struct session *);
/* Between transactions: may be ended by session_shut(). */
bool	session_idle(const struct session *);
/* An answer of the queue is open: the session must stay although its client
 * has left, so that what was accepted is logged. */
bool	session_open_commit(const struct session *);

void	session_secured(struct session *, const struct tls_facts *);
void	session_spooled(struct session *, const struct fault *); /* NULL: go on */
void	session_committed(struct session *, int code, struct span enhanced,
	    struct span text);
/* Code 250, 550, or 451: it is not known now.  An unknown number is ignored. */
void	session_verified(struct session *, uint64_t number, int code,
	    struct span dsn);
/* The queue's process is gone, and with it what was not answered. */
void	session_queue_lost(struct session *);
void	session_timeout(struct session *);	/* 421 4.4.2, closes */
void	session_shut(struct session *);		/* 421 4.3.2, closes */

/* How long the client may take for its next step, ms. */
uint64_t	session_patience(const struct session *);

/* How this hop is protected.  In clear, NOT_OFFERED says that the listener has
 * no TLS, NONE that the client did not ask for it. */
enum level	session_reached(const struct session *);
enum how	session_how(const struct session *);

#endif
