/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* channel.c - handshakes, data and what the other side must not get away
 * with. */
#include "fixture.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls/session_priv.h"

static struct fix x;

/* ---- handshakes ---- */

static const struct shake {
	const char	*name;
	bool		 ecdsa, rsa, reduced;
	const char	*priority;	/* of the client; NULL: its own */
	const char	*version, *cipher, *kx;	/* NULL: any */
	enum tls_key_kind want;
} shakes[] = {
	{ "1.3 prefers ECDSA", true, true, false, NULL,
	    "TLS1.3", "AES-256-GCM", NULL, TLS_KEY_ECDSA },
	{ "1.3 with ECDSA alone", true, false, false, NULL,
	    "TLS1.3", NULL, NULL, TLS_KEY_ECDSA },
	{ "1.3 with RSA alone is RSA-PSS", false, true, false, NULL,
	    "TLS1.3", NULL, NULL, TLS_KEY_RSA },
	{ "1.3 client without ECDSA", true, true, false,
	    "NORMAL:-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-SHA256",
	    "TLS1.3", NULL, NULL, TLS_KEY_RSA },
	{ "1.2 prefers ECDSA", true, true, false,
	    "NORMAL:-VERS-ALL:+VERS-TLS1.2",
	    "TLS1.2", "AES-256-GCM", NULL, TLS_KEY_ECDSA },
	{ "1.2 RSA PKCS#1", true, true, false,
	    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-ECDHE-ECDSA:-SIGN-ALL:+SIGN-RSA-SHA256",
	    "TLS1.2", NULL, NULL, TLS_KEY_RSA },
	{ "1.2 RSA-PSS", true, true, false,
	    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-ECDHE-ECDSA:-SIGN-ALL"
	    ":+SIGN-RSA-PSS-RSAE-SHA384",
	    "TLS1.2", NULL, NULL, TLS_KEY_RSA },
	{ "1.2 DHE", true, true, false,
	    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA",
	    "TLS1.2", NULL, "FFDHE2048", TLS_KEY_RSA },
	{ "1.2 P-256", true, true, false,
	    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-GROUP-ALL:+GROUP-SECP256R1",
	    "TLS1.2", NULL, "SECP256R1", TLS_KEY_ECDSA },
	{ "1.3 X25519", true, true, false,
	    "NORMAL:-GROUP-ALL:+GROUP-X25519", "TLS1.3", NULL, "X25519",
	    TLS_KEY_ECDSA },
	{ "1.1 is taken", true, true, false,
	    "NORMAL:-VERS-ALL:+VERS-TLS1.1", "TLS1.1", NULL, NULL,
	    TLS_KEY_ECDSA },
	{ "1.0 is taken", true, true, false,
	    "NORMAL:-VERS-ALL:+VERS-TLS1.0", "TLS1.0", NULL, NULL,
	    TLS_KEY_ECDSA },
	{ "1.0 with RSA certificate", true, true, false,
	    "NORMAL:-VERS-ALL:+VERS-TLS1.0:-ECDHE-ECDSA", "TLS1.0", NULL, NULL,
	    TLS_KEY_RSA },
	{ "reduced hello", true, true, true, NULL,
	    "TLS1.2", "AES-256-GCM", "SECP256R1", TLS_KEY_ECDSA },
	{ "reduced hello, RSA", false, true, true, NULL,
	    "TLS1.2", NULL, NULL, TLS_KEY_RSA },
};

static void
check_shake(const struct shake *r)
{
	const struct tls_facts *c = channel_facts(x.client.chan);
	const struct tls_facts *s = channel_facts(x.server.chan);

	ck_assert(channel_is_tls(x.client.chan));
	ck_assert(channel_is_tls(x.server.chan));
	ck_assert_str_eq(c->version, r->version);
	ck_assert_str_eq(s->version, r->version);
	ck_assert_str_eq(c->cipher, s->cipher);
	ck_assert_str_eq(c->kx, s->kx);
	if (r->cipher != NULL)
		ck_assert_str_eq(c->cipher, r->cipher);
	if (r->kx != NULL)
		ck_assert_str_eq(c->kx, r->kx);
	ck_assert_str_eq(c->spki, x.spki[r->want]);
	ck_assert_str_eq(s->spki, "none");
	ck_assert(!c->resumed && !s->resumed);
	ck_assert_str_ne(c->kx, "none");
}

START_TEST(handshake_rows)
{
	const struct shake *r = &shakes[_i];
	char until[24], issuer[64];

	fix_open(&x, r->ecdsa, r->rsa);
	if (r->priority != NULL)
		fix_client_priority(&x, r->priority);
	ck_assert(!channel_is_tls(x.client.chan));
	fix_handshake(&x, "mx.example.org", r->reduced);
	check_shake(r);
	channel_peer_cert(x.client.chan, until, issuer, sizeof issuer);
	ck_assert_uint_eq(strlen(until), strlen("2026-01-02T03:04:05Z"));
	ck_assert_str_eq(issuer, "CN=mx.example.org");
	channel_peer_cert(x.server.chan, until, issuer, sizeof issuer);
	ck_assert_str_eq(until, "");
	ck_assert_str_eq(issuer, "");
	fix_close(&x);
}
END_TEST

