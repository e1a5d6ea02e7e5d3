/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any client against the whole session, over the stand of the replays, which
 * aborts on a broken contract.  The first byte chooses the configuration.
 * First the rest is what the client sends, in one segment and in pieces: the
 * same replies and messages.  Then the bytes from 0xf0 on are events instead:
 * handshake, time-out, a queue that is full, fails, dies, comes back; and a
 * run of bytes that begins with 0xee answers questions that wait. */
#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"
#include "tests/replay/smtpd/stand.h"

static void
begin(struct stand *t, uint8_t how)
{
	stand_init(t);
	t->listen.tls = (enum listen_tls)((how & 3) % 3);
	if (how & 4)
		t->listen.nrelay_from = 0;
	if (how & 8)
		t->conf.limits.bare_newline = BARE_REJECT;
	if (how & 16)
		t->conf.limits.message_size = 64;
	if (how & 32) {
		t->conf.limits.recipients = 2;
		stand_verify(t);
	}
	if (how & 64)
		t->commit.code = 451;
	if (how & 128)
		t->room = ROOM_NONE;
	stand_start(t);
}

/* Reply lines, and nothing but them. */
static void
well_said(const struct stand *t)
{
	struct span rest = buf_get(&t->out);

	while (rest.n > 0) {
		struct span line = span_cut(&rest, '\n');

		require(line.n > 5 && line.n < 512);
		require(line.p[line.n - 1] == '\r');
		require_printable(span_head(line, line.n - 1));
		require(line.p[0] >= '2' && line.p[0] <= '5');
		require(line.p[3] == ' ' || line.p[3] == '-');
	}
	require(t->accepted <= t->commits);
	require_crlf(buf_get(&t->body));
}

/* Ids are random: blanked where a reply says one. */
static void
blank_ids(struct buf *b)
{
	static const char head[] = "250 2.0.0 ", tail[] = " queued\r\n";
	size_t n = sizeof head - 1 + ID_LEN;
	char *p = b->mem + b->off;

	for (size_t i = 0; i + n + sizeof tail - 1 <= b->len; i++)
		if (memcmp(p + i, head, sizeof head - 1) == 0 &&
		    memcmp(p + i + n, tail, sizeof tail - 1) == 0)
			memset(p + i + sizeof head - 1, '-', ID_LEN);
}

static void
in_pieces(uint8_t how, struct span in, size_t piece)
{
	struct stand a, b;

	begin(&a, how);
	begin(&b, how);
	stand_feed(&a, in);
	while (in.n > 0) {
		stand_feed(&b, span_head(in, piece));
		in = span_skip(in, piece);
	}
	well_said(&a);
	well_said(&b);
	/* What comes behind STARTTLS is refused in words only when it came
	 * together with it. */
	if (strcmp(a.abuse, "starttls-injection") != 0 &&
	    strcmp(b.abuse, "starttls-injection") != 0) {
		blank_ids(&a.out);
		blank_ids(&b.out);
		require(span_eq(buf_get(&a.out), buf_get(&b.out)));
		require(a.accepted == b.accepted && a.closed == b.closed);
		require(a.size == b.size && a.commits == b.commits);
		require(span_eq(buf_get(&a.rcpts), buf_get(&b.rcpts)));
	}
	stand_free(&a);
	stand_free(&b);
}

static void
event(struct stand *t, uint8_t what)
{
	static const int codes[] = { 250, 0, 452, 354 };

	if (t->closed)
		return;
	switch (what & 15) {
	case 0:
		if (t->tls_asked)
			stand_tls(t);
		return;
	case 1:
		session_timeout(&t->s);
		break;
	case 2:
		session_shut(&t->s);
		break;
	case 3:
		if (!t->tls_asked)
			stand_queue_lost(t);
		return;
	case 4: case 5: case 6:
		t->room = (enum session_room)((what & 15) - 4);
		break;
	case 7:
		t->no_spool = !t->no_spool;
		break;
	case 8:
		t->write_code = t->write_code == 0 ? 452 : 0;
		break;
	case 9:
		t->send_fails = true;
		break;
	case 10: case 11:
		t->spool.code = codes[what & 1];
		break;
	default:
		t->commit.code = codes[what & 3];
	}
	/* A session that was ended from here is closed even in a handshake. */
	if (session_wants(&t->s) == SESSION_CLOSE)
		t->tls_asked = false;
	stand_run(t);
}

static void
with_events(uint8_t how, struct span in)
{
	static char bulk[70000];
	struct stand t;
	size_t n;

	memset(bulk, 'x', sizeof bulk);
	begin(&t, how);
	while (in.n > 0) {
		for (n = 0; n < in.n && (uint8_t)in.p[n] < 0xf0; n++)
			;
		/* A large body is beyond what a fuzzer writes by itself. */
		if (n > 0 && (uint8_t)in.p[0] == 0xef)
			stand_feed(&t, span_of(bulk, sizeof bulk));
		else if (n > 0 && (uint8_t)in.p[0] == 0xee)
			stand_answer_waiting(&t);
		else if (n > 0)
			stand_feed(&t, span_head(in, n));
		else
			event(&t, (uint8_t)in.p[n++]);
		in = span_skip(in, n);
	}
	well_said(&t);
	stand_free(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	in_pieces(data[0], span_of(data + 1, size - 1), 1);
	in_pieces(data[0], span_of(data + 1, size - 1), 5);
	with_events(data[0], span_of(data + 1, size - 1));
	return 0;
}
