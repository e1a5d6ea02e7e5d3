/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_parse.c - tokens to struct conf, by the rows of conf_schema.c.
 *
 *	file      = { statement END }
 *	statement = key "=" value | key [ label ] "{" file "}"
 *	value     = word | string | "[" [ value { "," value } [ "," ] ] "]"
 *
 * After an error the rest of the statement is skipped and parsing goes on, so
 * that one run finds all errors.  Recursion goes no deeper than the schema. */
#include "base/conf_impl.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>

#include "base/ipc/ipc.h"

#define BLOCK_NAME	32	/* "accept.domain" and the like */

/* Something that may be there only once: a key of a scope, or a label. */
struct seen {
	unsigned	 scope;
	const char	*key, *label;
	unsigned	 id;		/* scope of what is inside of it */
	struct conf_place place;
};

struct parser {
	struct conf		*conf;
	struct conf_arena	*arena;
	struct conf_notes	*notes;
	struct conf_bundle	 bundle;
	const char		*file;		/* of the current part */
	unsigned		 instance;
	bool			 resumed;	/* a part just began */
	struct conf_lexer	 lex;
	struct conf_token	 tok;
	void			*seen;		/* tsearch(3) tree */
	unsigned		 nseen;
	struct conf_item	*items;		/* of the list being read */
	size_t			 nitems, items_cap;
	bool			 broken;	/* no memory or a bad bundle */
};

/* An open block. */
struct scope {
	char		 block[BLOCK_NAME];
	void		*base;		/* the struct its keys go to */
	unsigned	 id;
	const char	*label;
	bool		 top, marked;
	unsigned	 instance;
	struct conf_place place;
};

static void	parse_block(struct parser *, const struct scope *);

/* ---- tokens ---- */

static void
no_memory(struct parser *p)
{
	if (!p->broken)
		conf_error(p->notes, (struct conf_place){ p->file, 1, 1 },
		    "no memory");
	p->broken = true;
}

static bool
next_part(struct parser *p)
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
			no_memory(p);
			return false;
		}
	}
	p->instance = part.instance;
	conf_lex_start(&p->lex, part.text, part.line, part.column);
	p->resumed = true;
	return true;
}

/* Each part begins behind an END, as an include stands alone. */
static void
next(struct parser *p)
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
		if (p->tok.kind != CONF_TOK_EOF || !next_part(p))
			break;
	}
	if (p->broken)
		p->tok.kind = CONF_TOK_EOF;
}

static struct conf_place
here(const struct parser *p)
{
	return (struct conf_place){ p->file, p->tok.line, p->tok.column };
}

static void
unexpected(struct parser *p, const char *wanted)
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
		conf_error(p->notes, here(p), "%s", p->tok.bad);
	else if (p->tok.kind == CONF_TOK_WORD)
		conf_error(p->notes, here(p), "%s, not `%s`", wanted,
		    conf_show(p->tok.text, shown));
	else
		conf_error(p->notes, here(p), "%s, not %s", wanted,
		    names[p->tok.kind]);
}

/* To the end of the statement, over blocks and lists in it.  A `}` that
 * closes the block around it stays. */
