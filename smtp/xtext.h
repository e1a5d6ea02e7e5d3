/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/xtext.h - xtext, RFC 3461 sec 4: text in which +HH stands for a byte. */
#ifndef SMTP_XTEXT_H
#define SMTP_XTEXT_H

#include "base/span.h"

/* -1: no hexadecimal digit.  Capitals are asked for, and not always sent. */
int	smtp_hex_digit(char);

/* Into `out`, which has room for in.n bytes: *n bytes of printable ASCII, with
 * `beyond` any bytes above it as well.  False when it is none, or nothing. */
bool	smtp_xtext_decode(struct span in, bool beyond, char *out, size_t *n);

#endif
