/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/table.c - see table.h. */
#include "queue/table.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>

#include "queue/bytes.h"

static uint64_t
rotate(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static const uint64_t *
key(void)
{
	static uint64_t k[2];
	static bool drawn;

	if (!drawn) {
		/* Without random numbers the table still works, only not
		 * against somebody who knows the hash. */
		(void)!getrandom(k, sizeof(k), 0);
		drawn = true;
	}
	return k;
}

uint64_t
table_hash(struct span s)
{
	const uint64_t *k = key();
	uint64_t v[4] = {
		k[0] ^ 0x736f6d6570736575ull, k[1] ^ 0x646f72616e646f6dull,
		k[0] ^ 0x6c7967656e657261ull, k[1] ^ 0x7465646279746573ull };
	uint64_t last = (uint64_t)s.n << 56;

	for (; s.n >= 8; s = span_skip(s, 8)) {
		uint64_t m = le_get(s.p, 8);

		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	last |= le_get(s.p, (unsigned)s.n);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
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
