/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_read.c - the file, what it includes and the lists that it names,
 * read once and written as the bundle that base/conf_bundle.c describes. */
#include "base/conf_table.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <netdb.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf_impl.h"

#define PATH_BYTES	1024
#define HOSTS_MAX	10000	/* lines of /etc/hosts looked at */

struct reader {
	struct buf		*bundle;
	struct conf_notes	*notes;
	unsigned		 files;
	struct { dev_t dev; ino_t ino; } open[CONF_DEPTH_MAX];
	struct buf		 tables;	/* of the bundle, goes to its end */
	struct buf		 paths;		/* read so far, \n behind each */
	unsigned		 ntables;
};

/* One file being read. */
struct source {
	const char	*path;
	struct span	 text;
	unsigned	 instance, depth;
};

static int	read_file(struct reader *, const char *path,
		    struct conf_place from, unsigned depth);

/* ---- the machine ---- */

/* The kernel knows the short name as a rule; /etc/hosts the full one.  Only
 * files are asked: starting must not hang on a resolver. */
static void
machine_name(char out[256])
{
	struct hostent *h;
	char name[256];

	if (gethostname(name, sizeof name) == -1)
		name[0] = '\0';
	name[sizeof name - 1] = '\0';
	if (name[0] != '\0' && strchr(name, '.') == NULL) {
		sethostent(0);
		for (int n = 0; n < HOSTS_MAX &&
		    (h = gethostent()) != NULL; n++) {
			bool found = false;

			for (char **a = h->h_aliases; *a != NULL; a++)
				found |= strcasecmp(*a, name) == 0;
			if (found && strchr(h->h_name, '.') != NULL &&
			    conf_domain(span_str(h->h_name), false, out) > 0)
				goto out;
		}
		endhostent();
	}
	if (conf_domain(span_str(name), false, out) == 0)
		memcpy(out, "localhost", sizeof "localhost");
	return;
out:
	endhostent();
}

static unsigned
machine_cores(void)
{
	cpu_set_t set;
	int n;

	if (sched_getaffinity(0, sizeof set, &set) == -1)
		return 1;
	n = CPU_COUNT(&set);
	return n < 1 ? 1 : (unsigned)n;
}

static bool
path_ok(const char *path)
{
	for (const char *p = path; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20)
			return false;
	return strlen(path) < PATH_BYTES;
}

/* ---- writing parts ---- */

static int
put_part(struct reader *r, const struct source *src, struct span text,
    unsigned line, unsigned column)
{
	struct buf *b = r->bundle;

	buf_printf(b, "part %u %u %u %zu %s\n", src->instance, line, column,
	    text.n, src->path);
	buf_span(b, text);
	if (buf_char(b, '\n') == 0 && !b->failed)
		return 0;
	conf_error(r->notes, (struct conf_place){ src->path, line, column },
	    "the configuration is larger than %zu bytes, or there is no "
	    "memory for it", b->max);
	return -1;
}

/* ---- includes ---- */

/* The pattern as glob(3) wants it: relative to the including file's folder,
 * whose own name is taken literally. */
static int
glob_pattern(const char *from, struct span pattern, char out[2 * PATH_BYTES])
{
	const char *slash = strrchr(from, '/');
	size_t at = 0;

	if (pattern.p[0] != '/' && slash != NULL)
		for (const char *p = from; p <= slash; p++) {
			if (at + 3 > PATH_BYTES)
				return -1;
			if (strchr("*?[]\\", *p) != NULL)
				out[at++] = '\\';
			out[at++] = *p;
		}
	return span_copy(pattern, out + at, 2 * PATH_BYTES - at) ? 0 : -1;
}

static int
include(struct reader *r, const struct source *src, const struct conf_token *t)
{
	struct conf_place at = { src->path, t->line, t->column };
	char pattern[2 * PATH_BYTES], shown[CONF_SHOW_SIZE];
	glob_t found;
	int rc = 0, err;

	conf_show(t->text, shown);
	if (t->text.n == 0 || glob_pattern(src->path, t->text, pattern) == -1) {
		conf_error(r->notes, at, "include takes the name of a file "
		    "or a pattern such as \"conf.d/*.conf\"");
		return -1;
	}
	if (src->depth + 1 >= CONF_DEPTH_MAX) {
		conf_error(r->notes, at, "includes are nested deeper than %d",
		    CONF_DEPTH_MAX);
		return -1;
	}
	err = glob(pattern, 0, NULL, &found);
	if (err == GLOB_NOMATCH && strpbrk(shown, "*?[") != NULL)
		return 0;		/* an empty conf.d is fine */
	if (err != 0) {
		conf_error(r->notes, at, err == GLOB_NOMATCH ?
		    "include \"%s\": no such file" :
		    "include \"%s\": cannot be searched for", shown);
		return -1;
	}
	for (size_t i = 0; i < found.gl_pathc && !r->bundle->failed; i++)
		if (read_file(r, found.gl_pathv[i], at, src->depth + 1) == -1)
			rc = -1;
	globfree(&found);
	return rc;
}

