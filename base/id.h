/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/id.h - message and session ids: 16 characters of lower-case base32
 * (RFC 4648 sec 6), 48 bits of wall-clock milliseconds and 32 random bits, so
 * that they sort by age and two of them never meet. */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdint.h>

#include "base/span.h"

#define ID_LEN	16
#define ID_SIZE	17

void	id_make(uint64_t now_wall_ms, char out[ID_SIZE]);
bool	id_valid(struct span);

#endif
