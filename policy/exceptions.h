/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/exceptions.h - timed exceptions, kept in policy.db: until a date, for a
 * reason that is written down, nothing more is asked of a host or a domain than
 * opportunistic TLS.
 *
 * Times are seconds of the wall clock and come in.  An exception holds before
 * `until` and not at it; one that has ended is dropped by exceptions_over(). */
#ifndef POLICY_EXCEPTIONS_H
#define POLICY_EXCEPTIONS_H

#include "base/db.h"
#include "dns/name.h"

#define EXCEPTIONS_MAX		100	/* more than that are a configuration */
#define EXCEPTION_WHY_SIZE	201
#define EXCEPTION_LONGEST_S	(366u * 86400)

struct exception {
	char		name[DNS_NAME_SIZE];	/* or IP text */
	uint64_t	made, until;
	char		why[EXCEPTION_WHY_SIZE];
};

struct exceptions;

struct exceptions	*exceptions_new(struct db *, struct fault *); /* borrows */
void			 exceptions_free(struct exceptions **);

/* In the place of one that the name has.  0, or -1: FAULT_PERM there are
 * EXCEPTIONS_MAX already. */
int	exceptions_put(struct exceptions *, const struct exception *,
	    struct fault *);
/* 1 it was there, 0 there was none, -1. */
int	exceptions_end(struct exceptions *, const char *name, struct fault *);
/* One that holds now.  1, 0 none, -1. */
int	exceptions_get(struct exceptions *, const char *name, uint64_t now,
	    struct exception *, struct fault *);
/* The first that holds now behind `after` ("" from the start), by name: likewise. */
int	exceptions_next(struct exceptions *, const char *after, uint64_t now,
	    struct exception *, struct fault *);
/* Drops one that has ended and says which: likewise. */
int	exceptions_over(struct exceptions *, uint64_t now, struct exception *,
	    struct fault *);

#endif
