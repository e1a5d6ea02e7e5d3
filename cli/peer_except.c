/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/peer_except.c - `sealane peer except`: for a time and for a reason, nothing
 * is asked of a peer. */
#include <string.h>

#include "base/clock.h"
#include "base/control.h"
#include "cli/peer_impl.h"

static const char usage[] = "usage: sealane peer except NAME --until "
    "TIME|DURATION --why TEXT, sealane peer except NAME --end, "
    "sealane peer except [--json]";

struct options {
	const char	*name, *until, *why;
	bool		 end, json;
};

static int
parse(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			o->json = true;
		else if (strcmp(argv[i], "--end") == 0)
			o->end = true;
		else if (strcmp(argv[i], "--until") == 0 && i + 1 < argc)
			o->until = argv[++i];
		else if (strcmp(argv[i], "--why") == 0 && i + 1 < argc)
			o->why = argv[++i];
		else if (o->name == NULL && argv[i][0] != '-')
			o->name = argv[i];
		else
			return cli_usage("%s", usage);
	}
	if (o->name == NULL)
		return o->end || o->until != NULL || o->why != NULL ?
		    cli_usage("%s", usage) : CLI_OK;
	if (o->json || o->end == (o->until != NULL || o->why != NULL))
		return cli_usage("%s", usage);
	if (!o->end && (o->until == NULL || o->why == NULL))
		return cli_usage("peer except: an exception needs an end and "
		    "a reason: --until and --why");
	return CLI_OK;
}

static int
make(const struct conf *conf, const struct options *o)
{
	uint64_t until = clock_parse_ahead(o->until, clock_wall_ms());

	if (until == 0)
		return cli_usage("peer except: --until %s is no time; allowed: "
		    "2026-01-02, 2026-01-02T03:04Z, or from now on 90m, 8h, "
		    "30d, 4w", o->until);
	return cli_ask_of_peer(conf, "except", o->name, json_pack(
	    "{s:I, s:o}", "until", (json_int_t)(until / 1000), "why",
	    cli_json_text(o->why)), NULL);
}

static void
take_list(void *arg, const json_t *line)
{
	json_t **list = arg, *given = json_object_get(line, "exceptions");

	if (given != NULL)
		*list = json_incref(given);
}

int
cli_exceptions(const struct conf *conf, json_t **list, struct fault *f)
{
	*list = NULL;
	return control_call(conf, "policy", json_pack("{s:s}", "cmd",
	    "exceptions"), take_list, list, f);
}

void
cli_print_exceptions(const json_t *list)
{
	const json_t *x;
	size_t i;

	json_array_foreach(list, i, x)
		printf("Exception: nothing is asked of %s until %s: %s\n",
		    cli_string_in(x, "name"), cli_string_in(x, "until"),
		    cli_string_in(x, "why"));
}

static int
list(const struct conf *conf, bool json)
{
	struct fault f = { 0 };
	json_t *doc;
	int rc = cli_exceptions(conf, &doc, &f);

	if (rc != CLI_OK)
		return cli_fail("%s", f.text), rc;
	if (json)
		return cli_json(json_pack("{s:o}", "exceptions", doc));
	if (json_array_size(doc) == 0)
		puts("No exception holds.");
	cli_print_exceptions(doc);
	if (fflush(stdout) == EOF)
		rc = cli_fail("cannot write to standard output");
	json_decref(doc);
	return rc;
}

int
cli_peer_except(const struct conf *conf, int argc, char **argv)
{
	struct options o = { .name = NULL };
	int rc = parse(argc, argv, &o);

	if (rc != CLI_OK)
		return rc;
	if (o.name == NULL)
		return list(conf, o.json);
	if (o.end)
		return cli_ask_of_peer(conf, "except-end", o.name, NULL, NULL);
	return make(conf, &o);
}
