/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_note.c - complaints about a configuration, and the memory that
 * they and the configuration itself live in. */
#include "base/conf_impl.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#define CHUNK	4096

struct chunk {
	struct chunk	*next;
	size_t		 used, size;
	max_align_t	 mem[];
};

struct mark {
	struct mark		*next;
	const struct conf_row	*row;
	const char		*label;
	struct conf_place	 place;
};

struct adopted {
	struct adopted	*next;
	void		*mem;
	size_t		 mapped;	/* bytes; 0: from malloc */
};

struct conf_arena {
	unsigned	 holders;	/* beside the first */
	struct chunk	*chunks;
	struct adopted	*adopted;
	struct mark	*marks;
};

/* ---- memory ---- */

struct conf_arena *
conf_arena_new(void)
{
	return calloc(1, sizeof(struct conf_arena));
}

void *
conf_arena_get(struct conf_arena *a, size_t n)
{
	struct chunk *c = a->chunks;
	void *p;

	assert(n < SIZE_MAX / 2);
	n = (n + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (c == NULL || c->size - c->used < n) {
		size_t size = n > CHUNK / 4 ? n : CHUNK;

		c = calloc(1, sizeof *c + size);
		if (c == NULL)
			return NULL;
		c->size = size;
		if (a->chunks != NULL && n > CHUNK / 4) {
			/* Its own chunk: keep filling the one in front. */
			c->next = a->chunks->next;
			a->chunks->next = c;
		} else {
			c->next = a->chunks;
			a->chunks = c;
		}
	}
	p = (char *)c->mem + c->used;
	c->used += n;
	return p;
}

char *
conf_arena_str(struct conf_arena *a, struct span s)
{
	char *p = conf_arena_get(a, s.n + 1);

	if (p != NULL && s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

int
conf_arena_adopt(struct conf_arena *a, void *mem, size_t mapped)
{
	struct adopted *x = conf_arena_get(a, sizeof *x);

	if (x == NULL)
		return -1;
	*x = (struct adopted){ a->adopted, mem, mapped };
	a->adopted = x;
	return 0;
}

void
conf_arena_hold(struct conf_arena *a)
{
	a->holders++;
}

void
conf_arena_free(struct conf_arena **a)
{
	struct chunk *next;

	if (*a == NULL)
		return;
	if ((*a)->holders > 0) {
		(*a)->holders--;
		*a = NULL;
		return;
	}
	for (struct adopted *x = (*a)->adopted; x != NULL; x = x->next)
		if (x->mapped > 0)
			munmap(x->mem, x->mapped);
		else
			free(x->mem);
	for (struct chunk *c = (*a)->chunks; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	free(*a);
	*a = NULL;
}

int
conf_arena_mark(struct conf_arena *a, const struct conf_row *row,
    const char *label, struct conf_place place)
{
	struct mark *m = conf_arena_get(a, sizeof *m);

	if (m == NULL)
		return -1;
	*m = (struct mark){ a->marks, row, label, place };
	a->marks = m;
	return 0;
}

bool
conf_where(const struct conf *c, const char *block, const char *key,
    const char *label, struct conf_place *place)
{
	const struct conf_row *row = conf_row_find(block, key);

	assert(row != NULL);
	*place = (struct conf_place){ c->file, 1, 1 };
	for (const struct mark *m = c->arena->marks; m != NULL; m = m->next)
		if (m->row == row && (label == NULL ||
		    strcmp(m->label, label) == 0)) {
			*place = m->place;
			return true;
		}
	return false;
}

/* ---- notes ---- */

static struct conf_note *
note_room(struct conf_notes *notes)
{
	size_t cap = notes->n < 8 ? 8 : notes->n;
	struct conf_note *v;

	/* Grown to 8, then doubled whenever the number is a power of two. */
	if (notes->v != NULL && (notes->n < 8 || (cap & (cap - 1)) != 0))
		return &notes->v[notes->n];
	cap = notes->v == NULL ? 8 : cap * 2;
	v = realloc(notes->v, cap * sizeof *v);
	if (v == NULL)
		return NULL;
	notes->v = v;
	return &v[notes->n];
}

static void
note_add(struct conf_notes *notes, struct conf_place at, bool warning,
    const char *fmt, va_list ap)
{
	struct conf_note *n;
	const char *file;

	if (!warning)
		notes->nerrors++;
	if (notes->n >= 2 * CONF_NOTES_MAX)
		return;
	if (notes->arena == NULL)
		notes->arena = conf_arena_new();
	if (notes->arena == NULL || (n = note_room(notes)) == NULL)
		return;		/* the error still counts */
	/* Most notes are about the same file as the one before. */
	if (notes->n > 0 && strcmp(notes->v[notes->n - 1].file, at.file) == 0)
		file = notes->v[notes->n - 1].file;
	else
		file = conf_arena_str(notes->arena, span_str(at.file));
	if (file == NULL)
		return;
	*n = (struct conf_note){ .file = file, .line = at.line,
	    .column = at.column, .warning = warning };
	vsnprintf(n->text, sizeof n->text, fmt, ap);
	notes->n++;
}

void
conf_error(struct conf_notes *notes, struct conf_place at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note_add(notes, at, false, fmt, ap);
	va_end(ap);
}

void
conf_warn(struct conf_notes *notes, struct conf_place at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note_add(notes, at, true, fmt, ap);
	va_end(ap);
}

void
conf_notes_print(const struct conf_notes *notes, FILE *f)
{
	size_t errors = 0;

	for (size_t i = 0; i < notes->n; i++) {
		const struct conf_note *n = &notes->v[i];

		fprintf(f, "%s:%u:%u: %s: %s\n", n->file, n->line, n->column,
		    n->warning ? "warning" : "error", n->text);
		errors += !n->warning;
	}
	if (errors < notes->nerrors)
		fprintf(f, "error: %zu more errors are not shown\n",
		    notes->nerrors - errors);
}

void
conf_notes_free(struct conf_notes *notes)
{
	free(notes->v);
	conf_arena_free(&notes->arena);
	*notes = (struct conf_notes){ 0 };
}

const char *
conf_show(struct span s, char out[CONF_SHOW_SIZE])
{
	size_t at = 0, i = 0;

	while (i < s.n && at + 8 < CONF_SHOW_SIZE) {
		unsigned char c = (unsigned char)s.p[i++];

		if (c < 0x20 || c == 0x7f)
			at += (size_t)snprintf(out + at, CONF_SHOW_SIZE - at,
			    "\\x%02x", c);
		else
			out[at++] = (char)c;
	}
	/* Never end inside of a UTF-8 character. */
	while (i < s.n && at > 0 && ((unsigned char)s.p[i] & 0xc0) == 0x80) {
		i--;
		at--;
	}
	snprintf(out + at, CONF_SHOW_SIZE - at, "%s", i < s.n ? "..." : "");
	return out;
}
