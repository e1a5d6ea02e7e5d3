/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/sandbox_firewall.c - are the packet rules of etc/sealane.nft loaded?
 * Reading the rules takes privileges and another library; what counts is what
 * they do: a datagram to the discard port of this machine, which no role has
 * business with, is refused to the role's user. */
#include "base/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISCARD_PORT	9

/* In a child: the user cannot be changed back. */
static bool
refused(uid_t uid, gid_t gid)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons(DISCARD_PORT),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd;

	if (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd != -1 && sendto(fd, "", 1, 0,
	    (struct sockaddr *)&sin, sizeof sin) == -1 && errno == EPERM;
}

bool
sandbox_firewall(uid_t uid, gid_t gid)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(refused(uid, gid) ? 1 : 0);
	return pid != -1 && waitpid(pid, &status, 0) == pid &&
	    WIFEXITED(status) && WEXITSTATUS(status) == 1;
}
