/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/allocs.h - an allocation of Sealane's own code that fails.
 * The linker sends all of them to allocs.c (--wrap); the compiler reads this
 * file first in the test's own files, whose allocations do not count. */
#ifndef TESTS_ALLOCS_H
#define TESTS_ALLOCS_H

#include <stdbool.h>
#include <stdlib.h>

void	*__real_malloc(size_t);
void	*__real_calloc(size_t, size_t);
void	*__real_realloc(void *, size_t);

/* Counted so far; and the one that fails, from 1, 0 none. */
extern unsigned allocs_seen, allocs_fail;
extern bool allocs_all;			/* and all behind it */

#define malloc	__real_malloc
#define calloc	__real_calloc
#define realloc	__real_realloc

#endif
