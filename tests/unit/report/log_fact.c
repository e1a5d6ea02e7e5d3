/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include <check.h>
#include <stdio.h>

#include "report/log_fact.h"
#include "report/log_tls.h"
#include "tests/unit/suite.h"

static const char *const kinds[] = {
	[LOG_NOTHING] = "nothing", [LOG_UNKNOWN] = "unknown",
	[LOG_CONNECT] = "connect", [LOG_DISCONNECT] = "disconnect",
	[LOG_TLS] = "tls", [LOG_TLS_FAILED] = "tls-failed",
	[LOG_DANE_MATCHED] = "dane-matched", [LOG_MESSAGE] = "message",
	[LOG_ACCEPTED] = "accepted", [LOG_RECEIVED] = "received",
	[LOG_DELIVERY] = "delivery", [LOG_DEFERRED] = "deferred",
	[LOG_LOCAL] = "local", [LOG_DONE] = "done",
};

#define TLS13	"TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"
#define KX	" key-exchange X25519 server-signature ECDSA (P-256) server-digest SHA256"
#define SENT	"delay=0.1, delays=0.01/0/0.05/0.04, dsn=2.0.0, status=sent (250 2.0.0 Ok)"

/* want: kind, and the spans that the line fills; what follows is printed only
 * where it is not nothing. */
