/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Links: credits, classes, directions, descriptors, hostile frames. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ipc/ipc.h"
#include "tests/unit/suite.h"

struct end {
	struct link	*link;
	unsigned	 messages, rooms, closes;
	enum ipc_type	 last;
	uint64_t	 number;
	int		 fd;
	char		 text[256], why[64];
	bool		 close_on_message;
};

static struct loop *loop;
static struct loop_timer *stopper;

static void
stop_now(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void
spin(uint64_t ms)
{
	loop_timer_set(stopper, ms);
	loop_run(loop);
}

static void
on_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	struct end *e = ctx;

	(void)l;
	e->messages++;
	e->last = m->type;
	if (m->type == IPC_SPOOL_OPEN)
		e->number = m->u.spool_open.txn;
	if (m->type == IPC_GAP)
		e->number = m->u.gap.dropped;
	if (m->type == IPC_SPOOL_OPENED)
		span_copy(m->u.spool_opened.text, e->text, sizeof e->text);
	if (m->fd != -1 && e->fd == -1)
		e->fd = ipc_take_fd(m);
	if (e->close_on_message)
		link_close(&e->link);
}

static void
on_room(void *ctx, struct link *l)
{
	struct end *e = ctx;

	(void)l;
	e->rooms++;
}

static void
on_closed(void *ctx, struct link *l, const char *why)
{
	struct end *e = ctx;

	(void)l;
	e->closes++;
	e->link = NULL;
	span_copy(span_str(why), e->why, sizeof e->why);
}

static const struct link_ops ops = { on_message, on_room, on_closed };
static struct end a, b;		/* a is `queue`, b is `smtpd` unless a test says else */

