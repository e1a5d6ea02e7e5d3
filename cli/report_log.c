/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/report_log.c - `sealane report --from-log`. */
#include <inttypes.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/report_impl.h"
#include "report/log_read.h"

/* On a terminal only, over itself. */
static void
show_progress(const char *path, uint64_t done, uint64_t total, uint64_t lines)
{
	if (total > 0)
		fprintf(stderr, "\r\033[K%s: %" PRIu64 " %%, %" PRIu64 " lines",
		    path, done * 100 / total, lines);
	else
		fprintf(stderr, "\r\033[K%s: %" PRIu64 " lines", path, lines);
}

static void
remark(uint64_t n, const char *what)
{
	if (n > 0)
		fprintf(stderr, "sealane: report: %" PRIu64 " %s\n", n, what);
}

/* What a reader of the figures has to know to believe them. */
static void
tell_summary(const struct report *r, const struct log_summary *s)
{
	const struct coverage *t = &r->total;
	bool in = r->query.direction != REPORT_OUT;
	bool out = r->query.direction != REPORT_IN;

	fprintf(stderr, "sealane: report: %" PRIu64 " lines; %" PRIu64
	    " of other programs, %" PRIu64 " in no known form, %" PRIu64
	    " not understood\n", s->lines, s->others, s->strange,
	    s->counts.unknown);
	remark(s->counts.local, "deliveries within the machine, which are no "
	    "hops, are not counted");
	remark(s->counts.forgotten, "messages or processes forgotten for lack "
	    "of room; the figures are less sure by as much");
	remark(s->counts.untold, "sessions came in by STARTTLS and count as "
	    "clear text: Postfix says\n  so only with smtpd_tls_loglevel = 1");
	if (t->recipients > 0 && out && s->counts.tls_out == 0)
		fputs("sealane: report: no line says that mail went out over "
		    "TLS; Postfix says so only with\n  smtp_tls_loglevel = 1\n",
		    stderr);
	if (t->recipients > 0 && in && s->counts.tls_in == 0 &&
	    s->counts.untold == 0)
		fputs("sealane: report: no line says that mail came in over "
		    "TLS\n", stderr);
}

int
cli_report_logs(char *const *paths, size_t n, const struct report_query *q,
    struct report *r)
{
	bool shown = isatty(STDERR_FILENO);
	struct log_summary sum;
	struct fault f = { 0 };
	int rc = report_from_logs(paths, n, q, shown ? show_progress : NULL, r,
	    &sum, &f);

	if (shown)
		fputs("\r\033[K", stderr);
	if (rc == -1)
		return cli_fail("report: %s", f.text);
	tell_summary(r, &sum);
	return CLI_OK;
}
