/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/pick.c - the messages that a request means, one after the other: those
 * of its "ids", or all that are there when it comes. */
#include "queue/queue_priv.h"

static bool
ids_good(const json_t *ids)
{
	const json_t *id;
	size_t i;

	if (ids != NULL && !json_is_array(ids))
		return false;
	json_array_foreach(ids, i, id)
		if (!json_is_string(id))
			return false;
	return true;
}

int
pick_begin(struct queue *q, struct pick *p, const json_t *request)
{
	p->request = json_deep_copy(request);
	p->missing = json_array();
	p->ids = json_object_get(p->request, "ids");
	p->id_at = 0;
	if (p->ids == NULL)
		index_cursor_start(&q->index, &p->cursor);
	return ids_good(p->ids) ? select_parse(&p->select, p->request) : -1;
}

bool
pick_next(struct queue *q, struct pick *p, struct message **m)
{
	const json_t *id;

	if (p->ids == NULL) {
		*m = index_cursor_next(&p->cursor);
		if (*m == NULL)
			return false;
	} else {
		id = json_array_get(p->ids, p->id_at++);
		if (id == NULL)
			return false;
		*m = index_find(&q->index, span_of(json_string_value(id),
		    json_string_length(id)));
		if (*m == NULL || (*m)->pending)
			(void)json_array_append(p->missing,
			    (json_t *)(uintptr_t)id);
	}
	if (*m != NULL && (*m)->pending)
		*m = NULL;
	return true;
}

void
pick_end(struct queue *q, struct pick *p)
{
	if (p->ids == NULL)
		index_cursor_end(&q->index, &p->cursor);
	json_decref(p->request);
	json_decref(p->missing);
}
