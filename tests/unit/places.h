/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/places.h - a process is hurt at one place after the other, each
 * time from the start: killed before each of its system calls, or one of them
 * fails, or an allocation does. */
#ifndef TESTS_UNIT_PLACES_H
#define TESTS_UNIT_PLACES_H

#include "tests/unit/step.h"

struct places {
	/* At most so many of each kind, evenly spread; 0: this kind is not
	 * there. */
	unsigned	kills, faults, allocs;
	/* From the start to the end, with this done to it. */
	void		(*run)(struct step *);
	/* The same without its at-th allocation (0: none is missing), untraced;
	 * how many there were. */
	unsigned	(*run_short)(unsigned at, struct step *);
	/* What must hold afterwards.  false, after saying what does not. */
	bool		(*look)(const char *done, const struct step *);
	/* Was all taken, as if nothing had been done? */
	bool		(*whole)(void);
};

/* For main(): the arguments are kills, faults or allocs, and `all` for all
 * places.  What it returns is for exit(). */
int	places_main(const struct places *, int argc, char **argv);

#endif
