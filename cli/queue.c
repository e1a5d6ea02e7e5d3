/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/queue.c - queue list, show, flush, drop: asks the queue role over its
 * control socket.  With --json one document goes to stdout. */
#include "cli/queue.h"

#include <string.h>

#include "base/clock.h"
#include "base/control.h"
#include "cli/cli.h"

#define DOMAINS_MAX	100

struct request {
	const char	*id, *sender;
	const char	*domains[DOMAINS_MAX];
	size_t		 ndomains;
	bool		 json;
};

struct answers {
	json_t		*messages;	/* array */
	json_int_t	 count;
};

/* ---- arguments ---- */

static int
take_option(struct request *r, const char *option, const char *value)
{
	if (value == NULL)
		return cli_usage("queue: %s needs a value", option);
	if (strcmp(option, "--domain") == 0 && r->ndomains < DOMAINS_MAX)
		r->domains[r->ndomains++] = value;
	else if (strcmp(option, "--sender") == 0)
		r->sender = value;
	else
		return cli_usage("queue: unknown option %s", option);
	return CLI_OK;
}

static int
parse(struct request *r, int argc, char **argv)
{
	int rc;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			r->json = true;
		} else if (strncmp(argv[i], "--", 2) == 0) {
			rc = take_option(r, argv[i],
			    i + 1 < argc ? argv[i + 1] : NULL);
			if (rc != CLI_OK)
				return rc;
			i++;
		} else if (r->id == NULL) {
			r->id = argv[i];
		} else {
			return cli_usage("queue: more than one id: %s",
			    argv[i]);
		}
	}
	return CLI_OK;
}

/* ---- asking ---- */

static void
take_line(void *arg, const json_t *line)
{
	struct answers *a = arg;
	const json_t *count = json_object_get(line, "count");

	if (count != NULL)
		a->count = json_integer_value(count);
	else if (json_object_get(line, "id") != NULL)
		(void)json_array_append(a->messages, (json_t *)(uintptr_t)line);
}

static int
ask(const struct conf *conf, json_t *request, struct answers *a)
{
	struct fault f = { 0 };
	int rc;

	a->count = 0;
	a->messages = json_array();
	rc = control_call(conf, "queue", request, take_line, a, &f);
	if (rc != CLI_OK) {
		(void)cli_fail("%s", f.text);
		json_decref(a->messages);
	}
	return rc;
}

/* ---- for people ---- */

static const char *
string_in(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s == NULL ? "" : s;
}

static void
age_of(const json_t *m, char out[CLI_TEXT])
{
	uint64_t now = clock_wall_ms();
	uint64_t then = clock_parse(string_in(m, "arrived"), now);

	if (then == 0 || then > now)
		(void)span_copy(SPAN_LIT("-"), out, CLI_TEXT);
	else
		(void)cli_age(now - then, out);
}

/* One row per recipient that is not done; the message before the first. */
static void
list_rows(struct cli_table *t, const json_t *m)
{
	const json_t *r;
	char age[CLI_TEXT], size[CLI_TEXT];
	bool first = true;
	size_t i;

	age_of(m, age);
	(void)cli_size((uint64_t)json_integer_value(
	    json_object_get(m, "size")), size);
	json_array_foreach(json_object_get(m, "recipients"), i, r) {
		const char *state = string_in(r, "state");

		if (strcmp(state, "delivered") == 0 ||
		    strcmp(state, "failed") == 0)
			continue;
		cli_table_cell(t, "%s", first ? string_in(m, "id") : "");
		cli_table_cell(t, "%s", first ? age : "");
		cli_table_cell(t, "%s", first ? size : "");
		cli_table_cell(t, first ? "<%s>" : "%s",
		    first ? string_in(m, "sender") : "");
		cli_table_cell(t, "%s", state);
		cli_table_cell(t, "%s", string_in(r, "address"));
		cli_table_cell(t, "%s", string_in(r, "reply"));
		first = false;
	}
}

static int
print_list(const json_t *messages)
{
	struct cli_table *t;
	const json_t *m;
	size_t i;
	int rc;

	if (json_array_size(messages) == 0) {
		puts("The queue is empty.");
		return CLI_OK;
	}
	t = cli_table_new("ID|AGE|>SIZE|SENDER|STATE|RECIPIENT|LAST ANSWER");
	json_array_foreach(messages, i, m)
		list_rows(t, m);
	rc = cli_table_print(t, stdout);
	cli_table_free(&t);
	return rc;
}

