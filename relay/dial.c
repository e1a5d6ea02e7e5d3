/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/dial.c - see dial.h. */
#include "relay/dial.h"

static void	on_connected(void *);
static void	on_ended(void *, enum channel_end, bool, const struct fault *);

/* Nothing else happens to a channel before it is connected. */
static const struct channel_ops attempt_ops = {
	.connected = on_connected, .ended = on_ended,
};

static struct dial_attempt *
unused(struct dial *d)
{
	for (int i = 0; i < DIAL_MAX; i++)
		if (d->attempts[i].channel == NULL)
			return &d->attempts[i];
	return NULL;
}

static bool
pending(const struct dial *d)
{
	for (int i = 0; i < DIAL_MAX; i++)
		if (d->attempts[i].channel != NULL)
			return true;
	return false;
}

/* One more address; those that fail at once are passed over. */
static void
start_next(struct dial *d)
{
	struct dial_attempt *a = unused(d);
	struct fault f = { .class = FAULT_NONE };
	struct dial_target t;

	while (a != NULL && d->ops->next(d->arg, &t)) {
		*a = (struct dial_attempt){ .dial = d, .id = t.id };
		a->channel = channel_connect(d->loop, t.to, t.source,
		    &attempt_ops, a, &f);
		if (a->channel != NULL) {
			loop_timer_set(d->timer, DIAL_DELAY_MS);
			return;
		}
		d->ops->missed(d->arg, t.id, &f);
	}
	if (!pending(d)) {
		dial_stop(d);
		d->ops->over(d->arg);
	}
}

static void
on_timer(void *arg)
{
	start_next(arg);
}

static void
on_connected(void *arg)
{
	struct dial_attempt *a = arg;
	struct dial *d = a->dial;
	struct channel *channel = a->channel;

	a->channel = NULL;
	dial_stop(d);
	d->ops->reached(d->arg, a->id, channel);
}

static void
on_ended(void *arg, enum channel_end how, bool in_handshake,
    const struct fault *f)
{
	struct dial_attempt *a = arg;
	struct dial *d = a->dial;

	(void)how, (void)in_handshake;
	channel_close(&a->channel);
	d->ops->missed(d->arg, a->id, f);
	start_next(d);
}

int
dial_start(struct dial *d, struct loop *loop, const struct dial_ops *ops,
    void *arg)
{
	*d = (struct dial){ .loop = loop, .ops = ops, .arg = arg };
	d->timer = loop_timer_new(loop, on_timer, d);
	if (d->timer == NULL)
		return -1;
	start_next(d);
	return 0;
}

void
dial_stop(struct dial *d)
{
	for (int i = 0; i < DIAL_MAX; i++)
		channel_close(&d->attempts[i].channel);
	loop_timer_close(&d->timer);
}
