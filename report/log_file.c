/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_file.c - see log_file.h. */
#include "report/log_file.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "report/gunzip.h"
#include "report/log_journal.h"

#define TEXT_SIZE	(4 * LOG_LINE_MAX)
#define PACKED_SIZE	65536

enum form { FORM_UNKNOWN, FORM_LINES, FORM_JOURNAL };

struct log_file {
	log_source		*source;
	void			*ctx;
	uint64_t		 taken;
	struct gunzip		*gunzip;	/* NULL: plain */
	struct span		 packed;	/* in packed_mem, not inflated yet */
	bool			 sniffed, ended, skipping;
	enum form		 form;
	struct log_clock	 clock;
	struct log_journal	 journal;
	size_t			 off, len;	/* text[off .. off + len) */
	char			 text[TEXT_SIZE];
	char			 packed_mem[PACKED_SIZE];
};

struct log_file *
log_file_new(log_source *source, void *ctx, uint64_t latest)
{
	struct log_file *r = malloc(sizeof *r);

	if (r == NULL)
		return NULL;
	/* All but the buffers. */
	memset(r, 0, offsetof(struct log_file, text));
	r->source = source;
	r->ctx = ctx;
	r->clock.latest = latest;
	return r;
}

void
log_file_free(struct log_file **rp)
{
	if (*rp == NULL)
		return;
	gunzip_free(&(*rp)->gunzip);
	free(*rp);
	*rp = NULL;
}

uint64_t
log_file_taken(const struct log_file *r)
{
	return r->taken;
}

/* ---- bytes ---- */

static ssize_t
take(struct log_file *r, char *to, size_t n, struct fault *f)
{
	ssize_t got;

	do
		got = r->source(r->ctx, to, n);
	while (got == -1 && errno == EINTR);
	if (got == -1)
		return fault_sys(f, "read");
	r->taken += (uint64_t)got;
	return got;
}

static ssize_t
take_packed(struct log_file *r, char *to, size_t n, struct fault *f)
{
	ssize_t got;
	long made;

	for (;;) {
		made = gunzip_more(r->gunzip, &r->packed, to, n, f);
		if (made != 0)
			return made;
		got = take(r, r->packed_mem, sizeof r->packed_mem, f);
		if (got <= 0)
			break;
		r->packed = span_of(r->packed_mem, (size_t)got);
	}
	if (got == 0 && !gunzip_whole(r->gunzip))
		return fault_set(f, FAULT_PERM, 0, "", "gzip is cut off");
	return got;
}

/* The first bytes say whether to inflate. */
static ssize_t
sniff(struct log_file *r, struct fault *f)
{
	ssize_t got = take(r, r->packed_mem, sizeof r->packed_mem, f);

	r->sniffed = true;
	if (got <= 0)
		return got;
	r->packed = span_of(r->packed_mem, (size_t)got);
	if (gunzip_is(r->packed)) {
		r->gunzip = gunzip_new();
		if (r->gunzip == NULL)
			return fault_set(f, FAULT_TEMP, 0, "", "no memory");
		return take_packed(r, r->text, TEXT_SIZE, f);
	}
	memcpy(r->text, r->packed.p, r->packed.n);
	return got;
}

/* More text behind what is there.  1, 0 at the end, -1. */
static int
fill(struct log_file *r, struct fault *f)
{
	ssize_t got;
	char *to;

	if (r->ended)
		return 0;
	if (r->off > 0) {
		memmove(r->text, r->text + r->off, r->len);
		r->off = 0;
	}
	to = r->text + r->len;
	got = !r->sniffed ? sniff(r, f) :
	    r->gunzip != NULL ? take_packed(r, to, TEXT_SIZE - r->len, f) :
	    take(r, to, TEXT_SIZE - r->len, f);
	if (got > 0)
		r->len += (size_t)got;
	r->ended = got <= 0;
	return got > 0 ? 1 : (int)got;
}

static void
drop(struct log_file *r, size_t n)
{
	r->off += n;
	r->len -= n;
}

/* ---- lines ---- */

