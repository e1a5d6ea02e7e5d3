/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/relay/role.c - the role between a queue, a ledger and a parent
 * that the test plays, sending to a server on loopback. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/finding.h"
#include "base/hop.h"
#include "base/outcome.h"
#include "relay/relay.h"
#include "tests/unit/relay/jobs.h"
#include "tests/unit/relay/sink.h"
#include "tests/unit/suite.h"
#include "tests/unit/tls/fixture.h"

#define JOBS_MAX	1200

struct rig {
	struct fix	 fix;		/* loop and credentials */
	struct sink	 sink;
	struct conf	 conf;
	struct role_env	 env;
	struct link	*queue, *ledger, *policy, *parent;	/* the far ends */
	bool		 (*done)(struct rig *);
	bool		 no_ack;

	unsigned	 outcomes, sent, deferred, failed, recipients;
	unsigned	 running, registered, drained, sessions, deliveries;
	uint64_t	 highest, bytes;
	bool		 tls_failed;
	unsigned char	 seen[JOBS_MAX];	/* outcomes per job */
	char		 reply[256], dsn[16], version[20], not_after[32];
	char		 issuer[128];
	unsigned	 reached, how;
	unsigned	 seen_tls, lost, finding, lost_reached;	/* by policy */
	char		 ehlo[64];
};

static void
progress(void *arg)
{
	struct rig *g = arg;

	if (g->done != NULL && g->done(g))
		loop_stop(g->fix.loop);
}

static void
run(struct rig *g, bool (*done)(struct rig *))
{
	g->done = done;
	g->fix.timed_out = false;
	loop_timer_set(g->fix.guard, 20000);
	if (!done(g))
		loop_run(g->fix.loop);
	loop_timer_stop(g->fix.guard);
	g->done = NULL;
	ck_assert_msg(!g->fix.timed_out, "nothing happened for too long: "
	    "%u outcomes, %u messages", g->outcomes, g->sink.messages);
}

/* ---- the far ends ---- */

static void
take_outcome(struct rig *g, const struct ipc_job_outcome *m)
{
	struct span list = m->outcomes;
	struct ipc_outcome o;

	g->outcomes++;
	g->tls_failed = m->tls_failed;
	if (m->job < JOBS_MAX)
		g->seen[m->job]++;
	while (ipc_get_outcome(&list, &o) == 1) {
		g->recipients++;
		g->sent += o.status == OUTCOME_SENT;
		g->deferred += o.status == OUTCOME_DEFERRED;
		g->failed += o.status == OUTCOME_FAILED;
		(void)span_copy(o.reply, g->reply, sizeof(g->reply));
		(void)span_copy(o.dsn, g->dsn, sizeof(g->dsn));
	}
	if (!g->no_ack)
		(void)ipc_send_outcome_ack(g->queue,
		    &(struct ipc_outcome_ack){ m->job }, -1);
}

static void
take_fact(struct rig *g, const struct ipc_msg *m)
{
	const struct ipc_fact_session *s = &m->u.fact_session;
	const struct ipc_fact_delivery *d = &m->u.fact_delivery;

	if (m->type == IPC_PEER_SEEN) {
		g->seen_tls++;
		ck_assert(span_eq(m->u.peer_seen.mx, SPAN_LIT("mx.example.org")));
	} else if (m->type == IPC_PEER_LOST) {
		g->lost++;
		g->finding = m->u.peer_lost.finding;
		g->lost_reached = m->u.peer_lost.reached;
		(void)span_copy(m->u.peer_lost.ehlo, g->ehlo, sizeof(g->ehlo));
	}
	if (m->type == IPC_FACT_SESSION) {
		g->sessions++;
		ck_assert_int_eq(s->out, 1);
		(void)span_copy(s->tls, g->version, sizeof(g->version));
		(void)span_copy(s->not_after, g->not_after,
		    sizeof(g->not_after));
		(void)span_copy(s->issuer, g->issuer, sizeof(g->issuer));
		g->reached = s->reached;
		g->how = s->how;
	} else if (m->type == IPC_FACT_DELIVERY) {
		g->deliveries += d->recipients;
		g->bytes += d->bytes;
		ck_assert(span_eq(d->domain, SPAN_LIT("example.org")));
	}
}

static void
far_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	struct rig *g = ctx;

	(void)l;
	switch (m->type) {
	case IPC_JOB_OUTCOME:
		take_outcome(g, &m->u.job_outcome);
		break;
	case IPC_JOB_RUNNING:
		g->running++;
		break;
	case IPC_REGISTERED:
		g->registered++;
		g->highest = m->u.registered.highest_job;
		break;
	case IPC_DRAINED:
		g->drained++;
		break;
	default:
		take_fact(g, m);
	}
	progress(g);
}

