/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/table.c - aligned columns for people; scripts use --json. */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define COLUMNS_MAX	16
#define CELL_MAX	512

struct cli_table {
	size_t	  ncolumns, ncells, cap;
	bool	  right[COLUMNS_MAX], failed;
	size_t	  width[COLUMNS_MAX];
	char	**cells;		/* headings first */
};

/* Characters, not bytes; good enough for names in any script but the wide. */
static size_t
width_of(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Takes `text`. */
static void
add(struct cli_table *t, char *text)
{
	size_t column = t->ncells % t->ncolumns, w;
	size_t cap = t->cap == 0 ? 64 : t->cap * 2;
	char **v;

	if (text == NULL || t->failed) {
		t->failed = true;
		free(text);
		return;
	}
	if (t->ncells == t->cap) {
		v = realloc(t->cells, cap * sizeof *v);
		if (v == NULL) {
			t->failed = true;
			free(text);
			return;
		}
		t->cells = v;
		t->cap = cap;
	}
	/* A peer's words must not steer somebody's terminal. */
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	t->cells[t->ncells++] = text;
	w = width_of(text);
	if (w > t->width[column])
		t->width[column] = w;
}

struct cli_table *
cli_table_new(const char *columns)
{
	struct cli_table *t = calloc(1, sizeof *t);
	struct span rest = span_str(columns);

	if (t == NULL)
		return NULL;
	while (rest.n > 0) {
		struct span name = span_cut(&rest, '|');

		assert(t->ncolumns < COLUMNS_MAX);
		t->right[t->ncolumns++] = name.n > 0 && name.p[0] == '>';
	}
	rest = span_str(columns);
	while (rest.n > 0) {
		struct span name = span_cut(&rest, '|');

		if (name.n > 0 && name.p[0] == '>')
			name = span_skip(name, 1);
		add(t, strndup(name.p, name.n));
	}
	return t;
}

void
cli_table_cell(struct cli_table *t, const char *fmt, ...)
{
	char text[CELL_MAX];
	va_list ap;

	if (t == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	add(t, strdup(text));
}

size_t
cli_table_rows(const struct cli_table *t)
{
	return t == NULL ? 0 : t->ncells / t->ncolumns - 1;
}

int
cli_table_print(struct cli_table *t, FILE *f)
{
	if (t == NULL || t->failed)
		return cli_fail("no memory for the table");
	assert(t->ncells % t->ncolumns == 0);
	for (size_t i = 0; i < t->ncells; i++) {
		size_t column = i % t->ncolumns;
		bool last = column + 1 == t->ncolumns;
		size_t pad = t->width[column] - width_of(t->cells[i]);
		int before = t->right[column] ? (int)pad : 0;
		int after = t->right[column] || last ? 0 : (int)pad;

		fprintf(f, "%*s%s%*s%s", before, "", t->cells[i], after, "",
		    last ? "\n" : "  ");
	}
	return fflush(f) == EOF ? cli_fail("cannot write the table") : CLI_OK;
}

void
cli_table_free(struct cli_table **t)
{
	if (*t == NULL)
		return;
	for (size_t i = 0; i < (*t)->ncells; i++)
		free((*t)->cells[i]);
	free((*t)->cells);
	free(*t);
	*t = NULL;
}
