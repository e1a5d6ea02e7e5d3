/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/honesty_store.h - what is known of the resolvers' honesty, kept in
 * policy.db: one row. */
#ifndef POLICY_HONESTY_STORE_H
#define POLICY_HONESTY_STORE_H

#include "base/db.h"
#include "policy/honesty.h"

/* Nothing is known when there is no row.  0, or -1 with a fault. */
int	honesty_load(struct db *, struct honesty *, struct fault *);
int	honesty_save(struct db *, const struct honesty *, struct fault *);

#endif
