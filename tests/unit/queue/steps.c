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
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session.h"
#include "tests/unit/allocs.h"
#include "tests/unit/places.h"

#ifdef SEALANE_SANITIZED		/* several times as slow */
#define KILLS	40
#define FAULTS	80
#else
#define KILLS	200
#define FAULTS	300
#endif
#define ALLOCS	100

static struct session *session;

static void
run(struct step *s)
{
	session_reset(session);
	step_run(s, session_run, session);
}

/* After a kill only what was under way may go twice; after a fault more may. */
static bool
look(const char *done, const struct step *s)
{
	char why[400] = "";

	if (!WIFEXITED(s->status) && WTERMSIG(s->status) != SIGKILL)
		(void)snprintf(why, sizeof(why), "ended by signal %d",
		    WTERMSIG(s->status));
	else if (session_check(session, s->what == STEP_KILL, why, sizeof(why)))
		return true;
	fprintf(stderr, "%s: %s\n", done, why);
	return false;
}

static bool
whole(void)
{
	return session_whole(session);
}

static unsigned fail_at;

static void
begin_allocs(void)
{
	allocs_seen = 0;
	allocs_fail = fail_at;
}

static unsigned
run_short(unsigned at, struct step *s)
{
	unsigned seen = 0;
	int pipes[2];
	pid_t pid;

	session_reset(session);
	if (pipe(pipes) == -1 || (pid = fork()) == -1)
		return 0;
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
	waitpid(pid, &s->status, 0);
	return seen;
}

int
main(int argc, char **argv)
{
	static const struct places places = { .kills = KILLS, .faults = FAULTS,
	    .allocs = ALLOCS, .run = run, .run_short = run_short,
	    .look = look, .whole = whole };
	int rc;

	session = session_new();
	session_begins = step_begin;
	if (session == NULL) {
		perror("session");
		return 1;
	}
	rc = places_main(&places, argc, argv);
	session_free(session);
	return rc;
}
