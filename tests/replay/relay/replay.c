/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/replay/relay/replay.c - plays a script of peers against the real
 * courier: `replay FILE`.  One line, one act or expectation:
 *
 *	host NAME IP[,IP] [LEVEL]	a host of the route, level asked
 *	host /PATH			a unix socket
 *	rcpt ADDRESS [NOTIFY [ORCPT]]	of the jobs that follow; NOTIFY a number
 *	set tls-failed|8bit|utf8|requiretls|discard|probe|lmtp|found, set ret full|hdrs
 *	set size N, set body TEXT, set site N, set identity N
 *	set sender TEXT, set envid TEXT
 *	set lines N TEXT		add TEXT N times to the body
 *	set file			the body comes as a file
 *	set source IP, set ehlo NAME	of the configuration
 *	set proven LEVEL		what peers with TLS can prove; encrypted
 *	JOB				take a job
 *	CONNECT IP ok|refused|lost	the connection being made, and how it goes
 *	S: TEXT				the peer sends a line, or
 *	S> TEXT				these bytes, with \r \n \t \\ \xHH
 *	SREP N TEXT			a line N times, in one segment a line
 *	SFILL N TEXT			bytes N times, as in S>, without a line end
 *	C: TEXT				we have sent this line next, escapes as in S>
 *	CSKIP N				and these bytes, whatever they are
 *	TLS ok|full|fail [reduced]	the handshake; `full`: it resumes nothing,
 *					whatever we tried; `reduced`: a small hello
 *	SNI NAME			of the handshake at hand
 *	RESUME TEXT|none		what it tries to resume
 *	TICKET TEXT			for the next one; the peer has sent it
 *	SOURCE IP|none			of the connection at hand
 *	WIRE N				the Nth connection made is the one at hand
 *	COUNT N				connections that were made so far
 *	CLOSE, RESET			the peer closes
 *	CLOSED, OPEN			what we did with the connection
 *	DRAIN				what we sent is read, unlooked at
 *	PASS 30s			time, or ms
 *	RCPT ADDRESS STATUS DSN REACHED HOW [WORDS]	an outcome
 *	FOUND ADDRESS STATUS DSN [WORDS]	what a probe learnt
 *	DUTY ADDRESS passed=N final=N	what else the outcome says
 *	JOBEND tls-failed=N trouble=N	of the job
 *	LOST FINDING IP			what policy is told next, NONE: nothing more
 *	AGAIN N				STARTTLS failed and was tried again, so far
 *	PENDING				no outcome yet
 *
 * What we send and nobody expects is a failure. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "tests/replay/relay/play.h"

struct play play = {
	.conf = { .relay = { .sending = { .ehlo_name = "me.test" } } },
};

/* ---- what the courier tells ---- */

static void
on_decided(void *arg, struct job *j)
{
	(void)arg;
	if (j->state != JOB_DECIDED || j->nundecided != 0)
		wrong("job told too early");
}

static void
on_session(void *arg, const struct job *j, const struct session *s)
{
	(void)arg, (void)j;
	if (s->client.is_tls != (s->level >= LEVEL_ENCRYPTED))
		wrong("session's level is wrong");
}

static void
on_again(void *arg, const struct job *j, const struct session *s, enum how how)
{
	(void)arg, (void)j, (void)s;
	if (how == HOW_NONE)
		wrong("STARTTLS failed, but not how");
	play.nagain++;
}

static void
on_lost(void *arg, const struct job *j, const struct session *s,
    enum finding finding, const char *reason)
{
	(void)arg, (void)j;
	if (reason[0] == '\0' || play.nlost == LOST_MAX)
		wrong("a loss without reason, or too many");
	play.lost[play.nlost].finding = finding;
	(void)snprintf(play.lost[play.nlost++].addr, ADDR_TEXT_SIZE, "%s",
	    s->hop.addr);
}

static void
on_delivered(void *arg, const struct job *j, const struct hop *h,
    const struct job_rcpt *first, unsigned n)
{
	size_t i, k;

	(void)arg;
	for (i = 0; i < j->nrcpts && n > 0; i++) {
		const struct job_rcpt *r = &j->rcpts[i];

		for (k = 0; k < play.ntold; k++) {
			if (play.told[k].job == j && play.told[k].rcpt == i)
				break;
		}
		if (k < play.ntold || !r->told || r->status != first->status ||
		    strcmp(r->dsn, first->dsn) != 0)
			continue;
		play.told[play.ntold++] = (struct told){ j, i, *h };
		n--;
	}
	if (n != 0)
		wrong("a fact counts recipients that it does not have");
}

