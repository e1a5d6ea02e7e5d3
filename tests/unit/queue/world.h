/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/world.h - a queue role between a fake smtpd, policy and
 * relays, all in one loop over real links, with a spool in a directory of its
 * own that goes when the test ends. */
#ifndef TESTS_QUEUE_WORLD_H
#define TESTS_QUEUE_WORLD_H

#include <check.h>

#include "base/envelope.h"
#include "base/role.h"
#include "queue/queue_priv.h"

#define WORLD_JOBS	4096
#define WORLD_RELAYS	2
#define WORLD_ASKS	(QUEUE_ASKS + 8)
#define WORLD_VERIFIED	64

enum answer { SAY_SENT, SAY_DEFERRED, SAY_FAILED, SAY_NOTHING };

struct seen_job {
	uint64_t	job;
	unsigned	relay;
	char		id[ID_SIZE];
	char		sender[321];
	char		first[321];	/* first recipient */
	uint32_t	nrcpts;
	bool		tls_failed, probe;
	char		probed[800];	/* of a probe: each, a space behind it */
	uint16_t	flags;
	char		envid[ENVELOPE_ENVID_MAX + 1];
	char		orcpt[ENVELOPE_ORCPT_MAX + 1];	/* of the first */
	uint8_t		notify;
	uint64_t	size, got;	/* announced; bytes of body seen */
	char		*body;		/* inline, C string; NULL from a file */
	uint32_t	index[QUEUE_BATCH_MAX];
};

struct world {
	char		 dir[64];
	struct conf	 conf;
	struct role_env	 env;
	struct loop	*loop;
	struct loop_timer *poll;
	struct link	*smtpd, *policy, *relay[WORLD_RELAYS + 1];
	bool		 policy_mute;

	/* smtpd: what messages ask for, and each of their recipients */
	uint16_t	 flags;
	const char	*envid, *orcpt;
	uint8_t		 notify;
	unsigned	 committed, refused;
	uint16_t	 code;		/* of the last answer */
	int		 opened_fd;
	struct {
		uint64_t txn;
		uint16_t code;
		char	 dsn[12];
	}		 verified[WORLD_VERIFIED];	/* the last ones */
	unsigned	 nverified;
	void		(*answered)(struct world *, uint64_t txn,
			    uint16_t code);	/* to a commit; NULL: nobody */

	/* policy */
	unsigned	 asks;
	struct {
		uint64_t txn;
		char	 domain[256];
		uint8_t	 wish;
	}		 asked[WORLD_ASKS];	/* the first ones */
	/* relay */
	enum answer	 say;
	const char	*reply;
	bool		 say_tls_failed, say_trouble;
	bool		 say_dsn_passed, say_final;
	const char	*say_dsn;	/* of what fails; NULL: 5.1.1 */
	const char	*silent;	/* says nothing to this domain's mail */
	unsigned	 acks;
	struct seen_job	 jobs[WORLD_JOBS];
	size_t		 njobs;
};

struct world	*world_new(void);
void	world_free(struct world *);
void	world_tempdir(char out[64]);
void	world_remove(const char *dir);
void	world_start(struct world *);	/* a queue process */
struct world *world_started(void);	/* a new one, with its first relay */
void	world_stop(struct world *);	/* it ends; the spool stays */
void	world_link(struct world *, enum role, unsigned index);
void	world_cut(struct world *, enum role, unsigned index);
void	world_register(struct world *, unsigned relay);

struct queue	*world_queue(struct world *);
/* Until `done` or 15 s; fails the test then. */
void	world_until(struct world *, bool (*done)(struct world *));
void	world_wait(struct world *, uint64_t ms);
/* For that. */
bool	world_empty(struct world *);		/* no message is left */
bool	world_one_committed(struct world *);	/* or more */
bool	world_one_refused(struct world *);
bool	world_one_job(struct world *);
bool	world_two_jobs(struct world *);
bool	world_one_ack(struct world *);

/* A message from a@client.example; recipients are separated by spaces. */
void	world_send(struct world *, uint64_t txn, const char *id,
	    const char *sender, const char *rcpts, const char *body);
void	world_begin(struct world *, uint64_t txn, const char *id,
	    const char *sender, const char *rcpts);
void	world_outcome(struct world *, const struct seen_job *, enum answer);
/* A request to the control socket, or several, a line each, over one connection
 * of their own; the answers' lines as text. */
const char	*world_ask(struct world *, const char *request);
unsigned	 world_lines(const char *);
void	world_id(unsigned n, char out[ID_SIZE]);
const char *world_name(unsigned n);	/* the same; good for four calls */
/* Such a message, to r@dest.example and in no index; for message_unref(). */
struct message	*world_message(const char *sender, const char *client,
		    uint64_t arrived);
/* Policy's answer to an ask that it was mute on. */
void	world_route(struct world *, uint64_t txn, struct span domain);

#endif
