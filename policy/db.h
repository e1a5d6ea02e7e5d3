/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/db.h - state/policy.db: what the role keeps over restarts.  The
 * tables are in db.c, each with the name of the file that alone uses it. */
#ifndef POLICY_DB_H
#define POLICY_DB_H

#include "base/db.h"

#define POLICY_DB_FILE	"policy.db"

struct db	*policy_db_open(const char *state_directory, struct fault *);

#endif
