/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/route_frame.h - a route as the ROUTE message to queue. */
#ifndef POLICY_ROUTE_FRAME_H
#define POLICY_ROUTE_FRAME_H

#include "base/ipc/ipc.h"
#include "policy/route.h"

#define ROUTE_FRAME_HOSTS_MAX	49152

/* `hosts` (empty, ROUTE_FRAME_HOSTS_MAX at most) holds the list while the
 * message is sent.  0, or -1 when it does not fit. */
int	route_frame_put(const struct route_result *, uint64_t txn,
	    struct buf *hosts, struct ipc_route *);

#endif
