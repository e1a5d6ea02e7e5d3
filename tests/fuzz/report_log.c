/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any bytes as a log file, plain, gzip or of the journal: facts point into
 * their line, and what is counted holds together. */
#include <string.h>

#include "report/log_count.h"
#include "report/log_file.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"

#define LATEST	1767323045000u

/* In pieces, as a pipe may hand them out. */
static ssize_t
some(void *ctx, char *to, size_t n)
{
	struct span *rest = ctx, piece = span_head(*rest, n < 7 ? n : 7);

	if (rest->n > 4096)
		piece = span_head(*rest, n);
	memcpy(to, piece.p, piece.n);
	*rest = span_skip(*rest, piece.n);
	return (ssize_t)piece.n;
}

static void
check_fact(const struct log_line *l, const struct log_fact *f)
{
	const struct span all[] = { f->id, f->peer, f->host, f->addr,
	    f->domain, f->version, f->suite, f->kx };

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		require(all[i].n == 0 || (all[i].p >= l->text.p &&
		    all[i].p + all[i].n <= l->text.p + l->text.n));
	require(f->kind != LOG_TLS || f->has_tls);
	require(f->kind != LOG_DELIVERY || (f->out && f->addr.n > 0));
}

static void
check_report(const struct report *r)
{
	struct coverage sum = { 0 };

	for (size_t i = 0; i < r->nrows; i++) {
		require_printable(span_str(r->rows[i].key));
		sum.recipients += r->rows[i].coverage.recipients;
		sum.sessions += r->rows[i].coverage.sessions;
	}
	require(sum.recipients == r->total.recipients);
	require(sum.sessions == r->total.sessions);
	require(coverage_sent(&r->total) == r->total.recipients);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct report_query q = { .until = UINT64_MAX,
	    .direction = REPORT_BOTH, .by = REPORT_LEVEL };
	struct span rest = span_of(data, size);
	struct log_count *count = log_count_new(&q, 64);
	struct log_sink sink = log_count_sink(count);
	struct log_join *join = log_join_new(&sink, 64);
	struct log_file *file = log_file_new(some, &rest, LATEST);
	enum log_next next;
	struct fault f = { 0 };
	struct log_line line;
	struct log_fact fact;
	struct report r;

	while ((next = log_file_next(file, &line, &f)) == LOG_NEXT_LINE ||
	    next == LOG_NEXT_STRANGE)
		if (next == LOG_NEXT_LINE && log_fact_parse(&line, &fact)) {
			check_fact(&line, &fact);
			log_join_fact(join, &line, &fact);
		}
	require(next == LOG_NEXT_END || f.text[0] != '\0');
	require(log_count_report(count, &r) == 0);
	check_report(&r);
	report_free(&r);
	log_file_free(&file);
	log_join_free(&join);
	log_count_free(&count);
	return 0;
}
