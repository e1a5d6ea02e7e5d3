/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtpd/steps.c - an smtpd that takes mail is killed before each of
 * its system calls, or one of them fails, or an allocation does.  A message is
 * refused with a 4xx or its connection ends, the client comes again, and in the
 * end the queue has all of them, whole, each 250 being for what it said it has,
 * and none of them twice but what was under way.
 *
 *	t_smtpd_steps kills|faults|allocs [all]
 *
 * Without `all`, so many places as fit a test run, evenly spread. */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ipc/ipc.h"
#include "smtpd/smtpd.h"
#include "smtpd/smtpd_priv.h"
#include "tests/unit/allocs.h"
#include "tests/unit/framed.h"

#ifdef SEALANE_SANITIZED		/* several times as slow */
#define MOST		30
#else
#define MOST		150
#endif
#define LARGE		70000		/* goes into a file */
#define PATIENCE_MS	15000
#define MESSAGES	2u
#define CONNECTIONS	4		/* at most, until all is taken */

/* What the processes tell each other. */
static struct {
	_Atomic unsigned kept[MESSAGES];  /* the queue has said 250 */
	_Atomic unsigned ended[MESSAGES]; /* the client has sent the final dot */
	_Atomic bool	 acked[MESSAGES]; /* and heard 250 */
	_Atomic unsigned connections;
	_Atomic bool	 client_done;
} *told;

static struct sockaddr_in at;
static int listener;

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

/* ---- the queue ---- */

static struct {
	struct link	*link;
	int		 file;
	unsigned	 rcpts;
} queue = { .file = -1 };

static void
keep(const struct ipc_msg_commit *m)
{
	static char body[LARGE + 4096];
	struct ipc_msg_committed done = { .txn = m->txn, .code = 250 };
	struct span want = content(m->in_file);
	size_t n = m->body.n;

	if (m->in_file) {
		ssize_t got = pread(queue.file, body, sizeof(body), 0);

		n = got < 0 ? 0 : (size_t)got;
	} else {
		memcpy(body, m->body.p, n);
	}
	if (n != m->size || n < want.n ||
	    memcmp(body + n - want.n, want.p, want.n) != 0)
		framed_wrong("a body came mangled to the queue");
	if (queue.rcpts != 1)
		framed_wrong("%u recipients", queue.rcpts);
	told->kept[m->in_file]++;
	(void)ipc_send_msg_committed(queue.link, &done, -1);
}

static void
queue_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	struct span list;
	struct ipc_rcpt r;

	(void)ctx;
	if (m->type == IPC_SPOOL_OPEN) {
		if (queue.file != -1)
			close(queue.file);
		queue.file = memfd_create("spool", MFD_CLOEXEC);
		(void)ipc_send_spool_opened(l, &(struct ipc_spool_opened){
		    .txn = m->u.spool_open.txn, .code = 250 },
		    dup(queue.file));
	} else if (m->type == IPC_MSG_BEGIN) {
		queue.rcpts = 0;
	} else if (m->type == IPC_MSG_RCPTS) {
		list = m->u.msg_rcpts.rcpts;
		while (ipc_get_rcpt(&list, &r) == 1)
			queue.rcpts++;
	} else if (m->type == IPC_MSG_COMMIT) {
		keep(&m->u.msg_commit);
	}
}

static void
queue_closed(void *ctx, struct link *l, const char *why)
{
	(void)ctx, (void)why;
	if (queue.link == l)
		queue.link = NULL;
}

static const struct link_ops queue_ops = { queue_message, NULL, queue_closed };

static void
open_peers(struct loop *loop)
{
	(void)loop;
}

static void
ready(struct link *parent)
{
	link_close(&queue.link);
	queue.link = framed_peer(parent, ROLE_QUEUE, &queue_ops);
	(void)ipc_send_listen(parent, &(struct ipc_listen){ .index = 0 },
	    dup(listener));
}

static bool
over(void)
{
	return told->client_done;
}

/* ---- the client ---- */

static int sock;

static bool
can_read(void)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };

	if (poll(&p, 1, PATIENCE_MS) == 1)
		return true;
	framed_wrong("no reply within %d ms", PATIENCE_MS);
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
			framed_wrong("said: %.100s", text);
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

	if (told->acked[n] || say(SPAN_LIT("RSET\r\n")) != 250 ||
	    say(SPAN_LIT("MAIL FROM:<a@c.test>\r\n")) != 250 ||
	    say(SPAN_LIT("RCPT TO:<b@example.org>\r\n")) != 250 ||
	    say(SPAN_LIT("DATA\r\n")) != 354)
		return;
	memcpy(data, c.p, c.n);
	memcpy(data + c.n, ".\r\n", 3);
	told->ended[n]++;
	if (say(span_of(data, c.n + 3)) != 250)
		return;
	if (told->kept[n] == 0)
		framed_wrong("a 250 ahead of the queue's");
	told->acked[n] = true;
}

static bool
all_taken(void)
{
	return told->acked[0] && told->acked[1];
}

static void
client(void)
{
	close(listener);
	while (!all_taken() && told->connections < CONNECTIONS) {
		told->connections++;
		sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(sock, (struct sockaddr *)&at, sizeof(at)) == 0 &&
		    reply() == 220 && say(SPAN_LIT("EHLO c.test\r\n")) == 250) {
			for (unsigned i = 0; i < MESSAGES; i++)
				message(i);
			(void)say(SPAN_LIT("QUIT\r\n"));
		}
		close(sock);
	}
	told->client_done = true;
}

/* ---- one run ---- */

/* Nobody is let in without a certificate; as if keys had sent one. */
static void
started(struct role_env *env)
{
	struct smtpd *d = env->state;

	d->creds = tls_creds_ref(framed_keys.server_creds);
}

static const struct framed framed = {
	.role = ROLE_SMTPD, .ops = &smtpd_ops,
	.conf = "listen \"a\" { address = \"127.0.0.1:25\"; "
	    "relay-from = [ \"127.0.0.0/8\" ] }\n",
	.started = started, .open = open_peers, .ready = ready, .over = over,
	.client = client,
};

static void
listen_on_loopback(void)
{
	socklen_t n = sizeof(at);

	memset(told, 0, sizeof(*told));
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	at = (struct sockaddr_in){ .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (bind(listener, (struct sockaddr *)&at, n) == -1 ||
	    listen(listener, 4) == -1 ||
	    getsockname(listener, (struct sockaddr *)&at, &n) == -1)
		framed_wrong("no listener");
}

static void
run(struct step *s)
{
	listen_on_loopback();
	framed_run(&framed, s);
	close(listener);
}

static unsigned
run_short(unsigned at_which, struct step *s)
{
	unsigned n;

	listen_on_loopback();
	n = framed_run_short(&framed, at_which, s);
	close(listener);
	return n;
}

static bool
look(const char *done, const struct step *s)
{
	if (!framed_look(done, s))
		return false;
	for (unsigned i = 0; i < MESSAGES; i++) {
		if (told->acked[i] && told->kept[i] > 0 &&
		    told->kept[i] <= told->ended[i])
			continue;
		fprintf(stderr, "%s: message %u was sent %u times and kept %u "
		    "times, acknowledged %d\n", done, i, told->ended[i],
		    told->kept[i], told->acked[i]);
		return false;
	}
	return true;
}

static bool
whole(void)
{
	return told->connections == 1 && all_taken() && !framed_again();
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
