/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/index.h - the messages in memory: by id, by the time they are due, in
 * the order of arrival (listings) and of their places in the log (carrying).
 * No I/O and no clock.  Bodies are never here. */
#ifndef QUEUE_INDEX_H
#define QUEUE_INDEX_H

#include <sys/queue.h>

#include "queue/message.h"

TAILQ_HEAD(messages, message);

/* Somebody's place in a walk over what was there when it began; survives
 * whatever happens to messages. */
struct index_cursor {
	struct message			*at;	/* next one, NULL: done */
	struct message			*last;	/* what comes later is not seen */
	TAILQ_ENTRY(index_cursor)	 link;
};

struct index {
	struct table	 by_id;
	struct messages	 arrival, placed;
	TAILQ_HEAD(, index_cursor) cursors;
	struct message	**heap;			/* from 1 */
	uint32_t	 nheap, heap_size;
	uint64_t	 bytes;			/* in the log, of live messages */
};

void	index_init(struct index *);
void	index_free(struct index *);

int	index_add(struct index *, struct message *);	/* takes the reference */
void	index_remove(struct index *, struct message *);	/* marks dead, drops it */
struct message	*index_find(const struct index *, struct span id);
void	index_place(struct index *, struct message *, struct place);
/* Brings the order of places in order, after messages came in any other. */
void	index_sort(struct index *);

int	index_due_set(struct index *, struct message *, uint64_t due);
void	index_due_clear(struct index *, struct message *);
struct message	*index_due_first(const struct index *);

void	index_cursor_start(struct index *, struct index_cursor *);
struct message	*index_cursor_next(struct index_cursor *);
void	index_cursor_end(struct index *, struct index_cursor *);

#endif
