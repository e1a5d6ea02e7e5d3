/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/base64.h - bytes as text, RFC 4648 sec 4: how bytes that are no UTF-8
 * travel in JSON.  Pure. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

/* Appends.  0, or -1: no room. */
int	base64_put(struct buf *, struct span bytes);
/* The same the other way.  -1 also for what is not exactly base64: another
 * letter, wrong padding, bits left over. */
int	base64_get(struct buf *, struct span text);

#endif
