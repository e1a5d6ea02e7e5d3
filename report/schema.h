/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/schema.h - the tables of ledger.db: the role `ledger` makes and fills
 * them, reports read them, without the role.  Why they look like this:
 * docs/decisions/0002-ledger.md. */
#ifndef REPORT_SCHEMA_H
#define REPORT_SCHEMA_H

#include <stdbool.h>

#include "base/span.h"

#define LEDGER_FILE		"ledger.db"	/* in conf->state_directory */
#define LEDGER_SCHEMA_VERSION	2		/* PRAGMA user_version */

/* One per version, for db_open_writer(). */
extern const char *const	report_migrations[LEDGER_SCHEMA_VERSION];

/* delivery.status; stored, so the numbers never change. */
enum ledger_status {
	LEDGER_ACCEPTED = 1,	/* in: we took responsibility, 250 */
	LEDGER_SENT = 2,	/* out: the next hop did */
	LEDGER_DEFERRED = 3,
	LEDGER_FAILED = 4,
};
bool	report_status_parse(struct span, enum ledger_status *);

#endif
