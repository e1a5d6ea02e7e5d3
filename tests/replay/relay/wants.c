/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/replay/relay/wants.c - what a script expects of jobs. */
#include <stdio.h>

#include "tests/replay/relay/play.h"

static const struct told *
told_of(const struct job *j, size_t rcpt)
{
	size_t i;

	for (i = 0; i < play.ntold; i++) {
		if (play.told[i].job == j && play.told[i].rcpt == rcpt)
			return &play.told[i];
	}
	wrong("no fact was told of it");
}

static struct job *
last_job(void)
{
	if (play.njobs == 0)
		wrong("no job");
	return play.jobs[play.njobs - 1];
}

static size_t
decided_rcpt(const struct job *j, struct span address)
{
	char text[512];
	size_t i = 0;

	address = plain(address, text);
	while (i < j->nrcpts && !span_eq(j->rcpts[i].address, address))
		i++;
	if (i == j->nrcpts)
		wrong("no such recipient");
	if (!j->rcpts[i].decided)
		wrong("not decided");
	return i;
}

/* `got`, and words of the reply. */
static void
want_verdict(struct span want, const char *got, const struct job_rcpt *r)
{
	size_t n = strlen(got);
	char words[512];

	if (!span_eq(span_head(want, n), span_str(got)))
		wrong("it is: %s (%s)", got, r->reply);
	(void)span_copy(span_trim(span_skip(want, n)), words, sizeof(words));
	if (strstr(r->reply, words) == NULL)
		wrong("the reply is: %s", r->reply);
}

void
act_duty(const char *arg)
{
	struct span rest = span_str(arg);
	const struct job *j = last_job();
	const struct job_rcpt *r = &j->rcpts[decided_rcpt(j, word(&rest))];
	char got[64];

	(void)snprintf(got, sizeof(got), "passed=%d final=%d", r->dsn_passed,
	    r->final);
	if (!is(rest, got))
		wrong("it is: %s", got);
}

void
act_outcome(const char *arg)
{
	struct span rest = span_str(arg);
	struct span address = word(&rest);
	const struct job *j = last_job();
	size_t i = decided_rcpt(j, address);
	const struct told *t = told_of(j, i);
	char got[256];

	(void)snprintf(got, sizeof(got), "%s %s %s %s",
	    outcome_name(j->rcpts[i].status), j->rcpts[i].dsn,
	    level_name(t->hop.reached), how_name(t->hop.how));
	want_verdict(rest, got, &j->rcpts[i]);
}

void
act_found(const char *arg)
{
	struct span rest = span_str(arg);
	struct span address = word(&rest);
	const struct job *j = last_job();
	size_t i = decided_rcpt(j, address);
	char got[256];

	if (j->rcpts[i].told)
		wrong("the ledger was told of a probe");
	(void)snprintf(got, sizeof(got), "%s %s",
	    outcome_name(j->rcpts[i].status), j->rcpts[i].dsn);
	want_verdict(rest, got, &j->rcpts[i]);
}

void
act_jobend(const char *arg)
{
	struct span rest = span_str(arg);
	const struct job *j = last_job();
	char got[64];

	if (j->state != JOB_DECIDED)
		wrong("not at its end");
	(void)snprintf(got, sizeof(got), "tls-failed=%d trouble=%d",
	    j->tls_failed, j->trouble);
	if (!is(rest, got))
		wrong("it is: %s", got);
}

void
act_lost(const char *arg)
{
	bool none = play.lost_at == play.nlost;
	char got[128] = "NONE";

	if (!none)
		(void)snprintf(got, sizeof(got), "%s %s",
		    finding_name(play.lost[play.lost_at].finding),
		    play.lost[play.lost_at].addr);
	if (strcmp(arg, got) != 0)
		wrong("policy was told %s", got);
	play.lost_at += !none;
}

void
act_again(const char *arg)
{
	unsigned long long n;

	if (!span_u64(span_str(arg), 1000, &n) || n != play.nagain)
		wrong("STARTTLS was tried again %u times", play.nagain);
}

void
act_pending(const char *arg)
{
	(void)arg;
	if (last_job()->nundecided == 0)
		wrong("decided already");
}
