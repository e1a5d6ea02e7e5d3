/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtpd/rig.h - the role between a queue, a ledger and a parent that
 * the test plays, taking mail from a client on loopback. */
#ifndef TESTS_UNIT_SMTPD_RIG_H
#define TESTS_UNIT_SMTPD_RIG_H

#include <check.h>

#include "smtpd/smtpd.h"
#include "smtpd/smtpd_priv.h"
#include "tests/unit/tls/fixture.h"

#define RIG_START	"EHLO c.test\r\nMAIL FROM:<a@c.test> BODY=8BITMIME\r\n"	\
		"RCPT TO:<b@example.org>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n"

struct rig {
	int		 keys[2];	/* our end of its keys socket, and keys' */
	struct fix	 fix;		/* loop and credentials */
	struct conf	 conf;
	struct conf_listen listen;
	struct conf_accept accept;
	struct addr	 at;
	struct role_env	 env;
	struct link	*queue, *ledger, *parent;	/* the far ends */
	bool		 (*done)(struct rig *);

	/* the client */
	struct channel	*chan;
	struct buf	 got;
	const char	*until;
	bool		 connected, secured, ended;
	struct loop_timer *drip;

	/* what the far ends were told */
	uint64_t	 txn, size, bytes;
	unsigned	 begins, rcpts, commits, aborts, opens;
	unsigned	 sessions, deliveries, drained;
	bool		 in_file, eight;
	struct buf	 body;
	int		 file;		/* ours of the one handed out */
	char		 sender[64], helo[64], version[16];
	char		 from_helo[64], from_ip[64];	/* by the delivery */
	const char	*origin;	/* that the queue must be told */
	unsigned	 reached, how;
};

/* With a client that has heard the greeting.  There is one at a time. */
struct rig	*rig_open(void);
void	rig_close(struct rig *);

/* Runs the loop until `done`; fails the test after 20 s. */
void	rig_run(struct rig *, bool (*done)(struct rig *));
/* Something has happened that `done` may have waited for. */
void	rig_progress(struct rig *);
void	rig_pass(struct rig *, uint64_t ms);

bool	rig_is_committed(struct rig *);
bool	rig_is_delivery_told(struct rig *);
bool	rig_is_ended(struct rig *);
bool	rig_is_opened(struct rig *);
bool	rig_is_aborted(struct rig *);
bool	rig_is_drained(struct rig *);
bool	rig_is_secured(struct rig *);

/* A new connection; quietly: of which nothing is heard yet. */
void	rig_call(struct rig *);
void	rig_call_quietly(struct rig *);
/* Says `words`, then reads until `reply`, unless NULL, is among what was said. */
void	rig_talk(struct rig *, const char *words, const char *reply);
/* The end of the message, as far as the queue's MSG_COMMIT. */
void	rig_hand_over(struct rig *, const char *body);
/* The queue's answer to it. */
void	rig_answer(struct rig *, unsigned code);
void	rig_new_queue(struct rig *);
/* The only one that the role has. */
struct client	*rig_client(struct rig *);

int	rig_suite(const char *name, const TTest *const *tests, size_t n);

#endif
