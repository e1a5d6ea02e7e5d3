/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/spool_replay.c - the log read at the start, from where the checkpoint
 * ends, or all of it.
 *
 * Two passes.  The first reads headers: how far the log says it was durable,
 * and which segments a failed sync made void.  The second checks every sum and
 * hands the records on.  Bad bytes below what was durable are damage (said
 * loudly, the segment is kept for the operator when it goes); above it they
 * are what a crash leaves of a batch that nobody was promised. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/spool_priv.h"

struct voided {
	uint64_t	segment;
	uint32_t	from;
};

struct replay {
	struct spool	*sp;
	uint64_t	*numbers;
	size_t		 n, size;
	char		*mem;		/* one segment */
	size_t		 mem_size;
	int		 err;		/* a segment could not be read: errno */
	struct place	 from;		/* what is before, the checkpoint has */
	struct place	 durable;	/* the most that any record states */
	struct voided	*voids;
	size_t		 nvoids;
	bool		 have_salt;
	struct place	 torn;		/* the last one seen */
	struct spool_mends annul, fill;	/* what did not count; torn bytes */
	/* records that count only together with the next one */
	struct segment_record chain[SPOOL_PARTS];
	size_t		 nchain;
};

static int
number_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int
number_add(struct replay *r, uint64_t number)
{
	size_t size = r->size == 0 ? 64 : r->size * 2;
	uint64_t *more;

	if (r->n == r->size) {
		more = realloc(r->numbers, size * sizeof(*more));
		if (more == NULL)
			return -1;
		r->numbers = more;
		r->size = size;
	}
	r->numbers[r->n++] = number;
	return 0;
}

static bool
name_number(const char *name, uint64_t *number)
{
	char again[SEGMENT_NAME];
	char *end;

	if (strncmp(name, "seg-", 4) != 0)
		return false;
	errno = 0;
	*number = strtoull(name + 4, &end, 16);
	if (errno != 0 || *end != '\0' || *number == 0)
		return false;
	spool_segment_name(*number, again);
	return strcmp(again, name) == 0;
}

static int
list_segments(struct replay *r, struct fault *f)
{
	int fd = dup(r->sp->log), rc = 0;
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *e;
	uint64_t number;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return fault_sys(f, "list the spool's log");
	}
	rewinddir(dir);
	while (rc == 0 && (e = readdir(dir)) != NULL) {
		if (name_number(e->d_name, &number))
			rc = number_add(r, number);
		else if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0)
			log_warn("spool-foreign-file", KV_S("name", e->d_name));
	}
	closedir(dir);
	if (rc == -1)
		return fault_set(f, FAULT_TEMP, 451, "4.3.0", "no memory");
	if (r->n > 0)
		qsort(r->numbers, r->n, sizeof(r->numbers[0]), number_cmp);
	return 0;
}

static int
make_room(struct replay *r, size_t size)
{
	char *more;

	if (size <= r->mem_size)
		return 0;
	more = realloc(r->mem, size);
	if (more == NULL)
		return -1;
	r->mem = more;
	r->mem_size = size;
	return 0;
}

static bool
planted(int err)
{
	return err == ELOOP || err == EPERM || err == ENXIO;
}

/* fd with room for its bytes, or -1.  A segment of ours that cannot be read
 * now stops the start (r->err): going on without it could delete the ends of
 * messages that it holds. */
static int
open_segment(struct replay *r, uint64_t number, off_t *size)
{
	char name[SEGMENT_NAME];
	int fd;

	spool_segment_name(number, name);
	fd = spool_plain_open(r->sp->log, name, O_RDONLY, size);
	if (fd == -1 && !planted(errno)) {
		r->err = errno;
		return -1;
	}
	if (fd == -1 || *size > (off_t)SEGMENT_LARGEST) {
		log_error("spool-refused-file", KV_S("name", name),
		    KV_Q("reason", fd == -1 ? strerror(errno) : "too large"));
	} else if (make_room(r, (size_t)*size + 1) == -1) {
		r->err = ENOMEM;
	} else {
		return fd;
	}
	if (fd != -1)
		close(fd);
	return -1;
}

/* The bytes of a segment, at most so many, into r->mem; p is NULL when it is
 * refused. */
