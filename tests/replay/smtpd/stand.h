/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/replay/smtpd/stand.h - the session of production on a stand: what
 * smtpd/client.c and smtpd/intake.c are to it, with a queue in memory that
 * does as it is told.  Replays, unit tests and the fuzz target use it. */
#ifndef TESTS_REPLAY_SMTPD_STAND_H
#define TESTS_REPLAY_SMTPD_STAND_H

#include "smtpd/session.h"

/* The time is always this. */
#define STAND_NOW	1767323045000u	/* 2026-01-02T03:04:05Z */
#define STAND_DATE	"Fri, 2 Jan 2026 03:04:05 +0000"	/* where TZ is UTC */

struct stand_answer {		/* code 0: none, until one is told */
	int		 code;
	char		 enhanced[12], text[240];
};

struct stand {
	/* Set before stand_start(). */
	struct conf	 conf;
	struct conf_listen listen;
	struct prefix	 relay_from;	/* 192.0.2.0/24 unless nrelay_from is 0 */
	struct conf_accept accept;	/* example.org */
	struct conf_client rules;	/* of all clients, see stand_rules() */
	char		 list[128];
	struct addr	 client;	/* 192.0.2.7 */

	/* What the queue does; may be changed at any time. */
	enum session_room room;
	bool		 no_spool;	/* spool_open fails */
	struct stand_answer spool, commit;
	/* What it answers about recipients; "no..." does not exist, "grey..."
	 * is not known now, "wait..." gets no answer before
	 * stand_answer_waiting(), "bare..." may not be asked with REQUIRETLS. */
	uint64_t	 last_question;
	enum tls_wish	 last_wish;
	struct { uint64_t number; int code; const char *dsn; bool wait; }
			 questions[64];
	unsigned	 nquestions, most_questions;
	int		 write_code;	/* 0: writing to the file works */
	bool		 send_fails;
	bool		 no_tls;	/* keys is away */
	unsigned	 may_count[3];	/* then the network has had enough */

	/* What came of it. */
	struct session	 s;
	struct buf	 in;		/* of the client, not yet taken */
	struct buf	 out;		/* to the client, since last reset */
	struct buf	 file;		/* the open spool file */
	struct buf	 body;		/* of the last message handed over */
	struct buf	 rcpts;		/* "a@b,c@d" */
	struct buf	 forwarded;	/* XFORWARD: its values, "-" for none */
	struct buf	 asked;		/* "hdrs QQ1 SD:rfc822;a@b -:-" */
	char		 sender[SMTP_MAILBOX_MAX + 1], id[ID_SIZE];
	uint16_t	 flags;
	bool		 in_file;
	uint64_t	 size;
	unsigned	 counted[3];	/* by enum session_count */
	unsigned	 commits, accepted, aborts, met, rejected, files;
	bool		 spool_open;	/* one is asked for, or there */
	char		 abuse[32];	/* the last kind, "" none */
	bool		 tls_asked;	/* handshake is due */
	bool		 closed, ended;
};

void	stand_init(struct stand *);
/* Before stand_start(), too: clients have to encrypt; only these recipients,
 * sorted and with commas between them, exist. */
void	stand_rules(struct stand *);
void	stand_list(struct stand *, const char *entries);
void	stand_start(struct stand *);
void	stand_feed(struct stand *, struct span);
void	stand_run(struct stand *);	/* something about the queue changed */
void	stand_verify(struct stand *);	/* recipients are asked for */
void	stand_answer_waiting(struct stand *);
void	stand_tls(struct stand *);	/* the handshake is done */
void	stand_queue_lost(struct stand *);
void	stand_end(struct stand *);	/* the client is gone; keeps what came of it */
void	stand_free(struct stand *);

#endif
