/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/role.h - what every role process has in common: it is re-executed by
 * the parent with one socket to it (descriptor 3), gets its configuration and
 * then its links to other roles over that socket, and runs one loop.
 *
 * A role is a table: what to do at start, when a peer comes or goes, and one
 * small handler per message.  base/role.c does the rest in this order: read
 * the configuration, ops->start (opens what the role needs), isolation
 * (base/sandbox.h), READY to the parent, loop. */
#ifndef BASE_ROLE_H
#define BASE_ROLE_H

#include "base/conf.h"
#include "base/fault.h"
#include "base/ipc/ipc.h"
#include "base/loop.h"

/* Files that came with the configuration (CONFIG_FILE), until ops->start or
 * ops->prepare has returned. */
enum role_file_kind { ROLE_FILE_CHAIN, ROLE_FILE_KEY, ROLE_FILE_KINDS };
struct role_files {
	int	fd[ROLE_FILE_KINDS][CONF_CERTIFICATES];	/* -1: none */
};

struct role_env {
	enum role		 role;
	unsigned		 index;		/* from 1 */
	struct loop		*loop;
	struct link		*parent;
	const struct conf	*conf;		/* in force; see prepare below */
	uint32_t		 generation;	/* its number; between prepare and
						   adopt or forget, the next one's */
	struct role_files	 files;
	/* Links that are up now, NULL else; index from 1. */
	struct link		*peer[ROLE_COUNT][ROLE_INSTANCES + 1];
	/* smtpd only: the plain blocking socket to its keys process, -1: none.
	 * It is no link: ipc_call_key_sign() waits on it (time-out 2 s). */
	int			 keys_fd;
	void			*state;		/* the role's own */
	bool			 draining;
	const struct role_ops	*ops;
};

struct role_handler {
	enum ipc_type	 type;
	/* The message and its spans live until return.  A descriptor in
	 * msg->fd is closed after it unless ipc_take_fd() took it. */
	void		(*run)(struct role_env *, struct link *, struct ipc_msg *);
};

struct role_ops {
	/* The configuration is there, links are not.  What the role's row in
	 * base/sandbox_roles.c does not keep must be opened here.  -1 with a fault ends the
	 * process; the parent logs it and retries with back-off. */
	int	(*start)(struct role_env *, struct fault *);
	/* A new configuration, by SIGHUP.  prepare: make, beside what is in use,
	 * whatever may fail; nothing may show yet.  -1 with a fault: no role takes
	 * it, and this one frees what it has made.  Then one of the two:
	 * adopt, which cannot fail: env->conf is the new one, for all that
	 * begins from now on.  `old` lives until it returns, and longer only
	 * where somebody has it by conf_hold().
	 * forget: another role could not; free what prepare has made.
	 * A role that looks into env->conf whenever it needs it has none of the
	 * three. */
	int	(*prepare)(struct role_env *, const struct conf *next,
		    struct fault *);
	void	(*adopt)(struct role_env *, const struct conf *old);
	void	(*forget)(struct role_env *);
	void	(*peer_up)(struct role_env *, struct link *);
	/* The link is already out of env->peer and is freed after return. */
	void	(*peer_down)(struct role_env *, enum role, unsigned index);
	void	(*keys_changed)(struct role_env *);	/* keys_fd is new, or gone */
	/* link_full() was true for this link and no longer is. */
	void	(*room)(struct role_env *, struct link *);
	/* SIGTERM was told to the parent: take nothing new, call
	 * role_drained() when idle (the parent waits a bounded time). */
	void	(*drain)(struct role_env *);
	/* Last call before the process ends in order: flush, free. */
	void	(*stop)(struct role_env *);
	const struct role_handler	*handlers;
	size_t				 nhandlers;
};

/* Runs the role until the parent's socket closes; returns the exit code.
 * NULL for any op means nothing to do. */
int	role_run(enum role, unsigned index, const struct role_ops *);
void	role_drained(struct role_env *);
/* Ends the process in order, for want of memory for something that it would be
 * of no use without; the parent starts another.  `what` is for the log. */
void	role_give_up(struct role_env *, const char *what);

/* A link to some instance of `role` that is up, or NULL.  For roles with many
 * instances: the least loaded. */
struct link	*role_peer(struct role_env *, enum role);

#endif
