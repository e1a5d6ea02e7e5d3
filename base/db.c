/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/db.c - see db.h.  The only file that knows SQLite.
 *
 * synchronous=NORMAL in WAL mode: a commit is safe against the death of the
 * process at once, against a power cut only after the next checkpoint; the
 * file stays whole in both cases.  That is right for what is kept here
 * (history, what is remembered of peers) and would be wrong for mail. */
#include "base/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID	0x5365614c	/* "SeaL", seen by file(1) */
/* The writer is alone, so it waits only for somebody's sqlite3 shell; longer
 * would hold up its role.  A reader is a person's command. */
#define WRITER_BUSY_MS	1000
#define READER_BUSY_MS	5000
#define WAL_KEEP_BYTES	"4194304"	/* the -wal file is cut back to this */

struct db {
	sqlite3		*h;
	struct db_stmt	*stmts;
	bool		 writer;
	char		 path[];
};

struct db_stmt {
	sqlite3_stmt	*s;
	struct db	*db;
	struct db_stmt	*next, **prev;
	int		 bind_error;	/* of a bind, told by the next step */
};

/* ---- errors ---- */

static int
db_fault(const char *path, int rc, const char *what, struct fault *f)
{
	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
		return fault_set(f, FAULT_PERM, 0, "", "%s is damaged: %s",
		    path, what);
	case SQLITE_NOTADB:
		return fault_set(f, FAULT_PERM, 0, "",
		    "%s is not a database: %s", path, what);
	default:
		return fault_set(f, FAULT_TEMP, 0, "", "%s: %s", path, what);
	}
}

static int
db_failed(struct db *db, int rc, struct fault *f)
{
	return db_fault(db->path, rc, db->h == NULL ? sqlite3_errstr(rc) :
	    sqlite3_errmsg(db->h), f);
}

/* ---- opening ---- */

static int
db_exec(struct db *db, const char *sql, struct fault *f)
{
	int rc = sqlite3_exec(db->h, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_failed(db, rc, f);
}

/* One number, by "PRAGMA name" or a SELECT. */
static int
db_number(struct db *db, const char *sql, int64_t *n, struct fault *f)
{
	struct db_stmt *s = db_prepare(db, sql, f);
	int rc = s == NULL ? -1 : db_step(s, f);

	if (rc == 1)
		*n = db_int(s, 0);
	db_finish(&s);
	if (rc == 0)
		return fault_set(f, FAULT_PERM, 0, "", "%s: no answer to %s",
		    db->path, sql);
	return rc == 1 ? 0 : -1;
}

/* What is in the file may come from another program or another time: it gets
 * no way to run anything, and no way for our own slips to break the format. */
static void
db_harden(struct db *db)
{
	static const struct { int option, value; } options[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof options / sizeof options[0]; i++)
		(void)sqlite3_db_config(db->h, options[i].option,
		    options[i].value, NULL);
	(void)sqlite3_limit(db->h, SQLITE_LIMIT_ATTACHED, 0);
}

static struct db *
db_open(const char *path, bool writer, struct fault *f)
{
	size_t n = strlen(path) + 1;
	struct db *db = calloc(1, sizeof *db + n);
	int rc;

	if (db == NULL) {
		errno = ENOMEM;
		fault_sys(f, path);
		return NULL;
	}
	memcpy(db->path, path, n);
	db->writer = writer;
	/* No SQLITE_OPEN_URI: a path is a path.  No CREATE: db_create() has
	 * made the file, with the mode that we want. */
	rc = sqlite3_open_v2(path, &db->h, SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_EXRESCODE |
	    (writer ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY), NULL);
	if (rc == SQLITE_OK && writer && sqlite3_db_readonly(db->h, "main"))
		rc = SQLITE_READONLY;	/* SQLite opens what it can, silently */
	if (rc != SQLITE_OK) {
		db_fault(path, rc, sqlite3_errstr(rc), f);
		db_close(&db);
		return NULL;
	}
	db_harden(db);
	sqlite3_busy_timeout(db->h, writer ? WRITER_BUSY_MS : READER_BUSY_MS);
	return db;
}

/* SQLite would make it readable by everyone; -wal and -shm take its mode. */
static int
db_create(const char *path, struct fault *f)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	if (fd == -1)
		return fault_sys(f, path);
	close(fd);
	return 0;
}

