/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/replay/relay/play.h - what the files of this player share: the state of
 * the script at hand, its acts and its expectations. */
#ifndef TESTS_REPLAY_RELAY_PLAY_H
#define TESTS_REPLAY_RELAY_PLAY_H

#include "base/envelope.h"
#include "relay/courier.h"
#include "tests/replay/relay/world.h"
#include "tests/replay/script.h"

#define SECOND	1000u
#define JOBS_MAX	8
#define RCPTS_MAX	64
#define LOST_MAX	64

struct told {
	const struct job *job;
	size_t		 rcpt;
	struct hop	 hop;
};

struct play {
	struct conf	 conf;
	struct courier	 courier;
	struct route	 route;		/* template */
	struct {
		char	*address, *orcpt;
		uint8_t	 notify;
	} rcpts[RCPTS_MAX];
	size_t		 nrcpts;
	bool		 tls_failed, probe;
	enum level	 proven;
	uint64_t	 size;
	struct buf	 body;
	bool		 as_file;
	unsigned	 flags;
	char		 sender[256], envid[128];
	struct job	*jobs[JOBS_MAX];
	size_t		 njobs;
	struct channel	*wire;		/* at hand */
	struct told	 told[RCPTS_MAX * JOBS_MAX];
	size_t		 ntold;
	struct {
		enum finding finding;
		char	 addr[ADDR_TEXT_SIZE];
	}		 lost[LOST_MAX];
	size_t		 nlost, lost_at;
	unsigned	 nagain;
};
extern struct play play;

/* words.c */
struct span	word(struct span *rest);	/* cut off */
char	*text_of(struct span);			/* allocated */
bool	is(struct span, const char *);
struct span	plain(struct span, char *out);	/* unescape() into `out` */

/* job.c: what a job is, and its start */
void	act_host(const char *), act_rcpt(const char *), act_set(const char *),
	    act_job(const char *);

/* peer.c: what peers do, and see of us */
void	quiet(void);		/* nothing was sent that nobody expected */
void	act_connect(const char *), act_wire(const char *),
	    act_count(const char *), act_server_line(const char *),
	    act_server_bytes(const char *), act_server_repeat(const char *), act_server_fill(const char *),
	    act_client_line(const char *), act_client_skip(const char *),
	    act_tls(const char *), act_sni(const char *),
	    act_resume(const char *), act_ticket(const char *),
	    act_source(const char *), act_close(const char *),
	    act_reset(const char *), act_closed(const char *),
	    act_open(const char *), act_drain(const char *),
	    act_pass(const char *);

/* wants.c: what came of it */
void	act_duty(const char *), act_outcome(const char *),
	    act_found(const char *), act_jobend(const char *),
	    act_lost(const char *), act_again(const char *),
	    act_pending(const char *);

#endif
