/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/words.h - texts that are kept once, however many hold them: 100,000
 * messages that wait for a dead host have the same last answer. */
#ifndef QUEUE_WORDS_H
#define QUEUE_WORDS_H

#include "base/span.h"

struct words;

/* Each get has its put.  NULL: no memory. */
const struct words	*words_get(struct span);
void			 words_put(const struct words *);	/* NULL: nothing */
struct span		 words_text(const struct words *);
size_t			 words_kept(void);	/* different texts */

#endif
