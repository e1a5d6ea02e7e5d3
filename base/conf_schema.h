/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_schema.h - every key that a configuration may hold, once.
 *
 * Parser, range checks, defaults, error texts and the key table of the man
 * page read these rows; a new key is one new row and one new member of struct
 * conf.  Keys that are part of the language but not of this version have rows
 * too, so that they are told apart from misspelt ones. */
#ifndef BASE_CONF_SCHEMA_H
#define BASE_CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_type {
	CONF_BLOCK,	/* key { } */
	CONF_LABELLED,	/* key "name" { }, an array; min, max: how many */
	CONF_DOMAINS,	/* key "pattern" { }, as CONF_LABELLED */
	CONF_NETWORKS,	/* key "192.0.2.0/24" { }, as CONF_LABELLED */
	CONF_LATER,	/* not supported in this version: key or block */
	CONF_BOOL,	/* bool */
	CONF_NUMBER,	/* unsigned integer of `size` bytes */
	CONF_SIZE,	/* bytes, uint64_t */
	CONF_DURATION,	/* milliseconds, uint64_t */
	CONF_WORD,	/* one of `words`, as an enum in their order from `min` */
	CONF_HOST,	/* const char *, a domain as A-labels */
	CONF_PATH,	/* const char *, absolute; max: most bytes */
	CONF_PATH_OPT,	/* the same, or "" */
	CONF_FILE,	/* the same, or credential:NAME: for conf_open_file() */
	CONF_ADDRESS,	/* struct addr with a port */
	CONF_PREFIXES,	/* list: struct prefix * at offset, size_t at offset2 */
	CONF_HOST_OPT,	/* the same, or "" */
	CONF_MAILBOX_OPT, /* const char *, local@domain in ASCII, or "" */
	CONF_HOP,	/* struct conf_hop: smtp:..., lmtp:..., discard: */
	CONF_RECIPIENTS, /* enum at offset, const char * of file: at offset2 */
	CONF_VIA,	/* struct conf_hop at offset, bool at offset2 */
	CONF_SOURCES,	/* list: struct addr of IPv4 at offset, of IPv6 at
			   offset2; bool that it was written at `label` */
	CONF_SERVERS,	/* list: const char ** "ip@port", size_t at offset2 */
	CONF_NAMES,	/* list: const char ** of A-labels, size_t at offset2 */
	CONF_TYPES
};

struct conf_row {
	const char	*block;		/* "", "listen", "accept.domain", ... */
	const char	*key;
	enum conf_type	 type;
	uint64_t	 min, max;	/* in the unit of the type */
	const char	*words;		/* allowed, "a|b|c" */
	const char	*later;		/* allowed later; "x:" stands for x:... */
	const char	*deflt;		/* as written in a file; NULL: see below */
	const char	*deflt_text;	/* where the default is no constant */
	/* Leaving the key out is an error, and this is its text. */
	const char	*required;
	const char	*help;		/* one or more sentences, for the man page */
	size_t		 offset, offset2, size;	/* in the struct of the block */
	size_t		 label;		/* of the label in an array's element */
};

extern const struct conf_row	conf_rows[];
extern const size_t		conf_nrows;

/* NULL when there is none. */
const struct conf_row	*conf_row_find(const char *block, const char *key);

/* What a value may be, in words: `a size from 1K to 2G, such as 50M`. */
void	conf_row_allowed(const struct conf_row *, char *out, size_t size);

/* 65536 as 64K, 90000 as 90s: the largest unit that divides it. */
#define CONF_UNIT_TEXT	32
const char	*conf_size_text(uint64_t bytes, char out[CONF_UNIT_TEXT]);
const char	*conf_duration_text(uint64_t ms, char out[CONF_UNIT_TEXT]);

#endif
