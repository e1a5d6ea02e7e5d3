/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/outcome.h - the one place that decides what a reply, or the end of a
 * connection, means for recipients: sent, deferred, failed, or another host.
 *
 * Pure tables over RFC 5321 sec 4.2.1 and 4.5.4.1.  Rules worth knowing:
 *  - a greeting of 5xx says nothing of the mailbox ("no SMTP service here"):
 *    next host, and deferred when none is left - except 521 and 556, by which
 *    a host says that it never takes mail (RFC 7504);
 *  - 5xx to HELO is a verdict of somebody who speaks SMTP: next host, failed
 *    when all hosts said so;
 *  - a transaction that broke before the final dot was not accepted: next host;
 *    behind it nobody knows: deferred, and the retry may be a duplicate, which
 *    is better than a loss (RFC 1047);
 *  - RCPT 552 is a 452 (RFC 5321 sec 4.5.3.1.10). */
#ifndef RELAY_OUTCOME_H
#define RELAY_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/outcome.h"
#include "smtp/client.h"

struct outcome_rule {
	enum outcome_status status;	/* with next_host: once none is left */
	bool		next_host;
	bool		again;		/* a second transaction may take this one */
	bool		trouble;	/* the site gets fewer connections */
	const char	*dsn;		/* where the peer gave none that fits */
};

/* `code` as reply at `step`; any code that the client lets through has a rule. */
const struct outcome_rule	*outcome_of_reply(enum client_step step, int code);
/* The same in a probe, which knows of a recipient only by what RCPT was
 * answered: nothing else is ever `failed`. */
const struct outcome_rule	*outcome_of_probe(enum client_step step, int code);
/* The session ended at `step` without a reply to blame. */
const struct outcome_rule	*outcome_of_end(enum client_end end,
				    enum client_step step);

/* RFC 3463 code for a status: the peer's if its class can be made to fit (a
 * deferred 5.7.1 becomes 4.7.1), else the rule's. */
void	outcome_dsn(const struct outcome_rule *, const char *enhanced,
	    char out[REPLY_ENHANCED_SIZE]);

/* For people: why a session ended. `peer` is "mx.example[192.0.2.1]", `detail`
 * the connection's fault or "". */
void	outcome_text(enum client_end end, enum client_step step,
	    const char *peer, const char *detail, char *out, size_t size);

#endif
