/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/seen.h - a spool on a real directory, with a disk that fails
 * when told to, and what its replay and its callbacks said.  Messages have
 * numbers from 1 to MESSAGES; the body of each is of its own letter. */
#ifndef TESTS_QUEUE_SEEN_H
#define TESTS_QUEUE_SEEN_H

#include <check.h>

#include "queue/spool.h"

#define MESSAGES	8

struct disk {
	int	fail_syncs;	/* so many fdatasyncs fail from now on */
	int	fail_writes, fail_unlinks;
	int	write_errno;
	int	syncs;		/* done so far */
	int	slow_ms;
	unsigned long blocks, avail;	/* of 4096 bytes */
};
extern struct disk disk;

struct seen {
	char		 dir[64];
	struct loop	*loop;
	struct spool	*sp;
	unsigned	 records;
	bool		 live[MESSAGES + 1];
	struct place	 place[MESSAGES + 1];
	unsigned	 written, placed;
	unsigned	 good, bad;		/* commits */
	int		 code;			/* of the last bad one */
	unsigned	 order[64], norder;
};

extern const struct spool_ops seen_ops;

struct seen	*seen_new(void);		/* open, with small segments */
struct seen	*seen_new_sized(uint32_t segment);
void	seen_free(struct seen *);
void	seen_open(struct seen *);
struct spool *seen_try(struct seen *, struct fault *);
void	seen_close(struct seen *);
void	seen_crash(struct seen *);	/* a kill; open it again then */
/* Until so many commits are answered, or (0) for so many ms. */
void	seen_run(struct seen *, unsigned commits, int ms);
unsigned seen_live(const struct seen *);	/* how many */

void	seen_id(unsigned n, char id[ID_SIZE]);
void	seen_head(unsigned n, size_t body, struct buf *);
int	seen_commit(struct seen *, unsigned n);
void	seen_state(struct seen *, unsigned n, size_t body);	/* a MESSAGE */
void	seen_end(struct seen *, unsigned n);

/* The files of the log. */
void	seen_path(const struct seen *, uint64_t number, char out[128]);
char	*seen_read(const struct seen *, uint64_t number, size_t *n);
void	seen_write(const struct seen *, uint64_t number, const char *, size_t);

#endif
