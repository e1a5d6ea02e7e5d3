/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtpd/role_tls.c - the role and its clients' TLS. */
#include <unistd.h>

#include "tests/unit/smtpd/rig.h"
#include "tests/unit/suite.h"

START_TEST(takes_a_message_over_tls)		/* RFC 3207 sec 4.2 */
{
	struct rig *g = rig_open();
	struct span body;

	rig_talk(g, "EHLO c.test\r\n", "250-STARTTLS\r\n");
	rig_talk(g, "STARTTLS\r\n", "220 2.0.0");
	ck_assert_int_eq(channel_start_client(g->chan, g->fix.client_creds,
	    &(struct tls_offer){ .sni = "mx.test" }), 0);
	rig_run(g, rig_is_secured);
	rig_talk(g, "MAIL FROM:<a@c.test>\r\n", "503 5.5.1 EHLO first");
	rig_talk(g, RIG_START, "354 ");
	ck_assert(strstr(buf_cstr(&g->got), "STARTTLS") == NULL);
	rig_hand_over(g, "hi\r\n.\r\n");
	body = buf_get(&g->body);
	ck_assert(memmem(body.p, body.n, "with ESMTPS\r\n\t(TLS1.3 ", 22) !=
	    NULL);
	rig_answer(g, 250);
	rig_talk(g, "", "250 2.0.0 ");
	rig_run(g, rig_is_delivery_told);
	ck_assert_uint_eq(g->reached, LEVEL_ENCRYPTED);
	ck_assert_uint_eq(g->how, HOW_OPPORTUNISTIC);
	ck_assert_str_eq(g->version, "TLS1.3");
	rig_close(g);
}
END_TEST

/* RFC 8314 sec 3: nothing is said ahead of the handshake. */
START_TEST(implicit_tls)
{
	struct rig *g = rig_open();

	g->listen.tls = LISTEN_IMPLICIT;
	g->listen.client_certificates = CLIENT_CERTIFICATES_REQUEST;
	rig_call_quietly(g);
	ck_assert_int_eq(channel_start_client(g->chan, g->fix.client_creds,
	    &(struct tls_offer){ .sni = "mx.test" }), 0);
	rig_run(g, rig_is_secured);
	rig_talk(g, "", "220 mx.test ESMTP");
	rig_talk(g, RIG_START, "354 ");
	ck_assert(strstr(buf_cstr(&g->got), "STARTTLS") == NULL);
	rig_hand_over(g, "hi\r\n.\r\n");
	rig_answer(g, 250);
	rig_talk(g, "", "250 2.0.0 ");
	rig_run(g, rig_is_delivery_told);
	ck_assert_uint_eq(g->reached, LEVEL_ENCRYPTED);
	rig_close(g);
}
END_TEST

/* Who speaks in clear there is let go, and that is that. */
START_TEST(implicit_tls_and_plain_text)
{
	struct rig *g = rig_open();

	g->listen.tls = LISTEN_IMPLICIT;
	rig_call_quietly(g);
	ck_assert_int_eq(channel_send(g->chan,
	    SPAN_LIT("EHLO c.test\r\nMAIL FROM:<a@c.test>\r\n")), 0);
	rig_run(g, rig_is_ended);
	/* An alert at most: nothing that reads like a reply. */
	ck_assert_uint_le(g->got.len, 7);
	ck_assert_uint_eq(g->begins, 0);
	rig_close(g);
}
END_TEST

/* keys died and nobody said so yet: 454, not a handshake that breaks. */
START_TEST(keys_gone_is_454)			/* RFC 3207 sec 4 */
{
	struct rig *g = rig_open();

	close(g->keys[1]);
	g->keys[1] = -1;
	rig_talk(g, "EHLO c.test\r\n", "250-STARTTLS\r\n");
	rig_talk(g, "STARTTLS\r\n", "454 4.7.0");
	rig_close(g);
}
END_TEST

START_TEST(injection_closes)			/* CVE-2011-0411 */
{
	struct rig *g = rig_open();

	rig_talk(g, "EHLO c.test\r\nSTARTTLS\r\nNOOP\r\n", "501 5.5.2");
	rig_run(g, rig_is_ended);
	ck_assert(strstr(buf_cstr(&g->got), "220 2") == NULL);
	rig_close(g);
}
END_TEST

/* Cleartext where the ClientHello should be ends it without a reply. */
START_TEST(cleartext_in_handshake_closes)
{
	struct rig *g = rig_open();

	rig_talk(g, "EHLO c.test\r\n", "250 ENHANCEDSTATUSCODES");
	rig_talk(g, "STARTTLS\r\n", "220 2.0.0");
	rig_talk(g, "MAIL FROM:<evil@c.test>\r\n", NULL);
	rig_run(g, rig_is_ended);
	ck_assert(strstr(buf_cstr(&g->got), "250") == NULL);
	ck_assert_uint_eq(g->begins, 0);
	rig_close(g);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		takes_a_message_over_tls,
		implicit_tls,
		implicit_tls_and_plain_text,
		keys_gone_is_454,
		injection_closes,
		cleartext_in_handshake_closes,
	};

	return rig_suite("smtpd role: TLS", tests, NELEM(tests));
}
