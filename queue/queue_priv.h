/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/queue_priv.h - the role's state and how its files call each other.
 *
 *	intake.c	messages come in from smtpd
 *	store.c		index and spool together: replay, places, bodies
 *	carry.c		messages as records once more: leaving old segments
 *	checkpoint.c	all of them as records, so that a start is quick
 *	route.c		recipient domains ask policy
 *	batch.c		a message's recipients, grouped by where they go
 *	site.c		how much may be under way to each site, and whose turn it is
 *	flow.c		fairness inside a site, between clients and senders
 *	dispatch.c	jobs to relays and what comes back
 *	outcome.c	what an outcome does to a message: record, end
 *	notify.c	what its sender is told of that, and when
 *	select.c	which recipients an operator means
 *	operate.c	what is done to them
 *	pick.c		the messages that a request means
 *	listing.c	the control socket: requests, walks over many messages
 *	export.c	messages go to a stream (queue/transfer.h)
 *	import.c	and come from one
 *	show.c		a message, its body, as JSON
 *	damaged.c	what is left of damaged segments
 *	verify*.c	which recipients exist
 *	shares.c	limits of networks, from smtpd to smtpd
 *	queue.c		the role: handlers, timer, start and end
 */
#ifndef QUEUE_QUEUE_PRIV_H
#define QUEUE_QUEUE_PRIV_H

#include <sys/queue.h>

#include "base/control.h"
#include "base/outcome.h"
#include "base/role.h"
#include "queue/index.h"
#include "queue/schedule.h"
#include "queue/select.h"
#include "queue/spool.h"

#define QUEUE_BATCH_MAX		100	/* recipients of one job */
#define QUEUE_BATCH_BYTES	61440	/* of them in JOB, as in messages.def */
#define QUEUE_ASKS		512	/* domains that policy works on at once */
#define QUEUE_ASKERS		256	/* lines in which they wait for it */
#define QUEUE_JOBS_PER_RELAY	1000
#define QUEUE_GRACE_MS		1000	/* a routed recipient waits so long for others */
#define QUEUE_SHARE_MS		5000	/* an answer of policy is shared so long */
#define QUEUE_STALE_MS		30000	/* and asked again when a batch waited longer */
#define QUEUE_LOST_MS		5000	/* pause after a relay was lost */
#define QUEUE_REPORT_MS		20000	/* a report waits so long for other recipients */
#define QUEUE_REGISTER_MS	5000	/* wait at most so long for missing relays */

/* An answer of policy that says go. */
struct route {
	unsigned	 refs;
	bool		 discard;
	uint8_t		 asked;		/* enum level at the first host */
	uint32_t	 connections;
	uint64_t	 site, identity;
	uint64_t	 at;		/* steady ms */
	char		 name[256];	/* of the site, for people */
	size_t		 n;
	char		 bytes[];	/* encoded ROUTE */
};

struct waiter {
	TAILQ_ENTRY(waiter)	 link;
	struct message		*message;
};
TAILQ_HEAD(waiters, waiter);
struct site;
TAILQ_HEAD(sites, site);

enum domain_state { DOMAIN_IDLE, DOMAIN_WANTS, DOMAIN_ASKED };

/* Where to, for messages of one wish. */
struct domain {
	struct table_link	 link;
	TAILQ_ENTRY(domain)	 line;	/* of those that want to ask, or expire */
	struct waiters		 waiters;
	struct sites		 sites;	/* that wait for a newer answer */
	enum domain_state	 state;
	uint16_t		 asker;		/* in whose line it waits */
	bool			 answered, ready;
	STAILQ_ENTRY(domain)	 ready_link;
	uint64_t		 at;	/* of the answer, steady ms */
	struct route		*route;	/* NULL: */
	struct result_text {
		uint16_t code;
		char	 dsn[12];
		char	 text[241];
	}			 refusal;
	uint8_t			 wish;	/* enum tls_wish of the messages */
	size_t			 n;
	char			 name[];
};
TAILQ_HEAD(domains, domain);

/* Domains that want to be asked for.  Each flow has its line (some share one),
 * and the lines take turns: 100,000 domains of one mailing, behind a resolver
 * that is slow, must not stand before the one domain of somebody else. */
struct asker {
	struct domains		 line;
	size_t			 n;
	TAILQ_ENTRY(asker)	 ring;		/* while the line is not empty */
};
TAILQ_HEAD(askers, asker);

