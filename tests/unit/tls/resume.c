/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* resume.c - sessions that go on from an earlier one: who may, who may not,
 * and that nothing is forgotten about the peer by it. */
#include "fixture.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tls/session_priv.h"

static struct fix x;
static struct buf data;

static const char key_a[TLS_TICKET_KEY] = "a", key_b[TLS_TICKET_KEY] = "b";

static bool
answered(struct fix *f)
{
	return f->client.got.len >= 4 || fix_any_ended(f);
}

/* A session in which the server says something: behind it, tickets are in. */
static bool
session(void)
{
	fix_handshake(&x, "mx.example.org", false);
	ck_assert_int_eq(channel_send(x.client.chan, SPAN_LIT("EHLO\r\n")), 0);
	ck_assert_int_eq(channel_send(x.server.chan, SPAN_LIT("250 ")), 0);
	fix_run(&x, answered);
	ck_assert(span_eq(buf_get(&x.client.got), SPAN_LIT("250 ")));
	ck_assert_int_eq(channel_facts(x.client.chan)->resumed,
	    channel_facts(x.server.chan)->resumed);
	return channel_facts(x.client.chan)->resumed;
}

static void
begin(const char *priority)
{
	buf_init(&data, 65536);
	fix_open(&x, true, true);
	if (priority != NULL)
		fix_client_priority(&x, priority);
	x.want_tickets = true;
	x.resume = SPAN_NONE;
}

static void
end(void)
{
	x.want_tickets = x.ask_certificate = false;
	x.resume = SPAN_NONE;
	buf_free(&data);
	fix_close(&x);
}

static const char *const versions[] = { NULL, "NORMAL:-VERS-ALL:+VERS-TLS1.2",
    "NORMAL:-VERS-ALL:+VERS-TLS1.0" };

/* Another process of the same server, the same key: it goes on there, and the
 * chain of the peer is known as before. */
START_TEST(resumes_elsewhere)
{
	char until[24], issuer[64];

	begin(versions[_i]);
	tls_creds_tickets(x.server_creds, span_of(key_a, sizeof key_a));
	ck_assert(!session());
	ck_assert_int_eq(channel_resumable(x.client.chan, &data), 1);
	ck_assert_uint_gt(data.len, 100);
	ck_assert_uint_lt(data.len, 8192);

	tls_creds_unref(&x.server_creds);
	x.server_creds = fix_server_creds(&x);
	tls_creds_tickets(x.server_creds, span_of(key_a, sizeof key_a));
	for (int again = 0; again < 2; again++) {
		fix_again(&x);
		x.resume = buf_get(&data);
		x.signatures = 0;
		ck_assert(session());
		ck_assert_uint_eq(x.signatures, 0);
		ck_assert_str_eq(channel_facts(x.client.chan)->spki,
		    x.spki[TLS_KEY_ECDSA]);
		channel_peer_cert(x.client.chan, until, issuer, sizeof issuer);
		ck_assert_str_eq(issuer, "CN=mx.example.org");
		ck_assert_str_ne(until, "");
	}
	end();
}
END_TEST

/* What a resumed session leaves is good for the next one. */
START_TEST(on_and_on)
{
	begin(versions[_i]);
	tls_creds_tickets(x.server_creds, span_of(key_a, sizeof key_a));
	ck_assert(!session());
	for (int again = 0; again < 3; again++) {
		buf_reset(&data);
		ck_assert_int_eq(channel_resumable(x.client.chan, &data), 1);
		fix_again(&x);
		x.resume = buf_get(&data);
		ck_assert(session());
		ck_assert_str_eq(channel_facts(x.client.chan)->spki,
		    x.spki[TLS_KEY_ECDSA]);
	}
	end();
}
END_TEST

/* A key of before: a full handshake, and no trouble. */
START_TEST(rotated_key)
{
	begin(versions[_i]);
	tls_creds_tickets(x.server_creds, span_of(key_a, sizeof key_a));
	ck_assert(!session());
	ck_assert_int_eq(channel_resumable(x.client.chan, &data), 1);
	tls_creds_tickets(x.server_creds, span_of(key_b, sizeof key_b));
	fix_again(&x);
	x.resume = buf_get(&data);
	ck_assert(!session());
	end();
}
END_TEST

/* tickets = false: a 1.3 server sends none, and there is nothing to keep.  Below
 * that each session has an id, which this server will not know again. */
START_TEST(no_tickets_unless_asked_for)
{
	size_t quiet;

	begin(versions[_i]);
	ck_assert(!session());
	if (versions[_i] == NULL)
		ck_assert_int_eq(channel_resumable(x.client.chan, &data), 0);
	else
		ck_assert_int_eq(channel_resumable(x.client.chan, &data), 1);
	quiet = x.down.seen.len;
	fix_again(&x);
	x.resume = buf_get(&data);
	ck_assert(!session());
	fix_again(&x);
	x.resume = SPAN_NONE;
	tls_creds_tickets(x.server_creds, span_of(key_a, sizeof key_a));
	ck_assert(!session());
	ck_assert_uint_gt(x.down.seen.len, quiet + 100);
	end();
}
END_TEST

