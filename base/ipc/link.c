/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/ipc/link.c - one end of a link between two roles: frames, credits,
 * descriptors, direction and size checks.
 *
 * Frame: u16 type, u16 zero, u32 how many counted frames of the other side
 * were handled so far (modulo 2^32), payload.  Type NONE carries only that
 * count.  A side may have CREDIT ordinary frames unhandled at the other side,
 * and RESERVED_CREDIT more of class RESERVED. */
#include "base/ipc/ipc.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define FRAME_HEAD	8
#define CREDIT		128
#define RESERVED_CREDIT	128
#define ACK_EVERY	32
#define READ_BATCH	64	/* frames handled before other descriptors get a turn */

struct frame {
	struct frame	*next;
	int		 fd;
	enum ipc_class	 class;
	size_t		 n;
	char		 bytes[];	/* type, zero, ack (set when sent), payload */
};

struct frames {
	struct frame	*head, **tail;
	size_t		 n;
};

struct link {
	struct loop_io	*io;
	enum role	 self, peer;
	unsigned	 index;
	const struct link_ops *ops;
	void		*ctx;
	struct frames	 urgent, ordinary;	/* not yet sent, by class */
	uint32_t	 sent, acked;		/* counted frames out; handled there */
	uint32_t	 handled, told;		/* counted frames in; told the peer */
	uint64_t	 dropped;
	bool		 starved;		/* something had to wait: room() is owed */
	bool		 busy;			/* inside a callback: close only marks */
	bool		 dead;
};

/* One frame being read or made; a link is never used in two places at once. */
static char in_bytes[FRAME_HEAD + IPC_FRAME_MAX];

static void
frames_init(struct frames *q)
{
	*q = (struct frames){ NULL, &q->head, 0 };
}

static void
frames_push(struct frames *q, struct frame *f)
{
	f->next = NULL;
	*q->tail = f;
	q->tail = &f->next;
	q->n++;
}

static void
frame_free(struct frame *f)
{
	if (f->fd != -1)
		close(f->fd);
	free(f);
}

static void
frames_pop(struct frames *q)
{
	struct frame *f = q->head;

	q->head = f->next;
	if (q->head == NULL)
		q->tail = &q->head;
	q->n--;
	frame_free(f);
}

static void	link_io(void *, int);
static void	link_fail(struct link *, const char *);

struct link *
link_new(struct loop *loop, int fd, enum role self, enum role peer,
    unsigned peer_index, const struct link_ops *ops, void *ctx)
{
	struct link *l = calloc(1, sizeof *l);

	if (l == NULL)
		goto close_fd;
	frames_init(&l->urgent);
	frames_init(&l->ordinary);
	l->self = self;
	l->peer = peer;
	l->index = peer_index;
	l->ops = ops;
	l->ctx = ctx;
	l->io = loop_io_new(loop, fd, link_io, l);
	if (l->io == NULL)
		goto free_link;
	if (loop_io_watch(l->io, LOOP_READ) != 0) {
		loop_io_close(&l->io);
		free(l);
		return NULL;
	}
	return l;
free_link:
	free(l);
close_fd:
	close(fd);
	return NULL;
}

static void
link_free(struct link *l)
{
	while (l->urgent.head != NULL)
		frames_pop(&l->urgent);
	while (l->ordinary.head != NULL)
		frames_pop(&l->ordinary);
	loop_io_close(&l->io);
	free(l);
}

void
link_close(struct link **lp)
{
	struct link *l = *lp;

	if (l == NULL)
		return;
	*lp = NULL;
	l->dead = true;
	if (!l->busy)
		link_free(l);
}

/* The other side is gone or speaks nonsense. */
static void
link_fail(struct link *l, const char *why)
{
	bool was_busy = l->busy;

	if (l->dead)
		return;
	l->dead = true;
	l->busy = true;
	l->ops->closed(l->ctx, l, why);
	l->busy = was_busy;
	if (!was_busy)
		link_free(l);
}

enum role
link_role(const struct link *l)
{
	return l->peer;
}

unsigned
link_index(const struct link *l)
{
	return l->index;
}

size_t
link_queued(const struct link *l)
{
	return l->urgent.n + l->ordinary.n;
}

bool
link_full(const struct link *l)
{
	return l->dead || l->ordinary.n > 0 || l->sent - l->acked >= CREDIT;
}

/* ---- sending ---- */

static void
put_le(char *p, uint32_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (char)(v >> (8 * i));
}

static uint32_t
get_le(const char *p, int bytes)
{
	uint32_t v = 0;

	for (int i = 0; i < bytes; i++)
		v |= (uint32_t)(unsigned char)p[i] << (8 * i);
	return v;
}

static ssize_t
send_bytes(int sock, const char *bytes, size_t n, int fd)
{
	union { struct cmsghdr head; char space[CMSG_SPACE(sizeof(int))]; } c;
	struct iovec iov = { (void *)(uintptr_t)bytes, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t rc;

	if (fd != -1) {
		memset(&c, 0, sizeof c);
		msg.msg_control = c.space;
		msg.msg_controllen = sizeof c.space;
		c.head.cmsg_level = SOL_SOCKET;
		c.head.cmsg_type = SCM_RIGHTS;
		c.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&c.head), &fd, sizeof fd);
	}
	do
		rc = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (rc == -1 && errno == EINTR);
	return rc;
}

