/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/spool_log.c - the segments of the log: making, appending, reading. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/spool_priv.h"

#define COMPLAIN_EVERY	10000	/* ms */

void
spool_segment_name(uint64_t number, char out[SEGMENT_NAME])
{
	snprintf(out, SEGMENT_NAME, "seg-%016" PRIx64, number);
}

struct spool_segment *
spool_segment_find(const struct spool *sp, uint64_t number)
{
	size_t low = 0, high = sp->nsegments;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (sp->segments[mid]->number < number)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < sp->nsegments && sp->segments[low]->number == number)
		return sp->segments[low];
	return NULL;
}

/* Numbers only grow, so the newest is always the last. */
struct spool_segment *
spool_segment_add(struct spool *sp, uint64_t number)
{
	struct spool_segment *s, **more;
	size_t size = sp->segments_size == 0 ? 16 : sp->segments_size * 2;

	assert(sp->nsegments == 0 ||
	    sp->segments[sp->nsegments - 1]->number < number);
	if (sp->nsegments == sp->segments_size) {
		more = realloc(sp->segments, size * sizeof(*more));
		if (more == NULL)
			return NULL;
		sp->segments = more;
		sp->segments_size = size;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->number = number;
	s->fd = -1;
	s->at = s->durable = SEGMENT_FIRST;
	sp->segments[sp->nsegments++] = s;
	return s;
}

static void
segment_remove(struct spool *sp, struct spool_segment *s)
{
	for (size_t i = 0; i < sp->nsegments; i++) {
		if (sp->segments[i] != s)
			continue;
		memmove(&sp->segments[i], &sp->segments[i + 1],
		    (sp->nsegments - i - 1) * sizeof(sp->segments[0]));
		sp->nsegments--;
		break;
	}
	if (s->fd != -1)
		close(s->fd);
	free(s);
}

bool
spool_hold(struct spool *sp, uint64_t number)
{
	struct spool_segment *s = spool_segment_find(sp, number);

	if (s != NULL)
		s->refs++;
	return s != NULL;
}

void
spool_release(struct spool *sp, uint64_t number)
{
	struct spool_segment *s = spool_segment_find(sp, number);
	char name[SEGMENT_NAME];

	if (s == NULL)
		return;
	assert(s->refs > 0);
	s->refs--;
	/* Of a failed segment in which nothing ever became durable nothing is
	 * needed by anybody, whatever its age; others go in order. */
	if (s->refs == 0 && s->failed && s->durable == SEGMENT_FIRST) {
		spool_segment_name(number, name);
		(void)sp->io->unlink(sp->log, name);
		segment_remove(sp, s);
	}
}

/* ---- a new segment ---- */

static int
write_all(struct spool *sp, int fd, struct iovec *iov, int n, off_t at)
{
	while (n > 0) {
		ssize_t done = sp->io->pwritev(fd, iov, n, at);

		if (done == -1 && errno == EINTR)
			continue;
		if (done == 0)
			errno = EIO;
		if (done <= 0)
			return -1;
		at += done;
		while (n > 0 && (size_t)done >= iov->iov_len) {
			done -= (ssize_t)iov->iov_len;
			iov++;
			n--;
		}
		if (n > 0) {
			iov->iov_base = (char *)iov->iov_base + done;
			iov->iov_len -= (size_t)done;
		}
	}
	return 0;
}

static size_t
count_unsynced(const struct spool *sp)
{
	size_t n = 0;

	for (size_t i = 0; i < sp->nsegments; i++)
		n += sp->segments[i]->fd != -1;
	return n;
}

/* Is a head with the salt durable?  Without one no sum can be checked, and what
 * a power cut leaves of the first records would look like a lost spool. */
static bool
salt_safe(const struct spool *sp)
{
	for (size_t i = 0; i < sp->nsegments; i++)
		if (sp->segments[i]->durable > SEGMENT_FIRST)
			return true;
	return false;
}

static int
segment_make(struct spool *sp, uint64_t need, struct fault *f)
{
	struct segment_key key = { sp->next_number, sp->salt };
	uint64_t size = need + SEGMENT_FIRST > sp->io->segment_size ?
	    need + SEGMENT_FIRST : sp->io->segment_size;
	char name[SEGMENT_NAME], head[SEGMENT_FIRST];
	struct iovec iov = { head, sizeof(head) };
	struct spool_segment *s,
	    *before = spool_segment_find(sp, key.number - 1);
	int fd;

	if (size > SEGMENT_LARGEST)
		return fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "too much for one segment");
	if (count_unsynced(sp) >= SPOOL_UNSYNCED)
		return fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "the disk is too far behind");
	spool_segment_name(key.number, name);
	fd = sp->io->open(sp->log, name, O_RDWR | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1) {
		/* Whatever has this name: the next number is free. */
		if (errno == EEXIST)
			sp->next_number++;
		return fault_sys(f, "make a segment");
	}
	segment_head_put(&key, before == NULL ? 0 : before->at, head);
	if (sp->io->preallocate(fd, (off_t)size) == -1 ||
	    write_all(sp, fd, &iov, 1, 0) == -1 ||
	    (!salt_safe(sp) && sp->io->fdatasync(fd) == -1)) {
		fault_sys(f, "make a segment");
		goto unlink_segment;
	}
	s = spool_segment_add(sp, key.number);
	if (s == NULL) {
		fault_set(f, FAULT_TEMP, 451, "4.3.0", "no memory");
		goto unlink_segment;
	}
	s->fd = fd;
	sp->next_number++;
	sp->current = s;
	sp->dir_dirty = true;
	return 0;
