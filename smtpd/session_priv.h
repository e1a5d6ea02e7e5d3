/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/session_priv.h - what the files of the session share. */
#ifndef SMTPD_SESSION_PRIV_H
#define SMTPD_SESSION_PRIV_H

#include "smtpd/session.h"

/* Something of a body may be kept. */
#define ST_BODY	(ST_DATA | ST_CHUNK | ST_BDAT | ST_SPOOL | ST_COMMIT)

/* Read on behind the size limit so far, for the reply's sake; then hang up. */
#define BODY_EXCESS_MAX	(16u * 1024 * 1024)

/* ---- replies (session.c) ---- */

/* `enhanced` "" where RFC 2034 has none.  The text is ours alone: nothing that
 * a client said is said back. */
void	session_reply(struct session *, int code, const char *enhanced,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same for 4xx and 5xx to a command; counts it, and answers 421 instead
 * when there were too many. */
void	session_refuse(struct session *, int code, const char *enhanced,
	    const char *text);
/* The network has had enough: 421, close. */
void	session_enough(struct session *);
/* An attack or a protocol that is not SMTP: reply, event, close. */
void	session_abuse(struct session *, int code, const char *enhanced,
	    const char *text, const char *kind);
/* One more command that leads nowhere.  True: it was one too many, and the
 * session is closed. */
bool	session_too_chatty(struct session *);
void	session_forget_message(struct session *);
void	session_flush(struct session *);
/* May it send to anywhere: has the listener's relay-from its address? */
bool	session_may_relay(const struct session *);

/* ---- commands (commands.c) ---- */

/* One line; `behind` bytes came after it. False: the line is not done with,
 * there must be room on the queue's link first. */
bool	session_command(struct session *, struct span line, size_t behind);
/* The lines of the reply to EHLO behind the first. */
void	session_announce(struct session *);
/* The reply to HELP. */
void	session_help(struct session *);
void	session_too_long(struct session *);

/* ---- recipients (verb_rcpt.c) ---- */

/* This RCPT must wait: for replies ahead of its own, or for room on the
 * queue's link. */
bool	session_rcpt_waits(const struct session *, struct span arg);
void	session_unverified(struct session *);	/* no answer will come */
void	session_forget_asks(struct session *);

/* ---- the body (body.c) ---- */

/* What one piece of the body adds to what is kept, at most: line ends double,
 * and Received: may come on top. */
#define SESSION_PIECE_MAX	(12u * 1024)

/* A message begins, behind DATA or the first BDAT.  -1: there is no queue. */
int	body_begin(struct session *, bool chunked);
/* In ST_DATA and ST_CHUNK; returns how many bytes were of the body. */
size_t	body_input(struct session *, struct span);
/* Where to go with what has come so far. */
void	body_settle(struct session *);
void	body_commit(struct session *);		/* in ST_COMMIT: try to */
/* This message will be refused, with the first reason given; what was kept of
 * it is freed. */
void	body_fail(struct session *, enum fault_class, int code,
	    const char *enhanced, const char *text);

/* ---- chunks (chunk.c) ---- */

/* BDAT with this argument is refused, once its octets have come. */
enum session_state	chunk_refuse(struct session *, struct span arg,
			    struct session_refusal);
/* All octets of the current chunk have come and are settled. */
void	chunk_done(struct session *);

#endif
