/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/spool_restore.c - reading a checkpoint at the start.  It is good as a
 * whole or not at all: every sum, and the count at its end. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/bytes.h"
#include "queue/spool_priv.h"

#define PIECE	(1024u * 1024)

struct restore {
	struct spool	*sp;
	int		 fd;
	struct buf	 mem;		/* read, from `at` on */
	uint64_t	 at, count;
	struct place	 from;
	uint64_t	 next;
	bool		 begun;
	const char	*why;		/* it is no good */
};

/* Until `n` bytes are at hand.  false: there are not so many. */
static bool
want(struct restore *r, size_t n)
{
	while (r->mem.len < n) {
		size_t more = n - r->mem.len < PIECE ? PIECE : n - r->mem.len;
		char *p = buf_room(&r->mem, more);
		ssize_t got = p == NULL ? -1 : pread(r->fd, p, more,
		    (off_t)(r->at + r->mem.len));

		if (got == -1 && p != NULL && errno == EINTR)
			continue;
		if (got <= 0) {
			r->why = got == 0 ? "it has no end" : "it can't be read";
			return false;
		}
		buf_grown(&r->mem, (size_t)got);
	}
	return true;
}

static void
consume(struct restore *r, size_t n)
{
	buf_consume(&r->mem, n);
	r->at += n;
}

static bool
read_head(struct restore *r, bool have_salt)
{
	struct segment_key k;
	uint32_t before;

	if (!want(r, SEGMENT_FIRST))
		return false;
	if (segment_head_get(buf_get(&r->mem), &k, &before) != 0 || k.number != 0) {
		r->why = "its head is none";
		return false;
	}
	if (have_salt && k.salt != r->sp->salt) {
		r->why = "it belongs to another spool";
		return false;
	}
	r->sp->salt = k.salt;
	consume(r, SEGMENT_FIRST);
	return true;
}

static int
take(struct restore *r, uint8_t type, struct place durable, struct span payload)
{
	if (type == RECORD_FROM && !r->begun && payload.n == 0) {
		r->begun = true;
		r->from = durable;
		return 0;
	}
	if (type != RECORD_LIVE || !r->begun || payload.n < 4)
		return -1;
	r->count++;
	durable.length = (uint32_t)le_get(payload.p, 4);
	return r->sp->ops->restore(r->sp->ctx, span_skip(payload, 4), durable);
}

/* One entry: 1; 0 at the good end, -1. */
static int
read_entry(struct restore *r)
{
	struct segment_key k = { 0, r->sp->salt };
	struct segment_record rec;
	char header[SEGMENT_HEADER];
	struct span payload;
	size_t length;
	uint8_t type;

	if (r->at > UINT32_MAX || !want(r, SEGMENT_HEADER))
		return -1;
	memcpy(header, buf_get(&r->mem).p, SEGMENT_HEADER);
	r->why = "a record is damaged";
	if (!segment_header_get(&k, header, (uint32_t)r->at, &rec))
		return -1;
	length = rec.place.length;
	if (!want(r, segment_room(length)))
		return -1;
	payload = span_head(span_skip(buf_get(&r->mem), SEGMENT_HEADER),
	    length);
	if (!segment_payload_ok(&k, rec.place, header, payload, &type))
		return -1;
	r->why = "a record is not what it should be";
	if (type == RECORD_COUNT) {
		if (payload.n != 16 || le_get(payload.p, 8) != r->count)
			return -1;
		r->next = le_get(payload.p + 8, 8);
		return 0;
	}
	if (take(r, type, rec.durable, payload) == -1)
		return -1;
	consume(r, segment_room(length));
	return 1;
}

int
spool_restore(struct spool *sp, bool have_salt, struct place *from,
    uint64_t *next)
{
	struct restore r = { .sp = sp };
	off_t size;
	int rc = -1;

	r.fd = spool_plain_open(sp->root, CHECKPOINT, O_RDONLY, &size);
	if (r.fd == -1) {
		if (errno != ENOENT)
			log_warn("checkpoint-refused", KV_Q("reason",
			    strerror(errno)));
		return 0;
	}
	buf_init(&r.mem, SEGMENT_PAYLOAD_MAX + 2 * PIECE);
	if (read_head(&r, have_salt)) {
		do
			rc = read_entry(&r);
		while (rc == 1);
	}
	close(r.fd);
	buf_free(&r.mem);
	if (rc == 0) {
		sp->checkpoint_bytes = (uint64_t)size;
		*from = r.from;
		*next = r.next;
		return 1;
	}
	log_warn("checkpoint-refused", KV_Q("reason", r.why));
	sp->ops->forget(sp->ctx);
	/* So that it is not believed one day when it can be read again, and
	 * segments of its time are gone. */
	(void)sp->io->unlink(sp->root, CHECKPOINT);
	return 0;
}
