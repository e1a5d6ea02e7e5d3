/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* life.c - channels that end at any moment, by either side. */
#include "fixture.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fix x;

static void
stop(void *arg)
{
	loop_stop(arg);
}

static bool
never(struct fix *f)
{
	(void)f;
	return false;
}

/* Lets everything happen that can happen. */
static void
settle(unsigned ms)
{
	struct loop_timer *t = loop_timer_new(x.loop, stop, x.loop);

	loop_timer_set(t, ms);
	fix_run(&x, never);
	loop_timer_close(&t);
}

/* ---- a callback closes its own channel ---- */

enum when { IN_INPUT, IN_SECURED, IN_DRAINED, IN_ENDED, NWHEN };

static bool gently;
static unsigned calls_after;

static void
close_now(struct side *s)
{
	if (s->chan == NULL) {
		calls_after++;
		return;
	}
	channel_send(s->chan, SPAN_LIT("421 4.3.2 going\r\n"));
	if (gently)
		channel_close_after_flush(&s->chan, 1000);
	else
		channel_close(&s->chan);
}

/* Closes while reading, as a server does at QUIT: its frames still look at
 * what it was given. */
static void
close_reading(struct side *s)
{
	struct span in = channel_input(s->chan);
	volatile char seen;

	close_now(s);
	seen = in.p[in.n - 1];
	(void)seen;
}

static void
ended_closes(void *arg, enum channel_end end, bool shaking,
    const struct fault *f)
{
	(void)end;
	(void)shaking;
	(void)f;
	close_now(arg);
}

static bool
peer_saw_end(struct fix *f)
{
	return f->client.ends > 0 || f->client.chan == NULL;
}

START_TEST(close_in_callback)
{
	enum when when = (enum when)(_i % NWHEN);
	bool tls = _i / NWHEN % 2 || when == IN_SECURED;
	struct channel_ops ops = side_ops;

	gently = _i / NWHEN / 2;
	ops.ended = ended_closes;
	fix_open_tcp(&x, true, false);
	if (when == IN_SECURED)
		x.server.on_secured = close_now;
	if (tls)
		fix_handshake(&x, "", false);
	if (when == IN_INPUT) {
		x.server.on_input = close_reading;
		channel_send(x.client.chan, SPAN_LIT("QUIT\r\n"));
	} else if (when == IN_DRAINED) {
		x.server.on_drained = close_now;
		channel_send(x.server.chan, SPAN_LIT("250 Ok\r\n"));
	} else if (when == IN_ENDED) {
		/* swap the server's channel for one with these ops */
		struct channel *c;
		int sv[2];

		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv);
		channel_close(&x.server.chan);
		c = channel_accept(x.loop, sv[0], &ops, &x.server);
		x.server.chan = c;
		close(sv[1]);
		settle(20);
		ck_assert_ptr_null(x.server.chan);
	}
	fix_run(&x, peer_saw_end);
	settle(10);
	ck_assert_ptr_null(x.server.chan);
	ck_assert_uint_eq(calls_after, 0);
	/* A gentle end tells why; one in the handshake's last step too. */
	if (gently && when != IN_ENDED)
		ck_assert_msg(x.client.got.len >= 17, "got %zu bytes",
		    x.client.got.len);
	if (gently && when != IN_ENDED)
		ck_assert_int_eq(x.client.end, CHANNEL_EOF);
	fix_close(&x);
}
END_TEST

/* ---- resets ---- */

static void
raw_pair(int *raw)
{
	struct addr at;
	struct sockaddr_storage ss;

	fix_open_listener(&x, &at);
	*raw = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(*raw, (struct sockaddr *)&ss,
	    addr_to_sockaddr(&at, &ss)), 0);
	settle(20);
	ck_assert_ptr_nonnull(x.server.chan);
}

static void
reset(int fd)
{
	struct linger l = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
	close(fd);
}

static bool
server_ended(struct fix *f)
{
	return f->server.ends > 0;
}