static const struct {
	const char	*program, *text, *want;
} rows[] = {
	/* ---- Postfix, smtp ---- */
	{ "postfix/smtp", "Untrusted TLS connection established to "
	  "mx.example.org[192.0.2.1]:25: " TLS13 KX,
	  "tls out peer=mx.example.org[192.0.2.1]:25 host=mx.example.org "
	  "addr=192.0.2.1 tls=TLSv1.3,TLS_AES_256_GCM_SHA384,X25519" },
	{ "postfix-out/relay/smtp", "Verified TLS connection reused to "
	  "mx.example.org[2001:db8::1]:25: " TLS13 KX,
	  "tls out reused trust=1 peer=mx.example.org[2001:db8::1]:25 "
	  "host=mx.example.org addr=2001:db8::1 "
	  "tls=TLSv1.3,TLS_AES_256_GCM_SHA384,X25519" },
	{ "postfix/smtp", "Trusted TLS connection established to "
	  "mx.example.org[192.0.2.1]:25: TLSv1.2 with cipher "
	  "ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)",
	  "tls out peer=mx.example.org[192.0.2.1]:25 host=mx.example.org "
	  "addr=192.0.2.1 tls=TLSv1.2,ECDHE-RSA-AES256-GCM-SHA384," },
	{ "postfix/smtp", "Anonymous TLS connection established to "
	  "mx.example.org[192.0.2.1]:25: " TLS13 " key-exchange ECDHE (P-256)",
	  "tls out peer=mx.example.org[192.0.2.1]:25 host=mx.example.org "
	  "addr=192.0.2.1 tls=TLSv1.3,TLS_AES_256_GCM_SHA384,ECDHE (P-256)" },
	{ "postfix/smtp", "Untrusted TLS connection established to nobody",
	  "unknown out" },
	{ "postfix/smtp", "Untrusted TLS connection lost to a[1]:25: " TLS13,
	  "unknown out" },
	{ "postfix/smtp", "mx.example.org[192.0.2.1]:25: Matched DANE EE "
	  "certificate at depth 0: 3 1 1 ab",
	  "dane-matched out peer=mx.example.org[192.0.2.1]:25 "
	  "host=mx.example.org addr=192.0.2.1" },
	{ "postfix/smtp", "4A7E05B1: to=<you@example.org>, "
	  "relay=mx.example.org[192.0.2.1]:25, " SENT,
	  "delivery out id=4A7E05B1 peer=mx.example.org[192.0.2.1]:25 "
	  "host=mx.example.org addr=192.0.2.1 domain=example.org n=1" },
	/* long queue ids */
	{ "postfix/smtp", "3Z1xYq2kWCz9m: to=<you@example.org>, "
	  "orig_to=<me@example.net>, relay=mx[192.0.2.1]:25, conn_use=2, " SENT,
	  "delivery out reused id=3Z1xYq2kWCz9m peer=mx[192.0.2.1]:25 host=mx "
	  "addr=192.0.2.1 domain=example.org n=1" },
	/* 3.11 says what was asked and what became of it */
	{ "postfix/smtp", "4A7E05B1: to=<you@example.org>, "
	  "relay=mx[192.0.2.1]:25, delay=1, dsn=2.0.0, tls=dane, status=sent (250)",
	  "delivery out trust=2 id=4A7E05B1 peer=mx[192.0.2.1]:25 host=mx "
	  "addr=192.0.2.1 domain=example.org n=1" },
	{ "postfix/smtp", "4A7E05B1: to=<you@example.org>, "
	  "relay=mx[192.0.2.1]:25, tls=dane:may/requiretls, status=sent (250)",
	  "delivery out id=4A7E05B1 peer=mx[192.0.2.1]:25 host=mx "
	  "addr=192.0.2.1 domain=example.org n=1" },
	{ "postfix/smtp", "4A7E05B1: to=<you@example.org>, "
	  "relay=mx[192.0.2.1]:25, tls=secure/requiretls, status=sent (250)",
	  "delivery out trust=1 id=4A7E05B1 peer=mx[192.0.2.1]:25 host=mx "
	  "addr=192.0.2.1 domain=example.org n=1" },
	{ "postfix/smtp", "4A7E05B1: to=<you@example.org>, "
	  "relay=mx[192.0.2.1]:25, delay=1, dsn=4.2.0, status=deferred (host "
	  "mx[192.0.2.1] said: 450 4.2.0 Not now (in reply to RCPT TO command))",
	  "deferred out id=4A7E05B1 peer=mx[192.0.2.1]:25 host=mx "
	  "addr=192.0.2.1 domain=example.org n=1" },
	{ "postfix/smtp", "4A7E05B1: to=<you@example.org>, relay=none, delay=1, "
	  "dsn=4.4.1, status=deferred (connect to mx[192.0.2.1]:25: Connection "
	  "refused)", "nothing out id=4A7E05B1 domain=example.org n=1" },
	{ "postfix/lmtp", "4A7E05B1: to=<you@example.org>, "
	  "relay=mx[private/dovecot-lmtp], " SENT,
	  "local out id=4A7E05B1 peer=mx[private/dovecot-lmtp] host=mx "
	  "addr=private/dovecot-lmtp domain=example.org n=1" },
	{ "postfix/smtp", "4A7E05B1: Cannot start TLS: handshake failure",
	  "tls-failed out id=4A7E05B1 n=1" },
	{ "postfix/smtp", "connect to mx[192.0.2.1]:25: Connection refused",
	  "nothing out" },
	{ "postfix/smtp", "warning: something to=<x>, status=sent (",
	  "nothing out" },
	{ "postfix/smtp", "4A7E05B1: to=<you@example.org>, status=sent (250)",
	  "unknown out id=4A7E05B1 domain=example.org n=1" },
	{ "postfix/smtp", "4A7E05B1: to=<you@example.org", "unknown out "
	  "id=4A7E05B1 n=1" },
	/* RFC 5321 sec 4.1.2: what a stranger may quote */
	{ "postfix/smtp", "4A7E05B1: to=<\"a>, relay=evil[198.51.100.1]:25, "
	  "status=sent (\"@example.org>, relay=mx[192.0.2.1]:25, " SENT,
	  "delivery out id=4A7E05B1 peer=mx[192.0.2.1]:25 host=mx "
	  "addr=192.0.2.1 domain=example.org n=1" },
	{ "postfix/smtp", "4A7E05B1: to=<\"a\\\">, relay=e\"@example.org>, "
	  "relay=mx[192.0.2.1]:25, " SENT,
	  "delivery out id=4A7E05B1 peer=mx[192.0.2.1]:25 host=mx "
	  "addr=192.0.2.1 domain=example.org n=1" },
	/* ---- Postfix, smtpd ---- */
	{ "postfix/smtpd", "connect from unknown[192.0.2.9]",
	  "connect peer=unknown[192.0.2.9] host=unknown addr=192.0.2.9" },
	{ "postfix/submission/smtpd", "Anonymous TLS connection established from "
	  "c.example.org[192.0.2.9]: " TLS13 KX,
	  "tls peer=c.example.org[192.0.2.9] host=c.example.org addr=192.0.2.9 "
	  "tls=TLSv1.3,TLS_AES_256_GCM_SHA384,X25519" },
	{ "postfix/smtpd", "Anonymous TLS connection established from "
	  "c.example.org[192.0.2.9] to mx.example.org: " TLS13 KX,
	  "tls peer=c.example.org[192.0.2.9] host=c.example.org addr=192.0.2.9 "
	  "tls=TLSv1.3,TLS_AES_256_GCM_SHA384,X25519" },
	{ "postfix/smtpd", "4A7E05B1: client=c.example.org[192.0.2.9], "
	  "sasl_method=PLAIN, sasl_username=a",
	  "message id=4A7E05B1 peer=c.example.org[192.0.2.9] host=c.example.org "
	  "addr=192.0.2.9" },
	{ "postfix/smtpd", "NOQUEUE: client=c.example.org[192.0.2.9]",
	  "message id=NOQUEUE peer=c.example.org[192.0.2.9] host=c.example.org "
	  "addr=192.0.2.9" },
	{ "postfix/smtpd", "NOQUEUE: reject: RCPT from c[192.0.2.9]: 554 5.7.1",
	  "nothing id=NOQUEUE" },
	{ "postfix/smtpd", "disconnect from c[192.0.2.9] ehlo=2 starttls=1 mail=1 "
	  "rcpt=1 data=1 quit=1 commands=7", "disconnect starttls hello" },
	{ "postfix/smtpd", "disconnect from c[192.0.2.9] ehlo=1 starttls=0/1 "
	  "commands=1/2", "disconnect hello" },
	{ "postfix/smtpd", "disconnect from c[192.0.2.9] ehlo=0/1 commands=0/1",
	  "disconnect" },
	{ "postfix/smtpd", "disconnect from c[192.0.2.9] helo=1 commands=1",
	  "disconnect hello" },
	/* ---- Postfix, qmgr and others ---- */
	{ "postfix/qmgr", "4A7E05B1: from=<a@b.example>, size=475, nrcpt=2 "
	  "(queue active)", "accepted id=4A7E05B1 domain=b.example n=2 bytes=475" },
	{ "postfix/qmgr", "4A7E05B1: from=<>, size=475, nrcpt=1 (queue active)",
	  "accepted id=4A7E05B1 n=1 bytes=475" },
	{ "postfix/qmgr", "4A7E05B1: from=<a@b.example>, status=expired, "
	  "returned to sender", "nothing id=4A7E05B1" },
	{ "postfix/qmgr", "4A7E05B1: from=<a@b.example>, size=x, nrcpt=1 (q",
	  "unknown id=4A7E05B1" },
	{ "postfix/qmgr", "4A7E05B1: removed", "done id=4A7E05B1" },
	{ "postfix/virtual", "4A7E05B1: to=<a@b.example>, relay=virtual, " SENT,
	  "local id=4A7E05B1" },
	{ "postfix/cleanup", "4A7E05B1: message-id=<x@y>", NULL },
	{ "sshd", "Accepted publickey", NULL },
	/* ---- Exim ---- */
	{ "exim", "1oABCD-0001Xy-2Z <= a@b.example H=(c.example) [192.0.2.9] "
	  "P=esmtps X=TLS1.3:ECDHE_X25519__ECDSA_SECP256R1_SHA256__AES_256_GCM:256 "
	  "CV=no S=475 id=x@y",
	  "received id=1oABCD-0001Xy-2Z peer=192.0.2.9 host=(c.example) "
	  "addr=192.0.2.9 domain=b.example n=1 bytes=475 "
	  "tls=TLS1.3,ECDHE_X25519__ECDSA_SECP256R1_SHA256__AES_256_GCM," },
	/* every selector, and the ids of 4.97 */
	{ "exim", "[77] 1oABCD-00000000123-4Z5y <= <> H=c.example (helo x) "
	  "[192.0.2.9]:4711 I=[192.0.2.1]:25 P=esmtp S=475 RT=0.1s "
	  "T=\"for X=TLS1.3:x:1 \\\" for me\" from <> for a@b.example c@d.example",
	  "received id=1oABCD-00000000123-4Z5y peer=192.0.2.9 host=c.example "
	  "addr=192.0.2.9 n=2 bytes=475" },
	{ "exim", "1oABCD-0001Xy-2Z <= root@b.example U=root P=local S=475",
	  "nothing id=1oABCD-0001Xy-2Z domain=b.example n=1 bytes=475" },
	{ "exim4", "2026-11-26 06:46:46 1oABCD-0001Xy-2Z => you@example.org "
	  "R=dnslookup T=remote_smtp H=mx.example.org [192.0.2.1] "
	  "X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=yes DN=\"CN=mx X=y\" C=\"250 ok\"",
	  "delivery out id=1oABCD-0001Xy-2Z peer=192.0.2.1 host=mx.example.org "
	  "addr=192.0.2.1 domain=example.org n=1 "
	  "tls=TLS1.3,TLS_AES_256_GCM_SHA384," },
	{ "exim", "1oABCD-0001Xy-2Z -> \"a H=e [9.9.9.9] \"@example.org F=<x y> "
	  "R=r T=t H=mx [192.0.2.1]:25* X=TLS1.2:A:256 CV=dane K C=\"250\" DT=0s",
	  "delivery out reused again trust=2 id=1oABCD-0001Xy-2Z peer=192.0.2.1 "
	  "host=mx addr=192.0.2.1 domain=example.org n=1 tls=TLS1.2,A," },
	{ "exim", "1oABCD-0001Xy-2Z => me <me@example.org> R=local_user "
	  "T=maildir_home", "local out id=1oABCD-0001Xy-2Z domain=example.org n=1" },
	{ "exim", "1oABCD-0001Xy-2Z == a@b.example R=r T=t defer (111): refused",
	  "nothing id=1oABCD-0001Xy-2Z" },
	{ "exim", "1oABCD-0001Xy-2Z Completed", "done id=1oABCD-0001Xy-2Z" },
	{ "exim", "1oABCD-0001Xy-2Z => ", "unknown out id=1oABCD-0001Xy-2Z" },
	{ "exim", "Start queue run: pid=7", "nothing" },
	{ "exim", "no-such-id => a@b", "nothing" },
};

