/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The role with real links and a real control socket, in one loop. */
#include "ledger/ledger.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/control.h"
#include "base/db.h"
#include "base/hop.h"
#include "report/schema.h"
#include "tests/unit/suite.h"

static char dir[64];
static struct conf conf;
static struct role_env env;
static struct link *sender, *receiver;

static void
setup(void)
{
	snprintf(dir, sizeof dir, "/tmp/sealane-ledger-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	conf = (struct conf){ .state_directory = dir, .control_directory = dir };
}

static void
teardown(void)
{
	static const char *const names[] = { LEDGER_FILE, LEDGER_FILE "-wal",
	    LEDGER_FILE "-shm", "ledger" };
	char name[100];
	size_t i;

	for (i = 0; i < NELEM(names); i++) {
		snprintf(name, sizeof name, "%s/%s", dir, names[i]);
		unlink(name);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
message(void *ctx, struct link *l, struct ipc_msg *m)
{
	size_t i;

	for (i = 0; i < ledger_ops.nhandlers; i++)
		if (ledger_ops.handlers[i].type == m->type)
			ledger_ops.handlers[i].run(ctx, l, m);
}

static void
closed(void *ctx, struct link *l, const char *why)
{
	(void)ctx, (void)l;
	ck_abort_msg("a link closed: %s", why);
}

static const struct link_ops link_ops = { message, NULL, closed };

static void
start(void)
{
	struct fault f = { 0 };
	int sv[2];

	env = (struct role_env){ .role = ROLE_LEDGER, .index = 1,
	    .loop = loop_new(), .conf = &conf, .ops = &ledger_ops };
	ck_assert_msg(ledger_ops.start(&env, &f) == 0, "%s", f.text);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    sv), 0);
	sender = link_new(env.loop, sv[0], ROLE_RELAY, ROLE_LEDGER, 1,
	    &link_ops, &env);
	receiver = link_new(env.loop, sv[1], ROLE_LEDGER, ROLE_RELAY, 1,
	    &link_ops, &env);
	ck_assert(sender != NULL && receiver != NULL);
}

static void
stop(void)
{
	ledger_ops.stop(&env);
	link_close(&sender);
	link_close(&receiver);
	loop_free(&env.loop);
}

static int
send_fact(uint64_t n)
{
	char id[17];

	snprintf(id, sizeof id, "%016llu", (unsigned long long)n);
	return ipc_send_fact_delivery(sender, &(struct ipc_fact_delivery){
	    .out = 1, .time = 1767225600000ULL + n, .id = span_str(id),
	    .session = SPAN_LIT("s"), .domain = SPAN_LIT("example.org"),
	    .mx = SPAN_LIT("mx.example.org"), .addr = SPAN_LIT("192.0.2.1"),
	    .reached = LEVEL_ENCRYPTED, .how = HOW_OPPORTUNISTIC,
	    .status = SPAN_LIT("sent"), .dsn = SPAN_LIT("2.0.0"),
	    .recipients = 1, .bytes = 100 }, -1);
}

static int64_t
number(const char *sql)
{
	char path[100];
	struct fault f = { 0 };
	struct db *db;
	struct db_stmt *s;
	int64_t n;

	snprintf(path, sizeof path, "%s/" LEDGER_FILE, dir);
	db = db_open_reader(path, &f);
	ck_assert_msg(db != NULL, "%s", f.text);
	s = db_prepare(db, sql, &f);
	ck_assert_msg(s != NULL, "%s", f.text);
	ck_assert_int_eq(db_step(s, &f), 1);
	n = db_int(s, 0);
	db_close(&db);
	return n;
}

static void
end(void *arg)
{
	loop_stop(arg);
}

static void
run_for(uint64_t ms)
{
	struct loop_timer *t = loop_timer_new(env.loop, end, env.loop);

	loop_timer_set(t, ms);
	loop_run(env.loop);
	loop_timer_close(&t);
}

START_TEST(committed_within_a_second)
{
	start();
	ck_assert_int_eq(send_fact(1), 0);
	run_for(1500);
	ck_assert_int_eq(number("SELECT count(*) FROM delivery"), 1);
	stop();
}
END_TEST

START_TEST(stop_loses_nothing)
{
	start();
	ck_assert_int_eq(send_fact(1), 0);
	run_for(50);
	ck_assert_int_eq(number("SELECT count(*) FROM delivery"), 0);
	stop();
	ck_assert_int_eq(number("SELECT count(*) FROM delivery"), 1);
}
END_TEST

/* More than the link takes: the rest is dropped by its sender, counted, and
 * named by the ledger. */
START_TEST(dropped_facts_become_a_gap)
{
	int i, sent = 0;

	start();
	for (i = 0; i < 3000; i++)
		sent += send_fact((uint64_t)i) == 0;
	ck_assert_int_lt(sent, 3000);
	run_for(200);
	sent += send_fact(3000) == 0;	/* takes the count along */
	run_for(1500);
	ck_assert_int_eq(number("SELECT count(*) FROM delivery"), sent);
	ck_assert_int_eq(number("SELECT sum(dropped) FROM gap WHERE "
	    "role = 'relay' AND instance = 1 AND reason = 'link-full'"),
	    3001 - sent);
	stop();
}
END_TEST

/* ---- the control socket ---- */

static int
listening(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof sun.sun_path, "%s/ledger", dir);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

static pid_t
call_in_child(const char *cmd)
{
	struct fault f = { 0 };
	pid_t pid = fork();

	if (pid == 0)
		_exit(control_call(&conf, "ledger", json_pack("{s:s}", "cmd",
		    cmd), NULL, NULL, &f));
	ck_assert_int_gt(pid, 0);
	return pid;
}

/* Runs the loop until the child has ended. */
static int
result(pid_t pid)
{
	pid_t ended;
	int status;

	while ((ended = waitpid(pid, &status, WNOHANG)) == 0)
		run_for(10);
	ck_assert_int_eq(ended, pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(flush_takes_what_was_sent_before)
{
	struct ipc_msg m = { .type = IPC_CONTROL };
	pid_t flush[3], nonsense;
	size_t i;
	int k;

	start();
	m.fd = listening();
	message(&env, NULL, &m);
	ck_assert_int_eq(m.fd, -1);
	for (i = 0; i < NELEM(flush); i++)
		flush[i] = call_in_child("flush");
	nonsense = call_in_child("drop everything");
	for (k = 0; k < 100; k++)
		ck_assert_int_eq(send_fact((uint64_t)k), 0);
	for (i = 0; i < NELEM(flush); i++)
		ck_assert_int_eq(result(flush[i]), 0);
	ck_assert_int_eq(result(nonsense), 64);
	ck_assert_int_eq(number("SELECT count(*) FROM delivery"), 100);
	/* One that goes away while it waits. */
	flush[0] = call_in_child("flush");
	run_for(20);
	stop();
	ck_assert_int_eq(waitpid(flush[0], &k, 0), flush[0]);
	ck_assert(WIFEXITED(k) && WEXITSTATUS(k) == 69);
}
END_TEST

START_TEST(start_names_the_file)
{
	struct fault f = { 0 };

	env = (struct role_env){ .role = ROLE_LEDGER, .index = 1,
	    .loop = loop_new(), .conf = &conf, .ops = &ledger_ops };
	conf.state_directory = "/nonexistent/state";
	ck_assert_int_eq(ledger_ops.start(&env, &f), -1);
	ck_assert_ptr_nonnull(strstr(f.text, "/nonexistent/state/ledger.db"));
	loop_free(&env.loop);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ledger_role");
	TCase *tc = tcase_create("role");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, committed_within_a_second);
	tcase_add_test(tc, stop_loses_nothing);
	tcase_add_test(tc, dropped_facts_become_a_gap);
	tcase_add_test(tc, flush_takes_what_was_sent_before);
	tcase_add_test(tc, start_names_the_file);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