/* Is it ours?  An empty file is: the writer fills it. */
static int
db_check_id(struct db *db, struct fault *f)
{
	int64_t id, objects;

	if (db_number(db, "PRAGMA application_id", &id, f) == -1 ||
	    db_number(db, "SELECT count(*) FROM sqlite_schema", &objects,
	    f) == -1)
		return -1;
	if (id == APPLICATION_ID || (db->writer && id == 0 && objects == 0))
		return 0;
	return fault_set(f, FAULT_PERM, 0, "", objects == 0 ?
	    "%s is empty" : "%s is a database of another program", db->path);
}

static int
db_migrate(struct db *db, const char *const *migrations, unsigned n,
    struct fault *f)
{
	char pragma[80];
	int64_t version;

	if (db_number(db, "PRAGMA user_version", &version, f) == -1)
		return -1;
	if (version < 0 || version > (int64_t)n)
		return fault_set(f, FAULT_PERM, 0, "", "%s was written by a "
		    "newer sealane (version %lld, this one knows %u)",
		    db->path, (long long)version, n);
	for (; version < (int64_t)n; version++) {
		/* One transaction: a crash leaves this version or that. */
		snprintf(pragma, sizeof pragma, "PRAGMA application_id = %d;"
		    "PRAGMA user_version = %lld", APPLICATION_ID,
		    (long long)version + 1);
		if (db_begin(db, f) == -1)
			return -1;
		if (db_exec(db, migrations[version], f) == -1 ||
		    db_exec(db, pragma, f) == -1 || db_commit(db, f) == -1) {
			db_rollback(db);
			return -1;
		}
	}
	return 0;
}

/* The switch to WAL of a new file is itself a write, for which SQLite wants a
 * rollback journal beside it.  The role may create nothing in that directory
 * (the parent made the three files), so the journal is kept in memory: all
 * that a crash could spoil at this moment is an empty file.  For the same
 * reason temporary tables never become files. */
static int
db_use_wal(struct db *db, struct fault *f)
{
	struct db_stmt *s;
	int64_t pages;
	int keep = 1, rc;
	bool wal;

	if (db_number(db, "PRAGMA page_count", &pages, f) == -1 ||
	    (pages == 0 && db_exec(db, "PRAGMA journal_mode = MEMORY", f) == -1))
		return -1;
	s = db_prepare(db, "PRAGMA journal_mode = WAL", f);
	rc = s == NULL ? -1 : db_step(s, f);
	wal = rc == 1 && span_ieq(db_text(s, 0), SPAN_LIT("wal"));
	db_finish(&s);
	if (rc == -1)
		return -1;
	if (!wal)
		return fault_set(f, FAULT_PERM, 0, "", "%s: no write-ahead log "
		    "can be used on this file system", db->path);
	(void)sqlite3_file_control(db->h, "main", SQLITE_FCNTL_PERSIST_WAL,
	    &keep);
	return db_exec(db, "PRAGMA synchronous = NORMAL;"
	    "PRAGMA temp_store = MEMORY;"
	    "PRAGMA journal_size_limit = " WAL_KEEP_BYTES, f);
}

struct db *
db_open_writer(const char *path, const char *const *migrations,
    unsigned nmigrations, struct fault *f)
{
	struct db *db;

	if (db_create(path, f) == -1)
		return NULL;
	db = db_open(path, true, f);
	if (db == NULL)
		return NULL;
	/* Whose file it is comes first: nothing of others is changed. */
	if (db_check_id(db, f) == -1 || db_use_wal(db, f) == -1 ||
	    db_migrate(db, migrations, nmigrations, f) == -1)
		db_close(&db);
	return db;
}

