/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_table.h - what is remembered between lines: a table that never
 * grows.  Entries are found by a hash of their key.
 *
 * There are two halves.  When the younger one is full, the older one is
 * dropped with all that was not asked for since, and begins anew: so what is
 * lost is what was quiet longest, without a list to keep. */
#ifndef REPORT_LOG_TABLE_H
#define REPORT_LOG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_table;

/* Every entry begins with it. */
struct log_slot {
	uint64_t	hash;		/* 0: free */
};

/* `most` entries per half, a power of two; `size` bytes each.  NULL: memory. */
struct log_table	*log_table_new(size_t most, size_t size);
void			 log_table_free(struct log_table **);

/* A new one is all zero but for its slot.  Never NULL; valid until the next
 * call. */
void	*log_table_put(struct log_table *, uint64_t hash);
/* It is of no use any more, and makes room. */
void	 log_table_remove(struct log_table *, uint64_t hash);

/* Entries dropped that nobody removed. */
uint64_t	log_table_lost(const struct log_table *);

#endif
