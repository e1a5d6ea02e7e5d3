/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_journal.c - see log_journal.h. */
#include "report/log_journal.h"

#include <stddef.h>

static const struct {
	struct span	name;
	size_t		at, size;
} fields[JOURNAL_NAMES] = {
#define FIELD(id, name, member)						\
	[id] = { { name, sizeof(name) - 1 },				\
	    offsetof(struct log_journal, member),			\
	    sizeof(((struct log_journal *)0)->member) }
	FIELD(JOURNAL_TIME, "__REALTIME_TIMESTAMP", time),
	FIELD(JOURNAL_PID, "_PID", pid),
	FIELD(JOURNAL_SYSLOG_PID, "SYSLOG_PID", syslog_pid),
	FIELD(JOURNAL_PROGRAM, "SYSLOG_IDENTIFIER", program),
	FIELD(JOURNAL_ORIGIN, "_HOSTNAME", origin),
	FIELD(JOURNAL_TEXT, "MESSAGE", text),
};

bool
log_journal_is(struct span head)
{
	return span_istarts(head, SPAN_LIT("__CURSOR=")) ||
	    span_istarts(head, SPAN_LIT("__REALTIME"));
}

void
log_journal_clear(struct log_journal *j)
{
	for (int i = 0; i < JOURNAL_NAMES; i++)
		j->n[i] = 0;
	j->open = -1;
}

void
log_journal_begin(struct log_journal *j, struct span name)
{
	j->open = JOURNAL_NAMES;
	while (j->open-- > 0)
		if (span_eq(name, fields[j->open].name)) {
			j->n[j->open] = 0;
			return;
		}
}

void
log_journal_add(struct log_journal *j, struct span piece)
{
	char *value;

	if (j->open < 0)
		return;
	value = (char *)j + fields[j->open].at;
	piece = span_head(piece, fields[j->open].size - j->n[j->open]);
	memcpy(value + j->n[j->open], piece.p, piece.n);
	j->n[j->open] += piece.n;
}

void
log_journal_field(struct log_journal *j, struct span line)
{
	struct span value = line, name = span_cut(&value, '=');

	log_journal_begin(j, name);
	log_journal_add(j, value);
}

static struct span
value_of(const struct log_journal *j, enum log_journal_name i)
{
	return span_of((const char *)j + fields[i].at, j->n[i]);
}

bool
log_journal_line(const struct log_journal *j, struct log_line *l)
{
	unsigned long long us, pid;

	if (j->n[JOURNAL_TEXT] == 0 || j->n[JOURNAL_PROGRAM] == 0 ||
	    !span_u64(value_of(j, JOURNAL_TIME), UINT64_MAX, &us))
		return false;
	/* The journal's own number is of who wrote to it: postlogd, for one. */
	if (!span_u64(value_of(j, JOURNAL_SYSLOG_PID), UINT32_MAX, &pid) &&
	    !span_u64(value_of(j, JOURNAL_PID), UINT32_MAX, &pid))
		pid = 0;
	*l = (struct log_line){ .time = us / 1000, .pid = pid,
	    .origin = value_of(j, JOURNAL_ORIGIN),
	    .program = value_of(j, JOURNAL_PROGRAM),
	    .text = value_of(j, JOURNAL_TEXT) };
	return true;
}
