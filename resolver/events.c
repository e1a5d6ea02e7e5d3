/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* resolver/events.c - see resolver/events.h.
 *
 * The contract is libevent's: an event without UB_EV_PERSIST stops when it
 * fires, a time-out of a persistent one starts anew with each firing.  An
 * event's callback may free the event, so that nothing is touched after it.
 *
 * Descriptors belong to libunbound, which closes them right after del(): the
 * loop's handle is let go in del() without closing, and never kept for later,
 * because the number may be another socket by then. */
#include <assert.h>
#include <stdlib.h>
#include <sys/time.h>

#include <unbound-event.h>

#include "resolver/events.h"

struct events {
	struct ub_event_base	 super;		/* first: libunbound's view */
	struct loop		*loop;
};

struct event {
	struct ub_event		 super;		/* first, too */
	struct loop		*loop;
	int			 fd;
	short			 bits;
	void			(*cb)(int, short, void *);
	void			*arg;
	struct loop_io		*io;		/* only while watched */
	struct loop_timer	*timer;		/* once made, kept until free */
	uint64_t		 timeout;	/* ms, of a watched descriptor */
	bool			 timed;
};

static struct event *
event_of(struct ub_event *e)
{
	assert(e->magic == UB_EVENT_MAGIC);
	return (struct event *)(void *)e;
}

static void
event_stop(struct event *e)
{
	(void)loop_io_release(&e->io);
	if (e->timer != NULL)
		loop_timer_stop(e->timer);
	e->timed = false;
}

static void
event_fire(struct event *e, short bits)
{
	if ((e->bits & UB_EV_PERSIST) == 0)
		event_stop(e);
	else if (e->timed)
		loop_timer_set(e->timer, e->timeout);
	e->cb(e->fd, bits, e->arg);
}

static void
event_io(void *arg, int ready)
{
	struct event *e = arg;
	int bits = 0;

	if (ready & LOOP_READ)
		bits |= UB_EV_READ;
	if (ready & LOOP_WRITE)
		bits |= UB_EV_WRITE;
	bits &= e->bits;
	if (bits != 0)
		event_fire(e, (short)bits);
}

static void
event_timeout(void *arg)
{
	event_fire(arg, UB_EV_TIMEOUT);
}

/* Rounded up: a timer that fires early would be set again for nothing. */
static uint64_t
timeval_ms(const struct timeval *tv)
{
	if (tv->tv_sec < 0)
		return 0;
	return (uint64_t)tv->tv_sec * 1000 +
	    ((uint64_t)tv->tv_usec + 999) / 1000;
}

static int
event_set_timer(struct event *e, const struct timeval *tv)
{
	if (e->timer == NULL)
		e->timer = loop_timer_new(e->loop, event_timeout, e);
	if (e->timer == NULL)
		return -1;
	e->timeout = timeval_ms(tv);
	e->timed = true;
	loop_timer_set(e->timer, e->timeout);
	return 0;
}

/* ---- what libunbound calls ---- */

static int
event_add(struct ub_event *ue, struct timeval *tv)
{
	struct event *e = event_of(ue);
	int watch = 0;

	if (e->bits & UB_EV_READ)
		watch |= LOOP_READ;
	if (e->bits & UB_EV_WRITE)
		watch |= LOOP_WRITE;
	if (watch != 0 && e->fd >= 0) {
		if (e->io == NULL)
			e->io = loop_io_new(e->loop, e->fd, event_io, e);
		if (e->io == NULL || loop_io_watch(e->io, watch) != 0)
			goto stop;
	}
	if (tv != NULL && (e->bits & UB_EV_TIMEOUT) != 0 &&
	    event_set_timer(e, tv) == -1)
		goto stop;
	return 0;
stop:
	event_stop(e);
	return -1;
}

static int
event_del(struct ub_event *ue)
{
	event_stop(event_of(ue));
	return 0;
}

static void
event_add_bits(struct ub_event *ue, short bits)
{
	struct event *e = event_of(ue);

	e->bits = (short)(e->bits | bits);
}

static void
event_del_bits(struct ub_event *ue, short bits)
{
	struct event *e = event_of(ue);

	e->bits = (short)(e->bits & ~bits);
}

static void
event_set_fd(struct ub_event *ue, int fd)
{
	struct event *e = event_of(ue);

	event_stop(e);
	e->fd = fd;
}

static void
event_free(struct ub_event *ue)
{
	struct event *e = event_of(ue);

	event_stop(e);
	loop_timer_close(&e->timer);
	free(e);
}

static int
event_add_timer(struct ub_event *ue, struct ub_event_base *base,
    void (*cb)(int, short, void *), void *arg, struct timeval *tv)
{
	struct event *e = event_of(ue);

	(void)base;
	e->cb = cb;
	e->arg = arg;
	return event_set_timer(e, tv);
}

/* Signals and Windows events: "not called by libunbound", but the table has to
 * be full. */
static int
event_add_signal(struct ub_event *ue, struct timeval *tv)
{
	(void)ue, (void)tv;
	return -1;
}

static void
event_unregister_wsa(struct ub_event *ue)
{
	(void)ue;
}

static void
event_would_block(struct ub_event *ue, int bit)
{
	(void)ue, (void)bit;
}

static struct ub_event_vmt event_vmt = {
	.add_bits = event_add_bits,
	.del_bits = event_del_bits,
	.set_fd = event_set_fd,
	.free = event_free,
	.add = event_add,
	.del = event_del,
	.add_timer = event_add_timer,
	.del_timer = event_del,
	.add_signal = event_add_signal,
	.del_signal = event_del,
	.winsock_unregister_wsaevent = event_unregister_wsa,
	.winsock_tcp_wouldblock = event_would_block,
};

static struct ub_event *
base_new_event(struct ub_event_base *ub, int fd, short bits,
    void (*cb)(int, short, void *), void *arg)
{
	struct events *b = (struct events *)(void *)ub;
	struct event *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->super = (struct ub_event){ UB_EVENT_MAGIC, &event_vmt };
	e->loop = b->loop;
	e->fd = fd;
	e->bits = bits;
	e->cb = cb;
	e->arg = arg;
	return &e->super;
}

static struct ub_event *
base_new_signal(struct ub_event_base *ub, int sig,
    void (*cb)(int, short, void *), void *arg)
{
	(void)ub, (void)sig, (void)cb, (void)arg;
	return NULL;
}

static struct ub_event *
base_register_wsa(struct ub_event_base *ub, void *wsa,
    void (*cb)(int, short, void *), void *arg)
{
	(void)ub, (void)wsa, (void)cb, (void)arg;
	return NULL;
}

static void
base_free(struct ub_event_base *ub)
{
	(void)ub;
}

static int
base_dispatch(struct ub_event_base *ub)
{
	(void)ub;
	return 0;
}

static int
base_exit(struct ub_event_base *ub, struct timeval *tv)
{
	(void)ub, (void)tv;
	return 0;
}

static struct ub_event_base_vmt base_vmt = {
	.free = base_free,
	.dispatch = base_dispatch,
	.loopexit = base_exit,
	.new_event = base_new_event,
	.new_signal = base_new_signal,
	.winsock_register_wsaevent = base_register_wsa,
};

struct ub_event_base *
events_new(struct loop *loop)
{
	struct events *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->super = (struct ub_event_base){ UB_EVENT_MAGIC, &base_vmt };
	b->loop = loop;
	return &b->super;
}

void
events_free(struct ub_event_base **base)
{
	free(*base);
	*base = NULL;
}
