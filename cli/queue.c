/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/queue.c - `sealane queue`: arguments to a request to the queue role, and
 * the commands that answer with a count.  With --json one document goes to
 * stdout. */
#include <string.h>

#include "base/clock.h"
#include "cli/queue_impl.h"

#define VALUES_MAX	1000	/* of one option, and ids */

/* ---- arguments ---- */

static int
add_value(json_t *request, const char *key, const char *value)
{
	json_t *list = json_object_get(request, key);

	if (list == NULL) {
		list = json_array();
		(void)json_object_set_new(request, key, list);
	}
	if (json_array_size(list) >= VALUES_MAX)
		return cli_usage("queue: more than %d %s", VALUES_MAX, key);
	(void)json_array_append_new(list, cli_json_text(value));
	return CLI_OK;
}

static int
take_age(json_t *request, const char *value)
{
	uint64_t now = clock_wall_ms(), then = clock_parse(value, now);

	if (then == 0 || then > now)
		return cli_usage("queue: --older takes an age such as 90m or "
		    "7d, or a date, not %s", value);
	(void)json_object_set_new(request, "older",
	    json_integer((json_int_t)(now - then)));
	return CLI_OK;
}

static int
take_option(struct queue_args *a, const char *option, const char *value)
{
	static const struct { const char *option, *key; } lists[] = {
		{ "--domain", "domains" }, { "--sender", "senders" },
		{ "--site", "sites" }, { "--state", "states" },
	};

	if (value == NULL)
		return cli_usage("queue: %s needs a value", option);
	a->selects = true;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		if (strcmp(option, lists[i].option) == 0)
			return add_value(a->request, lists[i].key, value);
	if (strcmp(option, "--older") == 0)
		return take_age(a->request, value);
	if (strcmp(option, "--reason") != 0)
		return cli_usage("queue: unknown option %s", option);
	(void)json_object_set_new(a->request, "reason", cli_json_text(value));
	return CLI_OK;
}

static int
parse(struct queue_args *a, int argc, char **argv)
{
	int rc = CLI_OK;

	for (int i = 0; i < argc && rc == CLI_OK; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			a->json = true;
		} else if (strcmp(argv[i], "--body") == 0) {
			a->body = true;
		} else if (strcmp(argv[i], "--forget") == 0) {
			a->forget = true;
		} else if (strcmp(argv[i], "--drop") == 0) {
			a->drop = true;
		} else if (strncmp(argv[i], "--", 2) == 0) {
			rc = take_option(a, argv[i],
			    i + 1 < argc ? argv[i + 1] : NULL);
			i++;
		} else {
			rc = add_value(a->request, "ids", argv[i]);
			a->nids++;
		}
	}
	return rc;
}

/* ---- asking ---- */

int
queue_ask(const struct conf *conf, json_t *request,
    void (*line)(void *arg, const json_t *answer), void *arg)
{
	struct fault f = { 0 };
	int rc = control_call(conf, "queue", request, line, arg, &f);

	if (rc != CLI_OK)
		(void)cli_fail("%s", f.text);
	return rc;
}

/* ---- commands that count ---- */

struct counting {
	const char	*cmd, *done;	/* "12 messages held" */
	const char	*busy;		/* of what a relay was sending */
};

static const struct counting countings[] = {
	{ "flush", "due now", "" },
	{ "hold", "held", "held if that attempt fails" },
	{ "release", "released", "" },
	{ "drop", "dropped", "it may arrive all the same" },
	{ "bounce", "bounced", "left alone" },
};

static void
take_count(void *arg, const json_t *line)
{
	json_t **answer = arg;

	if (json_object_get(line, "count") != NULL)
		*answer = json_incref((json_t *)(uintptr_t)line);
}

