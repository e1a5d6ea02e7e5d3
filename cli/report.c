/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/report.c - `sealane report`: how much mail travels encrypted.
 *
 * Reads the ledger's file itself; a running ledger is only asked to write
 * down what it still has in hand, and its absence is no trouble.  Or reads the
 * logs of others (report_log.c), which needs no configuration. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/control.h"
#include "cli/cli.h"
#include "cli/report_impl.h"
#include "report/schema.h"
#include "report/report.h"

#define TABLE_MAX	((size_t)1 << 30)

struct options {
	struct report_query	query;
	bool			json;
	bool			fails_below;
	uint32_t		below;		/* thousandths of a percent */
	uint64_t		now;
	bool			since_given, until_given;
	char			**logs;		/* of argv; none: the ledger */
	size_t			nlogs;
};

/* ---- options ---- */

static int
take_time(const char *name, const char *value, uint64_t now, uint64_t *ms)
{
	*ms = clock_parse(value, now);
	if (*ms == 0)
		return cli_usage("report: --%s %s is not a time; allowed: "
		    "2026-01-02, 2026-01-02T03:04 (UTC), or an age such as 7d",
		    name, value);
	return CLI_OK;
}

static int
take_since(struct options *o, const char *value)
{
	o->since_given = true;
	return take_time("since", value, o->now, &o->query.since);
}

static int
take_until(struct options *o, const char *value)
{
	o->until_given = true;
	return take_time("until", value, o->now, &o->query.until);
}

static int
take_by(struct options *o, const char *value)
{
	if (!report_by_parse(span_str(value), &o->query.by))
		return cli_usage("report: --by %s is not known; allowed: "
		    "domain, level, day", value);
	return CLI_OK;
}

static int
take_direction(struct options *o, const char *value)
{
	if (!report_direction_parse(span_str(value), &o->query.direction))
		return cli_usage("report: --direction %s is not known; "
		    "allowed: in, out, both", value);
	return CLI_OK;
}

static int
take_format(struct options *o, const char *value)
{
	if (strcmp(value, "json") != 0 && strcmp(value, "table") != 0)
		return cli_usage("report: --format %s is not known; allowed: "
		    "table, json", value);
	o->json = strcmp(value, "json") == 0;
	return CLI_OK;
}

static int
take_below(struct options *o, const char *value)
{
	if (!coverage_parse_pct(span_str(value), &o->below))
		return cli_usage("report: --fail-below %s is not a percentage; "
		    "allowed: 0 to 100, as in 99.5", value);
	o->fails_below = true;
	return CLI_OK;
}

static const struct {
	const char	*name;
	int		(*take)(struct options *, const char *value);
} known[] = {
	{ "since", take_since }, { "until", take_until }, { "by", take_by },
	{ "direction", take_direction }, { "format", take_format },
	{ "fail-below", take_below },
};

/* "--name value" or "--name=value" at argv[*at], which goes on behind it. */
static int
take_option(struct options *o, int argc, char **argv, int *at)
{
	struct span value = span_str(argv[*at]), name = span_cut(&value, '=');
	const char *word = argv[*at];
	size_t i;

	for (i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (name.n < 3 || name.p[0] != '-' || name.p[1] != '-' ||
		    !span_eq(span_skip(name, 2), span_str(known[i].name)))
			continue;
		if (name.n < strlen(word))
			return known[i].take(o, word + name.n + 1);
		if (*at + 1 >= argc)
			return cli_usage("report: %s needs a value", word);
		return known[i].take(o, argv[++*at]);
	}
	return cli_usage("report: %s is not known; allowed: --since, --until, "
	    "--by, --direction, --format, --fail-below, --from-log, --json",
	    word);
}

/* All that stands behind it and is no option. */
static int
take_logs(struct options *o, int argc, char **argv, int *at)
{
	o->logs = argv + *at + 1;
	while (*at + 1 < argc && strncmp(argv[*at + 1], "--", 2) != 0) {
		o->nlogs++;
		++*at;
	}
	return o->nlogs > 0 ? CLI_OK :
	    cli_usage("report: --from-log needs the name of a file");
}

static int
parse(int argc, char **argv, struct options *o)
{
	int i, rc;

	o->now = clock_wall_ms();
	o->query = (struct report_query){ .until = o->now,
	    .since = clock_parse("7d", o->now), .direction = REPORT_BOTH,
	    .by = REPORT_DOMAIN };
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			o->json = true;
			continue;
		}
		rc = strcmp(argv[i], "--from-log") == 0 ?
		    take_logs(o, argc, argv, &i) :
		    take_option(o, argc, argv, &i);
		if (rc != CLI_OK)
			return rc;
	}
	/* What is shown are whole seconds: ask for just what is shown. */
	o->query.since -= o->query.since % 1000;
	o->query.until += (1000 - o->query.until % 1000) % 1000;
	/* A log is as long as it is, and clocks of others may be ahead. */
	if (o->nlogs > 0 && !o->since_given)
		o->query.since = 0;
	if (o->nlogs > 0 && !o->until_given)
		o->query.until = UINT64_MAX;
	if (o->query.since >= o->query.until)
		return cli_usage("report: --since is not before --until");
	return CLI_OK;
}

