/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/step.h - a process that is traced from system call to system
 * call, all its threads, and killed before one of them, or has one of them
 * fail.  Only calls count that change files or talk to somebody. */
#ifndef TESTS_UNIT_STEP_H
#define TESTS_UNIT_STEP_H

#include <stdbool.h>

enum step_what {
	STEP_KILL,	/* SIGKILL before the call is made */
	STEP_FAIL,	/* the call is not made, and fails with `error` */
	STEP_SHORT,	/* a read or write of half of the bytes */
};

struct step {
	enum step_what	what;
	unsigned	at;		/* from 1; 0: only count */
	int		error;
	long		*numbers;	/* NULL, or room for those of the calls */
	unsigned	size;
	/* what came of it */
	unsigned	calls;		/* so many were there */
	bool		begun;
	bool		done;		/* it was done to one of them */
	long		number;		/* of the call it was done to */
	int		status;		/* of the process, as from waitpid() */
};

/* Runs `run` in a child until its end, which is _exit(0) if it returns.  Calls
 * count from step_begin() on. */
void	step_run(struct step *, void (*run)(void *), void *arg);
void	step_begin(void);		/* in the child; nothing in others */
/* Can this call give this error at all?  Others would test libc. */
bool	step_possible(long call, int error);
/* Is there STEP_FAIL on this machine? */
bool	step_can_fail(void);

#endif
