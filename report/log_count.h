/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_count.h - hops that a log told of become a report, as those of the
 * ledger do (read.c).  Memory is one row per group, and no more groups than
 * LOG_ROWS_MOST: the rest is one row of its own, "(others)". */
#ifndef REPORT_LOG_COUNT_H
#define REPORT_LOG_COUNT_H

#include "report/log_join.h"
#include "report/report.h"

#define LOG_ROWS_MOST	100000
#define LOG_OTHERS	"(others)"

struct log_count;

/* An end of UINT64_MAX and a beginning of 0 stand for all of the log.  `seen`,
 * a power of two: so many times that a session was counted in a row (or a
 * message in more rows than LOG_MARKS) are remembered for sure, lest it count
 * twice. */
#define LOG_SEEN	32768
struct log_count	*log_count_new(const struct report_query *,
			    size_t seen);
void			 log_count_free(struct log_count **);
struct log_sink		 log_count_sink(struct log_count *);

/* What was counted, as a report in order; the period is that of the query, or
 * where that was open that of the hops.  Once only, then free it.  -1: there
 * was no memory for all, and the figures would be wrong. */
int	log_count_report(struct log_count *, struct report *);

#endif
