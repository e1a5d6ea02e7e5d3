/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/words.c - see words.h. */
#include "queue/words.h"

#include <assert.h>
#include <stdlib.h>

#include "queue/table.h"

struct words {
	struct table_link	 link;
	uint32_t		 refs, n;
	char			 text[];
};

static struct table all;	/* of the process: there is one queue in it */

static struct words *
find(struct span s, uint64_t hash)
{
	struct table_link *l = table_find(&all, hash);

	for (; l != NULL; l = table_next(l)) {
		struct words *w = TABLE_ENTRY(l, struct words, link);

		if (span_eq(span_of(w->text, w->n), s))
			return w;
	}
	return NULL;
}

const struct words *
words_get(struct span s)
{
	uint64_t hash = table_hash(s);
	struct words *w = find(s, hash);

	if (w == NULL) {
		w = malloc(sizeof(*w) + s.n);
		if (w == NULL || table_add(&all, &w->link, hash) == -1) {
			free(w);
			return NULL;
		}
		w->refs = 0;
		w->n = (uint32_t)s.n;
		memcpy(w->text, s.p, s.n);
	}
	w->refs++;
	return w;
}

void
words_put(const struct words *kept)
{
	struct words *w = (struct words *)(uintptr_t)kept;

	if (w == NULL)
		return;
	assert(w->refs > 0);
	if (--w->refs > 0)
		return;
	table_remove(&all, &w->link);
	free(w);
	if (all.n == 0)
		table_free(&all);
}

struct span
words_text(const struct words *w)
{
	return w == NULL ? SPAN_NONE : span_of(w->text, w->n);
}

size_t
words_kept(void)
{
	return all.n;
}