/* ---- lists of recipients ---- */

static bool
table_known(const struct reader *r, struct span path)
{
	struct span rest = buf_get(&r->paths);

	while (rest.n > 0)
		if (span_eq(span_cut(&rest, '\n'), path))
			return true;
	return false;
}

static int
add_table(struct reader *r, const char *path, struct conf_place at)
{
	struct buf entries;
	int rc = -1;

	buf_init(&entries, CONF_TABLES_BYTES);
	if (r->ntables++ == CONF_TABLES_MAX) {
		conf_error(r->notes, at, "more than %d lists of recipients",
		    CONF_TABLES_MAX);
	} else if (conf_table_read(path, at, r->notes, &entries) == 0) {
		buf_printf(&r->tables, "table %zu %s\n", entries.len, path);
		buf_span(&r->tables, buf_get(&entries));
		rc = buf_char(&r->tables, '\n');
		if (rc == -1)
			conf_error(r->notes, at, "all lists of recipients "
			    "together are larger than %u bytes",
			    CONF_TABLES_BYTES);
	}
	buf_free(&entries);
	return rc;
}

/* `recipients = "file:PATH"`: *t is the word.  A path that the parser will
 * complain about is left to it. */
static int
table(struct reader *r, const struct source *src, struct conf_lexer *x,
    struct conf_token *t)
{
	char path[PATH_BYTES];
	struct conf_place at;

	conf_lex_next(x, t);
	if (t->kind != CONF_TOK_EQUALS)
		return 0;
	conf_lex_next(x, t);
	if (t->kind != CONF_TOK_STRING ||
	    !span_istarts(t->text, SPAN_LIT("file:/")) ||
	    !span_copy(span_skip(t->text, 5), path, sizeof path) ||
	    !path_ok(path) || table_known(r, span_str(path)))
		return 0;
	at = (struct conf_place){ src->path, t->line, t->column };
	buf_printf(&r->paths, "%s\n", path);
	return add_table(r, path, at);
}

/* ---- statements ---- */

/* Nothing else may stand on the line of an include. */
static int
check_end(struct reader *r, const struct source *src,
    const struct conf_lexer *after)
{
	struct conf_lexer x = *after;
	struct conf_token t;

	conf_lex_next(&x, &t);
	if (t.kind == CONF_TOK_END || t.kind == CONF_TOK_CLOSE ||
	    t.kind == CONF_TOK_EOF)
		return 0;
	conf_error(r->notes, (struct conf_place){ src->path, t.line, t.column },
	    "an include ends at the end of its line or at `;`");
	return -1;
}

/* Find the include statements and write what is between them; read the lists
 * that are named on the way. */
static int
put_source(struct reader *r, const struct source *src)
{
	bool start = true, in_list = false;
	unsigned line = 1, column = 1;
	size_t from = 0;
	struct conf_lexer *x = malloc(sizeof *x);
	struct conf_token t;
	int rc = 0;

	if (x == NULL)
		return -1;
	conf_lex_start(x, src->text, 1, 1);
	do {
		size_t word_at;

		conf_lex_next(x, &t);
		word_at = t.start;
		if (start && t.kind == CONF_TOK_WORD &&
		    span_eq(t.text, SPAN_LIT("include"))) {
			conf_lex_next(x, &t);
			if (t.kind == CONF_TOK_STRING) {
				if (put_part(r, src, span_of(src->text.p + from,
				    word_at - from), line, column) == -1 ||
				    include(r, src, &t) == -1 ||
				    check_end(r, src, x) == -1)
					rc = -1;
				from = t.end;
				line = x->line;
				column = x->column;
			}
		}
		if (start && t.kind == CONF_TOK_WORD &&
		    span_eq(t.text, SPAN_LIT("recipients")) &&
		    table(r, src, x, &t) == -1)
			rc = -1;
		in_list = t.kind == CONF_TOK_LIST ||
		    (in_list && t.kind != CONF_TOK_LIST_END);
		start = !in_list && (t.kind == CONF_TOK_END ||
		    t.kind == CONF_TOK_OPEN || t.kind == CONF_TOK_CLOSE);
	} while (t.kind != CONF_TOK_EOF && !r->bundle->failed);
	if (put_part(r, src, span_skip(src->text, from), line, column) == -1)
		rc = -1;
	free(x);
	return rc;
}

