/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/spool_priv.h - what the spool's files share with each other. */
#ifndef QUEUE_SPOOL_PRIV_H
#define QUEUE_SPOOL_PRIV_H

#include <sys/queue.h>

#include "queue/spool.h"

#define SPOOL_UNSYNCED	16	/* segments that one sync may cover */
#define SPOOL_DROPS	8	/* old segments that one sync may remove */
#define SEGMENT_NAME	24	/* seg- and 16 digits */
#define CHECKPOINT	"checkpoint"
#define CHECKPOINT_NEW	"checkpoint.new"

struct spool_segment {
	uint64_t	number;
	int		fd;		/* open while it is written or unsynced */
	uint32_t	at;		/* end of what was written */
	uint32_t	durable;	/* end of what was synced */
	uint32_t	refs;		/* live messages, and states on their way */
	bool		closed;		/* nothing is appended any more */
	bool		failed;		/* a sync failed: void from `durable` on */
	bool		damaged;
	bool		new_head;	/* to be written by this start */
};

struct spool_commit {
	TAILQ_ENTRY(spool_commit) link;
	struct place	place;
	void		(*done)(void *, const struct fault *);
	void		*arg;
};
TAILQ_HEAD(spool_commits, spool_commit);

struct spool_kept_part {
	uint8_t		type;
	uint64_t	held;		/* segment that this message record holds */
	size_t		off, len;	/* in mem */
};

struct spool_state {
	TAILQ_ENTRY(spool_state) link;
	struct spool_after after;
	size_t		nparts;
	struct spool_kept_part parts[SPOOL_PARTS];
	char		mem[];
};
TAILQ_HEAD(spool_states, spool_state);

struct spool_drop {
	char		name[SEGMENT_NAME];
	bool		damaged;
};

/* What a sync in the thread pool works on; the loop leaves it alone. */
struct spool_sync {
	struct spool	*sp;
	size_t		 n;
	struct {
		int	 fd;
		uint64_t number;
		uint32_t upto;
		bool	 closing;	/* give back what was preallocated */
		int	 err;
	} target[SPOOL_UNSYNCED];
	bool		 dir;		/* a segment was made: sync its name */
	int		 dir_err;
	size_t		 ndrops;
	size_t		 dropped;	/* of those, so many went */
	struct spool_drop drop[SPOOL_DROPS];
};

enum checkpoint_state {
	CHECKPOINT_NONE,
	CHECKPOINT_OPEN,	/* being filled */
	CHECKPOINT_PART,	/* a part of it is being synced */
	CHECKPOINT_WAIT,	/* complete; the log is not durable up to `until` */
	CHECKPOINT_LAST,	/* it is synced and named */
};

struct spool_checkpoint {
	enum checkpoint_state state;
	bool		 ended, failed;
	int		 fd;
	struct buf	 mem;		/* not written yet */
	uint64_t	 at;		/* bytes written */
	uint64_t	 synced;	/* of those */
	uint64_t	 count;
	struct place	 until;
	uint64_t	 log_bytes;	/* sp->log_bytes when it began */
	int		 err;		/* of the thread pool's work */
};

struct spool {
	struct loop	*loop;
	const struct spool_io *io;
	const struct spool_ops *ops;
	void		*ctx;
	int		 root, log, large, damaged;	/* directories */
	uint64_t	 salt;

	struct spool_segment **segments;	/* by number, ascending */
	size_t		 nsegments, segments_size;
	struct spool_segment *current;		/* NULL: make one at need */
	uint64_t	 next_number;
	struct place	 durable;		/* to state in records */
	unsigned	 voids;			/* not durable yet, or lost */
	bool		 dir_dirty;

	struct spool_commits waiting, syncing;
	struct spool_states unwritten, written, in_sync;
	struct spool_sync sync;
	bool		 sync_running, sync_wanted, closing;
	uint64_t	 sick_until;		/* after a failure: no commits */
	struct loop_timer *timer;		/* states wait at most so long */
	unsigned	 jobs;			/* in the thread pool */

	struct spool_checkpoint checkpoint;
	uint64_t	 log_bytes;		/* that a start would read, were
						   there no further checkpoint */
	uint64_t	 checkpoint_bytes;	/* size of the one in force */
	uint64_t	 checkpoint_after;	/* none before, steady ms */
	bool		 unrecorded;		/* a state was lost: none any more */

	uint64_t	 complained;		/* of a failed write */
	bool		 space_low;
	bool		 spare;			/* the file is there */
	unsigned	 ndamaged, ntorn;
};

/* spool_log.c */
struct spool_segment	*spool_segment_find(const struct spool *, uint64_t);
struct spool_segment	*spool_segment_add(struct spool *, uint64_t number);
void	spool_segment_name(uint64_t, char out[SEGMENT_NAME]);
void	spool_release(struct spool *, uint64_t segment);
/* Room for `need` bytes in the current segment. */
int	spool_segment_room(struct spool *, uint64_t need, struct fault *);
int	spool_state_keep(struct spool *, const struct spool_part *, size_t n,
	    const struct spool_after *);	/* without writing it yet */
int	spool_append(struct spool *, const struct spool_part *, size_t n,
	    struct place *places, struct fault *);

/* spool_sync.c */
void	spool_kick(struct spool *);	/* start a sync if one is needed */
void	spool_tick(void *);		/* timer */
void	spool_timer(struct spool *);	/* sync what waits, in a second */
void	spool_write_states(struct spool *);
void	spool_finish(struct spool *);	/* free, when closing and idle */

/* spool_checkpoint.c */
void	spool_checkpoint_go_on(struct spool *);	/* after each sync */

/* spool_restore.c */
/* The checkpoint, handed to ops->restore: 1, and where the log goes on and what
 * number its next segment may have; 0: there is none, or it is no good. */
int	spool_restore(struct spool *, bool have_salt, struct place *from,
	    uint64_t *next);

/* spool_space.c */
void	spool_spare_make(struct spool *);	/* unless it is there */
bool	spool_spare_give(struct spool *);	/* there is room for one segment now */

/* spool_mend.c */
struct spool_mend {
	struct place	at;
	char		header[SEGMENT_HEADER];	/* what shall stand there */
};
struct spool_mends {
	struct spool_mend *v;		/* in the order of the log; owned */
	size_t		 n, size;
};
/* A record that does not count, torn bytes between records: to be made MARKs.
 * -1: no memory. */
int	spool_mend_record(struct spool_mends *, const struct segment_key *,
	    const struct segment_record *);
int	spool_mend_bytes(struct spool_mends *, const struct segment_key *,
	    uint32_t offset, struct span);
void	spool_mend_forget(struct spool_mends *, struct place from);
/* Without a sync.  -1 with errno. */
int	spool_mend_write(struct spool *, const struct spool_mends *);
int	spool_mend_head(struct spool *, struct spool_segment *);

/* spool_replay.c */
int	spool_replay(struct spool *, struct fault *);

/* spool_dir.c: opening what may have been planted. */
int	spool_dir_open(int at, const char *name, bool make, struct fault *);
/* A regular file of ours, one link; `flags`: O_RDONLY or O_RDWR.  fd or -1 with
 * errno. */
int	spool_plain_open(int dir, const char *name, int flags, off_t *size);

#endif
