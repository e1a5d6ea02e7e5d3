/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_journal.h - an entry of `journalctl -o export`, field by field.
 * Pure.  Only the fields that make a log line are kept. */
#ifndef REPORT_LOG_JOURNAL_H
#define REPORT_LOG_JOURNAL_H

#include "report/log_line.h"

#define LOG_JOURNAL_NAME	32	/* longer names are of no interest */
#define LOG_JOURNAL_TEXT	8192	/* bytes of a message that count */
#define LOG_JOURNAL_MARK	10	/* bytes that show the form */

enum log_journal_name {
	JOURNAL_TIME, JOURNAL_PID, JOURNAL_SYSLOG_PID, JOURNAL_PROGRAM,
	JOURNAL_ORIGIN, JOURNAL_TEXT, JOURNAL_NAMES
};

struct log_journal {
	size_t	n[JOURNAL_NAMES];	/* bytes of each */
	int	open;			/* whose value comes; -1: of none */
	char	time[24], pid[12], syslog_pid[12], program[64], origin[256];
	char	text[LOG_JOURNAL_TEXT];
};

bool	log_journal_is(struct span head);
void	log_journal_clear(struct log_journal *);
/* "NAME=value" */
void	log_journal_field(struct log_journal *, struct span);
/* A value in pieces, for a name. */
void	log_journal_begin(struct log_journal *, struct span name);
void	log_journal_add(struct log_journal *, struct span piece);
/* The entry is over: false when it is no log line.  The spans point into the
 * entry. */
bool	log_journal_line(const struct log_journal *, struct log_line *);

#endif
