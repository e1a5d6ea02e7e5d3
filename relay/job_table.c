/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/job_table.c - see job_table.h.  Numbers are the queue's and count up, so
 * that their low bits spread well without hashing. */
#include "relay/job_table.h"

static struct job **
place(const struct job_table *t, uint64_t number)
{
	return (struct job **)&t->chain[number % JOB_TABLE_CHAINS];
}

struct job *
job_table_find(const struct job_table *t, uint64_t number)
{
	struct job *j = *place(t, number);

	while (j != NULL && j->number != number)
		j = j->next;
	return j;
}

struct job *
job_table_add(struct job_table *t, uint64_t number)
{
	struct job **at = place(t, number), *j = job_new(number);

	if (j == NULL)
		return NULL;
	j->next = *at;
	*at = j;
	t->n++;
	if (number > t->highest)
		t->highest = number;
	return j;
}

void
job_table_free(struct job_table *t, struct job *j)
{
	struct job **at = place(t, j->number);

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	t->n--;
	job_free(&j);
}

void
job_table_each(struct job_table *t, void (*fn)(void *, struct job *), void *arg)
{
	struct job *j, *next;
	size_t i;

	for (i = 0; i < JOB_TABLE_CHAINS; i++) {
		for (j = t->chain[i]; j != NULL; j = next) {
			next = j->next;
			fn(arg, j);
		}
	}
}
