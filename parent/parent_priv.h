/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/parent_priv.h - the parts of the parent to each other:
 * wiring.c (who talks to whom), child.c (one process's life), state.c
 * (directories and users), generation.c (a configuration and what is open for
 * it), reload.c (from one to the next), listen.c (sockets), addresses.c (the
 * machine's), certs.c and tickets.c (what smtpd shows), isolation.c, announce.c,
 * log_target.c and notify.c (what is said of it), stop.c (the end), parent.c (the whole),
 * aside.c (a few roles for one command). */
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
	uint32_t		 generation;	/* of its configuration */
	bool			 answered;	/* what reload.c waits for */
	bool			 stale;		/* to be started again, for a reload */
	bool			 renewing;	/* it ends for that */
	struct sandbox		 sandbox;	/* as it said with READY */
};

/* A configuration, and what is open for it. */
struct generation {
	uint32_t		 number;	/* 0 the first */
	struct conf		*conf;
	int			 bundle_fd;	/* sealed memfd */
	int			*listen_fds;	/* one per conf->listens; -1: none */
	struct role_files	 files;
};

struct reload {
	enum { RELOAD_NONE, RELOAD_PREPARE, RELOAD_SWITCH } phase;
	unsigned		 wave;		/* of RELOAD_SWITCH */
	uint32_t		 tried;		/* numbers given so far */
	bool			 again;		/* SIGHUP came at a bad time */
	struct loop_timer	*timer;
};

struct parent {
	struct loop		*loop;
	const char		*path;		/* of the configuration */
	struct generation	 now;
	struct generation	 next;		/* in RELOAD_SWITCH: the last one */
	struct reload		 reload;
	int			 lock_fd;	/* one Sealane per state directory */
	int			 control_fds[ROLE_COUNT];	/* -1: that role has none */
	struct child		*children;
	size_t			 nchildren;
	struct buf		 certs;		/* LIST of own_cert, from keys 1 */
	struct buf		 certs_coming;	/* as far as it is here */
	struct loop_timer	*ticket_timer;	/* NULL: there are no tickets */
	unsigned char		 ticket_key[64];
	struct buf		 addresses;	/* LIST of host_addr, the machine's */
	struct loop_timer	*addresses_timer;
	bool			 addresses_failed;
	struct loop_signal	*signals[5];
	struct loop_timer	*stage_timer;
	int			 notify_fd;	/* the service manager, -1: none */
	struct loop_timer	*log_timer;	/* lines wait, or nobody reads */
	char			*notify_name;
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
	char			 program[1024];	/* its file */
	pid_t			 checker;	/* the new program's `check`; 0: none */
	bool			 upgrading;	/* at STAGE_GONE, the new one */
	int			 aside_fd;	/* who asked for a start aside; -1: none did */
	struct loop_io		*aside_io;
};

/* ---- parent.c, for aside.c too ---- */
void	parent_init(struct parent *, const char *conf_path);
int	parent_make_children(struct parent *, const enum role *order, size_t n,
	    struct fault *);
int	parent_watch_signals(struct parent *);	/* 0, or -1 without memory */
void	parent_spawn_all(struct parent *);	/* that are down */
void	parent_free(struct parent *);

/* ---- aside.c ---- */
void	aside_ready(struct parent *);		/* all are up */

/* ---- child.c ---- */
void	child_spawn(struct child *);
void	child_reaped(struct child *, int status);
void	child_stop(struct child *);		/* closes its link: it ends in order */
/* Ends in order, and is started again under the configuration of now. */
void	child_renew(struct child *);
void	child_kill(struct child *);
void	child_send_config(struct child *, const struct generation *);
void	child_misbehaved(struct child *, const char *accuser, const char *why);
void	child_free(struct child *);
/* parent.c, told by child.c */
bool	parent_all_ready(const struct parent *);
void	parent_child_ready(struct child *);
void	parent_child_refused(struct child *, struct span error);
void	parent_child_down(struct child *);
void	parent_child_drained(struct child *);

/* ---- wiring.c ---- */
unsigned	wiring_instances(const struct conf *, enum role);
bool		wiring_has_control(enum role);
/* A new configuration is taken from the inside out, in this order: who asks
 * has none that the asked one does not know.  From 0. */
#define WIRING_WAVES	3
unsigned	wiring_wave(enum role);
/* Give `c` a link to every READY peer that the table names. */
void		wiring_connect(struct parent *, struct child *c);
/* `by` says that the link to a peer broke over nonsense: ends one of the two. */
void		wiring_blame(struct child *by, const struct ipc_blame *);

/* ---- state.c ---- */
/* The user that a role runs as; when not root, the one who runs us.  -1 with
 * a fault that names the command which makes missing users. */
int	state_user(enum role, uid_t *, gid_t *, struct fault *);
/* Make missing directories and files with the right owners, lock the state,
 * if the lock is not ours already (lock_fd not -1). */
int	state_prepare(const struct conf *, int *lock_fd, struct fault *);
int	state_policy_files(const char *directory, struct fault *);
/* ---- state_aside.c ---- */
/* What policy needs in the directory of a start aside, which is there and
 * ours; with what the relay remembers, if it does not run and we may read it. */
int	state_prepare_aside(const struct conf *, struct fault *);

/* ---- generation.c ---- */
void	generation_init(struct generation *);
void	generation_free(struct generation *);	/* leaves it as initialised */
/* -1 with an error among the notes, or without one and a fault. */
int	generation_load(struct generation *, const char *path,
	    struct conf_notes *, struct fault *);
/* Likewise for a start aside, without certificates. */
int	generation_load_aside(struct generation *, const char *path,
	    const char *directory, struct conf_notes *, struct fault *);
/* Opens its listeners; those that `from` (NULL: nobody) has are shared with it.
 * -1 with a fault, and `bad` says of which. */
int	generation_listen(struct generation *, const struct generation *from,
	    size_t *bad, struct fault *);
/* All but those that `but` (NULL: none) has as well. */
void	generation_send_listeners(const struct generation *,
	    const struct generation *but, struct child *smtpd);

/* ---- reload.c ---- */
int	reload_start(struct parent *);		/* 0, or -1 without memory */
void	reload_begin(struct parent *);		/* SIGHUP */
void	reload_answer(struct child *, const struct ipc_config_done *);
void	reload_child_ready(struct child *);
void	reload_child_down(struct child *);
void	reload_end(struct parent *);		/* all end: no answer is waited for */

/* ---- stop.c ---- */
void	stop_begin(struct parent *);
void	stop_for_good(struct parent *);		/* not to be upgraded after it */
void	stop_advance(struct parent *);		/* a child is gone, or drained */
void	stop_timeout(void *parent);		/* no more patience with this stage */

/* ---- upgrade.c ---- */
void	upgrade_start(struct parent *);
void	upgrade_begin(struct parent *);		/* SIGUSR2 */
void	upgrade_reap(struct parent *);		/* a child has ended */
void	upgrade_check_timeout(struct parent *);
/* Does not return, or leaves an exit code. */
void	upgrade_exec(struct parent *);

/* ---- inherit.c ---- */
#define INHERIT_FD	3		/* the first descriptor, sd_listen_fds(3) */
#define INHERIT_LOCK	"sealane-lock"	/* the lock's name among LISTEN_FDNAMES */
void	inherit_start(int *lock_fd);
int	inherit_take(const struct addr *);	/* descriptor, or -1 */
void	inherit_end(void);			/* closes what nobody took */

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
void	notify_reloading(const struct parent *);	/* READY=1 ends it */
int	notify_hand_over(const struct parent *);	/* to a program that follows */
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
int	certs_open_files(const struct conf *, struct role_files *,
	    struct conf_notes *);
void	certs_close_files(struct role_files *);
void	certs_send_files(const struct generation *, struct child *keys);
void	certs_take(struct parent *, const struct ipc_key_certs *);
void	certs_send(struct parent *, struct child *smtpd);

/* ---- tickets.c ---- */
int	tickets_start(struct parent *);		/* nothing unless tls.tickets; -1: no memory */
void	tickets_send(struct parent *, struct child *smtpd);
void	tickets_adopt(struct parent *);		/* they may be on or off now */
void	tickets_stop(struct parent *);

/* ---- announce.c ---- */
/* What people need to know once all is up: on stdout. */
void	announce(const struct conf *, struct span certs);

#endif
