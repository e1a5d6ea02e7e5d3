/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/control.c - see control.h: the owner's side.
 *
 * Who may connect is decided by the socket's owner and mode, which the parent
 * sets.  What is defended here is the owner's time and memory: a client gets
 * one request at a time, of bounded length; what it does not read is bounded
 * too, and listings wait for it; the number of clients is bounded.
 *
 * Nothing here frees a client while its owner may still be in the middle of
 * answering: trouble only marks it `dead`, and the loop ends it. */
#include "base/control.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

#define READ_CHUNK	(16 * 1024)
#define REQUEST_IDLE_MS	(60 * 1000)		/* to send the next request */
#define READER_IDLE_MS	(10 * 60 * 1000)	/* a pager may sit behind it */
#define ACCEPT_PAUSE_MS	1000

struct control {
	struct loop		*loop;
	struct loop_io		*io;
	struct loop_timer	*pause;		/* after a failed accept */
	const struct control_ops *ops;
	void			*ctx;
	struct control_client	*clients;
	unsigned		 nclients;
	bool			 accept_failing;	/* said in the log */
};

struct control_client {
	struct control		*control;
	struct control_client	*next, **prev;
	struct loop_io		*io;
	struct loop_timer	*idle;
	struct buf		 in, out;
	size_t			 scanned;	/* of `in`, known to hold no newline */
	void			*cursor;
	bool			 busy;		/* a request is being answered */
	bool			 eof;		/* nothing more will be read */
	bool			 dead;		/* ends at once, from the loop */
};

static void	client_ready(void *, int);
static void	client_idle(void *);

/* ---- the life of a client ---- */