/* old-versions = false, on either side. */
START_TEST(no_old_versions)
{
	x.no_old_versions = true;
	fix_open(&x, true, true);
	if (_i == 0) {		/* a client that has nothing else */
		fix_client_priority(&x, "NORMAL:-VERS-ALL:+VERS-TLS1.1");
	} else {			/* a server that has nothing else */
		gnutls_priority_deinit(x.server_creds->priority[0][0]);
		gnutls_priority_init(&x.server_creds->priority[0][0],
		    "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0", NULL);
	}
	fix_start_server(&x);
	fix_start_client(&x, "", _i == 2);
	fix_run(&x, fix_both_ended);
	ck_assert(x.server.in_handshake && x.client.in_handshake);
	fix_close(&x);
}
END_TEST

/* The key process refuses or is gone: the session ends, nothing else does. */
START_TEST(signer_fails)
{
	fix_open(&x, true, true);
	x.sign_fails = true;
	fix_start_server(&x);
	fix_start_client(&x, "", false);
	fix_run(&x, fix_both_ended);
	ck_assert(x.server.in_handshake && x.client.in_handshake);
	ck_assert_uint_gt(x.signatures, 2);
	fix_close(&x);
}
END_TEST

static bool
echo_done(struct fix *f)
{
	return f->client.got.len >= 4 && f->server.got.len >= 9;
}

static void
exchange(void)
{
	ck_assert_int_eq(channel_send(x.client.chan, SPAN_LIT("EHLO a.b\n")), 0);
	ck_assert_int_eq(channel_send(x.server.chan, SPAN_LIT("250 ")), 0);
	fix_run(&x, echo_done);
	ck_assert(span_eq(buf_get(&x.server.got), SPAN_LIT("EHLO a.b\n")));
	ck_assert(span_eq(buf_get(&x.client.got), SPAN_LIT("250 ")));
}

static const size_t pieces[] = { 1, 2, 3, 5, 7, 100, 1000, 65536 };

START_TEST(any_piece)
{
	fix_open(&x, true, true);
	x.piece = pieces[_i];
	fix_handshake(&x, "mx.example.org", false);
	exchange();
	fix_close(&x);
}
END_TEST

START_TEST(clear_text)
{
	fix_open(&x, true, false);
	x.piece = 1;
	exchange();
	ck_assert(!channel_is_tls(x.client.chan));
	ck_assert_str_eq(channel_facts(x.client.chan)->version, "none");
	fix_close(&x);
}
END_TEST

static bool
hello_seen(struct fix *f)
{
	const unsigned char *p = (const unsigned char *)f->up.seen.mem;

	return f->up.seen.len >= 5 &&
	    f->up.seen.len >= 5u + (unsigned)(p[3] << 8 | p[4]);
}

/* ---- what must not get through ---- */

static bool
server_got_something(struct fix *f)
{
	return f->server.got.len > 0 || fix_any_ended(f);
}

static bool
client_gone(struct fix *f)
{
	return f->up.eof;
}

static bool
server_ended(struct fix *f)
{
	return f->server.ends > 0;
}

/* close_notify, then clear text, in one segment with the last data and in a
 * segment of its own (CVE-2026-45185). */
START_TEST(nothing_behind_close_notify)
{
	fix_open(&x, true, false);
	fix_handshake(&x, "", false);
	x.up.hold = _i == 0;
	channel_send(x.client.chan, SPAN_LIT("QUIT\r\n"));
	channel_close_after_flush(&x.client.chan, 5000);
	if (_i == 0) {
		fix_run(&x, client_gone);
		wire_release(&x.up, SPAN_LIT("MAIL FROM:<evil@example>\r\n"));
	} else {
		fix_run(&x, server_got_something);
		wire_inject(&x.up, SPAN_LIT("MAIL FROM:<evil@example>\r\n"));
	}
	fix_run(&x, server_ended);
	ck_assert_int_eq(x.server.end, CHANNEL_EOF);
	ck_assert(!x.server.in_handshake);
	ck_assert(span_eq(buf_get(&x.server.got), SPAN_LIT("QUIT\r\n")));
	fix_close(&x);
}
END_TEST

START_TEST(truncation_is_an_error)
{
	fix_open(&x, true, false);
	fix_handshake(&x, "", false);
	wire_cut(&x.up);
	fix_run(&x, server_ended);
	ck_assert_int_eq(x.server.end, CHANNEL_ERROR);
	ck_assert(!x.server.in_handshake);
	ck_assert_str_ne(x.server.fault.text, "");
	fix_close(&x);
}
END_TEST

