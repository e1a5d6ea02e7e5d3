/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* ledger/schema.h - what readers of ledger.db may rely on.  Why it looks like
 * this: docs/decisions/0002-ledger.md. */
#ifndef LEDGER_SCHEMA_H
#define LEDGER_SCHEMA_H

#include <stdbool.h>

#include "base/span.h"

#define LEDGER_FILE		"ledger.db"	/* in conf->state_directory */
#define LEDGER_SCHEMA_VERSION	1		/* PRAGMA user_version */

/* One per version, for db_open_writer(). */
extern const char *const	ledger_migrations[LEDGER_SCHEMA_VERSION];

/* delivery.status; stored, so the numbers never change. */
enum ledger_status {
	LEDGER_ACCEPTED = 1,	/* in: we took responsibility, 250 */
	LEDGER_SENT = 2,	/* out: the next hop did */
	LEDGER_DEFERRED = 3,
	LEDGER_FAILED = 4,
};
bool	ledger_status_parse(struct span, enum ledger_status *);

#endif