static void
pair_of(enum role role_a, enum role role_b, int fds[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX,
	    SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	a.link = link_new(loop, fds[0], role_a, role_b, 1, &ops, &a);
	ck_assert_ptr_nonnull(a.link);
}

static void
open_pair(enum role role_a, enum role role_b)
{
	int fds[2];

	pair_of(role_a, role_b, fds);
	b.link = link_new(loop, fds[1], role_b, role_a, 1, &ops, &b);
	ck_assert_ptr_nonnull(b.link);
}

static void
setup(void)
{
	a = b = (struct end){ .fd = -1 };
	loop = loop_new();
	stopper = loop_timer_new(loop, stop_now, NULL);
}

static void
teardown(void)
{
	link_close(&a.link);
	link_close(&b.link);
	loop_timer_close(&stopper);
	loop_free(&loop);
}

static int
send_open(struct end *from, uint64_t txn)
{
	return ipc_send_spool_open(from->link,
	    &(struct ipc_spool_open){ .txn = txn }, -1);
}

START_TEST(carries_values_and_descriptors)
{
	struct ipc_spool_opened m = { .txn = 7, .code = 250,
	    .enhanced = SPAN_LIT("2.0.0"), .text = SPAN_LIT("fine") };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	open_pair(ROLE_QUEUE, ROLE_SMTPD);
	ck_assert_int_eq(send_open(&b, 42), 0);
	ck_assert_int_eq(ipc_send_spool_opened(a.link, &m, null), 0);
	ck_assert_int_eq(fcntl(null, F_GETFD), -1);	/* taken */
	spin(20);
	ck_assert_uint_eq(a.number, 42);
	ck_assert_str_eq(b.text, "fine");
	ck_assert_int_ne(fcntl(b.fd, F_GETFD) & FD_CLOEXEC, 0);
	close(b.fd);
}
END_TEST

START_TEST(credit_stops_and_returns)
{
	unsigned sent = 0;

	open_pair(ROLE_QUEUE, ROLE_SMTPD);
	while (!link_full(b.link) && sent < 10000) {
		send_open(&b, sent);
		sent++;
	}
	ck_assert_uint_lt(sent, 1000);
	for (int i = 0; i < 2000; i++)		/* beyond: waits here, in order */
		ck_assert_int_eq(send_open(&b, sent++), 0);
	ck_assert_uint_gt(link_queued(b.link), 0);
	spin(300);
	ck_assert_uint_eq(a.messages, sent);
	ck_assert_uint_eq(a.number, sent - 1);
	ck_assert_uint_ge(b.rooms, 1);
	ck_assert(!link_full(b.link));
}
END_TEST

/* Commits pass although ordinary messages have used up their credit. */
START_TEST(reserved_passes_a_full_link)
{
	struct ipc_msg_committed done = { .txn = 1, .code = 250 };
	int fds[2];
	char frame[65536];
	bool seen = false;

	pair_of(ROLE_QUEUE, ROLE_SMTPD, fds);	/* the other side acknowledges nothing */
	for (int i = 0; i < 500; i++)
		ipc_send_spool_opened(a.link,
		    &(struct ipc_spool_opened){ .txn = 1, .code = 451 }, -1);
	ck_assert(link_full(a.link));
	ck_assert_int_eq(ipc_send_msg_committed(a.link, &done, -1), 0);
	while (recv(fds[1], frame, sizeof frame, 0) > 0)
		seen = seen || frame[0] == IPC_MSG_COMMITTED;
	ck_assert(seen);
	close(fds[1]);
	spin(10);
	ck_assert_uint_eq(a.closes, 1);
}
END_TEST

START_TEST(facts_are_dropped_and_counted)
{
	struct ipc_fact_session fact = { .out = 1 };
	unsigned kept = 0, lost = 0;

	open_pair(ROLE_LEDGER, ROLE_RELAY);
	for (int i = 0; i < 1000; i++) {
		if (ipc_send_fact_session(b.link, &fact, -1) == 0)
			kept++;
		else
			lost++;
	}
	ck_assert_uint_gt(lost, 0);
	spin(50);
	ck_assert_uint_eq(a.messages, kept);
	ck_assert_int_eq(ipc_send_fact_session(b.link, &fact, -1), 0);
	spin(50);
	ck_assert_uint_eq(a.messages, kept + 2);	/* GAP and the fact */
	ck_assert_uint_eq(a.number, lost);
}
END_TEST

START_TEST(oversized_fields_are_refused_at_the_sender)
{
	static char big[4096];
	struct ipc_spool_opened m = { .text = { big, sizeof big } };

	open_pair(ROLE_QUEUE, ROLE_SMTPD);
	ck_assert_int_eq(ipc_send_spool_opened(a.link, &m, -1), -1);
	ck_assert_int_eq(send_open(&b, 1), 0);
	spin(10);
	ck_assert_uint_eq(a.messages, 1);	/* the link lives */
	ck_assert_uint_eq(b.messages, 0);
}
END_TEST

START_TEST(may_close_inside_a_callback)
{
	open_pair(ROLE_QUEUE, ROLE_SMTPD);
	a.close_on_message = true;
	send_open(&b, 1);
	send_open(&b, 2);
	spin(20);
	ck_assert_uint_eq(a.messages, 1);
	ck_assert_uint_eq(b.closes, 1);
	ck_assert_str_eq(b.why, "closed");
}
END_TEST

/* ---- hostile frames: raw bytes from the other side ---- */

#define H(type)	(type), 0, 0, 0, 0, 0, 0, 0
static const struct {
	const char *name;
	unsigned char bytes[64];
	size_t n;
	bool fd;
	const char *why;
} hostile[] = {
	{ "short", { 1, 0, 0 }, 3, false, "frame of a wrong size" },
	{ "unknown type", { 0xff, 0x7f, 0, 0, 0, 0, 0, 0 }, 8, false,
	    "unknown message type" },
	{ "reserved bits", { IPC_SPOOL_OPEN, 0, 1, 0 }, 16, false,
	    "unknown message type" },
	{ "false ack", { IPC_SPOOL_OPEN, 0, 0, 0, 9 }, 16, false,
	    "acknowledges what was not sent" },
	{ "wrong direction", { H(IPC_MSG_COMMITTED) }, 30, false,
	    "message in the wrong direction" },
	{ "wrong role", { H(IPC_DNS_ASK) }, 30, false,
	    "message in the wrong direction" },
	{ "too short", { H(IPC_SPOOL_OPEN) }, 15, false, "malformed message" },
	{ "too long", { H(IPC_SPOOL_OPEN) }, 17, false, "malformed message" },
	{ "descriptor where none belongs", { H(IPC_SPOOL_OPEN) }, 16, true,
	    "wrong number of descriptors" },
	{ "length past the end", { H(IPC_MSG_RCPTS), 1, 0, 0, 0, 0, 0, 0, 0,
	    0xff, 0, 0, 0 }, 20, false, "malformed message" },
	{ "list cut inside a record", { H(IPC_MSG_RCPTS), 1, 0, 0, 0, 0, 0, 0, 0,
	    5, 0, 0, 0, 9, 0, 0, 0, 'x' }, 25, false, "malformed message" },
};

START_TEST(hostile_frames)
{
	union { struct cmsghdr head; char space[CMSG_SPACE(sizeof(int))]; } c = { 0 };
	unsigned char bytes[64];
	struct iovec iov = { bytes, hostile[_i].n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[2];

	memcpy(bytes, hostile[_i].bytes, sizeof bytes);
	pair_of(ROLE_QUEUE, ROLE_SMTPD, fds);
	if (hostile[_i].fd) {
		msg.msg_control = c.space;
		msg.msg_controllen = sizeof c.space;
		c.head.cmsg_level = SOL_SOCKET;
		c.head.cmsg_type = SCM_RIGHTS;
		c.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&c.head), &fds[1], sizeof(int));
	}
	ck_assert_int_eq(sendmsg(fds[1], &msg, 0), (int)hostile[_i].n);
	spin(20);
	ck_assert_uint_eq(a.messages, 0);
	ck_assert_uint_eq(a.closes, 1);
	ck_assert_msg(strcmp(a.why, hostile[_i].why) == 0, "%s: %s",
	    hostile[_i].name, a.why);
	ck_assert_ptr_null(a.link);
	close(fds[1]);
}
END_TEST

