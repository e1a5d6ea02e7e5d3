/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/courier.h - takes jobs through hosts until every recipient has its
 * outcome: waits for a free connection, follows the ladder, reads verdicts,
 * keeps connections for the next message.
 *
 * Knows the loop and channels, not the queue: outcomes and facts go out by
 * callbacks, so that tests drive it with a fake clock and scripted peers. */
#ifndef RELAY_COURIER_H
#define RELAY_COURIER_H

#include "base/conf.h"
#include "base/finding.h"
#include "relay/job.h"
#include "relay/pool.h"
#include "relay/tickets.h"

#define COURIER_SESSIONS	500	/* connections of one process */

struct courier_ops {
	/* Every recipient is decided; the job is the caller's again. */
	void	(*decided)(void *arg, struct job *);
	/* A connection's TLS state is settled. */
	void	(*session)(void *arg, const struct job *, const struct session *);
	/* STARTTLS failed on this connection, in this way; it is tried again. */
	void	(*again)(void *arg, const struct job *, const struct session *,
		    enum how);
	/* TLS, or the level that is asked, is not to be had on this connection,
	 * all ways tried; nothing is sent on it.  `reason`: a sentence. */
	void	(*lost)(void *arg, const struct job *, const struct session *,
		    enum finding, const char *reason);
	/* These recipients (equal status and dsn, first is an example) got
	 * their outcome over this hop. */
	void	(*delivered)(void *arg, const struct job *, const struct hop *,
		    const struct job_rcpt *first, unsigned n);
	/* TLS is up; the level is encrypted so far.  Has the host proven what
	 * its route asks?  True may raise s->level and sets s->hop.how to fit;
	 * false says why not in s->fault. */
	bool	(*authenticate)(void *arg, struct session *,
		    const struct route *, const struct route_host *);
	/* Draining, and nothing is being sent any more. */
	void	(*idle)(void *arg);
};

struct courier_setup {
	struct loop		*loop;
	const struct courier_ops *ops;
	void			*arg;
	const struct conf	*conf;		/* from where, as whom */
	struct client_setup	 client;	/* name and starttls are filled in */
	const char		*probe_sender;	/* where the null one is refused */
	uint64_t		 connect_ms;
	struct tls_creds	*creds;
	unsigned		 sessions;	/* most at once */
};

struct courier {
	struct courier_setup	 setup;
	struct pool		 pool;
	struct tickets		 tickets;	/* of TLS sessions that ended */
	struct job		*first, *last;	/* waiting */
	unsigned		 nsessions;	/* open, idle ones too */
	unsigned		 nsending;	/* jobs */
	bool			 draining, pumping;
};

int	courier_init(struct courier *, const struct courier_setup *);
/* For what is started from now on. */
void	courier_adopt(struct courier *, const struct courier_setup *);
/* Now or when its turn comes.  decided() may run before it returns. */
void	courier_take(struct courier *, struct job *);
/* Forget a job that waits; false if it is not waiting. */
bool	courier_drop(struct courier *, struct job *);
/* Start nothing new; idle connections close; idle() when all is done. Jobs that
 * wait stay where they are: the queue has no outcome and offers them again. */
void	courier_drain(struct courier *);
/* Idle connections quit.  Jobs must be gone, or freed after it with
 * courier_abort() each. */
void	courier_close(struct courier *);
void	courier_abort(struct courier *, struct job *);

#endif
