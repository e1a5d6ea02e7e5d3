/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/policy_ask.h - whom a command asks about routes and policies: the relay
 * that runs or, without one, a start aside (parent/parent.h), which ends when
 * the command has its answers. */
#ifndef CLI_POLICY_ASK_H
#define CLI_POLICY_ASK_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/conf.h"

struct policy_ask {
	struct control_session	*session;
	pid_t			 pid;		/* of the start aside; 0: none */
	int			 fd;		/* to it */
};

/* CLI_OK, or an exit code when it was said on stderr why there is nobody.
 * With CLI_OK, policy_ask_end() follows. */
int	policy_ask_begin(struct policy_ask *, const struct conf *);
void	policy_ask_end(struct policy_ask *);

/* What would be done with mail for `domain`: the document of policy/trace.h,
 * and in "daemon" whether a running relay said it; the caller's.  NULL when it
 * was said on stderr why not; then *rc has the exit code. */
json_t	*policy_ask_explain(struct policy_ask *, const char *domain, int *rc);

#endif
