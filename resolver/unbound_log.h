/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* resolver/unbound_log.h - what libunbound would print to stderr becomes log
 * events, a few a second at most. */
#ifndef RESOLVER_UNBOUND_LOG_H
#define RESOLVER_UNBOUND_LOG_H

#include <stdio.h>

struct unbound_log;

struct unbound_log	*unbound_log_new(void);		/* NULL: no memory */
FILE			*unbound_log_stream(struct unbound_log *);
/* The last thing it said, "" if nothing; until the next line. */
const char		*unbound_log_last(const struct unbound_log *);
void			 unbound_log_free(struct unbound_log **);

#endif
