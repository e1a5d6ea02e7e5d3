/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "tests/unit/allocs.h"

unsigned allocs_seen, allocs_fail;
bool allocs_all;

void	*__wrap_malloc(size_t);
void	*__wrap_calloc(size_t, size_t);
void	*__wrap_realloc(void *, size_t);

static bool
fails(void)
{
	unsigned n = __atomic_add_fetch(&allocs_seen, 1, __ATOMIC_RELAXED);

	return n == allocs_fail || (allocs_all && n > allocs_fail);
}

void *
__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}
