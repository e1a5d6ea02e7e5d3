/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/peer_impl.h - what the files of `sealane peer` share; for cli/peer*.c
 * alone. */
#ifndef CLI_PEER_IMPL_H
#define CLI_PEER_IMPL_H

#include "cli/cli.h"

/* Asks policy; `more`, which may be NULL, goes into the request and its
 * reference is taken.  A line of the answer that has a name comes to *answer.
 * An exit code; when it is not CLI_OK, why was said. */
int	cli_ask_of_peer(const struct conf *, const char *cmd, const char *name,
	    json_t *more, json_t **answer);

/* argv[0] is the action. */
int	cli_peer_except(const struct conf *, int argc, char **argv);

#endif
