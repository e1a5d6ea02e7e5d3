/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_read.h - a report from other MTAs' logs: no daemon, no ledger.
 * docs/log-formats.md says what is read and what becomes of it. */
#ifndef REPORT_LOG_READ_H
#define REPORT_LOG_READ_H

#include "report/log_join.h"
#include "report/report.h"

struct log_summary {
	uint64_t	lines;
	uint64_t	strange;	/* in no form that is known */
	uint64_t	others;		/* of programs that do not count */
	struct log_counts counts;
};

/* Called now and then; `total` 0: not known. */
typedef void log_progress(const char *path, uint64_t done, uint64_t total,
    uint64_t lines);

/* Files in any order, "-" is standard input: they are read in the order of
 * their first lines, then of their last changes.  `progress` may be NULL.  0, or -1 with a fault; then
 * nothing is owned. */
int	report_from_logs(char *const *paths, size_t n,
	    const struct report_query *, log_progress *progress,
	    struct report *, struct log_summary *, struct fault *);

#endif