unlink_segment:
	(void)sp->io->unlink(sp->log, name);
	close(fd);
	return -1;
}

int
spool_segment_room(struct spool *sp, uint64_t need, struct fault *f)
{
	if (sp->current != NULL && sp->current->at + need <=
	    sp->io->segment_size)
		return 0;
	if (sp->current != NULL) {
		sp->current->closed = true;
		sp->current = NULL;
	}
	return segment_make(sp, need, f);
}

/* ---- appending ---- */

static int
iov_add(struct iovec *iov, int n, const void *p, size_t len)
{
	if (len == 0)
		return n;
	iov[n].iov_base = (void *)(uintptr_t)p;
	iov[n].iov_len = len;
	return n + 1;
}

int
spool_append(struct spool *sp, const struct spool_part *parts, size_t n,
    struct place *places, struct fault *f)
{
	static const char zeros[8];
	char headers[SPOOL_PARTS][SEGMENT_HEADER];
	struct iovec iov[SPOOL_PARTS * 4];
	struct segment_key key;
	uint64_t need = 0;
	uint32_t at;
	int niov = 0;

	assert(n > 0 && n <= SPOOL_PARTS);
	for (size_t i = 0; i < n; i++) {
		size_t len = parts[i].head.n + parts[i].body.n;

		if (len > SEGMENT_PAYLOAD_MAX)
			return fault_set(f, FAULT_TEMP, 452, "4.5.3",
			    "too many recipients");
		need += segment_room(len);
	}
	if (spool_segment_room(sp, need, f) == -1)
		return -1;
	key = (struct segment_key){ sp->current->number, sp->salt };
	at = sp->current->at;
	for (size_t i = 0; i < n; i++) {
		size_t len = parts[i].head.n + parts[i].body.n;

		places[i] = (struct place){ key.number, at, (uint32_t)len };
		segment_put(&key, parts[i].type,
		    (i + 1 < n ? SEGMENT_MORE : 0) |
		    (i > 0 ? SEGMENT_BEHIND : 0), places[i], sp->durable,
		    parts[i].head, parts[i].body, headers[i]);
		niov = iov_add(iov, niov, headers[i], SEGMENT_HEADER);
		niov = iov_add(iov, niov, parts[i].head.p, parts[i].head.n);
		niov = iov_add(iov, niov, parts[i].body.p, parts[i].body.n);
		niov = iov_add(iov, niov, zeros,
		    segment_room(len) - SEGMENT_HEADER - len);
		at += segment_room(len);
	}
	if (write_all(sp, sp->current->fd, iov, niov,
	    (off_t)sp->current->at) == -1) {
		fault_sys(f, "write to the spool");
		/* A full disk may have room again, and what is there of this
		 * batch is then written over.  Anything else: leave the file. */
		if (f->code != 452) {
			sp->current->closed = true;
			sp->current = NULL;
		}
		return -1;
	}
	sp->current->at = at;
	sp->log_bytes += need;
	return 0;
}

