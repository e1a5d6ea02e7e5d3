/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/replay/script.h - scripts of acts and expectations, one a line: a word
 * of a table, a space, and what the word is about.  Empty lines say nothing;
 * what begins with # is for people, and names an RFC and its section. */
#ifndef TESTS_REPLAY_SCRIPT_H
#define TESTS_REPLAY_SCRIPT_H

#include <stdbool.h>

#include "base/buf.h"

#define SCRIPT_LINE	4096	/* bytes of one */

struct script_act {
	const char	*word;
	void		(*run)(const char *arg);	/* the line's rest */
};

/* Plays all lines of a file; false if script_leave() was called. */
bool	script_play(const char *file, const struct script_act *, size_t n);
void	script_leave(void);		/* no more lines of this one */
extern const char *script_way;		/* of playing, behind each complaint */

/* Says file and line, and ends the process. */
void	wrong(const char *, ...) __attribute__((format(printf, 1, 2), noreturn));

/* \r \n \t \0 \\ \xHH */
void	unescape(const char *, struct buf *);

#endif
