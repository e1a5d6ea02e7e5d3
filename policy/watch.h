/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/watch.h - relay's reports of peers, what memory makes of them, and
 * what it says of a host when a route is made. */
#ifndef POLICY_WATCH_H
#define POLICY_WATCH_H

#include "base/ipc/ipc.h"
#include "policy/memory.h"

struct watch {
	struct memory	*memory;
	uint64_t	 (*wall_s)(void *ctx);
	void		*ctx;
	uint64_t	 failed;	/* look-ups and reports, since it worked */
};

/* What memory asks of `host` as one of `domain`'s, both names or IP text.
 * Where it cannot be read, nothing: mail is not held for a broken disk, which
 * the log tells of. */
enum recall	watch_recall(struct watch *, const char *host,
		    const char *domain);

/* Names that no DNS could have given are not taken; they are a relay's fault. */
void	watch_seen(struct watch *, const struct ipc_peer_seen *);
void	watch_lost(struct watch *, const struct ipc_peer_lost *);
void	watch_tick(struct watch *);

#endif
