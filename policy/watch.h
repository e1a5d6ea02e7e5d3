/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/watch.h - relay's reports of peers, what memory makes of them, and
 * what it says of a host when a route is made.  What should not be becomes a
 * finding: an event in the log, a row in policy.db, a line for who follows. */
#ifndef POLICY_WATCH_H
#define POLICY_WATCH_H

#include "base/ipc/ipc.h"
#include "policy/classify.h"
#include "policy/exceptions.h"
#include "policy/memory.h"

struct watch {
	struct memory	*memory;
	struct findings	*findings;
	struct exceptions *exceptions;	/* NULL: none can be made */
	struct clues	 clues;
	uint64_t	 (*wall_s)(void *ctx);
	void		 (*found)(void *ctx, const struct finding_row *);
	void		*ctx;
	uint64_t	 failed;	/* look-ups and reports, since it worked */
};

/* What is known of `host` and of `domain`, and what follows: 0, or -1 and
 * nothing is known. */
struct watch_known {
	struct peer	host, domain;
	struct loss	loss;
	enum recall	recall;
};
int	watch_look_up(struct watch *, const char *host, const char *domain,
	    uint64_t now, struct watch_known *);
/* The same for people; NULL: it cannot be read, or no memory. */
json_t	*watch_json(struct watch *, const char *host, const char *domain);

/* What memory asks of `host` as one of `domain`'s, both names or IP text.
 * Where it cannot be read, nothing: mail is not held for a broken disk, which
 * the log tells of. */
enum recall	watch_recall(struct watch *, const char *host,
		    const char *domain);

/* What is asked of mail along these names, NULL at their end, is lowered by an
 * exception that holds now: of the first that has one. */
bool	watch_excepted(struct watch *, const char *const names[],
	    struct exception *);
json_t	*exception_json(const struct exception *);	/* NULL: no memory */

/* Names that no DNS could have given are not taken; they are a relay's fault. */
void	watch_seen(struct watch *, const struct ipc_peer_seen *);
void	watch_lost(struct watch *, const struct ipc_peer_lost *);
void	watch_tick(struct watch *);

#endif
