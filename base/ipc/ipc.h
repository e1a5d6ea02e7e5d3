/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/ipc/ipc.h - typed messages between roles.
 *
 * messages.def is the one definition: from it come the enum, a struct per
 * message (struct ipc_NAME), encoder, decoder, size check and the table of who
 * may send what to whom.  A frame is one SOCK_SEQPACKET datagram with at most
 * one descriptor.  Whatever does not decode, is too large, or goes the wrong
 * way ends that link, never this process. */
#ifndef BASE_IPC_IPC_H
#define BASE_IPC_IPC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/loop.h"
#include "base/span.h"

#define IPC_FRAME_MAX	(128 * 1024)
#define ROLE_INSTANCES	64	/* most processes of one role */

enum role {
	ROLE_PARENT, ROLE_SMTPD, ROLE_KEYS, ROLE_QUEUE, ROLE_RELAY,
	ROLE_RESOLVER, ROLE_POLICY, ROLE_LEDGER, ROLE_FETCH,
	ROLE_COUNT,
	ROLE_ANY = ROLE_COUNT	/* in messages.def: whatever role */
};
const char	*role_name(enum role);

enum ipc_type {
	IPC_NONE,
#define IPC_MESSAGE(NAME, name, from, to, fds, class)	IPC_##NAME,
#include "base/ipc/messages.def"
	IPC_COUNT
};

/* ---- records and messages as structs ---- */
#define IPC_RECORD(name)	struct ipc_##name {
#define IPC_RECORD_END(name)	};
#define IPC_U8(f)		uint8_t f;
#define IPC_U16(f)		uint16_t f;
#define IPC_U32(f)		uint32_t f;
#define IPC_U64(f)		uint64_t f;
#define IPC_STR(f, max)		struct span f;
#define IPC_LIST(f, rec, max)	struct span f;	/* walk with ipc_get_REC() */
#define IPC_MESSAGE(NAME, name, from, to, fds, class)	struct ipc_##name {
#define IPC_MESSAGE_END(name)	};
#include "base/ipc/messages.def"

struct ipc_msg {
	enum ipc_type	type;
	int		fd;		/* -1: none */
	union {
		char none;
#define IPC_MESSAGE(NAME, name, from, to, fds, class)	struct ipc_##name name;
#include "base/ipc/messages.def"
	} u;
};

/* Take the descriptor out of a message: it is the caller's then. */
static inline int
ipc_take_fd(struct ipc_msg *m)
{
	int fd = m->fd;

	m->fd = -1;
	return fd;
}

/* Lists: append a record to a buffer / take the next one off a span (1 taken,
 * 0 at the end).  Lists inside a received message were already checked. */
#define IPC_RECORD(name)						\
	int	ipc_put_##name(struct buf *, const struct ipc_##name *);	\
	int	ipc_get_##name(struct span *, struct ipc_##name *);
#include "base/ipc/messages.def"

/* Encoded form of one message payload without frame header, also for keeping
 * or nesting one (queue keeps routes).  put: 0, -1 too large.  get: 0, -1. */
#define IPC_MESSAGE(NAME, name, from, to, fds, class)			\
	int	ipc_put_##name(struct buf *, const struct ipc_##name *);	\
	int	ipc_get_##name(struct span, struct ipc_##name *);
#include "base/ipc/messages.def"

const char	*ipc_name(enum ipc_type);

/* The frame layer of link.c, here for tests and fuzzing: a message's payload
 * to bytes, and bytes to a checked message whose spans point into them. */
enum ipc_class { IPC_CLASS_NORMAL, IPC_CLASS_RESERVED, IPC_CLASS_DROP,
	IPC_CLASS_CALL };
struct ipc_kind {
	const char	*name;
	enum role	 from, to;
	int		 fds;
	enum ipc_class	 class;
};
const struct ipc_kind	*ipc_kind_of(unsigned type);	/* NULL: no such type */
int	ipc_decode(unsigned type, struct span payload, struct ipc_msg *);

/* ---- links ---- */

struct link;
struct link_ops {
	void	(*message)(void *ctx, struct link *, struct ipc_msg *);
	void	(*room)(void *ctx, struct link *);
	/* The other side is gone or spoke nonsense (`why`).  Called once; the
	 * link is freed after it returns. */
	void	(*closed)(void *ctx, struct link *, const char *why);
};

/* Takes the descriptor. */
struct link	*link_new(struct loop *, int fd, enum role self, enum role peer,
		    unsigned peer_index, const struct link_ops *, void *ctx);
void		 link_close(struct link **);

enum role	 link_role(const struct link *);
unsigned	 link_index(const struct link *);
size_t		 link_queued(const struct link *);	/* frames not yet sent */

/* Credits for ordinary messages are used up, or the socket is: pause what
 * feeds this link; ops->room says when to go on. */
bool		 link_full(const struct link *);

/* Send one message: ipc_send_NAME(link, &(struct ipc_NAME){...}, fd).
 * `fd` is taken in every case, -1 for none.
 * 0: sent or queued in order.  -1: the payload does not fit its bounds (our
 * bug or bounded input; nothing was sent), or class DROP met a full link
 * (counted; the count goes with the next one that passes as a GAP message). */
#define IPC_MESSAGE(NAME, name, from, to, fds, class)			\
	int	ipc_send_##name(struct link *, const struct ipc_##name *, int fd);
#include "base/ipc/messages.def"

/* ---- calls that block (smtpd to keys only) ---- */
/* One request, one KEY_SIGNED reply on a plain socket with SO_RCVTIMEO and
 * SO_SNDTIMEO set by the caller.  Decodes into *reply, whose spans point into
 * `mem` (IPC_FRAME_MAX bytes).  0 or -1. */
int	ipc_call_key_sign(int fd, const struct ipc_key_sign *,
	    struct ipc_msg *reply, char *mem);

#endif
