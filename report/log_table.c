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

/* The entry, or the free slot where it would be: there is one always. */
static struct log_slot *
probe(const struct log_table *t, const struct half *h, uint64_t hash)
{
	size_t i = (size_t)hash & (t->slots - 1);
	struct log_slot *s;

	for (;; i = (i + 1) & (t->slots - 1)) {
		s = (struct log_slot *)(void *)(h->mem + i * t->size);
		if (s->hash == hash || s->hash == 0)
			return s;
	}
}

static void
turn(struct log_table *t)
{
	struct half dropped = t->old;
	size_t i;

	for (i = 0; dropped.used > 0 && i < t->slots; i++) {
		const struct log_slot *s =
		    (const void *)(dropped.mem + i * t->size);

		t->lost += s->hash != 0 && !s->over;
	}
	memset(dropped.mem, 0, t->slots * t->size);
	t->old = t->young;
	t->young = (struct half){ dropped.mem, 0 };
}

/* What is in the older half moves to the younger one; its copy left behind is
 * no loss. */
static void *
put(struct log_table *t, uint64_t hash, bool only_known)
{
	struct log_slot *s = probe(t, &t->young, hash), *old;

	if (s->hash != 0)
		return s;
	old = probe(t, &t->old, hash);
	if (only_known && old->hash == 0)
		return NULL;
	memcpy(t->moving, old, t->size);
	if (old->hash != 0)
		old->over = true;
	if (t->young.used == t->most) {
		turn(t);
		s = probe(t, &t->young, hash);
	}
	memcpy(s, t->moving, t->size);
	s->hash = hash;
	t->young.used++;
	return s;
}

void *
log_table_find(struct log_table *t, uint64_t hash)
{
	return put(t, hash == 0 ? 1 : hash, true);
}

void *
log_table_put(struct log_table *t, uint64_t hash)
{
	return put(t, hash == 0 ? 1 : hash, false);
}

uint64_t
log_table_lost(const struct log_table *t)
{
	return t->lost;
}