int
spool_commit(struct spool *sp, struct span head, struct span body,
    struct place *place, void (*done)(void *, const struct fault *), void *arg,
    struct fault *f)
{
	struct spool_part part = { RECORD_MESSAGE, head, body };
	struct spool_commit *c;

	if (sp->sick_until > loop_now(sp->loop))
		return fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "the spool's disk had an error");
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return fault_set(f, FAULT_TEMP, 451, "4.3.0", "no memory");
	if (spool_append(sp, &part, 1, place, f) == -1) {
		free(c);
		return -1;
	}
	c->place = *place;
	c->done = done;
	c->arg = arg;
	(void)spool_hold(sp, place->segment);
	TAILQ_INSERT_TAIL(&sp->waiting, c, link);
	spool_kick(sp);
	return 0;
}

/* ---- states ---- */

int
spool_state_keep(struct spool *sp, const struct spool_part *parts, size_t n,
    const struct spool_after *after)
{
	struct spool_state *s;
	size_t size = 0, off = 0;

	assert(n > 0 && n <= SPOOL_PARTS);
	for (size_t i = 0; i < n; i++)
		size += parts[i].head.n + parts[i].body.n;
	s = calloc(1, sizeof(*s) + size);
	if (s == NULL)
		return -1;
	s->after = *after;
	s->nparts = n;
	for (size_t i = 0; i < n; i++) {
		struct spool_kept_part *k = &s->parts[i];

		k->type = parts[i].type;
		k->off = off;
		k->len = parts[i].head.n + parts[i].body.n;
		memcpy(s->mem + off, parts[i].head.p, parts[i].head.n);
		if (parts[i].body.n > 0)
			memcpy(s->mem + off + parts[i].head.n, parts[i].body.p,
			    parts[i].body.n);
		off += k->len;
	}
	TAILQ_INSERT_TAIL(&sp->unwritten, s, link);
	return 0;
}

int
spool_state(struct spool *sp, const struct spool_part *parts, size_t n,
    const struct spool_after *after)
{
	if (spool_state_keep(sp, parts, n, after) == -1) {
		/* The index knows what the log does not: a checkpoint of it
		 * could lose the bounce of a message that ended. */
		sp->unrecorded = true;
		return -1;
	}
	spool_write_states(sp);
	return 0;
}

/* A message record has a new place: states that wait to release the place it
 * had (0: none so far) have to release the new one.  They were kept after the
 * one that brings it, and states are written in that order. */
static void
move_release(struct spool *sp, struct span id, uint64_t from, uint64_t to)
{
	struct spool_state *s;

	TAILQ_FOREACH(s, &sp->unwritten, link)
		if (s->after.release == from &&
		    span_eq(span_str(s->after.id), id))
			s->after.release = to;
}

static void
state_placed(struct spool *sp, struct spool_state *s,
    struct spool_kept_part *k, struct place place)
{
	struct span id = span_of(s->mem + k->off, ID_LEN);
	uint64_t before = k->held;