static void
far_closed(void *ctx, struct link *l, const char *why)
{
	(void)ctx, (void)l;
	ck_abort_msg("a link ended: %s", why);
}

static const struct link_ops far_ops = { far_message, NULL, far_closed };

/* ---- the role's ends ---- */

static void
near_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	struct rig *g = ctx;
	size_t i;

	for (i = 0; i < relay_ops.nhandlers; i++) {
		if (relay_ops.handlers[i].type == m->type) {
			relay_ops.handlers[i].run(&g->env, l, m);
			return;
		}
	}
	ck_abort_msg("no handler for %s", ipc_name(m->type));
}

static void
near_closed(void *ctx, struct link *l, const char *why)
{
	struct rig *g = ctx;
	enum role role = link_role(l);

	(void)why;
	g->env.peer[role][1] = NULL;
	relay_ops.peer_down(&g->env, role, 1);
}

static const struct link_ops near_ops = { near_message, NULL, near_closed };

static struct link *
connect_role(struct rig *g, enum role far, struct link **near)
{
	int sv[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, sv), 0);
	*near = link_new(g->fix.loop, sv[0], ROLE_RELAY, far, 1, &near_ops, g);
	return link_new(g->fix.loop, sv[1], far, ROLE_RELAY, 1, &far_ops, g);
}

static void
new_queue(struct rig *g)
{
	g->queue = connect_role(g, ROLE_QUEUE, &g->env.peer[ROLE_QUEUE][1]);
	relay_ops.peer_up(&g->env, g->env.peer[ROLE_QUEUE][1]);
}

static bool
is_registered(struct rig *g)
{
	return g->registered > 0;
}

static struct rig *
rig_open(void)
{
	static struct rig g;
	struct fault f;

	memset(&g, 0, sizeof(g));
	fix_open(&g.fix, true, false);
	g.conf = (struct conf){ .hostname = "relay.example.net" };
	g.conf.relay.sending.ehlo_name = g.conf.hostname;
	g.conf.relay.timeout.connect = g.conf.relay.timeout.handshake = 5000;
	g.conf.relay.timeout.greeting = g.conf.relay.timeout.command = 5000;
	g.conf.relay.timeout.data_start = g.conf.relay.timeout.data_block = 5000;
	g.conf.relay.timeout.data_end = 5000;
	g.sink.progress = progress;
	g.sink.arg = &g;
	sink_open(&g.sink, g.fix.loop, g.fix.server_creds);
	g.env = (struct role_env){ .role = ROLE_RELAY, .index = 1,
	    .loop = g.fix.loop, .conf = &g.conf, .ops = &relay_ops,
	    .keys_fd = -1 };
	g.parent = connect_role(&g, ROLE_PARENT, &g.env.parent);
	ck_assert_int_eq(relay_ops.start(&g.env, &f), 0);
	g.ledger = connect_role(&g, ROLE_LEDGER, &g.env.peer[ROLE_LEDGER][1]);
	relay_ops.peer_up(&g.env, g.env.peer[ROLE_LEDGER][1]);
	g.policy = connect_role(&g, ROLE_POLICY, &g.env.peer[ROLE_POLICY][1]);
	new_queue(&g);
	run(&g, is_registered);
	return &g;
}

static void
rig_close(struct rig *g)
{
	relay_ops.stop(&g->env);
	link_close(&g->queue);
	link_close(&g->ledger);
	link_close(&g->policy);
	link_close(&g->parent);
	link_close(&g->env.parent);
	link_close(&g->env.peer[ROLE_QUEUE][1]);
	link_close(&g->env.peer[ROLE_LEDGER][1]);
	link_close(&g->env.peer[ROLE_POLICY][1]);
	sink_close(&g->sink);
	fix_close(&g->fix);
}

/* ---- jobs ---- */

static void
send_route(struct rig *g, uint64_t job, uint16_t port, unsigned asked)
{
	jobs_route(g->queue, job, port, asked);
}

static bool failed_before;	/* of the jobs that follow */

static void
send_job(struct rig *g, uint64_t job, unsigned nrcpts, struct span body,
    uint64_t size, int fd)
{
	struct ipc_job m = { .job = job, .tls_failed = failed_before,
	    .size = size, .body = body };

	jobs_send(g->queue, &m, nrcpts, fd);
}

