/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/queue_list.c - `sealane queue list` and `show`.  A queue may be larger
 * than our memory: what comes is printed as it comes. */
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "cli/queue_impl.h"

#define PAGE		1000	/* rows of a table; then a new one begins */
#define HEAD	"{\"messages\":[\n"
#define PIECE_MAX	(1024 * 1024)

static const char *
string_in(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s == NULL ? "" : s;
}

static json_int_t
number_in(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* ---- list ---- */

struct listing {
	bool			 json, any;
	int			 rc;
	struct cli_table	*table;
};

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
	(void)cli_size((uint64_t)number_in(m, "size"), size);
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

static void
end_page(struct listing *l)
{
	if (l->table == NULL)
		return;
	l->rc = cli_table_print(l->table, stdout);
	cli_table_free(&l->table);
}

static void
list_line(void *arg, const json_t *m)
{
	struct listing *l = arg;

	if (json_object_get(m, "id") == NULL || l->rc != CLI_OK)
		return;
	if (l->json) {
		fputs(l->any ? ",\n" : HEAD, stdout);
		if (json_dumpf(m, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) ==
		    -1)
			l->rc = CLI_BAD;
	} else {
		if (l->table == NULL)
			l->table = cli_table_new("ID|AGE|>SIZE|SENDER|STATE|"
			    "RECIPIENT|LAST ANSWER");
		list_rows(l->table, m);
		if (cli_table_rows(l->table) >= PAGE)
			end_page(l);
	}
	l->any = true;
}

int
queue_list(const struct conf *conf, struct queue_args *a)
{
	struct listing l = { .json = a->json, .rc = CLI_OK };
	int rc;

	/* Nothing stands on stdout when the relay is not running. */
	rc = queue_ask(conf, json_incref(a->request), list_line, &l);
	end_page(&l);
	if (rc != CLI_OK)
		return rc;
	if (l.json)
		printf("%s%s]}\n", l.any ? "" : HEAD, l.any ? "\n" : "");
	else if (!l.any)
		puts(a->selects ? "No message is like that." :
		    "The queue is empty.");
	if (fflush(stdout) == EOF || ferror(stdout))
		return cli_fail("cannot write to standard output");
	return l.rc;
}

/* ---- show ---- */

static int
print_message(const json_t *m)
{
	struct cli_table *t;
	const json_t *r;
	const char *next = string_in(m, "next_attempt");
	size_t i;
	int rc;

	printf("id       %s\nsender   <%s>\nsize     %lld\narrived  %s\n"
	    "state    %s\nnext     %s\n\n", string_in(m, "id"),
	    string_in(m, "sender"), (long long)number_in(m, "size"),
	    string_in(m, "arrived"), string_in(m, "state"),
	    *next == '\0' ? "-" : next);
	t = cli_table_new("RECIPIENT|STATE|>ATTEMPTS|SITE|ASKED|LAST ANSWER");
	json_array_foreach(json_object_get(m, "recipients"), i, r) {
		cli_table_cell(t, "%s", string_in(r, "address"));
		cli_table_cell(t, "%s", string_in(r, "state"));
		cli_table_cell(t, "%lld", (long long)number_in(r, "attempts"));
		cli_table_cell(t, "%s", string_in(r, "site"));
		cli_table_cell(t, "%s", string_in(r, "asked"));
		cli_table_cell(t, "%s", string_in(r, "reply"));
	}
	rc = cli_table_print(t, stdout);
	cli_table_free(&t);
	return rc;
}

static void
show_line(void *arg, const json_t *line)
{
	json_t **message = arg;

	if (json_object_get(line, "id") != NULL && *message == NULL)
		*message = json_incref((json_t *)(uintptr_t)line);
}

static void
body_line(void *arg, const json_t *line)
{
	const json_t *v = json_object_get(line, "body");
	struct buf piece;
	int *rc = arg;

	if (v == NULL || *rc != CLI_OK)
		return;
	buf_init(&piece, PIECE_MAX);
	if (base64_get(&piece, span_of(json_string_value(v),
	    json_string_length(v))) == -1)
		*rc = cli_fail("a piece of the body is no base64");
	else if (piece.len > 0 &&
	    fwrite(buf_get(&piece).p, 1, piece.len, stdout) != piece.len)
		*rc = cli_fail("cannot write to standard output");
	buf_free(&piece);
}

int
queue_bytes(const struct conf *conf, json_t *request)
{
	int printed = CLI_OK, rc;

	rc = queue_ask(conf, request, body_line, &printed);
	if (rc == CLI_OK && fflush(stdout) == EOF)
		rc = cli_fail("cannot write to standard output");
	return rc != CLI_OK ? rc : printed;
}

int
queue_show(const struct conf *conf, struct queue_args *a)
{
	json_t *m = NULL, *id = json_array_get(json_object_get(a->request,
	    "ids"), 0);
	int rc;

	(void)json_object_set(a->request, "id", id);
	if (a->body) {
		(void)json_object_set_new(a->request, "cmd",
		    json_string("body"));
		return queue_bytes(conf, json_incref(a->request));
	}
	rc = queue_ask(conf, json_incref(a->request), show_line, &m);
	if (rc != CLI_OK)
		return rc;
	if (m == NULL)
		return cli_fail("queue: the answer has no message");
	rc = a->json ? cli_json(json_incref(m)) : print_message(m);
	json_decref(m);
	return rc;
}
