/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any bytes from a server through a whole client session: one message is
 * offered. The session ends or waits, commands stay lines, and "sent" is only
 * said after the final dot was. */
#include <stdlib.h>

#include "smtp/client.h"
#include "tests/fuzz/fuzz.h"

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
commands(struct buf *out)
{
	struct span s = buf_get(out);

	require(s.n == 0 || (s.n > 2 && s.p[s.n - 1] == '\n' &&
	    s.p[s.n - 2] == '\r'));
	buf_reset(out);
}

struct run {
	struct client	 c;
	bool		 ended, body, chunks;
};

static void
body(struct client *c)
{
	struct buf out;

	if (!c->chunked) {
		client_body_end(c, 0);
		return;
	}
	buf_init(&out, 1000);
	while (client_chunk_due(c))
		client_chunk(c, 1, c->nchunks == 2, &out, 0);
	commands(&out);
	buf_free(&out);
}

/* One segment from the server. */
static void
segment(struct run *x, struct span in)
{
	static const struct client_rcpt rcpts[] = {
		{ .address = { "a@y", 3 } }, { .address = { "b@y", 3 } },
	};
	const struct client_message m = { .sender = { "s@x", 3 },
	    .rcpts = rcpts, .nrcpts = 2, .size = 5, .chunks = x->chunks };
	enum client_event ev;
	size_t used;

	do {
		ev = client_next(&x->c, in, &used, 0);
		in = span_skip(in, used);
		if (ev == CLIENT_START_TLS) {
			require(in.n == 0);	/* RFC 3207 sec 4.2 */
			client_secured(&x->c, 0);
		} else if (ev == CLIENT_READY) {
			client_message(&x->c, &m, 0);
		} else if (ev == CLIENT_SEND_BODY || ev == CLIENT_SEND_MORE) {
			x->body = true;
			body(&x->c);
		} else if (ev == CLIENT_VERDICT) {
			require(x->c.rcpt == CLIENT_ALL || x->c.rcpt < 2);
			require(x->c.reply.code >= 400 ||
			    (x->body && x->c.verdict == CLIENT_FINAL));
		} else if (ev == CLIENT_MESSAGE_DONE) {
			client_quit(&x->c);
		} else if (ev == CLIENT_CLOSE) {
			x->ended = true;
		}
		commands(client_output(&x->c));
	} while (ev != CLIENT_WAIT && !x->ended);
	require(x->ended || in.n == 0);
}

/* The first byte says whether lines come one by one or all at once, as SMTP or
 * LMTP, and whether the body may go in chunks. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client_setup setup = { .name = "me", .starttls = true };
	struct run x = { .ended = false };
	struct span in, line;

	if (size == 0)
		return 0;
	in = span_of(data + 1, size - 1);
	setup.lmtp = (data[0] & 2) != 0;
	x.chunks = (data[0] & 4) != 0;
	client_init(&x.c, &setup, 0);
	while (in.n > 0 && !x.ended) {
		const char *lf = (data[0] & 8) != 0 ? memchr(in.p, '\n', in.n) :
		    NULL;

		line = span_head(in, lf == NULL ? in.n :
		    (size_t)(lf - in.p) + 1);
		in = span_skip(in, line.n);
		segment(&x, line);
	}
	client_lost(&x.c);
	client_free(&x.c);
	return 0;
}
