/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtpd/steps.c - each system call of an smtpd that takes mail fails
 * once: a message is refused with a 4xx or its connection ends, the process
 * goes on or ends in order, and a 250 is for what the queue said it has, whole.
 *
 *	t_smtpd_steps [all]
 *
 * The role runs in its real frame and sandbox.  Two more processes are left in
 * peace: its peers (parent and queue), and a client.  Without `all`, so many
 * places as fit a test run, evenly spread. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ipc/ipc.h"
#include "base/role.h"
#include "smtpd/smtpd.h"
#include "smtpd/smtpd_priv.h"
#include "tests/unit/step.h"
#include "tests/unit/tls/fixture.h"

#ifdef SEALANE_SANITIZED
#define FAULTS		30
#else
#define FAULTS		150
#endif
#define CALLS		2000		/* more than there are */
#define SKIPPED		77		/* for meson */
#define PARENT_FD	3
#define LARGE		70000		/* goes into a file */
#define PATIENCE_MS	5000
#define LOOK_MS		20
#define MESSAGES	2

/* What the processes tell each other. */
static struct shared {
	_Atomic unsigned kept;		/* the queue has said 250 */
	_Atomic unsigned acked;		/* the client has heard 250 */
	_Atomic bool	 client_done;
	_Atomic pid_t	 role;
	char		 wrong[200];	/* the first thing, "" none */
} *shared;

static struct sockaddr_in at;
static bool all;

static void	wrong(const char *, ...) __attribute__((format(printf, 1, 2)));

static void
wrong(const char *format, ...)
{
	va_list ap;

	if (shared->wrong[0] != '\0')
		return;
	va_start(ap, format);
	(void)vsnprintf(shared->wrong, sizeof(shared->wrong), format, ap);
	va_end(ap);
}

/* The role.  Who traces it has its end of the link as well, and thus all that
 * nobody has read there: no socket tells. */
static bool
is_gone(void)
{
	return shared->role != 0 && kill(shared->role, 0) == -1;
}

/* The n-th message of the client, as it is sent and as it has to be kept. */
static struct span
content(unsigned n)
{
	static char large[LARGE + 2];

	if (n == 0)
		return SPAN_LIT("Subject: x\r\n\r\nhi\r\n");
	for (unsigned i = 0; i < LARGE; i++)
		large[i] = i % 70 == 68 ? '\r' : i % 70 == 69 ? '\n' :
		    (char)('a' + i % 23);
	return span_of(large, LARGE);
}

/* ---- the peers ---- */

static struct {
	struct loop		*loop;
	struct link		*parent, *queue;
	struct loop_timer	*look;
	int			 listener, file;
	unsigned		 rcpts;
} peers;

static void
keep(const struct ipc_msg_commit *m)
{
	static char body[LARGE + 4096];
	struct ipc_msg_committed done = { .txn = m->txn, .code = 250 };
	size_t n = m->body.n;

	if (m->in_file) {
		ssize_t got = pread(peers.file, body, sizeof(body), 0);

		n = got < 0 ? 0 : (size_t)got;
	} else {
		memcpy(body, m->body.p, n);
	}
	for (unsigned i = 0; i < MESSAGES; i++) {
		struct span want = content(i);

		if (m->in_file == (want.n == LARGE) && (n != m->size ||
		    n < want.n ||
		    memcmp(body + n - want.n, want.p, want.n) != 0))
			wrong("a body came mangled to the queue");
	}
	if (peers.rcpts != 1)
		wrong("%u recipients", peers.rcpts);
	atomic_fetch_add(&shared->kept, 1);
	(void)ipc_send_msg_committed(peers.queue, &done, -1);
}

static void
queue_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	struct span list;
	struct ipc_rcpt r;

	(void)ctx;
	if (m->type == IPC_SPOOL_OPEN) {
		if (peers.file != -1)
			close(peers.file);
		peers.file = memfd_create("spool", MFD_CLOEXEC);
		(void)ipc_send_spool_opened(l, &(struct ipc_spool_opened){
		    .txn = m->u.spool_open.txn, .code = 250 },
		    dup(peers.file));
	} else if (m->type == IPC_MSG_BEGIN) {
		peers.rcpts = 0;
	} else if (m->type == IPC_MSG_RCPTS) {
		list = m->u.msg_rcpts.rcpts;
		while (ipc_get_rcpt(&list, &r) == 1)
			peers.rcpts++;
	} else if (m->type == IPC_MSG_COMMIT) {
		keep(&m->u.msg_commit);
	}
}

static void
queue_closed(void *ctx, struct link *l, const char *why)
{
	(void)ctx, (void)l, (void)why;
	peers.queue = NULL;
}

