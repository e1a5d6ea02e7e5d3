/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/relay/sink.c - see sink.h. */
#include "tests/unit/relay/sink.h"

#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct sink_conn {
	struct sink_conn *next;
	struct sink	*sink;
	struct channel	*chan;
	bool		 tls, in_body, held, broken;
	struct buf	 body;
};

static void
say(struct sink_conn *c, const char *line)
{
	if (c->chan != NULL)
		(void)channel_send(c->chan, span_str(line));
}

static void
take_final(struct sink_conn *c)
{
	struct sink *s = c->sink;

	c->in_body = c->held = false;
	s->messages++;
	s->body_bytes += c->body.len;
	buf_reset(&s->body);
	(void)buf_span(&s->body, buf_get(&c->body));
	buf_reset(&c->body);
	say(c, "250 2.0.0 taken\r\n");
}

static void
body_line(struct sink_conn *c, struct span line)
{
	if (!span_eq(line, SPAN_LIT(".\r"))) {
		ck_assert_int_eq(buf_span(&c->body, line), 0);
		(void)buf_char(&c->body, '\n');
		return;
	}
	if (c->sink->hold_final)
		c->held = true;
	else
		take_final(c);
}

static void
command(struct sink_conn *c, struct span line)
{
	struct sink *s = c->sink;

	if (span_istarts(line, SPAN_LIT("EHLO"))) {
		say(c, s->no_starttls || c->tls ?
		    "250-sink\r\n250-SIZE 99999999\r\n250-PIPELINING\r\n"
		    "250 8BITMIME\r\n" : "250-sink\r\n250 STARTTLS\r\n");
	} else if (span_istarts(line, SPAN_LIT("STARTTLS"))) {
		say(c, "220 2.0.0 go\r\n");
	} else if (span_istarts(line, SPAN_LIT("DATA"))) {
		c->in_body = true;
		say(c, "354 go\r\n");
	} else if (span_istarts(line, SPAN_LIT("QUIT"))) {
		s->quits++;
		say(c, "221 bye\r\n");
	} else {
		if (span_istarts(line, SPAN_LIT("RCPT")))
			s->rcpts++;
		say(c, "250 ok\r\n");
	}
}

static void
on_input(void *arg)
{
	struct sink_conn *c = arg;
	struct span in, line;
	const char *lf;

	while (c->chan != NULL && !c->held) {
		in = channel_input(c->chan);
		if (c->broken && in.n > 0) {	/* what speaks no TLS answers so */
			channel_consume(c->chan, in.n);
			say(c, "500 5.5.1 unrecognized\r\n");
			break;
		}
		lf = memchr(in.p, '\n', in.n);
		if (lf == NULL)
			break;
		line = span_of(in.p, (size_t)(lf - in.p));
		if (c->in_body)
			body_line(c, line);
		else
			command(c, line);
		if (!c->in_body && span_istarts(line, SPAN_LIT("STARTTLS"))) {
			channel_consume(c->chan, line.n + 1);
			c->broken = c->sink->no_handshake;
			if (c->broken)
				continue;
			ck_assert_int_eq(channel_start_server(c->chan,
			    c->sink->creds, false), 0);
			break;
		}
		channel_consume(c->chan, line.n + 1);
	}
	c->sink->progress(c->sink->arg);
}

static void
on_drained(void *arg)
{
	(void)arg;
}

static void
on_secured(void *arg)
{
	struct sink_conn *c = arg;

	c->tls = true;
	c->sink->tls++;
}

static void
on_ended(void *arg, enum channel_end end, bool in_handshake,
    const struct fault *f)
{
	struct sink_conn *c = arg;

	(void)end, (void)in_handshake, (void)f;
	channel_close(&c->chan);
	c->sink->progress(c->sink->arg);
}

static const struct channel_ops ops = {
	NULL, on_input, on_drained, on_secured, on_ended,
};

static void
on_accept(void *arg, int events)
{
	struct sink *s = arg;
	struct sink_conn *c;
	int fd;

	(void)events;
	while ((fd = accept4(loop_io_fd(s->listener), NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		c = calloc(1, sizeof(*c));
		ck_assert_ptr_nonnull(c);
		c->sink = s;
		buf_init(&c->body, 64u << 20);
		c->chan = channel_accept(s->loop, fd, &ops, c);
		ck_assert_ptr_nonnull(c->chan);
		c->next = s->conns;
		s->conns = c;
		s->connections++;
		say(c, "220 sink ESMTP\r\n");
	}
}

void
sink_open(struct sink *s, struct loop *loop, struct tls_creds *creds)
{
	struct sockaddr_storage ss;
	socklen_t n;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	s->loop = loop;
	s->creds = creds;
	buf_init(&s->body, 64u << 20);
	ck_assert(addr_parse(SPAN_LIT("127.0.0.1:1"), 0, &s->at));
	s->at.port = 0;
	n = addr_to_sockaddr(&s->at, &ss);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ss, n), 0);
	ck_assert_int_eq(listen(fd, 512), 0);
	n = sizeof(ss);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&ss, &n), 0);
	addr_from_sockaddr(&s->at, (struct sockaddr *)&ss);
	s->listener = loop_io_new(loop, fd, on_accept, s);
	ck_assert_int_eq(loop_io_watch(s->listener, LOOP_READ), 0);
}

void
sink_release(struct sink *s)
{
	struct sink_conn *c;

	s->hold_final = false;
	for (c = s->conns; c != NULL; c = c->next) {
		if (c->held)
			take_final(c);
	}
}

void
sink_close(struct sink *s)
{
	struct sink_conn *c;

	while ((c = s->conns) != NULL) {
		s->conns = c->next;
		channel_close(&c->chan);
		buf_free(&c->body);
		free(c);
	}
	loop_io_close(&s->listener);
	buf_free(&s->body);
}
