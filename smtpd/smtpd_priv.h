/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/smtpd_priv.h - what the files of the role share.
 *
 * role.c	messages of other roles, drain and stop
 * creds.c	certificates, signatures, session tickets
 * accept.c	listening sockets
 * client.c	a connection: its channel, its session, its deadline
 * intake.c	messages on their way to the queue
 * facts.c	log lines and facts for the ledger */
#ifndef SMTPD_SMTPD_PRIV_H
#define SMTPD_SMTPD_PRIV_H

#include "base/role.h"
#include "smtpd/session.h"
#include "tls/channel.h"
#include "tls/creds.h"

#define CLIENT_SLOTS_MAX	16384u	/* numbers of clients fit into 16 bits */

struct smtpd;

struct listener {
	struct listener		*next;
	struct smtpd		*d;
	struct loop_io		*io;
	const struct conf_listen *conf;
};

struct client {
	struct smtpd		*d;
	unsigned		 slot;
	struct channel		*ch;		/* NULL: the client has left */
	struct loop_timer	*timer;
	uint64_t		 deadline;	/* loop ms */
	unsigned		 progress;	/* the session's, when it was set */
	struct session		 session;
	uint64_t		 txn;		/* at the queue; 0: none */
	int			 spool_fd;	/* -1: none */
	bool			 paused;
	bool			 handshaking;
};

struct smtpd {
	struct role_env		*env;
	struct listener		*listeners;
	struct client		*clients[CLIENT_SLOTS_MAX];	/* by slot */
	unsigned		 nclients, most;
	unsigned		 free_hint;
	int			 reserve_fd;	/* given up to answer at EMFILE */
	struct loop_timer	*again;		/* watch the listeners again */
	struct tls_creds	*creds;
	struct tls_signer	 signer;
	struct buf		 certs;		/* as the parent sent them */
	struct loop_timer	*reload;
	bool			 has_ticket_key;
	unsigned char		 ticket_key[TLS_TICKET_KEY];
	uint64_t		 sign_txn, txn;
	bool			 drained;
};

/* ---- accept.c ---- */
int	listener_add(struct smtpd *, int fd, const struct conf_listen *);
void	listeners_watch(struct smtpd *);	/* as far as we may accept now */
void	listeners_close(struct smtpd *);
void	reserve_open(struct smtpd *, int any_fd);

/* ---- creds.c ---- */
int	creds_init(struct smtpd *);		/* -1: no memory */
void	creds_free(struct smtpd *);
void	creds_take(struct smtpd *, const struct ipc_certs *);
void	creds_take_ticket_key(struct smtpd *, struct span);
void	creds_keys_changed(struct smtpd *);

/* ---- client.c ---- */
void	smtpd_client_new(struct smtpd *, int fd, const struct conf_listen *);
void	smtpd_client_run(struct client *);	/* let the session go on */
void	smtpd_client_end(struct client *);	/* close; free unless a commit is open */
void	smtpd_client_free(struct client *);

/* ---- intake.c ---- */
enum session_room	smtpd_intake_room(void *client);
int	smtpd_intake_spool_open(void *client);
int	smtpd_intake_spool_write(void *client, struct span, struct fault *);
void	smtpd_intake_abort(void *client);
int	smtpd_intake_commit(void *client, const struct session_message *);
void	smtpd_intake_spooled(struct smtpd *, struct ipc_msg *);
void	smtpd_intake_committed(struct smtpd *, const struct ipc_msg_committed *);
uint64_t	smtpd_intake_verify(void *client, struct span address);
void	smtpd_intake_verified(struct smtpd *, const struct ipc_verify_answer *);
void	smtpd_intake_lost(struct smtpd *);		/* the queue is gone */
void	smtpd_intake_go_on(struct smtpd *);		/* there is room again */

/* ---- facts.c ---- */
void	facts_accepted(void *client, const struct session_message *);
void	facts_met(void *client);
void	facts_rejected(void *client, struct span reply);
void	facts_abuse(void *client, const char *kind);
void	facts_handshake_failed(struct client *, const struct fault *);

/* ---- role.c ---- */
void	smtpd_check_drained(struct smtpd *);

#endif
