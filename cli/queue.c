/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/queue.c - `sealane queue`: asks the queue role over its control socket
 * and shows what it says.  Knows nothing of the spool. */
#include <string.h>

#include "base/clock.h"
#include "base/control.h"
#include "cli/cli.h"

/* What a subcommand was asked to work on. */
struct selection {
	const char	*key;		/* "id", "domain", "sender"; NULL: none given */
	const char	*value;
	bool		 all;		/* --all */
	bool		 json;
};

static int
parse_selection(int argc, char **argv, struct selection *s)
{
	*s = (struct selection){ .key = NULL };
	for (int i = 0; i < argc; i++) {
		const char *key = "id", *value = argv[i];

		if (strcmp(argv[i], "--json") == 0) {
			s->json = true;
			continue;
		}
		if (strcmp(argv[i], "--all") == 0) {
			s->all = true;
			continue;
		}
		if (argv[i][0] == '-') {
			if (strcmp(argv[i], "--domain") != 0 &&
			    strcmp(argv[i], "--sender") != 0)
				return cli_usage("queue: %s is not known; "
				    "allowed: --domain D, --sender S, --all, "
				    "--json", argv[i]);
			key = argv[i] + 2;
			value = i + 1 < argc ? argv[++i] : NULL;
			if (value == NULL)
				return cli_usage("queue: --%s needs a value", key);
		}
		if (s->key != NULL)
			return cli_usage("queue: one selection at a time, not "
			    "%s and %s", s->value, value);
		s->key = key;
		s->value = value;
	}
	return CLI_OK;
}

static int
call(const struct conf *conf, json_t *request,
    void (*line)(void *, const json_t *), void *arg)
{
	struct fault f = { 0 };
	int rc = control_call(conf, "queue", request, line, arg, &f);

	if (rc != 0)
		fprintf(stderr, "sealane: queue: %s\n", f.text);
	return rc;
}

/* ---- list ---- */

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s == NULL ? "" : s;
}

/* The message objects of all answer lines, in one array. */
static void
collect(void *arg, const json_t *line)
{
	json_t *m = json_object_get(line, "message");

	if (json_is_object(m))
		json_array_append(arg, m);
}

static void
age_of(const json_t *m, char out[CLI_TEXT])
{
	uint64_t now = clock_wall_ms();
	uint64_t then = clock_parse(text_of(m, "arrived"), now);

	cli_age(then == 0 || then > now ? 0 : now - then, out);
}

static void
list_row(struct cli_table *t, const json_t *m)
{
	const json_t *rcpts = json_object_get(m, "recipients"), *r;
	char size[CLI_TEXT], age[CLI_TEXT];
	const char *id = text_of(m, "id");
	size_t i;

	age_of(m, age);
	cli_size((uint64_t)json_integer_value(json_object_get(m, "size")), size);
	json_array_foreach(rcpts, i, r) {
		const char *state = text_of(r, "state");

		if (strcmp(state, "delivered") == 0)
			continue;
		cli_table_cell(t, "%s", id);
		cli_table_cell(t, "%s", i == 0 ? age : "");
		cli_table_cell(t, "%s", i == 0 ? size : "");
		cli_table_cell(t, "<%s>", text_of(m, "sender"));
		cli_table_cell(t, "%s", text_of(r, "address"));
		cli_table_cell(t, "%s", state);
		cli_table_cell(t, "%s", text_of(r, "reply"));
	}
}

static int
list(const struct conf *conf, const struct selection *s)
{
	json_t *messages = json_array(), *m;
	struct cli_table *t;
	size_t i;
	int rc;

	if (s->key != NULL || s->all) {
		json_decref(messages);
		return cli_usage("queue list takes no selection; see queue show");
	}
	rc = call(conf, json_pack("{s:s}", "cmd", "list"), collect, messages);
	if (rc != 0) {
		json_decref(messages);
		return rc;
	}
	if (s->json)
		return cli_json(json_pack("{s:o}", "messages", messages));
	if (json_array_size(messages) == 0) {
		json_decref(messages);
		puts("The queue is empty.");
		return CLI_OK;
	}
	t = cli_table_new("id|>age|>size|from|to|state|last reply");
	json_array_foreach(messages, i, m)
		list_row(t, m);
	rc = cli_table_print(t, stdout);
	printf("%zu message%s.\n", i, i == 1 ? "" : "s");
	cli_table_free(&t);
	json_decref(messages);
	return rc;
}

