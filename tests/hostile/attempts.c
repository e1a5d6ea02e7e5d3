/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/hostile/attempts.c - see attempts.h. */
#include "tests/hostile/attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FORWARD_PORT	1053
#define DISCARD_PORT	9
#define DNS_PORT	53
#define HTTPS_PORT	443
#define FREE_PORT	40123

const char	*attempt_state;
pid_t		 attempt_victim;

static int
result(long rc)
{
	return rc == -1 ? errno : 0;
}

/* ---- files ---- */

static int
open_path(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	int rc = result(fd);

	if (fd != -1)
		close(fd);
	return rc;
}

static int
open_state(const char *name, int flags)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", attempt_state, name);
	return open_path(path, flags);
}

int attempt_read_passwd(void) { return open_path("/etc/passwd", O_RDONLY); }
int attempt_read_shadow(void) { return open_path("/etc/shadow", O_RDONLY); }
int attempt_read_random(void) { return open_path("/dev/urandom", O_RDONLY); }
int attempt_read_key(void) { return open_state("keys/key", O_RDONLY); }
int attempt_make_key(void) { return open_state("keys/new", O_WRONLY | O_CREAT); }
int attempt_read_spool(void) { return open_state("spool/message", O_RDONLY); }
int attempt_make_spool(void) { return open_state("spool/new", O_WRONLY | O_CREAT); }
int attempt_make_state(void) { return open_state("new", O_WRONLY | O_CREAT); }

/* Cut to the size that it has: asks for the right, changes nothing. */
static int
write_state(const char *name)
{
	char path[512];
	struct stat st;
	int fd, rc;

	snprintf(path, sizeof path, "%s/%s", attempt_state, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		return errno;
	rc = fstat(fd, &st) == -1 ? errno : result(ftruncate(fd, st.st_size));
	close(fd);
	return rc;
}

int attempt_write_ledger(void) { return write_state("ledger.db"); }
int attempt_write_policy(void) { return write_state("policy.db"); }

int
attempt_move_spool(void)
{
	char from[512], to[512];

	snprintf(from, sizeof from, "%s/spool/message", attempt_state);
	snprintf(to, sizeof to, "%s/spool/damaged/message", attempt_state);
	return result(rename(from, to));
}

int
attempt_open_memory(void)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/mem", (int)attempt_victim);
	return open_path(path, O_RDWR);
}

int attempt_open_own_memory(void) { return open_path("/proc/self/mem", O_RDWR); }

/* ---- sockets ---- */

static int
socket_of(int family, int type)
{
	int fd = socket(family, type, 0);
	int rc = result(fd);

	if (fd != -1)
		close(fd);
	return rc;
}

int attempt_tcp(void) { return socket_of(AF_INET, SOCK_STREAM); }
int attempt_tcp6(void) { return socket_of(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC); }
int attempt_udp(void) { return socket_of(AF_INET, SOCK_DGRAM); }
int attempt_raw(void) { return socket_of(AF_INET, SOCK_RAW); }
int attempt_local(void) { return socket_of(AF_UNIX, SOCK_STREAM); }
int attempt_local_datagram(void) { return socket_of(AF_UNIX, SOCK_DGRAM); }
int attempt_netlink(void) { return socket_of(AF_NETLINK, SOCK_RAW); }
int attempt_packet(void) { return socket_of(AF_PACKET, SOCK_RAW); }
int attempt_vsock(void) { return socket_of(AF_VSOCK, SOCK_STREAM); }

int
attempt_pair(void)
{
	int fds[2], rc = result(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));

	if (rc == 0) {
		close(fds[0]);
		close(fds[1]);
	}
	return rc;
}

static int
with_port(int (*call)(int, const struct sockaddr *, socklen_t), uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int rc = result(fd);

	if (fd == -1)
		return rc;
	rc = result(call(fd, (struct sockaddr *)&sin, sizeof sin));
	close(fd);
	/* Nobody listens there: it was allowed to ask. */
	return rc == ECONNREFUSED ? 0 : rc;
}

int attempt_connect_dns(void) { return with_port(connect, DNS_PORT); }
int attempt_connect_https(void) { return with_port(connect, HTTPS_PORT); }
int attempt_connect_forward(void) { return with_port(connect, FORWARD_PORT); }
int attempt_connect_other(void) { return with_port(connect, DISCARD_PORT); }
int attempt_bind_source(void) { return with_port(bind, 0); }
int attempt_listen(void) { return with_port(bind, FREE_PORT); }

int
attempt_filter_socket(void)
{
	struct sock_filter allow = { BPF_RET | BPF_K, 0, 0, 0xffff };
	struct sock_fprog prog = { 1, &allow };

	return result(setsockopt(0, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
	    sizeof prog));
}

/* ---- processes ---- */

int
attempt_exec(void)
{
	char *argv[] = { (char *)(uintptr_t)"true", NULL };

	return result(execv("/bin/true", argv));
}

int
attempt_fork(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return result(pid);
}

int
attempt_trace(void)
{
	return result(ptrace(PTRACE_ATTACH, attempt_victim, 0, 0));
}

int
attempt_process_memory(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { &byte, 1 };

	return result(process_vm_readv(attempt_victim, &here, 1, &there, 1, 0));
}

int attempt_signal(void) { return result(kill(attempt_victim, 0)); }

int
attempt_signal_thread(void)
{
	return result(syscall(SYS_tgkill, attempt_victim, attempt_victim, 0));
}

int
attempt_signal_owner(void)
{
	return result(fcntl(0, F_SETOWN, attempt_victim));
}

int
attempt_abort(void)
{
	signal(SIGABRT, SIG_IGN);
	return raise(SIGABRT);
}

/* ---- memory and kernel ---- */

static void *
map(int protection)
{
	return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int
attempt_map_code(void)
{
	return map(PROT_READ | PROT_EXEC) == MAP_FAILED ? errno : 0;
}

int
attempt_make_code(void)
{
	return result(mprotect(map(PROT_READ | PROT_WRITE), 4096,
	    PROT_READ | PROT_EXEC));
}

int attempt_memory_file(void) { return result(memfd_create("x", MFD_CLOEXEC)); }

int
attempt_io_uring(void)
{
	return result(syscall(SYS_io_uring_setup, 1, NULL));
}

int attempt_bpf(void) { return result(syscall(SYS_bpf, 0, NULL, 0)); }

int
attempt_keyring(void)
{
	return result(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

int
attempt_mount(void)
{
	return result(mount("none", "/nonexistent", "tmpfs", 0, NULL));
}

int attempt_user_namespace(void) { return result(unshare(CLONE_NEWUSER)); }
int attempt_setuid(void) { return result(setuid(0)); }

int
attempt_set_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return errno;
	return result(setrlimit(RLIMIT_NOFILE, &r));
}
