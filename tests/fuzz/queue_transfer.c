/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any bytes as an export: the same is seen whatever the pieces, and what is
 * whole is a message that a queue may have.  The bytes once more as the head of
 * a message with sums that are right, because no mutation finds those. */
#include "base/crc32c.h"
#include "queue/bytes.h"
#include "queue/index.h"
#include "queue/transfer.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"

struct seen {
	uint64_t	whole, spoilt, bytes;
	bool		end, lost;
};

static void
whole(const struct transfer *t)
{
	struct message *m = message_new(&t->message, 1000, 1000);

	require(m != NULL && m->nheld == m->nrcpts && m->nrcpts > 0);
	require(m->size == t->body && id_valid(t->message.id));
	message_unref(m);
}

static struct seen
read_all(struct span all, size_t each)
{
	enum transfer_step step = TRANSFER_WANTS;
	struct seen s = { 0 };
	struct transfer t;

	transfer_init(&t);
	while (all.n > 0 && !s.lost) {
		struct span in = span_head(all, each), piece = SPAN_NONE;

		all = span_skip(all, in.n);
		do {
			step = transfer_next(&t, &in, &piece);
			if (step == TRANSFER_BODY)
				s.bytes += piece.n;
			if (step == TRANSFER_WHOLE)
				whole(&t);
			s.whole += step == TRANSFER_WHOLE;
			s.spoilt += step == TRANSFER_SPOILT;
			s.end = s.end || step == TRANSFER_END;
			s.lost = step == TRANSFER_LOST;
		} while (step != TRANSFER_WANTS && !s.lost);
	}
	transfer_free(&t);
	return s;
}

static void
as_head(struct span data)
{
	struct span head = span_head(data, data.n / 2 + 1),
	    body = span_skip(data, head.n);
	char header[TRANSFER_HEADER], sum[TRANSFER_SUM];
	struct buf b;
	struct seen s;

	buf_init(&b, 2 * data.n + 1024);
	(void)buf_str(&b, TRANSFER_BEGIN);
	transfer_put_message(1, head, body.n, header);
	(void)buf_add(&b, header, sizeof(header));
	(void)buf_span(&b, head);
	(void)buf_span(&b, body);
	le_put(sum, crc32c(0, body.p, body.n), 4);
	(void)buf_add(&b, sum, sizeof(sum));
	transfer_put_end(2, header);
	require(buf_add(&b, header, sizeof(header)) == 0);
	s = read_all(buf_get(&b), SIZE_MAX);
	require(s.end && !s.lost && s.whole + s.spoilt == 1);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct seen a = read_all(in, SIZE_MAX), b = read_all(in, 3);

	require(a.whole == b.whole && a.spoilt == b.spoilt &&
	    a.bytes == b.bytes && a.end == b.end && a.lost == b.lost);
	if (size > 0)
		as_head(in);
	return 0;
}
