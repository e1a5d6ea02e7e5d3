/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/sandbox_calls.c - seccomp: what each promise means in system calls.
 *
 * Three fates: listed, the call runs; unlisted, it meets sandbox_trap.c; and
 * what nothing but an attacker's code would try ends the process at once.
 * Where one number does many things (fcntl, socket, mmap ...), arguments
 * decide.  Pointers can't be looked into: which file is Landlock's part. */
#include "base/sandbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALL(name)	SCMP_SYS(name)
#define LEN(a)		(sizeof(a) / sizeof((a)[0]))
#define FAMILY_HIGHEST	AF_INET6

/* ---- calls that are listed by their number alone ---- */

static const struct {
	unsigned	promise;
	int		call;
} listed[] = {
	/* descriptors that are open already */
	{ GROUND, CALL(read) }, { GROUND, CALL(readv) },
	{ GROUND, CALL(write) }, { GROUND, CALL(writev) },
	{ GROUND, CALL(close) }, { GROUND, CALL(fstat) },
	{ GROUND, CALL(lseek) }, { GROUND, CALL(shutdown) },
	{ GROUND, CALL(recvfrom) }, { GROUND, CALL(recvmsg) },
	{ GROUND, CALL(sendto) }, { GROUND, CALL(sendmsg) },
	{ GROUND, CALL(getsockopt) },
	/* fstat(3) of the C library; it tells of names too, contents of none */
	{ GROUND, CALL(newfstatat) },
	/* the loop */
	{ GROUND, CALL(epoll_ctl) }, { GROUND, CALL(epoll_wait) },
	{ GROUND, CALL(epoll_pwait) }, { GROUND, CALL(poll) },
	{ GROUND, CALL(ppoll) },
	/* memory and locks; mmap and mprotect are below */
	{ GROUND, CALL(brk) }, { GROUND, CALL(munmap) },
	{ GROUND, CALL(mremap) }, { GROUND, CALL(madvise) },
	{ GROUND, CALL(futex) }, { GROUND, CALL(sched_yield) },
	{ GROUND, CALL(sched_getaffinity) }, { GROUND, CALL(sysinfo) },
	/* time and chance */
	{ GROUND, CALL(clock_gettime) }, { GROUND, CALL(clock_getres) },
	{ GROUND, CALL(gettimeofday) }, { GROUND, CALL(time) },
	{ GROUND, CALL(nanosleep) }, { GROUND, CALL(clock_nanosleep) },
	{ GROUND, CALL(getrandom) }, { GROUND, CALL(getrusage) },
	/* who am I */
	{ GROUND, CALL(getpid) }, { GROUND, CALL(gettid) },
	{ GROUND, CALL(getuid) }, { GROUND, CALL(geteuid) },
	{ GROUND, CALL(getgid) }, { GROUND, CALL(getegid) },
	{ WAKE_PAIR, CALL(socketpair) },
	/* signals, and the end; tgkill is below */
	{ GROUND, CALL(rt_sigaction) }, { GROUND, CALL(rt_sigprocmask) },
	{ GROUND, CALL(rt_sigreturn) }, { GROUND, CALL(sigaltstack) },
	{ GROUND, CALL(restart_syscall) },
	{ GROUND, CALL(exit) }, { GROUND, CALL(exit_group) },

	{ ACCEPT, CALL(accept4) },
	{ ACCEPT | TCP_OUT, CALL(getpeername) },
	{ ACCEPT | TCP_OUT | UDP_OUT, CALL(getsockname) },

	/* socket is below */
	{ TCP_OUT | UDP_OUT | LOCAL_OUT, CALL(connect) },
	{ TCP_OUT | UDP_OUT, CALL(bind) },

	{ BODY_READ | FILES_READ, CALL(pread64) },

	{ FILES_READ, CALL(openat) }, { FILES_READ, CALL(open) },
	{ FILES_READ, CALL(stat) }, { FILES_READ, CALL(lstat) },
	{ FILES_READ, CALL(access) }, { FILES_READ, CALL(faccessat) },
	{ FILES_READ, CALL(faccessat2) }, { FILES_READ, CALL(readlink) },
	{ FILES_READ, CALL(readlinkat) }, { FILES_READ, CALL(getdents64) },
	{ FILES_READ, CALL(getcwd) },

	{ FILES_WRITE, CALL(pwrite64) }, { FILES_WRITE, CALL(pwritev) },
	{ FILES_WRITE, CALL(fsync) }, { FILES_WRITE, CALL(fdatasync) },
	{ FILES_WRITE, CALL(ftruncate) }, { FILES_WRITE, CALL(fallocate) },
	{ FILES_WRITE, CALL(fstatfs) }, { FILES_WRITE, CALL(flock) },
	{ FILES_WRITE, CALL(mkdir) }, { FILES_WRITE, CALL(mkdirat) },
	{ FILES_WRITE, CALL(unlink) }, { FILES_WRITE, CALL(unlinkat) },
	{ FILES_WRITE, CALL(rename) }, { FILES_WRITE, CALL(renameat) },
	{ FILES_WRITE, CALL(renameat2) }, { FILES_WRITE, CALL(linkat) },
	{ FILES_WRITE, CALL(fchmod) }, { FILES_WRITE, CALL(fchown) },
};

