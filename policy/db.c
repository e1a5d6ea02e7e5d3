/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/db.c - see db.h.  A migration that a released version ran is never
 * changed; a new one is added behind it. */
#include "policy/db.h"

#include <limits.h>
#include <stdio.h>

static const char *const migrations[] = {
	/* 1: policy/sts_store.c.  Times are seconds of the wall clock. */
	"CREATE TABLE sts ("
	"	domain TEXT PRIMARY KEY,"
	"	id TEXT NOT NULL,"		/* of the record then */
	"	body TEXT NOT NULL,"		/* the policy as it came */
	"	mode INTEGER NOT NULL,"		/* enum sts_mode, for people */
	"	fetched INTEGER NOT NULL,"
	"	expires INTEGER NOT NULL,"
	"	refresh INTEGER NOT NULL,"	/* when to fetch it anew */
	"	used INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX sts_refresh ON sts (refresh);"
	"CREATE INDEX sts_used ON sts (used);",

	/* 2: policy/memory.c.  The index finds whom to forget first. */
	"CREATE TABLE peers ("
	"	kind INTEGER NOT NULL,"		/* enum peer_kind */
	"	name TEXT NOT NULL,"
	"	known INTEGER NOT NULL,"
	"	first INTEGER NOT NULL,"
	"	last INTEGER NOT NULL,"
	"	sessions INTEGER NOT NULL,"
	"	days INTEGER NOT NULL,"
	"	versions INTEGER NOT NULL,"
	"	spki TEXT NOT NULL,"
	"	PRIMARY KEY (kind, name)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX peers_age ON peers (kind, known, last);"
	"CREATE TABLE losses ("
	"	host TEXT PRIMARY KEY,"
	"	since INTEGER NOT NULL,"
	"	last INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;",

	/* 3: policy/findings.c.  Times are milliseconds here. */
	"CREATE TABLE findings ("
	"	id INTEGER PRIMARY KEY,"
	"	time INTEGER NOT NULL,"
	"	last INTEGER NOT NULL,"
	"	count INTEGER NOT NULL,"
	"	kind INTEGER NOT NULL,"		/* base/finding.h */
	"	domain TEXT NOT NULL,"
	"	mx TEXT NOT NULL,"
	"	address TEXT NOT NULL,"
	"	expected INTEGER NOT NULL,"	/* base/hop.h */
	"	why INTEGER NOT NULL,"
	"	reached INTEGER NOT NULL,"
	"	class INTEGER NOT NULL,"
	"	action INTEGER NOT NULL,"
	"	evidence TEXT NOT NULL"		/* JSON */
	") STRICT;"
	"CREATE INDEX findings_open ON findings (mx, kind, action);",

	/* 4: policy/exceptions.c */
	"CREATE TABLE exceptions ("
	"	name TEXT PRIMARY KEY,"
	"	made INTEGER NOT NULL,"
	"	until INTEGER NOT NULL,"
	"	why TEXT NOT NULL"
	") STRICT, WITHOUT ROWID;",

	/* 5: policy/honesty_store.c.  Seconds again. */
	"CREATE TABLE honesty ("
	"	id INTEGER PRIMARY KEY CHECK (id = 1),"
	"	state INTEGER NOT NULL,"	/* enum honesty_state */
	"	since INTEGER NOT NULL,"
	"	first INTEGER NOT NULL"		/* honest since; 0 never */
	") STRICT;",
};

struct db *
policy_db_open(const char *state_directory, struct fault *f)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/" POLICY_DB_FILE,
	    state_directory);

	if (n < 0 || (size_t)n >= sizeof path) {
		fault_set(f, FAULT_PERM, 0, NULL, "the path is too long");
		return NULL;
	}
	return db_open_writer(path, migrations,
	    sizeof migrations / sizeof migrations[0], f);
}
