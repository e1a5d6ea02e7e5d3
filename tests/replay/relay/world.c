/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/replay/relay/world.c - see world.h. */
#include "tests/replay/relay/world.h"

#include <assert.h>
#include <stdlib.h>

#include "tls/creds.h"

#define UNSENT_MAX	(1024 * 1024)

struct loop {
	int	none;
};

struct loop_timer {
	struct loop_timer *next;
	void		(*cb)(void *);
	void		*arg;
	uint64_t	 at;
	bool		 active, closed;
};

struct tls_creds {
	int	refs;
};

struct world world;

void
world_init(void)
{
	world = (struct world){ .now = 1000000 };
}

void
world_free(void)
{
	struct channel *c;
	struct loop_timer *t;

	while ((c = world.channels) != NULL) {
		world.channels = c->next;
		assert(c->state == WIRE_CLOSED);
		buf_free(&c->in);
		buf_free(&c->out);
		free(c);
	}
	while ((t = world.timers) != NULL) {
		world.timers = t->next;
		assert(t->closed);
		free(t);
	}
}

/* ---- base/loop.h ---- */

uint64_t
loop_now(struct loop *l)
{
	(void)l;
	return world.now;
}

struct loop_timer *
loop_timer_new(struct loop *l, void (*cb)(void *), void *arg)
{
	struct loop_timer *t = calloc(1, sizeof(*t));

	(void)l;
	assert(t != NULL);
	t->cb = cb;
	t->arg = arg;
	t->next = world.timers;
	world.timers = t;
	return t;
}

void
loop_timer_set(struct loop_timer *t, uint64_t ms)
{
	assert(!t->closed);
	t->at = world.now + ms;
	t->active = true;
}

void
loop_timer_stop(struct loop_timer *t)
{
	t->active = false;
}

bool
loop_timer_active(const struct loop_timer *t)
{
	return t->active;
}

void
loop_timer_close(struct loop_timer **tp)
{
	struct loop_timer *t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	t->active = false;
	t->closed = true;
}

static struct loop_timer *
next_timer(uint64_t until)
{
	struct loop_timer *t, *best = NULL;

	for (t = world.timers; t != NULL; t = t->next) {
		if (t->active && t->at <= until &&
		    (best == NULL || t->at < best->at))
			best = t;
	}
	return best;
}

void
world_pass(uint64_t ms)
{
	uint64_t until = world.now + ms;
	struct loop_timer *t;

	world_settle();
	while ((t = next_timer(until)) != NULL) {
		if (t->at > world.now)
			world.now = t->at;
		t->active = false;
		t->cb(t->arg);
		world_settle();
	}
	world.now = until;
}

/* ---- tls/creds.h ---- */

struct tls_creds *
tls_creds_ref(struct tls_creds *c)
{
	return c;
}

void
tls_creds_unref(struct tls_creds **c)
{
	*c = NULL;
}

/* ---- tls/channel.h ---- */

struct channel *
channel_connect(struct loop *l, const struct addr *to,
    const struct addr *source, const struct channel_ops *ops, void *arg,
    struct fault *f)
{
	struct channel *c;

