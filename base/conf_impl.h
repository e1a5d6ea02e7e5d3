/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_impl.h - what the conf_*.c files share; nobody else includes it.
 *
 * The way of a configuration: conf_read.c reads files and replaces each
 * include by the parts of the files it names; conf_parse.c walks the parts as
 * one token stream (conf_lex.c) and lets conf_value.c check each value against
 * its row of conf_schema.c. */
#ifndef BASE_CONF_IMPL_H
#define BASE_CONF_IMPL_H

#include "base/conf.h"
#include "base/conf_schema.h"

#define CONF_STRING_MAX	1024	/* bytes of one string, escapes undone */
#define CONF_CREDENTIAL	"credential:"	/* of a CONF_FILE, ahead of its name */
#define CONF_PATH_SIZE	4096
#define CONF_WORD_MAX	64	/* of a key or an unquoted value */
#define CONF_ITEMS_MAX	4096	/* of one list */
#define CONF_NOTES_MAX	100	/* then parsing stops */
#define CONF_FILE_MAX	(1u << 20)
#define CONF_FILES_MAX	256
#define CONF_DEPTH_MAX	8	/* of includes */
#define CONF_TABLE_MAX	(64u << 20)	/* bytes of one list of recipients */
#define CONF_TABLES_BYTES (128u << 20)	/* and of all of them */
#define CONF_TABLES_MAX	1000

/* ---- memory ---- */

struct conf_arena	*conf_arena_new(void);
void	*conf_arena_get(struct conf_arena *, size_t n);	/* zeroed; NULL: no memory */
char	*conf_arena_str(struct conf_arena *, struct span);
/* Takes a block, which goes with the arena: malloc'd, or so many bytes of
 * mmap().  -1: no memory. */
int	conf_arena_adopt(struct conf_arena *, void *, size_t mapped);
/* One more conf_arena_free() until the memory is given back. */
void	 conf_arena_hold(struct conf_arena *);
void	 conf_arena_free(struct conf_arena **);

/* Where a key was written, for conf_review() and `check`.  Not kept inside of
 * accept.domain and relay.domain, of which there may be very many. */
int	conf_arena_mark(struct conf_arena *, const struct conf_row *,
	    const char *label, struct conf_place);

/* ---- notes ---- */

/* The file's bytes for a message: bounded, no control bytes. */
#define CONF_SHOW_SIZE	56
const char	*conf_show(struct span, char out[CONF_SHOW_SIZE]);

/* ---- lexer (conf_lex.c) ---- */

enum conf_token_kind {
	CONF_TOK_EOF, CONF_TOK_END /* of a statement */, CONF_TOK_WORD,
	CONF_TOK_STRING, CONF_TOK_EQUALS, CONF_TOK_OPEN, CONF_TOK_CLOSE,
	CONF_TOK_LIST, CONF_TOK_LIST_END, CONF_TOK_COMMA, CONF_TOK_BAD,
};

struct conf_token {
	enum conf_token_kind kind;
	struct span	 text;		/* word or string; until the next token */
	const char	*bad;		/* CONF_TOK_BAD: what is wrong */
	size_t		 start, end;	/* in the lexer's text */
	unsigned	 line, column;
};

struct conf_lexer {
	struct span	 text;
	size_t		 at;
	unsigned	 line, column;	/* of the byte at `at`; column in characters */
	char		 string[CONF_STRING_MAX];
};

void	conf_lex_start(struct conf_lexer *, struct span, unsigned line,
	    unsigned column);
void	conf_lex_next(struct conf_lexer *, struct conf_token *);

/* ---- bundles (conf_bundle.c) ---- */

#define CONF_BUNDLE_MAGIC	"sealane-conf 1\n"

struct conf_bundle {
	struct span	 rest;
	struct span	 hostname;	/* of the machine */
	unsigned	 cores;
	struct span	 aside;		/* a directory, or nothing */
};

/* A run of text from one file, between its includes. */
struct conf_part {
	struct span	 file, text;
	unsigned	 line, column;
	unsigned	 instance;	/* the same for all parts of one reading */
};

int	conf_bundle_open(struct conf_bundle *, struct span);
int	conf_bundle_next(struct conf_bundle *, struct conf_part *);	/* 1, 0 end, -1 */
/* Behind the last part. */
int	conf_bundle_table(struct conf_bundle *, struct span *path,
	    struct span *table);				/* 1, 0 end, -1 */

/* Read up to the buffer's bound, whatever fstat said before. */
int	conf_slurp(int fd, struct buf *);

/* ---- values (conf_value.c, names in conf_name.c) ---- */

enum conf_value_kind { CONF_VAL_WORD, CONF_VAL_STRING, CONF_VAL_LIST };

struct conf_item {
	enum conf_value_kind kind;
	struct span	 text;
	struct conf_place place;
};

struct conf_value {
	struct conf_item	 self;		/* kind LIST: text empty */
	const struct conf_item	*items;
	size_t			 nitems;
};

/* Check `v` against its row and store it into the struct at `base`.  -1 with
 * an error among the notes, or without one when there is no memory. */
int	conf_value_set(const struct conf_row *, const struct conf_value *,
	    void *base, struct conf_arena *, struct conf_notes *);

/* A domain as lower-case A-labels; `pattern` also allows "*." and "*".
 * Returns the length, 0 when it is none. */
size_t	conf_domain(struct span, bool pattern, char out[256]);

/* A next hop as in `to`, or as in `via`, where "smtp:" is left out.  Its host
 * goes to `name` (h->host stays NULL); port 0 stands for the default, which is
 * known when all was read.  False with a hint, which may be "". */
#define CONF_UNIX_PATH_MAX	107	/* sun_path with its NUL has 108 */
bool	conf_hop_parse(struct span, bool via, struct conf_hop *,
	    char name[256], const char **hint);

/* "; did you mean `x`?" for the nearest of "a|b|c", or "". */
#define CONF_HINT_SIZE	80
void	conf_hint_start(char out[CONF_HINT_SIZE], unsigned *best);
void	conf_hint_try(struct span word, struct span candidate, unsigned *best,
	    char out[CONF_HINT_SIZE]);

#endif
