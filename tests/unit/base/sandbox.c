/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* What each role may and may not do once it is in its sandbox: each row enters
 * it in a process of its own and tries one thing. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "tests/hostile/attempts.h"
#include "tests/unit/suite.h"

#define DENIED		ENOSYS		/* by the filter */
#define KILLED		(1000 + SIGSYS)
#define OK		0

static char dir[] = "/tmp/sealane-sandbox.XXXXXX";
static char ca_file[64];
static struct conf conf;
static struct loop *loop;
static struct sandbox in_force;

static int
open_ca(int flags)
{
	return open(ca_file, flags | O_CLOEXEC) == -1 ? errno : 0;
}

static int read_ca(void) { return open_ca(O_RDONLY); }
static int write_ca(void) { return open_ca(O_WRONLY); }

static int passed;

static void
in_pool(void *arg)
{
	(void)arg;
	passed = attempt_read_passwd();
}

static void
pool_done(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

/* A thread that was there before the files were shut would still open them. */
static int
read_in_pool(void)
{
	if (loop_work(loop, in_pool, pool_done, NULL) == -1)
		return -1;
	loop_run(loop);
	return passed;
}

#define STRICT		1	/* not in a build with sanitizers */
#define MAIL_STORE	2	/* some domain's mail goes to a local socket */
static const struct row {
	const char	*name;
	enum role	 role;
	int		(*run)(void);
	int		 want;
	unsigned	 abi;		/* Landlock needed for it */
	unsigned	 flags;
} rows[] = {
	{ "smtpd opens a file", ROLE_SMTPD, attempt_read_passwd, DENIED, 0,
	  STRICT },
	{ "smtpd opens a key", ROLE_SMTPD, attempt_read_key, DENIED, 0,
	  STRICT },
	{ "smtpd calls out", ROLE_SMTPD, attempt_tcp, DENIED, 0, STRICT },
	{ "smtpd asks DNS", ROLE_SMTPD, attempt_udp, DENIED, 0, STRICT },
	{ "smtpd talks to daemons", ROLE_SMTPD, attempt_local, DENIED, 0,
	  STRICT },
	{ "smtpd runs a program", ROLE_SMTPD, attempt_exec, KILLED, 0, 0 },
	{ "smtpd forks", ROLE_SMTPD, attempt_fork, DENIED, 0, STRICT },
	{ "smtpd traces", ROLE_SMTPD, attempt_trace, KILLED, 0, STRICT },
	{ "smtpd signals", ROLE_SMTPD, attempt_signal, DENIED, 0, STRICT },
	{ "smtpd signals a thread", ROLE_SMTPD, attempt_signal_thread, DENIED,
	  0, STRICT },
	{ "smtpd maps code", ROLE_SMTPD, attempt_map_code, DENIED, 0, STRICT },
	{ "smtpd makes data code", ROLE_SMTPD, attempt_make_code, DENIED, 0,
	  STRICT },
	{ "smtpd makes a memory file", ROLE_SMTPD, attempt_memory_file, DENIED,
	  0, STRICT },
	{ "smtpd io_uring", ROLE_SMTPD, attempt_io_uring, KILLED, 0, 0 },
	{ "smtpd bpf", ROLE_SMTPD, attempt_bpf, KILLED, 0, 0 },
	{ "smtpd mounts", ROLE_SMTPD, attempt_mount, KILLED, 0, 0 },
	{ "smtpd user namespace", ROLE_SMTPD, attempt_user_namespace, KILLED,
	  0, 0 },
	{ "smtpd setuid", ROLE_SMTPD, attempt_setuid, KILLED, 0, 0 },
	{ "smtpd netlink", ROLE_SMTPD, attempt_netlink, KILLED, 0, 0 },
	{ "smtpd packet", ROLE_SMTPD, attempt_packet, KILLED, 0, 0 },
	{ "smtpd vsock", ROLE_SMTPD, attempt_vsock, KILLED, 0, 0 },
	{ "smtpd filters a socket", ROLE_SMTPD, attempt_filter_socket, DENIED,
	  0, STRICT },
	{ "smtpd F_SETOWN", ROLE_SMTPD, attempt_signal_owner, DENIED, 0,
	  STRICT },
	{ "smtpd sets a limit", ROLE_SMTPD, attempt_set_limit, DENIED, 0,
	  STRICT },
	{ "smtpd aborts", ROLE_SMTPD, attempt_abort, OK, 0, 0 },

	{ "keys reads its keys", ROLE_KEYS, attempt_read_key, OK, 0, 0 },
	{ "keys makes a key", ROLE_KEYS, attempt_make_key, OK, 0, 0 },
	{ "keys reads the spool", ROLE_KEYS, attempt_read_spool, EACCES, 2,
	  STRICT },
	{ "keys writes the spool", ROLE_KEYS, attempt_make_spool, EACCES, 2,
	  0 },
	{ "keys reads passwd", ROLE_KEYS, attempt_read_passwd, EACCES, 2,
	  STRICT },
	{ "keys calls out", ROLE_KEYS, attempt_tcp, DENIED, 0, STRICT },

	{ "queue reads the spool", ROLE_QUEUE, attempt_read_spool, OK, 0, 0 },
	{ "queue makes a file", ROLE_QUEUE, attempt_make_spool, OK, 0, 0 },
	{ "queue puts aside", ROLE_QUEUE, attempt_move_spool, OK, 0, 0 },
	{ "queue reads random bytes", ROLE_QUEUE, attempt_read_random, OK, 0,
	  0 },
	{ "queue reads a key", ROLE_QUEUE, attempt_read_key, EACCES, 2,
	  STRICT },
	{ "queue writes a key", ROLE_QUEUE, attempt_make_key, EACCES, 2, 0 },
	{ "queue writes beside it", ROLE_QUEUE, attempt_make_state, EACCES, 2,
	  0 },
	{ "queue reads in a thread", ROLE_QUEUE, read_in_pool, EACCES, 2,
	  STRICT },
	{ "queue pokes in memory", ROLE_QUEUE, attempt_open_own_memory, EACCES,
	  2, 0 },
	{ "queue calls out", ROLE_QUEUE, attempt_tcp, DENIED, 0, STRICT },
	{ "queue forks", ROLE_QUEUE, attempt_fork, DENIED, 0, STRICT },

	{ "relay calls out", ROLE_RELAY, attempt_connect_other, OK, 0, 0 },
	{ "relay by IPv6", ROLE_RELAY, attempt_tcp6, OK, 0, 0 },
	{ "relay from an address", ROLE_RELAY, attempt_bind_source, OK, 0, 0 },
	{ "relay listens", ROLE_RELAY, attempt_listen, EACCES, 4, 0 },
	{ "relay asks DNS", ROLE_RELAY, attempt_udp, DENIED, 0, STRICT },
	{ "relay has no mail store", ROLE_RELAY, attempt_local, DENIED, 0,
	  STRICT },
	{ "relay has a mail store", ROLE_RELAY, attempt_local, OK, 0,
	  MAIL_STORE },
	{ "relay talks to daemons", ROLE_RELAY, attempt_local_datagram, DENIED,
	  0,
	  STRICT | MAIL_STORE },
	{ "a mail store is relay's", ROLE_SMTPD, attempt_local, DENIED, 0,
	  STRICT | MAIL_STORE },
	{ "relay sends raw", ROLE_RELAY, attempt_raw, DENIED, 0, STRICT },
	{ "relay opens a file", ROLE_RELAY, attempt_read_passwd, DENIED, 0,
	  STRICT },

	{ "resolver by UDP", ROLE_RESOLVER, attempt_udp, OK, 0, 0 },
	{ "resolver by TCP", ROLE_RESOLVER, attempt_connect_dns, OK, 0, 0 },
	{ "resolver to a forwarder", ROLE_RESOLVER, attempt_connect_forward,
	  OK, 0, 0 },
	{ "resolver elsewhere", ROLE_RESOLVER, attempt_connect_other, EACCES,
	  4, 0 },
	{ "resolver opens a file", ROLE_RESOLVER, attempt_read_passwd, DENIED,
	  0, STRICT },

	{ "policy writes its file", ROLE_POLICY, attempt_write_policy, OK, 0,
	  0 },
	{ "policy writes another's", ROLE_POLICY, attempt_write_ledger, EACCES,
	  2, 0 },
	{ "policy opens a file", ROLE_POLICY, attempt_read_passwd, EACCES, 2,
	  STRICT },
	{ "policy calls out", ROLE_POLICY, attempt_tcp, DENIED, 0, STRICT },

	{ "fetch by HTTPS", ROLE_FETCH, attempt_connect_https, OK, 0, 0 },
	{ "fetch elsewhere", ROLE_FETCH, attempt_connect_other, EACCES, 4, 0 },
	{ "fetch asks DNS", ROLE_FETCH, attempt_udp, DENIED, 0, STRICT },
	{ "fetch reads authorities", ROLE_FETCH, read_ca, OK, 0, 0 },
	{ "fetch writes them", ROLE_FETCH, write_ca, EACCES, 2, 0 },
	{ "fetch opens a file", ROLE_FETCH, attempt_read_passwd, EACCES, 2,
	  STRICT },
	{ "fetch reads a key", ROLE_FETCH, attempt_read_key, EACCES, 2,
	  STRICT },
	{ "fetch writes policy.db", ROLE_FETCH, attempt_write_policy, EACCES,
	  2, 0 },
	{ "fetch wakes itself", ROLE_FETCH, attempt_pair, OK, 0, 0 },
	{ "smtpd wakes nobody", ROLE_SMTPD, attempt_pair, DENIED, 0, STRICT },

	{ "ledger writes its file", ROLE_LEDGER, attempt_write_ledger, OK, 0,
	  0 },
	{ "ledger writes beside it", ROLE_LEDGER, attempt_make_state, EACCES,
	  2, 0 },
	{ "ledger reads the spool", ROLE_LEDGER, attempt_read_spool, EACCES, 2,
	  STRICT },
	{ "ledger calls out", ROLE_LEDGER, attempt_tcp, DENIED, 0, STRICT },
};

static void
touch(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ne(fd, -1);
	close(fd);
}

static void
set_up(void)
{
	static const char *const folders[] = { "keys", "spool", "spool/damaged" };
	static const char *forward[] = { "127.0.0.1@1053" };
	char path[128];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	for (int i = 0; i < NELEM(folders); i++) {
		snprintf(path, sizeof path, "%s/%s", dir, folders[i]);
		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
	touch("keys/key");
	touch("spool/message");
	touch("ledger.db");
	touch("policy.db");
	touch("ca.pem");
	snprintf(ca_file, sizeof ca_file, "%s/ca.pem", dir);
	conf.tls.ca_file = ca_file;
	attempt_victim = getpid();
	attempt_state = dir;
	conf.state_directory = dir;
	conf.dns.forward = forward;
	conf.dns.nforward = 1;
}

static void
tear_down(void)
{
	static const char *const names[] = { "keys/key", "keys/new", "keys",
	    "spool/message", "spool/new", "spool/damaged/message",
	    "spool/damaged", "spool", "ledger.db", "policy.db", "ca.pem",
	    "new", "" };

	for (int i = 0; i < NELEM(names); i++) {
		char path[128];

		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		remove(path);
	}
}

/* What came of it in a process of its own: an errno, 0, or 1000 + signal. */
static int
try_it(const struct row *r, struct sandbox *got)
{
	struct fault f = { 0 };
	int fds[2], status, result = -1;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		loop = loop_new();
		if (sandbox_enter(r->role, &conf, loop, &in_force, &f) == -1) {
			fprintf(stderr, "%s\n", f.text);
			_exit(1);
		}
		if (write(fds[1], &in_force, sizeof in_force) == -1)
			_exit(1);
		result = r->run();
		_exit(write(fds[1], &result, sizeof result) == -1);
	}
	close(fds[1]);
	ck_assert_int_eq(read(fds[0], got, sizeof *got), sizeof *got);
	if (read(fds[0], &result, sizeof result) != sizeof result)
		result = -1;
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : result;
}

static bool
applies(const struct row *r, const struct sandbox *got)
{
#ifdef SEALANE_SANITIZED
	if ((r->flags & STRICT) != 0)
		return false;
#endif
	return r->abi <= got->landlock;
}

START_TEST(attempts)
{
	static struct conf_accept store = { .to = { .kind = HOP_UNIX } };
	const struct row *r = &rows[_i];
	struct sandbox got;
	int result;

	if ((r->flags & MAIL_STORE) != 0) {
		conf.accepts = &store;
		conf.naccepts = 1;
	}
	result = try_it(r, &got);

	ck_assert_int_ne(got.calls, SANDBOX_CALLS_NONE);
	if (applies(r, &got))
		ck_assert_msg(result == r->want, "%s: %d, want %d", r->name,
		    result, r->want);
}
END_TEST

/* Older kernels: what they lack is open, what they have holds. */
static const struct {
	const char	*name, *sandbox;
	unsigned	 most;
	int		 spool, port;	/* keys reads the spool, relay listens */
} kernels[] = {
	{ "no Landlock", "landlock=0", 0, OK, OK },
	{ "ABI 1 cannot rename", "landlock=1", 0, OK, OK },
	{ "ABI 2, Debian 12", "landlock=2", 2, EACCES, OK },
	{ "ABI 3", "landlock=3", 3, EACCES, OK },
	{ "ABI 4 knows ports", "landlock=4", 4, EACCES, EACCES },
	{ "ABI 5", "landlock=5", 5, EACCES, EACCES },
	{ "the newest", "", 1000, EACCES, EACCES },
};

START_TEST(older_kernels)
{
	static const struct row spool = { "", ROLE_KEYS, attempt_make_spool, 0, 0, 0 };
	static const struct row port = { "", ROLE_RELAY, attempt_listen, 0, 0, 0 };
	static const struct row aside = { "", ROLE_QUEUE, attempt_move_spool, 0, 0, 0 };
	struct sandbox all, got;

	unsetenv("SEALANE_SANDBOX");
	try_it(&aside, &all);
	touch("spool/message");
	setenv("SEALANE_SANDBOX", kernels[_i].sandbox, 1);
	ck_assert_int_eq(try_it(&aside, &got), OK);
	ck_assert_uint_eq(got.landlock, all.landlock < kernels[_i].most ?
	    all.landlock : kernels[_i].most);
	if (got.landlock == kernels[_i].most || kernels[_i].most == 1000) {
		ck_assert_int_eq(try_it(&spool, &got), all.landlock >= 2 ?
		    kernels[_i].spool : OK);
		ck_assert_int_eq(try_it(&port, &got), all.landlock >= 4 ?
		    kernels[_i].port : OK);
	}
}
END_TEST

START_TEST(no_filter)
{
	static const struct row fork_row = { "", ROLE_SMTPD, attempt_fork, 0, 0, 0 };
	struct sandbox got;

	setenv("SEALANE_SANDBOX", "landlock=0,no-seccomp", 1);
	ck_assert_int_eq(try_it(&fork_row, &got), OK);
	ck_assert_int_eq(got.calls, SANDBOX_CALLS_NONE);
	ck_assert_uint_eq(got.landlock, 0);
}
END_TEST

#ifndef SEALANE_SANITIZED
static int
twice(void)
{
	(void)attempt_tcp();
	(void)attempt_tcp();
	return attempt_fork();
}

START_TEST(denial_is_logged_once)
{
	static const struct row row = { "", ROLE_POLICY, twice, 0, 0, 0 };
	struct sandbox got;
	char text[2000] = "";
	FILE *log = tmpfile();
	int saved = dup(STDERR_FILENO);
	const char *at;

	ck_assert_ptr_nonnull(log);
	log_open("policy", _i == 0 ? LOG_LOGFMT : LOG_JSON);
	dup2(fileno(log), STDERR_FILENO);
	ck_assert_int_eq(try_it(&row, &got), DENIED);
	dup2(saved, STDERR_FILENO);
	rewind(log);
	ck_assert_uint_gt(fread(text, 1, sizeof text - 1, log), 0);
	at = strstr(text, _i == 0 ?
	    "Z policy call-denied level=error call=socket number=" :
	    "Z\",\"role\":\"policy\",\"event\":\"call-denied\",\"level\":\"error\","
	    "\"call\":\"socket\",\"number\":");
	ck_assert_ptr_nonnull(at);
	ck_assert_ptr_null(strstr(strstr(at, "socket") + 1, "socket"));
	ck_assert_ptr_nonnull(strstr(at, "clone"));
	fclose(log);
	close(saved);
}
END_TEST
#endif

int
main(void)
{
	Suite *s = suite_create("base/sandbox");
	TCase *tc = tcase_create("roles");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, attempts, 0, NELEM(rows));
	tcase_add_loop_test(tc, older_kernels, 0, NELEM(kernels));
	tcase_add_test(tc, no_filter);
#ifndef SEALANE_SANITIZED
	tcase_add_loop_test(tc, denial_is_logged_once, 0, 2);
#endif
	suite_add_tcase(s, tc);
	return suite_run(s);
}
