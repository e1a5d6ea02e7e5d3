/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/policy.h - the role that says where mail goes and how it must be
 * protected on the way: ROUTE_ASK from queue becomes a ROUTE.  It has no
 * network; what it knows of the DNS comes from the resolver processes. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/role.h"

extern const struct role_ops	policy_ops;

#endif
