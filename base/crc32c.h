/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/crc32c.h - CRC-32C (Castagnoli), RFC 3720 appendix B.4.
 * For accidents (torn writes, rotten bits); it is no defence against somebody
 * who may write the file. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Go on from `crc` (0 at the start): crc32c(crc32c(0, a), b) equals the sum
 * over a and b in one piece. */
uint32_t	crc32c(uint32_t crc, const void *, size_t);

/* The table version alone, so that a test can hold both against each other. */
uint32_t	crc32c_table(uint32_t crc, const void *, size_t);

#endif
