/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "tests/unit/step.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS	32

/* ---- which calls, and how they may fail ---- */

enum { DISK = 1, ROOM = 2, FILES = 4, MEMORY = 8, SIGNAL = 16, SHORT = 32 };

static const struct {
	long	call;
	int	errors;
} calls[] = {
	{ SYS_openat, DISK | ROOM | FILES | MEMORY },
	{ SYS_pwritev, DISK | ROOM | SIGNAL | SHORT },
	{ SYS_pwritev2, DISK | ROOM | SIGNAL | SHORT },
	{ SYS_pwrite64, DISK | ROOM | SIGNAL | SHORT },
	{ SYS_pread64, DISK | SIGNAL | SHORT },
	{ SYS_fallocate, DISK | ROOM | SIGNAL },
	{ SYS_ftruncate, DISK },
	{ SYS_fdatasync, DISK | ROOM },
	{ SYS_fsync, DISK | ROOM },
	{ SYS_linkat, DISK | ROOM | MEMORY },
	{ SYS_renameat, DISK | ROOM | MEMORY },
	{ SYS_renameat2, DISK | ROOM | MEMORY },
	{ SYS_unlinkat, DISK | MEMORY },
	{ SYS_mkdirat, DISK | ROOM | MEMORY },
	{ SYS_sendmsg, MEMORY | SIGNAL },
	{ SYS_recvmsg, MEMORY | SIGNAL },
	{ SYS_socket, FILES | MEMORY },
	{ SYS_connect, SIGNAL },
	{ SYS_accept4, FILES | MEMORY | SIGNAL },
	{ SYS_recvfrom, MEMORY | SIGNAL | SHORT },
	{ SYS_sendto, MEMORY | SIGNAL | SHORT },
	{ SYS_write, DISK | ROOM | SIGNAL | SHORT },	/* to files */
	{ SYS_epoll_wait, SIGNAL },
	{ SYS_epoll_pwait, SIGNAL },
};
#define CALLS	(sizeof(calls) / sizeof(calls[0]))

static const struct {
	int	error, kind;
} kinds[] = {
	{ EIO, DISK }, { ENOSPC, ROOM }, { EDQUOT, ROOM }, { EMFILE, FILES },
	{ ENFILE, FILES }, { ENOMEM, MEMORY }, { EINTR, SIGNAL },
	{ 0, SHORT },
};

static int
errors_of(long call)
{
	for (size_t i = 0; i < CALLS; i++)
		if (calls[i].call == call)
			return calls[i].errors;
	return 0;
}

bool
step_possible(long call, int error)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].error == error)
			return (errors_of(call) & kinds[i].kind) != 0;
	return false;
}

/* ---- registers ---- */

#ifdef __x86_64__
/* Instead, one that every sandbox lets pass. */
#define HARMLESS	SYS_getpid

bool
step_can_fail(void)
{
	return true;
}

static void
skip_call(pid_t tid)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &r) == 0) {
		r.orig_rax = HARMLESS;
		ptrace(PTRACE_SETREGS, tid, NULL, &r);
	}
}

static void
set_result(pid_t tid, int error)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &r) == 0) {
		r.rax = (unsigned long long)-(long long)error;
		ptrace(PTRACE_SETREGS, tid, NULL, &r);
	}
}

/* The third argument: bytes, or with pwritev pieces. */
static void
halve(pid_t tid)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &r) == 0 && r.rdx > 1) {
		r.rdx /= 2;
		ptrace(PTRACE_SETREGS, tid, NULL, &r);
	}
}
#else
bool
step_can_fail(void)
{
	return false;
}

static void
skip_call(pid_t tid)
{
	(void)tid;
}

static void
set_result(pid_t tid, int error)
{
	(void)tid, (void)error;
}

static void
halve(pid_t tid)
{
	(void)tid;
}
#endif

/* ---- the loop ---- */

static bool traced;	/* in the child */

void
step_begin(void)
{
	if (traced)
		raise(SIGSTOP);
}

/* libuv wakes its threads by write(2), which can't fail there. */
static bool
is_file(pid_t tid, unsigned long long fd)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%llu", tid, fd);
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void
entered(struct step *s, pid_t child, pid_t tid,
    const struct __ptrace_syscall_info *info, pid_t *failing)
{
	long call = (long)info->entry.nr;

	if (!s->begun || errors_of(call) == 0 ||
	    (call == SYS_write && !is_file(tid, info->entry.args[0])))
		return;
	if (s->numbers != NULL && s->calls < s->size)
		s->numbers[s->calls] = call;
	if (++s->calls != s->at)
		return;
	s->number = call;
	if (s->what != STEP_KILL && !step_possible(call,
	    s->what == STEP_SHORT ? 0 : s->error))
		return;
	s->done = true;
	if (s->what == STEP_KILL) {
		kill(child, SIGKILL);
	} else if (s->what == STEP_SHORT) {
		halve(tid);
	} else {
		skip_call(tid);
		*failing = tid;
	}
}

static void
stopped(struct step *s, pid_t child, pid_t tid, int status, pid_t *failing)
{
	struct __ptrace_syscall_info info;
	int sig = WSTOPSIG(status);

	if (sig == (SIGTRAP | 0x80)) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, tid,
		    (void *)sizeof(info), &info) > 0) {
			if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
				entered(s, child, tid, &info, failing);
			} else if (*failing == tid) {
				set_result(tid, s->error);
				*failing = 0;
			}
		}
		sig = 0;
	} else if (sig == SIGTRAP || sig == SIGSTOP) {
		/* step_begin(), or a new thread and its first stop */
		s->begun |= sig == SIGSTOP && tid == child;
		sig = 0;
	}
	ptrace(PTRACE_SYSCALL, tid, NULL, (void *)(intptr_t)sig);
}

void
step_run(struct step *s, void (*run)(void *), void *arg)
{
	pid_t child = fork(), tid, failing = 0;
	int status;

	s->calls = 0;
	s->done = s->begun = false;
	s->status = -1;
	if (child == 0) {
		traced = true;
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		run(arg);
		_exit(0);
	}
	if (child == -1 || waitpid(child, &status, __WALL) != child)
		return;
	ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(intptr_t)(
	    PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL));
	ptrace(PTRACE_SYSCALL, child, NULL, NULL);
	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status))
			stopped(s, child, tid, status, &failing);
		else if (tid == child)
			s->status = status;
	}
}
