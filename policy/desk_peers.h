/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/desk_peers.h - what people may ask and say of a peer; for policy/desk.c,
 * whose header has the requests.  Each answers or refuses at once. */
#ifndef POLICY_DESK_PEERS_H
#define POLICY_DESK_PEERS_H

#include <jansson.h>

#include "base/control.h"
#include "policy/watch.h"

void	desk_peer(struct watch *, struct control_client *, const json_t *);
void	desk_except(struct watch *, struct control_client *, const json_t *);
void	desk_except_end(struct watch *, struct control_client *,
	    const json_t *);
void	desk_exceptions(struct watch *, struct control_client *,
	    const json_t *);
void	desk_forget(struct watch *, struct control_client *, const json_t *);

#endif