static struct span
load(struct replay *r, uint64_t number, size_t most)
{
	size_t have = 0;
	off_t size = 0;
	int fd = open_segment(r, number, &size);

	if (fd == -1)
		return span_of(NULL, 0);
	if ((size_t)size > most)
		size = (off_t)most;
	while (have < (size_t)size) {
		ssize_t n = pread(fd, r->mem + have, (size_t)size - have,
		    (off_t)have);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			/* What cannot be read is damage to what it held. */
			log_error("spool-read-failed",
			    KV_N("segment", number),
			    KV_N("offset", have),
			    KV_Q("reason", strerror(errno)));
			memset(r->mem + have, 0xff, (size_t)size - have);
			break;
		}
		have += (size_t)n;
	}
	close(fd);
	return span_of(r->mem, (size_t)size);
}

/* Where to begin in a segment. */
static uint32_t
first_offset(const struct replay *r, uint64_t number)
{
	return number == r->from.segment ? r->from.offset : SEGMENT_FIRST;
}

/* ---- first pass ---- */

static void
note_void(struct replay *r, struct span payload)
{
	struct voided v, *more;

	if (record_get_void(payload, &v.segment, &v.from) == -1)
		return;
	more = realloc(r->voids, (r->nvoids + 1) * sizeof(*more));
	if (more == NULL)
		return;		/* at worst something comes back */
	r->voids = more;
	r->voids[r->nvoids++] = v;
}

static void
scan_headers(struct replay *r, uint64_t number)
{
	struct segment_key key = { number, r->sp->salt };
	struct span bytes = load(r, number, SEGMENT_LARGEST);
	struct segment_record rec;
	uint32_t at = first_offset(r, number);
	enum segment_step step;

	while ((step = segment_next(&key, bytes, true, &at, &rec)) !=
	    SEGMENT_END) {
		if (step == SEGMENT_BAD)
			continue;
		if (place_before(r->durable, rec.durable))
			r->durable = rec.durable;
		/* A rotten one would void mail that was promised. */
		if (step == SEGMENT_RECORD && rec.type == RECORD_VOID &&
		    segment_payload_ok(&key, rec.place, bytes.p +
		    rec.place.offset, rec.payload, &rec.type))
			note_void(r, rec.payload);
	}
}

/* The salt is in the head of every segment. */
static int
find_salt(struct replay *r, struct fault *f)
{
	struct segment_key key;
	uint32_t before;

	for (size_t i = 0; i < r->n && !r->have_salt; i++) {
		int rc = segment_head_get(load(r, r->numbers[i],
		    SEGMENT_FIRST), &key, &before);

		if (rc == -2)
			return fault_set(f, FAULT_PERM, 0, NULL, "the spool "
			    "was written by a newer version of this program");
		if (rc == 0) {
			r->sp->salt = key.salt;
			r->have_salt = true;
		}
	}
	return 0;
}

/* ---- second pass ---- */

static uint32_t
void_from(const struct replay *r, uint64_t number)
{
	uint32_t from = UINT32_MAX;

	for (size_t i = 0; i < r->nvoids; i++)
		if (r->voids[i].segment == number && r->voids[i].from < from)
			from = r->voids[i].from;
	return from;
}

static const char *
what_is(enum segment_step step, uint8_t type)
{
	return step == SEGMENT_BAD ? "record header" :
	    type == RECORD_MESSAGE || type == RECORD_CARRY ? "message" :
	    "state";
}

/* Is it damage? */
static bool
bad_bytes(struct replay *r, struct spool_segment *s, struct place place,
    const char *what)
{
	bool damage = place_before(place, r->durable);

	r->nchain = 0;
	if (damage) {
		s->damaged = true;
		r->sp->ndamaged++;
	} else {
		r->sp->ntorn++;
		r->torn = place;
	}
	log_event(damage ? LOG_ERROR : LOG_INFO,
	    damage ? "spool-damage" : "spool-torn", (const struct kv[]){
	    KV_N("segment", place.segment), KV_N("offset", place.offset),
	    KV_N("length", place.length), KV_S("what", what) }, 4);
	return damage;
}

/* END and CARRY sum up what was written before them.  Sectors reach the disk in
 * any order: they may be there while something of that is not, a failure and
 * its bounce perhaps.  Then they do not count, and the message is what its older
 * records make it. */
static bool
counts(const struct replay *r, const struct segment_record *rec)
{
	if (rec->type == RECORD_END || rec->type == RECORD_CARRY)
		return !place_before(rec->durable, r->torn);
	return rec->type != RECORD_VOID && rec->type != RECORD_MARK;
}

static void
annul(struct replay *r, const struct segment_record *rec)
{
	struct segment_key key = { rec->place.segment, r->sp->salt };

	if (spool_mend_record(&r->annul, &key, rec) == -1)
		r->err = ENOMEM;
}