/* Recipients of one message that travel together; a job once a relay has it. */
struct batch {
	struct table_link	 link;		/* by job number */
	TAILQ_ENTRY(batch)	 line;		/* of the site, or of the relay */
	uint64_t		 job;		/* 0: not given out */
	unsigned		 relay;
	uint32_t		 era;		/* of the site when it was given out */
	struct site		*site;
	struct message		*message;
	struct route		*route;		/* NULL: registered by a relay */
	bool			 tls_failed;
	uint32_t		 bytes;		/* that they take in JOB */
	uint32_t		 n, size;
	uint32_t		 index[];
};
TAILQ_HEAD(batches, batch);

/* A message that waits for the routes of further recipients. */
struct grace {
	TAILQ_ENTRY(grace)	 link;
	struct message		*message;
	uint64_t		 until;		/* steady ms */
};
TAILQ_HEAD(graces, grace);

/* What one client sends as one sender waits here for a site.  There is one
 * only while something waits. */
struct flow {
	struct table_link	 link;
	TAILQ_ENTRY(flow)	 ring;		/* of the site */
	uint64_t		 key;		/* flow_key() */
	struct site		*site;
	struct batches		 line;
};
TAILQ_HEAD(flows, flow);

struct site {
	struct table_link	 link;
	TAILQ_ENTRY(site)	 ring, waiting;
	bool			 in_ring;
	uint64_t		 id;
	struct flows		 flows;		/* the first one's turn is next */
	unsigned		 running, cap;
	double			 limit;
	uint32_t		 era;		/* so often it was shrunk */
	unsigned		 troubles;	/* in a row */
	unsigned		 blocks;	/* in a row */
	uint64_t		 blocked_until;
	uint64_t		 used;		/* steady ms */
	struct domain		*waits;		/* a stale route is asked again */
	char			 last[256];	/* words of the last trouble */
};

struct relay {
	bool			 registered;
	unsigned		 njobs;
	struct batches		 jobs;
};

LIST_HEAD(txns, txn);

struct verify;

struct queue {
	struct role_env		*env;
	struct loop		*loop;
	const struct conf	*conf;
	struct spool		*spool;
	struct schedule		 schedule;
	struct index		 index;
	struct loop_timer	*tick;
	uint64_t		 started, kept_house;
	bool			 gate;		/* dispatching is allowed */
	bool			 pump_again;	/* it had its share of this tick */
	bool			 draining, drained;

	struct table		 domains;
	struct domains		 fading;
	struct asker		 askers[QUEUE_ASKERS];
	struct askers		 asking;	/* those with a line */
	STAILQ_HEAD(, domain)	 ready;
	bool			 delivering;
	struct domain		*asks[QUEUE_ASKS];
	uint16_t		 free_asks[QUEUE_ASKS];
	unsigned		 nfree_asks;
	uint64_t		 ask_round;
	uint64_t		 routes_from;	/* older answers do not count */

	struct graces		 grace;	/* the first one's time is next */

	struct table		 sites, flows;
	size_t			 sites_at;	/* where site_expire() goes on */
	struct sites		 ring;
	struct table		 jobs;
	uint64_t		 next_job;
	struct relay		 relays[ROLE_INSTANCES + 1];

	struct table		 txns;
	struct txns		 links[ROLE_INSTANCES + 1];
	struct txns		 orphans;	/* their smtpd is gone */

	struct verify		*verify;
	struct {
		bool			 running;
		struct index_cursor	 cursor;
	}			 checkpoint;

	struct control		*control;
	LIST_HEAD(, import)	 imports;
	struct buf		 record, body;	/* scratch */
};

static inline uint64_t
queue_now(const struct queue *q)
{
	return loop_now(q->loop);
}
void	queue_wake(struct queue *);		/* something is due */

/* ---- store.c ---- */
extern const struct spool_io *store_io;	/* for tests */
int	store_open(struct queue *, struct fault *);
void	store_close(struct queue *);
/* Sets the message's time from its recipients'. */
void	store_schedule(struct queue *, struct message *);
/* Where the body is: inline bytes in q->body, or a read-only descriptor. */
/* Of a message whose commit failed. */
void	store_forget_file(struct queue *, const struct message *);
int	store_body(struct queue *, const struct message *, struct span *body,
	    int *fd, struct fault *);
/* The message, or its beginning when it is large; `mem` holds it. */
int	store_original(struct queue *, const struct message *, struct buf *mem,
	    struct span *original, bool *whole);
/* Out of index and spool, without a word to anybody. */
void	store_drop(struct queue *, struct message *);

