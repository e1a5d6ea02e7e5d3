/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/steps.c - a queue that takes and delivers mail is killed
 * before each of its system calls, or one of them fails, or an allocation
 * does.  After that nothing that was acknowledged is missing or altered, a
 * failure has its bounce, and nobody heard anything but 250 and 4xx.
 *
 *	t_queue_steps kills|faults|allocs [all]
 *
 * Without `all`, so many places as fit a test run, evenly spread. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session.h"
#include "tests/unit/allocs.h"
#include "tests/unit/step.h"

#ifdef SEALANE_SANITIZED		/* several times as slow */
#define KILLS	40
#define FAULTS	80
#else
#define KILLS	200
#define FAULTS	300
#endif
#define ALLOCS	100
#define SKIPPED	77	/* for meson */

#define CALLS	2000		/* more than there are */

static struct session *session;
static long numbers[CALLS];	/* of the calls of a whole session */
static bool all;

static void	die(const char *, ...)
		    __attribute__((noreturn, format(printf, 1, 2)));

static void
die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	session_free(session);
	exit(1);
}

/* So that at most `most` of `n` places are taken. */
static unsigned
stride(unsigned n, unsigned most)
{
	return all || n <= most ? 1 : (n + most - 1) / most;
}

/* `done` to the process, which ended so. */
static void
look(const char *done, int status, bool again)
{
	char why[400];

	if (!WIFEXITED(status) && WTERMSIG(status) != SIGKILL)
		die("%s: ended by signal %d", done, WTERMSIG(status));
	if (!session_check(session, again, why, sizeof(why)))
		die("%s: %s", done, why);
}

static unsigned
count_calls(void)
{
	struct step count = { .what = STEP_KILL, .numbers = numbers,
	    .size = CALLS };

	session_reset(session);
	step_run(&count, session_run, session);
	look("nothing", count.status, true);
	if (!session_whole(session))
		die("nothing was done to it, and not all was taken");
	return count.calls < CALLS ? count.calls : CALLS;
}

static void
kills(void)
{
	unsigned n = count_calls(), by = stride(n, KILLS), times = 0;
	char done[100];

	for (unsigned at = 1; at <= n; at += by) {
		struct step kill = { .what = STEP_KILL, .at = at };

		session_reset(session);
		step_run(&kill, session_run, session);
		times += kill.done;
		snprintf(done, sizeof(done), "killed before call %u (%ld)", at,
		    kill.number);
		look(done, kill.status, true);
	}
	printf("killed %u times, at %u system calls\n", times, n);
}

static const int errors[] = { EIO, ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM,
	EINTR, 0 };
#define ERRORS	(unsigned)(sizeof(errors) / sizeof(errors[0]))

/* One fault; false: that call cannot have it. */
static bool
fault(unsigned at, int error)
{
	struct step fail = { .what = error == 0 ? STEP_SHORT : STEP_FAIL,
	    .at = at, .error = error };
	char done[100];

	session_reset(session);
	step_run(&fail, session_run, session);
	if (!fail.done)
		return false;
	snprintf(done, sizeof(done), "call %u (%ld): %s", at, fail.number,
	    error == 0 ? "half of it" : strerror(error));
	look(done, fail.status, false);
	return true;
}

static void
faults(void)
{
	unsigned n = count_calls(), places = 0, times = 0, hurt = 0, by;

	for (unsigned i = 0; i < n * ERRORS; i++)
		places += step_possible(numbers[i / ERRORS],
		    errors[i % ERRORS]);
	by = stride(places, FAULTS);
	places = 0;
	for (unsigned i = 0; i < n * ERRORS; i++) {
		if (!step_possible(numbers[i / ERRORS], errors[i % ERRORS]) ||
		    places++ % by != 0 || !fault(i / ERRORS + 1,
		    errors[i % ERRORS]))
			continue;
		times++;
		hurt += !session_whole(session);
	}
	printf("%u of %u faults at %u system calls; after %u of them not all "
	    "was taken\n", times, places, n, hurt);
	if (times == 0)
		die("no fault was made");
}

static unsigned fail_at;

static void
begin_allocs(void)
{
	allocs_seen = 0;
	allocs_fail = fail_at;
}

static unsigned
run_short_of_memory(unsigned at, int *status)
{
	unsigned seen = 0;
	int pipes[2];
	pid_t pid;

	session_reset(session);
	if (pipe(pipes) == -1 || (pid = fork()) == -1)
		die("fork: %s", strerror(errno));
	if (pid == 0) {
		fail_at = at;
		session_begins = begin_allocs;
		session_run(session);
		_exit(write(pipes[1], &allocs_seen, sizeof(allocs_seen)) ==
		    sizeof(allocs_seen) ? 0 : 1);
	}
	close(pipes[1]);
	if (read(pipes[0], &seen, sizeof(seen)) != sizeof(seen))
		seen = 0;
	close(pipes[0]);
	waitpid(pid, status, 0);
	return seen;
}

static void
allocs(void)
{
	int status;
	unsigned n = run_short_of_memory(0, &status), hurt = 0, times = 0;
	unsigned by = stride(n, ALLOCS);
	char done[100];

	if (n == 0)
		die("no allocation was seen");
	for (unsigned at = 1; at <= n; at += by, times++) {
		(void)run_short_of_memory(at, &status);
		snprintf(done, sizeof(done), "allocation %u failed", at);
		look(done, status, false);
		hurt += !session_whole(session);
	}
	printf("%u of %u allocations failed; after %u of them not all was "
	    "taken\n", times, n, hurt);
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int rc = 0;

	all = argc > 2 && strcmp(argv[2], "all") == 0;
	session = session_new();
	session_begins = step_begin;
	if (session == NULL) {
		perror("session");
		return 1;
	}
	if (strcmp(what, "kills") == 0)
		kills();
	else if (strcmp(what, "allocs") == 0)
		allocs();
	else if (strcmp(what, "faults") != 0)
		die("kills, faults or allocs");
	else if (step_can_fail())
		faults();
	else
		rc = SKIPPED;
	session_free(session);
	return rc;
}
