/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_lex.c - bytes to tokens, with line and column of each.
 *
 * Columns count characters, not bytes, as editors do.  Every byte sequence
 * yields tokens: what cannot be one is CONF_TOK_BAD, and reading goes on
 * behind it. */
#include "base/conf_impl.h"

#include <assert.h>

#include "base/utf8.h"

static const char word_bytes[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

static const struct {
	char	byte;
	enum conf_token_kind kind;
} marks[] = {
	{ '=', CONF_TOK_EQUALS },
	{ '{', CONF_TOK_OPEN },
	{ '}', CONF_TOK_CLOSE },
	{ '[', CONF_TOK_LIST },
	{ ']', CONF_TOK_LIST_END },
	{ ',', CONF_TOK_COMMA },
	{ ';', CONF_TOK_END },
	{ '\n', CONF_TOK_END },
};

static const struct {
	char	written, byte;
} escapes[] = {
	{ '"', '"' }, { '\\', '\\' }, { 'n', '\n' }, { 't', '\t' },
};

void
conf_lex_start(struct conf_lexer *x, struct span text, unsigned line,
    unsigned column)
{
	x->text = text;
	x->at = 0;
	x->line = line;
	x->column = column;
	/* A byte order mark at the very start is no character of the text. */
	if (line == 1 && column == 1 && text.n >= 3 &&
	    memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		x->at = 3;
}

static bool
at_end(const struct conf_lexer *x)
{
	return x->at >= x->text.n;
}

static char
peek(const struct conf_lexer *x)
{
	return at_end(x) ? '\0' : x->text.p[x->at];
}

static void
step(struct conf_lexer *x)
{
	unsigned char c = (unsigned char)x->text.p[x->at++];

	if (c == '\n') {
		x->line++;
		x->column = 1;
	} else if ((c & 0xc0) != 0x80) {
		x->column++;	/* not inside of a UTF-8 character */
	}
}

static bool
is_word(char c)
{
	return c != '\0' && strchr(word_bytes, c) != NULL;
}

static void
skip_blank(struct conf_lexer *x)
{
	while (!at_end(x)) {
		char c = peek(x);

		if (c == '#') {
			while (!at_end(x) && peek(x) != '\n')
				step(x);
			return;
		}
		if (c != ' ' && c != '\t' && c != '\r')
			return;
		step(x);
	}
}

static void
bad(struct conf_token *t, const char *why)
{
	if (t->kind == CONF_TOK_BAD)
		return;		/* the first reason counts */
	t->kind = CONF_TOK_BAD;
	t->bad = why;
}

/* Take the character or escape at the cursor into out; returns its bytes. */
static size_t
string_piece(struct conf_lexer *x, struct conf_token *t, char out[4])
{
	const unsigned char *p = (const unsigned char *)x->text.p + x->at;
	size_t n = utf8_take(span_of(p, x->text.n - x->at), NULL);

	if (n == 0) {
		bad(t, "the string is not valid UTF-8");
		n = 1;
	} else if (*p == 0x7f || (*p < 0x20 && *p != '\t')) {
		bad(t, "a control byte in a string; write \\n, \\t, \\\" or \\\\");
	}
	memcpy(out, p, n);
	for (size_t i = 0; i < n; i++)
		step(x);
	if (out[0] != '\\')
		return n;
	for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++)
		if (!at_end(x) && peek(x) == escapes[i].written) {
			out[0] = escapes[i].byte;
			step(x);
			return 1;
		}
	bad(t, "unknown escape in a string; allowed are \\\" \\\\ \\n \\t");
	return 0;
}

static void
lex_string(struct conf_lexer *x, struct conf_token *t)
{
	char piece[4];
	size_t n, used = 0;

	t->kind = CONF_TOK_STRING;
	step(x);
	while (!at_end(x) && peek(x) != '"' && peek(x) != '\n') {
		n = string_piece(x, t, piece);
		if (used + n > sizeof x->string) {
			bad(t, "the string is longer than 1024 bytes");
			continue;
		}
		memcpy(x->string + used, piece, n);
		used += n;
	}
	t->text = span_of(x->string, used);
	if (peek(x) != '"')
		bad(t, "the string has no closing quote on this line");
	else
		step(x);
}

static void
lex_word(struct conf_lexer *x, struct conf_token *t)
{
	t->kind = CONF_TOK_WORD;
	while (is_word(peek(x)))
		step(x);
	t->text = span_of(x->text.p + t->start, x->at - t->start);
	if (t->text.n > CONF_WORD_MAX)
		bad(t, "a word of more than 64 bytes");
}

static void
lex_other(struct conf_lexer *x, struct conf_token *t)
{
	char c = peek(x);

	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (marks[i].byte == c) {
			t->kind = marks[i].kind;
			step(x);
			return;
		}
	bad(t, c == '\'' ? "strings are written in double quotes" :
	    "a character that means nothing here; texts are written in "
	    "double quotes");
	while (!at_end(x) && strchr(" \t\r\n;{}[]\"#", peek(x)) == NULL)
		step(x);
	if (x->at == t->start)
		step(x);	/* a NUL byte, which strchr() always finds */
}

void
conf_lex_next(struct conf_lexer *x, struct conf_token *t)
{
	skip_blank(x);
	*t = (struct conf_token){ .kind = CONF_TOK_EOF, .text = SPAN_NONE,
	    .start = x->at, .line = x->line, .column = x->column };
	if (!at_end(x)) {
		if (peek(x) == '"')
			lex_string(x, t);
		else if (is_word(peek(x)))
			lex_word(x, t);
		else
			lex_other(x, t);
		assert(x->at > t->start);
	}
	t->end = x->at;
}
