/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/clock.h - the only place that reads a clock or makes time text.
 * Milliseconds everywhere.  Protocol code never calls clock_*_ms(): it gets
 * `now` from its caller, so that tests own time. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_RFC3339_SIZE	25	/* 2026-01-02T03:04:05.678Z + NUL */
#define CLOCK_RFC5322_SIZE	40

uint64_t	clock_wall_ms(void);		/* since 1970, UTC; may jump */
uint64_t	clock_steady_ms(void);		/* only goes forward */

/* RFC 3339 in UTC, to the year 9999.  `with_ms` shows milliseconds.  May be
 * called in signal handlers, and so may the two above. */
void	clock_rfc3339(uint64_t wall_ms, int with_ms, char out[CLOCK_RFC3339_SIZE]);
/* RFC 5322 date-time with the local zone's offset. */
void	clock_rfc5322(uint64_t wall_ms, char out[CLOCK_RFC5322_SIZE]);
/* 2026-01-02, 2026-01-02T03:04, with or without seconds and Z, all UTC; or an
 * age like 90m, 7d back from `now`.  0 when it is none of them. */
uint64_t	clock_parse(const char *, uint64_t now_wall_ms);
/* The same, but an age leads ahead: 90m, 7d from `now`. */
uint64_t	clock_parse_ahead(const char *, uint64_t now_wall_ms);
/* The moment that a calendar and a clock on the wall show: UTC, or this
 * machine's zone.  Months from 1.  0 when there is no such day or time, or it
 * was before 1970. */
uint64_t	clock_from_calendar(int year, int month, int day, int hour,
		    int min, int sec, int utc);

#endif