	(void)l;
	/* An address that no route leads to fails at once. */
	if (to->family == 4 && to->ip[0] == 240) {
		fault_set(f, FAULT_TEMP, 0, "4.4.1", "no route to host");
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	assert(c != NULL);
	c->ops = ops;
	c->arg = arg;
	c->to = *to;
	if (source != NULL)
		c->source = *source;
	buf_init(&c->in, 64 * 1024);
	buf_init(&c->out, 2 * UNSENT_MAX);
	tls_facts_clear(&c->facts);
	c->next = world.channels;
	world.channels = c;
	world.opened++;
	return c;
}

struct channel *
channel_connect_unix(struct loop *l, const char *path,
    const struct channel_ops *ops, void *arg, struct fault *f)
{
	static const struct addr none = { .family = 4 };	/* 0.0.0.0 */
	struct channel *c;

	if (strcmp(path, "/nowhere") == 0) {
		fault_set(f, FAULT_TEMP, 0, "4.4.1", "connect to /nowhere: "
		    "No such file or directory");
		return NULL;
	}
	c = channel_connect(l, &none, NULL, ops, arg, f);
	(void)span_copy(span_str(path), c->path, sizeof(c->path));
	return c;
}

void
channel_adopt(struct channel *c, const struct channel_ops *ops, void *arg)
{
	c->ops = ops;
	c->arg = arg;
}

void
channel_close(struct channel **cp)
{
	if (*cp != NULL)
		(*cp)->state = WIRE_CLOSED;
	*cp = NULL;
}

void
channel_close_after_flush(struct channel **cp, uint64_t ms)
{
	(void)ms;
	if (*cp != NULL)
		(*cp)->linger = true;
	channel_close(cp);
}

struct span
channel_input(const struct channel *c)
{
	return buf_get(&c->in);
}

void
channel_consume(struct channel *c, size_t n)
{
	buf_consume(&c->in, n);
}

int
channel_send(struct channel *c, struct span s)
{
	assert(c->state != WIRE_CLOSED && c->state != WIRE_HANDSHAKE);
	if (c->out.len + s.n > UNSENT_MAX)
		return -1;
	c->owes_drained = true;
	return buf_span(&c->out, s);
}

size_t
channel_unsent(const struct channel *c)
{
	return c->out.len;
}

int
channel_start_client(struct channel *c, struct tls_creds *creds,
    const struct tls_offer *offer)
{
	(void)creds;
	assert(c->state == WIRE_CLEAR && c->in.len == 0);
	c->state = WIRE_HANDSHAKE;
	c->reduced = offer->reduced;
	assert(!offer->reduced || offer->resume.n == 0);
	(void)span_copy(span_str(offer->sni), c->sni, sizeof(c->sni));
	(void)span_copy(offer->resume, c->resumes, sizeof(c->resumes));
	return 0;
}

int
channel_resumable(const struct channel *c, struct buf *to)
{
	assert(c->state == WIRE_TLS);
	if (c->ticket[0] == '\0')
		return 0;
	return buf_str(to, c->ticket) == 0 ? 1 : -1;
}

const struct tls_facts *
channel_facts(const struct channel *c)
{
	return &c->facts;
}

/* ---- the peer ---- */

static bool
open_wire(const struct channel *c)
{
	return c->state != WIRE_CLOSED && !c->ended;
}

void
world_settle(void)
{
	struct channel *c;

	for (c = world.channels; c != NULL; c = c->next) {
		if (open_wire(c) && c->owes_drained && c->out.len == 0) {
			c->owes_drained = false;
			c->ops->drained(c->arg);
		}
	}
}

static void
tell_end(struct channel *c, enum channel_end end, bool in_handshake,
    const char *error)
{
	struct fault f = { .class = FAULT_NONE };

	if (error != NULL)
		fault_set(&f, FAULT_TEMP, 0, "4.4.2", "%s", error);
	c->ended = true;
	c->ops->ended(c->arg, end, in_handshake, &f);
}

void
wire_connect(struct channel *c, bool ok, const char *error)
{
	assert(c->state == WIRE_CONNECTING);
	if (!ok) {
		tell_end(c, CHANNEL_ERROR, false, error);
		return;
	}
	c->state = WIRE_CLEAR;
	c->ops->connected(c->arg);
}

void
wire_bytes(struct channel *c, struct span s)
{
	assert(open_wire(c) && c->state != WIRE_HANDSHAKE);
	assert(buf_span(&c->in, s) == 0);
	c->ops->input(c->arg);
	world_settle();
}

void
wire_secure(struct channel *c, bool ok, const char *error)
{
	assert(c->state == WIRE_HANDSHAKE);
	if (!ok) {
		tell_end(c, CHANNEL_ERROR, true, error);
		return;
	}
	c->state = WIRE_TLS;
	c->facts.resumed = c->resumes[0] != '\0';
	(void)span_copy(SPAN_LIT("TLS1.3"), c->facts.version,
	    sizeof(c->facts.version));
	c->ops->secured(c->arg);
}

void
wire_end(struct channel *c, enum channel_end end, const char *error)
{
	assert(open_wire(c));
	tell_end(c, end, c->state == WIRE_HANDSHAKE, error);
}
