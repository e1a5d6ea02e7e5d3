/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/verbs.h - what the command table and the files of its verbs share.
 *
 * A verb looks at the session, answers, and returns the state to go to; the
 * table in smtpd/commands.c has already said whether it is legal now. */
#ifndef SMTPD_VERBS_H
#define SMTPD_VERBS_H

#include "smtp/params.h"
#include "smtpd/session_priv.h"

struct command {
	const char	*verb;
	unsigned	 states;	/* in which the verb is legal */
	unsigned	 flags;		/* F_*, commands.c */
	/* Is it there at all for this session?  NULL: always. */
	bool		(*offered)(const struct session *);
	/* `behind`: bytes that came after the line. */
	enum session_state	(*run)(struct session *, struct span arg,
				    size_t behind);
	const char	*wrong;		/* the reply's words in a wrong state */
};

/* The state stays, unless session_refuse() has closed the session. */
enum session_state	cmd_refuse(struct session *, int code,
			    const char *enhanced, const char *text);

/* ---- chunk.c ---- */
enum session_state	cmd_bdat(struct session *, struct span, size_t);

/* ---- verb_mail.c ---- */
enum session_state	cmd_mail(struct session *, struct span, size_t);
/* Takes prefix and path off the front; silent. */
struct session_refusal	verb_path(struct span *arg, struct span prefix,
			    bool sender, struct smtp_address *);
struct session_refusal	verb_params(enum smtp_params_error);
/* Does an address go with these flags of MAIL? */
struct session_refusal	verb_utf8(const struct smtp_address *, uint16_t flags);

/* ---- verb_rcpt.c ---- */
enum session_state	cmd_rcpt(struct session *, struct span, size_t);

/* ---- verb_talk.c ---- */
enum session_state	cmd_ehlo(struct session *, struct span, size_t);
enum session_state	cmd_helo(struct session *, struct span, size_t);
enum session_state	cmd_data(struct session *, struct span, size_t);
enum session_state	cmd_rset(struct session *, struct span, size_t);
enum session_state	cmd_noop(struct session *, struct span, size_t);
enum session_state	cmd_vrfy(struct session *, struct span, size_t);
enum session_state	cmd_expn(struct session *, struct span, size_t);
enum session_state	cmd_help(struct session *, struct span, size_t);
enum session_state	cmd_quit(struct session *, struct span, size_t);
enum session_state	cmd_starttls(struct session *, struct span, size_t);
enum session_state	cmd_foreign(struct session *, struct span, size_t);
enum session_state	cmd_xforward(struct session *, struct span, size_t);
bool	starttls_offered(const struct session *);
bool	xforward_offered(const struct session *);

#endif
