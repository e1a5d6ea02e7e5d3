/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/events.c - `sealane events`: what was found wrong, as it comes. */
#include <string.h>

#include "base/clock.h"
#include "base/control.h"
#include "cli/cli.h"

struct events {
	uint64_t		 since;
	bool			 json, follow, any;
	int			 rc;
	struct cli_table	*table;		/* NULL: line by line */
};

/* The columns of a finding, in the order of the table. */
static const char *const columns[] = {
	"time", "kind", "domain", "mx", "address", "expected", "reached",
	"class", "action",
};
#define NCOLUMNS	(sizeof columns / sizeof columns[0])

static void
row(struct events *e, const json_t *event)
{
	for (size_t i = 0; i < NCOLUMNS; i++) {
		const char *s = cli_string_in(event, columns[i]);

		if (e->table != NULL)
			cli_table_cell(e->table, "%s", s);
		else
			printf("%s%s", s, i + 1 < NCOLUMNS ? " " : "\n");
	}
}

static void
take(void *arg, const json_t *line)
{
	struct events *e = arg;

	if (json_object_get(line, "kind") == NULL)
		return;		/* it is alive */
	if (!e->json) {
		row(e, line);
	} else {
		if (!e->follow && e->any)
			puts(",");
		(void)json_dumpf(line, stdout, JSON_COMPACT);
		if (e->follow)
			putchar('\n');
	}
	e->any = true;
	if (e->follow && fflush(stdout) == EOF)
		e->rc = CLI_BAD;
}

static int
run(const struct conf *conf, struct events *e)
{
	struct fault f = { 0 };
	int rc;

	/* What follows is a document a line: it has no end. */
	if (e->json && !e->follow)
		fputs("{\"events\":[\n", stdout);
	rc = control_call(conf, "policy", json_pack("{s:s, s:I, s:b}", "cmd",
	    "events", "since", (json_int_t)e->since, "follow", e->follow),
	    take, e, &f);
	if (e->json && !e->follow)
		fputs("\n]}\n", stdout);
	if (rc != CLI_OK)
		return cli_fail("%s", f.text), rc;
	if (e->table != NULL && cli_table_rows(e->table) == 0)
		puts("Nothing was found.");
	else if (e->table != NULL)
		e->rc = cli_table_print(e->table, stdout);
	return fflush(stdout) == EOF ? cli_fail("cannot write to standard "
	    "output") : e->rc;
}

int
cli_events(const struct conf *conf, int argc, char **argv)
{
	uint64_t now = clock_wall_ms();
	struct events e = { .since = clock_parse("7d", now) };
	int rc;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			e.json = true;
		else if (strcmp(argv[i], "--follow") == 0)
			e.follow = true;
		else if (strcmp(argv[i], "--since") == 0 && i + 1 < argc)
			e.since = clock_parse(argv[++i], now);
		else
			return cli_usage("usage: sealane events [--since T] "
			    "[--follow] [--json]");
		if (e.since == 0)
			return cli_usage("events: --since takes a time such "
			    "as 2026-01-02 or an age such as 7d");
	}
	if (!e.json && !e.follow)
		e.table = cli_table_new("TIME|KIND|DOMAIN|MX|ADDRESS|EXPECTED|"
		    "REACHED|CLASS|ACTION");
	rc = run(conf, &e);
	cli_table_free(&e.table);
	return rc;
}
