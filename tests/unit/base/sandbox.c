/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* What each role may and may not do once it is in its sandbox: each row enters
 * it in a process of its own and tries one thing. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "tests/unit/suite.h"

#define DENIED		ENOSYS		/* by the filter */
#define KILLED		(1000 + SIGSYS)
#define OK		0
#define PORT_OTHER	1053

static char dir[] = "/tmp/sealane-sandbox.XXXXXX";
static char ca_file[64];
static struct conf conf;
static struct loop *loop;
static struct sandbox in_force;
static pid_t parent;

/* Each returns 0 or an errno. */

static int
open_it(const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", name[0] == '/' ? "" : dir, name);
	return open(path, flags | O_CLOEXEC, 0600) == -1 ? errno : 0;
}

static int open_passwd(void) { return open_it("/etc/passwd", O_RDONLY); }
static int open_mem(void) { return open_it("/proc/self/mem", O_RDWR); }
static int read_key(void) { return open_it("keys/key", O_RDONLY); }
static int read_spool(void) { return open_it("spool/message", O_RDONLY); }
static int make_spool(void) { return open_it("spool/new", O_WRONLY | O_CREAT); }
static int make_key(void) { return open_it("keys/new", O_WRONLY | O_CREAT); }
static int make_state(void) { return open_it("new", O_WRONLY | O_CREAT); }
static int write_ledger(void) { return open_it("ledger.db", O_RDWR | O_TRUNC); }
static int write_policy(void) { return open_it("policy.db", O_RDWR | O_TRUNC); }
static int read_ca(void) { return open_it("ca.pem", O_RDONLY); }
static int write_ca(void) { return open_it("ca.pem", O_WRONLY); }
static int read_random(void) { return open_it("/dev/urandom", O_RDONLY); }

static int
move_spool(void)
{
	char from[128], to[128];

	snprintf(from, sizeof from, "%s/spool/message", dir);
	snprintf(to, sizeof to, "%s/spool/damaged/message", dir);
	return rename(from, to) == -1 ? errno : 0;
}

static int passed;
static void
in_pool(void *arg)
{
	(void)arg;
	passed = open_passwd();
}

static void
pool_done(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

/* A thread that was there before the files were shut would still open them. */
static int
open_in_pool(void)
{
	if (loop_work(loop, in_pool, pool_done, NULL) == -1)
		return -1;
	loop_run(loop);
	return passed;
}

static int
run_program(void)
{
	char *argv[] = { (char *)(uintptr_t)"true", NULL };

	execv("/bin/true", argv);
	return errno;
}

static int
fork_it(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return pid == -1 ? errno : 0;
}

static int
socket_it(int family, int type)
{
	return socket(family, type, 0) == -1 ? errno : 0;
}

static int tcp(void) { return socket_it(AF_INET, SOCK_STREAM); }
static int tcp6(void) { return socket_it(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC); }
static int udp(void) { return socket_it(AF_INET, SOCK_DGRAM); }
static int raw(void) { return socket_it(AF_INET, SOCK_RAW); }
static int local(void) { return socket_it(AF_UNIX, SOCK_STREAM); }
static int local_datagram(void) { return socket_it(AF_UNIX, SOCK_DGRAM); }
static int netlink(void) { return socket_it(AF_NETLINK, SOCK_RAW); }
static int packet(void) { return socket_it(AF_PACKET, SOCK_RAW); }
static int vsock(void) { return socket_it(AF_VSOCK, SOCK_STREAM); }

/* Nobody listens: ECONNREFUSED means that it was allowed to ask. */
static int
connect_to(uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1 || connect(fd, (struct sockaddr *)&sin, sizeof sin) == -1)
		return errno == ECONNREFUSED ? 0 : errno;
	return 0;
}

static int connect_smtp(void) { return connect_to(9); }
static int connect_https(void) { return connect_to(443); }
static int connect_dns(void) { return connect_to(53); }
static int connect_forward(void) { return connect_to(PORT_OTHER); }

static int
bind_to(uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd == -1 || bind(fd, (struct sockaddr *)&sin, sizeof sin) == -1 ?
	    errno : 0;
}

static int bind_source(void) { return bind_to(0); }
static int bind_port(void) { return bind_to(40123); }

static int trace(void)
{
	return ptrace(PTRACE_ATTACH, parent, 0, 0) == -1 ? errno : 0;
}

static int
signal_other(void)
{
	return kill(parent, 0) == -1 ? errno : 0;
}

static int
signal_thread(void)
{
	return syscall(SYS_tgkill, parent, parent, 0) == -1 ? errno : 0;
}

static int
map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
}

static int
make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC) == -1 ? errno : 0;
}

