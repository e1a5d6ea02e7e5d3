/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any frame of another role: the first byte is the type, the rest the payload.
 * What decodes has one encoding: encoded again it is the same bytes. */
#include "base/ipc/ipc.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"

static int
encode(struct buf *b, const struct ipc_msg *m)
{
	switch ((unsigned)m->type) {
#define IPC_MESSAGE(NAME, name, from, to, fds, class)			\
	case IPC_##NAME:						\
		return ipc_put_##name(b, &m->u.name);
#include "base/ipc/messages.def"
	default:
		return -1;
	}
}

/* Lists were checked by the decoder: every walk ends, at the end, and every
 * field keeps its bound. */
#define IPC_RECORD(name)	static void walk_##name(struct span);
#include "base/ipc/messages.def"

#define IPC_RECORD(name)						\
static void								\
fields_##name(const struct ipc_##name *u)				\
{									\
	(void)u;
#define IPC_RECORD_END(name)	}
#define IPC_MESSAGE(NAME, name, from, to, fds, class)			\
static void								\
message_##name(const struct ipc_##name *u)				\
{									\
	(void)u;
#define IPC_MESSAGE_END(name)	}
#define IPC_STR(f, max)		require(u->f.n <= (max));
#define IPC_LIST(f, rec, max)	require(u->f.n <= (max)); walk_##rec(u->f);
#include "base/ipc/messages.def"

#define IPC_RECORD(name)						\
static void								\
walk_##name(struct span list)						\
{									\
	struct ipc_##name m;						\
	int rc;								\
									\
	while ((rc = ipc_get_##name(&list, &m)) == 1)			\
		fields_##name(&m);					\
	require(rc == 0);						\
}
#include "base/ipc/messages.def"

static void
walk(const struct ipc_msg *m)
{
	switch ((unsigned)m->type) {
#define IPC_MESSAGE(NAME, name, from, to, fds, class)			\
	case IPC_##NAME:						\
		message_##name(&m->u.name);				\
		break;
#include "base/ipc/messages.def"
	default:
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipc_msg m = { .fd = -1 };
	struct buf again;

	if (size == 0 || size > IPC_FRAME_MAX)
		return 0;
	if (ipc_decode(data[0], span_of(data + 1, size - 1), &m) == -1)
		return 0;
	require(ipc_kind_of(data[0]) != NULL);
	walk(&m);
	buf_init(&again, IPC_FRAME_MAX);
	require(encode(&again, &m) == 0);
	require(span_eq(buf_get(&again), span_of(data + 1, size - 1)));
	buf_free(&again);
	return 0;
}