/* ---- calls that end the process ---- */

static const int deadly[] = {
	/* other programs, other processes */
	CALL(execve), CALL(execveat),
	CALL(process_vm_readv), CALL(process_vm_writev),
	CALL(pidfd_open), CALL(pidfd_getfd), CALL(pidfd_send_signal),
	CALL(kcmp), CALL(process_madvise),
	/* other views of the system */
	CALL(mount), CALL(umount2), CALL(pivot_root), CALL(chroot),
	CALL(move_mount), CALL(open_tree), CALL(fsopen), CALL(fsconfig),
	CALL(fsmount), CALL(fspick), CALL(mount_setattr),
	CALL(unshare), CALL(setns), CALL(open_by_handle_at),
	/* other users */
	CALL(setuid), CALL(setgid), CALL(setreuid), CALL(setregid),
	CALL(setresuid), CALL(setresgid), CALL(setfsuid), CALL(setfsgid),
	CALL(setgroups), CALL(capset),
	/* programs inside the kernel, and its most attacked doors */
	CALL(bpf), CALL(perf_event_open), CALL(userfaultfd),
	CALL(io_uring_setup), CALL(io_uring_enter), CALL(io_uring_register),
	CALL(add_key), CALL(request_key), CALL(keyctl),
	/* the machine */
	CALL(init_module), CALL(finit_module), CALL(delete_module),
	CALL(kexec_load), CALL(kexec_file_load), CALL(reboot),
	CALL(swapon), CALL(swapoff), CALL(acct), CALL(quotactl),
	CALL(iopl), CALL(ioperm), CALL(settimeofday), CALL(clock_settime),
	CALL(adjtimex), CALL(sethostname), CALL(setdomainname), CALL(syslog),
};

/* ---- calls of which arguments decide ---- */

/* Not F_SETOWN and F_SETSIG: they send signals to others. */
static const int fcntl_commands[] = {
	F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC,
	F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
};

static const unsigned long ioctl_requests[] = { FIONBIO, FIONREAD, FIOCLEX };

/* Not SO_ATTACH_FILTER and the like: programs inside the kernel. */
static const struct {
	int	level, option;
} socket_options[] = {
	{ SOL_SOCKET, SO_RCVTIMEO }, { SOL_SOCKET, SO_SNDTIMEO },
	{ SOL_SOCKET, SO_RCVBUF }, { SOL_SOCKET, SO_SNDBUF },
	{ SOL_SOCKET, SO_KEEPALIVE }, { SOL_SOCKET, SO_REUSEADDR },
	{ SOL_SOCKET, SO_LINGER },
	{ IPPROTO_TCP, TCP_NODELAY }, { IPPROTO_TCP, TCP_MAXSEG },
	{ IPPROTO_TCP, TCP_KEEPIDLE }, { IPPROTO_TCP, TCP_KEEPINTVL },
	{ IPPROTO_TCP, TCP_KEEPCNT }, { IPPROTO_TCP, TCP_USER_TIMEOUT },
	{ IPPROTO_IP, IP_MTU_DISCOVER }, { IPPROTO_IP, IP_TOS },
	{ IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT },
	{ IPPROTO_IPV6, IPV6_MTU_DISCOVER }, { IPPROTO_IPV6, IPV6_V6ONLY },
	{ IPPROTO_IPV6, IPV6_MTU }, { IPPROTO_IPV6, IPV6_TCLASS },
};

/* Keeps the first error, so that a caller looks once. */
static void
add(scmp_filter_ctx ctx, int *rc, uint32_t action, int call, unsigned n,
    const struct scmp_arg_cmp *args)
{
	int got;

	if (*rc != 0)
		return;
	got = seccomp_rule_add_array(ctx, action, call, n, args);
	/* A call that this architecture lacks needs no rule. */
	if (got != 0 && got != -EDOM && got != -EEXIST)
		*rc = got;
}

static void
allow_if(scmp_filter_ctx ctx, int *rc, int call, unsigned arg, uint64_t value)
{
	struct scmp_arg_cmp a = SCMP_CMP(arg, SCMP_CMP_EQ, value);

	add(ctx, rc, SCMP_ACT_ALLOW, call, 1, &a);
}

static void
allow_unless_bits(scmp_filter_ctx ctx, int *rc, int call, unsigned arg,
    uint64_t bits)
{
	struct scmp_arg_cmp a = SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, bits, 0);

	add(ctx, rc, SCMP_ACT_ALLOW, call, 1, &a);
}