static void
on_idle(void *arg)
{
	(void)arg;
}

static bool
on_authenticate(void *arg, struct session *s, const struct route *r,
    const struct route_host *h)
{
	(void)arg, (void)r;
	if (h->asked <= LEVEL_ENCRYPTED)
		return true;
	if (play.proven < h->asked) {
		fault_set(&s->fault, FAULT_TEMP, 0, "4.7.5", "it proved nothing");
		return false;
	}
	s->level = h->asked;
	s->hop.how = HOW_WEBPKI;
	return true;
}

static const struct courier_ops courier_ops = {
	.decided = on_decided, .session = on_session,
	.again = on_again, .lost = on_lost, .delivered = on_delivered,
	.authenticate = on_authenticate, .idle = on_idle,
};

/* ---- the script ---- */

static const struct script_act acts[] = {
	{ "host", act_host }, { "rcpt", act_rcpt }, { "set", act_set },
	{ "JOB", act_job }, { "CONNECT", act_connect },
	{ "S:", act_server_line }, { "S>", act_server_bytes },
	{ "SREP", act_server_repeat }, { "SFILL", act_server_fill }, { "C:", act_client_line },
	{ "CSKIP", act_client_skip }, { "DUTY", act_duty },
	{ "WIRE", act_wire }, { "COUNT", act_count }, { "TLS", act_tls }, { "SNI", act_sni },
	{ "RESUME", act_resume }, { "TICKET", act_ticket },
	{ "SOURCE", act_source }, { "CLOSE", act_close },
	{ "RESET", act_reset }, { "CLOSED", act_closed }, { "OPEN", act_open },
	{ "DRAIN", act_drain }, { "PASS", act_pass }, { "RCPT", act_outcome },
	{ "FOUND", act_found }, { "JOBEND", act_jobend }, { "PENDING", act_pending },
	{ "LOST", act_lost }, { "AGAIN", act_again },
};

static void
finish(void)
{
	unsigned i;
	size_t k;

	quiet();
	for (k = 0; k < play.njobs; k++) {
		if (play.jobs[k]->state != JOB_DECIDED)
			wrong("job %zu has no outcome", k + 1);
	}
	courier_close(&play.courier);
	for (k = 0; k < play.njobs; k++)
		job_free(&play.jobs[k]);
	if (play.courier.nsessions != 0)
		wrong("%u connections are counted at the end",
		    play.courier.nsessions);
	for (i = 0; i < play.route.nhosts; i++) {
		free(play.route.hosts[i].name);
		free(play.route.hosts[i].addrs);
		free(play.route.hosts[i].path);
	}
	free(play.route.hosts);
	for (k = 0; k < play.nrcpts; k++) {
		free(play.rcpts[k].address);
		free(play.rcpts[k].orcpt);
	}
	buf_free(&play.body);
	world_free();
}

int
main(int argc, char **argv)
{
	struct courier_setup setup = {
		.ops = &courier_ops, .connect_ms = 30 * SECOND, .sessions = 4,
		.probe_sender = "double-bounce@me.test",
		.conf = &play.conf, .client = { .timeouts = {
			.greeting = 300 * SECOND, .command = 301 * SECOND,
			.data_start = 120 * SECOND, .data_block = 180 * SECOND,
			.data_end = 600 * SECOND, .handshake = 31 * SECOND } },
	};

	if (argc != 2) {
		(void)fprintf(stderr, "usage: replay FILE\n");
		return 2;
	}
	play.route.site = 1;
	play.route.identity = 2;
	buf_init(&play.body, 4 * 1024 * 1024);
	(void)buf_str(&play.body, "hi\r\n");
	(void)span_copy(SPAN_LIT("s@x.org"), play.sender, sizeof(play.sender));
	log_set_level(LOG_ERROR);
	world_init();
	if (courier_init(&play.courier, &setup) == -1)
		return 1;
	(void)script_play(argv[1], acts, sizeof(acts) / sizeof(acts[0]));
	finish();
	return 0;
}