static void
add(char out[1024], const char *name, struct span s)
{
	size_t n = strlen(out);

	if (s.n > 0)
		snprintf(out + n, 1024 - n, " %s=%.*s", name, SPAN_FMT(s));
}

static void
add_n(char out[1024], const char *name, unsigned long long v)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", v);
	if (v != 0)
		add(out, name, span_str(text));
}

static void
show(const struct log_fact *f, char out[1024])
{
	size_t n;

	snprintf(out, 1024, "%s%s%s%s%s%s", kinds[f->kind],
	    f->out ? " out" : "", f->reused ? " reused" : "",
	    f->again ? " again" : "", f->starttls ? " starttls" : "",
	    f->hello ? " hello" : "");
	add_n(out, "trust", f->trust);
	add(out, "id", f->id);
	add(out, "peer", f->peer);
	add(out, "host", f->host);
	add(out, "addr", f->addr);
	add(out, "domain", f->domain);
	add_n(out, "n", f->recipients);
	add_n(out, "bytes", f->bytes);
	n = strlen(out);
	if (f->has_tls)
		snprintf(out + n, 1024 - n, " tls=%.*s,%.*s,%.*s",
		    SPAN_FMT(f->version), SPAN_FMT(f->suite), SPAN_FMT(f->kx));
}

