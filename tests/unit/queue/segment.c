/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/segment.c - the log's bytes: round trip, every bit flipped,
 * every length cut, forged and moved records; and the records' contents. */
#include <check.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "base/envelope.h"
#include "queue/record.h"
#include "queue/segment.h"
#include "tests/unit/suite.h"

#define RECORDS	5

#define BEFORE	4711
static const struct segment_key key = { 7, 0x1122334455667788ull };
static const char *const payloads[RECORDS] = { "first", "second one",
    "", "the fourth, which is a little longer", "5" };

/* A small segment; returns its length. */
static size_t
build(char *mem, size_t size, const struct segment_key *k)
{
	uint32_t at = SEGMENT_FIRST;
	struct place durable = { k->number, SEGMENT_FIRST, 0 };

	memset(mem, 0, size);
	segment_head_put(k, BEFORE, mem);
	for (int i = 0; i < RECORDS; i++) {
		struct span p = span_str(payloads[i]);
		struct place place = { k->number, at, (uint32_t)p.n };

		segment_put(k, RECORD_END, 0, place, durable,
		    span_head(p, 3), span_skip(p, 3), mem + at);
		memcpy(mem + at + SEGMENT_HEADER, p.p, p.n);
		at += segment_room(p.n);
		durable.offset = at;
	}
	return at;
}

struct found {
	bool	 good[RECORDS];
	int	 ngood, nbad;
};

static void
scan(const struct segment_key *k, struct span bytes, struct found *f)
{
	struct segment_record r;
	enum segment_step step;
	uint32_t at = SEGMENT_FIRST;

	memset(f, 0, sizeof(*f));
	while ((step = segment_next(k, bytes, false, &at, &r)) !=
	    SEGMENT_END) {
		int i;

		if (step != SEGMENT_RECORD) {
			f->nbad++;
			continue;
		}
		for (i = 0; i < RECORDS; i++)
			if (span_eq(r.payload, span_str(payloads[i])))
				break;
		ck_assert_msg(i < RECORDS, "an altered payload passed");
		f->good[i] = true;
		f->ngood++;
	}
}

START_TEST(round_trip)
{
	static char mem[SEGMENT_FIRST + 8192];
	struct segment_key k;
	uint32_t before;
	struct found f;
	size_t n = build(mem, sizeof(mem), &key);

	ck_assert_int_eq(segment_head_get(span_of(mem, n), &k, &before), 0);
	ck_assert_uint_eq(before, BEFORE);
	ck_assert_uint_eq(k.number, key.number);
	ck_assert_uint_eq(k.salt, key.salt);
	scan(&key, span_of(mem, sizeof(mem)), &f);	/* zeros behind */
	ck_assert_int_eq(f.ngood, RECORDS);
	ck_assert_int_eq(f.nbad, 0);
	scan(&key, span_of(mem, n), &f);		/* nothing behind */
	ck_assert_int_eq(f.ngood, RECORDS);
	ck_assert_int_eq(f.nbad, 0);
}
END_TEST

/* Padding bytes carry nothing; everything else that changes is seen, costs
 * one record at most, and the rest is found. */
START_TEST(every_bit)
{
	static char mem[SEGMENT_FIRST + 4096], copy[SEGMENT_FIRST + 4096];
	size_t n = build(mem, sizeof(mem), &key);

	for (size_t bit = SEGMENT_FIRST * 8; bit < n * 8; bit++) {
		struct found f;

		memcpy(copy, mem, sizeof(mem));
		copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
		scan(&key, span_of(copy, sizeof(copy)), &f);
		ck_assert_msg(f.ngood >= RECORDS - 1, "bit %zu cost %d", bit,
		    RECORDS - f.ngood);
		ck_assert_msg(f.ngood == RECORDS || f.nbad == 1,
		    "bit %zu was not seen", bit);
	}
}
END_TEST

