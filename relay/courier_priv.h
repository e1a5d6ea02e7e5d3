/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/courier_priv.h - what the parts of courier.c share. */
#ifndef RELAY_COURIER_PRIV_H
#define RELAY_COURIER_PRIV_H

#include "relay/courier.h"
#include "relay/outcome.h"

/* courier.c */
/* Facts for the ledger, of what was decided since the last time. */
void	courier_tell(struct courier *, struct job *, const struct hop *);
void	courier_decide(struct courier *, struct job *, struct job_rcpt *,
	    const struct hop *);
void	courier_decide_rest(struct courier *, struct job *,
	    enum outcome_status, const char *dsn, const char *text,
	    const struct hop *);
void	courier_finish(struct courier *, struct job *);
void	courier_release(struct courier *, struct session *);
void	courier_detach(struct session *);
void	courier_pump(struct courier *);

/* courier_mail.c */
struct hop	courier_hop(const struct session *);
void	courier_send(struct courier *, struct job *, struct session *);
/* Does the host take one more message on this connection, and we give it? */
bool	courier_may_reuse(const struct session *);
const struct outcome_rule	*courier_rule(const struct job *,
	    enum client_step, int code);
void	courier_on_verdict(struct session *);
void	courier_on_done(struct session *);

/* courier_tickets.c */
/* As session_ops.resume. */
void	courier_on_resume(struct session *, struct buf *);
/* Keep what the session can be resumed with, as soon as there is something. */
void	courier_keep_ticket(struct courier *, struct session *);

/* courier_ends.c: as session_ops.ready and .ended. */
void	courier_on_ready(struct session *);
void	courier_on_ended(struct session *);

/* courier_hosts.c */
extern const struct outcome_rule	courier_unreached;
/* "mx[address]" */
void	courier_peer_text(const struct hop *, char *out, size_t);
/* Remember a trouble that sends the job to another host. */
void	courier_note(struct job *, const struct hop *,
	    const struct outcome_rule *, const char *dsn, const char *text,
	    bool is_tls);
/* At the first one, with nothing tried. */
void	courier_begin_hosts(struct job *);
/* The next connection, or the outcome when all was tried. */
void	courier_next(struct courier *, struct job *);
void	courier_advance(struct courier *, struct job *, enum ladder_trouble);

#endif
