/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/damaged.c - the operator looks at what damage left: which places of
 * which files are bad, their bytes, and away with them. */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/queue_priv.h"

#define FILES_MAX	256	/* of one listing */

struct damaged_walk {
	struct walk	 walk;
	char		 names[FILES_MAX][SPOOL_NAME];
	size_t		 n, at;
	struct control_client *client;
	uint64_t	 since;
	unsigned	 found;
};

static void
bad_place(void *arg, const char *what, uint32_t offset, uint32_t length)
{
	struct damaged_walk *w = arg;

	w->found++;
	control_answer(w->client, json_pack("{s:s, s:s, s:I, s:I, s:o}",
	    "name", w->names[w->at], "what", what,
	    "offset", (json_int_t)offset, "bytes", (json_int_t)length,
	    "since", show_time(w->since)));
}

/* A file at a time. */
static bool
list_turn(struct queue *q, struct control_client *c, struct walk *walk)
{
	struct damaged_walk *w = (struct damaged_walk *)(void *)walk;
	struct fault f = { 0 };
	struct span name;
	uint64_t size = 0;
	int fd;

	if (w->at == w->n) {
		control_done(c);
		return true;
	}
	name = span_str(w->names[w->at]);
	w->client = c;
	w->found = 0;
	fd = spool_damaged_open(q->spool, name, &size, &w->since, &f);
	if (fd != -1) {
		close(fd);
		if (spool_damaged_scan(q->spool, name, bad_place, w, &f) ==
		    -1 || w->found == 0)
			bad_place(w, "segment", 0, (uint32_t)size);
	}
	w->at++;
	return false;
}

static void
list_end(struct queue *q, struct walk *walk)
{
	(void)q;
	free(walk);
}

void
damaged_list(struct queue *q, struct control_client *c, const json_t *request)
{
	struct damaged_walk *w = calloc(1, sizeof(*w));

	(void)request;
	if (w == NULL) {
		control_error(c, 1, "no memory");
		return;
	}
	w->walk = (struct walk){ list_turn, list_end };
	w->n = spool_damaged_names(q->spool, w->names, FILES_MAX);
	listing_walk(c, &w->walk);
}

static struct span
name_of(const json_t *request)
{
	const json_t *v = json_object_get(request, "name");

	return json_is_string(v) ? span_of(json_string_value(v),
	    json_string_length(v)) : SPAN_NONE;
}

void
damaged_show(struct queue *q, struct control_client *c, const json_t *request)
{
	json_int_t offset = json_integer_value(json_object_get(request,
	    "offset")), length = json_integer_value(json_object_get(request,
	    "length"));
	struct fault f = { 0 };
	uint64_t size, since, from = offset < 0 ? 0 : (uint64_t)offset, to;
	int fd = spool_damaged_open(q->spool, name_of(request), &size, &since,
	    &f);

	if (fd == -1) {
		control_error(c, 1, "%s", f.text);
		return;
	}
	if (from > size)
		from = size;
	to = length <= 0 || (uint64_t)length > size - from ? size :
	    from + (uint64_t)length;
	show_file(c, fd, from, to);
}

void
damaged_forget(struct queue *q, struct control_client *c, const json_t *request)
{
	struct fault f = { 0 };

	if (spool_damaged_forget(q->spool, name_of(request), &f) == -1) {
		control_error(c, 1, "%s", f.text);
		return;
	}
	log_warn("damage-forgotten", KV_SPAN("name", name_of(request)));
	control_answer(c, json_pack("{s:i}", "count", 1));
	control_done(c);
}
