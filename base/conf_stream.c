/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_stream.c - the bundle as one stream of tokens, and values taken
 * off it; see conf_parser.h. */
#include "base/conf_parser.h"

#include <stdlib.h>

/* ---- tokens ---- */

void
conf_no_memory(struct conf_parser *p)
{
	if (!p->broken)
		conf_error(p->notes, (struct conf_place){ p->file, 1, 1 },
		    "no memory");
	p->broken = true;
}

bool
conf_next_part(struct conf_parser *p)
{
	struct conf_part part;
	int rc = conf_bundle_next(&p->bundle, &part);

	if (rc == -1) {
		conf_error(p->notes, (struct conf_place){ p->file, 1, 1 },
		    "the configuration was damaged on its way");
		p->broken = true;
	}
	if (rc != 1)
		return false;
	if (!span_eq(span_str(p->file), part.file)) {
		p->file = conf_arena_str(p->arena, part.file);
		if (p->file == NULL) {
			p->file = "";
			conf_no_memory(p);
			return false;
		}
	}
	p->instance = part.instance;
	conf_lex_start(&p->lex, part.text, part.line, part.column);
	p->resumed = true;
	return true;
}

void
conf_next(struct conf_parser *p)
{
	if (p->notes->n >= CONF_NOTES_MAX && !p->broken) {
		conf_error(p->notes, (struct conf_place){ p->file,
		    p->tok.line, p->tok.column }, "too many errors; the rest "
		    "was not read");
		p->broken = true;
	}
	p->tok = (struct conf_token){ .kind = CONF_TOK_EOF,
	    .line = p->tok.line, .column = p->tok.column, .text = SPAN_NONE };
	while (!p->broken) {
		if (p->resumed) {
			p->resumed = false;
			p->tok.kind = CONF_TOK_END;
			return;
		}
		conf_lex_next(&p->lex, &p->tok);
		if (p->tok.kind != CONF_TOK_EOF || !conf_next_part(p))
			break;
	}
	if (p->broken)
		p->tok.kind = CONF_TOK_EOF;
}

struct conf_place
conf_here(const struct conf_parser *p)
{
	return (struct conf_place){ p->file, p->tok.line, p->tok.column };
}

void
conf_unexpected(struct conf_parser *p, const char *wanted)
{
	static const char *const names[] = {
		[CONF_TOK_EOF] = "the end of the file",
		[CONF_TOK_END] = "the end of the statement",
		[CONF_TOK_WORD] = "a word", [CONF_TOK_STRING] = "a string",
		[CONF_TOK_EQUALS] = "`=`", [CONF_TOK_OPEN] = "`{`",
		[CONF_TOK_CLOSE] = "`}`", [CONF_TOK_LIST] = "`[`",
		[CONF_TOK_LIST_END] = "`]`", [CONF_TOK_COMMA] = "`,`",
	};
	char shown[CONF_SHOW_SIZE];

	if (p->broken)
		return;		/* said already */
	if (p->tok.kind == CONF_TOK_BAD)
		conf_error(p->notes, conf_here(p), "%s", p->tok.bad);
	else if (p->tok.kind == CONF_TOK_WORD)
		conf_error(p->notes, conf_here(p), "%s, not `%s`", wanted,
		    conf_show(p->tok.text, shown));
	else
		conf_error(p->notes, conf_here(p), "%s, not %s", wanted,
		    names[p->tok.kind]);
}

void
conf_skip_statement(struct conf_parser *p)
{
	unsigned depth = 0;
	bool list = false;

	for (;; conf_next(p)) {
		switch (p->tok.kind) {
		case CONF_TOK_EOF:
			return;
		case CONF_TOK_END:
			if (depth == 0 && !list)
				return;
			break;
		case CONF_TOK_OPEN:
			depth++;
			list = false;
			break;
		case CONF_TOK_CLOSE:
			if (depth == 0)
				return;
			depth--;
			list = false;
			break;
		case CONF_TOK_LIST:
			list = true;
			break;
		case CONF_TOK_LIST_END:
		case CONF_TOK_EQUALS:	/* a list that was never closed */
			list = false;
			break;
		default:
			break;
		}
	}
}

/* ---- values ---- */

bool
conf_take_item(struct conf_parser *p, struct conf_item *item)
{
	if (p->tok.kind != CONF_TOK_WORD && p->tok.kind != CONF_TOK_STRING)
		return false;
	item->kind = p->tok.kind == CONF_TOK_WORD ? CONF_VAL_WORD :
	    CONF_VAL_STRING;
	item->place = conf_here(p);
	item->text.n = p->tok.text.n;
	item->text.p = conf_arena_str(p->arena, p->tok.text);
	if (item->text.p == NULL) {
		conf_no_memory(p);
		return false;
	}
	conf_next(p);
	return true;
}

static bool
item_room(struct conf_parser *p)
{
	size_t cap = p->items_cap == 0 ? 16 : p->items_cap * 2;
	struct conf_item *v;

	if (p->nitems < p->items_cap)
		return true;
	if (p->nitems >= CONF_ITEMS_MAX) {
		conf_error(p->notes, conf_here(p), "a list of more than %d items",
		    CONF_ITEMS_MAX);
		return false;
	}
	v = realloc(p->items, cap * sizeof *v);
	if (v == NULL) {
		conf_no_memory(p);
		return false;
	}
	p->items = v;
	p->items_cap = cap;
	return true;
}

static void
skip_ends(struct conf_parser *p)
{
	while (p->tok.kind == CONF_TOK_END)
		conf_next(p);
}

static bool
take_list(struct conf_parser *p, struct conf_value *v)
{
	p->nitems = 0;
	for (conf_next(p), skip_ends(p); p->tok.kind != CONF_TOK_LIST_END;
	    skip_ends(p)) {
		if (!item_room(p))
			return false;
		if (!conf_take_item(p, &p->items[p->nitems])) {
			conf_unexpected(p, "expected a list's value or `]`");
			return false;
		}
		p->nitems++;
		skip_ends(p);
		if (p->tok.kind == CONF_TOK_COMMA) {
			conf_next(p);
		} else if (p->tok.kind != CONF_TOK_LIST_END) {
			conf_unexpected(p, "expected `,` or `]` in the list");
			return false;
		}
	}
	conf_next(p);
	v->items = p->items;
	v->nitems = p->nitems;
	return true;
}

bool
conf_take_value(struct conf_parser *p, struct conf_value *v)
{
	*v = (struct conf_value){ .self = { .kind = CONF_VAL_LIST,
	    .text = SPAN_NONE, .place = conf_here(p) } };
	if (p->tok.kind == CONF_TOK_LIST)
		return take_list(p, v);
	if (conf_take_item(p, &v->self))
		return true;
	conf_unexpected(p, "expected a value");
	return false;
}
