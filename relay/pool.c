/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/pool.c - see pool.h. */
#include "relay/pool.h"

static void
unlink_session(struct pool *p, struct session *s)
{
	*(s->prev != NULL ? &s->prev->next : &p->first) = s->next;
	*(s->next != NULL ? &s->next->prev : &p->last) = s->prev;
	s->prev = s->next = NULL;
	p->n--;
}

static void
on_timer(void *arg)
{
	struct pool *p = arg;
	uint64_t now = loop_now(p->loop);

	while (p->first != NULL && p->first->idle_until <= now)
		(void)pool_drop_oldest(p);
	if (p->first != NULL)
		loop_timer_set(p->timer, p->first->idle_until - now);
}

int
pool_init(struct pool *p, struct loop *loop, void (*dropped)(void *), void *arg)
{
	*p = (struct pool){ .loop = loop, .dropped = dropped, .arg = arg };
	p->timer = loop_timer_new(loop, on_timer, p);
	return p->timer == NULL ? -1 : 0;
}

void
pool_put(struct pool *p, struct session *s)
{
	s->idle_until = loop_now(p->loop) + POOL_IDLE_MS;
	s->prev = p->last;
	s->next = NULL;
	*(p->last != NULL ? &p->last->next : &p->first) = s;
	p->last = s;
	p->n++;
	if (!loop_timer_active(p->timer))
		loop_timer_set(p->timer, POOL_IDLE_MS);
}

struct session *
pool_take(struct pool *p, uint64_t site, uint64_t identity)
{
	struct session *s;

	/* The youngest: it is the least likely to be closed meanwhile. */
	for (s = p->last; s != NULL; s = s->prev) {
		if (s->site == site && s->identity == identity) {
			unlink_session(p, s);
			return s;
		}
	}
	return NULL;
}

bool
pool_drop_oldest(struct pool *p)
{
	struct session *s = p->first;

	if (s == NULL)
		return false;
	unlink_session(p, s);
	session_quit(&s);
	p->dropped(p->arg);
	return true;
}

void
pool_ended(struct pool *p, struct session *s)
{
	unlink_session(p, s);
	session_close(&s);
	p->dropped(p->arg);
}

void
pool_close(struct pool *p)
{
	while (pool_drop_oldest(p))
		;
	loop_timer_close(&p->timer);
}
