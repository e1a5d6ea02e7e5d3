/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/schema.c - the schema table as mdoc, for sealane.conf(5).
 *
 * The page in docs/man holds this output between two marks; a test compares
 * them, so that page and program cannot drift apart. */
#include <string.h>

#include "base/conf_schema.h"
#include "cli/cli.h"

/* Text for roff: a line must not begin with a control character, sentences
 * begin new lines, backslashes are escaped. */
static void
put_text(const char *text, FILE *f)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\\')
			fputs("\\e", f);
		else if (*p == ' ' && p > text && p[1] >= 'A' && p[1] <= 'Z' &&
		    p[-1] == '.')
			fputc('\n', f);
		else
			fputc(*p, f);
	}
	fputc('\n', f);
}

static void
put_default(const struct conf_row *r, FILE *f)
{
	if (r->deflt != NULL)
		fprintf(f, "The default is\n.Li %s .\n", strcmp(r->deflt,
		    "\"\"") == 0 ? "\\(dq\\(dq" : r->deflt);
	else if (r->deflt_text != NULL)
		fprintf(f, "Default: %s.\n", r->deflt_text);
	else if (r->required != NULL)
		fputs("It must be written.\n", f);
}

static void
put_item(const struct conf_row *r, FILE *f)
{
	static const char *const forms[CONF_TYPES] = {
		[CONF_BLOCK] = " Brq ...",
		[CONF_LABELLED] = " Qo Ar name Qc Brq ...",
		[CONF_DOMAINS] = " Qo Ar domain Qc Brq ...",
	};
	char allowed[256];

	fprintf(f, ".It Ic %s%s\n", r->key,
	    forms[r->type] != NULL ? forms[r->type] : "");
	put_text(r->help, f);
	if (r->type != CONF_BLOCK && r->type != CONF_LABELLED) {
		conf_row_allowed(r, allowed, sizeof allowed);
		fputs("Allowed: ", f);
		fputs(allowed, f);
		fputs(".\n", f);
	}
	put_default(r, f);
}

static void
put_block(const char *block, FILE *f)
{
	if (block[0] == '\0')
		fputs(".Ss Outside of blocks\n", f);
	else
		fprintf(f, ".Ss In %s\n", block);
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
		    r->type != CONF_DOMAINS)
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
