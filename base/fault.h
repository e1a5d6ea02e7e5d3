/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/fault.h - what went wrong in the world outside, filled once at its
 * cause and carried up as a value.  Our own bugs are assert()s instead. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stddef.h>

enum fault_class {
	FAULT_NONE,
	FAULT_TEMP,	/* the same may work later: SMTP 4xx */
	FAULT_PERM,	/* it will not: SMTP 5xx */
};

struct fault {
	enum fault_class class;
	int	code;		/* SMTP reply code, 0 where none applies */
	int	err;		/* errno, 0 where none applies */
	char	enhanced[12];	/* RFC 3463, "4.3.0" */
	char	text[240];	/* for an operator; no line breaks */
};

/* Both fill *f (which may be NULL) and return -1, so that a function can end
 * with `return fault_set(...)`.  fault_sys appends strerror(errno), and
 * chooses 452 4.3.1 for a full disk or quota, 451 otherwise. */
int	fault_set(struct fault *, enum fault_class, int code,
	    const char *enhanced, const char *fmt, ...)
	    __attribute__((format(printf, 5, 6)));
int	fault_sys(struct fault *, const char *what);

#endif