static void
client_free(struct control_client *c)
{
	struct control *ct = c->control;

	*c->prev = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	ct->nclients--;
	loop_io_close(&c->io);
	loop_timer_close(&c->idle);
	c->dead = true;
	if (ct->ops->gone != NULL)
		ct->ops->gone(ct->ctx, c);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

/* From here the owner may call us about it until `gone`, to no effect. */
static void
client_kill(struct control_client *c, const char *why)
{
	if (c->dead)
		return;
	if (why != NULL)
		log_warn("control-closed", KV_Q("reason", why));
	c->dead = true;
	loop_timer_set(c->idle, 0);
}

static bool
client_has_line(struct control_client *c)
{
	struct span in = span_skip(buf_get(&c->in), c->scanned);

	if (in.n == 0)
		return false;
	if (memchr(in.p, '\n', in.n) != NULL)
		return true;
	c->scanned += in.n;
	return false;
}

static bool
client_wants_read(const struct control_client *c)
{
	return !c->eof && c->in.len <= CONTROL_REQUEST_MAX;
}

/* Is there something to do once it can be written to? */
static bool
client_wants_turn(struct control_client *c)
{
	if (c->out.len > 0)
		return true;
	if (c->busy)
		return c->cursor != NULL;
	return c->eof || c->in.len > CONTROL_REQUEST_MAX || client_has_line(c);
}

/* What the state of the client asks for: the one place that decides. */
static void
client_watch(struct control_client *c)
{
	int events;

	if (c->dead)
		return;
	events = (client_wants_read(c) ? LOOP_READ : 0) |
	    (client_wants_turn(c) ? LOOP_WRITE : 0);
	if (loop_io_watch(c->io, events) != 0)
		client_kill(c, "the descriptor cannot be watched");
	/* An owner may take its time; a client may not. */
	if (c->out.len > 0)
		loop_timer_set(c->idle, READER_IDLE_MS);
	else if (!c->busy)
		loop_timer_set(c->idle, REQUEST_IDLE_MS);
	else
		loop_timer_stop(c->idle);
}

static int
client_new(struct control *ct, int fd)
{
	struct control_client *c = calloc(1, sizeof *c);

	if (c == NULL) {
		close(fd);
		return -1;
	}
	c->control = ct;
	/* Reading stops above CONTROL_REQUEST_MAX: a buffer that full without
	 * a newline proves a line that is too long. */
	buf_init(&c->in, CONTROL_REQUEST_MAX + READ_CHUNK);
	buf_init(&c->out, CONTROL_QUEUE_MAX);
	c->idle = loop_timer_new(ct->loop, client_idle, c);
	c->io = loop_io_new(ct->loop, fd, client_ready, c);
	if (c->idle == NULL || c->io == NULL) {
		if (c->io == NULL)
			close(fd);
		loop_io_close(&c->io);
		loop_timer_close(&c->idle);
		free(c);
		return -1;
	}
	c->next = ct->clients;
	c->prev = &ct->clients;
	if (c->next != NULL)
		c->next->prev = &c->next;
	ct->clients = c;
	ct->nclients++;
	client_watch(c);
	return 0;
}

static void
client_idle(void *arg)
{
	struct control_client *c = arg;

	client_free(c);		/* too slow, or dead */
}

/* ---- requests ---- */

/* A whole line is at the front of `in`. */
static void
client_request(struct control_client *c)
{
	struct control *ct = c->control;
	struct span in = buf_get(&c->in);
	const char *end = memchr(in.p, '\n', in.n);
	size_t n;
	json_t *request;

	assert(end != NULL);
	n = (size_t)(end - in.p);
	if (n > CONTROL_REQUEST_MAX) {
		client_kill(c, "a request was too long");
		return;
	}
	request = json_loadb(in.p, n, JSON_REJECT_DUPLICATES, NULL);
	buf_consume(&c->in, n + 1);
	c->scanned = 0;
	if (!json_is_string(json_object_get(request, "cmd"))) {
		json_decref(request);
		client_kill(c, "a request was not a JSON object with \"cmd\"");
		return;
	}
	c->busy = true;
	ct->ops->request(ct->ctx, c, request);
	json_decref(request);
}

static void
client_read(struct control_client *c)
{
	struct pollfd pfd = { .fd = loop_io_fd(c->io) };
	char *at = buf_room(&c->in, READ_CHUNK);
	ssize_t n;

	if (at == NULL) {
		client_kill(c, "out of memory");
		return;
	}
	n = recv(loop_io_fd(c->io), at, READ_CHUNK, MSG_DONTWAIT);
	if (n > 0) {
		buf_grown(&c->in, (size_t)n);
		return;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Half-closed by `nc -N` or socat: the answer is still wanted.  Closed
	 * altogether: nobody is there to read it. */
	if (n == 0 && poll(&pfd, 1, 0) >= 0 && !(pfd.revents & (POLLHUP | POLLERR)))
		c->eof = true;
	else
		client_kill(c, NULL);
}

static void
client_write(struct control_client *c)
{
	struct span out = buf_get(&c->out);
	ssize_t n;

	if (out.n == 0)
		return;
	n = send(loop_io_fd(c->io), out.p, out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0)
		buf_consume(&c->out, (size_t)n);
	else if (errno != EAGAIN && errno != EINTR)
		client_kill(c, NULL);
}

/* All that was queued is written: go on with the request, or the next one. */
static void
client_turn(struct control_client *c)
{
	struct control *ct = c->control;

	if (c->busy) {
		if (c->cursor != NULL && ct->ops->more != NULL)
			ct->ops->more(ct->ctx, c);
	} else if (client_has_line(c))
		client_request(c);
	else if (c->in.len > CONTROL_REQUEST_MAX)
		client_kill(c, "a request was too long");
	else if (c->eof)
		client_kill(c, NULL);
}

/* One step of work per turn of the loop, so that no client holds up others
 * or the mail: read a piece, write a piece, then one request or one `more`. */
static void
client_ready(void *arg, int events)
{
	struct control_client *c = arg;

	if (c->dead)
		return;
	if ((events & LOOP_READ) && client_wants_read(c))
		client_read(c);
	if (!c->dead && (events & LOOP_WRITE))
		client_write(c);
	if (!c->dead && c->out.len == 0)
		client_turn(c);
	client_watch(c);
}

/* ---- the listening socket ---- */

/* Said to one client too many instead of leaving it to wait unheard. */
static void
client_refuse(int fd)
{
	static const char text[] = "{\"error\":\"too many clients are "
	    "connected to this control socket\",\"exit\":69}\n";

	(void)!send(fd, text, sizeof text - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void
control_ready(void *arg, int events)
{
	struct control *ct = arg;
	int fd = accept4(loop_io_fd(ct->io), NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd == -1) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		/* No descriptors or no memory: trying again at once would be a
		 * busy loop, because the client still waits. */
		if (!ct->accept_failing)
			log_warn("control-accept-failed",
			    KV_Q("reason", strerror(errno)));
		ct->accept_failing = true;
		loop_io_watch(ct->io, 0);
		loop_timer_set(ct->pause, ACCEPT_PAUSE_MS);
		return;
	}
	ct->accept_failing = false;
	if (ct->nclients >= CONTROL_CLIENTS_MAX)
		client_refuse(fd);
	else
		(void)client_new(ct, fd);
}

static void
control_resume(void *arg)
{
	struct control *ct = arg;

	loop_io_watch(ct->io, LOOP_READ);
}

struct control *
control_new(struct loop *loop, int listen_fd, const struct control_ops *ops,
    void *ctx)
{
	struct control *ct = calloc(1, sizeof *ct);

	assert(ops->request != NULL);
	if (ct == NULL || fcntl(listen_fd, F_SETFL, O_NONBLOCK) == -1)
		goto fail;
	*ct = (struct control){ .loop = loop, .ops = ops, .ctx = ctx };
	ct->pause = loop_timer_new(loop, control_resume, ct);
	ct->io = loop_io_new(loop, listen_fd, control_ready, ct);
	if (ct->pause == NULL || ct->io == NULL ||
	    loop_io_watch(ct->io, LOOP_READ) != 0)
		goto fail;
	return ct;
fail:
	if (ct == NULL || ct->io == NULL)
		close(listen_fd);
	if (ct != NULL) {
		loop_io_close(&ct->io);
		loop_timer_close(&ct->pause);
	}
	free(ct);
	return NULL;
}

void
control_close(struct control **ctp)
{
	struct control *ct = *ctp;

	if (ct == NULL)
		return;
	*ctp = NULL;
	while (ct->clients != NULL)
		client_free(ct->clients);
	loop_io_close(&ct->io);
	loop_timer_close(&ct->pause);
	free(ct);
}

/* ---- answers ---- */

static int
answer_write(const char *p, size_t n, void *arg)
{
	return buf_add(arg, p, n);
}

static void
client_put(struct control_client *c, const json_t *line)
{
	if (json_dump_callback(line, answer_write, &c->out, JSON_COMPACT) != 0 ||
	    buf_char(&c->out, '\n') != 0)
		client_kill(c, "more answers were queued than it may have");
}

void
control_answer(struct control_client *c, json_t *line)
{
	if (!c->dead && c->busy) {
		/* NULL is what jansson gives for no memory and for bytes that
		 * are not UTF-8: the listing would lack an entry unnoticed. */
		if (line == NULL)
			client_kill(c, "an answer could not be made");
		else
			client_put(c, line);
		client_watch(c);
	}
	json_decref(line);
}

void
control_done(struct control_client *c)
{
	json_t *line = json_pack("{s:b}", "done", 1);

	control_answer(c, line);
	c->busy = false;
	client_watch(c);
}

void
control_error(struct control_client *c, int exit_code, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	size_t i;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	/* It may quote what a client or peer sent. */
	for (i = 0; text[i] != '\0'; i++)
		if ((unsigned char)text[i] < ' ' || (unsigned char)text[i] > '~')
			text[i] = '?';
	control_answer(c, json_pack("{s:s, s:i}", "error", text,
	    "exit", exit_code));
	c->busy = false;
	client_watch(c);
}

bool
control_full(const struct control_client *c)
{
	return c->dead || c->out.len >= CONTROL_PAUSE;
}

void **
control_cursor(struct control_client *c)
{
	/* It may be set after the callback: then one turn finds out. */
	if (!c->dead)
		loop_io_watch(c->io,
		    LOOP_WRITE | (client_wants_read(c) ? LOOP_READ : 0));
	return &c->cursor;
}