static json_int_t
number_in(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static int
print_count(const struct counting *c, const json_t *answer)
{
	json_int_t n = number_in(answer, "count"),
	    rcpts = number_in(answer, "recipients"),
	    busy = number_in(answer, "busy");

	printf("%lld %s %s", (long long)n, n == 1 ? "message" : "messages",
	    c->done);
	if (rcpts != n)
		printf(", %lld recipients", (long long)rcpts);
	putchar('\n');
	if (busy > 0)
		printf("%lld %s being sent to just now: %s\n",
		    (long long)busy, busy == 1 ? "recipient is" :
		    "recipients are", c->busy);
	return fflush(stdout) == EOF ?
	    cli_fail("cannot write to standard output") : CLI_OK;
}

static int
run_count(const struct conf *conf, const struct counting *c,
    struct queue_args *a)
{
	json_t *answer = NULL, *id;
	size_t i, missing;
	int rc = queue_ask(conf, json_incref(a->request), take_count, &answer);

	if (rc == CLI_OK && answer == NULL)
		rc = cli_fail("queue: the answer has no count");
	if (rc == CLI_OK && !a->json)
		rc = print_count(c, answer);
	missing = json_array_size(json_object_get(answer, "missing"));
	json_array_foreach(json_object_get(answer, "missing"), i, id)
		(void)cli_fail("no message with the id %.64s",
		    json_string_value(id));
	if (rc == CLI_OK && a->json)
		rc = cli_json(json_incref(answer));
	json_decref(answer);
	return rc != CLI_OK ? rc : missing > 0 ? CLI_BAD : CLI_OK;
}

/* ---- the commands ---- */

#define USAGE_PICK	"[--domain D] [--sender S] [--site S] [--older AGE]\n" \
			"\t[--reason TEXT] [--state STATE]"
#define USAGE_SELECT	USAGE_PICK " [--json]"

static int
run(const struct conf *conf, const char *cmd, struct queue_args *a)
{
	bool show = strcmp(cmd, "show") == 0;

	if (a->body && !show)
		return cli_usage("queue: --body goes with show only");
	if (a->forget && strcmp(cmd, "damaged") != 0)
		return cli_usage("queue: --forget goes with damaged only");
	if (a->drop && strcmp(cmd, "export") != 0)
		return cli_usage("queue: --drop goes with export only");
	if (strcmp(cmd, "damaged") == 0) {
		if (a->selects || a->nids > 1 || (a->forget && a->nids == 0))
			return cli_usage("usage: sealane queue damaged "
			    "[[--forget] FILE | FILE:OFFSET] [--json]");
		return queue_damaged(conf, a);
	}
	if (strcmp(cmd, "list") == 0) {
		if (a->nids > 0)
			return cli_usage("usage: sealane queue list "
			    USAGE_SELECT);
		return queue_list(conf, a);
	}
	if (show) {
		if (a->nids != 1 || a->selects || (a->body && a->json))
			return cli_usage("usage: sealane queue show ID "
			    "[--body | --json]");
		return queue_show(conf, a);
	}
	if (strcmp(cmd, "export") == 0) {
		if ((a->nids == 0 && !a->selects) || a->json)
			return cli_usage("usage: sealane queue export [--drop] "
			    "ID ... |\n\t" USAGE_PICK);
		return queue_export(conf, a);
	}
	if (strcmp(cmd, "import") == 0) {
		if (a->nids > 0 || a->selects)
			return cli_usage("usage: sealane queue import "
			    "[--json]");
		return queue_import(conf, a);
	}
	for (size_t i = 0; i < sizeof countings / sizeof countings[0]; i++) {
		if (strcmp(cmd, countings[i].cmd) != 0)
			continue;
		/* What is done to mail is said in full, but for a flush. */
		if (i > 0 && a->nids == 0 && !a->selects)
			return cli_usage("usage: sealane queue %s ID ... | "
			    USAGE_SELECT, cmd);
		return run_count(conf, &countings[i], a);
	}
	return cli_usage("queue: no command `%s`; there are list, show, "
	    "flush, hold, release, drop, bounce, damaged, export and import",
	    cmd);
}

int
cli_queue(const struct conf *conf, int argc, char **argv)
{
	struct queue_args a = { .nids = 0 };
	int rc;

	if (argc < 2)
		return cli_usage("usage: sealane queue list|show|flush|hold|"
		    "release|drop|bounce|damaged|export|import");
	a.request = json_pack("{s:o}", "cmd", cli_json_text(argv[1]));
	rc = parse(&a, argc - 2, argv + 2);
	if (rc == CLI_OK)
		rc = run(conf, argv[1], &a);
	json_decref(a.request);
	return rc;
}
