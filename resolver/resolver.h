/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* resolver/resolver.h - the role that alone speaks DNS: answers DNS_ASK from
 * policy.  It holds nothing that matters beyond its caches, so that it can be
 * killed at any moment; policy then asks the other one. */
#ifndef RESOLVER_RESOLVER_H
#define RESOLVER_RESOLVER_H

#include "base/role.h"

extern const struct role_ops	resolver_ops;

#endif
