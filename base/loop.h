/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/loop.h - the event loop of a role: descriptors, timers, signals and
 * work for the thread pool (fsync), over libuv, whose types stay in loop.c.
 *
 * One life-cycle rule for all handles: X_new() once, X_close(&x) once.  The
 * pointer is set to NULL, no callback of that handle runs after close returns,
 * and the memory goes when libuv is done with it.  NULL may be closed.
 * A callback may close its own handle or any other.
 *
 * Descriptors are ours: read, write and accept are plain system calls, so that
 * EMFILE at accept is seen and answered instead of swallowed. */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_io;
struct loop_timer;
struct loop_signal;

#define LOOP_READ	1
#define LOOP_WRITE	2

struct loop	*loop_new(void);		/* NULL: no memory or descriptors */
void		 loop_run(struct loop *);	/* until loop_stop() */
void		 loop_stop(struct loop *);
/* Runs what is still closing, then frees.  Asserts that every handle was
 * closed: a forgotten handle is a bug of ours. */
void		 loop_free(struct loop **);
uint64_t	 loop_now(struct loop *);	/* steady ms at the start of this tick */

/* `events` in the callback: LOOP_READ, LOOP_WRITE; an error or hang-up shows
 * as both, and the next system call tells.  The descriptor must be
 * non-blocking and not a regular file.  Starts with nothing watched. */
struct loop_io	*loop_io_new(struct loop *, int fd,
		    void (*cb)(void *arg, int events), void *arg);
int		 loop_io_watch(struct loop_io *, int events);
int		 loop_io_fd(const struct loop_io *);
void		 loop_io_close(struct loop_io **);	/* closes the descriptor too */
int		 loop_io_release(struct loop_io **);	/* the same, but the descriptor is returned open */

/* One-shot: fires once `ms` after loop_timer_set(), which also restarts it. */
struct loop_timer	*loop_timer_new(struct loop *, void (*cb)(void *arg),
			    void *arg);
void		 loop_timer_set(struct loop_timer *, uint64_t ms);
void		 loop_timer_stop(struct loop_timer *);
bool		 loop_timer_active(const struct loop_timer *);
void		 loop_timer_close(struct loop_timer **);

struct loop_signal	*loop_signal_new(struct loop *, int signum,
			    void (*cb)(void *arg), void *arg);
void		 loop_signal_close(struct loop_signal **);

/* Run `work(arg)` in the thread pool, then `done(arg)` in the loop.  `work`
 * may touch only what the loop leaves alone until `done`. 0 or -1. */
int		 loop_work(struct loop *, void (*work)(void *arg),
		    void (*done)(void *arg), void *arg);
/* Starts its threads now instead of at the first job. 0 or -1. */
int		 loop_pool_start(struct loop *);

#endif