/* The rest of a line whose beginning was enough.  1, 0 at the end, -1. */
static int
skip_rest(struct log_file *r, struct fault *f)
{
	const char *nl;
	int rc;

	while (r->skipping) {
		nl = memchr(r->text + r->off, '\n', r->len);
		r->skipping = nl == NULL;
		drop(r, nl == NULL ? r->len :
		    (size_t)(nl + 1 - r->text) - r->off);
		rc = r->skipping ? fill(r, f) : 1;
		if (rc != 1)
			return rc;
	}
	return 1;
}

/* 1, 0 at the end, -1.  The span lives until the next fill(). */
static int
next_line(struct log_file *r, struct span *line, struct fault *f)
{
	size_t seen = 0;
	const char *nl;
	int rc = skip_rest(r, f);

	if (rc != 1)
		return rc;
	for (;;) {
		nl = memchr(r->text + r->off + seen, '\n', r->len - seen);
		if (nl != NULL || r->len >= LOG_LINE_MAX)
			break;
		seen = r->len;
		rc = fill(r, f);
		if (rc == -1 || (rc == 0 && r->len == 0))
			return rc;
		if (rc == 0)
			break;
	}
	*line = span_of(r->text + r->off, nl != NULL ?
	    (size_t)(nl - r->text) - r->off : r->len);
	r->skipping = nl == NULL && !r->ended;
	drop(r, line->n + (nl != NULL));
	if (line->n > LOG_LINE_MAX)
		*line = span_head(*line, LOG_LINE_MAX);
	return 1;
}

/* ---- the journal's own form ---- */

/* A field of any bytes: its name was a line, then comes its length in eight
 * bytes, little end first, then itself, then a newline. */
static int
take_binary(struct log_file *r, struct span name, struct fault *f)
{
	char known[LOG_JOURNAL_NAME];
	uint64_t n = 0;
	size_t part;
	int i, rc = 1;

	if (!span_copy(name, known, sizeof known))
		known[0] = '\0';
	while (r->len < 8 && rc > 0)
		rc = fill(r, f);
	if (rc <= 0)
		return rc;
	for (i = 8; i-- > 0;)
		n = n << 8 | (unsigned char)r->text[r->off + (size_t)i];
	drop(r, 8);
	log_journal_begin(&r->journal, span_str(known));
	/* The newline behind it is not taken in. */
	for (n = n == UINT64_MAX ? n : n + 1; n > 0; n -= part) {
		if (r->len == 0 && (rc = fill(r, f)) <= 0)
			return rc;
		part = n < r->len ? (size_t)n : r->len;
		log_journal_add(&r->journal, span_of(r->text + r->off,
		    part == n ? part - 1 : part));
		drop(r, part);
	}
	return 1;
}

static enum log_next
next_entry(struct log_file *r, struct log_line *out, struct fault *f)
{
	struct span line;
	int rc;

	log_journal_clear(&r->journal);
	while ((rc = next_line(r, &line, f)) == 1) {
		if (line.n == 0) {
			if (log_journal_line(&r->journal, out))
				return LOG_NEXT_LINE;
			log_journal_clear(&r->journal);
		} else if (memchr(line.p, '=', line.n) != NULL) {
			log_journal_field(&r->journal, line);
		} else if ((rc = take_binary(r, line, f)) != 1) {
			break;
		}
	}
	if (rc == -1)
		return LOG_NEXT_FAILED;
	/* No empty line behind the last one. */
	return log_journal_line(&r->journal, out) ? LOG_NEXT_LINE :
	    LOG_NEXT_END;
}

enum log_next
log_file_next(struct log_file *r, struct log_line *out, struct fault *f)
{
	struct span line;
	int rc;

	if (r->form == FORM_UNKNOWN) {
		while ((rc = fill(r, f)) == 1 && r->len < LOG_JOURNAL_MARK)
			;
		if (rc == -1)
			return LOG_NEXT_FAILED;
		r->form = log_journal_is(span_of(r->text + r->off, r->len)) ?
		    FORM_JOURNAL : FORM_LINES;
	}
	if (r->form == FORM_JOURNAL)
		return next_entry(r, out, f);
	rc = next_line(r, &line, f);
	if (rc != 1)
		return rc == 0 ? LOG_NEXT_END : LOG_NEXT_FAILED;
	return log_line_parse(&r->clock, line, out) ? LOG_NEXT_LINE :
	    LOG_NEXT_STRANGE;
}
