/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/table.c - the report for people: one sentence that answers, a table
 * that shows where, and what the figures leave out. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "report/report.h"

#define COLUMNS		10
#define CELL		24
#define KEY_MAX		60	/* wider keys push their row, no other */

struct line {
	const char	*key;
	char		 cell[COLUMNS][CELL];
};

static const char *const heads[COLUMNS] = {
	"TLS", "recipients", "clear", "encrypted", "verified", "sts", "dane",
	"messages", "sessions", "size",
};

static const char *const subjects[] = {
	[REPORT_IN] = "Mail that came in",
	[REPORT_OUT] = "Mail that went out",
	[REPORT_BOTH] = "Mail in and out, each hop counted",
};

static void
size_text(uint64_t bytes, char out[CELL])
{
	static const char units[] = "KMGTPE";
	double v = (double)bytes;
	int u = -1;

	while (v >= 1024 && u < 5) {
		v /= 1024;
		u++;
	}
	if (u < 0)
		snprintf(out, CELL, "%" PRIu64, bytes);
	else
		snprintf(out, CELL, "%.1f%c", v, units[u]);
}

static void
share_text(const struct coverage *c, char out[CELL])
{
	int share = coverage_share(c);

	if (share < 0)
		snprintf(out, CELL, "-");
	else
		snprintf(out, CELL, "%d.%d%%", share / 10, share % 10);
}

static void
line_fill(struct line *l, const char *key, const struct coverage *c)
{
	int level;

	l->key = key;
	share_text(c, l->cell[0]);
	snprintf(l->cell[1], CELL, "%" PRIu64, c->recipients);
	for (level = LEVEL_CLEAR; level < LEVEL_COUNT; level++)
		snprintf(l->cell[1 + level], CELL, "%" PRIu64,
		    c->levels[level]);
	snprintf(l->cell[7], CELL, "%" PRIu64, c->messages);
	snprintf(l->cell[8], CELL, "%" PRIu64, c->sessions);
	size_text(c->bytes, l->cell[9]);
}

static const char *
key_text(const struct report *r, const char *key)
{
	/* RFC 5321 sec 4.5.5: bounces come from the null reverse-path. */
	return r->query.by == REPORT_DOMAIN && key[0] == '\0' ? "<>" : key;
}

static void
widen(size_t width[COLUMNS], const struct line *l)
{
	size_t n;
	int i;

	for (i = 0; i < COLUMNS; i++) {
		n = strlen(l->cell[i]);
		if (n > width[i])
			width[i] = n;
	}
}

static void
put_key(struct buf *b, const char *key, size_t width)
{
	size_t n = strlen(key), i;

	for (i = 0; i < n; i++)
		buf_char(b, key[i] >= ' ' && key[i] <= '~' ? key[i] : '?');
	for (; i < width; i++)
		buf_char(b, ' ');
}

static void
put_line(struct buf *b, const struct line *l, size_t key_width,
    const size_t width[COLUMNS])
{
	int i;

	put_key(b, l->key, key_width);
	for (i = 0; i < COLUMNS; i++)
		buf_printf(b, "  %*s", (int)width[i], l->cell[i]);
	buf_char(b, '\n');
}

static void
put_rows(const struct report *r, struct buf *b)
{
	const char *by = report_by_name(r->query.by);
	size_t width[COLUMNS], key_width = strlen(by), n, i;
	struct line l;

	for (i = 0; i < COLUMNS; i++)
		width[i] = strlen(heads[i]);
	line_fill(&l, "all", &r->total);
	widen(width, &l);	/* no row has a longer number */
	for (i = 0; i < r->nrows; i++) {
		n = strlen(key_text(r, r->rows[i].key));
		if (n > key_width && n <= KEY_MAX)
			key_width = n;
		line_fill(&l, "", &r->rows[i].coverage);
		widen(width, &l);
	}
	put_key(b, by, key_width);
	for (i = 0; i < COLUMNS; i++)
		buf_printf(b, "  %*s", (int)width[i], heads[i]);
	buf_char(b, '\n');
	for (i = 0; i < r->nrows; i++) {
		line_fill(&l, key_text(r, r->rows[i].key),
		    &r->rows[i].coverage);
		put_line(b, &l, key_width, width);
	}
	line_fill(&l, "all", &r->total);
	put_line(b, &l, key_width, width);
}

static const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void
put_answer(const struct report *r, struct buf *b)
{
	const struct coverage *t = &r->total;
	uint64_t sent = coverage_sent(t), weak = t->levels[LEVEL_CLEAR];
	char share[CELL];

	if (t->recipients == 0) {
		buf_str(b, "There was no mail in this period");
		if (t->sessions > 0)
			buf_printf(b, ", only %" PRIu64 " session%s without any",
			    t->sessions, plural(t->sessions));
		buf_str(b, ".\n");
		return;
	}
	share_text(t, share);
	if (sent > 0 && weak == 0)
		buf_printf(b, "All of it travelled encrypted: %" PRIu64
		    " recipient%s of %" PRIu64 " message%s.\n", sent,
		    plural(sent), t->messages, plural(t->messages));
	else if (sent > 0)
		buf_printf(b, "%s travelled encrypted: %" PRIu64 " of %" PRIu64
		    " recipient%s. %" PRIu64 " went in clear text.\n", share,
		    coverage_encrypted(t), sent, plural(sent), weak);
	if (t->weak > 0)
		buf_printf(b, "%" PRIu64 " recipient%s had weak TLS: an old "
		    "version, a small group or no forward secrecy.\n",
		    t->weak, plural(t->weak));
	if (t->recipients > sent)
		buf_printf(b, "%" PRIu64 " recipient%s got nothing by wire: "
		    "their mail was discarded, as configured.\n",
		    t->recipients - sent, plural(t->recipients - sent));
}

int
report_table(const struct report *r, struct buf *b)
{
	char since[CLOCK_RFC3339_SIZE], until[CLOCK_RFC3339_SIZE];

	clock_rfc3339(r->query.since, 0, since);
	clock_rfc3339(r->query.until, 0, until);
	buf_printf(b, "%s, from %s to %s:\n", subjects[r->query.direction],
	    since, until);
	put_answer(r, b);
	if (r->total.recipients > 0) {
		buf_char(b, '\n');
		put_rows(r, b);
	}
	if (r->retried > 0)
		buf_printf(b, "\nSTARTTLS failed in %" PRIu64 " session%s and "
		    "was tried again at once.\n", r->retried,
		    plural(r->retried));
	if (r->lost > 0)
		buf_printf(b, "\nCareful: %" PRIu64 " fact%s about sessions or "
		    "deliveries of this period %s lost;\nthe figures are too "
		    "low by as much.\n", r->lost, plural(r->lost),
		    r->lost == 1 ? "was" : "were");
	return b->failed ? -1 : 0;
}
