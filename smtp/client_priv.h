/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/client_priv.h - what client.c (the session) and client_mail.c (its
 * transactions) share. */
#ifndef SMTP_CLIENT_PRIV_H
#define SMTP_CLIENT_PRIV_H

#include "smtp/client.h"

/* ---- client.c ---- */

/* Wait for the reply of that step; its time begins.  Always CLIENT_WAIT. */
enum client_event	client_enter(struct client *, enum client_step,
			    uint64_t now);
enum client_event	client_finish(struct client *, enum client_end);
enum client_event	client_finish_nonsense(struct client *);

/* ---- client_mail.c: one handler per reply, as the table in client.c ---- */

enum client_event	client_on_rset(struct client *, uint64_t now);
enum client_event	client_on_mail(struct client *, uint64_t now);
enum client_event	client_on_rcpt(struct client *, uint64_t now);
enum client_event	client_on_data(struct client *, uint64_t now);
enum client_event	client_on_body(struct client *, uint64_t now);
enum client_event	client_on_final(struct client *, uint64_t now);
enum client_event	client_message_done(struct client *, uint64_t now);

#endif
