/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/schedule.h - when to try again, and when to give up.  Pure: times and
 * chance are passed in.  RFC 5321 sec 4.5.4.1: back off, give up after days. */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct schedule {	/* ms */
	uint64_t	first;		/* after the first attempt */
	uint64_t	max;		/* at most, jitter not counted */
	uint64_t	give_up;
	uint64_t	warn;		/* 0: never */
};

/* Pause after `attempts` (1: the first has just failed) attempts: first,
 * doubled each time, at most max; then up to a tenth more or less by
 * `chance` (any number), so that what failed together does not return
 * together. */
uint64_t	schedule_pause(const struct schedule *, unsigned attempts,
		    uint32_t chance);

/* What is left of a pause that ends at wall time `next` (read from disk).  A
 * clock that jumped back must not make mail wait for years. */
uint64_t	schedule_left(const struct schedule *, uint64_t next,
		    uint64_t now_wall);

/* How long until a message is given up, or its sender told of the delay; 0: it
 * is time.  Both must be over: the age by the wall clock, which users count
 * in, and the time that this program ran with the message, which no clock jump
 * shortens. */
uint64_t	schedule_give_up(const struct schedule *, uint64_t arrived,
		    uint64_t now_wall, uint64_t running);
uint64_t	schedule_warn(const struct schedule *, uint64_t arrived,
		    uint64_t now_wall, uint64_t running); /* UINT64_MAX: never */

#endif
