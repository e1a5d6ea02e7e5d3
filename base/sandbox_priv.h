/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/sandbox_priv.h - the parts of the sandbox to each other:
 * sandbox_roles.c (who keeps what), sandbox_calls.c (the filter),
 * sandbox_files.c (Landlock), sandbox_trap.c (what a denied call meets),
 * sandbox.c (the order). */
#ifndef BASE_SANDBOX_PRIV_H
#define BASE_SANDBOX_PRIV_H

#include "base/sandbox.h"

/* What a role may still ask of the kernel; the calls are in sandbox_calls.c. */
enum promise {
	GROUND		= 1 << 0,	/* the loop, open descriptors, memory, time */
	ACCEPT		= 1 << 1,	/* connections on sockets it was given */
	TCP_OUT		= 1 << 2,	/* connections to elsewhere */
	UDP_OUT		= 1 << 3,
	BODY_READ	= 1 << 4,	/* read files that it was given */
	FILES_READ	= 1 << 5,	/* open files; which: its places */
	FILES_WRITE	= 1 << 6,	/* make, change and remove them */
	WAKE_PAIR	= 1 << 7,	/* two sockets joined to each other */
	LOCAL_OUT	= 1 << 8,	/* connections to local sockets */
};

/* How far a place in the file system is open. */
enum access {
	ACCESS_READ,		/* one file */
	ACCESS_CHANGE,		/* one file that is there already */
	ACCESS_TREE,		/* a directory: all below it, and new things */
};

/* A string of the configuration, and a name below it or NULL; or, with no
 * string, `name` is the whole path. */
struct place {
	enum access	 access;
	size_t		 base;		/* offset in struct conf */
	const char	*name;
};
#define PLACE_NONE	((size_t)-1)
#define PLACES_MAX	4

/* Where TCP connections may go, for kernels that can tell ports apart. */
enum reach {
	REACH_NOTHING,
	REACH_DNS,		/* port 53, and those in dns.forward */
	REACH_HTTPS,
	REACH_ALL,
};

struct role_sandbox {
	unsigned	 promises;
	enum reach	 reach;
	bool		 pool;		/* threads of the loop's pool */
	struct place	 places[PLACES_MAX];
	size_t		 nplaces;
};

const struct role_sandbox	*sandbox_of(enum role);
/* Its promises, without those that this configuration has no use for. */
unsigned	sandbox_promises(enum role, const struct conf *);

/* Landlock: the ABI in force afterwards, 0 where the kernel has none, -1 with
 * a fault.  `most` caps the ABI.  Threads that are there already escape it. */
int	sandbox_files(const struct role_sandbox *, const struct conf *,
	    unsigned most, struct fault *);

/* The filter, for all threads of the process.  1 in force, 0 not to be had,
 * -1 with a fault. */
int	sandbox_calls(unsigned promises, struct fault *);

/* Installs the handler that a denied call meets.  Before the filter. */
int	sandbox_trap(struct fault *);
/* Can this machine's handler let a call fail?  If not, the kernel does it
 * without a word in the log. */
bool	sandbox_trap_works(void);

#endif