/* What came before a reset is still read; then the reset is told, once. */
START_TEST(words_before_a_reset)
{
	int raw;

	raw_pair(&raw);
	channel_pause(x.server.chan, _i == 1);
	ck_assert_int_eq(send(raw, "421 bye\r\n", 9, 0), 9);
	if (_i == 2)		/* and we are just talking to it */
		channel_send(x.server.chan, SPAN_LIT("NOOP\r\n"));
	reset(raw);
	if (_i == 1) {
		settle(20);
		channel_pause(x.server.chan, false);
	}
	fix_run(&x, server_ended);
	settle(10);
	ck_assert_uint_eq(x.server.ends, 1);
	ck_assert_int_eq(x.server.end, CHANNEL_ERROR);
	ck_assert_int_ne(x.server.fault.err, 0);
	ck_assert(span_eq(buf_get(&x.server.got), SPAN_LIT("421 bye\r\n")));
	fix_close(&x);
}
END_TEST

/* Paused until the queue is drained: a reset must still be told. */
START_TEST(reset_while_paused_and_sending)
{
	static char block[512 * 1024];
	int raw;

	raw_pair(&raw);
	channel_pause(x.server.chan, true);
	for (int i = 0; i < 2; i++)
		channel_send(x.server.chan, span_of(block, sizeof block));
	settle(20);
	for (int i = 0; i < 20 && channel_unsent(x.server.chan) == 0; i++) {
		channel_send(x.server.chan, span_of(block, sizeof block));
		settle(5);
	}
	ck_assert_uint_gt(channel_unsent(x.server.chan), 0);
	reset(raw);
	fix_run(&x, server_ended);
	ck_assert_int_eq(x.server.end, CHANNEL_ERROR);
	fix_close(&x);
}
END_TEST

/* At any byte of the handshake, from either side. */
START_TEST(reset_in_handshake)
{
	static const char hello_head[] = { 22, 3, 1, 0, 100, 1, 0, 0, 96, 3 };
	int raw;

	raw_pair(&raw);
	fix_start_server(&x);
	if (_i > 0)
		ck_assert_int_eq(send(raw, hello_head, (size_t)_i, 0), _i);
	settle(5);
	reset(raw);
	fix_run(&x, server_ended);
	ck_assert(x.server.in_handshake);
	ck_assert_int_eq(x.server.end, CHANNEL_ERROR);
	fix_close(&x);
}
END_TEST

/* ---- the gentle end ---- */

static bool
client_eof(struct fix *f)
{
	return f->client.ends > 0;
}

START_TEST(flush_delivers_everything)
{
	static char block[1024 * 1024];

	fix_open_tcp(&x, true, false);
	if (_i % 2 == 1)
		fix_handshake(&x, "", false);
	memset(block, 'x', sizeof block);
	ck_assert_int_eq(channel_send(x.server.chan,
	    span_of(block, sizeof block)), 0);
	/* Bytes that nobody will read must not turn the end into a reset. */
	if (_i >= 2)
		channel_send(x.client.chan, span_of(block, 100000));
	channel_close_after_flush(&x.server.chan, 5000);
	ck_assert_ptr_null(x.server.chan);
	fix_run(&x, client_eof);
	ck_assert_int_eq(x.client.end, CHANNEL_EOF);
	ck_assert_uint_eq(x.client.got.len, sizeof block);
	fix_close(&x);
}
END_TEST

/* A peer that neither reads nor closes holds nothing beyond the bound. */
START_TEST(flush_is_bounded)
{
	static char block[1024 * 1024], drop[65536];
	int raw;
	ssize_t n;

	raw_pair(&raw);
	if (_i == 0)
		for (int i = 0; i < 8; i++) {
			channel_send(x.server.chan,
			    span_of(block, sizeof block));
			settle(2);
		}
	channel_close_after_flush(&x.server.chan, 50);
	settle(150);
	/* The socket is gone: sending to it fails at last. */
	send(raw, "x", 1, MSG_NOSIGNAL);
	settle(5);
	for (int i = 0; i < 100; i++) {
		n = recv(raw, drop, sizeof drop, MSG_DONTWAIT);
		if (n <= 0)
			break;
	}
	ck_assert_int_eq(send(raw, "x", 1, MSG_NOSIGNAL), -1);
	close(raw);
	fix_close(&x);
}
END_TEST

