/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_table.c - see conf_table.h. */
#include "base/conf_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf_impl.h"
#include "base/utf8.h"

/* ---- one entry ---- */

static bool
local_ok(struct span s)
{
	bool quoted = s.n > 1 && s.p[0] == '"' && s.p[s.n - 1] == '"';

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f || (c == ' ' && !quoted) ||
		    (c == '@' && !quoted))
			return false;
	}
	return utf8_valid(s);
}

/* Where the domain begins: behind the last @, or at the end. */
static size_t
domain_at(struct span s)
{
	for (size_t i = s.n; i > 0; i--)
		if (s.p[i - 1] == '@')
			return i;
	return s.n;
}

static void
put_lower(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_char(out, ascii_lower(s.p[i]));
}

/* One spelling of it and a \n.  False: it is no entry. */
static bool
put_entry(struct buf *out, struct span s)
{
	size_t at = domain_at(s);
	struct span local = span_head(s, at < s.n ? at - 1 : at);
	char domain[256];
	size_t n = 0;

	if (s.n == 0 || s.n > CONF_TABLE_ENTRY_MAX || !local_ok(local) ||
	    (at == s.n && s.p[s.n - 1] == '@'))
		return false;
	if (at < s.n &&
	    (n = conf_domain(span_skip(s, at), false, domain)) == 0)
		return false;
	put_lower(out, local);
	if (n > 0) {
		buf_char(out, '@');
		buf_add(out, domain, n);
	}
	buf_char(out, '\n');
	return true;
}

/* What stands before a comment, without blanks around it. */
static struct span
entry_of(struct span line)
{
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] == '#' &&
		    (i == 0 || line.p[i - 1] == ' ' || line.p[i - 1] == '\t'))
			line.n = i;
	return span_trim(line);
}

static int
put_entries(struct span text, const char *path, struct conf_notes *notes,
    struct buf *out)
{
	char shown[CONF_SHOW_SIZE];
	size_t before = notes->nerrors;
	unsigned line = 0;

	while (text.n > 0) {
		struct span e = entry_of(span_cut(&text, '\n'));

		line++;
		if (e.n > 0 && !put_entry(out, e))
			conf_error(notes, (struct conf_place){ path, line, 1 },
			    "\"%s\" is no recipient; allowed: a local part, "
			    "local@domain, @domain or local+*",
			    conf_show(e, shown));
		if (notes->nerrors - before >= CONF_NOTES_MAX)
			break;
	}
	return notes->nerrors > before ? -1 : 0;
}

/* ---- sorting ---- */

static int
entry_compare(const void *a, const void *b)
{
	return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

static int
put_sorted(struct span text, struct buf *out)
{
	struct span rest = text, last = SPAN_NONE, *v;
	size_t n = 0, i;

	while (rest.n > 0) {
		(void)span_cut(&rest, '\n');
		n++;
	}
	if (n == 0)
		return 0;
	v = malloc(n * sizeof *v);
	if (v == NULL)
		return -1;
	for (i = 0; i < n; i++)
		v[i] = span_cut(&text, '\n');
	qsort(v, n, sizeof *v, entry_compare);
	for (i = 0; i < n; i++) {
		if (span_eq(v[i], last))
			continue;
		last = v[i];
		buf_span(out, last);
		buf_char(out, '\n');
	}
	free(v);
	return out->failed ? -1 : 0;
}

/* ---- the file ---- */

static int
open_list(const char *path, struct conf_place from, struct conf_notes *notes)
{
	/* O_NONBLOCK: a fifo put here must not stop us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1) {
		conf_error(notes, from, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		conf_error(notes, from, "%s is not a regular file", path);
	} else if (st.st_mode & S_IWOTH) {
		conf_error(notes, from, "everybody may write %s (mode %04o); "
		    "run: chmod o-w %s", path, (unsigned)st.st_mode & 07777,
		    path);
	} else if (st.st_size > CONF_TABLE_MAX) {
		conf_error(notes, from, "%s is larger than %u bytes", path,
		    CONF_TABLE_MAX);
	} else {
		return fd;
	}
	if (fd != -1)
		close(fd);
	return -1;
}

int
conf_table_read(const char *path, struct conf_place from,
    struct conf_notes *notes, struct buf *out)
{
	int fd = open_list(path, from, notes), rc = -1;
	struct buf text, entries;

	if (fd == -1)
		return -1;
	buf_init(&text, CONF_TABLE_MAX + 16384);
	buf_init(&entries, 2 * CONF_TABLE_MAX);
	if (conf_slurp(fd, &text) == -1)
		conf_error(notes, from, "%s: %s", path, strerror(errno));
	else if (put_entries(buf_get(&text), path, notes, &entries) == 0) {
		rc = entries.failed ? -1 : put_sorted(buf_get(&entries), out);
		if (rc == -1)
			conf_error(notes, from, "%s: no memory, or more than "
			    "%u bytes in all lists", path, CONF_TABLES_BYTES);
	}
	close(fd);
	buf_free(&text);
	buf_free(&entries);
	return rc;
}

/* ---- look-up ---- */

/* Compare with the entry around byte `at`; *start, *end: its line. */
static int
compare_at(struct span table, size_t at, struct span key, size_t *start,
    size_t *end)
{
	const char *nl = memrchr(table.p, '\n', at);

	*start = nl == NULL ? 0 : (size_t)(nl - table.p) + 1;
	nl = memchr(table.p + at, '\n', table.n - at);
	*end = nl == NULL ? table.n : (size_t)(nl - table.p) + 1;
	return span_cmp(key, span_of(table.p + *start, *end - *start - 1));
}

static bool
listed(struct span table, struct span key)
{
	size_t low = 0, high = table.n, start, end;

	while (low < high) {
		int d = compare_at(table, low + (high - low) / 2, key, &start,
		    &end);

		if (d == 0)
			return true;
		if (d < 0)
			high = start;
		else
			low = end;
	}
	return false;
}

static bool
listed_both(struct span table, struct span local, struct span domain)
{
	char key[2 * CONF_TABLE_ENTRY_MAX];
	int n = snprintf(key, sizeof key, "%.*s@%.*s", SPAN_FMT(local),
	    SPAN_FMT(domain));

	return (local.n > 0 && listed(table, local)) ||
	    (n > 0 && (size_t)n < sizeof key &&
	    listed(table, span_of(key, (size_t)n)));
}

bool
conf_table_has(struct span table, struct span local, struct span domain)
{
	char name[CONF_TABLE_ENTRY_MAX + 2];
	size_t n = 0;

	if (local.n == 0 || local.n > CONF_TABLE_ENTRY_MAX)
		return false;
	for (; n < local.n; n++)
		name[n] = ascii_lower(local.p[n]);
	if (listed_both(table, span_of(name, n), domain) ||
	    listed_both(table, SPAN_NONE, domain))
		return true;
	for (size_t i = 1; i < n; i++)
		if (name[i] == '+') {
			name[i + 1] = '*';
			return listed_both(table, span_of(name, i + 2), domain);
		}
	return false;
}