static void
skip_statement(struct parser *p)
{
	unsigned depth = 0;
	bool list = false;

	for (;; next(p)) {
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

/* ---- once only ---- */

static int
seen_compare(const void *va, const void *vb)
{
	const struct seen *a = va, *b = vb;
	int d;

	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	d = strcmp(a->key, b->key);
	return d != 0 ? d : strcmp(a->label, b->label);
}

static void
seen_keep(void *p)
{
	(void)p;	/* the arena owns them */
}

/* The entry for this key or label, which is new when its place is ours. */
static struct seen *
see(struct parser *p, unsigned scope, const char *key, const char *label,
    struct conf_place place, bool *again)
{
	struct seen *s = conf_arena_get(p->arena, sizeof *s), **node;

	if (s == NULL)
		goto none;
	*s = (struct seen){ scope, key, label, ++p->nseen, place };
	node = (struct seen **)tsearch(s, &p->seen, seen_compare);
	if (node == NULL)
		goto none;
	*again = *node != s;
	return *node;
none:
	no_memory(p);
	return NULL;
}

static void
twice(struct parser *p, const char *key, const char *label,
    struct conf_place place, const struct seen *first)
{
	char shown[CONF_SHOW_SIZE];

	if (label[0] != '\0')
		conf_error(p->notes, place, "%s \"%s\" is there twice: first "
		    "at %s:%u:%u", key, conf_show(span_str(label), shown),
		    first->place.file, first->place.line, first->place.column);
	else
		conf_error(p->notes, place, "`%s` is set twice: first at "
		    "%s:%u:%u", key, first->place.file, first->place.line,
		    first->place.column);
}

/* ---- values ---- */

static bool
take_item(struct parser *p, struct conf_item *item)
{
	if (p->tok.kind != CONF_TOK_WORD && p->tok.kind != CONF_TOK_STRING)
		return false;
	item->kind = p->tok.kind == CONF_TOK_WORD ? CONF_VAL_WORD :
	    CONF_VAL_STRING;
	item->place = here(p);
	item->text.n = p->tok.text.n;
	item->text.p = conf_arena_str(p->arena, p->tok.text);
	if (item->text.p == NULL) {
		no_memory(p);
		return false;
	}
	next(p);
	return true;
}

static bool
item_room(struct parser *p)
{
	size_t cap = p->items_cap == 0 ? 16 : p->items_cap * 2;
	struct conf_item *v;

	if (p->nitems < p->items_cap)
		return true;
	if (p->nitems >= CONF_ITEMS_MAX) {
		conf_error(p->notes, here(p), "a list of more than %d items",
		    CONF_ITEMS_MAX);
		return false;
	}
	v = realloc(p->items, cap * sizeof *v);
	if (v == NULL) {
		no_memory(p);
		return false;
	}
	p->items = v;
	p->items_cap = cap;
	return true;
}

static void
skip_ends(struct parser *p)
{
	while (p->tok.kind == CONF_TOK_END)
		next(p);
}

static bool
take_list(struct parser *p, struct conf_value *v)
{
	p->nitems = 0;
	for (next(p), skip_ends(p); p->tok.kind != CONF_TOK_LIST_END;
	    skip_ends(p)) {
		if (!item_room(p))
			return false;
		if (!take_item(p, &p->items[p->nitems])) {
			unexpected(p, "expected a list's value or `]`");
			return false;
		}
		p->nitems++;
		skip_ends(p);
		if (p->tok.kind == CONF_TOK_COMMA) {
			next(p);
		} else if (p->tok.kind != CONF_TOK_LIST_END) {
			unexpected(p, "expected `,` or `]` in the list");
			return false;
		}
	}
	next(p);
	v->items = p->items;
	v->nitems = p->nitems;
	return true;
}

static bool
take_value(struct parser *p, struct conf_value *v)
{
	*v = (struct conf_value){ .self = { .kind = CONF_VAL_LIST,
	    .text = SPAN_NONE, .place = here(p) } };
	if (p->tok.kind == CONF_TOK_LIST)
		return take_list(p, v);
	if (take_item(p, &v->self))
		return true;
	unexpected(p, "expected a value");
	return false;
}

/* The block that a row opens: "accept" and "domain" is "accept.domain". */
static void
block_name(const struct conf_row *row, char out[BLOCK_NAME])
{
	int n = snprintf(out, BLOCK_NAME, "%s%s%s", row->block,
	    row->block[0] == '\0' ? "" : ".", row->key);

	assert(n > 0 && n < BLOCK_NAME);
	(void)n;
}

/* A value from text that is ours: a default. */
static void
set_default(struct parser *p, const struct conf_row *row, void *base)
{
	struct conf_value v = { .self = { .kind = CONF_VAL_WORD,
	    .text = span_str(row->deflt),
	    .place = { "(default)", 0, 0 } } };
	struct span t = v.self.text;
	size_t before = p->notes->nerrors;

	if (span_eq(t, SPAN_LIT("[]"))) {
		v.self.kind = CONF_VAL_LIST;
	} else if (t.n >= 2 && t.p[0] == '"') {
		v.self.kind = CONF_VAL_STRING;
		v.self.text = span_of(t.p + 1, t.n - 2);
	}
	if (conf_value_set(row, &v, base, p->arena, p->notes) == -1) {
		assert(p->notes->nerrors == before);
		no_memory(p);
	}
}

static void
set_defaults(struct parser *p, const char *block, void *base)
{
	for (size_t i = 0; i < conf_nrows; i++) {
		const struct conf_row *row = &conf_rows[i];

		if (row->deflt != NULL && strcmp(row->block, block) == 0)
			set_default(p, row, base);
	}
}

/* ---- statements ---- */

struct statement {
	char		 key[CONF_WORD_MAX + 1];
	struct conf_place place;
	bool		 has_label;
	struct span	 label;		/* in the arena */
	struct conf_place label_place;
};

/* The nearest key of this block; else where the key belongs; else all keys. */
static void
unknown_key(struct parser *p, const struct scope *in,
    const struct statement *st)
{
	char hint[CONF_HINT_SIZE], list[120] = "";
	const char *other = NULL;
	size_t at = 0;
	unsigned best;

	conf_hint_start(hint, &best);
	for (size_t i = 0; i < conf_nrows; i++) {
		const struct conf_row *row = &conf_rows[i];

		if (strcmp(row->block, in->block) != 0) {
			if (strcmp(row->key, st->key) == 0 &&
			    row->type != CONF_LATER)
				other = row->block;
			continue;
		}
		conf_hint_try(span_str(st->key), span_str(row->key), &best,
		    hint);
		if (row->type != CONF_LATER && at < sizeof list)
			at += (size_t)snprintf(list + at, sizeof list - at,
			    "%s%s", at == 0 ? "" : ", ", row->key);
	}
	if (hint[0] == '\0' && other != NULL)
		snprintf(hint, sizeof hint, other[0] == '\0' ?
		    "; it belongs outside of blocks%s" : "; it belongs in %s",
		    other);
	conf_error(p->notes, st->place, "unknown key `%s`; allowed %s%s: %s%s",
	    st->key, in->top ? "here" : "in ", in->top ? "" : in->block, list,
	    hint);
}

static void
set_key(struct parser *p, const struct scope *in, const struct conf_row *row,
    const struct statement *st)
{
	struct conf_value v;
	struct seen *s;
	bool again;

	next(p);
	if (!take_value(p, &v)) {
		skip_statement(p);
		return;
	}
	s = see(p, in->id, row->key, "", st->place, &again);
	if (s == NULL)
		return;
	if (again) {
		twice(p, row->key, "", st->place, s);
		return;
	}
	if (in->marked && conf_arena_mark(p->arena, row, in->label,
	    v.self.place) == -1)
		no_memory(p);
	if (conf_value_set(row, &v, in->base, p->arena, p->notes) == -1 &&
	    p->notes->nerrors == 0)
		no_memory(p);
}

/* The label as it is kept: a name as written, a pattern in A-labels. */
static const char *
take_label(struct parser *p, const struct conf_row *row,
    const struct statement *st)
{
	char name[256], shown[CONF_SHOW_SIZE], allowed[200];
	const char *copy;
	bool ok;

	if (row->type == CONF_DOMAINS)
		ok = conf_domain(st->label, true, name) > 0;
	else
		ok = st->label.n > 0 && st->label.n <= CONF_WORD_MAX &&
		    span_copy(st->label, name, sizeof name);
	if (!ok) {
		conf_row_allowed(row, allowed, sizeof allowed);
		conf_error(p->notes, st->label_place, "%s \"%s\" is no %s; "
		    "allowed: %s", row->key, conf_show(st->label, shown),
		    row->type == CONF_DOMAINS ? "domain" : "name", allowed);
		return NULL;
	}
	copy = conf_arena_str(p->arena, span_str(name));
	if (copy == NULL)
		no_memory(p);
	return copy;
}

/* One more element of the row's array, with its defaults.  Arrays double
 * whenever their count is a power of two. */
static void *
add_element(struct parser *p, const struct conf_row *row, const char *label,
    const struct statement *st)
{
	char *base = (char *)p->conf, *v, *element;
	size_t n;

	memcpy(&v, base + row->offset, sizeof v);
	memcpy(&n, base + row->offset2, sizeof n);
	if (n >= row->max) {
		conf_error(p->notes, st->place, "more than %u `%s` blocks",
		    (unsigned)row->max, row->key);
		p->broken = true;
		return NULL;
	}
	if ((n & (n - 1)) == 0) {
		char *grown = conf_arena_get(p->arena,
		    (n == 0 ? 1 : 2 * n) * row->size);

		if (grown == NULL) {
			no_memory(p);
			return NULL;
		}
		if (n > 0)
			memcpy(grown, v, n * row->size);
		memcpy(base + row->offset, &grown, sizeof grown);
		v = grown;
	}
	element = v + n * row->size;
	memcpy(element + row->label, &label, sizeof label);
	n++;
	memcpy(base + row->offset2, &n, sizeof n);
	return element;
}

/* Keys that have no default must be there. */
static void
check_required(struct parser *p, const struct scope *in)
{
	struct seen probe = { .scope = in->id, .label = "" };

	for (size_t i = 0; i < conf_nrows && !p->broken; i++) {
		const struct conf_row *row = &conf_rows[i];

		probe.key = row->key;
		if (row->required != NULL &&
		    strcmp(row->block, in->block) == 0 &&
		    tfind(&probe, &p->seen, seen_compare) == NULL)
			conf_error(p->notes, in->place, "%s", row->required);
	}
}

static void
enter_labelled(struct parser *p, const struct scope *in,
    const struct conf_row *row, const struct statement *st, struct scope *sub)
{
	const char *label = take_label(p, row, st);
	struct seen *s;
	bool again;

	if (label == NULL) {
		skip_statement(p);
		return;
	}
	s = see(p, in->id, row->key, label, st->label_place, &again);
	if (s == NULL)
		return;
	sub->label = label;
	sub->marked = row->type == CONF_LABELLED;
	sub->id = s->id;
	if (again) {
		/* Read on with a scope of its own, for the errors inside. */
		twice(p, row->key, label, st->label_place, s);
		sub->id = ++p->nseen;
	}
	sub->base = add_element(p, row, label, st);
	if (sub->base == NULL)
		return;
	if (sub->marked &&
	    conf_arena_mark(p->arena, row, label, st->place) == -1)
		no_memory(p);
	set_defaults(p, sub->block, sub->base);
	next(p);
	parse_block(p, sub);
	check_required(p, sub);
}

/* At `{`.  A block without a label may be opened again, as each of several
 * included files may add to it; its keys are still only once there. */
static void
enter_block(struct parser *p, const struct scope *in,
    const struct conf_row *row, const struct statement *st)
{
	struct scope sub = { .base = in->base, .label = in->label,
	    .marked = in->marked, .instance = p->instance,
	    .place = st->place };
	struct seen *s;
	bool again;

	block_name(row, sub.block);
	if (row->type != CONF_BLOCK) {
		enter_labelled(p, in, row, st, &sub);
		return;
	}
	s = see(p, in->id, row->key, "", st->place, &again);
	if (s == NULL)
		return;
	sub.id = s->id;
	next(p);
	parse_block(p, &sub);
}

/* What is written and what the row wants must be of one shape. */
static bool
shape_ok(struct parser *p, const struct conf_row *row,
    const struct statement *st)
{
	bool block = row->type == CONF_BLOCK, open = p->tok.kind == CONF_TOK_OPEN;
	bool labelled = row->type == CONF_LABELLED || row->type == CONF_DOMAINS;
	char allowed[200];

	if (labelled ? open && st->has_label : block ? open && !st->has_label :
	    !open && !st->has_label)
		return true;
	conf_row_allowed(row, allowed, sizeof allowed);
	if (labelled)
		conf_error(p->notes, st->place, "`%s` is written as %s \"%s\" "
		    "{ ... }", row->key, row->key,
		    row->type == CONF_DOMAINS ? "example.org" : "name");
	else if (block)
		conf_error(p->notes, st->place, "`%s` is written as %s { ... }",
		    row->key, row->key);
	else
		conf_error(p->notes, st->place, "`%s` is no block: write %s = "
		    "VALUE; allowed: %s", row->key, row->key, allowed);
	return false;
}

static void
run_statement(struct parser *p, const struct scope *in,
    const struct statement *st)
{
	const struct conf_row *row = conf_row_find(in->block, st->key);

	if (row == NULL || row->type == CONF_LATER || !shape_ok(p, row, st)) {
		if (row == NULL)
			unknown_key(p, in, st);
		else if (row->type == CONF_LATER)
			conf_error(p->notes, st->place, "`%s` is not supported "
			    "in this version", st->key);
		skip_statement(p);
		return;
	}
	if (p->tok.kind == CONF_TOK_OPEN)
		enter_block(p, in, row, st);
	else
		set_key(p, in, row, st);
}

static void
parse_statement(struct parser *p, const struct scope *in)
{
	struct statement st = { .place = here(p), .label = SPAN_NONE };
	struct conf_item label;

	if (p->tok.kind != CONF_TOK_WORD) {
		unexpected(p, "expected a key or a block's name");
		goto skip;
	}
	span_copy(p->tok.text, st.key, sizeof st.key);
	next(p);
	if (strcmp(st.key, "include") == 0) {
		conf_error(p->notes, st.place, "an include stands on a line "
		    "of its own and names files in quotes: include "
		    "\"conf.d/*.conf\"");
		goto skip;
	}
	if (p->tok.kind == CONF_TOK_STRING && take_item(p, &label)) {
		st.has_label = true;
		st.label = label.text;
		st.label_place = label.place;
	}
	if (p->tok.kind != CONF_TOK_OPEN &&
	    (p->tok.kind != CONF_TOK_EQUALS || st.has_label)) {
		unexpected(p, st.has_label ? "expected `{` after the label" :
		    "expected `=` or `{` after the key");
		goto skip;
	}
	run_statement(p, in, &st);
	if (p->tok.kind == CONF_TOK_END || p->tok.kind == CONF_TOK_CLOSE ||
	    p->tok.kind == CONF_TOK_EOF)
		return;
	unexpected(p, "a statement ends at the end of its line or at `;`");
skip:
	skip_statement(p);
}

/* Until the `}` that closes this block, or the end of all files. */
static void
parse_block(struct parser *p, const struct scope *in)
{
	for (;;) {
		switch (p->tok.kind) {
		case CONF_TOK_END:
			next(p);
			break;
		case CONF_TOK_EOF:
			if (!in->top && !p->broken)
				conf_error(p->notes, in->place, "this block is "
				    "never closed by `}`");
			return;
		case CONF_TOK_CLOSE:
			if (in->top)
				conf_error(p->notes, here(p),
				    "a `}` with no block open");
			else if (in->instance != p->instance)
				conf_error(p->notes, here(p), "this `}` closes "
				    "a block that was opened in another file, "
				    "at %s:%u:%u", in->place.file,
				    in->place.line, in->place.column);
			next(p);
			if (!in->top)
				return;
			break;
		default:
			parse_statement(p, in);
		}
	}
}

/* ---- what is known only at the end ---- */

static int
accept_compare(const void *a, const void *b)
{
	return strcmp(((const struct conf_accept *)a)->pattern,
	    ((const struct conf_accept *)b)->pattern);
}

static int
domain_compare(const void *a, const void *b)
{
	return strcmp(((const struct conf_relay_domain *)a)->pattern,
	    ((const struct conf_relay_domain *)b)->pattern);
}

static void
default_listens(struct parser *p)
{
	struct conf_listen *v = conf_arena_get(p->arena, 2 * sizeof *v);

	if (v == NULL) {
		no_memory(p);
		return;
	}
	v[0].label = "loopback";
	v[1].label = "loopback6";
	addr_parse(SPAN_LIT("127.0.0.1:25"), 25, &v[0].address);
	addr_parse(SPAN_LIT("[::1]:25"), 25, &v[1].address);
	p->conf->listens = v;
	p->conf->nlistens = 2;
}

/* Never an open relay by omission: without relay-from only loopback clients,
 * and those only where nobody else can reach the socket. */
static void
default_relay_from(struct parser *p, struct conf_listen *l)
{
	struct prefix *v = conf_arena_get(p->arena, 2 * sizeof *v);

	if (v == NULL) {
		no_memory(p);
		return;
	}
	l->relay_from = v;
	if (!addr_is_loopback(&l->address))
		return;
	prefix_parse(SPAN_LIT("127.0.0.0/8"), &v[0]);
	prefix_parse(SPAN_LIT("::1"), &v[1]);
	l->nrelay_from = 2;
}

/* "0.0.0.0" takes all of IPv4, "[::]" all there is. */
static bool
covers(const struct addr *a, const struct addr *b)
{
	static const uint8_t any[16];

	return a->port == b->port && (addr_same_ip(a, b) ||
	    (memcmp(a->ip, any, sizeof any) == 0 &&
	    (a->family == 6 || b->family == 4)));
}

static void
check_listen(struct parser *p, const struct conf_listen *l,
    const struct conf_listen *first)
{
	struct conf_place at, other;
	char text[ADDR_TEXT_SIZE];

	if (!covers(&l->address, &first->address) &&
	    !covers(&first->address, &l->address))
		return;
	if (!conf_where(p->conf, "listen", "address", l->label, &at))
		conf_where(p->conf, "", "listen", l->label, &at);
	conf_where(p->conf, "", "listen", first->label, &other);
	conf_error(p->notes, at, "listen \"%.64s\" at %.80s:%u:%u has %s or "
	    "covers it; one address can be listened on once", first->label,
	    other.file, other.line, other.column, addr_text(&l->address, text));
}

static void
finish_listens(struct parser *p)
{
	struct conf *c = p->conf;
	struct conf_place at;

	if (c->nlistens == 0)
		default_listens(p);
	for (size_t i = 0; i < c->nlistens; i++) {
		struct conf_listen *l = &c->listens[i];

		if (l->relay_from == NULL)
			default_relay_from(p, l);
		if (conf_where(c, "", "listen", l->label, &at))
			l->line = at.line;
		for (size_t j = 0; j < i; j++)
			check_listen(p, l, &c->listens[j]);
	}
}

static void
finish_hops(struct conf *c)
{
	if (c->relay.via.port == 0)
		c->relay.via.port = c->relay.port;
	for (size_t i = 0; i < c->naccepts; i++)
		if (c->accepts[i].to.port == 0)
			c->accepts[i].to.port = c->relay.port;
	for (size_t i = 0; i < c->relay.ndomains; i++) {
		struct conf_relay_domain *d = &c->relay.domains[i];

		if (d->via.host == NULL) {
			d->via = c->relay.via;
			d->has_via = c->relay.has_via;
		}
		if (d->via.port == 0)
			d->via.port = c->relay.port;
		if (d->connections == 0)
			d->connections = c->relay.connections;
	}
}

static unsigned
per_core(const struct parser *p, unsigned configured)
{
	unsigned cores = p->bundle.cores == 0 ? 1 : p->bundle.cores;

	if (configured != 0)
		return configured;
	return cores < ROLE_INSTANCES ? cores : ROLE_INSTANCES;
}

static void
finish(struct parser *p)
{
	struct conf *c = p->conf;

	if (c->hostname == NULL)
		c->hostname = conf_arena_str(p->arena, p->bundle.hostname);
	if (c->hostname == NULL)
		no_memory(p);
	finish_listens(p);
	finish_hops(c);
	c->smtpd_processes = per_core(p, c->smtpd_processes);
	c->relay_processes = per_core(p, c->relay_processes);
	/* Sorted for the look-ups of conf.c; order means nothing. */
	if (c->naccepts > 1)
		qsort(c->accepts, c->naccepts, sizeof c->accepts[0],
		    accept_compare);
	if (c->relay.ndomains > 1)
		qsort(c->relay.domains, c->relay.ndomains,
		    sizeof c->relay.domains[0], domain_compare);
}

/* ---- all of it ---- */

static void
run(struct parser *p, struct span bundle)
{
	struct scope top = { .base = p->conf, .top = true, .marked = true };
	char block[BLOCK_NAME];

	if (conf_bundle_open(&p->bundle, bundle) == -1) {
		conf_error(p->notes, (struct conf_place){ p->file, 1, 1 },
		    "the configuration was damaged on its way");
		return;
	}
	/* Keys of blocks without a label lie in struct conf itself. */
	set_defaults(p, "", p->conf);
	for (size_t i = 0; i < conf_nrows; i++)
		if (conf_rows[i].type == CONF_BLOCK) {
			block_name(&conf_rows[i], block);
			set_defaults(p, block, p->conf);
		}
	if (next_part(p)) {
		p->conf->file = p->file;
		next(p);
		parse_block(p, &top);
	}
	finish(p);
}

struct conf *
conf_parse(struct span bundle, struct conf_notes *notes)
{
	struct conf_arena *arena = conf_arena_new();
	struct parser *p = calloc(1, sizeof *p);
	size_t before = notes->nerrors;
	struct conf *c = NULL;

	if (arena != NULL)
		c = conf_arena_get(arena, sizeof *c);
	if (c == NULL || p == NULL) {
		conf_error(notes, (struct conf_place){ "", 1, 1 }, "no memory");
		goto done;
	}
	*p = (struct parser){ .conf = c, .arena = arena, .notes = notes,
	    .file = "" };
	c->arena = arena;
	c->file = "";
	run(p, bundle);
	tdestroy(p->seen, seen_keep);
	free(p->items);
done:
	free(p);
	if (c == NULL || notes->nerrors > before) {
		conf_arena_free(&arena);
		return NULL;
	}
	return c;
}
