/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/relay.h - the role that sends mail: jobs in from queue, outcomes back,
 * facts to ledger.  It connects only to addresses that a job's route names;
 * it asks no DNS and opens no file. */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "base/role.h"

extern const struct role_ops relay_ops;

#endif