/* The trap of 1.3: right behind the handshake there is something that looks
 * like data for resumption and is none. */
START_TEST(not_before_the_ticket)
{
	begin(NULL);
	tls_creds_tickets(x.server_creds, span_of(key_a, sizeof key_a));
	x.down.hold = false;
	fix_start_server(&x);
	fix_start_client(&x, "mx.example.org", false);
	fix_run(&x, fix_both_secured);
	/* The ticket may be there or on its way: never four bytes. */
	if (channel_resumable(x.client.chan, &data) == 1)
		ck_assert_uint_gt(data.len, 100);
	else
		ck_assert_uint_eq(data.len, 0);
	end();
}
END_TEST

/* What is no data of a session does no harm. */
START_TEST(nonsense_is_a_full_handshake)
{
	static const struct span rows[] = {
		SPAN_LIT("\0\0\0\0"), SPAN_LIT("x"),
		SPAN_LIT("0123456789012345678901234567890123456789"),
	};

	begin(NULL);
	tls_creds_tickets(x.server_creds, span_of(key_a, sizeof key_a));
	x.resume = rows[_i];
	ck_assert(!session());
	end();
}
END_TEST

/* A small hello neither asks nor resumes. */
START_TEST(reduced_never_resumes)
{
	begin("NORMAL:-VERS-ALL:+VERS-TLS1.2");
	tls_creds_tickets(x.server_creds, span_of(key_a, sizeof key_a));
	ck_assert(!session());
	ck_assert_int_eq(channel_resumable(x.client.chan, &data), 1);
	fix_again(&x);
	x.resume = buf_get(&data);
	fix_handshake(&x, "mx.example.org", true);
	ck_assert(!channel_facts(x.client.chan)->resumed);
	end();
}
END_TEST

/* ---- a client's certificate ---- */

static void
give_client_certificate(char spki[65])
{
	struct fault f;
	gnutls_x509_privkey_t key = tls_key_generate(TLS_KEY_ECDSA, &f);
	gnutls_x509_crt_t crt = tls_cert_selfsign(key, TLS_KEY_ECDSA,
	    "client.example", 1750000000, &f);
	unsigned char id[32];
	size_t n = sizeof id;

	ck_assert_int_eq(gnutls_certificate_set_x509_key(x.client_creds->cert,
	    &crt, 1, key), 0);
	ck_assert_int_eq(gnutls_x509_crt_get_key_id(crt,
	    GNUTLS_KEYID_USE_SHA256, id, &n), 0);
	for (size_t i = 0; i < sizeof id; i++)
		snprintf(spki + 2 * i, 3, "%02x", id[i]);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

START_TEST(client_certificate)
{
	char spki[65];

	begin(versions[_i]);
	tls_creds_tickets(x.server_creds, span_of(key_a, sizeof key_a));
	/* Asked, and none is there: that is all right. */
	x.ask_certificate = true;
	ck_assert(!session());
	ck_assert_str_eq(channel_facts(x.server.chan)->spki, "none");
	/* There, but not asked for. */
	give_client_certificate(spki);
	x.ask_certificate = false;
	fix_again(&x);
	ck_assert(!session());
	ck_assert_str_eq(channel_facts(x.server.chan)->spki, "none");
	/* Asked and given: its key is known, also when it comes back. */
	x.ask_certificate = true;
	fix_again(&x);
	ck_assert(!session());
	ck_assert_str_eq(channel_facts(x.server.chan)->spki, spki);
	ck_assert_int_eq(channel_resumable(x.client.chan, &data), 1);
	fix_again(&x);
	x.resume = buf_get(&data);
	ck_assert(session());
	ck_assert_str_eq(channel_facts(x.server.chan)->spki, spki);
	end();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls/resume");
	TCase *tc = tcase_create("resume");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, resumes_elsewhere, 0, NELEM(versions));
	tcase_add_loop_test(tc, on_and_on, 0, NELEM(versions));
	tcase_add_loop_test(tc, rotated_key, 0, NELEM(versions));
	tcase_add_loop_test(tc, no_tickets_unless_asked_for, 0, NELEM(versions));
	tcase_add_test(tc, not_before_the_ticket);
	tcase_add_loop_test(tc, nonsense_is_a_full_handshake, 0, 3);
	tcase_add_test(tc, reduced_never_resumes);
	tcase_add_loop_test(tc, client_certificate, 0, NELEM(versions));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