/* ---- carry.c ---- */
/* What is known of a recipient now; the texts are the message's. */
void	carry_change(struct queue *, const struct message *, uint32_t index,
	    struct record_change *);
/* The message as it is now, up to its body, of which only the length counts.
 * 0 or -1: no memory. */
int	carry_message(struct queue *, const struct message *, struct span body,
	    struct buf *head);
/* The same for some of its recipients, n in `list` by record_put_rcpt(). */
int	carry_head(struct queue *, const struct message *, struct span body,
	    uint32_t n, struct span list, struct buf *head);
/* The recipient as it is now, to be number `as` of a list. */
void	carry_rcpt(struct queue *, const struct message *, uint32_t index,
	    uint32_t as, struct buf *list);
void	carry_house(struct queue *);		/* carries what is old */

/* ---- checkpoint.c ---- */
void	checkpoint_turn(struct queue *);	/* each tick */
void	checkpoint_stop(struct queue *);

/* ---- intake.c ---- */
void	intake_spool_open(struct role_env *, struct link *, struct ipc_msg *);
void	intake_begin(struct role_env *, struct link *, struct ipc_msg *);
void	intake_rcpts(struct role_env *, struct link *, struct ipc_msg *);
void	intake_commit(struct role_env *, struct link *, struct ipc_msg *);
void	intake_abort(struct role_env *, struct link *, struct ipc_msg *);
void	intake_lost(struct queue *, unsigned smtpd);
void	intake_free_all(struct queue *);

/* ---- route.c ---- */
void	route_init(struct queue *);
void	route_message(struct queue *, struct message *);	/* it is due */
void	route_answer(struct role_env *, struct link *, struct ipc_msg *);
void	route_ask_more(struct queue *);
void	route_policy_lost(struct queue *);
void	route_renew(struct queue *);	/* all are asked for anew */
void	route_expire(struct queue *);
void	route_free_all(struct queue *);
/* From an answer that says go; NULL: no memory. */
struct route	*route_make(struct queue *, const struct ipc_route *);
struct route	*route_ref(struct route *);
void	route_unref(struct route *);
/* A domain of that message with an answer not older than `age`, or with one
 * on its way. */
struct domain	*route_domain(struct queue *, const struct message *,
		    struct span name, uint64_t age, bool *fresh);

/* ---- batch.c ---- */
void	batch_message(struct queue *, struct message *);	/* group and queue */
void	batch_grace(struct queue *);		/* those that waited enough */
void	batch_forget(struct queue *, struct message *);	/* it is dropped */
struct batch	*batch_new(struct message *, struct route *, uint32_t size);
void	batch_free(struct batch *);		/* not in any line or table */

/* ---- flow.c ---- */
/* Equal for messages that share a turn: same client, same sender. */
uint64_t	flow_key(const struct message *);
/* To the end of its flow's line.  -1: no memory. */
int	flow_add(struct queue *, struct site *, struct batch *);
/* The batch whose turn it is, or NULL. */
struct batch	*flow_first(const struct site *);
/* Takes that one out; the turn passes to the next flow. */
void	flow_take(struct queue *, struct site *);
void	flow_free_all(struct queue *, struct site *);

/* ---- site.c ---- */
struct site	*site_get(struct queue *, uint64_t id, unsigned cap);
void	site_add(struct queue *, struct batch *);	/* to its line */
void	site_ready(struct queue *, struct site *);
/* What an attempt of `era` says of the site. */
void	site_outcome(struct queue *, struct site *, uint32_t era, bool trouble,
	    struct span words);
void	site_done(struct queue *, struct site *);	/* one job less */
void	site_unblock_all(struct queue *);
void	site_wait(struct queue *, struct site *, struct domain *);
void	site_woken(struct queue *, struct domain *);	/* it was answered */
void	site_expire(struct queue *);
void	site_free_all(struct queue *);

/* ---- dispatch.c ---- */
void	dispatch_pump(struct queue *);
/* The site's own relay, or the next one with room; 0: none. */
unsigned	dispatch_relay(const struct queue *, uint64_t site);
void	dispatch_outcome(struct role_env *, struct link *, struct ipc_msg *);
void	dispatch_running(struct role_env *, struct link *, struct ipc_msg *);
void	dispatch_registered(struct role_env *, struct link *, struct ipc_msg *);
void	dispatch_relay_lost(struct queue *, unsigned relay);
void	dispatch_gate(struct queue *);
void	dispatch_free_all(struct queue *);