	if (k->type != RECORD_MESSAGE && k->type != RECORD_CARRY)
		return;
	(void)spool_hold(sp, place.segment);
	k->held = place.segment;
	if (!sp->closing)
		sp->ops->placed(sp->ctx, id, place);
	move_release(sp, id, before == 0 && k->type == RECORD_CARRY ?
	    s->after.release : before, place.segment);
	if (before != 0)
		spool_release(sp, before);
}

/* Every outcome tries again: one line in a while says it. */
static void
complain(struct spool *sp, const char *reason)
{
	uint64_t now = loop_now(sp->loop);

	if (sp->complained != 0 && now - sp->complained < COMPLAIN_EVERY)
		return;
	sp->complained = now == 0 ? 1 : now;
	log_error("spool-write-failed", KV_Q("reason", reason));
}

static int
state_write(struct spool *sp, struct spool_state *s)
{
	struct spool_part parts[SPOOL_PARTS];
	struct place places[SPOOL_PARTS];
	struct fault f = { 0 };

	for (size_t i = 0; i < s->nparts; i++)
		parts[i] = (struct spool_part){ s->parts[i].type,
		    span_of(s->mem + s->parts[i].off, s->parts[i].len),
		    SPAN_NONE };
	if (spool_append(sp, parts, s->nparts, places, &f) == -1 &&
	    (f.code != 452 || !spool_spare_give(sp) ||
	    spool_append(sp, parts, s->nparts, places, &f) == -1)) {
		complain(sp, f.text);
		return -1;
	}
	TAILQ_REMOVE(&sp->unwritten, s, link);
	TAILQ_INSERT_TAIL(&sp->written, s, link);
	for (size_t i = 0; i < s->nparts; i++)
		state_placed(sp, s, &s->parts[i], places[i]);
	if (s->after.ack) {
		s->after.ack = false;
		if (!sp->closing)
			sp->ops->written(sp->ctx, s->after.ack_a,
			    s->after.ack_b);
	}
	return 0;
}

void
spool_write_states(struct spool *sp)
{
	struct spool_state *s;

	while ((s = TAILQ_FIRST(&sp->unwritten)) != NULL) {
		if (state_write(sp, s) == -1)
			break;
	}
	spool_timer(sp);
}

/* ---- reading ---- */

static int
read_at(int fd, char *p, size_t n, off_t at)
{
	while (n > 0) {
		ssize_t got = pread(fd, p, n, at);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EIO;
		if (got <= 0)
			return -1;
		p += got;
		n -= (size_t)got;
		at += got;
	}
	return 0;
}

int
spool_read(struct spool *sp, struct place place, struct buf *mem,
    struct span *payload, struct fault *f)
{
	struct segment_key key = { place.segment, sp->salt };
	struct spool_segment *s = spool_segment_find(sp, place.segment);
	size_t n = SEGMENT_HEADER + (size_t)place.length;
	char name[SEGMENT_NAME], *p;
	uint8_t type;
	off_t size;
	int fd, rc;

	buf_reset(mem);
	p = buf_room(mem, n);
	if (s == NULL || p == NULL)
		return fault_set(f, FAULT_TEMP, 451, "4.3.0", "%s", s == NULL ?
		    "the message's segment is gone" : "no memory");
	fd = s->fd;
	if (fd == -1) {
		spool_segment_name(place.segment, name);
		fd = spool_plain_open(sp->log, name, O_RDONLY, &size);
		if (fd == -1)
			return fault_sys(f, "open a segment");
	}
	rc = read_at(fd, p, n, (off_t)place.offset);
	if (rc == -1)
		fault_sys(f, "read a segment");
	if (s->fd == -1)
		close(fd);
	if (rc == -1)
		return -1;
	buf_grown(mem, n);
	*payload = span_skip(buf_get(mem), SEGMENT_HEADER);
	if (!segment_payload_ok(&key, place, buf_get(mem).p, *payload, &type)) {
		s->damaged = true;
		sp->ndamaged++;
		return fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "the message is damaged on disk");
	}
	return 0;
}
