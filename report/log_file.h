/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_file.h - a log file, plain, in gzip, or as `journalctl -o export`
 * writes it, line by line.  Which of these it is shows at its beginning. */
#ifndef REPORT_LOG_FILE_H
#define REPORT_LOG_FILE_H

#include <sys/types.h>

#include "base/fault.h"
#include "report/log_line.h"

#define LOG_LINE_MAX	65536	/* bytes; the rest of a longer one is left out */

struct log_file;

/* Where bytes come from: as read(2), -1 with errno. */
typedef ssize_t log_source(void *ctx, char *, size_t);

/* `latest`: when the log ends, for times without a year.  NULL: no memory. */
struct log_file	*log_file_new(log_source *, void *ctx, uint64_t latest);
void		 log_file_free(struct log_file **);

enum log_next {
	LOG_NEXT_LINE,		/* *line is filled, until the next call */
	LOG_NEXT_STRANGE,	/* a line in no form that is known */
	LOG_NEXT_END,
	LOG_NEXT_FAILED		/* with a fault */
};
enum log_next	log_file_next(struct log_file *, struct log_line *line,
		    struct fault *);
/* Bytes taken from the source so far. */
uint64_t	log_file_taken(const struct log_file *);

#endif
