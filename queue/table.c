/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/table.c - see table.h. */
#include "queue/table.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/siphash.h"
#include "queue/bytes.h"

static const struct siphash_key *
key(void)
{
	static struct siphash_key k;
	static bool drawn;

	if (!drawn) {
		/* Without random numbers the table still works, only not
		 * against somebody who knows the hash. */
		(void)!getrandom(&k, sizeof(k), 0);
		drawn = true;
	}
	return &k;
}

uint64_t
table_hash(struct span s)
{
	return siphash(key(), s);
}

uint64_t
table_hash_u64(uint64_t n)
{
	char p[8];

	le_put(p, n, 8);
	return table_hash(span_of(p, 8));
}

struct table_link *
table_find(const struct table *t, uint64_t hash)
{
	struct table_link *l;

	if (t->size == 0)
		return NULL;
	for (l = t->slots[hash & (t->size - 1)]; l != NULL; l = l->next)
		if (l->hash == hash)
			return l;
	return NULL;
}

struct table_link *
table_next(const struct table_link *before)
{
	struct table_link *l;

	for (l = before->next; l != NULL; l = l->next)
		if (l->hash == before->hash)
			return l;
	return NULL;
}

static int
grow(struct table *t)
{
	size_t size = t->size == 0 ? 64 : t->size * 2;
	struct table_link **slots = calloc(size, sizeof(*slots));

	if (slots == NULL)
		return -1;
	for (size_t i = 0; i < t->size; i++) {
		struct table_link *l, *next;

		for (l = t->slots[i]; l != NULL; l = next) {
			struct table_link **to = &slots[l->hash & (size - 1)];

			next = l->next;
			l->next = *to;
			*to = l;
		}
	}
	free(t->slots);
	t->slots = slots;
	t->size = size;
	return 0;
}

int
table_add(struct table *t, struct table_link *l, uint64_t hash)
{
	struct table_link **to;

	if (t->n >= t->size && grow(t) == -1 && t->size == 0)
		return -1;
	to = &t->slots[hash & (t->size - 1)];
	l->hash = hash;
	l->next = *to;
	*to = l;
	t->n++;
	return 0;
}

void
table_remove(struct table *t, struct table_link *gone)
{
	struct table_link **l = &t->slots[gone->hash & (t->size - 1)];

	while (*l != gone) {
		assert(*l != NULL);
		l = &(*l)->next;
	}
	*l = gone->next;
	gone->next = NULL;
	t->n--;
}

void
table_free(struct table *t)
{
	free(t->slots);
	*t = (struct table){ 0 };
}
