/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/json.c - the report as one JSON document: all keys always present,
 * sizes in bytes, times RFC 3339 in UTC, domains as A-labels. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "report/report.h"

/* The ledger keeps keys in ASCII; a file that somebody else has edited must
 * not spoil the document. */
static json_t *
key_json(const char *key)
{
	json_t *j = json_string(key);
	char *clean;
	size_t i;

	if (j != NULL || (clean = strdup(key)) == NULL)
		return j;
	for (i = 0; clean[i] != '\0'; i++)
		if (clean[i] < ' ' || clean[i] > '~')
			clean[i] = '?';
	j = json_string(clean);
	free(clean);
	return j;
}

static json_t *
coverage_json(const struct coverage *c)
{
	json_t *levels = json_object();
	unsigned level;

	for (level = LEVEL_CLEAR; level < LEVEL_COUNT; level++)
		if (json_object_set_new(levels, level_name((enum level)level),
		    json_integer((json_int_t)c->levels[level])) != 0) {
			json_decref(levels);
			return NULL;
		}
	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:I}",
	    "messages", (json_int_t)c->messages,
	    "recipients", (json_int_t)c->recipients,
	    "bytes", (json_int_t)c->bytes,
	    "sessions", (json_int_t)c->sessions,
	    "levels", levels,
	    "weak", (json_int_t)c->weak);
}

static json_t *
row_json(const struct report_row *row)
{
	json_t *j = json_object(), *sums = coverage_json(&row->coverage);

	/* "key" first, for people who read it. */
	if (json_object_set_new(j, "key", key_json(row->key)) != 0 ||
	    sums == NULL || json_object_update(j, sums) != 0) {
		json_decref(j);
		j = NULL;
	}
	json_decref(sums);
	return j;
}

static json_t *
time_json(uint64_t wall_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339(wall_ms, 0, text);
	return json_string(text);
}

json_t *
report_json(const struct report *r)
{
	json_t *rows = json_array();
	size_t i;

	for (i = 0; i < r->nrows; i++)
		if (json_array_append_new(rows, row_json(&r->rows[i])) != 0) {
			json_decref(rows);
			return NULL;
		}
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:I}",
	    "since", time_json(r->query.since),
	    "until", time_json(r->query.until),
	    "direction", report_direction_name(r->query.direction),
	    "total", coverage_json(&r->total),
	    "rows", rows,
	    "retried", (json_int_t)r->retried);
}
