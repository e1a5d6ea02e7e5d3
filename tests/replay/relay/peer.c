/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/replay/relay/peer.c - connections of a script: what the peer does, and
 * what it hears. */
#include <stdio.h>

#include "tests/replay/relay/play.h"

static struct channel *
wire_now(void)
{
	if (play.wire == NULL || play.wire->state == WIRE_CLOSED)
		wrong("no open connection");
	return play.wire;
}

void
quiet(void)
{
	struct span left = play.wire == NULL ? SPAN_NONE :
	    buf_get(&play.wire->out);

	if (left.n > 0)
		wrong("sent and not expected: %.*s", SPAN_FMT(left));
}

void
act_connect(const char *arg)
{
	struct span rest = span_str(arg);
	struct span ip = word(&rest);
	char text[ADDR_TEXT_SIZE];

	quiet();
	if (play.wire == NULL || play.wire->state != WIRE_CONNECTING)
		play.wire = world.channels;
	if (play.wire == NULL || play.wire->state != WIRE_CONNECTING)
		wrong("nothing is being connected");
	(void)addr_ip_text(&play.wire->to, text);
	if (!is(ip, play.wire->path[0] != '\0' ? play.wire->path : text))
		wrong("connects to %s%s", text, play.wire->path);
	if (rest.n == 0)
		return;
	wire_connect(play.wire, is(rest, "ok"), is(rest, "refused") ?
	    "Connection refused" : "No route to host");
	world_settle();
}

void
act_wire(const char *arg)
{
	struct span rest = span_str(arg);
	unsigned long long n = 0;
	unsigned back;

	quiet();
	if (!span_u64(rest, world.opened, &n) || n == 0)
		wrong("there were %u connections", world.opened);
	play.wire = world.channels;
	for (back = world.opened - (unsigned)n; back > 0; back--)
		play.wire = play.wire->next;
}

void
act_count(const char *arg)
{
	struct span rest = span_str(arg);
	unsigned long long n;

	if (!span_u64(rest, 1000, &n) || n != world.opened)
		wrong("there were %u connections", world.opened);
}

static void
send_bytes(struct span s)
{
	struct channel *c = wire_now();

	if (c->state == WIRE_HANDSHAKE)
		wrong("the handshake is on");
	wire_bytes(c, s);
}

void
act_server_line(const char *arg)
{
	struct span rest = span_str(arg);
	char line[4096];
	int n = snprintf(line, sizeof(line), "%.*s\r\n", SPAN_FMT(rest));

	send_bytes(span_of(line, (size_t)n));
}

void
act_server_bytes(const char *arg)
{
	struct span rest = span_str(arg);
	char bytes[4096];

	send_bytes(plain(rest, bytes));
}

/* `act` N times, as long as somebody listens. */
static void
repeat(const char *arg, void (*act)(const char *))
{
	struct span rest = span_str(arg);
	unsigned long long n = 0;

	if (!span_u64(word(&rest), 1000000, &n))
		wrong("how often?");
	while (n-- > 0 && play.wire->state != WIRE_CLOSED)
		act(rest.p);
}

void
act_server_repeat(const char *arg)
{
	repeat(arg, act_server_line);
}

void
act_server_fill(const char *arg)
{
	repeat(arg, act_server_bytes);
}

void
act_client_line(const char *arg)
{
	struct span rest = span_str(arg);
	struct span out, line;
	char want[4096];

	if (play.wire == NULL)
		wrong("no connection");
	rest = plain(rest, want);
	out = buf_get(&play.wire->out);
	line = span_cut(&out, '\n');
	if (line.n == 0 || line.p[line.n - 1] != '\r' ||
	    !span_eq(span_head(line, line.n - 1), rest))
		wrong("we sent: %.*s", SPAN_FMT(line));
	buf_consume(&play.wire->out, line.n + 1);
	world_settle();
}

void
act_client_skip(const char *arg)
{
	struct span rest = span_str(arg);
	unsigned long long n = 0;

	if (!span_u64(rest, UINT32_MAX, &n) || play.wire == NULL ||
	    play.wire->out.len < n)
		wrong("we sent less");
	buf_consume(&play.wire->out, (size_t)n);
	world_settle();
}

void
act_tls(const char *arg)
{
	struct span rest = span_str(arg);
	struct span how = word(&rest);
	struct channel *c = wire_now();

	quiet();
	if (c->state != WIRE_HANDSHAKE)
		wrong("no handshake was begun");
	if (c->reduced != is(rest, "reduced"))
		wrong("ClientHello reduced: %d", c->reduced);
	if (is(how, "full"))
		c->resumes[0] = '\0';
	wire_secure(c, !is(how, "fail"), "handshake: fatal alert");
	world_settle();
}

void
act_sni(const char *arg)
{
	struct span rest = span_str(arg);
	if (!is(rest, wire_now()->sni))
		wrong("SNI is \"%s\"", wire_now()->sni);
}

void
act_resume(const char *arg)
{
	const char *got = wire_now()->resumes;

	if (strcmp(arg, got[0] == '\0' ? "none" : got) != 0)
		wrong("the handshake resumes \"%s\"", got);
}

void
act_ticket(const char *arg)
{
	struct channel *c = wire_now();

	if (!span_copy(span_str(arg), c->ticket, sizeof(c->ticket)))
		wrong("too long");
}

void
act_source(const char *arg)
{
	struct span rest = span_str(arg);
	char text[ADDR_TEXT_SIZE];

	if (!is(rest, addr_ip_text(&wire_now()->source, text)))
		wrong("the source is %s", text);
}

void
act_close(const char *arg)
{
	(void)arg;
	wire_end(wire_now(), CHANNEL_EOF, NULL);
	world_settle();
}

void
act_reset(const char *arg)
{
	(void)arg;
	wire_end(wire_now(), CHANNEL_ERROR, "Connection reset by peer");
	world_settle();
}

void
act_closed(const char *arg)
{
	(void)arg;
	quiet();
	if (play.wire == NULL || play.wire->state != WIRE_CLOSED)
		wrong("connection is open");
}

void
act_open(const char *arg)
{
	(void)arg;
	quiet();
	(void)wire_now();
}

void
act_drain(const char *arg)
{
	(void)arg;
	do {
		buf_reset(&wire_now()->out);
		world_settle();
	} while (wire_now()->out.len > 0);
}

void
act_pass(const char *arg)
{
	struct span rest = span_str(arg);
	unsigned long long n;
	uint64_t unit = 1;

	if (rest.n > 1 && rest.p[rest.n - 1] == 's') {
		unit = SECOND;
		rest = span_head(rest, rest.n - 1);
	}
	if (!span_u64(rest, 100000000, &n))
		wrong("how long?");
	world_pass(n * unit);
}
