/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_bundle.c - the configuration as one run of bytes, from which every
 * role parses the same.
 *
 *	sealane-conf 1
 *	machine HOSTNAME CORES
 *	aside DIRECTORY
 *	part INSTANCE LINE COLUMN BYTES FILE
 *	<BYTES bytes of that file, from LINE and COLUMN on>
 *	part ...
 *	table BYTES FILE
 *	<BYTES bytes of a list of recipients, as base/conf_table.h has them>
 *	table ...
 *
 * An include statement is replaced by the parts of the files it names, so a
 * parser needs neither files nor recursion.  What depends on the machine (its
 * name, its cores) is in the bundle too: all roles see the same.  The line `aside` is
 * there for a start aside only (base/conf.h).  INSTANCE
 * numbers the readings of files; text after an include goes on with the
 * number it had before. */
#include "base/conf_impl.h"

/* The rest of the header line behind `word `, or false. */
static bool
header(struct span *rest, const char *word, struct span *line)
{
	size_t n = strlen(word);

	if (rest->n == 0 || memchr(rest->p, '\n', rest->n) == NULL)
		return false;
	*line = span_cut(rest, '\n');
	if (line->n <= n || memcmp(line->p, word, n) != 0 ||
	    line->p[n] != ' ')
		return false;
	*line = span_skip(*line, n + 1);
	return true;
}

static bool
number(struct span *line, size_t max, size_t *out)
{
	unsigned long long v;

	if (!span_u64(span_cut(line, ' '), max, &v))
		return false;
	*out = (size_t)v;
	return true;
}

int
conf_bundle_open(struct conf_bundle *b, struct span s)
{
	struct span line, magic = SPAN_LIT(CONF_BUNDLE_MAGIC);
	size_t cores;
	char name[256];

	*b = (struct conf_bundle){ .rest = span_skip(s, magic.n) };
	if (!span_eq(span_head(s, magic.n), magic) ||
	    !header(&b->rest, "machine", &line))
		return -1;
	b->hostname = span_cut(&line, ' ');
	if (conf_domain(b->hostname, false, name) == 0 ||
	    !number(&line, 100000, &cores) || line.n != 0)
		return -1;
	b->cores = (unsigned)cores;
	if (span_istarts(b->rest, SPAN_LIT("aside ")) &&
	    !header(&b->rest, "aside", &b->aside))
		return -1;
	return 0;
}

int
conf_bundle_next(struct conf_bundle *b, struct conf_part *p)
{
	size_t instance, row, column, n;
	struct span line;

	if (b->rest.n == 0 || span_istarts(b->rest, SPAN_LIT("table ")))
		return 0;
	if (!header(&b->rest, "part", &line) ||
	    !number(&line, CONF_FILES_MAX, &instance) ||
	    !number(&line, CONF_FILE_MAX, &row) ||
	    !number(&line, CONF_FILE_MAX, &column) ||
	    !number(&line, 2 * CONF_FILE_MAX, &n) || n + 1 > b->rest.n ||
	    b->rest.p[n] != '\n')
		return -1;
	*p = (struct conf_part){ .file = line, .text = span_head(b->rest, n),
	    .line = (unsigned)row, .column = (unsigned)column,
	    .instance = (unsigned)instance };
	b->rest = span_skip(b->rest, n + 1);
	return 1;
}

int
conf_bundle_table(struct conf_bundle *b, struct span *path, struct span *table)
{
	size_t n;

	if (b->rest.n == 0)
		return 0;
	if (!header(&b->rest, "table", path) ||
	    !number(path, CONF_TABLES_BYTES, &n) || n + 1 > b->rest.n ||
	    b->rest.p[n] != '\n')
		return -1;
	*table = span_head(b->rest, n);
	b->rest = span_skip(b->rest, n + 1);
	return 1;
}
