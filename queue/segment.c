/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/segment.c - headers, sums, and the scan that finds its feet again
 * behind damage. */
#include "queue/segment.h"

#include <assert.h>

#include "base/crc32c.h"
#include "queue/bytes.h"

#define HEAD_MAGIC	"sealane spool 1\n"	/* 16 bytes */
#define HEAD_MAGIC_OLD	14	/* so many of them are in every version */
#define HEAD_SIZE	40	/* magic, number, salt, before, sum */
#define HEAD_COPY	2048	/* where the second copy is */

#define MAGIC		0x31524c53u	/* SLR1 */
#define ALIGN		8u

/* Offsets in a record's header. */
enum {
	H_MAGIC = 0, H_LENGTH = 4, H_TYPE = 8, H_FLAGS = 9, H_ZERO = 10,
	H_PAYLOAD_SUM = 12, H_DURABLE_SEGMENT = 16, H_DURABLE_OFFSET = 24,
	H_SUM = 28
};

void
segment_head_put(const struct segment_key *k, uint32_t before,
    char out[SEGMENT_FIRST])
{
	memset(out, 0, SEGMENT_FIRST);
	memcpy(out, HEAD_MAGIC, 16);
	le_put(out + 16, k->number, 8);
	le_put(out + 24, k->salt, 8);
	le_put(out + 32, before, 4);
	le_put(out + 36, crc32c(0, out, 36), 4);
	memcpy(out + HEAD_COPY, out, HEAD_SIZE);
}

static int
head_get(const char *p, struct segment_key *k, uint32_t *before)
{
	if (le_get(p + 36, 4) != crc32c(0, p, 36))
		return -1;
	if (memcmp(p, HEAD_MAGIC, 16) != 0)
		return memcmp(p, HEAD_MAGIC, HEAD_MAGIC_OLD) == 0 ? -2 : -1;
	k->number = le_get(p + 16, 8);
	k->salt = le_get(p + 24, 8);
	*before = (uint32_t)le_get(p + 32, 4);
	return 0;
}

int
segment_head_get(struct span bytes, struct segment_key *k, uint32_t *before)
{
	int rc = -1;

	if (bytes.n >= HEAD_SIZE)
		rc = head_get(bytes.p, k, before);
	if (rc == -1 && bytes.n >= HEAD_COPY + HEAD_SIZE)
		rc = head_get(bytes.p + HEAD_COPY, k, before);
	return rc;
}

uint32_t
segment_room(size_t payload)
{
	assert(payload <= SEGMENT_PAYLOAD_MAX);
	return SEGMENT_HEADER +
	    (((uint32_t)payload + ALIGN - 1) & ~(ALIGN - 1));
}

/* The seed binds a sum to its place: bytes of another segment, or of this one
 * at another offset, never pass. */
static uint32_t
seed(const struct segment_key *k, uint32_t offset, char what)
{
	char s[21];

	le_put(s, k->salt, 8);
	le_put(s + 8, k->number, 8);
	le_put(s + 16, offset, 4);
	s[20] = what;
	return crc32c(0, s, sizeof(s));
}

void
segment_put(const struct segment_key *k, uint8_t type, uint8_t flags,
    struct place at, struct place durable, struct span head, struct span body,
    char out[SEGMENT_HEADER])
{
	uint32_t sum = seed(k, at.offset, 'p');

	assert(at.length == head.n + body.n && at.offset % ALIGN == 0);
	sum = crc32c(sum, head.p, head.n);
	sum = crc32c(sum, body.p, body.n);
	le_put(out + H_MAGIC, MAGIC, 4);
	le_put(out + H_LENGTH, at.length, 4);
	out[H_TYPE] = (char)type;
	out[H_FLAGS] = (char)flags;
	le_put(out + H_ZERO, 0, 2);
	le_put(out + H_PAYLOAD_SUM, sum, 4);
	le_put(out + H_DURABLE_SEGMENT, durable.segment, 8);
	le_put(out + H_DURABLE_OFFSET, durable.offset, 4);
	le_put(out + H_SUM, crc32c(seed(k, at.offset, 'h'), out, H_SUM), 4);
}