struct db *
db_open_reader(const char *path, struct fault *f)
{
	struct stat st;
	struct db *db;

	/* SQLite says "unable to open database file" to everything. */
	if (stat(path, &st) == -1 || access(path, R_OK) == -1) {
		fault_sys(f, path);
		return NULL;
	}
	db = db_open(path, false, f);
	if (db != NULL && db_check_id(db, f) == -1)
		db_close(&db);
	return db;
}

void
db_close(struct db **dbp)
{
	struct db *db = *dbp;
	struct db_stmt *s;
	int rc;

	if (db == NULL)
		return;
	*dbp = NULL;
	while ((s = db->stmts) != NULL)
		db_finish(&s);
	rc = sqlite3_close(db->h);
	assert(rc == SQLITE_OK);	/* else a statement was left */
	(void)rc;
	free(db);
}

/* ---- transactions ---- */

/* IMMEDIATE: who will write waits for its turn here, where busy_timeout holds,
 * and not in the middle, where SQLite answers busy at once.  A reader gets one
 * stable view of all that it asks until the end. */
int
db_begin(struct db *db, struct fault *f)
{
	return db_exec(db, db->writer ? "BEGIN IMMEDIATE" : "BEGIN", f);
}

int
db_commit(struct db *db, struct fault *f)
{
	return db_exec(db, "COMMIT", f);
}

void
db_rollback(struct db *db)
{
	/* Some errors have rolled back already. */
	if (!sqlite3_get_autocommit(db->h))
		(void)db_exec(db, "ROLLBACK", NULL);
}

/* ---- statements ---- */

struct db_stmt *
db_prepare(struct db *db, const char *sql, struct fault *f)
{
	struct db_stmt *s = calloc(1, sizeof *s);
	int rc = SQLITE_NOMEM;

	if (s != NULL)
		rc = sqlite3_prepare_v3(db->h, sql, -1,
		    SQLITE_PREPARE_PERSISTENT, &s->s, NULL);
	if (rc != SQLITE_OK) {
		db_failed(db, rc, f);
		free(s);
		return NULL;
	}
	s->db = db;
	s->next = db->stmts;
	s->prev = &db->stmts;
	if (s->next != NULL)
		s->next->prev = &s->next;
	db->stmts = s;
	return s;
}

void
db_finish(struct db_stmt **sp)
{
	struct db_stmt *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	*s->prev = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	(void)sqlite3_finalize(s->s);
	free(s);
}

static void
db_bound(struct db_stmt *s, int rc)
{
	assert(rc != SQLITE_MISUSE && rc != SQLITE_RANGE);
	if (rc != SQLITE_OK && s->bind_error == SQLITE_OK)
		s->bind_error = rc;
}

void
db_bind_int(struct db_stmt *s, int at, int64_t n)
{
	db_bound(s, sqlite3_bind_int64(s->s, at, n));
}

void
db_bind_text(struct db_stmt *s, int at, struct span text)
{
	db_bound(s, sqlite3_bind_text64(s->s, at, text.p, text.n,
	    SQLITE_TRANSIENT, SQLITE_UTF8));
}

int
db_step(struct db_stmt *s, struct fault *f)
{
	int rc = s->bind_error;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s->s);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE) {
		if (s->bind_error != SQLITE_OK)
			db_fault(s->db->path, rc, sqlite3_errstr(rc), f);
		else
			db_failed(s->db, rc, f);
	}
	db_reset(s);
	return rc == SQLITE_DONE ? 0 : -1;
}

void
db_reset(struct db_stmt *s)
{
	(void)sqlite3_reset(s->s);
	s->bind_error = SQLITE_OK;
}

int64_t
db_int(struct db_stmt *s, int column)
{
	return sqlite3_column_int64(s->s, column);
}

struct span
db_text(struct db_stmt *s, int column)
{
	const unsigned char *p = sqlite3_column_text(s->s, column);

	if (p == NULL)
		return SPAN_NONE;
	return span_of(p, (size_t)sqlite3_column_bytes(s->s, column));
}