/* Any bytes at all, for every type: decode or end the link, nothing else. */
START_TEST(random_payloads)
{
	unsigned seed = (unsigned)_i * 2654435761u + 1;

	for (unsigned type = 0; type < IPC_COUNT + 2; type++)
		for (int round = 0; round < 200; round++) {
			char bytes[96];
			struct ipc_msg m = { .fd = -1 };
			size_t n = (seed >> 20) % sizeof bytes;

			for (size_t i = 0; i < n; i++) {
				seed = seed * 1103515245u + 12345u;
				bytes[i] = (seed >> 28) < 9 ? 0 :
				    (char)(seed >> 16 & 31);
			}
			seed = seed * 1103515245u + 12345u;
			ipc_decode(type, span_of(bytes, n), &m);
		}
}
END_TEST

START_TEST(lists)
{
	struct ipc_outcome o = { .index = 3, .status = 1,
	    .dsn = SPAN_LIT("4.0.0"), .reply = SPAN_LIT("later"),
	    .mx = SPAN_LIT("mx.example.org") }, got;
	struct span list;
	struct buf bytes;
	int n = 0;

	buf_init(&bytes, 4096);
	for (o.index = 0; o.index < 5; o.index++)
		ck_assert_int_eq(ipc_put_outcome(&bytes, &o), 0);
	list = buf_get(&bytes);
	while (ipc_get_outcome(&list, &got) == 1) {
		ck_assert_uint_eq(got.index, (unsigned)n++);
		ck_assert(span_eq(got.mx, o.mx));
	}
	ck_assert_int_eq(n, 5);
	list = span_head(buf_get(&bytes), 7);
	ck_assert_int_eq(ipc_get_outcome(&list, &got), -1);
	buf_free(&bytes);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base ipc");
	TCase *tc = tcase_create("links");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, carries_values_and_descriptors);
	tcase_add_test(tc, credit_stops_and_returns);
	tcase_add_test(tc, reserved_passes_a_full_link);
	tcase_add_test(tc, facts_are_dropped_and_counted);
	tcase_add_test(tc, oversized_fields_are_refused_at_the_sender);
	tcase_add_test(tc, may_close_inside_a_callback);
	tcase_add_loop_test(tc, hostile_frames, 0, NELEM(hostile));
	tcase_add_loop_test(tc, random_payloads, 0, 8);
	tcase_add_test(tc, lists);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
