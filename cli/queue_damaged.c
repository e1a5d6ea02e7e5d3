/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/queue_damaged.c - `sealane queue damaged`: what is bad in the spool's
 * files, its bytes, and away with it.  PLACE is FILE or FILE:OFFSET. */
#include <stdlib.h>
#include <string.h>

#include "cli/queue_impl.h"

struct found {
	json_t		*list;		/* array of places */
	const char	*name;		/* only of this file; NULL: all */
	json_int_t	 offset;	/* and only this place; -1: all */
};

static void
take_place(void *arg, const json_t *line)
{
	struct found *f = arg;
	const char *name = json_string_value(json_object_get(line, "name"));

	if (name == NULL || (f->name != NULL && strcmp(name, f->name) != 0) ||
	    (f->offset >= 0 && f->offset !=
	    json_integer_value(json_object_get(line, "offset"))))
		return;
	(void)json_array_append(f->list, (json_t *)(uintptr_t)line);
}

static int
print_list(const json_t *list)
{
	struct cli_table *t;
	const json_t *p;
	size_t i;
	int rc;

	if (json_array_size(list) == 0) {
		puts("No damaged file is kept.");
		return CLI_OK;
	}
	t = cli_table_new("FILE|>OFFSET|>BYTES|WHAT|SINCE");
	json_array_foreach(list, i, p) {
		cli_table_cell(t, "%s", json_string_value(
		    json_object_get(p, "name")));
		cli_table_cell(t, "%lld", (long long)json_integer_value(
		    json_object_get(p, "offset")));
		cli_table_cell(t, "%lld", (long long)json_integer_value(
		    json_object_get(p, "bytes")));
		cli_table_cell(t, "%s", json_string_value(
		    json_object_get(p, "what")));
		cli_table_cell(t, "%s", json_string_value(
		    json_object_get(p, "since")));
	}
	rc = cli_table_print(t, stdout);
	cli_table_free(&t);
	return rc;
}

static int
list(const struct conf *conf, struct queue_args *a, struct found *f)
{
	int rc = queue_ask(conf, json_incref(a->request), take_place, f);

	if (rc != CLI_OK)
		return rc;
	if (a->json)
		return cli_json(json_pack("{s:O}", "damaged", f->list));
	return print_list(f->list);
}

/* The bytes of a place go to standard output. */
static int
extract(const struct conf *conf, struct queue_args *a, struct found *f)
{
	const json_t *place;
	json_t *request;
	int rc = queue_ask(conf, json_incref(a->request), take_place, f);

	if (rc != CLI_OK)
		return rc;
	place = json_array_get(f->list, 0);
	if (place == NULL)
		return cli_fail("no such place; queue damaged lists them");
	request = json_pack("{s:s, s:s, s:I, s:I}", "cmd", "damaged-show",
	    "name", f->name, "offset", f->offset, "length",
	    json_integer_value(json_object_get(place, "bytes")));
	return queue_bytes(conf, request);
}

int
queue_damaged(const struct conf *conf, struct queue_args *a)
{
	struct found f = { .list = json_array(), .offset = -1 };
	const char *place = json_string_value(json_array_get(
	    json_object_get(a->request, "ids"), 0));
	char name[64] = "";
	int rc;

	if (place != NULL) {
		const char *colon = strchr(place, ':');
		size_t n = colon == NULL ? strlen(place) :
		    (size_t)(colon - place);

		(void)span_copy(span_of(place, n), name, sizeof name);
		f.name = name;
		if (colon != NULL)
			f.offset = strtoll(colon + 1, NULL, 10);
	}
	if (a->forget)
		rc = queue_ask(conf, json_pack("{s:s, s:s}", "cmd",
		    "damaged-forget", "name", name), NULL, NULL);
	else if (f.offset >= 0)
		rc = extract(conf, a, &f);
	else
		rc = list(conf, a, &f);
	json_decref(f.list);
	return rc;
}
