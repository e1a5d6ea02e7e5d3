/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/chance.h - random order for spreading load: repeatable from its seed,
 * and no secret. */
#ifndef BASE_CHANCE_H
#define BASE_CHANCE_H

#include <stddef.h>
#include <stdint.h>

/* The seed moves on with each number. */
uint64_t	chance_next(uint64_t *seed);

/* `n` elements of `size` bytes, at most CHANCE_ELEMENT, in random order. */
#define CHANCE_ELEMENT	512
void		chance_shuffle(void *v, size_t n, size_t size, uint64_t *seed);

#endif