START_TEST(fact_rows)
{
	const struct log_line l = { .program = span_str(rows[_i].program),
	    .text = span_str(rows[_i].text) };
	struct log_fact f;
	char got[1024];

	ck_assert(log_fact_parse(&l, &f) == (rows[_i].want != NULL));
	if (rows[_i].want == NULL)
		return;
	show(&f, got);
	ck_assert_str_eq(got, rows[_i].want);
}
END_TEST

static const struct {
	const char	*version, *suite, *kx;
	const char	*want;		/* version cipher kx weak */
} tls[] = {
	{ "TLSv1.3", "TLS_AES_256_GCM_SHA384", "X25519",
	  "TLS1.3 AES-256-GCM X25519 none" },
	{ "TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256", "X25519MLKEM768",
	  "TLS1.3 CHACHA20-POLY1305 X25519MLKEM768 none" },
	{ "TLSv1.3", "TLS_AES_128_GCM_SHA256", "",
	  "TLS1.3 AES-128-GCM none none" },
	{ "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE (P-256)",
	  "TLS1.2 AES-256-GCM SECP256R1 none" },
	{ "TLSv1.2", "AES256-SHA", "", "TLS1.2 AES-256-CBC none no-pfs" },
	{ "TLSv1", "DHE-RSA-AES128-SHA", "DHE (1024 bits)",
	  "TLS1.0 AES-128-CBC DHE version,dh" },
	{ "TLSv1.1", "DES-CBC3-SHA", "", "TLS1.1 3DES-CBC none version,no-pfs" },
	{ "SSLv3", "RC4-SHA", "", "SSLv3 ARCFOUR-128 none version,no-pfs" },
	{ "TLS1.3", "ECDHE_X25519__ECDSA_SECP256R1_SHA256__AES_256_GCM", "",
	  "TLS1.3 AES-256-GCM X25519 none" },
	{ "TLS1.2", "ECDHE_SECP384R1__RSA_SHA256__AES_128_GCM", "",
	  "TLS1.2 AES-128-GCM SECP384R1 none" },
	{ "TLS1.2", "ECDHE_RSA_AES_256_GCM_SHA384", "",
	  "TLS1.2 AES-256-GCM ECDHE none" },
	{ "TLS1.2", "RSA__AES_256_GCM", "", "TLS1.2 AES-256-GCM none no-pfs" },
	/* what nobody knows passes, without what steers a terminal */
	{ "TLSv9", "NEW_\033[31m_DH", "odd group", "TLS9 NEW_-[31m_DH odd-group none" },
};

START_TEST(tls_rows)
{
	struct tls_facts t;
	char got[256];

	log_tls_fill(&t, span_str(tls[_i].version), span_str(tls[_i].suite),
	    span_str(tls[_i].kx));
	snprintf(got, sizeof got, "%s %s %s %s", t.version, t.cipher, t.kx,
	    t.weak);
	ck_assert_str_eq(got, tls[_i].want);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("report_log_fact");
	TCase *tc = tcase_create("fact");

	tcase_add_loop_test(tc, fact_rows, 0, NELEM(rows));
	tcase_add_loop_test(tc, tls_rows, 0, NELEM(tls));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
