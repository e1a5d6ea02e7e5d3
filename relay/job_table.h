/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/job_table.h - the jobs of this process by the queue's number. */
#ifndef RELAY_JOB_TABLE_H
#define RELAY_JOB_TABLE_H

#include "relay/job.h"

#define JOB_TABLE_CHAINS	1024

struct job_table {
	struct job	*chain[JOB_TABLE_CHAINS];
	size_t		 n;
	uint64_t	 highest;	/* number ever seen */
};

struct job	*job_table_find(const struct job_table *, uint64_t number);
struct job	*job_table_add(struct job_table *, uint64_t number);	/* NULL: no memory */
void		 job_table_free(struct job_table *, struct job *);
/* Calls `fn` for each job; it may free that one. */
void		 job_table_each(struct job_table *, void (*fn)(void *, struct job *),
		    void *arg);

#endif