static void
send_small(struct rig *g, uint64_t job)
{
	send_route(g, job, g->sink.at.port, LEVEL_CLEAR);
	send_job(g, job, 2, SPAN_LIT("Subject: x\r\n\r\n.hi\r\n"), 19, -1);
}

static bool
one_outcome(struct rig *g)
{
	return g->outcomes == 1;
}

static bool
one_told(struct rig *g)
{
	return g->outcomes == 1 && g->deliveries > 0 &&
	    g->seen_tls + g->lost > 0;
}

static bool
two_lost(struct rig *g)
{
	return g->outcomes == 1 && g->lost == 2;
}

/* ---- tests ---- */

START_TEST(delivers_over_tls)
{
	struct rig *g = rig_open();

	send_small(g, 1);
	run(g, one_told);
	ck_assert_uint_eq(g->sent, 2);
	ck_assert_str_eq(g->reply, "250 2.0.0 taken");
	ck_assert_str_eq(g->dsn, "2.0.0");
	ck_assert_uint_eq(g->sink.tls, 1);
	ck_assert(span_eq(buf_get(&g->sink.body),
	    SPAN_LIT("Subject: x\r\n\r\n..hi\r\n")));
	ck_assert_uint_eq(g->sessions, 1);
	ck_assert_uint_eq(g->reached, LEVEL_ENCRYPTED);
	ck_assert_uint_eq(g->how, HOW_OPPORTUNISTIC);
	ck_assert_str_eq(g->version, "TLS1.3");
	ck_assert_uint_gt(strlen(g->not_after), 10);
	ck_assert_uint_gt(strlen(g->issuer), 3);
	ck_assert_uint_eq(g->deliveries, 2);
	ck_assert_uint_eq(g->bytes, 19);
	ck_assert_uint_eq(g->seen_tls, 1);
	ck_assert_uint_eq(g->lost, 0);
	rig_close(g);
}
END_TEST

START_TEST(delivers_in_clear)
{
	struct rig *g = rig_open();

	g->sink.no_starttls = true;
	send_small(g, 1);
	run(g, one_told);
	ck_assert_uint_eq(g->sent, 2);
	ck_assert_uint_eq(g->reached, LEVEL_CLEAR);
	ck_assert_uint_eq(g->how, HOW_NOT_OFFERED);
	ck_assert_str_eq(g->version, "none");
	ck_assert_uint_eq(g->lost, 1);
	ck_assert_uint_eq(g->lost_reached, LEVEL_CLEAR);
	/* but not where encryption is asked */
	send_route(g, 2, g->sink.at.port, LEVEL_ENCRYPTED);
	send_job(g, 2, 1, SPAN_LIT("x\r\n"), 3, -1);
	g->outcomes = 0;
	run(g, two_lost);
	ck_assert_uint_eq(g->deferred, 1);
	ck_assert_str_eq(g->dsn, "4.7.4");
	ck_assert(g->tls_failed);
	ck_assert_uint_eq(g->sink.messages, 1);
	ck_assert_uint_eq(g->finding, FINDING_STRIPPED);
	ck_assert_uint_eq(g->lost_reached, LEVEL_NONE);
	ck_assert_msg(strncmp(g->ehlo, "250 ", 4) == 0, "%s", g->ehlo);
	rig_close(g);
}
END_TEST

/* A handshake that does not work: twice, then later; and in the attempt after
 * it in clear, on a third connection. */
START_TEST(broken_handshake)
{
	struct rig *g = rig_open();

	g->sink.no_handshake = true;
	failed_before = false;
	send_small(g, 1);
	run(g, one_outcome);
	ck_assert_uint_eq(g->deferred, 2);
	ck_assert_str_eq(g->dsn, "4.7.5");
	ck_assert(g->tls_failed);
	ck_assert_uint_eq(g->sink.connections, 2);
	ck_assert_uint_eq(g->sink.rcpts, 0);
	failed_before = true;
	g->outcomes = g->deliveries = 0;
	send_small(g, 2);
	run(g, one_told);
	failed_before = false;
	ck_assert_uint_eq(g->sent, 2);
	ck_assert(!g->tls_failed);
	ck_assert_uint_eq(g->sink.connections, 5);
	ck_assert_uint_eq(g->reached, LEVEL_CLEAR);
	ck_assert_uint_eq(g->how, HOW_FAILED);
	rig_close(g);
}
END_TEST

