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
#include "base/conf_parser.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>

#define BLOCK_NAME	32	/* "accept.domain" and the like */

/* Something that may be there only once: a key of a scope, or a label. */
struct seen {
	unsigned	 scope;
	const char	*key, *label;
	unsigned	 id;		/* scope of what is inside of it */
	struct conf_place place;
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

static void	parse_block(struct conf_parser *, const struct scope *);

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
see(struct conf_parser *p, unsigned scope, const char *key, const char *label,
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
	conf_no_memory(p);
	return NULL;
}

static void
twice(struct conf_parser *p, const char *key, const char *label,
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
set_default(struct conf_parser *p, const struct conf_row *row, void *base)
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
		conf_no_memory(p);
	}
}

static void
set_defaults(struct conf_parser *p, const char *block, void *base)
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
unknown_key(struct conf_parser *p, const struct scope *in,
    const struct statement *st)
{
	char hint[CONF_HINT_SIZE], list[200] = "";
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
set_key(struct conf_parser *p, const struct scope *in, const struct conf_row *row,
    const struct statement *st)
{
	struct conf_value v;
	struct seen *s;
	bool again;

	conf_next(p);
	if (!conf_take_value(p, &v)) {
		conf_skip_statement(p);
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
		conf_no_memory(p);
	if (conf_value_set(row, &v, in->base, p->arena, p->notes) == -1 &&
	    p->notes->nerrors == 0)
		conf_no_memory(p);
}

/* One spelling, so that a network can't be there twice. */
static bool
conf_network(struct span text, char out[256])
{
	char ip[ADDR_TEXT_SIZE];
	struct prefix p;

	if (!prefix_parse(text, &p))
		return false;
	snprintf(out, 256, "%s/%u", addr_ip_text(&p.addr, ip), p.bits);
	return true;
}

/* The label as it is kept: a name as written, a pattern in A-labels. */
static const char *
take_label(struct conf_parser *p, const struct conf_row *row,
    const struct statement *st)
{
	char name[256], shown[CONF_SHOW_SIZE], allowed[200];
	const char *copy;
	bool ok;

	if (row->type == CONF_DOMAINS)
		ok = conf_domain(st->label, true, name) > 0;
	else if (row->type == CONF_NETWORKS)
		ok = conf_network(st->label, name);
	else
		ok = st->label.n > 0 && st->label.n <= CONF_WORD_MAX &&
		    span_copy(st->label, name, sizeof name);
	if (!ok) {
		conf_row_allowed(row, allowed, sizeof allowed);
		conf_error(p->notes, st->label_place, "%s \"%s\" is no %s; "
		    "allowed: %s", row->key, conf_show(st->label, shown),
		    row->type == CONF_DOMAINS ? "domain" :
		    row->type == CONF_NETWORKS ? "network" : "name", allowed);
		return NULL;
	}
	copy = conf_arena_str(p->arena, span_str(name));
	if (copy == NULL)
		conf_no_memory(p);
	return copy;
}

/* One more element of the row's array, with its defaults.  Arrays double
 * whenever their count is a power of two. */
static void *
add_element(struct conf_parser *p, const struct conf_row *row, const char *label,
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
			conf_no_memory(p);
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
check_required(struct conf_parser *p, const struct scope *in)
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
enter_labelled(struct conf_parser *p, const struct scope *in,
    const struct conf_row *row, const struct statement *st, struct scope *sub)
{
	const char *label = take_label(p, row, st);
	struct seen *s;
	bool again;

	if (label == NULL) {
		conf_skip_statement(p);
		return;
	}
	s = see(p, in->id, row->key, label, st->label_place, &again);
	if (s == NULL)
		return;
	sub->label = label;
	sub->marked = row->type != CONF_DOMAINS;
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
		conf_no_memory(p);
	set_defaults(p, sub->block, sub->base);
	conf_next(p);
	parse_block(p, sub);
	check_required(p, sub);
}

/* At `{`.  A block without a label may be opened again, as each of several
 * included files may add to it; its keys are still only once there. */
static void
enter_block(struct conf_parser *p, const struct scope *in,
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
	conf_next(p);
	parse_block(p, &sub);
}

/* What is written and what the row wants must be of one shape. */
static bool
shape_ok(struct conf_parser *p, const struct conf_row *row,
    const struct statement *st)
{
	bool block = row->type == CONF_BLOCK, open = p->tok.kind == CONF_TOK_OPEN;
	bool labelled = row->type == CONF_LABELLED ||
	    row->type == CONF_DOMAINS || row->type == CONF_NETWORKS;
	char allowed[200];

	if (labelled ? open && st->has_label : block ? open && !st->has_label :
	    !open && !st->has_label)
		return true;
	conf_row_allowed(row, allowed, sizeof allowed);
	if (labelled)
		conf_error(p->notes, st->place, "`%s` is written as %s \"%s\" "
		    "{ ... }", row->key, row->key,
		    row->type == CONF_DOMAINS ? "example.org" :
		    row->type == CONF_NETWORKS ? "192.0.2.0/24" : "name");
	else if (block)
		conf_error(p->notes, st->place, "`%s` is written as %s { ... }",
		    row->key, row->key);
	else
		conf_error(p->notes, st->place, "`%s` is no block: write %s = "
		    "VALUE; allowed: %s", row->key, row->key, allowed);
	return false;
}

static void
run_statement(struct conf_parser *p, const struct scope *in,
    const struct statement *st)
{
	const struct conf_row *row = conf_row_find(in->block, st->key);

	if (row == NULL || row->type == CONF_LATER || !shape_ok(p, row, st)) {
		if (row == NULL)
			unknown_key(p, in, st);
		else if (row->type == CONF_LATER)
			conf_error(p->notes, st->place, "`%s` is not supported "
			    "in this version", st->key);
		conf_skip_statement(p);
		return;
	}
	if (p->tok.kind == CONF_TOK_OPEN)
		enter_block(p, in, row, st);
	else
		set_key(p, in, row, st);
}

static void
parse_statement(struct conf_parser *p, const struct scope *in)
{
	struct statement st = { .place = conf_here(p), .label = SPAN_NONE };
	struct conf_item label;

	if (p->tok.kind != CONF_TOK_WORD) {
		conf_unexpected(p, "expected a key or a block's name");
		goto skip;
	}
	span_copy(p->tok.text, st.key, sizeof st.key);
	conf_next(p);
	if (strcmp(st.key, "include") == 0) {
		conf_error(p->notes, st.place, "an include stands on a line "
		    "of its own and names files in quotes: include "
		    "\"conf.d/*.conf\"");
		goto skip;
	}
	if (p->tok.kind == CONF_TOK_STRING && conf_take_item(p, &label)) {
		st.has_label = true;
		st.label = label.text;
		st.label_place = label.place;
	}
	if (p->tok.kind != CONF_TOK_OPEN &&
	    (p->tok.kind != CONF_TOK_EQUALS || st.has_label)) {
		conf_unexpected(p, st.has_label ? "expected `{` after the label" :
		    "expected `=` or `{` after the key");
		goto skip;
	}
	run_statement(p, in, &st);
	if (p->tok.kind == CONF_TOK_END || p->tok.kind == CONF_TOK_CLOSE ||
	    p->tok.kind == CONF_TOK_EOF)
		return;
	conf_unexpected(p, "a statement ends at the end of its line or at `;`");
skip:
	conf_skip_statement(p);
}

/* Until the `}` that closes this block, or the end of all files. */
static void
parse_block(struct conf_parser *p, const struct scope *in)
{
	for (;;) {
		switch (p->tok.kind) {
		case CONF_TOK_END:
			conf_next(p);
			break;
		case CONF_TOK_EOF:
			if (!in->top && !p->broken)
				conf_error(p->notes, in->place, "this block is "
				    "never closed by `}`");
			return;
		case CONF_TOK_CLOSE:
			if (in->top)
				conf_error(p->notes, conf_here(p),
				    "a `}` with no block open");
			else if (in->instance != p->instance)
				conf_error(p->notes, conf_here(p), "this `}` closes "
				    "a block that was opened in another file, "
				    "at %s:%u:%u", in->place.file,
				    in->place.line, in->place.column);
			conf_next(p);
			if (!in->top)
				return;
			break;
		default:
			parse_statement(p, in);
		}
	}
}

/* ---- all of it ---- */

static void
run(struct conf_parser *p, struct span bundle)
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
	if (conf_next_part(p)) {
		p->conf->file = p->file;
		conf_next(p);
		parse_block(p, &top);
	}
	conf_finish(p);
}

struct conf *
conf_parse(struct span bundle, struct conf_notes *notes)
{
	struct conf_arena *arena = conf_arena_new();
	struct conf_parser *p = calloc(1, sizeof *p);
	size_t before = notes->nerrors;
	struct conf *c = NULL;

	if (arena != NULL)
		c = conf_arena_get(arena, sizeof *c);
	if (c == NULL || p == NULL) {
		conf_error(notes, (struct conf_place){ "", 1, 1 }, "no memory");
		goto done;
	}
	*p = (struct conf_parser){ .conf = c, .arena = arena, .notes = notes,
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
