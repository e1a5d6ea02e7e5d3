/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* ledger/ledger.h - the role that keeps the history of hops: facts of sessions
 * and deliveries go into state/ledger.db, in batches of at most a second.
 *
 * It never holds up mail.  Facts come in messages that their sender drops and
 * counts when the link is full; what is lost on the way or here becomes a row
 * of its own, so that no report hides it. */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "base/role.h"

extern const struct role_ops	ledger_ops;

#endif
