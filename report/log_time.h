/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_time.h - the times that lines of a mail log begin with.
 *
 * RFC 3164 sec 4.1.2 ("Nov 26 06:46:46", no year, local), ISO 8601 as syslog
 * daemons write it ("2026-11-26T06:46:46.123+01:00") and as Exim does
 * ("2026-11-26 06:46:46", local, or " +0100" behind it).  No clock is read; the
 * zone of local times is this machine's. */
#ifndef REPORT_LOG_TIME_H
#define REPORT_LOG_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define LOG_HOUR_MAX	14	/* "2026-11-26 06:" */

struct log_clock {
	/* When the log ends, wall-clock ms: a time without a year is the last
	 * such one that is not a day or more behind it. */
	uint64_t	latest;
	/* The hour of the last line, as text and in ms: calendars are slow and
	 * lines come in order. */
	char		hour[LOG_HOUR_MAX];
	size_t		hour_n;
	uint64_t	hour_ms;
};

enum log_time_form { LOG_TIME_NONE, LOG_TIME_SYSLOG, LOG_TIME_ISO, LOG_TIME_EXIM };

/* Takes a time and the space behind it off the front of *text. */
enum log_time_form	log_time_take(struct log_clock *, struct span *text,
			    uint64_t *ms);

#endif