/* A large message comes as a file and is read as the peer takes it. */
START_TEST(delivers_file)
{
	static char block[100000];
	struct rig *g = rig_open();
	int fd = memfd_create("body", MFD_CLOEXEC), i;

	for (i = 0; i < (int)sizeof(block); i++)
		block[i] = "0123456789abcdef\r\n"[i % 18];
	for (i = 0; i < 180; i++)	/* 18 bytes each line, whole lines */
		ck_assert_int_eq(write(fd, block, 99990), 99990);
	send_route(g, 1, g->sink.at.port, LEVEL_CLEAR);
	send_job(g, 1, 1, SPAN_NONE, 180u * 99990u, fd);
	run(g, one_outcome);
	ck_assert_uint_eq(g->sent, 1);
	ck_assert_uint_eq(g->sink.body_bytes, 180u * 99990u);
	rig_close(g);
}
END_TEST

/* A file that is shorter than the message is never ended with a dot. */
START_TEST(short_file)
{
	struct rig *g = rig_open();
	int fd = memfd_create("body", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, "a\r\n", 3), 3);
	send_route(g, 1, g->sink.at.port, LEVEL_CLEAR);
	send_job(g, 1, 1, SPAN_NONE, 100, fd);
	run(g, one_outcome);
	ck_assert_uint_eq(g->deferred, 1);
	ck_assert_str_eq(g->dsn, "4.3.0");
	ck_assert_uint_eq(g->sink.messages, 0);
	rig_close(g);
}
END_TEST

static bool
all_jobs(struct rig *g)
{
	return g->outcomes >= JOBS_MAX - 1;
}

static unsigned next_job, in_flight_max;

/* As queue does it: the next job to the site when one is decided. */
static bool
feed(struct rig *g)
{
	while (next_job < JOBS_MAX && next_job - 1 - g->outcomes < in_flight_max)
		send_small(g, next_job++);
	return all_jobs(g);
}

/* Many messages over few connections, each with its own outcome, once. */
START_TEST(many_jobs)
{
	struct rig *g = rig_open();
	unsigned i;

	next_job = 1;
	in_flight_max = 10;
	run(g, feed);
	ck_assert_uint_eq(g->sent, 2 * (JOBS_MAX - 1));
	ck_assert_uint_eq(g->sink.messages, JOBS_MAX - 1);
	for (i = 1; i < JOBS_MAX; i++)
		ck_assert_uint_eq(g->seen[i], 1);
	/* 100 messages a connection */
	ck_assert_uint_le(g->sink.connections, 2 * in_flight_max + JOBS_MAX / 100);
	rig_close(g);
}
END_TEST

static bool
message_is_held(struct rig *g)
{
	return g->outcomes == 1 && g->sink.rcpts == 3 && g->sink.connections > 0;
}

static bool
told_new_queue(struct rig *g)
{
	return g->registered == 1;
}

static bool
both_again(struct rig *g)
{
	return g->outcomes >= 2;
}

/* queue dies: a new one is told what is being sent, gets the outcome that the
 * old one has not acknowledged, and that of the message that goes on. */
START_TEST(queue_dies)
{
	struct rig *g = rig_open();

	g->no_ack = true;
	send_small(g, 3);
	run(g, one_outcome);
	g->sink.hold_final = true;
	send_route(g, 7, g->sink.at.port, LEVEL_CLEAR);
	send_job(g, 7, 1, SPAN_LIT("x\r\n"), 3, -1);
	/* and a route whose job never comes */
	send_route(g, 8, g->sink.at.port, LEVEL_CLEAR);
	run(g, message_is_held);

	link_close(&g->queue);
	link_close(&g->env.peer[ROLE_QUEUE][1]);
	relay_ops.peer_down(&g->env, ROLE_QUEUE, 1);
	g->registered = g->outcomes = 0;
	g->no_ack = false;
	new_queue(g);
	run(g, told_new_queue);
	ck_assert_uint_eq(g->running, 2);
	ck_assert_uint_eq(g->highest, 8);
	ck_assert_uint_eq(g->seen[3], 2);
	ck_assert_uint_eq(g->seen[7], 0);
	sink_release(&g->sink);
	run(g, both_again);
	ck_assert_uint_eq(g->seen[3], 2);
	ck_assert_uint_eq(g->seen[7], 1);
	ck_assert_uint_eq(g->sink.messages, 2);
	rig_close(g);
}
END_TEST

static bool
is_drained(struct rig *g)
{
	return g->drained == 1;
}

static bool
is_held(struct rig *g)
{
	return g->sink.rcpts == 2;
}

