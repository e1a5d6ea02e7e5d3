/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/sandbox.h - what a role gives up before it meets the world: files
 * (Landlock), system calls (seccomp), new privileges.
 *
 * Which role keeps what is one readable table, base/sandbox_roles.c; what
 * each promise of it means in system calls is base/sandbox_calls.c.  A call
 * that is not on a role's list fails with ENOSYS and is logged once
 * (`call-denied`); what only an attacker wants (exec, ptrace, mount, foreign
 * socket families) ends the process.  A kernel that lacks a part gives less,
 * and `struct sandbox` says so: it is no error. */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <sys/types.h>

#include "base/conf.h"
#include "base/fault.h"
#include "base/ipc/ipc.h"
#include "base/loop.h"

enum sandbox_calls {
	SANDBOX_CALLS_NONE,	/* no filter */
	SANDBOX_CALLS_LOOSE,	/* a build with sanitizers: the deadly ones only */
	SANDBOX_CALLS_STRICT,
};

/* What is in force for a process.  Landlock: ABI used, 0 for none. */
struct sandbox {
	enum sandbox_calls	calls;
	unsigned		landlock;
};

/* Switches all of it on for this process, for ever: to be called when what
 * the table does not keep is open already.  Starts the loop's thread pool
 * where the role has one, inside the file rules and ahead of the filter.
 * -1 with a fault: no memory, or a kernel that has a part but refuses it. */
int	sandbox_enter(enum role, const struct conf *, struct loop *,
	    struct sandbox *, struct fault *);

/* Are the packet rules of etc/sealane.nft loaded for this user?  Asked by
 * sending a datagram to the discard port of this machine as that user, in a
 * child process.  False also where the caller may not become that user. */
bool	sandbox_firewall(uid_t, gid_t);

/* "strict", "loose" or "none". */
const char	*sandbox_calls_name(enum sandbox_calls);

#endif
