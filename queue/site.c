/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/site.c - how much may be under way at once to each site, and which
 * site's turn it is.
 *
 * Concurrency starts low, grows by one per full round of successes and halves
 * at connect, greeting, EHLO, 421 and MAIL trouble; nothing else shrinks it.
 * Attempts that were under way together and fail together shrink it once: of
 * twenty connections a host may refuse ten, and still take the other ten.
 * After several troubles in a row a site rests, with a pause that doubles, and
 * what waits for it is deferred instead of tried one by one. */
#include "queue/queue_priv.h"

#include <stdlib.h>

#include "base/log.h"

#define LIMIT_START	5
#define CAP_DEFAULT	20
#define TROUBLES_MOST	5	/* in a row: rest */
#define SITE_KEPT_MS	600000	/* an idle site's concurrency is remembered */
#define EXPIRE_STEP	256	/* slots of the table looked at in one go */

static struct site *
site_find(struct queue *q, uint64_t id)
{
	struct table_link *l = table_find(&q->sites, table_hash_u64(id));

	for (; l != NULL; l = table_next(l)) {
		struct site *s = TABLE_ENTRY(l, struct site, link);

		if (s->id == id)
			return s;
	}
	return NULL;
}

struct site *
site_get(struct queue *q, uint64_t id, unsigned cap)
{
	struct site *s = site_find(q, id);

	if (cap == 0)
		cap = q->conf->relay.connections > 0 ?
		    q->conf->relay.connections : CAP_DEFAULT;
	if (s == NULL) {
		s = calloc(1, sizeof(*s));
		if (s == NULL)
			return NULL;
		s->id = id;
		s->limit = LIMIT_START;
		TAILQ_INIT(&s->flows);
		if (table_add(&q->sites, &s->link, table_hash_u64(id)) == -1) {
			free(s);
			return NULL;
		}
	}
	s->cap = cap;
	if (s->limit > s->cap)
		s->limit = s->cap;
	s->used = queue_now(q);
	return s;
}

void
site_ready(struct queue *q, struct site *s)
{
	if (s->in_ring || flow_first(s) == NULL || s->waits != NULL ||
	    (double)s->running + 1 > s->limit)
		return;
	s->in_ring = true;
	TAILQ_INSERT_TAIL(&q->ring, s, ring);
}

void
site_add(struct queue *q, struct batch *b)
{
	struct site *s = site_get(q, b->route->site, b->route->connections);

	if (s == NULL || flow_add(q, s, b) == -1) {
		struct message *m = b->message;

		for (uint32_t i = 0; i < b->n; i++) {
			m->rcpts[b->index[i]].state = RCPT_DEFERRED;
			m->rcpts[b->index[i]].phase = PHASE_IDLE;
			m->rcpts[b->index[i]].next = queue_now(q) +
			    QUEUE_LOST_MS;
		}
		store_schedule(q, m);
		batch_free(b);
		return;
	}
	b->site = s;
	site_ready(q, s);
}

static uint32_t
chance(void)
{
	static uint64_t n;

	return (uint32_t)table_hash_u64(++n);
}

void
site_outcome(struct queue *q, struct site *s, uint32_t era, bool trouble,
    struct span words)
{
	s->used = queue_now(q);
	if (!trouble) {
		s->troubles = s->blocks = 0;
		s->blocked_until = 0;
		s->limit += 1 / s->limit;
		if (s->limit > s->cap)
			s->limit = s->cap;
		return;
	}
	if (era == s->era) {
		s->limit = s->limit / 2 < 1 ? 1 : s->limit / 2;
		s->era++;
	}
	(void)span_copy(span_head(words, sizeof(s->last) - 1), s->last,
	    sizeof(s->last));
	if (++s->troubles < TROUBLES_MOST || s->blocked_until > queue_now(q))
		return;
	s->blocks++;
	s->blocked_until = queue_now(q) +
	    schedule_pause(&q->schedule, s->blocks, chance());
	log_info("site-rests", KV_N("seconds",
	    (s->blocked_until - queue_now(q)) / 1000),
	    KV_N("troubles", s->troubles), KV_Q("reason", s->last));
}

void
site_done(struct queue *q, struct site *s)
{
	if (s->running > 0)
		s->running--;
	site_ready(q, s);
}

/* The operator wants everything tried now. */
void
site_unblock_all(struct queue *q)
{
	for (size_t i = 0; i < q->sites.size; i++)
		for (struct table_link *l = q->sites.slots[i]; l != NULL;
		    l = l->next) {
			struct site *s = TABLE_ENTRY(l, struct site, link);

			s->blocked_until = 0;
			s->troubles = 0;
		}
}

void
site_wait(struct queue *q, struct site *s, struct domain *d)
{
	if (s->in_ring)
		TAILQ_REMOVE(&q->ring, s, ring);
	s->in_ring = false;
	s->waits = d;
	TAILQ_INSERT_TAIL(&d->sites, s, waiting);
}

void
site_woken(struct queue *q, struct domain *d)
{
	struct site *s;

	while ((s = TAILQ_FIRST(&d->sites)) != NULL) {
		TAILQ_REMOVE(&d->sites, s, waiting);
		s->waits = NULL;
		site_ready(q, s);
	}
}

/* A few slots at each call, so that it never takes long. */
void
site_expire(struct queue *q)
{
	for (int i = 0; i < EXPIRE_STEP && q->sites.size > 0; i++) {
		size_t at = q->sites_at++ & (q->sites.size - 1);
		struct table_link *l, *next;

		for (l = q->sites.slots[at]; l != NULL; l = next) {
			struct site *s = TABLE_ENTRY(l, struct site, link);

			next = l->next;
			if (s->running > 0 || flow_first(s) != NULL ||
			    s->waits != NULL ||
			    s->blocked_until > queue_now(q) ||
			    queue_now(q) - s->used < SITE_KEPT_MS)
				continue;
			if (s->in_ring)
				TAILQ_REMOVE(&q->ring, s, ring);
			table_remove(&q->sites, &s->link);
			free(s);
		}
	}
}

void
site_free_all(struct queue *q)
{
	for (size_t i = 0; i < q->sites.size; i++) {
		struct table_link *l, *next;

		for (l = q->sites.slots[i]; l != NULL; l = next) {
			struct site *s = TABLE_ENTRY(l, struct site, link);

			next = l->next;
			flow_free_all(q, s);
			free(s);
		}
	}
	table_free(&q->sites);
	table_free(&q->flows);
}
