/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* ledger/store.h - facts into ledger.db, a batch per transaction.
 *
 * No loop and no clock: the role says when a batch ends and what time it is.
 * Whatever cannot be written is counted and becomes a row of the table `gap`
 * with the next batch that can; nothing is kept in memory but that count. */
#ifndef LEDGER_STORE_H
#define LEDGER_STORE_H

#include "base/fault.h"
#include "base/ipc/ipc.h"

struct store;

enum ledger_result {
	STORE_OK,
	STORE_MALFORMED,	/* what no role may send: not kept */
	STORE_FAILED,	/* this and all since the last commit are lost */
	STORE_LOST,	/* not tried: the last failure is too fresh */
};

#define STORE_BATCH	5000	/* facts in one transaction, by habit */
#define STORE_RETRY_MS	1000	/* after a failure, before the next try */

struct store	*ledger_store_open(const char *path, struct fault *);
/* Commits what is pending. */
void		 ledger_store_close(struct store **, uint64_t wall_ms);

/* `steady_ms` goes only forward; `wall_ms` is for the times of gaps.  *f is
 * filled for STORE_FAILED and STORE_MALFORMED. */
struct ledger_now {
	uint64_t	steady_ms, wall_ms;
};
enum ledger_result	ledger_store_session(struct store *, struct ledger_now,
			    const struct ipc_fact_session *, struct fault *);
enum ledger_result	ledger_store_delivery(struct store *, struct ledger_now,
			    const struct ipc_fact_delivery *, struct fault *);
/* `dropped` facts of that process never came. */
enum ledger_result	ledger_store_gap(struct store *, struct ledger_now,
			    enum role, unsigned index, uint64_t dropped,
			    struct fault *);
enum ledger_result	ledger_store_commit(struct store *, struct ledger_now,
			    struct fault *);

/* Facts not committed, and lost ones that are not yet a row of gap. */
unsigned	ledger_store_pending(const struct store *);
uint64_t	ledger_store_lost(const struct store *);

#endif
