/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/mime_field.c - see mime_field.h. */
#include "smtp/mime_field.h"

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* White space and comments, RFC 5322 sec 3.2.2. */
static void
skip_space(struct span *s)
{
	unsigned depth = 0;

	for (; s->n > 0; *s = span_skip(*s, 1)) {
		char c = s->p[0];

		if (c == '\\' && depth > 0)
			*s = span_skip(*s, s->n > 1 ? 1 : 0);
		else if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (depth == 0 && !is_space(c))
			return;
	}
}

/* RFC 2045 sec 5.1, a little more generous. */
static struct span
take_token(struct span *s)
{
	size_t n = 0;

	skip_space(s);
	while (n < s->n && !is_space(s->p[n]) &&
	    strchr("()<>@,;:\\\"/[]?=", s->p[n]) == NULL)
		n++;
	struct span t = span_head(*s, n);
	*s = span_skip(*s, n);
	return t;
}

static bool
take_char(struct span *s, char c)
{
	skip_space(s);
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = span_skip(*s, 1);
	return true;
}

/* A quoted string or a token into `out`; returns its length, 0 when there is
 * none or it does not fit. */
static size_t
take_value(struct span *s, char *out, size_t size)
{
	bool fits = true;
	size_t n = 0;

	if (!take_char(s, '"')) {
		/* Unquoted boundaries have all kinds of characters in them. */
		while (n < s->n && !is_space(s->p[n]) && s->p[n] != ';' &&
		    s->p[n] != '(')
			n++;
		fits = n <= size;
		if (fits)
			memcpy(out, s->p, n);
		*s = span_skip(*s, n);
		return fits ? n : 0;
	}
	for (; s->n > 0 && s->p[0] != '"'; *s = span_skip(*s, 1)) {
		if (s->p[0] == '\\' && s->n > 1)
			*s = span_skip(*s, 1);
		if (s->p[0] == '\r' || s->p[0] == '\n')
			continue;		/* folded */
		fits = fits && n < size;
		if (fits)
			out[n++] = s->p[0];
	}
	*s = span_skip(*s, 1);
	return fits ? n : 0;
}

static void
take_params(struct span s, struct mime_type *t)
{
	char ignored[MIME_BOUNDARY_MAX];

	while (s.n > 0) {
		struct span name;

		(void)span_cut(&s, ';');
		name = take_token(&s);
		if (!take_char(&s, '='))
			continue;
		if (!span_ieq(name, SPAN_LIT("boundary")))
			(void)take_value(&s, ignored, sizeof(ignored));
		else if (t->boundary_len == 0)
			t->boundary_len = take_value(&s, t->boundary,
			    sizeof(t->boundary));
	}
	/* RFC 2046 sec 5.1.1: it does not end with white space. */
	while (t->boundary_len > 0 &&
	    is_space(t->boundary[t->boundary_len - 1]))
		t->boundary_len--;
}

void
mime_type_parse(struct span value, struct mime_type *t)
{
	struct span type = take_token(&value), sub = SPAN_NONE;

	*t = (struct mime_type){ .class = MIME_TEXT };
	if (take_char(&value, '/'))
		sub = take_token(&value);
	if (sub.n == 0)
		return;
	if (span_ieq(type, SPAN_LIT("multipart"))) {
		t->class = MIME_MULTIPART;
		t->is_signed = span_ieq(sub, SPAN_LIT("signed"));
		t->is_digest = span_ieq(sub, SPAN_LIT("digest"));
		take_params(value, t);
	} else if (span_ieq(type, SPAN_LIT("message"))) {
		/* RFC 6532 sec 3.7: message/global may be encoded. */
		t->class = span_ieq(sub, SPAN_LIT("rfc822")) ? MIME_MESSAGE :
		    span_istarts(sub, SPAN_LIT("global")) ? MIME_OTHER :
		    MIME_MESSAGE_OTHER;
	} else if (!span_ieq(type, SPAN_LIT("text"))) {
		t->class = MIME_OTHER;
	}
}

enum mime_encoding
mime_encoding_parse(struct span value)
{
	struct span word = take_token(&value);

	if (word.n == 0 || span_ieq(word, SPAN_LIT("7bit")))
		return MIME_7BIT;
	if (span_ieq(word, SPAN_LIT("8bit")) ||
	    span_ieq(word, SPAN_LIT("binary")))
		return MIME_8BIT;
	return MIME_ENCODED;
}
