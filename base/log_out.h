/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/log_out.h - where lines of the log go, and that nobody waits for it.
 * Private to base/log.c.
 *
 * What a pipe or a log daemon does not take at once is kept, up to LOG_BACKLOG
 * bytes, and offered again by log_flush(); what comes on top of that is
 * dropped and counted. */
#ifndef BASE_LOG_OUT_H
#define BASE_LOG_OUT_H

#include <stdbool.h>

#include "base/span.h"

#define LOG_BACKLOG	(256 * 1024)

/* From now on to `fd`, which is taken, or to nobody yet (-1).  `datagrams`: each
 * line is one, and whoever read them may go away; else it is a stream.  At
 * start: standard error. */
void	log_out_to(int fd, bool datagrams);
void	log_out_put(struct span line);
/* The same for signal handlers: what is not taken at once is dropped. */
void	log_out_now(struct span line);

#endif
