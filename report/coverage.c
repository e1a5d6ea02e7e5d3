/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/coverage.c - the arithmetic and words of a report.  Pure. */
#include "report/report.h"

#include <stdlib.h>

static const char *const directions[] = {
	[REPORT_IN] = "in", [REPORT_OUT] = "out", [REPORT_BOTH] = "both",
};
static const char *const bys[] = {
	[REPORT_DOMAIN] = "domain", [REPORT_LEVEL] = "level",
	[REPORT_DAY] = "day",
};

const char *
report_direction_name(enum report_direction d)
{
	return directions[d];
}

const char *
report_by_name(enum report_by by)
{
	return bys[by];
}

bool
report_direction_parse(struct span word, enum report_direction *d)
{
	unsigned i;

	for (i = 0; i < REPORT_DIRECTIONS; i++)
		if (span_eq(word, span_str(directions[i]))) {
			*d = (enum report_direction)i;
			return true;
		}
	return false;
}

bool
report_by_parse(struct span word, enum report_by *by)
{
	unsigned i;

	for (i = 0; i < REPORT_BYS; i++)
		if (span_eq(word, span_str(bys[i]))) {
			*by = (enum report_by)i;
			return true;
		}
	return false;
}

uint64_t
coverage_encrypted(const struct coverage *c)
{
	uint64_t n = 0;
	unsigned level;

	for (level = LEVEL_ENCRYPTED; level < LEVEL_COUNT; level++)
		n += c->levels[level];
	return n;
}

uint64_t
coverage_sent(const struct coverage *c)
{
	return c->levels[LEVEL_CLEAR] + coverage_encrypted(c);
}

/* Part of a whole in `unit`ths, rounded down. */
static uint64_t
share_of(uint64_t part, uint64_t whole, uint64_t unit)
{
	/* No ledger holds 2^53 recipients, but a file is input too. */
	while (part > UINT64_MAX / unit) {
		part /= 2;
		whole /= 2;
	}
	return whole == 0 ? 0 : part * unit / whole;
}

int
coverage_share(const struct coverage *c)
{
	uint64_t sent = coverage_sent(c);

	return sent == 0 ? -1 : (int)share_of(coverage_encrypted(c), sent,
	    1000);
}

bool
coverage_below(const struct coverage *c, uint32_t pct)
{
	uint64_t sent = coverage_sent(c);

	return sent != 0 &&
	    share_of(coverage_encrypted(c), sent, 100 * 1000) < pct;
}

bool
coverage_parse_pct(struct span text, uint32_t *pct)
{
	struct span rest = text, whole = span_cut(&rest, '.');
	unsigned long long n, part = 0;
	size_t i;

	if (!span_u64(whole, 100, &n))
		return false;
	if (whole.n < text.n) {
		if (rest.n > 3 || !span_u64(rest, 999, &part))
			return false;
		for (i = rest.n; i < 3; i++)
			part *= 10;
	}
	if (n * 1000 + part > 100 * 1000)
		return false;
	*pct = (uint32_t)(n * 1000 + part);
	return true;
}

void
report_free(struct report *r)
{
	size_t i;

	for (i = 0; i < r->nrows; i++)
		free(r->rows[i].key);
	free(r->rows);
	r->rows = NULL;
	r->nrows = 0;
}
