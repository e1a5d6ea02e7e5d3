/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/verify_priv.h - what verify.c and verify_probe.c share. */
#ifndef QUEUE_VERIFY_PRIV_H
#define QUEUE_VERIFY_PRIV_H

#include "base/envelope.h"
#include "queue/queue_priv.h"
#include "queue/verify.h"
#include "queue/verify_cache.h"

#define VERIFY_ASKS	20000	/* questions of smtpd that wait */
#define VERIFY_PROBES	5000	/* addresses that are asked for */
#define VERIFY_WAIT_MS	30000	/* then smtpd is told to try later */
#define VERIFY_DOWN_MS	15000	/* a next hop in trouble is left alone so long */
#define VERIFY_JOBS	100	/* probes under way */
#define VERIFY_JOBS_HOP	5	/* to one domain */
/* Recipients of one probe: many hosts slow down after ten refusals. */
#define VERIFY_BATCH	10
#define VERIFY_ROUTES	128	/* domains that policy is asked for at once */
/* Routes asked for here and in route.c share the link. */
#define VERIFY_SLOT	0x8000u

struct verify_question {
	TAILQ_ENTRY(verify_question) line, by_time;
	unsigned		 smtpd;
	uint64_t		 txn;
	uint64_t		 until;
	struct verify_probe	*probe;
};
TAILQ_HEAD(verify_questions, verify_question);

/* Who is asked for, and how the question may travel: whom a message that goes
 * by REQUIRETLS is for is part of it (RFC 8689 sec 4.2.1). */
struct verify_whom {
	struct span	 address;
	uint32_t	 hop;		/* whom the configuration names, see hop_of() */
	enum tls_wish	 wish;
};

struct verify_probe {
	struct table_link	 link;
	TAILQ_ENTRY(verify_probe) line;		/* of its domain */
	struct verify_domain	*domain;
	struct verify_questions	 questions;	/* none: a hit is renewed */
	unsigned		 lost;		/* with so many relays */
	uint32_t		 hop;
	enum tls_wish		 wish;
	size_t			 n;
	char			 address[];
};
TAILQ_HEAD(verify_probes, verify_probe);

/* Exists while something of it waits, runs, or must be left alone; one for each
 * wish, whose routes are not the same. */
struct verify_domain {
	struct table_link	 link;
	enum tls_wish		 wish;
	TAILQ_ENTRY(verify_domain) line;	/* in one of verify's, see `at` */
	struct verify_domains	*at;		/* NULL: in none; then policy works on it,
						   or its jobs run */
	struct verify_probes	 waiting;
	unsigned		 njobs;
	uint64_t		 txn;		/* of the route asked for; 0: none */
	struct route		*route;
	uint64_t		 routed;	/* steady ms of the answer */
	uint64_t		 down_until;
	char			 down_dsn[12];
	size_t			 n;
	char			 name[];
};
TAILQ_HEAD(verify_domains, verify_domain);

struct verify_job {
	struct table_link	 link;
	TAILQ_ENTRY(verify_job)	 line;
	uint64_t		 job;
	unsigned		 relay;
	struct verify_domain	*domain;
	uint32_t		 n;
	struct verify_probe	*probes[VERIFY_BATCH];
};

struct verify_save;

struct verify {
	struct verify_cache	 cache;
	struct table		 probes, domains, jobs;
	unsigned		 nquestions, nprobes, njobs;
	struct verify_questions	 by_time;
	struct verify_domains	 wanting, ready, resting;
	TAILQ_HEAD(, verify_job) running;
	struct verify_domain	*asked[VERIFY_ROUTES];
	uint64_t		 round;
	uint64_t		 complained;

	uint64_t		 wait_ms;	/* VERIFY_WAIT_MS, but for tests */
	int			 dir;		/* of the spool */
	bool			 dirty;		/* not yet on disk */
	struct verify_save	*save;		/* runs in the thread pool */
	uint64_t		 saved;
};

/* ---- verify.c ---- */

struct verify_said {
	enum verdict	 verdict;
	struct span	 dsn;		/* RFC 3463, of the next hop or ours */
};
/* What a code without the next hop's word on the recipient means: 5.7.30 that
 * nobody may be asked, else that it is not known now. */
struct verify_said	verify_said_of(const char *dsn);
/* The next hop, or our fate, has spoken: answers, remembers where `keep`, and
 * frees the probe, which is in no line any more. */
void	verify_probe_done(struct queue *, struct verify_probe *,
	    const struct verify_said *, bool keep);

/* ---- verify_probe.c ---- */

struct verify_probe	*verify_probe_find(const struct verify *,
			    const struct verify_whom *);
/* NULL: no memory. */
struct verify_probe	*verify_probe_new(struct queue *,
			    const struct verify_whom *);
/* The domain is in trouble: the code for it; NULL when it is not. */
const char	*verify_domain_down(struct queue *, struct span domain,
		    enum tls_wish);
void	verify_probe_house(struct queue *);
void	verify_probe_free_all(struct queue *);

#endif
