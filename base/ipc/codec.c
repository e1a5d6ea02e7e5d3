/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/ipc/codec.c - encoders and decoders, all made from messages.def.
 * Decoding trusts nothing: every length is checked against its bound and what
 * is left, lists are walked to their end, and no byte may remain. */
#include "base/ipc/ipc.h"

/* ---- primitives ---- */

static void
put_uint(struct buf *b, uint64_t v, unsigned bytes)
{
	unsigned char le[8];

	for (unsigned i = 0; i < bytes; i++)
		le[i] = (unsigned char)(v >> (8 * i));
	buf_add(b, le, bytes);
}

static void
put_span(struct buf *b, struct span s, size_t max)
{
	if (s.n > max) {
		b->failed = true;
		return;
	}
	put_uint(b, s.n, 4);
	buf_span(b, s);
}

/* A reader whose first failure sticks. */
struct reader {
	struct span	left;
	bool		failed;
};

static uint64_t
get_uint(struct reader *r, unsigned bytes)
{
	uint64_t v = 0;

	if (r->left.n < bytes) {
		r->failed = true;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)(unsigned char)r->left.p[i] << (8 * i);
	r->left = span_skip(r->left, bytes);
	return v;
}

static struct span
get_span(struct reader *r, size_t max)
{
	uint64_t n = get_uint(r, 4);
	struct span s;

	if (r->failed || n > max || n > r->left.n) {
		r->failed = true;
		return SPAN_NONE;
	}
	s = span_head(r->left, (size_t)n);
	r->left = span_skip(r->left, (size_t)n);
	return s;
}

/* ---- fields, the same for records and messages ---- */


/* put */
#define IPC_U8(f)		put_uint(b, m->f, 1);
#define IPC_U16(f)		put_uint(b, m->f, 2);
#define IPC_U32(f)		put_uint(b, m->f, 4);
#define IPC_U64(f)		put_uint(b, m->f, 8);
#define IPC_STR(f, max)		put_span(b, m->f, max);
#define IPC_LIST(f, rec, max)	put_span(b, m->f, max);
#define PUT_HEAD(name)							\
int									\
ipc_put_##name(struct buf *b, const struct ipc_##name *m)		\
{
#define PUT_TAIL(name)							\
	return b->failed ? -1 : 0;					\
}
#define IPC_RECORD(name)		PUT_HEAD(name)
#define IPC_RECORD_END(name)		PUT_TAIL(name)
#define IPC_MESSAGE(NAME, name, from, to, fds, class)	PUT_HEAD(name)
#define IPC_MESSAGE_END(name)		PUT_TAIL(name)
#include "base/ipc/messages.def"

/* get */
#define IPC_U8(f)		m->f = (uint8_t)get_uint(r, 1);
#define IPC_U16(f)		m->f = (uint16_t)get_uint(r, 2);
#define IPC_U32(f)		m->f = (uint32_t)get_uint(r, 4);
#define IPC_U64(f)		m->f = get_uint(r, 8);
#define IPC_STR(f, max)		m->f = get_span(r, max);
#define IPC_LIST(f, rec, max)						\
	m->f = get_span(r, max);					\
	if (!r->failed && !list_ok_##rec(m->f))				\
		r->failed = true;
#define IPC_RECORD(name)						\
static void								\
read_##name(struct reader *r, struct ipc_##name *m)			\
{
#define IPC_RECORD_END(name)						\
}									\
									\
int									\
ipc_get_##name(struct span *list, struct ipc_##name *m)		\
{									\
	struct reader r = { *list, false };				\
									\
	if (list->n == 0)						\
		return 0;						\
	read_##name(&r, m);						\
	*list = r.failed ? SPAN_NONE : r.left;				\
	return r.failed ? -1 : 1;					\
}									\
									\
static __attribute__((unused)) bool					\
list_ok_##name(struct span list)					\
{									\
	struct ipc_##name m;						\
	int rc;								\
									\
	while ((rc = ipc_get_##name(&list, &m)) == 1)			\
		;							\
	return rc == 0;							\
}
#define IPC_MESSAGE(NAME, name, from, to, fds, class)			\
int									\
ipc_get_##name(struct span payload, struct ipc_##name *m)		\
{									\
	struct reader reader = { payload, false }, *r = &reader;	\

#define IPC_MESSAGE_END(name)						\
	return r->failed || r->left.n != 0 ? -1 : 0;			\
}
#include "base/ipc/messages.def"

/* ---- the table of kinds ---- */

static const struct ipc_kind kinds[IPC_COUNT] = {
	[IPC_NONE] = { "NONE", ROLE_ANY, ROLE_ANY, 0, IPC_CLASS_CALL },
#define IPC_MESSAGE(NAME, name, from, to, fds, class)			\
	[IPC_##NAME] = { #NAME, ROLE_##from, ROLE_##to, fds, IPC_CLASS_##class },
#include "base/ipc/messages.def"
};

const struct ipc_kind *
ipc_kind_of(unsigned type)
{
	return type == IPC_NONE || type >= IPC_COUNT ? NULL : &kinds[type];
}

const char *
ipc_name(enum ipc_type type)
{
	return (unsigned)type < IPC_COUNT ? kinds[type].name : "?";
}

int
ipc_decode(unsigned type, struct span payload, struct ipc_msg *m)
{
	m->type = (enum ipc_type)type;
	switch (type) {
#define IPC_MESSAGE(NAME, name, from, to, fds, class)			\
	case IPC_##NAME:						\
		return ipc_get_##name(payload, &m->u.name);
#include "base/ipc/messages.def"
	default:
		return -1;
	}
}

static const char *const role_names[ROLE_COUNT] = {
	"parent", "smtpd", "keys", "queue", "relay", "resolver", "policy",
	"ledger", "fetch",
};

const char *
role_name(enum role r)
{
	return (unsigned)r < ROLE_COUNT ? role_names[r] : "any";
}