/* ---- files ---- */

static int
check_file(struct reader *r, const char *path, struct conf_place from, int fd,
    unsigned depth)
{
	struct conf_place start = { path, 1, 1 };
	struct stat st;

	if (fstat(fd, &st) == -1) {
		conf_error(r->notes, from, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		conf_error(r->notes, from, "%s is not a regular file", path);
		return -1;
	}
	for (unsigned i = 0; i < depth; i++)
		if (r->open[i].dev == st.st_dev &&
		    r->open[i].ino == st.st_ino) {
			conf_error(r->notes, from, "%s includes itself", path);
			return -1;
		}
	r->open[depth].dev = st.st_dev;
	r->open[depth].ino = st.st_ino;
	if (st.st_size > CONF_FILE_MAX) {
		conf_error(r->notes, start, "the file is larger than %u bytes",
		    CONF_FILE_MAX);
		return -1;
	}
	/* Whoever writes this file commands a process that starts as root. */
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		conf_error(r->notes, start, "group or others may write this "
		    "file (mode %04o); run: chmod go-w %s",
		    (unsigned)st.st_mode & 07777, path);
		return 1;		/* its own errors are still of use */
	}
	return 0;
}

int
conf_slurp(int fd, struct buf *b)
{
	for (;;) {
		char *at = buf_room(b, 16384);
		ssize_t n;

		if (at == NULL) {
			errno = EFBIG;
			return -1;
		}
		n = read(fd, at, 16384);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		buf_grown(b, (size_t)n);
	}
}

static int
read_file(struct reader *r, const char *path, struct conf_place from,
    unsigned depth)
{
	struct source src = { .path = path, .depth = depth };
	int fd, rc = -1, safe = 0;
	struct buf text;

	buf_init(&text, CONF_FILE_MAX + 16384);
	if (!path_ok(path)) {
		conf_error(r->notes, from, "the name of the file is too long "
		    "or has control bytes");
		return -1;
	}
	if (r->files == CONF_FILES_MAX) {
		conf_error(r->notes, from, "more than %d files",
		    CONF_FILES_MAX);
		return -1;
	}
	src.instance = r->files++;
	/* O_NONBLOCK: a fifo put here must not stop us. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1) {
		conf_error(r->notes, from, "%s: %s", path, strerror(errno));
		return -1;
	}
	if ((safe = check_file(r, path, from, fd, depth)) == -1)
		goto done;
	if (conf_slurp(fd, &text) == -1) {
		conf_error(r->notes, from, "%s: %s", path, strerror(errno));
		goto done;
	}
	src.text = buf_get(&text);
	rc = put_source(r, &src);
done:
	close(fd);
	buf_free(&text);
	return safe == 0 ? rc : -1;
}

int
conf_read(const char *path, const char *aside, struct buf *bundle,
    struct conf_notes *notes)
{
	struct reader r = { .bundle = bundle, .notes = notes };
	char name[256];
	int rc = 0;

	buf_init(&r.tables, CONF_TABLES_BYTES);
	buf_init(&r.paths, CONF_TABLES_MAX * (PATH_BYTES + 1));
	machine_name(name);
	buf_str(bundle, CONF_BUNDLE_MAGIC);
	buf_printf(bundle, "machine %s %u\n", name, machine_cores());
	if (aside != NULL)
		buf_printf(bundle, "aside %s\n", aside);
	if (path != NULL)
		rc = read_file(&r, path, (struct conf_place){ path, 1, 1 }, 0);
	/* The bound of the text is not that of the lists. */
	bundle->max += r.tables.len;
	if (rc == 0)
		rc = buf_span(bundle, buf_get(&r.tables));
	if (rc == -1 && notes->nerrors == 0)
		conf_error(notes, (struct conf_place){ path == NULL ? "" : path,
		    1, 1 }, "no memory");
	buf_free(&r.tables);
	buf_free(&r.paths);
	return rc;
}