START_TEST(every_head_bit)
{
	static char mem[SEGMENT_FIRST + 4096];
	struct segment_key k;
	uint32_t before = 0;

	(void)build(mem, sizeof(mem), &key);
	for (size_t bit = 0; bit < SEGMENT_FIRST * 8; bit++) {
		mem[bit / 8] = (char)(mem[bit / 8] ^ 1 << bit % 8);
		memset(&k, 0, sizeof(k));
		ck_assert_int_eq(segment_head_get(span_of(mem, sizeof(mem)),
		    &k, &before), 0);
		ck_assert_uint_eq(k.salt, key.salt);
		ck_assert_uint_eq(before, BEFORE);
		mem[bit / 8] = (char)(mem[bit / 8] ^ 1 << bit % 8);
	}
	mem[0] ^= 1;
	mem[2048] ^= 1;
	ck_assert_int_eq(segment_head_get(span_of(mem, sizeof(mem)), &k,
	    &before), -1);
}
END_TEST

START_TEST(every_length)
{
	static char mem[SEGMENT_FIRST + 4096];
	size_t n = build(mem, sizeof(mem), &key);
	struct found whole, f;

	scan(&key, span_of(mem, n), &whole);
	for (size_t len = 0; len < n; len++) {
		char *cut = malloc(len + 1);	/* so that ASan sees the end */

		memcpy(cut, mem, len);
		scan(&key, span_of(cut, len), &f);
		for (int i = 0, rest = 0; i < RECORDS; i++) {
			rest += !f.good[i];
			ck_assert_msg(!f.good[i] || rest == 0,
			    "%zu: a record behind the cut", len);
		}
		free(cut);
	}
}
END_TEST

/* The same bytes under another number, salt or offset are no records. */
START_TEST(bound_to_their_place)
{
	static char mem[SEGMENT_FIRST + 4096];
	struct segment_key number = { 8, key.salt }, salt = { 7, 1 };
	struct found f;
	size_t n = build(mem, sizeof(mem), &key);

	scan(&number, span_of(mem, sizeof(mem)), &f);
	ck_assert_int_eq(f.ngood, 0);
	scan(&salt, span_of(mem, sizeof(mem)), &f);
	ck_assert_int_eq(f.ngood, 0);
	memmove(mem + SEGMENT_FIRST + 8, mem + SEGMENT_FIRST,
	    n - SEGMENT_FIRST);
	memset(mem + SEGMENT_FIRST, 0, 8);
	scan(&key, span_of(mem, sizeof(mem)), &f);
	ck_assert_int_eq(f.ngood, 0);
}
END_TEST

/* A record inside the payload of another, as a sender could write one who
 * knew everything but the salt: damage to the outer one does not bring it
 * out. */
START_TEST(no_forged_records)
{
	static char mem[SEGMENT_FIRST + 4096], body[256];
	struct segment_key guess = { 7, 0 };
	struct place inner = { 7, SEGMENT_FIRST + SEGMENT_HEADER + 32, 4 };
	struct place outer = { 7, SEGMENT_FIRST, sizeof(body) };
	struct segment_record r;
	uint32_t at = SEGMENT_FIRST;

	segment_put(&guess, RECORD_END, 0, inner, outer, SPAN_LIT("evil"),
	    SPAN_NONE, body + 32);
	memcpy(body + 32 + SEGMENT_HEADER, "evil", 4);
	segment_put(&key, RECORD_MESSAGE, 0, outer, outer,
	    span_of(body, sizeof(body)), SPAN_NONE, mem + SEGMENT_FIRST);
	memcpy(mem + SEGMENT_FIRST + SEGMENT_HEADER, body, sizeof(body));
	mem[SEGMENT_FIRST + 5] ^= 1;
	ck_assert_int_eq(segment_next(&key, span_of(mem, sizeof(mem)), false,
	    &at, &r), SEGMENT_BAD);
	ck_assert_int_eq(segment_next(&key, span_of(mem, sizeof(mem)), false,
	    &at, &r), SEGMENT_END);
}
END_TEST

/* ---- records ---- */

