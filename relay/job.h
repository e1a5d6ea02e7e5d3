/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/job.h - one message for recipients that travel together, from the
 * queue's JOB_ROUTE and JOB until the queue has acknowledged the outcome. */
#ifndef RELAY_JOB_H
#define RELAY_JOB_H

#include "base/clock.h"
#include "base/envelope.h"
#include "base/id.h"
#include "base/ipc/ipc.h"
#include "base/outcome.h"
#include "relay/body.h"
#include "relay/ladder.h"
#include "relay/route.h"
#include "smtp/client.h"

struct session;
struct job_word;	/* texts that recipients share */

/* The connection that a recipient's log line and facts tell of. */
struct hop {
	char		 session[ID_SIZE];	/* "" before any connection */
	char		 mx[256];
	char		 addr[ADDR_TEXT_SIZE];
	bool		 local;			/* a socket of this machine */
	enum level	 asked, reached;	/* NONE: nothing was sent */
	enum why	 why;
	enum how	 how;
	struct tls_facts tls;
};
void	hop_init(struct hop *);

struct job_rcpt {
	uint32_t	 index;		/* queue's */
	struct span	 address;
	struct span	 orcpt;		/* as it came, "" not given */
	uint8_t		 notify;	/* enum notify */
	bool		 decided;
	bool		 again;		/* refused for want of room: what follows is
					   its verdict unless another round helps */
	bool		 batched;	/* in the transaction at hand */
	bool		 told;		/* to the ledger */
	enum outcome_status status;
	bool		 dsn_passed, final;	/* as in record outcome */
	char		 dsn[REPLY_ENHANCED_SIZE];
	const char	*reply, *mx;	/* in the job's words */
};

enum job_state {
	JOB_ROUTED,		/* the route came, the job did not yet */
	JOB_WAITING,		/* for a free connection */
	JOB_SENDING,
	JOB_DECIDED,		/* outcome not yet acknowledged */
};

struct job {
	uint64_t	 number;
	enum job_state	 state;
	struct job	*next;		/* in the table's chain */
	struct job	*wait_next;

	struct route	 route;
	char		 id[ID_SIZE];
	struct span	 sender, envid;
	uint16_t	 flags;		/* enum envelope_flag */
	/* Nothing is sent: queue wants to know which recipients exist.  The
	 * sender is null, and another one where that is refused. */
	bool		 probe, null_refused;
	uint64_t	 arrived;	/* wall ms */
	struct body	 body;
	struct job_rcpt	*rcpts;
	size_t		 nrcpts, nundecided;
	char		*mem;
	struct job_word	*words;

	/* of the delivery */
	struct session	*session;
	struct ladder	 ladder;
	struct ladder_step step;
	struct client_rcpt *batch;	/* of the transaction at hand */
	size_t		*batch_at;	/* and which recipients they are */
	size_t		 nbatch;
	bool		 next_host;	/* a reply sends the rest to another host */
	/* What stands for who is undecided when all was tried: TLS trouble
	 * before any other, since it is what the operator must know. */
	struct hop	 last;
	enum outcome_status last_status;
	bool		 last_is_tls;
	char		 last_dsn[REPLY_ENHANCED_SIZE];
	char		 last_text[REPLY_LINE_SIZE];

	/* for the queue */
	bool		 tls_failed_before, tls_worked;
	bool		 tls_failed, trouble;
};

struct job	*job_new(uint64_t number);		/* NULL: no memory */
void		 job_free(struct job **);

/* Decodes the route and puts equal hosts in an order of this job's own; -1: it
 * is none. */
int	job_route(struct job *, struct span encoded);
/* Copies all of the message; takes fd in every case.  -1: nonsense or no
 * memory. */
int	job_fill(struct job *, const struct ipc_job *, int fd);

/* The verdict for a recipient, final with `decided`. */
void	job_judge(struct job *, struct job_rcpt *, enum outcome_status,
	    const char *dsn, const char *reply, const char *mx);

/* A copy that lives as long as the job; "" without memory. */
const char	*job_keep(struct job *, const char *);

/* The batch: recipients without verdict, as many as the host takes at once
 * (RFC 9422), and of those that need SMTPUTF8 none together with others where
 * the host lacks it.  -1: no memory. */
int	job_batch(struct job *, const struct ehlo *);
/* Who was refused for want of room may be asked again. */
void	job_again(struct job *);
/* Somebody without verdict was not in the batch. */
bool	job_has_more(const struct job *);

/* Domain of an address, for the log; "" without one. */
struct span	job_domain(struct span address);

/* The JOB_OUTCOME, its list of outcomes put into `mem` (which it points into).
 * Long replies are cut so that all recipients fit one frame.  -1: no memory. */
int	job_outcome(const struct job *, struct buf *mem, struct ipc_job_outcome *);
/* The JOB_RUNNING, likewise. */
int	job_running(const struct job *, struct buf *mem, struct ipc_job_running *);

#endif
