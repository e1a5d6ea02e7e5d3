/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/schema.c - the schema table as mdoc, for sealane.conf(5).
 *
 * The page in docs/man holds this output between two marks; a test compares
 * them, so that page and program cannot drift apart. */
#include <string.h>

#include "base/conf_schema.h"
#include "base/span.h"
#include "cli/cli.h"

#define LINE	76

/* Text for roff: a new line for each sentence, none too long, none that
 * begins with a control character; backslashes escaped. */
static void
put_text(const char *text, FILE *f)
{
	struct span rest = span_str(text);
	size_t column = 0;
	bool sentence_end = false;

	while (rest.n > 0) {
		struct span word = span_cut(&rest, ' ');

		if (column > 0 && (sentence_end || column + word.n >= LINE)) {
			fputc('\n', f);
			column = 0;
		}
		if (column > 0)
			fputc(' ', f);
		else if (word.n > 0 && strchr(".'", word.p[0]) != NULL)
			fputs("\\&", f);
		for (size_t i = 0; i < word.n; i++)
			fputs(word.p[i] == '\\' ? "\\e" :
			    (char[]){ word.p[i], '\0' }, f);
		column += word.n + 1;
		sentence_end = word.n > 0 && word.p[word.n - 1] == '.';
	}
	fputc('\n', f);
}

static void
put_sentence(const char *start, const char *text, FILE *f)
{
	char line[512];

	snprintf(line, sizeof line, "%s%s.", start, text);
	put_text(line, f);
}

static void
put_item(const struct conf_row *r, FILE *f)
{
	static const char *const forms[CONF_TYPES] = {
		[CONF_BLOCK] = " Brq ...",
		[CONF_LABELLED] = " Qo Ar name Qc Brq ...",
		[CONF_DOMAINS] = " Qo Ar domain Qc Brq ...",
		[CONF_NETWORKS] = " Qo Ar network Qc Brq ...",
	};
	char allowed[256];

	fprintf(f, ".It Ic %s%s\n", r->key,
	    forms[r->type] != NULL ? forms[r->type] : "");
	put_text(r->help, f);
	if (forms[r->type] == NULL) {
		conf_row_allowed(r, allowed, sizeof allowed);
		put_sentence("Allowed: ", allowed, f);
	}
	if (r->deflt != NULL || r->deflt_text != NULL)
		put_sentence("Default: ", r->deflt != NULL ? r->deflt :
		    r->deflt_text, f);
	else if (r->required != NULL)
		put_text("It must be written.", f);
}

static void
put_block(const char *block, FILE *f)
{
	if (block[0] == '\0')
		fputs(".Ss Outside of blocks\n", f);
	else
		fprintf(f, ".Ss \\&In %s\n", block);
	fputs(".Bl -tag -width Ds\n", f);
	for (size_t i = 0; i < conf_nrows; i++)
		if (strcmp(conf_rows[i].block, block) == 0 &&
		    conf_rows[i].type != CONF_LATER)
			put_item(&conf_rows[i], f);
	fputs(".El\n", f);
}

void
cli_schema_mdoc(FILE *f)
{
	put_block("", f);
	for (size_t i = 0; i < conf_nrows; i++) {
		const struct conf_row *r = &conf_rows[i];
		char block[64];

		if (r->type != CONF_BLOCK && r->type != CONF_LABELLED &&
		    r->type != CONF_DOMAINS && r->type != CONF_NETWORKS)
			continue;
		snprintf(block, sizeof block, "%s%s%s", r->block,
		    r->block[0] == '\0' ? "" : ".", r->key);
		put_block(block, f);
	}
	fputs(".Ss Not in this version\n"
	    "These are part of the language and refused as such:\n"
	    ".Bl -bullet -compact\n", f);
	for (size_t i = 0; i < conf_nrows; i++) {
		const struct conf_row *r = &conf_rows[i];

		if (r->type == CONF_LATER)
			fprintf(f, ".It\n.Ic %s%s%s\n", r->block,
			    r->block[0] == '\0' ? "" : ".", r->key);
	}
	fputs(".El\n", f);
}
