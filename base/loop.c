/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/loop.c - see loop.h.  The only file that knows libuv. */
#include "base/loop.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

struct loop {
	uv_loop_t	 uv;
	unsigned	 handles;	/* given out and not closed */
};

struct loop_io {
	uv_poll_t	 poll;
	struct loop	*loop;
	void		(*cb)(void *, int);
	void		*arg;
	int		 fd, events;
};

struct loop_timer {
	uv_timer_t	 timer;
	struct loop	*loop;
	void		(*cb)(void *);
	void		*arg;
};

struct loop_signal {
	uv_signal_t	 signal;
	struct loop	*loop;
	void		(*cb)(void *);
	void		*arg;
};

struct loop_job {
	uv_work_t	 work;
	void		(*run)(void *);
	void		(*done)(void *);
	void		*arg;
};

struct loop *
loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	if (uv_loop_init(&l->uv) != 0) {
		free(l);
		return NULL;
	}
	return l;
}

void
loop_run(struct loop *l)
{
	uv_run(&l->uv, UV_RUN_DEFAULT);
}

void
loop_stop(struct loop *l)
{
	uv_stop(&l->uv);
}

void
loop_free(struct loop **lp)
{
	struct loop *l = *lp;

	if (l == NULL)
		return;
	*lp = NULL;
	assert(l->handles == 0);
	while (uv_run(&l->uv, UV_RUN_DEFAULT) != 0)
		;
	assert(uv_loop_close(&l->uv) == 0);
	free(l);
}

uint64_t
loop_now(struct loop *l)
{
	return uv_now(&l->uv);
}

static void
handle_freed(uv_handle_t *h)
{
	free(h->data);
}

/* ---- descriptors ---- */

static void
io_ready(uv_poll_t *poll, int status, int uv_events)
{
	struct loop_io *io = poll->data;
	int events = 0;

	if (status < 0) {
		events = io->events;	/* the next system call says what it is */
		io->events = 0;		/* libuv stopped the poll: a watch starts it again */
	} else {
		if (uv_events & UV_READABLE)
			events |= LOOP_READ;
		if (uv_events & UV_WRITABLE)
			events |= LOOP_WRITE;
	}
	if (events != 0)
		io->cb(io->arg, events);
}

struct loop_io *
loop_io_new(struct loop *l, int fd, void (*cb)(void *, int), void *arg)
{
	struct loop_io *io = calloc(1, sizeof *io);

	if (io == NULL)
		return NULL;
	if (uv_poll_init(&l->uv, &io->poll, fd) != 0) {
		free(io);
		return NULL;
	}
	io->poll.data = io;
	io->loop = l;
	io->fd = fd;
	io->cb = cb;
	io->arg = arg;
	l->handles++;
	return io;
}

int
loop_io_watch(struct loop_io *io, int events)
{
	int uv_events = 0;

	if (events == io->events)
		return 0;
	io->events = events;
	if (events == 0)
		return uv_poll_stop(&io->poll);
	if (events & LOOP_READ)
		uv_events |= UV_READABLE;
	if (events & LOOP_WRITE)
		uv_events |= UV_WRITABLE;
	return uv_poll_start(&io->poll, uv_events, io_ready);
}

int
loop_io_fd(const struct loop_io *io)
{
	return io->fd;
}

int
loop_io_release(struct loop_io **iop)
{
	struct loop_io *io = *iop;
	int fd;

	if (io == NULL)
		return -1;
	*iop = NULL;
	fd = io->fd;
	/* Stopped before the descriptor may be closed and its number reused. */
	uv_poll_stop(&io->poll);
	io->loop->handles--;
	uv_close((uv_handle_t *)&io->poll, handle_freed);
	return fd;
}

void
loop_io_close(struct loop_io **iop)
{
	int fd = loop_io_release(iop);

	if (fd != -1)
		close(fd);
}

/* ---- timers ---- */

static void
timer_fired(uv_timer_t *timer)
{
	struct loop_timer *t = timer->data;

	t->cb(t->arg);
}

struct loop_timer *
loop_timer_new(struct loop *l, void (*cb)(void *), void *arg)
{
	struct loop_timer *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	uv_timer_init(&l->uv, &t->timer);
	t->timer.data = t;
	t->loop = l;
	t->cb = cb;
	t->arg = arg;
	l->handles++;
	return t;
}

void
loop_timer_set(struct loop_timer *t, uint64_t ms)
{
	uv_timer_start(&t->timer, timer_fired, ms, 0);
}

void
loop_timer_stop(struct loop_timer *t)
{
	uv_timer_stop(&t->timer);
}

bool
loop_timer_active(const struct loop_timer *t)
{
	return uv_is_active((const uv_handle_t *)&t->timer) != 0;
}

void
loop_timer_close(struct loop_timer **tp)
{
	struct loop_timer *t = *tp;

	if (t == NULL)
		return;
	*tp = NULL;
	uv_timer_stop(&t->timer);
	t->loop->handles--;
	uv_close((uv_handle_t *)&t->timer, handle_freed);
}

/* ---- signals ---- */

static void
signal_came(uv_signal_t *signal, int signum)
{
	struct loop_signal *s = signal->data;

	(void)signum;
	s->cb(s->arg);
}

struct loop_signal *
loop_signal_new(struct loop *l, int signum, void (*cb)(void *), void *arg)
{
	struct loop_signal *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	uv_signal_init(&l->uv, &s->signal);
	s->signal.data = s;
	s->loop = l;
	s->cb = cb;
	s->arg = arg;
	l->handles++;
	if (uv_signal_start(&s->signal, signal_came, signum) != 0)
		loop_signal_close(&s);
	return s;
}

void
loop_signal_close(struct loop_signal **sp)
{
	struct loop_signal *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	uv_signal_stop(&s->signal);
	s->loop->handles--;
	uv_close((uv_handle_t *)&s->signal, handle_freed);
}

/* ---- thread pool ---- */

static void
work_run(uv_work_t *w)
{
	struct loop_job *j = w->data;

	j->run(j->arg);
}

static void
work_done(uv_work_t *w, int status)
{
	struct loop_job *j = w->data;
	void (*done)(void *) = j->done;
	void *arg = j->arg;

	assert(status == 0);		/* nothing here is ever cancelled */
	free(j);
	done(arg);
}

int
loop_work(struct loop *l, void (*run)(void *), void (*done)(void *), void *arg)
{
	struct loop_job *j = malloc(sizeof *j);

	if (j == NULL)
		return -1;
	*j = (struct loop_job){ .run = run, .done = done, .arg = arg };
	j->work.data = j;
	if (uv_queue_work(&l->uv, &j->work, work_run, work_done) != 0) {
		free(j);
		return -1;
	}
	return 0;
}

static void
nothing(void *arg)
{
	(void)arg;
}

int
loop_pool_start(struct loop *l)
{
	/* libuv starts all threads for the first job, and waits for them. */
	return loop_work(l, nothing, nothing, NULL);
}