static void
allow_ground(scmp_filter_ctx ctx, int *rc)
{
	struct scmp_arg_cmp limits[] = {
		SCMP_A0(SCMP_CMP_EQ, 0),	/* one's own */
		SCMP_A2(SCMP_CMP_EQ, 0),	/* asked, not set */
	};

	for (size_t i = 0; i < LEN(fcntl_commands); i++)
		allow_if(ctx, rc, CALL(fcntl), 1, (uint64_t)fcntl_commands[i]);
	for (size_t i = 0; i < LEN(ioctl_requests); i++)
		allow_if(ctx, rc, CALL(ioctl), 1, ioctl_requests[i]);
	for (size_t i = 0; i < LEN(socket_options); i++) {
		struct scmp_arg_cmp a[] = {
			SCMP_A1(SCMP_CMP_EQ, (uint64_t)socket_options[i].level),
			SCMP_A2(SCMP_CMP_EQ, (uint64_t)socket_options[i].option),
		};

		add(ctx, rc, SCMP_ACT_ALLOW, CALL(setsockopt), 2, a);
	}
	/* No new code: what is to run was mapped at the start. */
	allow_unless_bits(ctx, rc, CALL(mmap), 2, PROT_EXEC);
	allow_unless_bits(ctx, rc, CALL(mprotect), 2, PROT_EXEC);
	add(ctx, rc, SCMP_ACT_ALLOW, CALL(prlimit64), 2, limits);
	/* abort(3), for itself only. */
	allow_if(ctx, rc, CALL(tgkill), 0, (uint64_t)getpid());
}

static void
allow_socket(scmp_filter_ctx ctx, int *rc, int family, int type)
{
	struct scmp_arg_cmp a[] = {
		SCMP_A0(SCMP_CMP_EQ, (uint64_t)family),
		SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, (uint64_t)type),
	};

	add(ctx, rc, SCMP_ACT_ALLOW, CALL(socket), 2, a);
}

static void
kill_foreign_sockets(scmp_filter_ctx ctx, int *rc)
{
	struct scmp_arg_cmp a = SCMP_A0(SCMP_CMP_GT, FAMILY_HIGHEST);

	add(ctx, rc, SCMP_ACT_KILL_PROCESS, CALL(socket), 1, &a);
	for (int family = 0; family < FAMILY_HIGHEST; family++) {
		if (family == AF_UNIX || family == AF_INET)
			continue;
		a = SCMP_A0(SCMP_CMP_EQ, (uint64_t)family);
		add(ctx, rc, SCMP_ACT_KILL_PROCESS, CALL(socket), 1, &a);
	}
}

static void
fill(scmp_filter_ctx ctx, int *rc, unsigned promises)
{
	for (size_t i = 0; i < LEN(listed); i++)
		if ((listed[i].promise & promises) != 0)
			add(ctx, rc, SCMP_ACT_ALLOW, listed[i].call, 0, NULL);
	allow_ground(ctx, rc);
	if ((promises & TCP_OUT) != 0) {
		allow_socket(ctx, rc, AF_INET, SOCK_STREAM);
		allow_socket(ctx, rc, AF_INET6, SOCK_STREAM);
	}
	if ((promises & LOCAL_OUT) != 0)
		allow_socket(ctx, rc, AF_UNIX, SOCK_STREAM);
	if ((promises & UDP_OUT) != 0) {
		allow_socket(ctx, rc, AF_INET, SOCK_DGRAM);
		allow_socket(ctx, rc, AF_INET6, SOCK_DGRAM);
	}
}

#ifdef SEALANE_SANITIZED
/* The sanitizers' own calls at the end (clone, ptrace, reading /proc) are no
 * list that one could keep: all but the deadly ones. */
#define UNLISTED	SCMP_ACT_ALLOW
#else
#define UNLISTED							\
	(sandbox_trap_works() ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(ENOSYS))
#endif

static int
make(scmp_filter_ctx ctx, unsigned promises)
{
	int rc = 0;

	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);	/* done, and for threads */
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);	/* a tree */
	seccomp_attr_set(ctx, SCMP_FLTATR_API_SYSRAWRC, 1);
	seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	for (size_t i = 0; i < LEN(deadly); i++)
		add(ctx, &rc, SCMP_ACT_KILL_PROCESS, deadly[i], 0, NULL);
	kill_foreign_sockets(ctx, &rc);
#ifdef SEALANE_SANITIZED
	(void)promises;
	(void)fill;
#else
	add(ctx, &rc, SCMP_ACT_KILL_PROCESS, CALL(ptrace), 0, NULL);
	fill(ctx, &rc, promises);
#endif
	return rc;
}

int
sandbox_calls(unsigned promises, struct fault *f)
{
	scmp_filter_ctx ctx;
	int rc;

	if (prctl(PR_GET_SECCOMP) == -1)
		return 0;		/* a kernel without it */
	ctx = seccomp_init(UNLISTED);
	if (ctx == NULL)
		return fault_set(f, FAULT_TEMP, 0, NULL, "no system-call filter");
	rc = make(ctx, promises);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc < 0) {
		errno = -rc;
		return fault_sys(f, "system-call filter");
	}
	return 1;
}