static const struct link_ops queue_ops = { queue_message, NULL, queue_closed };

static void
introduce(void)
{
	const struct ipc_peer peer = { .role = ROLE_QUEUE, .index = 1 };
	const struct ipc_listen l = { .index = 0 };
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, sv) == -1)
		return;
	peers.queue = link_new(peers.loop, sv[0], ROLE_QUEUE, ROLE_SMTPD, 1,
	    &queue_ops, NULL);
	(void)ipc_send_peer(peers.parent, &peer, sv[1]);
	(void)ipc_send_listen(peers.parent, &l, dup(peers.listener));
}

static void
parent_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	(void)ctx, (void)l;
	if (m->type != IPC_READY)
		return;
	if (m->u.ready.ok == 1)
		introduce();
	else
		loop_stop(peers.loop);
}

static void
parent_closed(void *ctx, struct link *l, const char *why)
{
	(void)ctx, (void)l, (void)why;
	peers.parent = NULL;
	loop_stop(peers.loop);
}

static const struct link_ops parent_ops = { parent_message, NULL,
    parent_closed };

static void
on_look(void *arg)
{
	(void)arg;
	if (shared->client_done || is_gone())
		loop_stop(peers.loop);
	loop_timer_set(peers.look, 5);
}

static void
configure(void)
{
	static const char bundle[] = "sealane-conf 1\n"
	    "machine host.example.org 3\npart 0 1 1 77 t.conf\n"
	    "listen \"a\" { address = \"127.0.0.1:25\"; "
	    "relay-from = [ \"127.0.0.0/8\" ] }      \n";
	int fd = memfd_create("bundle", MFD_CLOEXEC);

	if (write(fd, bundle, sizeof(bundle) - 1) == -1)
		wrong("no configuration");
	(void)ipc_send_config(peers.parent, &(struct ipc_config){ 0 }, fd);
}

/* Until the client is done, or the role is gone: then its listener ends, too,
 * and the client sees it. */
static void
run_peers(int fd)
{
	peers.loop = loop_new();
	peers.file = -1;
	peers.look = loop_timer_new(peers.loop, on_look, NULL);
	peers.parent = link_new(peers.loop, fd, ROLE_PARENT, ROLE_SMTPD, 1,
	    &parent_ops, NULL);
	configure();
	loop_timer_set(peers.look, 5);
	loop_run(peers.loop);
}

/* ---- the client ---- */

static int sock;

static bool
can_read(void)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };

	for (int ms = 0; ms < PATIENCE_MS; ms += LOOK_MS) {
		if (poll(&p, 1, LOOK_MS) == 1)
			return true;
		if (is_gone())
			return false;
	}
	wrong("no reply within %d ms", PATIENCE_MS);
	return false;
}

/* The code of the next reply; 0: the connection is over. */
static int
reply(void)
{
	static char text[4096];
	size_t n = 0;

	for (;;) {
		char *line = text, *end;
		ssize_t got;

		if (!can_read())
			return 0;
		got = read(sock, text + n, sizeof(text) - 1 - n);
		if (got <= 0)
			return 0;
		n += (size_t)got;
		text[n] = '\0';
		while ((end = strchr(line, '\n')) != NULL && line[3] == '-')
			line = end + 1;
		if (end == NULL)
			continue;
		if (text[0] < '2' || text[0] > '4')
			wrong("said: %.100s", text);
		return atoi(text);
	}
}

static int
say(struct span s)
{
	while (s.n > 0) {
		ssize_t n = send(sock, s.p, s.n, MSG_NOSIGNAL);

		if (n <= 0)
			return 0;
		s = span_skip(s, (size_t)n);
	}
	return reply();
}

static void
message(unsigned n)
{
	static char data[LARGE + 10];
	struct span c = content(n);

	(void)say(SPAN_LIT("RSET\r\n"));
	if (say(SPAN_LIT("MAIL FROM:<a@c.test>\r\n")) != 250 ||
	    say(SPAN_LIT("RCPT TO:<b@example.org>\r\n")) != 250 ||
	    say(SPAN_LIT("DATA\r\n")) != 354)
		return;
	memcpy(data, c.p, c.n);
	memcpy(data + c.n, ".\r\n", 3);
	if (say(span_of(data, c.n + 3)) != 250)
		return;
	if (atomic_fetch_add(&shared->acked, 1) >= shared->kept)
		wrong("a 250 ahead of the queue's");
}

static void
run_client(void)
{
	sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(sock, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    reply() == 220 && say(SPAN_LIT("EHLO c.test\r\n")) == 250) {
		for (unsigned i = 0; i < MESSAGES; i++)
			message(i);
		(void)say(SPAN_LIT("QUIT\r\n"));
	}
	close(sock);
	shared->client_done = true;
}

