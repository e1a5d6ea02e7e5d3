/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/sandbox_trap.c - a system call that the filter denies raises SIGSYS at
 * the caller; this handler makes it fail with ENOSYS and says so in the log,
 * once per call.
 *
 * In the process itself and not in a watcher outside: nothing waits for
 * another process, and nobody but the role is affected by what it tries.  The
 * handler may run anywhere, inside malloc too: no memory, no locks. */
#include "base/sandbox_priv.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "base/log.h"

#define CALLS_MAX	512
#define NAME_SIZE	24

/* Names are made at the start: the handler can't. */
static char names[CALLS_MAX][NAME_SIZE];
static unsigned char said[CALLS_MAX];

#if defined(__x86_64__)
#define RESULT(uc)	((uc)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define RESULT(uc)	((uc)->uc_mcontext.regs[0])
#endif

bool
sandbox_trap_works(void)
{
#ifdef RESULT
	return true;
#else
	return false;
#endif
}

#ifdef RESULT
static void
denied(int signum, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	unsigned call = (unsigned)info->si_syscall;
	int saved = errno;

	(void)signum;
	if (info->si_code <= 0)
		return;		/* sent by somebody: no call waits for a result */
	/* Two threads at once may say it twice: no harm. */
	if (call < CALLS_MAX && !said[call]) {
		said[call] = 1;
		log_signal("call-denied", KV_S("call", names[call]),
		    KV_N("number", call));
	}
	errno = saved;
	RESULT(uc) = -ENOSYS;
}

static void
make_names(void)
{
	for (int i = 0; i < CALLS_MAX; i++) {
		char *name = seccomp_syscall_resolve_num_arch(
		    SCMP_ARCH_NATIVE, i);

		strncpy(names[i], name == NULL ? "unknown" : name,
		    NAME_SIZE - 1);
		free(name);
	}
}
#endif

int
sandbox_trap(struct fault *f)
{
#ifdef RESULT
	struct sigaction sa = { .sa_sigaction = denied,
	    .sa_flags = SA_SIGINFO };

	make_names();
	sigfillset(&sa.sa_mask);
	if (sigaction(SIGSYS, &sa, NULL) == -1)
		return fault_sys(f, "SIGSYS");
#else
	(void)f;
#endif
	return 0;
}