/* ---- outcome.c ---- */
struct result {
	uint32_t		index;
	enum outcome_status	status;
	struct span		dsn, reply, mx;
	bool			dsn_passed, final;	/* as in messages.def */
};
struct outcome_about {
	const struct route	*route;		/* NULL: unknown */
	bool			 tls_failed;
	bool			 more;		/* of this event follow */
	bool			 ack;
	unsigned		 relay;
	uint64_t		 job;
};
/* Records and applies; the message may be gone afterwards (hold a reference
 * to look at `dead`). */
void	outcome_apply(struct queue *, struct message *, const struct result *,
	    size_t n, const struct outcome_about *);
void	outcome_ack(struct queue *, unsigned relay, uint64_t job);
/* The message's state into the log, as one: changes, a report about them, and
 * the END when it is done.  `report` and `about` may be NULL.  What is done
 * must leave the index then. */
void	outcome_write(struct queue *, struct message *,
	    const struct buf *changes, uint32_t nchanges,
	    const struct spool_part *report, const struct outcome_about *);
void	outcome_end(struct queue *, struct message *);	/* out of the index */
/* The line of the log for what no relay attempted. */
void	outcome_log(const struct message *, const struct result *);

/* ---- pick.c ---- */
struct pick {
	struct select		 select;	/* borrows from `request` */
	json_t			*request;
	const json_t		*ids;		/* NULL: by the cursor */
	size_t			 id_at;
	struct index_cursor	 cursor;
	json_t			*missing;	/* ids that are not here */
};
/* -1: the selection is none; pick_end() is due all the same. */
int	pick_begin(struct queue *, struct pick *, const json_t *request);
/* false at the end.  *m NULL: look for the next one. */
bool	pick_next(struct queue *, struct pick *, struct message **m);
void	pick_end(struct queue *, struct pick *);

/* ---- operate.c ---- */
enum operation { OPERATE_FLUSH, OPERATE_HOLD, OPERATE_RELEASE, OPERATE_DROP,
	OPERATE_BOUNCE };
struct operated {
	uint64_t	messages, recipients;	/* touched */
	uint64_t	busy;	/* recipients that a relay was sending to just then */
};
/* Does it to those recipients of the message that are picked, and counts.  The
 * message may be gone afterwards. */
void	operate(struct queue *, struct message *, enum operation,
	    const struct select *, struct operated *);

/* ---- show.c ---- */
json_t	*show_message(const struct queue *, const struct message *);
/* Answers with these bytes of a file, piece by piece; takes `fd`. */
void	show_file(struct control_client *, int fd, uint64_t from, uint64_t to);
json_t	*show_time(uint64_t wall_ms);
/* Answers with the body, piece by piece. */
void	show_body(struct queue *, struct control_client *, struct message *);

/* ---- shares.c ---- */
void	shares_used(struct role_env *, struct link *, struct ipc_msg *);
void	shares_smtpd_lost(struct queue *, unsigned smtpd);

/* ---- notify.c ---- */
/* What an outcome makes due for the sender. */
enum rcpt_due	notify_due(const struct message *, const struct rcpt *,
		    const struct result *, bool expired);
/* After outcomes: tells what may be told now.  The message may be gone. */
void	notify_settle(struct queue *, struct message *);
/* Its time has come. */
void	notify_take(struct queue *, struct message *);
/* Steady ms of that time, UINT64_MAX: never. */
uint64_t	notify_next(const struct queue *, const struct message *);

/* ---- damaged.c ---- */
void	damaged_list(struct queue *, struct control_client *, const json_t *);
void	damaged_show(struct queue *, struct control_client *, const json_t *);
void	damaged_forget(struct queue *, struct control_client *, const json_t *);

/* ---- export.c ---- */
void	export_begin(struct queue *, struct control_client *, const json_t *);

/* ---- import.c ---- */
void	import_request(struct queue *, struct control_client *, const json_t *);
void	import_gone(struct queue *, struct control_client *);
void	import_free_all(struct queue *);

/* ---- listing.c ---- */
/* A request that takes more than one turn of the loop; what it needs besides
 * stands behind this in a larger struct. */
struct walk {
	/* Answers, goes on, or ends it with control_done() or _error(): true. */
	bool	(*turn)(struct queue *, struct control_client *, struct walk *);
	void	(*end)(struct queue *, struct walk *);		/* frees it */
};
void	listing_walk(struct control_client *, struct walk *);	/* from now on */
extern const struct control_ops listing_ops;

#endif