static struct span
make_message(struct buf *list, struct buf *out, uint32_t nrcpts)
{
	struct record_message m = { .id = SPAN_LIT("abcdefghijklmnop"),
	    .flags = RECORD_BOUNCE, .envelope = ENVELOPE_8BIT |
	    ENVELOPE_RET_HDRS, .arrived = 1700000000000, .size = 4,
	    .running = 99, .sender = SPAN_LIT("a@b.example"),
	    .client = SPAN_LIT("192.0.2.1"), .session = SPAN_LIT("s"),
	    .envid = SPAN_LIT("QQ+2B314159"), .nrcpts = nrcpts, .body = SPAN_LIT("body") };

	for (uint32_t i = 0; i < nrcpts; i++) {
		struct record_rcpt r = { .address = SPAN_LIT("r@c.example"),
		    .orcpt = SPAN_LIT("rfc822;x@y.example"),
		    .notify = NOTIFY_SUCCESS | NOTIFY_DELAY };
		struct record_change c = { .index = i, .state = RCPT_DEFERRED,
		    .attempts = 3, .next = 1700000000001, .asked = 2,
		    .tls_failed = 1, .due = DUE_RELAYED, .at = 1600000000000,
		    .site = SPAN_LIT("mx"), .reply = SPAN_LIT("450 later"),
		    .dsn = SPAN_LIT("4.2.2"), .mx = SPAN_LIT("mx2") };

		ck_assert_int_eq(record_put_rcpt(list, &r, &c), 0);
	}
	m.rcpts = buf_get(list);
	ck_assert_int_eq(record_put_message(out, &m), 0);
	ck_assert_int_eq(buf_str(out, "body"), 0);
	return buf_get(out);
}

START_TEST(message_record)
{
	struct buf list, out;
	struct record_message m;
	struct record_change c;
	struct record_rcpt r;
	struct span payload;

	buf_init(&list, 65536);
	buf_init(&out, 65536);
	payload = make_message(&list, &out, 2);
	ck_assert_int_eq(record_get_message(payload, &m), 0);
	ck_assert(span_eq(m.body, SPAN_LIT("body")));
	ck_assert(span_eq(m.sender, SPAN_LIT("a@b.example")));
	ck_assert_uint_eq(m.running, 99);
	ck_assert_uint_eq(m.envelope, ENVELOPE_8BIT | ENVELOPE_RET_HDRS);
	ck_assert(span_eq(m.envid, SPAN_LIT("QQ+2B314159")));
	ck_assert_int_eq(record_rcpt(&m.rcpts, &r, &c), 1);
	ck_assert(span_eq(r.address, SPAN_LIT("r@c.example")));
	ck_assert(span_eq(r.orcpt, SPAN_LIT("rfc822;x@y.example")));
	ck_assert_uint_eq(r.notify, NOTIFY_SUCCESS | NOTIFY_DELAY);
	ck_assert_uint_eq(c.attempts, 3);
	ck_assert_uint_eq(c.next, 1700000000001);
	ck_assert(span_eq(c.reply, SPAN_LIT("450 later")));
	ck_assert(span_eq(c.dsn, SPAN_LIT("4.2.2")));
	ck_assert(span_eq(c.mx, SPAN_LIT("mx2")));
	ck_assert_uint_eq(c.at, 1600000000000);
	ck_assert_uint_eq(c.due, DUE_RELAYED);
	ck_assert_int_eq(record_rcpt(&m.rcpts, &r, &c), 1);
	ck_assert_int_eq(record_rcpt(&m.rcpts, &r, &c), 0);

	/* No part of it is a message, nor is more. */
	for (size_t n = 0; n < payload.n; n++) {
		char *cut = malloc(n + 1);

		memcpy(cut, payload.p, n);
		ck_assert_int_eq(record_get_message(span_of(cut, n), &m), -1);
		free(cut);
	}
	ck_assert_int_eq(buf_char(&out, 'x'), 0);
	ck_assert_int_eq(record_get_message(buf_get(&out), &m), -1);
	buf_free(&list);
	buf_free(&out);
}
END_TEST

/* Whatever the bytes, reading stays inside them (ASan watches). */
START_TEST(mutated_message_record)
{
	struct buf list, out;
	struct record_message m;
	struct record_change c;
	struct record_rcpt r;
	struct span payload;
	char *copy;

	buf_init(&list, 65536);
	buf_init(&out, 65536);
	payload = make_message(&list, &out, 3);
	copy = malloc(payload.n);
	for (size_t i = 0; i < payload.n; i++)
		for (int v = 0; v < 256; v += 15) {
			memcpy(copy, payload.p, payload.n);
			copy[i] = (char)v;
			if (record_get_message(span_of(copy, payload.n), &m) ==
			    0)
				while (record_rcpt(&m.rcpts, &r, &c) == 1)
					ck_assert_uint_lt(c.index, m.nrcpts);
		}
	free(copy);
	buf_free(&list);
	buf_free(&out);
}
END_TEST