/* ---- show ---- */

static void
print_value(const char *key, const json_t *v)
{
	if (json_is_string(v))
		printf("%-13s %s\n", key, json_string_value(v));
	else if (json_is_integer(v))
		printf("%-13s %lld\n", key, (long long)json_integer_value(v));
	else if (json_is_boolean(v))
		printf("%-13s %s\n", key, json_is_true(v) ? "yes" : "no");
}

static int
show_text(json_t *m)
{
	const json_t *v, *rcpts = json_object_get(m, "recipients"), *r;
	const char *key;
	size_t i;

	json_object_foreach(m, key, v)
		print_value(key, v);
	json_array_foreach(rcpts, i, r) {
		putchar('\n');
		json_object_foreach((json_t *)(uintptr_t)r, key, v)
			print_value(key, v);
	}
	return CLI_OK;
}

static int
show(const struct conf *conf, const struct selection *s)
{
	json_t *messages, *m;
	int rc;

	if (s->key == NULL || strcmp(s->key, "id") != 0)
		return cli_usage("usage: sealane queue show ID [--json]");
	messages = json_array();
	rc = call(conf, json_pack("{s:s,s:s}", "cmd", "show", "id", s->value),
	    collect, messages);
	m = json_incref(json_array_get(messages, 0));
	json_decref(messages);
	if (rc == 0 && m == NULL)
		rc = cli_fail("queue: no message has the id %s", s->value);
	if (rc == 0 && s->json)
		return cli_json(m);
	if (rc == 0)
		rc = show_text(m);
	json_decref(m);
	return rc;
}

/* ---- flush, drop ---- */

static void
take_count(void *arg, const json_t *line)
{
	const json_t *n = json_object_get(line, "count");

	if (json_is_integer(n))
		*(long long *)arg = json_integer_value(n);
}

static int
act(const struct conf *conf, const struct selection *s, const char *cmd,
    const char *done)
{
	json_t *request = json_pack("{s:s}", "cmd", cmd);
	long long n = 0;
	int rc;

	if (s->key != NULL)
		json_object_set_new(request, s->key, json_string(s->value));
	else if (s->all)
		json_object_set_new(request, "all", json_true());
	rc = call(conf, request, take_count, &n);
	if (rc != 0)
		return rc;
	if (s->json)
		return cli_json(json_pack("{s:I}", "count", (json_int_t)n));
	printf("%lld message%s %s.\n", n, n == 1 ? "" : "s", done);
	return CLI_OK;
}

static int
flush(const struct conf *conf, const struct selection *s)
{
	return act(conf, s, "flush", "made due now");
}

static int
drop(const struct conf *conf, const struct selection *s)
{
	if (s->key == NULL && !s->all)
		return cli_usage("queue drop needs ID, --domain D, --sender S or "
		    "--all: what is dropped is gone, without a bounce");
	return act(conf, s, "drop", "dropped");
}

int
cli_queue(const struct conf *conf, int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct conf *, const struct selection *);
	} subs[] = {
		{ "list", list }, { "show", show }, { "flush", flush },
		{ "drop", drop },
	};
	struct selection s;

	if (argc < 2)
		return cli_usage("usage: sealane queue list|show|flush|drop");
	for (size_t i = 0; i < sizeof subs / sizeof subs[0]; i++) {
		int rc;

		if (strcmp(argv[1], subs[i].name) != 0)
			continue;
		rc = parse_selection(argc - 2, argv + 2, &s);
		return rc != CLI_OK ? rc : subs[i].run(conf, &s);
	}
	return cli_usage("queue: %s is not known; allowed: list, show, flush, "
	    "drop", argv[1]);
}
