/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* resolver/engine.h - libunbound as a dns/lookup.h: validates, caches, answers
 * every question within its deadline.  No thread, no fork, no stale answers.
 * Settings are fixed for its life; other settings are another engine. */
#ifndef RESOLVER_ENGINE_H
#define RESOLVER_ENGINE_H

#include "base/fault.h"
#include "base/loop.h"
#include "dns/lookup.h"

#define ENGINE_DEADLINE_MS	10000
#define ENGINE_QUERIES_MAX	8192	/* under way at once; ask() is NULL then */

struct engine_settings {
	/* NULL: validates nothing, and everything is at best insecure.  Likewise
	 * when it is not readable, which is said in the log as an error, once,
	 * because mail must go on. */
	const char	 *trust_anchor_file;
	const char	 *root_hints;		/* "": libunbound's own */
	const char	**forward;		/* "192.0.2.53@53"; none: recurse */
	size_t		  nforward;
	uint64_t	  deadline_ms;		/* per question */
};

struct engine;

/* Reads its files here, before isolation is switched on.  NULL with a fault:
 * a file or an address that libunbound refuses. */
struct engine	*engine_new(struct loop *, const struct engine_settings *,
		    struct fault *);
/* Questions still under way are dropped; their callbacks do not run. */
void		 engine_free(struct engine **);

struct dns_lookup	 engine_lookup(struct engine *);
size_t			 engine_pending(const struct engine *);

#endif