START_TEST(drains)
{
	struct rig *g = rig_open();

	g->sink.hold_final = true;
	send_small(g, 1);
	run(g, is_held);
	g->env.draining = true;
	relay_ops.drain(&g->env);
	sink_release(&g->sink);
	run(g, is_drained);
	ck_assert_uint_eq(g->outcomes, 1);
	ck_assert_uint_eq(g->sent, 2);
	rig_close(g);
}
END_TEST

START_TEST(drains_at_once)
{
	struct rig *g = rig_open();

	send_small(g, 1);
	run(g, one_outcome);
	g->env.draining = true;
	relay_ops.drain(&g->env);
	run(g, is_drained);
	rig_close(g);
}
END_TEST

/* A route that can't be read, and a job without one, end as deferred. */
START_TEST(bad_routes)
{
	struct rig *g = rig_open();

	ck_assert_int_eq(ipc_send_job_route(g->queue, &(struct ipc_job_route){
	    .job = 1, .route = SPAN_LIT("nonsense") }, -1), 0);
	send_job(g, 1, 2, SPAN_LIT("x\r\n"), 3, -1);
	run(g, one_outcome);
	ck_assert_uint_eq(g->deferred, 2);
	send_job(g, 2, 1, SPAN_LIT("x\r\n"), 3, -1);
	g->outcomes = 0;
	run(g, one_outcome);
	ck_assert_uint_eq(g->deferred, 3);
	/* one whose size is not that of its body, and no file */
	send_job(g, 3, 1, SPAN_LIT("x\r\n"), 4, -1);
	g->outcomes = 0;
	run(g, one_outcome);
	ck_assert_uint_eq(g->deferred, 4);
	ck_assert_str_eq(g->dsn, "4.3.0");
	rig_close(g);
}
END_TEST

START_TEST(nobody_listens)
{
	struct rig *g = rig_open();

	send_route(g, 1, 1, LEVEL_CLEAR);
	send_job(g, 1, 1, SPAN_LIT("x\r\n"), 3, -1);
	run(g, one_outcome);
	ck_assert_uint_eq(g->deferred, 1);
	ck_assert_str_eq(g->dsn, "4.4.1");
	ck_assert_ptr_nonnull(strstr(g->reply, "Connection refused"));
	rig_close(g);
}
END_TEST

static size_t
read_back(FILE *f, char *out, size_t size)
{
	size_t n;

	rewind(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	return n;
}

/* The log line is an interface: its keys and their order. */
START_TEST(log_line)
{
	static const char *const keys[] = { "delivery", "id=abcdefghijklmnop",
	    "session=", "from=<from@example.net>", "to=<to@example.org>",
	    "domain=example.org", "mx=mx.example.org", "addr=127.0.0.1",
	    "asked=clear", "why=none", "reached=encrypted",
	    "how=opportunistic", "tls=TLS1.3", "cipher=", "kx=", "spki=",
	    "resumed=", "dsn=2.0.0", "status=sent", "delay=1.",
	    "reply=\"250 2.0.0 taken\"", "weak=none\n" };
	static char text[65536];
	struct rig *g = rig_open();
	FILE *f = tmpfile();
	int err = dup(STDERR_FILENO);
	const char *at = text;
	size_t i;

	(void)fflush(stderr);
	ck_assert_int_ge(dup2(fileno(f), STDERR_FILENO), 0);
	send_small(g, 1);
	run(g, one_outcome);
	ck_assert_int_ge(dup2(err, STDERR_FILENO), 0);
	(void)close(err);
	ck_assert_uint_gt(read_back(f, text, sizeof(text)), 0);
	(void)fclose(f);
	for (i = 0; i < NELEM(keys); i++) {
		at = strstr(at, keys[i]);
		ck_assert_msg(at != NULL, "no %s, or not in order, in:\n%s",
		    keys[i], text);
	}
	rig_close(g);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay role");
	TCase *tc = tcase_create("role");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, delivers_over_tls);
	tcase_add_test(tc, delivers_in_clear);
	tcase_add_test(tc, broken_handshake);
	tcase_add_test(tc, delivers_file);
	tcase_add_test(tc, short_file);
	tcase_add_test(tc, many_jobs);
	tcase_add_test(tc, queue_dies);
	tcase_add_test(tc, drains);
	tcase_add_test(tc, drains_at_once);
	tcase_add_test(tc, bad_routes);
	tcase_add_test(tc, nobody_listens);
	tcase_add_test(tc, log_line);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
