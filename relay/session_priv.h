/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/session_priv.h - what session.c and session_mail.c share. */
#ifndef RELAY_SESSION_PRIV_H
#define RELAY_SESSION_PRIV_H

#include "relay/convert.h"
#include "relay/session.h"

/* session.c */
uint64_t	session_now(const struct session *);
/* Around whatever may call the owner, who may close the session. */
void	session_enter(struct session *);
void	session_leave(struct session *);
/* Read replies and act until nothing more is to be done now. */
void	session_run(struct session *);
/* Something of ours is missing: memory, or the message file. */
void	session_end_own(struct session *, const char *what);

/* session_mail.c */
void	session_pump_begin(struct session *);	/* the body goes */
void	session_pump(struct session *);		/* more of it, if it may */

#endif
