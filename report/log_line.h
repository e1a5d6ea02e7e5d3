/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_line.h - what stands in front of a log line's own text: when, on
 * which machine, by which program.  Pure. */
#ifndef REPORT_LOG_LINE_H
#define REPORT_LOG_LINE_H

#include "report/log_time.h"

struct log_line {
	uint64_t	time;		/* wall-clock ms */
	struct span	origin;		/* the machine's name; empty: unsaid */
	struct span	program;	/* "postfix/smtp", "exim" */
	uint64_t	pid;		/* 0: unsaid */
	struct span	text;
};

/* A line of syslog, with or without "<PRI>", or of Exim's own main log, whose
 * program is then "exim".  False: neither.  The spans point into `raw`. */
bool	log_line_parse(struct log_clock *, struct span raw, struct log_line *);

#endif
