/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/reply.c - incremental reply parser, RFC 5321 sec 4.2 and 4.2.1.
 * One byte at a time through a small machine: that is what makes it
 * indifferent to how the bytes were cut. */
#include "smtp/reply.h"

#include <stdio.h>

void
reply_init(struct reply *r)
{
	*r = (struct reply){ .code = 0 };
	buf_init(&r->lines, REPLY_BYTES_MAX);
}

void
reply_free(struct reply *r)
{
	buf_free(&r->lines);
	reply_init(r);
}

void
reply_reset(struct reply *r)
{
	struct buf lines = r->lines;

	buf_reset(&lines);
	*r = (struct reply){ .code = 0 };
	r->lines = lines;
}

bool
reply_started(const struct reply *r)
{
	return r->bytes > 0;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

size_t
reply_enhanced(struct span s, char out[REPLY_ENHANCED_SIZE])
{
	size_t i = 0, part, digits;

	for (part = 0; part < 3; part++) {
		if (part > 0 && (i >= s.n || s.p[i++] != '.'))
			return 0;
		for (digits = 0; i < s.n && is_digit(s.p[i]); i++)
			digits++;
		/* RFC 3463 sec 2: class one digit, the others up to three. */
		if (digits == 0 || digits > (part == 0 ? 1u : 3u))
			return 0;
	}
	if (i < s.n && s.p[i] != ' ')
		return 0;
	if (s.p[0] != '2' && s.p[0] != '4' && s.p[0] != '5')
		return 0;
	memcpy(out, s.p, i);
	out[i] = '\0';
	return i;
}

static enum reply_state
bad(struct reply *r, const char *why)
{
	r->bad = true;
	r->why = why;
	return REPLY_BAD;
}

/* Nothing from a server reaches a log or a report as more than printable
 * ASCII, whatever the reader of them would make of it. */
static void
put_text(struct reply *r, char c)
{
	unsigned char u = (unsigned char)c;

	/* A NUL says nothing, and kept, it would make another word of the one
	 * that it is in: of a STARTTLS too. */
	if (u == '\0')
		return;
	if (u == '\t')
		c = ' ';
	else if (u < 0x20 || u > 0x7e)
		c = '?';
	(void)buf_char(&r->lines, c);
}

static enum reply_state
put_code(struct reply *r, char c)
{
	if (!is_digit(c))
		return bad(r, "not an SMTP reply");
	r->line_code = r->line_code * 10 + (c - '0');
	if (++r->column < 3)
		return REPLY_MORE;
	if (r->line_code < 200 || r->line_code > 599)
		return bad(r, "reply code out of range");
	/* RFC 5321 sec 4.2.1: the same code on every line.  Taking the first
	 * or the last would let whoever adds lines choose the verdict. */
	if (r->code != 0 && r->code != r->line_code)
		return bad(r, "reply with different codes");
	r->code = r->line_code;
	return REPLY_MORE;
}

static enum reply_state
put_byte(struct reply *r, char c)
{
	if (r->column < 3)
		return put_code(r, c);
	if (r->column == 3) {
		if (c != ' ' && c != '-' && c != '\t')
			return bad(r, "not an SMTP reply");
		r->last = c != '-';
		r->column = 4;
		if (r->has_text)
			(void)buf_char(&r->lines, '\n');
		r->has_text = true;
		return REPLY_MORE;
	}
	put_text(r, c);
	return REPLY_MORE;
}

static void
find_enhanced(struct reply *r)
{
	struct span rest = buf_get(&r->lines), line;
	char code[REPLY_ENHANCED_SIZE];

	while (rest.n > 0) {
		line = span_cut(&rest, '\n');
		if (reply_enhanced(line, code) == 0 ||
		    code[0] - '0' != r->code / 100)
			continue;
		memcpy(r->enhanced, code, sizeof(code));
		return;
	}
}

static enum reply_state
end_line(struct reply *r)
{
	r->crs = 0;
	if (++r->nlines > REPLY_LINES_MAX)
		return bad(r, "reply with too many lines");
	/* An empty line says nothing.  Refusing it would lose hosts, reading
	 * it as an end would lose the STARTTLS behind it. */
	if (r->column == 0)
		return REPLY_MORE;
	if (r->column < 3)
		return bad(r, "not an SMTP reply");
	if (r->column == 3)
		r->last = true;		/* "250" alone, RFC 5321 sec 4.2 */
	r->column = 0;
	r->line_code = 0;
	if (!r->last)
		return REPLY_MORE;
	if (r->lines.failed)
		return bad(r, "no memory for a reply");
	find_enhanced(r);
	return REPLY_DONE;
}

static enum reply_state
feed_byte(struct reply *r, char c)
{
	enum reply_state st = REPLY_MORE;

	if (++r->bytes > REPLY_BYTES_MAX)
		return bad(r, "reply too long");
	if (c == '\n')
		return end_line(r);
	if (c == '\r') {
		r->crs++;
		return REPLY_MORE;
	}
	/* CRs that did not end the line are bytes like others. */
	for (; r->crs > 0 && st == REPLY_MORE; r->crs--)
		st = put_byte(r, '\r');
	return st == REPLY_MORE ? put_byte(r, c) : st;
}

enum reply_state
reply_feed(struct reply *r, struct span in, size_t *used)
{
	enum reply_state st = r->bad ? REPLY_BAD : REPLY_MORE;
	size_t i;

	for (i = 0; i < in.n && st == REPLY_MORE; i++)
		st = feed_byte(r, in.p[i]);
	*used = i;
	return st;
}

void
reply_make(struct reply *r, int code, const char *enhanced, const char *text)
{
	reply_reset(r);
	r->code = code;
	(void)span_copy(span_str(enhanced), r->enhanced, sizeof(r->enhanced));
	for (; *text != '\0'; text++)
		put_text(r, *text);
}

/* Bounded append of a word with one space before it. */
static void
add_word(char *out, size_t size, size_t *at, struct span s)
{
	if (s.n == 0 || *at + 2 >= size)
		return;
	if (*at > 0)
		out[(*at)++] = ' ';
	s = span_head(s, size - 1 - *at);
	memcpy(out + *at, s.p, s.n);
	*at += s.n;
}

const char *
reply_line(const struct reply *r, char *out, size_t size)
{
	struct span rest = buf_get(&r->lines), line;
	char code[REPLY_ENHANCED_SIZE], number[16];
	size_t at = 0;

	(void)snprintf(number, sizeof(number), "%d", r->code);
	add_word(out, size, &at, span_str(number));
	add_word(out, size, &at, span_str(r->enhanced));
	while (rest.n > 0) {
		line = span_cut(&rest, '\n');
		if (reply_enhanced(line, code) > 0 &&
		    strcmp(code, r->enhanced) == 0)
			line = span_skip(line, strlen(code));
		add_word(out, size, &at, span_trim(line));
	}
	out[at] = '\0';
	return out;
}