/* ---- connecting ---- */

START_TEST(refused)
{
	struct addr at;
	struct fault f;

	fix_open_listener(&x, &at);
	loop_io_close(&x.listener);
	x.client.chan = channel_connect(x.loop, &at, NULL, &side_ops,
	    &x.client, &f);
	if (x.client.chan != NULL) {
		fix_run(&x, client_eof);
		f = x.client.fault;
		ck_assert_int_eq(x.client.end, CHANNEL_ERROR);
		ck_assert(!x.client.in_handshake);
		ck_assert_uint_eq(x.client.connects, 0);
	}
	ck_assert_int_eq(f.err, ECONNREFUSED);
	ck_assert_msg(strstr(f.text, "127.0.0.1:") != NULL, "%s", f.text);
	fix_close(&x);
}
END_TEST

START_TEST(addresses)
{
	struct addr a, b;
	char text[ADDR_TEXT_SIZE];

	fix_open_tcp(&x, true, false);
	channel_peer_addr(x.server.chan, &a);
	ck_assert_str_eq(addr_ip_text(&a, text), "127.0.0.7");
	channel_local_addr(x.client.chan, &b);
	ck_assert(addr_same_ip(&a, &b));
	ck_assert_uint_eq(a.port, b.port);
	channel_peer_addr(x.client.chan, &a);
	channel_local_addr(x.server.chan, &b);
	ck_assert_uint_eq(a.port, b.port);
	fix_close(&x);
}
END_TEST

/* Both sides of a closed channel, nothing pending: no callback, no leak. */
START_TEST(close_while_connecting)
{
	struct addr at;
	struct fault f;

	fix_open_listener(&x, &at);
	x.client.chan = channel_connect(x.loop, &at, NULL, &side_ops,
	    &x.client, &f);
	ck_assert_ptr_nonnull(x.client.chan);
	if (_i == 0)
		channel_close(&x.client.chan);
	else
		channel_close_after_flush(&x.client.chan, 100);
	settle(20);
	ck_assert_uint_eq(x.client.connects + x.client.ends, 0);
	fix_close(&x);
}
END_TEST

static void
connected_closes(void *arg)
{
	close_now(arg);
}

static bool
server_saw_end(struct fix *f)
{
	return f->server.ends > 0;
}

START_TEST(close_in_connected)
{
	struct channel_ops ops = side_ops;
	struct addr at;
	struct fault f;

	gently = _i == 1;
	ops.connected = connected_closes;
	fix_open_listener(&x, &at);
	x.client.chan = channel_connect(x.loop, &at, NULL, &ops, &x.client, &f);
	ck_assert_ptr_nonnull(x.client.chan);
	fix_run(&x, server_saw_end);
	ck_assert_ptr_null(x.client.chan);
	ck_assert_uint_eq(x.server.got.len, gently ? 17 : 0);
	fix_close(&x);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls/life");
	TCase *tc = tcase_create("life");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, close_in_callback, 0, NWHEN * 4);
	tcase_add_loop_test(tc, words_before_a_reset, 0, 3);
	tcase_add_test(tc, reset_while_paused_and_sending);
	tcase_add_loop_test(tc, reset_in_handshake, 0, 11);
	tcase_add_loop_test(tc, flush_delivers_everything, 0, 4);
	tcase_add_loop_test(tc, flush_is_bounded, 0, 2);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, addresses);
	tcase_add_loop_test(tc, close_while_connecting, 0, 2);
	tcase_add_loop_test(tc, close_in_connected, 0, 2);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