START_TEST(clear_text_into_a_server_handshake)
{
	fix_open(&x, true, false);
	x.piece = _i == 0 ? 1 : 4096;
	fix_start_server(&x);
	channel_send(x.client.chan, SPAN_LIT("EHLO evil.example\r\n"));
	fix_run(&x, server_ended);
	ck_assert_int_eq(x.server.end, CHANNEL_ERROR);
	ck_assert(x.server.in_handshake);
	ck_assert_uint_eq(x.server.inputs, 0);
	ck_assert_str_eq(x.server.fault.text,
	    "TLS handshake: it is plain text, not TLS");
	fix_close(&x);
}
END_TEST

static bool
client_ended(struct fix *f)
{
	return f->client.ends > 0;
}

START_TEST(clear_text_into_a_client_handshake)
{
	fix_open(&x, true, false);
	fix_start_client(&x, "", false);
	channel_send(x.server.chan, SPAN_LIT("454 4.7.0 not today\r\n"));
	fix_run(&x, client_ended);
	ck_assert(x.client.in_handshake);
	ck_assert_int_eq(x.client.end, CHANNEL_ERROR);
	ck_assert_uint_eq(x.client.inputs, 0);
	fix_close(&x);
}
END_TEST

START_TEST(eof_in_the_handshake)
{
	fix_open(&x, true, false);
	x.up.hold = true;
	fix_start_server(&x);
	fix_start_client(&x, "", false);
	fix_run(&x, hello_seen);
	/* cut after each of the first bytes, and somewhere inside */
	x.up.held.len = _i < 16 ? (size_t)_i : x.up.held.len / 2;
	wire_release(&x.up, SPAN_NONE);
	wire_cut(&x.up);
	fix_run(&x, server_ended);
	ck_assert(x.server.in_handshake);
	ck_assert_int_eq(x.server.end, CHANNEL_ERROR);
	fix_close(&x);
}
END_TEST

static bool
both_hellos(struct fix *f)
{
	return f->up.seen.len > 0 && f->down.seen.len > 0;
}

/* No common version: both sides know that it was the handshake, and the alert
 * arrives. */
START_TEST(alert_arrives)
{
	fix_open(&x, true, true);
	fix_client_priority(&x, "NORMAL:-KX-ALL:+RSA:-VERS-ALL:+VERS-TLS1.2");
	fix_start_server(&x);
	fix_start_client(&x, "", false);
	fix_run(&x, fix_both_ended);
	ck_assert(both_hellos(&x));
	ck_assert(x.client.in_handshake && x.server.in_handshake);
	ck_assert_msg(strstr(x.client.fault.text, "alert") != NULL, "%s",
	    x.client.fault.text);
	fix_close(&x);
}
END_TEST

/* ---- amounts ---- */

#define BULK	(20u << 20)

struct bulk {
	size_t	sent, got;
	unsigned pauses;
	bool	wrong;
} bulk;

static char
bulk_byte(size_t i)
{
	return (char)(i * 2654435761u >> 13);
}

static void
bulk_send(struct side *s)
{
	static char block[48 * 1024 + 7];

	if (bulk.sent == BULK)
		return;
	size_t n = BULK - bulk.sent < sizeof block ? BULK - bulk.sent :
	    sizeof block;

	for (size_t i = 0; i < n; i++)
		block[i] = bulk_byte(bulk.sent + i);
	ck_assert_int_eq(channel_send(s->chan, span_of(block, n)), 0);
	bulk.sent += n;
}

/* Leaves some of it unread, and stops reading now and then. */
static void
bulk_input(struct side *s)
{
	struct span in = channel_input(s->chan);
	bool last = bulk.got + in.n == BULK;
	size_t n = in.n > 1000 && !last ? in.n - 777 : in.n;

	ck_assert_uint_le(in.n, 64 * 1024);
	for (size_t i = 0; i < n; i++)
		if (in.p[i] != bulk_byte(bulk.got + i))
			bulk.wrong = true;
	bulk.got += n;
	channel_consume(s->chan, n);
	if (s->inputs % 37 == 0) {
		bulk.pauses++;
		channel_pause(s->chan, true);
	}
}

static bool
bulk_done(struct fix *f)
{
	return bulk.wrong || bulk.got == BULK || fix_any_ended(f);
}

static void
bulk_resume(void *arg)
{
	struct loop_timer **t = arg;

	channel_pause(x.client.chan, false);
	channel_pause(x.server.chan, false);
	loop_timer_set(*t, 1);
}

static const struct bulk_row {
	bool tls, down;
} bulk_rows[] = {
	{ true, false }, { true, true }, { false, false }, { false, true },
};

