/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/powercut.h - a spool whose system calls are recorded, and
 * directories as a power cut would have left them after any of the calls.
 *
 * What a sync had covered when the power went is there.  What was written,
 * made, named or removed after that is there or not, each piece by itself: a
 * disk writes in any order. */
#ifndef TESTS_QUEUE_POWERCUT_H
#define TESTS_QUEUE_POWERCUT_H

#include "queue/spool.h"

enum cut {
	CUT_KEEP,	/* all of it is there: only the process died */
	CUT_DROP,	/* nothing that was not synced is */
	CUT_MIXED,	/* each piece or not, by the seed */
};

/* What is done to the spool in `dir` from now on.  To give to spool_open(), with
 * these two as asked. */
const struct spool_io	*powercut_record(const char *dir,
			    uint32_t segment_size, uint64_t checkpoint_every);
size_t	powercut_count(void);			/* calls so far */
void	powercut_fail_sync(void);		/* the next one, once */
bool	powercut_saw_rename(const char *to);
bool	powercut_saw_unlink(const char *prefix);
/* The spool in `dir` (made anew) as after the first `n` calls. */
void	powercut_make(const char *dir, size_t n, enum cut, uint64_t seed);
void	powercut_free(void);

#endif
