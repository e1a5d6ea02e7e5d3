/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/hostile/forge.c - see forge.h. */
#include "tests/hostile/forge.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ipc/ipc.h"

#define PARENT_FD	3
#define FDS_MAX		256
#define HEAD		8

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

	for (int fd = PARENT_FD + 1; fd < FDS_MAX; fd++)
		if (is_link(fd))
			rc = send_to(fd, f, n, passed);
	return rc;
}

/* A link tells who is at its other end, so that one cannot speak for another;
 * what remains is to say what that one should not hear from us.  CONFIG is the
 * parent's to send, whoever receives it. */
int
forge_direction(void)
{
	struct frame f = { .type = IPC_CONFIG };

	return send_to_peers(&f, HEAD + 1, STDERR_FILENO);
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
	struct frame f = { 0 };
	int rc = 0;

	/* One of these is right for each peer of each network role. */
	static const uint16_t types[] = { IPC_MSG_BEGIN, IPC_JOB_OUTCOME,
	    IPC_DNS_ANSWER };

	memset(f.payload, 0xa5, sizeof f.payload);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		f.type = types[i];
		rc = send_to_peers(&f, sizeof f, -1);
	}
	return rc;
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
	struct frame f = { .type = IPC_MSG_ABORT };

	return send_to_peers(&f, HEAD + 8, STDERR_FILENO);
}

int
forge_to_parent(void)
{
	struct frame f = { .type = IPC_KEY_CERTS };

	return send_to(PARENT_FD, &f, HEAD + 4, -1);
}