/* 1 sent, 0 the socket is full, -1 gone. */
static int
send_frame(struct link *l, struct frame *f)
{
	put_le(f->bytes + 4, l->handled, 4);
	/* What is no word of the peer's end (ENOMEM, ETOOMANYREFS ...) passes:
	 * to be tried again, or the frame would lie here unseen. */
	if (send_bytes(loop_io_fd(l->io), f->bytes, f->n, f->fd) == -1)
		return errno == EPIPE || errno == ECONNRESET ||
		    errno == ENOTCONN ? -1 : 0;
	l->told = l->handled;
	if (f->class != IPC_CLASS_CALL)
		l->sent++;
	return 1;
}

static bool
may_send(const struct link *l, enum ipc_class class)
{
	uint32_t out = l->sent - l->acked;

	return class == IPC_CLASS_CALL || out < CREDIT ||
	    (class == IPC_CLASS_RESERVED && out < CREDIT + RESERVED_CREDIT);
}

static int
flush_queue(struct link *l, struct frames *q)
{
	while (q->head != NULL && may_send(l, q->head->class)) {
		int rc = send_frame(l, q->head);

		if (rc != 1)
			return rc;
		frames_pop(q);
	}
	return 1;
}

static void
send_ack(struct link *l)
{
	char head[FRAME_HEAD] = { 0 };

	put_le(head + 4, l->handled, 4);
	if (send_bytes(loop_io_fd(l->io), head, sizeof head, -1) == sizeof head)
		l->told = l->handled;
}

