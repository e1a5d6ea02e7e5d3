/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/hostile/forge.c - see forge.h. */
#include "tests/hostile/forge.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_FD	4	/* 3 is the parent */
#define FDS_MAX		256
#define HEAD		8

struct role_env	*forge_env;

/* What each may say to somebody, and without a descriptor. */
static const uint16_t own[ROLE_COUNT] = {
	[ROLE_SMTPD] = IPC_MSG_BEGIN,
	[ROLE_RELAY] = IPC_JOB_OUTCOME,
	[ROLE_RESOLVER] = IPC_DNS_ANSWER,
	[ROLE_FETCH] = IPC_FETCHED,
};

/* For what base/ipc/link.c would not send.  Nothing was received on these links
 * yet, so that 0 is right where frames are acknowledged. */
struct frame {
	uint16_t	type, zero;
	uint32_t	acknowledged;
	char		payload[64];
};

static bool
is_link(int fd)
{
	int type = 0;
	socklen_t n = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
	    type == SOCK_SEQPACKET;
}

static int
send_to(int fd, const struct frame *f, size_t n, int passed)
{
	union { struct cmsghdr head; char space[CMSG_SPACE(sizeof(int))]; } c;
	struct iovec iov = { (void *)(uintptr_t)f, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (passed != -1) {
		memset(&c, 0, sizeof c);
		m.msg_control = c.space;
		m.msg_controllen = sizeof c.space;
		c.head.cmsg_level = SOL_SOCKET;
		c.head.cmsg_type = SCM_RIGHTS;
		c.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&c.head), &passed, sizeof passed);
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL) == -1 ? errno : 0;
}

static int
send_to_peers(const struct frame *f, size_t n, int passed)
{
	int rc = ENOTCONN;

	for (int fd = FIRST_FD; fd < FDS_MAX; fd++)
		if (is_link(fd))
			rc = send_to(fd, f, n, passed);
	return rc;
}

/* A link knows who is at its other end, so that one cannot speak for another;
 * what remains is to say what that one should not hear from us. */
int
forge_direction(void)
{
	struct ipc_drain m = { 0 };
	int rc = -1;

	for (unsigned r = 0; r < ROLE_COUNT; r++)
		for (unsigned i = 1; i <= ROLE_INSTANCES; i++)
			if (forge_env->peer[r][i] != NULL)
				rc = ipc_send_drain(forge_env->peer[r][i], &m,
				    -1);
	return rc;
}

int
forge_type(void)
{
	struct frame f = { .type = IPC_COUNT + 100 };

	return send_to_peers(&f, HEAD, -1);
}

int
forge_garbage(void)
{
	struct frame f = { .type = own[forge_env->role] };

	memset(f.payload, 0xa5, sizeof f.payload);
	return send_to_peers(&f, sizeof f, -1);
}

int
forge_acknowledgement(void)
{
	struct frame f = { .type = IPC_NONE, .acknowledged = 0x7fffffff };

	return send_to_peers(&f, HEAD, -1);
}

int
forge_descriptor(void)
{
	struct frame f = { .type = own[forge_env->role] };

	return send_to_peers(&f, HEAD + 8, STDERR_FILENO);
}

int
forge_to_parent(void)
{
	struct ipc_key_certs m = { .certs = SPAN_NONE };

	return ipc_send_key_certs(forge_env->parent, &m, -1);
}