static void
good_record(struct replay *r, const struct segment_record *rec)
{
	struct spool *sp = r->sp;

	/* Sectors reach the disk in any order: the end of a chain may be there
	 * and its beginning not. */
	if (((rec->flags & SEGMENT_BEHIND) != 0) != (r->nchain > 0)) {
		r->nchain = 0;
		if ((rec->flags & SEGMENT_BEHIND) != 0)
			return;
	}
	if (r->nchain == SPOOL_PARTS)
		r->nchain = 0;		/* never written so */
	r->chain[r->nchain++] = *rec;
	if ((rec->flags & SEGMENT_MORE) != 0)
		return;
	for (size_t i = 0; i < r->nchain; i++) {
		const struct segment_record *c = &r->chain[i];

		if (counts(r, c))
			sp->ops->replay(sp->ctx, c->type, c->payload, c->place);
		else if (c->type == RECORD_END || c->type == RECORD_CARRY)
			annul(r, c);
	}
	r->nchain = 0;
}

/* No segment has a good head, so that no sum can be checked: nothing, if this
 * one was being made when the machine stopped, and all is lost otherwise. */
static void
headless(struct replay *r, struct spool_segment *s, struct span bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		if (bytes.p[i] == 0)
			continue;
		s->damaged = true;
		r->sp->ndamaged++;
		log_error("spool-damage", KV_N("segment", s->number),
		    KV_N("offset", 0), KV_N("length", bytes.n),
		    KV_S("what", "segment head"));
		return;
	}
}

/* The segment before this one may lack its end, with no trace in itself, or may
 * not have got its name.  It is the head of this one that tells: without a
 * head, nothing is known of what was before. */
static void
note_short(struct replay *r, struct spool_segment *me, struct span bytes)
{
	uint64_t number = me->number;
	struct spool_segment *s = spool_segment_find(r->sp, number - 1);
	struct place gone = { number - 1, SEGMENT_FIRST, 0 },
	    head = { number, 0, SEGMENT_FIRST };
	struct segment_key key;
	uint32_t before;

	if (segment_head_get(bytes, &key, &before) != 0) {
		me->new_head = true;
		/* A segment that was given up may have none, and it is
		 * durable that it was. */
		if (void_from(r, number) > SEGMENT_FIRST ||
		    !place_before(head, r->durable))
			(void)bad_bytes(r, me, head, "segment head");
		return;
	}
	/* What is before the checkpoint's place is not needed, and a VOID of it
	 * may stand before that place and was not read. */
	if (before == 0 || number == r->from.segment ||
	    (s == NULL ? number == r->numbers[0] : s->at >= before))
		return;
	/* Also where a VOID says it: that may stand in what is cut off now. */
	me->new_head = true;
	if (void_from(r, number - 1) != UINT32_MAX)
		return;
	if (s != NULL)
		gone.offset = s->at;
	gone.length = before - gone.offset;
	(void)bad_bytes(r, s != NULL ? s : me, gone, "segment end");
	r->torn = gone;		/* were it damage: rather twice than not */
}

static void
fill(struct replay *r, const struct segment_key *key, struct place torn,
    struct span upto)
{
	if (spool_mend_bytes(&r->fill, key, torn.offset, span_skip(upto,
	    torn.offset)) == -1)
		r->err = ENOMEM;
}

static int
replay_segment(struct replay *r, uint64_t number, struct fault *f)
{
	struct segment_key key = { number, r->sp->salt };
	struct span bytes = load(r, number, SEGMENT_LARGEST);
	struct spool_segment *s;
	struct segment_record rec;
	uint32_t at = first_offset(r, number), last = at, end = at,
	    until = void_from(r, number);
	enum segment_step step;

	if (bytes.p == NULL)
		return 0;	/* refused: left alone, and said */
	s = spool_segment_add(r->sp, number);
	if (s == NULL)
		return fault_set(f, FAULT_TEMP, 451, "4.3.0", "no memory");
	s->closed = true;
	r->nchain = 0;
	if (!r->have_salt) {
		headless(r, s, bytes);
		return 0;
	}
	note_short(r, s, bytes);
	while ((step = segment_next(&key, bytes, false, &at, &rec)) !=
	    SEGMENT_END && rec.place.offset < until) {
		last = at;
		if (step == SEGMENT_RECORD)
			good_record(r, &rec);
		else if (!bad_bytes(r, s, rec.place,
		    what_is(step, rec.type))) {
			fill(r, &key, rec.place, span_head(bytes, at));
			continue;
		}
		end = at;
	}
	/* A torn end is cut off. */
	spool_mend_forget(&r->fill, (struct place){ number, end, 0 });
	/* Cut off at a record's end: only what others state tells. */
	if (r->durable.segment == number && last < r->durable.offset &&
	    until == UINT32_MAX)
		(void)bad_bytes(r, s, (struct place){ number, last,
		    r->durable.offset - last }, "record header");
	s->at = s->durable = end;
	r->sp->log_bytes += end - first_offset(r, number);
	return 0;
}

