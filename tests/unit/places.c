/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "tests/unit/places.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CALLS	2000	/* more than there are */
#define SKIPPED	77	/* for meson */

static long numbers[CALLS];	/* of the calls when nothing is done */
static bool all;

/* So that at most `most` of `n` places are taken. */
static unsigned
stride(unsigned n, unsigned most)
{
	return all || n <= most ? 1 : (n + most - 1) / most;
}

/* 0: it did not go well even so. */
static unsigned
count_calls(const struct places *p)
{
	struct step count = { .what = STEP_KILL, .numbers = numbers,
	    .size = CALLS };

	p->run(&count);
	if (!p->look("nothing", &count))
		return 0;
	if (!p->whole()) {
		fprintf(stderr, "nothing was done, and not all was taken\n");
		return 0;
	}
	return count.calls < CALLS ? count.calls : CALLS;
}

static bool
kills(const struct places *p)
{
	unsigned n = count_calls(p), by = stride(n, p->kills), times = 0;
	bool good = true;
	char done[100];

	for (unsigned at = 1; at <= n; at += by) {
		struct step kill = { .what = STEP_KILL, .at = at };

		p->run(&kill);
		times += kill.done;
		(void)snprintf(done, sizeof(done), "killed before call %u (%ld)",
		    at, kill.number);
		good = p->look(done, &kill) && good;
	}
	printf("killed %u times, at %u system calls\n", times, n);
	return good && times > 0;
}

static const int errors[] = { EIO, ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM,
	EINTR, 0 };
#define ERRORS	(unsigned)(sizeof(errors) / sizeof(errors[0]))

static bool
fault(const struct places *p, unsigned at, int error, struct step *fail)
{
	char done[100];

	*fail = (struct step){ .what = error == 0 ? STEP_SHORT : STEP_FAIL,
	    .at = at, .error = error };
	p->run(fail);
	(void)snprintf(done, sizeof(done), "call %u (%ld): %s", at,
	    fail->number, error == 0 ? "half of it" : strerror(error));
	return p->look(done, fail);
}

static bool
faults(const struct places *p)
{
	unsigned n = count_calls(p), places = 0, times = 0, hurt = 0, by;
	bool good = true;

	for (unsigned i = 0; i < n * ERRORS; i++)
		places += step_possible(numbers[i / ERRORS],
		    errors[i % ERRORS]);
	by = stride(places, p->faults);
	places = 0;
	for (unsigned i = 0; i < n * ERRORS; i++) {
		int error = errors[i % ERRORS];
		struct step fail;

		if (!step_possible(numbers[i / ERRORS], error) ||
		    places++ % by != 0)
			continue;
		good = fault(p, i / ERRORS + 1, error, &fail) && good;
		times += fail.done;
		hurt += fail.done && !p->whole();
	}
	printf("%u of %u faults at %u system calls; after %u of them not all "
	    "was taken\n", times, places, n, hurt);
	return good && times > 0;
}

static bool
allocs(const struct places *p)
{
	struct step s = { .what = STEP_FAIL };
	unsigned n = p->run_short(0, &s), by = stride(n, p->allocs);
	unsigned hurt = 0, times = 0;
	bool good = p->look("nothing", &s) && p->whole();
	char done[100];

	for (unsigned at = 1; at <= n; at += by, times++) {
		(void)p->run_short(at, &s);
		(void)snprintf(done, sizeof(done), "allocation %u failed", at);
		good = p->look(done, &s) && good;
		hurt += !p->whole();
	}
	printf("%u of %u allocations failed; after %u of them not all was "
	    "taken\n", times, n, hurt);
	return good && times > 0;
}

int
places_main(const struct places *p, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	all = argc > 2 && strcmp(argv[2], "all") == 0;
	if (strcmp(what, "kills") == 0 && p->kills > 0)
		return !kills(p);
	if (strcmp(what, "allocs") == 0 && p->allocs > 0)
		return !allocs(p);
	if (strcmp(what, "faults") == 0 && p->faults > 0) {
		if (step_can_fail())
			return !faults(p);
		printf("no system call can be made to fail here\n");
		return SKIPPED;
	}
	fprintf(stderr, "usage: %s kills|faults|allocs [all]\n", argv[0]);
	return 64;
}