static void
link_flush(struct link *l)
{
	bool blocked = false;
	int rc = flush_queue(l, &l->urgent);

	if (rc == 1)
		rc = flush_queue(l, &l->ordinary);
	if (rc == -1)
		return;		/* reading will find out and say so */
	if (rc == 0)
		blocked = true;
	if (l->handled - l->told >= ACK_EVERY) {
		send_ack(l);
		blocked = blocked || l->handled - l->told >= ACK_EVERY;
	}
	loop_io_watch(l->io, blocked ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

static void
link_room(struct link *l)
{
	if (!l->starved || l->dead || l->ordinary.n > 0 ||
	    l->sent - l->acked >= CREDIT / 2)
		return;
	l->starved = false;
	if (l->ops->room != NULL)
		l->ops->room(l->ctx, l);
}

static int	encode(enum ipc_type, const void *payload, struct buf *);

static void
report_gap(struct link *l)
{
	struct ipc_gap gap = { .dropped = l->dropped };

	l->dropped = 0;
	ipc_send_gap(l, &gap, -1);
}

static int
link_send(struct link *l, enum ipc_type type, const void *payload, int fd)
{
	const struct ipc_kind *k = ipc_kind_of(type);
	struct buf b;
	struct frame *f;
	struct span bytes;

	if (l->dead)
		goto refuse;
	if (k->class == IPC_CLASS_DROP && link_full(l)) {
		l->dropped++;
		l->starved = true;
		goto refuse;
	}
	if (l->dropped > 0 && k->class == IPC_CLASS_DROP)
		report_gap(l);
	buf_init(&b, FRAME_HEAD + IPC_FRAME_MAX);
	if (encode(type, payload, &b) == -1) {
		buf_free(&b);
		goto refuse;
	}
	bytes = buf_get(&b);
	f = malloc(sizeof *f + bytes.n);
	if (f == NULL) {
		buf_free(&b);
		goto refuse;
	}
	*f = (struct frame){ .fd = fd, .class = k->class, .n = bytes.n };
	memcpy(f->bytes, bytes.p, bytes.n);
	buf_free(&b);
	frames_push(k->class == IPC_CLASS_RESERVED || k->class == IPC_CLASS_CALL ?
	    &l->urgent : &l->ordinary, f);
	link_flush(l);
	if (link_full(l))
		l->starved = true;
	return 0;
refuse:
	if (fd != -1)
		close(fd);
	return -1;
}

static int
encode(enum ipc_type type, const void *payload, struct buf *b)
{
	char head[FRAME_HEAD] = { 0 };

	put_le(head, type, 2);
	buf_add(b, head, sizeof head);
	switch (type) {
#define IPC_MESSAGE(NAME, name, from, to, fds, class)			\
	case IPC_##NAME:						\
		return ipc_put_##name(b, payload);
#include "base/ipc/messages.def"
	default:
		assert(!"unknown message type");
		return -1;
	}
}

#define IPC_MESSAGE(NAME, name, from, to, fds, class)			\
int									\
ipc_send_##name(struct link *l, const struct ipc_##name *m, int fd)	\
{									\
	return link_send(l, IPC_##NAME, m, fd);				\
}
#include "base/ipc/messages.def"

/* ---- receiving ---- */

/* Bytes of one frame into in_bytes, its descriptor into *fd.  -1: errno, or 0
 * there for a frame that is no frame. */
static ssize_t
receive_bytes(int sock, char *mem, size_t size, int *fd)
{
	union { struct cmsghdr head; char space[CMSG_SPACE(4 * sizeof(int))]; } c;
	struct iovec iov = { mem, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = c.space, .msg_controllen = sizeof c.space };
	struct cmsghdr *h;
	size_t nfds = 0;
	ssize_t n;

	*fd = -1;
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	for (h = CMSG_FIRSTHDR(&msg); h != NULL; h = CMSG_NXTHDR(&msg, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= h->cmsg_len -
		    CMSG_LEN(0); at += sizeof(int)) {
			int got;

			memcpy(&got, CMSG_DATA(h) + at, sizeof got);
			if (nfds++ == 0)
				*fd = got;
			else
				close(got);
		}
	}
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || nfds > 1) {
		if (*fd != -1)
			close(*fd);
		*fd = -1;
		errno = 0;
		return -1;
	}
	return n;
}

/* Why this frame must not be handled, or NULL with the message decoded. */
static const char *
check_frame(const struct link *l, struct span frame, struct ipc_msg *m)
{
	unsigned type = get_le(frame.p, 2);
	const struct ipc_kind *k = ipc_kind_of(type);
	int nfds = m->fd != -1;

	if (k == NULL || get_le(frame.p + 2, 2) != 0)
		return "unknown message type";
	if ((k->from != ROLE_ANY && k->from != l->peer) ||
	    (k->to != ROLE_ANY && k->to != l->self))
		return "message in the wrong direction";
	if ((k->fds == 0 && nfds != 0) || (k->fds == 1 && nfds == 0))
		return "wrong number of descriptors";
	if (ipc_decode(type, span_skip(frame, FRAME_HEAD), m) == -1)
		return "malformed message";
	return NULL;
}

static const char *
take_ack(struct link *l, uint32_t ack)
{
	if (ack - l->acked > l->sent - l->acked)
		return "acknowledges what was not sent";
	l->acked = ack;
	return NULL;
}

/* 1 a frame was handled, 0 none there, -1 the link failed or was closed. */
static int
receive_one(struct link *l)
{
	struct ipc_msg m = { .fd = -1 };
	ssize_t n = receive_bytes(loop_io_fd(l->io), in_bytes, sizeof in_bytes,
	    &m.fd);
	const char *why = NULL;

	/* A kernel short of memory is no word of the peer's end either. */
	if (n == -1 && (errno == EAGAIN || errno == ENOMEM ||
	    errno == ENOBUFS))
		return 0;
	if (n == 0 || (n == -1 && errno != 0)) {
		link_fail(l, "closed");
		return -1;
	}
	if (n < FRAME_HEAD)
		why = "frame of a wrong size";
	if (why == NULL)
		why = take_ack(l, get_le(in_bytes + 4, 4));
	if (why == NULL && n == FRAME_HEAD && get_le(in_bytes, 2) == IPC_NONE &&
	    m.fd == -1)
		return 1;
	if (why == NULL)
		why = check_frame(l, span_of(in_bytes, (size_t)n), &m);
	if (why == NULL) {
		if (ipc_kind_of(m.type)->class != IPC_CLASS_CALL)
			l->handled++;
		l->ops->message(l->ctx, l, &m);
	}
	if (m.fd != -1)
		close(m.fd);
	if (why != NULL)
		link_fail(l, why);
	return l->dead ? -1 : 1;
}

static void
link_io(void *arg, int events)
{
	struct link *l = arg;

	l->busy = true;
	if (events & LOOP_READ)
		for (int i = 0; i < READ_BATCH; i++)
			if (receive_one(l) != 1)
				break;
	if (!l->dead) {
		link_flush(l);
		link_room(l);
	}
	l->busy = false;
	if (l->dead)
		link_free(l);
}

/* ---- the blocking call ---- */

static int
receive_signed(int fd, struct ipc_msg *reply, char *mem)
{
	int got = -1;
	ssize_t n = receive_bytes(fd, mem, IPC_FRAME_MAX, &got);

	if (got != -1)
		close(got);
	if (n < FRAME_HEAD || got != -1 || get_le(mem, 2) != IPC_KEY_SIGNED)
		return -1;
	reply->fd = -1;
	return ipc_decode(IPC_KEY_SIGNED,
	    span_of(mem + FRAME_HEAD, (size_t)n - FRAME_HEAD), reply);
}

int
ipc_call_key_sign(int fd, const struct ipc_key_sign *request,
    struct ipc_msg *reply, char *mem)
{
	struct buf b;
	int rc = -1;

	buf_init(&b, FRAME_HEAD + IPC_FRAME_MAX);
	if (encode(IPC_KEY_SIGN, request, &b) == -1)
		goto free_buf;
	if (send_bytes(fd, buf_get(&b).p, buf_get(&b).n, -1) == -1)
		goto free_buf;
	/* A reply that an earlier, timed-out call gave up on is skipped. */
	do
		rc = receive_signed(fd, reply, mem);
	while (rc == 0 && reply->u.key_signed.txn != request->txn);
free_buf:
	buf_free(&b);
	return rc;
}
