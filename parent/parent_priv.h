/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/parent_priv.h - the parts of the parent to each other:
 * wiring.c (who talks to whom), child.c (one process's life), state.c
 * (directories and users), listen.c (sockets), addresses.c (the machine's),
 * isolation.c, announce.c, log_target.c and
 * notify.c (what is said of it), parent.c (the whole). */
#ifndef PARENT_PARENT_PRIV_H
#define PARENT_PARENT_PRIV_H

#include <sys/types.h>

#include "base/conf.h"
#include "base/fault.h"
#include "base/ipc/ipc.h"
#include "base/loop.h"
#include "base/role.h"
#include "base/sandbox.h"

enum child_state {
	CHILD_DOWN,		/* no process; may wait for its restart */
	CHILD_STARTING,		/* process there, READY not yet said */
	CHILD_READY,
};

struct parent;

struct child {
	struct parent		*parent;
	enum role		 role;
	unsigned		 index;		/* from 1 */
	enum child_state	 state;
	pid_t			 pid;		/* 0: none */
	struct link		*link;
	struct loop_timer	*restart;
	uint64_t		 started;	/* steady ms */
	unsigned		 failures;	/* in a row, for the back-off */
	bool			 drained;
	struct sandbox		 sandbox;	/* as it said with READY */
};

struct parent {
	struct loop		*loop;
	struct conf		*conf;
	int			 bundle_fd;	/* sealed memfd */
	int			 lock_fd;	/* one Sealane per state directory */
	int			*listen_fds;	/* one per conf->listens */
	int			 control_fds[ROLE_COUNT];	/* -1: that role has none */
	struct child		*children;
	size_t			 nchildren;
	struct buf		 certs;		/* LIST of own_cert, from keys 1 */
	struct buf		 certs_coming;	/* as far as it is here */
	struct role_files	 files;		/* of the configuration */
	struct loop_timer	*ticket_timer;	/* NULL: there are no tickets */
	unsigned char		 ticket_key[64];
	struct buf		 addresses;	/* LIST of host_addr, the machine's */
	struct loop_timer	*addresses_timer;
	bool			 addresses_failed;
	struct loop_signal	*signals[4];
	struct loop_timer	*stage_timer;
	int			 notify_fd;	/* the service manager, -1: none */
	struct loop_timer	*log_timer;	/* lines wait, or nobody reads */
	struct loop_timer	*watchdog;	/* NULL: it does not watch */
	uint64_t		 watchdog_ms;
	enum stop_stage {
		STAGE_RUNNING, STAGE_DRAIN_SMTPD, STAGE_DRAIN_RELAY,
		STAGE_STOP_NETWORK, STAGE_STOP_QUEUE, STAGE_STOP_REST,
		STAGE_GONE,
	}			 stage;
	uint64_t		 stop_asked;	/* steady ms */
	bool			 announced;	/* everything was up once */
	int			 exit_code;
};

/* ---- child.c ---- */
void	child_spawn(struct child *);
void	child_reaped(struct child *, int status);
void	child_stop(struct child *);		/* closes its link: it ends in order */
void	child_kill(struct child *);
void	child_misbehaved(struct child *, const char *accuser, const char *why);
void	child_free(struct child *);
/* parent.c, told by child.c */
void	parent_child_ready(struct child *);
void	parent_child_refused(struct child *, struct span error);
void	parent_child_down(struct child *);
void	parent_child_drained(struct child *);

/* ---- wiring.c ---- */
unsigned	wiring_instances(const struct conf *, enum role);
bool		wiring_has_control(enum role);
/* Give `c` a link to every READY peer that the table names. */
void		wiring_connect(struct parent *, struct child *c);
/* `by` says that the link to a peer broke over nonsense: ends one of the two. */
void		wiring_blame(struct child *by, const struct ipc_blame *);

/* ---- state.c ---- */
/* The user that a role runs as; when not root, the one who runs us.  -1 with
 * a fault that names the command which makes missing users. */
int	state_user(enum role, uid_t *, gid_t *, struct fault *);
/* Make missing directories and files with the right owners, lock the state. */
int	state_prepare(const struct conf *, int *lock_fd, struct fault *);

/* ---- listen.c ---- */
int	listen_open(const struct conf_listen *, struct fault *);	/* descriptor or -1 */
int	listen_control(const struct conf *, enum role, struct fault *);
void	listen_unlink_control(const struct conf *, enum role);

/* ---- addresses.c ---- */
#define ADDRESSES_MAX	24576	/* bytes of the list; more are not told */
int	addresses_start(struct parent *);	/* 0, or -1 without memory */
void	addresses_send(struct child *policy);

/* ---- notify.c ---- */
int	notify_open(struct parent *);	/* 0, or -1 without memory */
void	notify_say(const struct parent *, const char *state);
void	notify_close(struct parent *);

/* ---- log_target.c ---- */
int	log_target_start(struct parent *);	/* 0, or -1 without memory */
/* At its start, and when it asks because nobody reads its socket any more. */
void	log_target_send(struct child *);
void	log_target_stop(struct parent *);

/* ---- isolation.c ---- */
void	isolation_log(const struct parent *);

/* ---- certs.c ---- */
#define CERTS_MAX	(2 * 1024 * 1024)	/* bytes of all own_certs */
/* Opens what tls.certificate names.  -1 with errors among the notes. */
int	certs_open_files(struct parent *, struct conf_notes *);
void	certs_close_files(struct parent *);
void	certs_send_files(struct parent *, struct child *keys);
void	certs_take(struct parent *, const struct ipc_key_certs *);
void	certs_send(struct parent *, struct child *smtpd);

/* ---- tickets.c ---- */
int	tickets_start(struct parent *);		/* nothing unless tls.tickets; -1: no memory */
void	tickets_send(struct parent *, struct child *smtpd);
void	tickets_stop(struct parent *);

/* ---- announce.c ---- */
/* What people need to know once all is up: on stdout. */
void	announce(const struct conf *, struct span certs);

#endif