static int
print_show(const json_t *m)
{
	struct cli_table *t;
	const json_t *r;
	const char *next = string_in(m, "next_attempt");
	size_t i;
	int rc;

	printf("id       %s\nsender   <%s>\nsize     %lld\narrived  %s\n"
	    "state    %s\nnext     %s\n\n", string_in(m, "id"),
	    string_in(m, "sender"),
	    (long long)json_integer_value(json_object_get(m, "size")),
	    string_in(m, "arrived"), string_in(m, "state"),
	    *next == '\0' ? "-" : next);
	t = cli_table_new("RECIPIENT|STATE|>ATTEMPTS|SITE|ASKED|LAST ANSWER");
	json_array_foreach(json_object_get(m, "recipients"), i, r) {
		cli_table_cell(t, "%s", string_in(r, "address"));
		cli_table_cell(t, "%s", string_in(r, "state"));
		cli_table_cell(t, "%lld", (long long)json_integer_value(
		    json_object_get(r, "attempts")));
		cli_table_cell(t, "%s", string_in(r, "site"));
		cli_table_cell(t, "%s", string_in(r, "asked"));
		cli_table_cell(t, "%s", string_in(r, "reply"));
	}
	rc = cli_table_print(t, stdout);
	cli_table_free(&t);
	return rc;
}

/* ---- the commands ---- */

static int
run_list(const struct conf *conf, const struct request *r)
{
	struct answers a;
	int rc;

	if (r->id != NULL || r->ndomains > 0 || r->sender != NULL)
		return cli_usage("usage: sealane queue list [--json]");
	rc = ask(conf, json_pack("{s:s}", "cmd", "list"), &a);
	if (rc != CLI_OK)
		return rc;
	if (r->json)
		return cli_json(json_pack("{s:o}", "messages", a.messages));
	rc = print_list(a.messages);
	json_decref(a.messages);
	return rc;
}

static int
run_show(const struct conf *conf, const struct request *r)
{
	struct answers a;
	int rc;

	if (r->id == NULL || r->ndomains > 0 || r->sender != NULL)
		return cli_usage("usage: sealane queue show ID [--json]");
	rc = ask(conf, json_pack("{s:s, s:o}", "cmd", "show", "id",
	    cli_json_text(r->id)), &a);
	if (rc != CLI_OK)
		return rc;
	rc = r->json ?
	    cli_json(json_incref(json_array_get(a.messages, 0))) :
	    print_show(json_array_get(a.messages, 0));
	json_decref(a.messages);
	return rc;
}

static int
run_count(const struct conf *conf, const struct request *r, json_t *request,
    const char *done)
{
	struct answers a;
	int rc = ask(conf, request, &a);

	if (rc != CLI_OK)
		return rc;
	json_decref(a.messages);
	if (r->json)
		return cli_json(json_pack("{s:I}", "count", a.count));
	printf("%lld %s %s\n", (long long)a.count,
	    a.count == 1 ? "message" : "messages", done);
	return CLI_OK;
}

static int
run_flush(const struct conf *conf, const struct request *r)
{
	json_t *request, *domains;

	if (r->sender != NULL || (r->id != NULL && r->ndomains > 0))
		return cli_usage("usage: sealane queue flush "
		    "[ID | --domain DOMAIN ...] [--json]");
	request = json_pack("{s:s}", "cmd", "flush");
	if (r->id != NULL)
		(void)json_object_set_new(request, "id", cli_json_text(r->id));
	if (r->ndomains > 0) {
		domains = json_array();
		for (size_t i = 0; i < r->ndomains; i++)
			(void)json_array_append_new(domains,
			    cli_json_text(r->domains[i]));
		(void)json_object_set_new(request, "domains", domains);
	}
	return run_count(conf, r, request, "due now");
}

static int
run_drop(const struct conf *conf, const struct request *r)
{
	const char *key = r->id != NULL ? "id" : r->sender != NULL ?
	    "sender" : "domain";
	const char *value = r->id != NULL ? r->id : r->sender != NULL ?
	    r->sender : r->domains[0];

	/* Exactly one choice: what is dropped is gone. */
	if ((r->id != NULL) + (r->sender != NULL) + (r->ndomains > 0) != 1 ||
	    r->ndomains > 1)
		return cli_usage("usage: sealane queue drop "
		    "ID | --domain DOMAIN | --sender ADDRESS [--json]");
	return run_count(conf, r, json_pack("{s:s, s:o}", "cmd", "drop", key,
	    cli_json_text(value)), "dropped");
}

static const struct {
	const char	*name;
	int		(*run)(const struct conf *, const struct request *);
} commands[] = {
	{ "list", run_list },
	{ "show", run_show },
	{ "flush", run_flush },
	{ "drop", run_drop },
};

int
cli_queue(const struct conf *conf, int argc, char **argv)
{
	struct request r = { .id = NULL };
	int rc;

	if (argc < 2)
		return cli_usage("usage: sealane queue list|show|flush|drop");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		rc = parse(&r, argc - 2, argv + 2);
		return rc != CLI_OK ? rc : commands[i].run(conf, &r);
	}
	return cli_usage("queue: no command `%s`; there are list, show, "
	    "flush and drop", argv[1]);
}
