/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_table.c - see log_table.h. */
#include "report/log_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct half {
	char	*mem;
	size_t	 used;
};

struct log_table {
	struct half	young, old;
	size_t		slots, most, size;
	void		*moving;	/* an entry between the halves */
	uint64_t	lost;
};

struct log_table *
log_table_new(size_t most, size_t size)
{
	struct log_table *t = calloc(1, sizeof *t);

	assert(most > 0 && (most & (most - 1)) == 0);
	assert(size >= sizeof(struct log_slot));
	if (t == NULL)
		return NULL;
	t->most = most;
	t->slots = most * 2;	/* half empty: short chains */
	t->size = size;
	t->young.mem = calloc(t->slots, size);
	t->old.mem = calloc(t->slots, size);
	t->moving = calloc(1, size);
	if (t->young.mem == NULL || t->old.mem == NULL || t->moving == NULL)
		log_table_free(&t);
	return t;
}

void
log_table_free(struct log_table **tp)
{
	if (*tp == NULL)
		return;
	free((*tp)->young.mem);
	free((*tp)->old.mem);
	free((*tp)->moving);
	free(*tp);
	*tp = NULL;
}

static struct log_slot *
slot_at(const struct log_table *t, const struct half *h, size_t i)
{
	return (struct log_slot *)(void *)(h->mem + i * t->size);
}

/* The entry, or the free slot where it would be: there is one always. */
static struct log_slot *
probe(const struct log_table *t, const struct half *h, uint64_t hash)
{
	size_t i = (size_t)hash & (t->slots - 1);
	struct log_slot *s;

	for (;; i = (i + 1) & (t->slots - 1)) {
		s = slot_at(t, h, i);
		if (s->hash == hash || s->hash == 0)
			return s;
	}
}

/* Those behind it move up, so that none is cut off from its place. */
static void
take_out(const struct log_table *t, struct half *h, struct log_slot *s)
{
	size_t mask = t->slots - 1, i, home;
	size_t hole = (size_t)((char *)s - h->mem) / t->size;

	for (i = (hole + 1) & mask; slot_at(t, h, i)->hash != 0;
	    i = (i + 1) & mask) {
		home = (size_t)slot_at(t, h, i)->hash & mask;
		/* Is its home at the hole, or before it? */
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		memcpy(slot_at(t, h, hole), slot_at(t, h, i), t->size);
		hole = i;
	}
	memset(slot_at(t, h, hole), 0, t->size);
	h->used--;
}

static void
turn(struct log_table *t)
{
	struct half dropped = t->old;

	t->lost += dropped.used;
	if (dropped.used > 0)
		memset(dropped.mem, 0, t->slots * t->size);
	t->old = t->young;
	t->young = (struct half){ dropped.mem, 0 };
}

/* What is in the older half moves to the younger one. */
void *
log_table_put(struct log_table *t, uint64_t hash)
{
	struct log_slot *s, *old;

	hash = hash == 0 ? 1 : hash;
	s = probe(t, &t->young, hash);
	if (s->hash != 0)
		return s;
	old = t->old.used == 0 ? NULL : probe(t, &t->old, hash);
	if (old == NULL || old->hash == 0) {
		memset(t->moving, 0, t->size);
	} else {
		memcpy(t->moving, old, t->size);
		take_out(t, &t->old, old);
	}
	if (t->young.used == t->most) {
		turn(t);
		s = probe(t, &t->young, hash);
	}
	memcpy(s, t->moving, t->size);
	s->hash = hash;
	t->young.used++;
	return s;
}

void
log_table_remove(struct log_table *t, uint64_t hash)
{
	struct half *halves[] = { &t->young, &t->old };
	struct log_slot *s;
	size_t i;

	for (i = 0; i < 2; i++) {
		s = probe(t, halves[i], hash == 0 ? 1 : hash);
		if (s->hash != 0)
			take_out(t, halves[i], s);
	}
}

uint64_t
log_table_lost(const struct log_table *t)
{
	return t->lost;
}
