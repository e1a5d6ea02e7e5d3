/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/body.c - see body.h. */
#include "relay/body.h"

#include <errno.h>
#include <unistd.h>

#include "base/crc32c.h"

#define LINE_MAX_BYTES	999	/* 998, and the CR */

static int
too_short(struct fault *f)
{
	return fault_set(f, FAULT_TEMP, 451, "4.3.0",
	    "message file is shorter than the message");
}

/* Sums what is read in order.  false: all was, and it is another file. */
static bool
sum_goes_on(struct body *b, uint64_t at, struct span s)
{
	if (at == 0)
		b->so_far = 0, b->so_far_at = 0;
	if (!b->summed || at > b->so_far_at || at + s.n <= b->so_far_at)
		return true;
	s = span_skip(s, (size_t)(b->so_far_at - at));
	b->so_far = crc32c(b->so_far, s.p, s.n);
	b->so_far_at += s.n;
	return b->so_far_at < b->size || b->so_far == b->sum;
}

int
body_piece(struct body *b, uint64_t at, size_t most, struct span *out,
    struct fault *f)
{
	static char mem[BODY_PIECE];
	uint64_t want = at < b->size ? b->size - at : 0;
	ssize_t n;

	if (most > BODY_PIECE)
		most = BODY_PIECE;
	if (want > most)
		want = most;
	*out = SPAN_NONE;
	if (want == 0)
		return 0;
	if (b->fd == -1) {
		*out = span_head(span_skip(b->inline_bytes, (size_t)at),
		    (size_t)want);
		return out->n > 0 ? 0 : too_short(f);
	}
	do
		n = pread(b->fd, mem, (size_t)want, (off_t)at);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return fault_sys(f, "read message file");
	if (n == 0)
		return too_short(f);
	if (!sum_goes_on(b, at, span_of(mem, (size_t)n)))
		return fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "message file is not what was received");
	*out = span_of(mem, (size_t)n);
	return 0;
}

bool
body_has_long_line(const struct body *b)
{
	struct span rest = b->inline_bytes;

	while (b->fd == -1 && rest.n > 0) {
		if (span_cut(&rest, '\n').n > LINE_MAX_BYTES)
			return true;
	}
	return false;
}

void
body_close(struct body *b)
{
	if (b->fd != -1)
		(void)close(b->fd);
	b->fd = -1;
}
