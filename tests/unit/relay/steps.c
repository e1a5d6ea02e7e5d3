/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/relay/steps.c - a relay that sends mail over TLS is killed before
 * each of its system calls, or one of them fails, or an allocation does.  The
 * queue sends again what is deferred, or was with a relay that is gone, and in
 * the end the next hop has all of it, whole: never is "sent" said of what it has
 * not, or "failed" of anything, and nothing comes twice but what was under way.
 *
 *	t_relay_steps kills|faults|allocs [all]
 *
 * Without `all`, so many places as fit a test run, evenly spread. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hop.h"
#include "base/outcome.h"
#include "relay/relay.h"
#include "tests/unit/allocs.h"
#include "tests/unit/framed.h"
#include "tests/unit/relay/jobs.h"
#include "tests/unit/relay/sink.h"

#ifdef SEALANE_SANITIZED		/* several times as slow */
#define MOST		30
#else
#define MOST		150
#endif
#define LARGE		70000u		/* comes as a file */
#define MESSAGES	2u
#define ATTEMPTS	4u		/* at most, until it is sent */

/* What comes of it. */
static struct {
	unsigned	 jobs[MESSAGES];	/* the relay was told to send it */
	unsigned	 taken[MESSAGES];	/* by the next hop */
	bool		 sent[MESSAGES];	/* said the relay */
	bool		 over;
} *told;

/* The n-th message, its first line without a dot in front. */
static struct span
content(unsigned n)
{
	static char large[LARGE];

	if (n == 0)
		return SPAN_LIT("Subject: x\r\n\r\nhi\r\n");
	for (unsigned i = 0; i < LARGE; i++)
		large[i] = i % 70 == 68 ? '\r' : i % 70 == 69 ? '\n' :
		    (char)('a' + i % 23);
	return span_of(large, LARGE);
}

/* ---- the queue ---- */

static struct {
	struct link	*link, *ledger, *policy;
	struct sink	 sink;
	uint64_t	 next;			/* job, which is of: */
	unsigned	 of[64];
	bool		 failed[MESSAGES];	/* TLS, an attempt before */
} peers;

static void
send_again(unsigned n)
{
	struct span body = content(n);
	struct ipc_job job = { .job = ++peers.next, .size = body.n,
	    .tls_failed = peers.failed[n] };
	int fd = -1;

	if (told->jobs[n]++ == ATTEMPTS) {
		framed_wrong("message %u is deferred for ever", n);
		return;
	}
	peers.of[peers.next % 64] = n;
	if (n == 0) {
		job.body = body;
	} else {
		fd = memfd_create("body", MFD_CLOEXEC);
		if (write(fd, body.p, body.n) != (ssize_t)body.n)
			framed_wrong("no file");
	}
	jobs_route(peers.link, job.job, peers.sink.at.port, LEVEL_CLEAR);
	jobs_send(peers.link, &job, 1, fd);
}

static void
on_outcome(const struct ipc_job_outcome *m)
{
	unsigned n = peers.of[m->job % 64];
	struct span list = m->outcomes;
	struct ipc_outcome o = { .status = 0 };

	(void)ipc_send_outcome_ack(peers.link,
	    &(struct ipc_outcome_ack){ m->job }, -1);
	if (ipc_get_outcome(&list, &o) != 1 || o.status == OUTCOME_FAILED)
		framed_wrong("message %u failed: %.*s", n, (int)o.reply.n,
		    o.reply.p);
	peers.failed[n] = m->tls_failed;
	if (o.status != OUTCOME_SENT) {
		send_again(n);
		return;
	}
	if (told->taken[n] == 0)
		framed_wrong("message %u is said to be sent, and was not", n);
	told->sent[n] = true;
	told->over = told->sent[0] && told->sent[1];
}

static void
queue_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	(void)ctx, (void)l;
	if (m->type == IPC_JOB_OUTCOME) {
		on_outcome(&m->u.job_outcome);
	} else if (m->type == IPC_REGISTERED) {
		for (unsigned n = 0; n < MESSAGES; n++)
			if (!told->sent[n])
				send_again(n);
	}
}

static void
ignore(void *ctx, struct link *l, struct ipc_msg *m)
{
	(void)ctx, (void)l, (void)m;
}

static void
closed(void *ctx, struct link *l, const char *why)
{
	struct link **all[] = { &peers.link, &peers.ledger, &peers.policy };

	(void)ctx, (void)why;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (*all[i] == l)
			*all[i] = NULL;
}

static const struct link_ops queue_ops = { queue_message, NULL, closed };
static const struct link_ops other_ops = { ignore, NULL, closed };

static void
ready(struct link *parent)
{
	link_close(&peers.ledger);
	link_close(&peers.policy);
	link_close(&peers.link);
	peers.ledger = framed_peer(parent, ROLE_LEDGER, &other_ops);
	peers.policy = framed_peer(parent, ROLE_POLICY, &other_ops);
	peers.link = framed_peer(parent, ROLE_QUEUE, &queue_ops);
}

/* ---- the next hop ---- */

static unsigned seen;

static void
on_progress(void *arg)
{
	struct span got = buf_get(&peers.sink.body);
	unsigned n = got.n > 1000;

	(void)arg;
	if (peers.sink.messages == seen)
		return;
	seen = peers.sink.messages;
	if (!span_eq(got, content(n)))
		framed_wrong("message %u came mangled to the next hop", n);
	told->taken[n]++;
}

static void
open_peers(struct loop *loop)
{
	peers.sink.progress = on_progress;
	sink_open(&peers.sink, loop, framed_keys.server_creds);
}

static bool
over(void)
{
	return told->over;
}

/* ---- all ---- */

static const struct framed framed = {
	.role = ROLE_RELAY, .ops = &relay_ops,
	/* To read authorities takes longer than all the rest. */
	.conf = "tls { ca-file = \"/nonexistent\" }\n",
	.open = open_peers, .ready = ready, .over = over,
};

static void
run(struct step *s)
{
	memset(told, 0, sizeof(*told));
	framed_run(&framed, s);
}

static unsigned
run_short(unsigned at, struct step *s)
{
	memset(told, 0, sizeof(*told));
	return framed_run_short(&framed, at, s);
}

static bool
look(const char *done, const struct step *s)
{
	if (!framed_look(done, s))
		return false;
	for (unsigned n = 0; n < MESSAGES; n++) {
		if (told->sent[n] && told->taken[n] <= told->jobs[n])
			continue;
		fprintf(stderr, "%s: message %u was asked for %u times and "
		    "taken %u times, sent %d\n", done, n, told->jobs[n],
		    told->taken[n], told->sent[n]);
		return false;
	}
	return true;
}

static bool
whole(void)
{
	return told->jobs[0] == 1 && told->jobs[1] == 1 && !framed_again();
}

int
main(int argc, char **argv)
{
	static const struct places places = { .kills = MOST, .faults = MOST,
	    .allocs = MOST, .run = run, .run_short = run_short,
	    .look = look, .whole = whole };

	told = framed_share(sizeof(*told));
	return told == NULL ? 1 : framed_main(&places, argc, argv);
}