/* The checkpoint has what is in it: nothing of it is read but what is sent. */
static int
skip_segment(struct replay *r, uint64_t number, struct fault *f)
{
	char name[SEGMENT_NAME];
	struct spool_segment *s;
	off_t size;
	int fd;

	spool_segment_name(number, name);
	fd = spool_plain_open(r->sp->log, name, O_RDONLY, &size);
	if (fd == -1)
		return 0;	/* planted: replay_segment() would say so */
	close(fd);
	s = spool_segment_add(r->sp, number);
	if (s == NULL)
		return fault_set(f, FAULT_TEMP, 451, "4.3.0", "no memory");
	s->closed = true;
	s->at = s->durable = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
	return 0;
}

/* A segment is never written to again; give back what was preallocated. */
static void
trim_segment(struct spool *sp, const struct spool_segment *s)
{
	char name[SEGMENT_NAME];
	off_t size;
	int fd;

	spool_segment_name(s->number, name);
	fd = spool_plain_open(sp->log, name, O_RDWR, &size);
	if (fd == -1)
		return;
	if (!s->damaged && size > (off_t)s->at)
		(void)!sp->io->truncate(fd, (off_t)s->at);
	close(fd);
}

/* What was read may be in memory only: a process that was killed a moment ago
 * did not get to sync it. */
static int
sync_log(struct replay *r)
{
	struct spool *sp = r->sp;
	char name[SEGMENT_NAME];
	off_t size;
	int rc = 0;

	for (size_t i = 0; i < sp->nsegments && rc == 0; i++) {
		int fd;

		if (sp->segments[i]->number < r->from.segment)
			continue;
		spool_segment_name(sp->segments[i]->number, name);
		fd = spool_plain_open(sp->log, name, O_RDWR, &size);
		rc = fd == -1 ? -1 : sp->io->fdatasync(fd);
		if (fd != -1)
			close(fd);
	}
	return rc == 0 ? sp->io->fsync(sp->log) : -1;
}

/* From here on all that was read is taken for durable, and what was not taken
 * looks no more as if it could be. */
static int
settle(struct replay *r, struct fault *f)
{
	struct spool *sp = r->sp;
	struct spool_segment *last = sp->nsegments == 0 ? NULL :
	    sp->segments[sp->nsegments - 1];

	if (last == NULL)
		return 0;
	if (r->annul.n > 0 && (spool_mend_write(sp, &r->annul) == -1 ||
	    sync_log(r) == -1))
		return fault_sys(f, "mend the spool's log");
	for (size_t i = 0; i < sp->nsegments; i++) {
		struct spool_segment *s = sp->segments[i];

		if (s->number >= r->from.segment)
			trim_segment(sp, s);
		if (s->new_head && spool_mend_head(sp, s) == -1)
			return fault_sys(f, "mend a segment");
	}
	if (spool_mend_write(sp, &r->fill) == -1 || sync_log(r) == -1)
		return fault_sys(f, "sync of the spool's log");
	sp->durable = (struct place){ last->number, last->at, 0 };
	return 0;
}

static int
replay_all(struct replay *r, struct fault *f)
{
	struct spool *sp = r->sp;
	uint64_t next = 0;

	if (list_segments(r, f) == -1 || find_salt(r, f) == -1)
		return -1;
	if (spool_restore(sp, r->have_salt, &r->from, &next) == 1)
		r->durable = r->from;
	for (size_t i = 0; i < r->n; i++)
		if (r->numbers[i] >= r->from.segment)
			scan_headers(r, r->numbers[i]);
	for (size_t i = 0; i < r->n; i++)
		if ((r->numbers[i] < r->from.segment ? skip_segment :
		    replay_segment)(r, r->numbers[i], f) == -1)
			return -1;
	if (r->err != 0) {
		errno = r->err;
		return fault_sys(f, "read a segment of the spool");
	}
	sp->next_number = r->n > 0 ? r->numbers[r->n - 1] + 1 : 1;
	if (sp->next_number < next)
		sp->next_number = next;
	return 0;
}

int
spool_replay(struct spool *sp, struct fault *f)
{
	struct replay r = { .sp = sp };
	int rc = replay_all(&r, f);

	if (rc == 0)
		rc = settle(&r, f);
	free(r.annul.v);
	free(r.fill.v);
	free(r.numbers);
	free(r.voids);
	free(r.mem);
	return rc;
}
