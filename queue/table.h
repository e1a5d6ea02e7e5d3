/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/table.h - a hash table of things that carry their own link.
 * The hash is keyed (base/siphash.h, key drawn at start), because domains come
 * from outside and somebody may pick them to collide. */
#ifndef QUEUE_TABLE_H
#define QUEUE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct table_link {
	struct table_link	*next;
	uint64_t		 hash;
};

struct table {
	struct table_link	**slots;
	size_t			 size, n;	/* size: a power of two, or 0 */
};

uint64_t	table_hash(struct span);
uint64_t	table_hash_u64(uint64_t);

/* First link with that hash, then the next: compare the rest yourself. */
struct table_link	*table_find(const struct table *, uint64_t hash);
struct table_link	*table_next(const struct table_link *);

int	table_add(struct table *, struct table_link *, uint64_t hash);	/* -1: no memory */
void	table_remove(struct table *, struct table_link *);
void	table_free(struct table *);		/* the slots, not what is in them */

/* The thing around a link. */
#define TABLE_ENTRY(l, type, member)					\
	((type *)(void *)((char *)(l) - offsetof(type, member)))

#endif
