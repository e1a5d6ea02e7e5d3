/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/schema.c - the tables of ledger.db.
 *
 * A migration that a released version ran is never changed; a new one is
 * added behind it.  Times are wall-clock milliseconds since 1970, UTC; `out`
 * is 1 for a hop out of this machine, 0 for one into it; asked, reached, why
 * and how are the numbers of base/hop.h, status those of schema.h. */
#include "report/schema.h"

const char *const report_migrations[LEDGER_SCHEMA_VERSION] = {
	/* 1 */
	"CREATE TABLE session ("
	"	id INTEGER PRIMARY KEY,"
	"	time INTEGER NOT NULL,"
	"	out INTEGER NOT NULL,"
	"	session TEXT NOT NULL,"		/* as in the log */
	"	domain TEXT NOT NULL,"		/* out: policy domain */
	"	mx TEXT NOT NULL,"		/* out: host; in: HELO name */
	"	addr TEXT NOT NULL,"
	"	reached INTEGER NOT NULL,"	/* 0: STARTTLS failed */
	"	how INTEGER NOT NULL,"
	"	tls TEXT NOT NULL,"		/* '' in clear, like the rest */
	"	cipher TEXT NOT NULL,"
	"	kx TEXT NOT NULL,"
	"	spki TEXT NOT NULL,"		/* SHA-256 of the peer's key */
	"	resumed INTEGER NOT NULL,"
	"	not_after TEXT NOT NULL,"	/* of the peer's certificate */
	"	issuer TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX session_time ON session (time);"
	"CREATE TABLE delivery ("
	"	id INTEGER PRIMARY KEY,"
	"	time INTEGER NOT NULL,"
	"	out INTEGER NOT NULL,"
	"	message TEXT NOT NULL,"		/* id as in log and queue */
	"	session TEXT NOT NULL,"
	"	domain TEXT NOT NULL,"		/* out: recipients'; in: sender's */
	"	mx TEXT NOT NULL,"
	"	addr TEXT NOT NULL,"
	"	asked INTEGER NOT NULL,"
	"	why INTEGER NOT NULL,"
	"	reached INTEGER NOT NULL,"
	"	how INTEGER NOT NULL,"
	"	tls TEXT NOT NULL,"
	"	cipher TEXT NOT NULL,"
	"	kx TEXT NOT NULL,"
	"	status INTEGER NOT NULL,"
	"	dsn TEXT NOT NULL,"
	"	recipients INTEGER NOT NULL,"
	"	bytes INTEGER NOT NULL,"
	"	delay INTEGER NOT NULL"		/* ms */
	") STRICT;"
	"CREATE INDEX delivery_time ON delivery (time);"
	"CREATE TABLE gap ("			/* facts that are not here */
	"	id INTEGER PRIMARY KEY,"
	"	time INTEGER NOT NULL,"		/* when it was noticed first */
	"	role TEXT NOT NULL,"		/* whose facts; '' unknown */
	"	instance INTEGER NOT NULL,"
	"	reason TEXT NOT NULL,"		/* link-full write-failed malformed */
	"	dropped INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX gap_time ON gap (time);",
	/* 2: what is weak in the TLS, '' nothing */
	"ALTER TABLE session ADD COLUMN weak TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE delivery ADD COLUMN weak TEXT NOT NULL DEFAULT '';",
};

bool
report_status_parse(struct span word, enum ledger_status *status)
{
	static const struct { struct span word; enum ledger_status status; }
	words[] = {
		{ SPAN_LIT("accepted"), LEDGER_ACCEPTED },
		{ SPAN_LIT("sent"), LEDGER_SENT },
		{ SPAN_LIT("deferred"), LEDGER_DEFERRED },
		{ SPAN_LIT("failed"), LEDGER_FAILED },
	};
	size_t i;

	for (i = 0; i < sizeof words / sizeof words[0]; i++)
		if (span_eq(word, words[i].word)) {
			*status = words[i].status;
			return true;
		}
	return false;
}