static int memory_file(void)
{
	return memfd_create("x", 0) == -1 ? errno : 0;
}

static int uring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL) == -1 ? errno : 0;
}

static int program_in_kernel(void)
{
	return syscall(SYS_bpf, 0, NULL, 0) == -1 ? errno : 0;
}

static int mount_it(void)
{
	return mount("none", "/tmp", "tmpfs", 0, NULL) == -1 ? errno : 0;
}

static int new_users(void)
{
	return unshare(CLONE_NEWUSER) == -1 ? errno : 0;
}

static int other_user(void) { return setuid(1) == -1 ? errno : 0; }

static int
filter_socket(void)
{
	struct sock_filter allow = { BPF_RET | BPF_K, 0, 0, 0 };
	struct sock_fprog prog = { 1, &allow };

	return setsockopt(0, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog) ==
	    -1 ? errno : 0;
}

static int signal_owner(void)
{
	return fcntl(0, F_SETOWN, parent) == -1 ? errno : 0;
}

static int
raise_limit(void)
{
	struct rlimit r = { 10, 10 };

	return setrlimit(RLIMIT_NOFILE, &r) == -1 ? errno : 0;
}

static int
abort_itself(void)
{
	signal(SIGABRT, SIG_IGN);
	raise(SIGABRT);
	return 0;
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
	{ "smtpd opens a file", ROLE_SMTPD, open_passwd, DENIED, 0, STRICT },
	{ "smtpd opens a key", ROLE_SMTPD, read_key, DENIED, 0, STRICT },
	{ "smtpd calls out", ROLE_SMTPD, tcp, DENIED, 0, STRICT },
	{ "smtpd asks DNS", ROLE_SMTPD, udp, DENIED, 0, STRICT },
	{ "smtpd talks to daemons", ROLE_SMTPD, local, DENIED, 0, STRICT },
	{ "smtpd runs a program", ROLE_SMTPD, run_program, KILLED, 0, 0 },
	{ "smtpd forks", ROLE_SMTPD, fork_it, DENIED, 0, STRICT },
	{ "smtpd traces", ROLE_SMTPD, trace, KILLED, 0, STRICT },
	{ "smtpd signals", ROLE_SMTPD, signal_other, DENIED, 0, STRICT },
	{ "smtpd signals a thread", ROLE_SMTPD, signal_thread, DENIED, 0, STRICT },
	{ "smtpd maps code", ROLE_SMTPD, map_code, DENIED, 0, STRICT },
	{ "smtpd makes data code", ROLE_SMTPD, make_code, DENIED, 0, STRICT },
	{ "smtpd makes a memory file", ROLE_SMTPD, memory_file, DENIED, 0, STRICT },
	{ "smtpd io_uring", ROLE_SMTPD, uring, KILLED, 0, 0 },
	{ "smtpd bpf", ROLE_SMTPD, program_in_kernel, KILLED, 0, 0 },
	{ "smtpd mounts", ROLE_SMTPD, mount_it, KILLED, 0, 0 },
	{ "smtpd user namespace", ROLE_SMTPD, new_users, KILLED, 0, 0 },
	{ "smtpd setuid", ROLE_SMTPD, other_user, KILLED, 0, 0 },
	{ "smtpd netlink", ROLE_SMTPD, netlink, KILLED, 0, 0 },
	{ "smtpd packet", ROLE_SMTPD, packet, KILLED, 0, 0 },
	{ "smtpd vsock", ROLE_SMTPD, vsock, KILLED, 0, 0 },
	{ "smtpd filters a socket", ROLE_SMTPD, filter_socket, DENIED, 0, STRICT },
	{ "smtpd F_SETOWN", ROLE_SMTPD, signal_owner, DENIED, 0, STRICT },
	{ "smtpd sets a limit", ROLE_SMTPD, raise_limit, DENIED, 0, STRICT },
	{ "smtpd aborts", ROLE_SMTPD, abort_itself, OK, 0, 0 },

	{ "keys reads its keys", ROLE_KEYS, read_key, OK, 0, 0 },
	{ "keys makes a key", ROLE_KEYS, make_key, OK, 0, 0 },
	{ "keys reads the spool", ROLE_KEYS, read_spool, EACCES, 2, STRICT },
	{ "keys writes the spool", ROLE_KEYS, make_spool, EACCES, 2, 0 },
	{ "keys reads passwd", ROLE_KEYS, open_passwd, EACCES, 2, STRICT },
	{ "keys calls out", ROLE_KEYS, tcp, DENIED, 0, STRICT },

	{ "queue reads the spool", ROLE_QUEUE, read_spool, OK, 0, 0 },
	{ "queue makes a file", ROLE_QUEUE, make_spool, OK, 0, 0 },
	{ "queue puts aside", ROLE_QUEUE, move_spool, OK, 0, 0 },
	{ "queue reads random bytes", ROLE_QUEUE, read_random, OK, 0, 0 },
	{ "queue reads a key", ROLE_QUEUE, read_key, EACCES, 2, STRICT },
	{ "queue writes a key", ROLE_QUEUE, make_key, EACCES, 2, 0 },
	{ "queue writes beside it", ROLE_QUEUE, make_state, EACCES, 2, 0 },
	{ "queue reads in a thread", ROLE_QUEUE, open_in_pool, EACCES, 2, STRICT },
	{ "queue pokes in memory", ROLE_QUEUE, open_mem, EACCES, 2, 0 },
	{ "queue calls out", ROLE_QUEUE, tcp, DENIED, 0, STRICT },
	{ "queue forks", ROLE_QUEUE, fork_it, DENIED, 0, STRICT },

	{ "relay calls out", ROLE_RELAY, connect_smtp, OK, 0, 0 },
	{ "relay by IPv6", ROLE_RELAY, tcp6, OK, 0, 0 },
	{ "relay from an address", ROLE_RELAY, bind_source, OK, 0, 0 },
	{ "relay listens", ROLE_RELAY, bind_port, EACCES, 4, 0 },
	{ "relay asks DNS", ROLE_RELAY, udp, DENIED, 0, STRICT },
	{ "relay has no mail store", ROLE_RELAY, local, DENIED, 0, STRICT },
	{ "relay has a mail store", ROLE_RELAY, local, OK, 0, MAIL_STORE },
	{ "relay talks to daemons", ROLE_RELAY, local_datagram, DENIED, 0,
	  STRICT | MAIL_STORE },
	{ "a mail store is relay's", ROLE_SMTPD, local, DENIED, 0,
	  STRICT | MAIL_STORE },
	{ "relay sends raw", ROLE_RELAY, raw, DENIED, 0, STRICT },
	{ "relay opens a file", ROLE_RELAY, open_passwd, DENIED, 0, STRICT },

	{ "resolver by UDP", ROLE_RESOLVER, udp, OK, 0, 0 },
	{ "resolver by TCP", ROLE_RESOLVER, connect_dns, OK, 0, 0 },
	{ "resolver to a forwarder", ROLE_RESOLVER, connect_forward, OK, 0, 0 },
	{ "resolver elsewhere", ROLE_RESOLVER, connect_smtp, EACCES, 4, 0 },
	{ "resolver opens a file", ROLE_RESOLVER, open_passwd, DENIED, 0, STRICT },

	{ "policy writes its file", ROLE_POLICY, write_policy, OK, 0, 0 },
	{ "policy writes another's", ROLE_POLICY, write_ledger, EACCES, 2, 0 },
	{ "policy opens a file", ROLE_POLICY, open_passwd, EACCES, 2, STRICT },
	{ "policy calls out", ROLE_POLICY, tcp, DENIED, 0, STRICT },

	{ "fetch by HTTPS", ROLE_FETCH, connect_https, OK, 0, 0 },
	{ "fetch elsewhere", ROLE_FETCH, connect_smtp, EACCES, 4, 0 },
	{ "fetch asks DNS", ROLE_FETCH, udp, DENIED, 0, STRICT },
	{ "fetch reads authorities", ROLE_FETCH, read_ca, OK, 0, 0 },
	{ "fetch writes them", ROLE_FETCH, write_ca, EACCES, 2, 0 },
	{ "fetch opens a file", ROLE_FETCH, open_passwd, EACCES, 2, STRICT },
	{ "fetch reads a key", ROLE_FETCH, read_key, EACCES, 2, STRICT },

	{ "ledger writes its file", ROLE_LEDGER, write_ledger, OK, 0, 0 },
	{ "ledger writes beside it", ROLE_LEDGER, make_state, EACCES, 2, 0 },
	{ "ledger reads the spool", ROLE_LEDGER, read_spool, EACCES, 2, STRICT },
	{ "ledger calls out", ROLE_LEDGER, tcp, DENIED, 0, STRICT },
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
	parent = getpid();
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
	static const struct row spool = { "", ROLE_KEYS, make_spool, 0, 0, 0 };
	static const struct row port = { "", ROLE_RELAY, bind_port, 0, 0, 0 };
	static const struct row aside = { "", ROLE_QUEUE, move_spool, 0, 0, 0 };
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
	static const struct row fork_row = { "", ROLE_SMTPD, fork_it, 0, 0, 0 };
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
	(void)tcp();
	(void)tcp();
	return fork_it();
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