/* ---- one run ---- */

static int role_end;
static struct fix keys;

/* Nobody is let in without a certificate; as if keys had sent one. */
static int
start(struct role_env *env, struct fault *f)
{
	struct smtpd *d;

	step_begin();
	if (smtpd_ops.start(env, f) == -1)
		return -1;
	d = env->state;
	d->creds = tls_creds_ref(keys.server_creds);
	return 0;
}

static void
run_role(void *arg)
{
	struct role_ops ops = smtpd_ops;

	(void)arg;
	shared->role = getpid();
	ops.start = start;
	if (dup2(role_end, PARENT_FD) == -1)
		_exit(99);
	_exit(role_run(ROLE_SMTPD, 1, &ops));
}

static pid_t
in_a_process(void (*run)(int), int fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(fd);
		_exit(0);
	}
	return pid;
}

static void
client_process(int fd)
{
	(void)fd;
	close(peers.listener);
	run_client();
}

static void
peers_process(int fd)
{
	close(role_end);
	run_peers(fd);
}

static int
listen_on_loopback(void)
{
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	at = (struct sockaddr_in){ .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (bind(fd, (struct sockaddr *)&at, n) == -1 ||
	    listen(fd, 4) == -1 ||
	    getsockname(fd, (struct sockaddr *)&at, &n) == -1)
		wrong("no listener");
	return fd;
}

static void
run_once(struct step *s)
{
	int sv[2];

	memset(shared, 0, sizeof(*shared));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, sv) == -1)
		return;
	role_end = sv[1];
	peers.listener = listen_on_loopback();
	(void)in_a_process(peers_process, sv[0]);
	close(sv[0]);
	(void)in_a_process(client_process, -1);
	close(peers.listener);
	step_run(s, run_role, NULL);		/* reaps the others as well */
	close(sv[1]);
}

/* What must hold whatever was done; false after having said what does not. */
static bool
look(const char *done, const struct step *s)
{
	const char *why = shared->wrong;
	char ended[60];

	if (!WIFEXITED(s->status)) {
		(void)snprintf(ended, sizeof(ended), "ended by signal %d",
		    WTERMSIG(s->status));
		why = ended;
	}
	if (why[0] == '\0')
		return true;
	fprintf(stderr, "%s: %s\n", done, why);
	return false;
}

static const int errors[] = { EIO, ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM,
	EINTR, 0 };
#define ERRORS	(unsigned)(sizeof(errors) / sizeof(errors[0]))

static long numbers[CALLS];

static unsigned
count_calls(void)
{
	struct step count = { .what = STEP_KILL, .numbers = numbers,
	    .size = CALLS };

	run_once(&count);
	if (!look("nothing", &count) || shared->acked != MESSAGES) {
		fprintf(stderr, "nothing was done to it, and %u of %u were "
		    "taken\n", shared->acked, MESSAGES);
		return 0;
	}
	return count.calls < CALLS ? count.calls : CALLS;
}

static bool
faults(void)
{
	unsigned n = count_calls(), places = 0, times = 0, hurt = 0, by;
	bool good = true;
	char done[100];

	for (unsigned i = 0; i < n * ERRORS; i++)
		places += step_possible(numbers[i / ERRORS],
		    errors[i % ERRORS]);
	by = all || places <= FAULTS ? 1 : (places + FAULTS - 1) / FAULTS;
	places = 0;
	for (unsigned i = 0; i < n * ERRORS; i++) {
		int error = errors[i % ERRORS];
		struct step fail = { .what = error == 0 ? STEP_SHORT :
		    STEP_FAIL, .at = i / ERRORS + 1, .error = error };

		if (!step_possible(numbers[i / ERRORS], error) ||
		    places++ % by != 0)
			continue;
		run_once(&fail);
		(void)snprintf(done, sizeof(done), "call %u (%ld): %s",
		    fail.at, fail.number, error == 0 ? "half of it" :
		    strerror(error));
		good = look(done, &fail) && good;
		times += fail.done;
		hurt += shared->acked < MESSAGES;
	}
	printf("%u of %u faults at %u system calls; after %u of them not all "
	    "was taken\n", times, places, n, hurt);
	return good && times > 0;
}

START_TEST(each_call_fails)
{
	fix_open(&keys, true, false);
	ck_assert(faults());
	fix_close(&keys);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *s = suite_create("smtpd: system calls");
	TCase *tc = tcase_create("faults");

	all = argc > 1 && strcmp(argv[1], "all") == 0;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	if (!step_can_fail())
		return SKIPPED;
	tcase_set_timeout(tc, all ? 3600 : 100);
	tcase_add_test(tc, each_call_fails);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
