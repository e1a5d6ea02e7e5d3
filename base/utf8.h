/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/utf8.h - UTF-8 as RFC 3629 has it: no surrogates, no overlong forms,
 * nothing above U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdint.h>

#include "base/span.h"

/* Bytes of the character at the front, 0 when there is none; *code, unless
 * NULL, becomes its number. */
size_t	utf8_take(struct span, uint32_t *code);
/* Well-formed from end to end. */
bool	utf8_valid(struct span);
/* Any byte that is not ASCII. */
bool	utf8_any(struct span);
/* The character as bytes; their number, 0 when `code` is none. */
size_t	utf8_put(uint32_t code, char out[4]);

#endif