static bool
header_ok(const struct segment_key *k, const char *p, uint32_t offset)
{
	return le_get(p + H_MAGIC, 4) == MAGIC &&
	    le_get(p + H_LENGTH, 4) <= SEGMENT_PAYLOAD_MAX &&
	    le_get(p + H_SUM, 4) == crc32c(seed(k, offset, 'h'), p, H_SUM);
}

bool
segment_header_get(const struct segment_key *k,
    const char header[SEGMENT_HEADER], uint32_t offset,
    struct segment_record *r)
{
	if (!header_ok(k, header, offset))
		return false;
	r->type = (uint8_t)header[H_TYPE];
	r->flags = (uint8_t)header[H_FLAGS];
	r->place = (struct place){ k->number, offset,
	    (uint32_t)le_get(header + H_LENGTH, 4) };
	r->durable.segment = le_get(header + H_DURABLE_SEGMENT, 8);
	r->durable.offset = (uint32_t)le_get(header + H_DURABLE_OFFSET, 4);
	r->durable.length = 0;
	r->payload = SPAN_NONE;
	return true;
}

static bool
payload_ok(const struct segment_key *k, const char *header, uint32_t offset,
    struct span payload)
{
	return le_get(header + H_PAYLOAD_SUM, 4) ==
	    crc32c(seed(k, offset, 'p'), payload.p, payload.n);
}

bool
segment_payload_ok(const struct segment_key *k, struct place at,
    const char header[SEGMENT_HEADER], struct span payload, uint8_t *type)
{
	*type = (uint8_t)header[H_TYPE];
	return header_ok(k, header, at.offset) &&
	    le_get(header + H_LENGTH, 4) == payload.n &&
	    at.length == payload.n &&
	    payload_ok(k, header, at.offset, payload);
}

/* Where the next good header is, or the end. */
static uint32_t
find_header(const struct segment_key *k, struct span bytes, uint32_t at)
{
	for (; at + SEGMENT_HEADER <= bytes.n; at += ALIGN)
		if (header_ok(k, bytes.p + at, at))
			return at;
	return (uint32_t)bytes.n;
}

static bool
all_zero(struct span s)
{
	return s.n == 0 || (s.p[0] == 0 && memcmp(s.p, s.p + 1, s.n - 1) == 0);
}

static enum segment_step
skip_bad(const struct segment_key *k, struct span bytes, uint32_t *at,
    struct segment_record *r)
{
	uint32_t next = find_header(k, bytes, *at + ALIGN);

	r->place.length = next - *at;
	if (next == bytes.n && all_zero(span_skip(bytes, *at)))
		return SEGMENT_END;
	*at = (next + ALIGN - 1) & ~(ALIGN - 1);
	return SEGMENT_BAD;
}

enum segment_step
segment_next(const struct segment_key *k, struct span bytes, bool headers,
    uint32_t *at, struct segment_record *r)
{
	const char *p;
	uint32_t length;

	assert(bytes.n <= SEGMENT_LARGEST && *at % ALIGN == 0);
	memset(r, 0, sizeof(*r));
	r->place = (struct place){ k->number, *at, 0 };
	r->payload = SPAN_NONE;
	if (*at >= bytes.n)
		return SEGMENT_END;
	p = bytes.p + *at;
	if (bytes.n - *at < SEGMENT_HEADER ||
	    !segment_header_get(k, p, *at, r))
		return skip_bad(k, bytes, at, r);
	length = r->place.length;
	if (bytes.n - *at - SEGMENT_HEADER < length) {
		*at = ((uint32_t)bytes.n + ALIGN - 1) & ~(ALIGN - 1);
		return SEGMENT_HEADER_ONLY;
	}
	r->payload = span_of(p + SEGMENT_HEADER, length);
	*at += segment_room(length);
	if (!headers && !payload_ok(k, p, r->place.offset, r->payload))
		return SEGMENT_HEADER_ONLY;
	return SEGMENT_RECORD;
}
