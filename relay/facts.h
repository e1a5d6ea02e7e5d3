/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/facts.h - what ledger learns, from the same records as the log. */
#ifndef RELAY_FACTS_H
#define RELAY_FACTS_H

#include "relay/session.h"

/* `ledger` may be NULL: then nothing is told.  Both are dropped and counted by
 * the link rather than delaying mail.  A socket of this machine is no way on
 * which mail could be read: nothing is told of it either. */
void	facts_session(struct link *ledger, const struct job *,
	    const struct session *);
/* STARTTLS failed, in this way, and is tried again: no session came of it. */
void	facts_retried(struct link *ledger, const struct job *,
	    const struct session *, enum how);
/* `n` recipients like `first`.  Its bytes: the message's size, once however many
 * recipients it was sent for, and 0 when it was not sent. */
void	facts_delivery(struct link *ledger, const struct job *,
	    const struct hop *, const struct job_rcpt *first, unsigned n);

#endif
