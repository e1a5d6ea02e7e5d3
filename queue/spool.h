/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/spool.h - the log on disk: writing with group commit, replay at the
 * start, files for large bodies.  What a record means to a message is
 * queue/store.h's business.  docs/decisions/0001-spool.md argues why nothing
 * acknowledged is lost.
 *
 * Two ways into the log.  spool_commit() is for a message that somebody waits
 * for: it is durable, or it is not there.  spool_state() is for what has
 * happened and must not be forgotten: it is kept in memory until it is
 * durable, and written again, to another file, when the disk fails. */
#ifndef QUEUE_SPOOL_H
#define QUEUE_SPOOL_H

#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/id.h"
#include "base/loop.h"
#include "queue/record.h"
#include "queue/segment.h"

struct spool;

/* The system calls that can lose mail, so that tests can make them fail, or
 * record them to cut the power anywhere between them.  Some run in the thread
 * pool.  A test also takes a segment size of its own. */
struct spool_io {
	int	(*open)(int dir, const char *name, int flags, mode_t);
	int	(*preallocate)(int fd, off_t);
	ssize_t	(*pwritev)(int fd, const struct iovec *, int n, off_t);
	int	(*truncate)(int fd, off_t);
	int	(*fdatasync)(int fd);
	int	(*fsync)(int dir);
	int	(*name)(int fd, int dir, const char *name);	/* an unnamed file */
	int	(*rename)(int dir, const char *, int to, const char *);
	int	(*unlink)(int dir, const char *);
	int	(*fstatvfs)(int dir, struct statvfs *);
	uint32_t segment_size;
	uint64_t checkpoint_every;	/* bytes of the log */
};
extern const struct spool_io spool_io;		/* the real ones */

struct spool_ops {
	/* During spool_open(), before any replay: a message of the checkpoint,
	 * as record_get_head() reads it.  -1: it is none. */
	int	(*restore)(void *ctx, struct span head, struct place);
	/* The checkpoint is no good: what came of it counts for nothing. */
	void	(*forget)(void *ctx);
	/* During spool_open(): each good record in the order of the log. */
	void	(*replay)(void *ctx, enum record_type, struct span payload,
		    struct place);
	/* A MESSAGE or CARRY of spool_state() is now (or, after a failed
	 * sync: now is again) at this place. */
	void	(*placed)(void *ctx, struct span id, struct place);
	/* A state with an `ack` was handed to the log. */
	void	(*written)(void *ctx, uint64_t ack_a, uint64_t ack_b);
};

/* Opens or makes the spool in `directory` and replays its log.  One process
 * at a time (locked).  Refuses what is no plain file of ours.  `io` NULL: the
 * real calls.  NULL with a fault. */
struct spool	*spool_open(struct loop *, const char *directory,
		    const struct spool_io *io, const struct spool_ops *,
		    void *ctx, struct fault *);
/* A last sync (blocking), then everything is freed, at the latest when what
 * runs in the thread pool is done.  No callback comes any more. */
void		 spool_close(struct spool **);

/* After the replay: a live message is in this segment.  false: there is no such
 * segment, so the message is none: it ended after the checkpoint that had it. */
bool	spool_hold(struct spool *, uint64_t segment);
/* After the replay and the holds: removes large bodies that `known` denies,
 * and segments that nobody needs. */
void	spool_sweep(struct spool *, bool (*known)(void *ctx, struct span id));

/* A message: `head` as record_put_message() made it, then its inline body.
 * 0: *place says where it is, and `done` comes once, with NULL when it is
 * durable, or with the fault, and then it is not there.  -1: neither.
 * The record holds its segment until a state releases it. */
int	spool_commit(struct spool *, struct span head, struct span body,
	    struct place *place,
	    void (*done)(void *arg, const struct fault *), void *arg,
	    struct fault *);

struct spool_part {
	uint8_t		type;		/* enum record_type */
	struct span	head, body;
};
#define SPOOL_PARTS	8

/* What to do when a state is durable. */
struct spool_after {
	uint64_t	release;	/* a message left this segment; 0: none */
	char		id[ID_SIZE];	/* that message */
	bool		remove_file;	/* and its large body may go */
	bool		ack;		/* call written(ack_a, ack_b) */
	uint64_t	ack_a, ack_b;
};

/* `parts` count all or not at all.  Copied.  -1: no memory, nothing is kept
 * (and nothing was written). */
int	spool_state(struct spool *, const struct spool_part *parts, size_t n,
	    const struct spool_after *);

/* The payload at a place, checked; the span points into `mem`. */
int	spool_read(struct spool *, struct place, struct buf *mem,
	    struct span *payload, struct fault *);

/* ---- large bodies ---- */

/* An unnamed file to write a body into.  The descriptor is write-only. */
int	spool_file_new(struct spool *, struct fault *);	/* fd or -1 */
/* Takes `fd`.  Checks that it has `size` bytes, syncs it, gives it its name,
 * syncs the directory; then `done`, with the CRC32C of what it holds.  -1:
 * `done` will not come. */
int	spool_file_keep(struct spool *, int fd, struct span id, uint64_t size,
	    void (*done)(void *arg, uint32_t sum, const struct fault *),
	    void *arg, struct fault *);
int	spool_file_open(struct spool *, struct span id, uint64_t size,
	    struct fault *);				/* read-only fd or -1 */
void	spool_file_remove(struct spool *, struct span id);

/* Below the reserve: the smaller of 5 % and 1 GiB, but two segments at least? */
bool	spool_full(struct spool *);

/* ---- checkpoints ---- */

/* A checkpoint says what a replay of the log up to some place would say, so
 * that the next start reads only what follows.  It is a copy: without it the
 * whole log is read.  begin, add for each live message, end; calls between
 * those may change the messages, and the log goes on.  Whatever goes wrong
 * abandons it. */

/* Has the log grown enough since the last one? */
bool	spool_checkpoint_due(const struct spool *);
int	spool_checkpoint_begin(struct spool *);
/* May more be added now?  Not while a part of it is being synced. */
bool	spool_checkpoint_ready(const struct spool *);
void	spool_checkpoint_abandon(struct spool *);
/* -1: it is abandoned. */
int	spool_checkpoint_add(struct spool *, struct place, struct span head);
/* It comes into force when all that the log has now is durable. */
void	spool_checkpoint_end(struct spool *);

/* ---- damaged segments, kept for the operator ---- */

#define SPOOL_NAME	24	/* seg-, 16 digits, and the NUL */
/* Their names; how many. */
size_t	spool_damaged_names(struct spool *, char (*)[SPOOL_NAME], size_t max);
/* Each place in one that is no good record. */
int	spool_damaged_scan(struct spool *, struct span name,
	    void (*bad)(void *arg, const char *what, uint32_t offset,
	    uint32_t length), void *arg, struct fault *);
/* A read-only descriptor, its size, and since when it is there (wall ms). */
int	spool_damaged_open(struct spool *, struct span name, uint64_t *size,
	    uint64_t *since, struct fault *);
int	spool_damaged_forget(struct spool *, struct span name, struct fault *);

struct spool_stats {
	size_t		segments;
	uint64_t	segment_size;	/* as it is made */
	uint64_t	oldest;		/* number of the oldest segment, 0 none */
	bool		oldest_damaged;
	bool		oldest_closed;	/* it is not the one being written */
	bool		idle;		/* nothing waits for the disk */
	unsigned	damaged, torn;	/* seen by the replay */
};
void	spool_stats(const struct spool *, struct spool_stats *);

#endif
