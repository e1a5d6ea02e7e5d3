/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/report.h - how much mail travelled protected, as a value.
 *
 * Reading (read.c) and showing (table.c, json.c) are apart: the history is
 * read in one go and let go before a byte is shown, because an open read
 * keeps the ledger from tidying its log, and a pager may sit for hours.
 * Memory is one row per group, whatever the number of facts. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/hop.h"

enum report_direction { REPORT_IN, REPORT_OUT, REPORT_BOTH, REPORT_DIRECTIONS };
enum report_by { REPORT_DOMAIN, REPORT_LEVEL, REPORT_DAY, REPORT_BYS };

const char	*report_direction_name(enum report_direction);
const char	*report_by_name(enum report_by);
bool		 report_direction_parse(struct span, enum report_direction *);
bool		 report_by_parse(struct span, enum report_by *);

/* Wall-clock ms, since <= time < until. */
struct report_query {
	uint64_t		since, until;
	enum report_direction	direction;
	enum report_by		by;
};

/* Only mail that got somewhere counts: accepted (in), sent (out). */
struct coverage {
	uint64_t	messages;	/* distinct ids: in and out again is one */
	uint64_t	recipients;
	uint64_t	bytes;
	uint64_t	sessions;
	uint64_t	levels[LEVEL_COUNT];	/* recipients by level reached */
	uint64_t	weak;		/* recipients by TLS that is weak (base/hop.h) */
};

struct report_row {
	char		*key;		/* domain, level's name, 2026-01-02 */
	struct coverage	 coverage;
};

struct report {
	struct report_query	query;
	struct coverage		total;
	struct report_row	*rows;
	size_t			 nrows;
	uint64_t		 lost;	/* facts known to be missing here */
	uint64_t		 retried; /* sessions whose STARTTLS failed and
					   was tried again at once */
};

/* From the ledger at `path`.  0, or -1 with a fault; then nothing is owned. */
int	report_read(const char *path, const struct report_query *,
	    struct report *, struct fault *);
void	report_free(struct report *);

/* Recipients whose hop was encrypted, and those whose hop was a hop at all
 * (what was discarded reached no level). */
uint64_t	coverage_encrypted(const struct coverage *);
uint64_t	coverage_sent(const struct coverage *);
/* In tenths of a percent, rounded down: 1000 only when all were.  -1 when
 * there was nothing. */
int		coverage_share(const struct coverage *);
/* `pct` in thousandths of a percent.  Nothing is never below anything. */
bool		coverage_below(const struct coverage *, uint32_t pct);
/* "99", "99.5": at most 3 decimals, 0 to 100. */
bool		coverage_parse_pct(struct span, uint32_t *pct);

/* The contract's document; a new reference, NULL: no memory. */
json_t	*report_json(const struct report *);
/* For people.  0, or -1 when the buffer could not take it. */
int	 report_table(const struct report *, struct buf *);

#endif
