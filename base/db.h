/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/db.h - SQLite behind a narrow door: one writer process per file, WAL,
 * readers beside it.  A second backend would be a second db.c. */
#ifndef BASE_DB_H
#define BASE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/span.h"

struct db;
struct db_stmt;

/* Writer: creates, WAL with synchronous=NORMAL, migrates by running
 * migrations[user_version ..] each in its own transaction.  A file from a
 * newer program is refused.  Keeps the -wal and -shm files when it closes, so
 * that their owner and mode stay what the parent made them. */
struct db	*db_open_writer(const char *path, const char *const *migrations,
		    unsigned nmigrations, struct fault *);
struct db	*db_open_reader(const char *path, struct fault *);
void		 db_close(struct db **);

int	db_begin(struct db *, struct fault *);
int	db_commit(struct db *, struct fault *);
void	db_rollback(struct db *);

/* Statements live as long as their db; prepared once, run often. */
struct db_stmt	*db_prepare(struct db *, const char *sql, struct fault *);
void	db_finish(struct db_stmt **);
void	db_bind_int(struct db_stmt *, int at, int64_t);		/* from 1 */
void	db_bind_text(struct db_stmt *, int at, struct span);	/* copied */
/* 1 a row, 0 done (and reset for the next run), -1 fault. */
int	db_step(struct db_stmt *, struct fault *);
void	db_reset(struct db_stmt *);
int64_t		 db_int(struct db_stmt *, int column);		/* from 0 */
struct span	 db_text(struct db_stmt *, int column);		/* until the next step */

#endif
