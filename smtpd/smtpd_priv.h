/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/smtpd_priv.h - what the files of the role share.
 *
 * role.c	messages of other roles, drain and stop
 * creds.c	certificates, signatures, session tickets
 * accept.c	listening sockets
 * crowd.c	limits of networks
 * client.c	a connection: its channel and its session
 * pace.c	slow clients
 * intake.c	messages on their way to the queue
 * facts.c	log lines and facts for the ledger */
#ifndef SMTPD_SMTPD_PRIV_H
#define SMTPD_SMTPD_PRIV_H

#include <sys/queue.h>

#include "base/role.h"
#include "smtpd/limits.h"
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
	uint64_t		 began, mailed;	/* loop ms; of the last message */
	uint64_t		 touched, deadline;
	unsigned		 progress;	/* the session's, when it was touched */
	uint64_t		 rate_at, rate_taken;	/* of a body; 0: not measured */
	struct session		 session;
	const struct conf	*conf;		/* the session's, held */
	uint64_t		 txn;		/* at the queue; 0: none */
	int			 spool_fd;	/* -1: none */
	bool			 spools;	/* it has, or waits for, one of d->spools */
	bool			 spool_waits;
	STAILQ_ENTRY(client)	 spool_next;
	struct addr		 peer;
	bool			 limited;	/* counted in d->limits */
	bool			 paused;
	bool			 handshaking;
};

struct smtpd {
	struct role_env		*env;
	struct listener		*listeners;
	struct client		*clients[CLIENT_SLOTS_MAX];	/* by slot */
	unsigned		 nclients, most;
	unsigned		 spools, spools_most;	/* files: asked for or open */
	STAILQ_HEAD(, client)	 spool_line;	/* of those that wait for one */
	unsigned		 refused;	/* since it was last said */
	uint64_t		 refused_said;
	bool			 yielded;	/* to other processes, at our cap */
	struct limits		 limits;
	struct loop_timer	*share, *sweep;
	uint64_t		 slow_at;	/* slow clients were said since */
	unsigned		 slow_said, slow_unsaid;
	unsigned		 free_hint;
	int			 reserve_fd;	/* given up to answer at EMFILE */
	struct loop_timer	*again;		/* watch the listeners again */
	struct tls_creds	*creds;
	struct tls_signer	 signer;
	struct buf		 certs;		/* as the parent sent them */
	struct buf		 coming;	/* as far as they are here */
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
void	listeners_adopt(struct smtpd *);	/* by the new configuration */
void	reserve_open(struct smtpd *, int any_fd);
void	descriptors_share(struct smtpd *);	/* how many for what */

/* ---- crowd.c ---- */
int	crowd_start(struct smtpd *);		/* -1: no memory */
void	crowd_stop(struct smtpd *);
void	crowd_adopt(struct smtpd *);
/* A new connection; false: refuse it. */
bool	crowd_open(struct smtpd *, const struct addr *,
	    const struct conf_listen *, bool *counted);
void	crowd_close(struct smtpd *, const struct addr *);	/* if it was */
bool	crowd_count(void *client, enum session_count);
void	crowd_others(struct role_env *, struct link *, struct ipc_msg *);
void	crowd_share_all(struct smtpd *);	/* a new queue */

/* ---- creds.c ---- */
int	creds_init(struct smtpd *);		/* -1: no memory */
void	creds_free(struct smtpd *);
void	creds_take(struct smtpd *, const struct ipc_certs *);
void	creds_take_ticket_key(struct smtpd *, struct span);
void	creds_keys_changed(struct smtpd *);
void	creds_adopt(struct smtpd *);

/* ---- client.c ---- */
/* Takes the descriptor.  False: no memory. */
bool	smtpd_client_new(struct smtpd *, int fd, const struct addr *peer,
	    const struct conf_listen *, bool limited);
void	smtpd_client_run(struct client *);	/* let the session go on */
void	smtpd_client_end(struct client *);	/* close; free unless a commit is open */
void	smtpd_client_free(struct client *);
void	smtpd_client_unsecured(struct client *, const struct fault *);	/* ends it */

/* ---- pace.c ---- */
int	pace_start(struct smtpd *);		/* -1: no memory */
void	pace_stop(struct smtpd *);
/* It got somewhere, and has so long for the next step. */
void	pace_touch(struct client *, uint64_t ms);

/* ---- intake.c ---- */
enum session_room	smtpd_intake_room(void *client);
int	smtpd_intake_spool_open(void *client);
int	smtpd_intake_spool_write(void *client, struct span, struct fault *);
void	smtpd_intake_abort(void *client);
int	smtpd_intake_commit(void *client, const struct session_message *);
void	smtpd_intake_spooled(struct smtpd *, struct ipc_msg *);
void	smtpd_intake_committed(struct smtpd *, const struct ipc_msg_committed *);
/* Whom the message at hand comes from: behind a Postfix that tells, its client
 * (then put in `named`) and not the one that it is.  The queue shares its turns
 * out to those, and the history is about them. */
const struct addr	*smtpd_intake_origin(const struct session *,
			    struct addr *named);
uint64_t	smtpd_intake_verify(void *client, struct span address,
		    enum tls_wish);
void	smtpd_intake_verified(struct smtpd *, const struct ipc_verify_answer *);
void	smtpd_intake_lost(struct smtpd *);		/* the queue is gone */
void	smtpd_intake_go_on(struct smtpd *);		/* there is room again */

/* ---- facts.c ---- */
void	facts_accepted(void *client, const struct session_message *);
void	facts_met(void *client);
void	facts_rejected(void *client, struct span reply);
void	facts_abuse(void *client, const char *kind);
void	facts_handshake_failed(struct client *, const struct fault *);
void	facts_slow(struct client *, const char *why);

/* ---- role.c ---- */
void	smtpd_check_drained(struct smtpd *);

#endif
