/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_parser.h - the state of one parse, and its parts to each other:
 * conf_stream.c (tokens and values off the bundle), conf_parse.c (statements
 * and blocks), conf_finish.c (what is known only at the end). */
#ifndef BASE_CONF_PARSER_H
#define BASE_CONF_PARSER_H

#include "base/conf_impl.h"

struct conf_parser {
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

/* ---- conf_stream.c ---- */

/* Says so once and ends the parse. */
void	conf_no_memory(struct conf_parser *);

/* The next token, over the borders of parts; each part begins behind an END,
 * as an include stands alone.  EOF for good when the parse is broken. */
void	conf_next(struct conf_parser *);
bool	conf_next_part(struct conf_parser *);
struct conf_place	conf_here(const struct conf_parser *);

/* Complain about the token at hand: "expected a value, not `}`". */
void	conf_unexpected(struct conf_parser *, const char *wanted);

/* To the end of the statement, over blocks and lists in it.  A `}` that
 * closes the block around it stays. */
void	conf_skip_statement(struct conf_parser *);

/* A word or string; a value.  False with a complaint, but for an item that is
 * none, which is left to the caller.  A list is good until the next one. */
bool	conf_take_item(struct conf_parser *, struct conf_item *);
bool	conf_take_value(struct conf_parser *, struct conf_value *);

/* ---- conf_finish.c ---- */

/* Defaults that depend on other keys, checks between blocks, sorting. */
void	conf_finish(struct conf_parser *);

#endif
