/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/gunzip.h - gzip (RFC 1952), read in pieces or at once. */
#ifndef REPORT_GUNZIP_H
#define REPORT_GUNZIP_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/fault.h"

struct gunzip;

bool	gunzip_is(struct span head);		/* begins as gzip does */

struct gunzip	*gunzip_new(void);		/* NULL: no memory */
void		 gunzip_free(struct gunzip **);

/* Inflates from *in, which goes on behind what was used, into out[0..size).
 * Members that follow each other are one stream.  Returns the bytes made; 0
 * when all of *in is used and more is needed; -1 with a fault. */
long	gunzip_more(struct gunzip *, struct span *in, char *out, size_t size,
	    struct fault *);
/* The stream may end here: all begun members are whole. */
bool	gunzip_whole(const struct gunzip *);

/* All of `in`; more than `out` may hold is a fault, as what is damaged is.
 * Memory is bounded by out's own bound. */
int	gunzip_all(struct span in, struct buf *out, struct fault *);

#endif
