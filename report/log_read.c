/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_read.c - see log_read.h. */
#include "report/log_read.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "report/log_count.h"
#include "report/log_file.h"

#define FIRST_LINES	1000	/* looked at for the time that a file begins */
#define PROGRESS_LINES	65536	/* between two looks at the clock */
#define PROGRESS_MS	200

struct input {
	const char	*path;
	uint64_t	 first;		/* time of its first line */
	struct timespec	 written;	/* where seconds are the same */
};

struct opened {
	struct log_file	*file;
	int		 fd;
	uint64_t	 size;		/* 0: not known */
};

static ssize_t
read_fd(void *ctx, char *to, size_t n)
{
	return read(*(int *)ctx, to, n);
}

static bool
is_stdin(const char *path)
{
	return strcmp(path, "-") == 0;
}

static void
close_input(struct opened *o, const char *path)
{
	log_file_free(&o->file);
	if (!is_stdin(path))
		(void)close(o->fd);
}

/* A file ends when it was written last; a pipe, now. */
static int
open_input(const char *path, struct opened *o, struct fault *f)
{
	uint64_t latest = clock_wall_ms();
	struct stat st;

	*o = (struct opened){ .fd = STDIN_FILENO };
	if (!is_stdin(path))
		o->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (o->fd == -1)
		return fault_sys(f, "open");
	if (fstat(o->fd, &st) == 0 && S_ISREG(st.st_mode)) {
		latest = (uint64_t)st.st_mtim.tv_sec * 1000;
		o->size = (uint64_t)st.st_size;
	}
	o->file = log_file_new(read_fd, &o->fd, latest);
	if (o->file != NULL)
		return 0;
	close_input(o, path);
	return fault_set(f, FAULT_TEMP, 0, "", "no memory");
}

/* Says which file it was. */
static int
named(const char *path, int rc, struct fault *f)
{
	char why[sizeof f->text];

	if (rc != -1)
		return rc;
	(void)span_copy(span_str(f->text), why, sizeof why);
	return fault_set(f, FAULT_PERM, 0, "", "%s: %s", path, why);
}

/* ---- order ---- */

/* What cannot be looked at twice comes last: it is what is new. */
static int
look_at(struct input *in, struct fault *f)
{
	enum log_next next = LOG_NEXT_STRANGE;
	struct log_line line;
	struct opened o;
	struct stat st;
	int i;

	in->first = UINT64_MAX;
	if (is_stdin(in->path))
		return 0;
	if (stat(in->path, &st) == 0) {
		if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
			return 0;
		in->written = st.st_mtim;
	}
	if (open_input(in->path, &o, f) == -1)
		return -1;
	for (i = 0; i < FIRST_LINES && next == LOG_NEXT_STRANGE; i++)
		next = log_file_next(o.file, &line, f);
	if (next == LOG_NEXT_LINE)
		in->first = line.time;
	close_input(&o, in->path);
	return next == LOG_NEXT_FAILED ? -1 : 0;
}

static int
by_first(const void *a, const void *b)
{
	const struct input *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->written.tv_sec != y->written.tv_sec)
		return x->written.tv_sec < y->written.tv_sec ? -1 : 1;
	return x->written.tv_nsec < y->written.tv_nsec ? -1 :
	    x->written.tv_nsec > y->written.tv_nsec;
}

/* ---- reading ---- */

struct reading {
	struct log_join		*join;
	struct log_summary	*sum;
	log_progress		*progress;
	uint64_t		 said;		/* steady ms */
};

static void
take_line(struct reading *r, const struct log_line *line)
{
	struct log_fact fact;

	if (!log_fact_parse(line, &fact))
		r->sum->others++;
	else
		log_join_fact(r->join, line, &fact);
}

static void
maybe_say(struct reading *r, const char *path, const struct opened *o)
{
	uint64_t now;

	if (r->progress == NULL || r->sum->lines % PROGRESS_LINES != 0)
		return;
	now = clock_steady_ms();
	if (now - r->said < PROGRESS_MS)
		return;
	r->said = now;
	r->progress(path, log_file_taken(o->file), o->size, r->sum->lines);
}

static int
read_input(struct reading *r, const char *path, struct fault *f)
{
	struct log_line line;
	struct opened o;
	enum log_next next;

	if (open_input(path, &o, f) == -1)
		return -1;
	while ((next = log_file_next(o.file, &line, f)) == LOG_NEXT_LINE ||
	    next == LOG_NEXT_STRANGE) {
		r->sum->lines++;
		if (next == LOG_NEXT_LINE)
			take_line(r, &line);
		else
			r->sum->strange++;
		maybe_say(r, path, &o);
	}
	close_input(&o, path);
	return next == LOG_NEXT_FAILED ? -1 : 0;
}

int
report_from_logs(char *const *paths, size_t n, const struct report_query *q,
    log_progress *progress, struct report *r, struct log_summary *sum,
    struct fault *f)
{
	struct input *inputs = calloc(n == 0 ? 1 : n, sizeof *inputs);
	struct log_count *count = log_count_new(q, LOG_SEEN);
	struct log_sink sink = count == NULL ? (struct log_sink){ 0 } :
	    log_count_sink(count);
	struct reading reading = { .join = log_join_new(&sink, LOG_MESSAGES), .sum = sum,
	    .progress = progress, .said = clock_steady_ms() };
	int rc = -1;
	size_t i;

	*sum = (struct log_summary){ 0 };
	if (inputs == NULL || count == NULL || reading.join == NULL) {
		fault_set(f, FAULT_TEMP, 0, "", "no memory");
		goto done;
	}
	for (i = 0; i < n; i++) {
		inputs[i].path = paths[i];
		if (named(paths[i], look_at(&inputs[i], f), f) == -1)
			goto done;
	}
	qsort(inputs, n, sizeof *inputs, by_first);
	for (i = 0; i < n; i++)
		if (named(inputs[i].path, read_input(&reading, inputs[i].path,
		    f), f) == -1)
			goto done;
	sum->counts = log_join_counts(reading.join);
	if (log_count_report(count, r) == -1) {
		fault_set(f, FAULT_TEMP, 0, "", "no memory");
		goto done;
	}
	r->retried = sum->counts.failed;
	rc = 0;
done:
	log_join_free(&reading.join);
	log_count_free(&count);
	free(inputs);
	return rc;
}