START_TEST(bulk_with_pauses)
{
	const struct bulk_row *r = &bulk_rows[_i];
	struct loop_timer *t;
	struct side *from, *to;

	bulk = (struct bulk){ 0 };
	fix_open_tcp(&x, true, false);
	if (r->tls)
		fix_handshake(&x, "", false);
	from = r->down ? &x.server : &x.client;
	to = r->down ? &x.client : &x.server;
	from->on_drained = bulk_send;
	to->on_input = bulk_input;
	t = loop_timer_new(x.loop, bulk_resume, &t);
	loop_timer_set(t, 1);
	bulk_send(from);
	fix_run(&x, bulk_done);
	ck_assert(!bulk.wrong);
	ck_assert_uint_eq(bulk.got, BULK);
	ck_assert_uint_gt(bulk.pauses, 0);
	loop_timer_close(&t);
	fix_close(&x);
}
END_TEST

static bool
never(struct fix *f)
{
	return fix_any_ended(f);
}

static void
stop(void *arg)
{
	loop_stop(arg);
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

/* A reader that takes nothing gets 64 KiB and no more, and then the rest, in
 * order, once it does. */
static bool
kept_done(struct fix *f)
{
	return f->server.got.len == 300000;
}

START_TEST(reader_that_waits)
{
	static char block[300000];

	fix_open(&x, true, false);
	if (_i == 1)
		fix_handshake(&x, "", false);
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = bulk_byte(i);
	x.server.keep = true;
	ck_assert_int_eq(channel_send(x.client.chan,
	    span_of(block, 150000)), 0);
	settle(100);
	ck_assert_uint_eq(channel_input(x.server.chan).n, 64 * 1024);
	x.server.keep = false;
	ck_assert_int_eq(channel_send(x.client.chan,
	    span_of(block + 150000, 150000)), 0);
	buf_span(&x.server.got, span_head(channel_input(x.server.chan), 1));
	channel_consume(x.server.chan, 1);
	fix_run(&x, kept_done);
	ck_assert_int_eq(memcmp(buf_get(&x.server.got).p, block,
	    sizeof block), 0);
	fix_close(&x);
}
END_TEST

START_TEST(queue_is_bounded)
{
	static char block[256 * 1024];

	fix_open(&x, true, false);
	if (_i == 1)
		fix_handshake(&x, "", false);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(channel_send(x.client.chan,
		    span_of(block, sizeof block)), 0);
	ck_assert_uint_eq(channel_unsent(x.client.chan), 4 * sizeof block);
	ck_assert_int_eq(channel_send(x.client.chan, SPAN_LIT("x")), -1);
	ck_assert_uint_eq(channel_unsent(x.client.chan), 4 * sizeof block);
	fix_close(&x);
}
END_TEST

static void
five_replies(struct side *s)
{
	channel_consume(s->chan, channel_input(s->chan).n);
	for (int i = 0; i < 5; i++)
		channel_send(s->chan, SPAN_LIT("250 2.1.5 Ok\r\n"));
}

static bool
five_arrived(struct fix *f)
{
	return f->client.got.len == 5 * 14;
}

/* Replies to pipelined commands share one record (RFC 2920 sec 3.2). */
START_TEST(replies_share_a_record)
{
	size_t before;

	fix_open(&x, true, false);
	fix_handshake(&x, "", false);
	x.server.on_input = five_replies;
	before = x.down.seen.len;
	channel_send(x.client.chan, SPAN_LIT("RCPT..."));
	fix_run(&x, five_arrived);
	/* header 5, content type 1, tag 16 */
	ck_assert_uint_eq(x.down.seen.len - before, 5 * 14 + 5 + 1 + 16);
	ck_assert_uint_eq(x.server.drains, 1);
	fix_close(&x);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls/channel");
	TCase *tc = tcase_create("channel");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, handshake_rows, 0, NELEM(shakes));
	tcase_add_loop_test(tc, no_old_versions, 0, 3);
	tcase_add_test(tc, signer_fails);
	tcase_add_loop_test(tc, any_piece, 0, NELEM(pieces));
	tcase_add_test(tc, clear_text);
	tcase_add_loop_test(tc, nothing_behind_close_notify, 0, 2);
	tcase_add_test(tc, truncation_is_an_error);
	tcase_add_loop_test(tc, clear_text_into_a_server_handshake, 0, 2);
	tcase_add_test(tc, clear_text_into_a_client_handshake);
	tcase_add_loop_test(tc, eof_in_the_handshake, 0, 17);
	tcase_add_test(tc, alert_arrives);
	tcase_add_loop_test(tc, bulk_with_pauses, 0, NELEM(bulk_rows));
	tcase_add_loop_test(tc, reader_that_waits, 0, 2);
	tcase_add_loop_test(tc, queue_is_bounded, 0, 2);
	tcase_add_test(tc, replies_share_a_record);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
