/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/spool_mend.c - a start makes the log say what it took from it.
 *
 * What a crash left torn does not look torn for ever: from the next sync on
 * the log states that all before it is durable.  The next start would take
 * torn bytes for damage, and an END behind them for one that counts.  So both
 * become records that say nothing, in place: first what did not count, and
 * when that is durable the torn bytes, which are the reason for it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "queue/spool_priv.h"

#define PIECE	(1024u * 1024)	/* of torn bytes, in one record */

static int
add(struct spool_mends *list, const struct segment_key *key,
    const struct segment_record *r, struct span payload)
{
	size_t size = list->size == 0 ? 16 : list->size * 2;
	struct spool_mend *more;

	if (list->n == list->size) {
		more = realloc(list->v, size * sizeof(*more));
		if (more == NULL)
			return -1;
		list->v = more;
		list->size = size;
	}
	more = &list->v[list->n++];
	more->at = r->place;
	segment_put(key, RECORD_MARK, r->flags, r->place, r->durable, payload,
	    SPAN_NONE, more->header);
	return 0;
}

int
spool_mend_record(struct spool_mends *list, const struct segment_key *key,
    const struct segment_record *r)
{
	return add(list, key, r, r->payload);
}

int
spool_mend_bytes(struct spool_mends *list, const struct segment_key *key,
    uint32_t offset, struct span bytes)
{
	while (bytes.n >= SEGMENT_HEADER) {
		size_t n = bytes.n <= PIECE + SEGMENT_HEADER ? bytes.n : PIECE;
		struct segment_record r = { .place = { key->number, offset,
		    (uint32_t)(n - SEGMENT_HEADER) } };

		if (add(list, key, &r, span_head(span_skip(bytes,
		    SEGMENT_HEADER), r.place.length)) == -1)
			return -1;
		offset += (uint32_t)n;
		bytes = span_skip(bytes, n);
	}
	return 0;
}

void
spool_mend_forget(struct spool_mends *list, struct place from)
{
	while (list->n > 0 && !place_before(list->v[list->n - 1].at, from))
		list->n--;
}

static int
write_at(struct spool *sp, struct place at, void *bytes, size_t n)
{
	struct iovec iov = { bytes, n };
	char name[SEGMENT_NAME];
	ssize_t done;
	off_t size;
	int fd;

	spool_segment_name(at.segment, name);
	fd = spool_plain_open(sp->log, name, O_RDWR, &size);
	if (fd == -1)
		return -1;
	do
		done = sp->io->pwritev(fd, &iov, 1, (off_t)at.offset);
	while (done == -1 && errno == EINTR);
	if (done >= 0 && (size_t)done < n)
		errno = EIO;
	close(fd);
	return done >= 0 && (size_t)done == n ? 0 : -1;
}

int
spool_mend_write(struct spool *sp, const struct spool_mends *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (write_at(sp, list->v[i].at, list->v[i].header,
		    SEGMENT_HEADER) == -1)
			return -1;
	return 0;
}

int
spool_mend_head(struct spool *sp, struct spool_segment *s)
{
	const struct spool_segment *before =
	    spool_segment_find(sp, s->number - 1);
	struct segment_key key = { s->number, sp->salt };
	char head[SEGMENT_FIRST];

	segment_head_put(&key, before == NULL ? 0 : before->at, head);
	if (write_at(sp, (struct place){ s->number, 0, 0 }, head,
	    sizeof(head)) == -1)
		return -1;
	s->new_head = false;
	return 0;
}
