/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/table.h - the jobs of this process by the queue's number. */
#ifndef RELAY_TABLE_H
#define RELAY_TABLE_H

#include "relay/job.h"

#define TABLE_CHAINS	1024

struct table {
	struct job	*chain[TABLE_CHAINS];
	size_t		 n;
	uint64_t	 highest;	/* number ever seen */
};

struct job	*table_find(const struct table *, uint64_t number);
struct job	*table_add(struct table *, uint64_t number);	/* NULL: no memory */
void		 table_free(struct table *, struct job *);
/* Calls `fn` for each job; it may free that one. */
void		 table_each(struct table *, void (*fn)(void *, struct job *),
		    void *arg);

#endif
