/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/log_out.c - see log_out.h, and of log.h what concerns waiting lines. */
#include "base/log_out.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

enum fate {
	SENT,
	WAITS,		/* no room at the moment */
	GONE,		/* nobody is there */
	LOST,		/* it will never be taken */
};

/* Before each line that waits. */
typedef uint32_t	line_size;

static struct {
	int		 fd;
	bool		 no_socket, datagrams, gone;
	struct buf	 waiting;
	size_t		 begun;		/* bytes of the first that went out */
	uint64_t	 dropped;
	volatile sig_atomic_t dropped_now;
	void		(*wake)(void *);
	void		*arg;
} out = { .fd = STDERR_FILENO, .waiting = { .max = LOG_BACKLOG } };

void
log_out_to(int fd, bool datagrams)
{
	if (out.fd != -1 && out.fd != STDERR_FILENO && out.fd != fd)
		(void)close(out.fd);
	out.fd = fd;
	out.datagrams = datagrams;
	out.gone = fd == -1;
	out.no_socket = false;
	out.begun = 0;
}

static uint64_t
take_dropped(void)
{
	uint64_t n = out.dropped + (uint64_t)out.dropped_now;

	out.dropped = 0;
	out.dropped_now = 0;
	return n;
}

/* ---- one attempt ---- */

/* A socket is never waited for, whatever flags it was made with: standard
 * error may be one that others share. */
static ssize_t
write_some(struct span s)
{
	ssize_t n;

	if (!out.no_socket) {
		n = send(out.fd, s.p, s.n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n != -1 || errno != ENOTSOCK)
			return n;
		out.no_socket = true;
	}
	return write(out.fd, s.p, s.n);
}

static enum fate
fate_of(int error)
{
	switch (error) {
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		return WAITS;
	case ECONNREFUSED:
	case ECONNRESET:
	case ENOTCONN:
	case EPIPE:
	case EDESTADDRREQ:
		return out.datagrams ? GONE : LOST;
	default:
		return LOST;
	}
}

/* What went out is taken off `s`. */
static enum fate
attempt(struct span *s)
{
	while (s->n > 0) {
		ssize_t n = write_some(*s);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? LOST : fate_of(errno);
		*s = span_skip(*s, (size_t)n);
	}
	return SENT;
}

/* ---- lines that wait ---- */

/* The first `begun` bytes of it are out. */
static void
keep(struct span line, size_t begun)
{
	line_size n = (line_size)line.n;

	if (out.waiting.len + sizeof n + line.n > LOG_BACKLOG ||
	    buf_room(&out.waiting, sizeof n + line.n) == NULL) {
		out.waiting.failed = false;
		out.dropped++;
		return;
	}
	if (out.waiting.len == 0)
		out.begun = begun;
	(void)buf_add(&out.waiting, &n, sizeof n);
	(void)buf_span(&out.waiting, line);
	if (out.wake != NULL)
		out.wake(out.arg);
}

static bool
flush(void)
{
	while (out.waiting.len > 0 && !out.gone) {
		struct span all = buf_get(&out.waiting), line;
		line_size n;

		memcpy(&n, all.p, sizeof n);
		line = span_skip(span_head(all, sizeof n + n),
		    sizeof n + out.begun);
		switch (attempt(&line)) {
		case WAITS:
			out.begun = n - line.n;
			return false;
		case GONE:
			out.gone = true;
			return false;
		case LOST:
			out.dropped++;
			break;
		case SENT:
			break;
		}
		buf_consume(&out.waiting, sizeof n + n);
		out.begun = 0;
	}
	return out.waiting.len == 0;
}

void
log_out_put(struct span line)
{
	struct span rest = line;

	if (!flush() || out.gone) {
		keep(line, 0);
		return;
	}
	switch (attempt(&rest)) {
	case SENT:
		break;
	case LOST:
		out.dropped++;
		break;
	case GONE:
		out.gone = true;
		/* FALLTHROUGH */
	case WAITS:
		keep(line, line.n - rest.n);
	}
}

void
log_out_now(struct span line)
{
	if (out.gone || attempt(&line) != SENT)
		out.dropped_now++;
}

/* ---- for who owns the loop ---- */

void
log_on_wait(void (*wake)(void *), void *arg)
{
	out.wake = wake;
	out.arg = arg;
}

bool
log_gone(void)
{
	return out.gone;
}

/* A full pipe is read on soon; a daemon takes its time to start. */
uint64_t
log_retry_ms(void)
{
	return out.gone ? 1000 : 50;
}

bool
log_flush(void)
{
	bool empty = flush();
	uint64_t lost = empty && !out.gone ? take_dropped() : 0;

	if (lost > 0)
		log_warn("log-dropped", KV_N("lines", lost));
	return empty;
}