START_TEST(outcome_record)
{
	struct record_change c = { .index = 5, .state = RCPT_FAILED,
	    .reply = SPAN_LIT("550 no"), .site = SPAN_NONE, .dsn = SPAN_NONE,
	    .mx = SPAN_NONE }, got;
	struct record_outcome o, put = { .id = SPAN_LIT("abcdefghijklmnop"),
	    .flags = RECORD_WARNED, .running = 7, .nchanges = 2 };
	struct buf b, changes;

	buf_init(&b, 4096);
	buf_init(&changes, 4096);
	record_put_change(&changes, &c);
	put.changes = buf_get(&changes);
	record_put_outcome(&b, &put);
	ck_assert_int_eq(record_get_outcome(buf_get(&b), &o), -1);
	record_put_change(&b, &c);
	ck_assert_int_eq(record_get_outcome(buf_get(&b), &o), 0);
	ck_assert_uint_eq(o.running, 7);
	ck_assert_uint_eq(o.flags, RECORD_WARNED);
	ck_assert_int_eq(record_change(&o.changes, &got), 1);
	ck_assert_uint_eq(got.index, 5);
	ck_assert(span_eq(got.reply, c.reply));
	for (size_t n = 0; n < b.len; n++)
		ck_assert_int_eq(record_get_outcome(span_head(buf_get(&b), n),
		    &o), -1);
	buf_free(&b);
	buf_free(&changes);
}
END_TEST

/* ---- sums ---- */

static const struct {
	const char	*name;
	unsigned char	 first, step;
	size_t		 n;
	uint32_t	 sum;
} sums[] = {	/* RFC 3720 appendix B.4 */
	{ "32 zeros",		0x00, 0, 32, 0x8a9136aa },
	{ "32 ones",		0xff, 0, 32, 0x62a8ab43 },
	{ "0 to 31",		0x00, 1, 32, 0x46dd794e },
	{ "31 to 0",		0x1f, 0xff, 32, 0x113fdb5c },
};

START_TEST(crc_vectors)
{
	unsigned char p[32];

	for (size_t i = 0; i < sums[_i].n; i++)
		p[i] = (unsigned char)(sums[_i].first + sums[_i].step * i);
	ck_assert_msg(crc32c(0, p, 32) == sums[_i].sum, "%s", sums[_i].name);
	ck_assert_msg(crc32c_table(0, p, 32) == sums[_i].sum, "%s",
	    sums[_i].name);
}
END_TEST

START_TEST(crc_in_pieces)
{
	unsigned char p[257];

	for (size_t i = 0; i < sizeof(p); i++)
		p[i] = (unsigned char)(i * 37);
	for (size_t cut = 0; cut <= sizeof(p); cut++) {
		uint32_t whole = crc32c_table(0, p, sizeof(p));

		ck_assert_uint_eq(crc32c(crc32c(0, p, cut), p + cut,
		    sizeof(p) - cut), whole);
		ck_assert_uint_eq(crc32c(0, p, cut), crc32c_table(0, p, cut));
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue segment");
	TCase *t = tcase_create("segment");

	tcase_set_timeout(t, 25);
	tcase_add_test(t, round_trip);
	tcase_add_test(t, every_bit);
	tcase_add_test(t, every_head_bit);
	tcase_add_test(t, every_length);
	tcase_add_test(t, bound_to_their_place);
	tcase_add_test(t, no_forged_records);
	tcase_add_test(t, message_record);
	tcase_add_test(t, mutated_message_record);
	tcase_add_test(t, outcome_record);
	tcase_add_loop_test(t, crc_vectors, 0,
	    (int)(sizeof(sums) / sizeof(sums[0])));
	tcase_add_test(t, crc_in_pieces);
	suite_add_tcase(s, t);
	return suite_run(s);
}