/* ---- the command ---- */

/* A ledger that is not running has written all that it had. */
static void
flush_ledger(const struct conf *conf)
{
	struct fault f = { 0 };
	int rc = control_call(conf, "ledger", json_pack("{s:s}", "cmd",
	    "flush"), NULL, NULL, &f);

	if (rc != CLI_OK && rc != CLI_NOT_RUNNING)
		fprintf(stderr, "sealane: report: %s\n", f.text);
}

static int
read_file(const struct conf *conf, const struct options *o, struct report *r)
{
	char path[PATH_MAX];
	struct fault f = { 0 };
	struct stat st;
	int n = snprintf(path, sizeof path, "%s/" LEDGER_FILE,
	    conf->state_directory);

	if (n < 0 || (size_t)n >= sizeof path)
		return cli_fail("report: state.directory is too long");
	flush_ledger(conf);
	if (report_read(path, &o->query, r, &f) == 0)
		return CLI_OK;
	if (f.err == ENOENT || (stat(path, &st) == 0 && st.st_size == 0))
		return cli_fail("report: there is no ledger yet at %s; "
		    "`sealane serve` begins one", path);
	return cli_fail("report: %s%s", f.text, f.err == EACCES ?
	    " (root and the group sealane may read it)" : "");
}

/* What holds now belongs to what is shown; a relay that does not run asks
 * nothing of anybody. */
static json_t *
exceptions_of(const struct conf *conf)
{
	struct fault f = { 0 };
	json_t *list;

	(void)cli_exceptions(conf, &list, &f);
	return list;
}

static int
print_table(const struct report *r, const json_t *exceptions)
{
	struct buf b;
	int rc = CLI_OK;

	buf_init(&b, TABLE_MAX);
	if (report_table(r, &b) == -1)
		rc = cli_fail("report: no memory for the table");
	else if (fwrite(buf_get(&b).p, 1, b.len, stdout) != b.len)
		rc = cli_fail("report: cannot write to standard output");
	cli_print_exceptions(exceptions);
	if (fflush(stdout) == EOF && rc == CLI_OK)
		rc = cli_fail("report: cannot write to standard output");
	buf_free(&b);
	return rc;
}

static int
print_json(const struct report *r, json_t *exceptions)
{
	json_t *doc = report_json(r);

	/* The document has no place for it; silence would be a lie. */
	if (r->lost > 0)
		fprintf(stderr, "sealane: report: %llu facts of this period "
		    "were lost; the figures are too low by as much\n",
		    (unsigned long long)r->lost);
	if (doc != NULL)
		(void)json_object_set(doc, "exceptions", exceptions != NULL ?
		    exceptions : json_null());
	return cli_json(doc);
}

static int
show(const struct options *o, struct report *r, json_t *exceptions)
{
	int rc = o->json ? print_json(r, exceptions) :
	    print_table(r, exceptions);

	if (rc == CLI_OK && o->fails_below &&
	    coverage_below(&r->total, o->below))
		rc = cli_fail("report: less is encrypted than the %g %% that "
		    "--fail-below asks for", (double)o->below / 1000);
	report_free(r);
	json_decref(exceptions);
	return rc;
}

/* Logs need no configuration, and exceptions are none of theirs. */
static int
of_ledger(const struct conf *conf, const struct options *o)
{
	struct conf *own = conf == NULL ? cli_conf_load() : NULL;
	struct report r;
	int rc = CLI_USAGE;

	if (conf == NULL)
		conf = own;
	if (conf != NULL)
		rc = read_file(conf, o, &r);
	if (rc == CLI_OK)
		rc = show(o, &r, exceptions_of(conf));
	conf_free(&own);
	return rc;
}

int
cli_report(const struct conf *conf, int argc, char **argv)
{
	struct options o = { .json = false };
	struct report r;
	int rc = parse(argc, argv, &o);

	if (rc != CLI_OK)
		return rc;
	if (o.nlogs == 0)
		return of_ledger(conf, &o);
	rc = cli_report_logs(o.logs, o.nlogs, &o.query, &r);
	return rc == CLI_OK ? show(&o, &r, NULL) : rc;
}
