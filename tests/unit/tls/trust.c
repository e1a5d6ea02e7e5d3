/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The WebPKI for MX hosts: RFC 8461 sec 4.2, RFC 6125 sec 6.4, RFC 5280. */
#include "tests/unit/suite.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/unit/pki.h"
#include "tls/chain.h"
#include "tls/trust.h"

static struct {
	struct pki		 pki;
	char			 file[64];
	struct tls_trust	*trust;
} x;

static void
setup(void)
{
	struct fault f = { 0 };
	gnutls_datum_t pem;
	int fd;

	pki_open(&x.pki);
	ck_assert_int_eq(gnutls_x509_crt_export2(x.pki.root, GNUTLS_X509_FMT_PEM,
	    &pem), 0);
	(void)snprintf(x.file, sizeof x.file, "/tmp/sealane-ca-XXXXXX");
	fd = mkstemp(x.file);
	ck_assert_int_eq(write(fd, pem.data, pem.size), pem.size);
	close(fd);
	gnutls_free(pem.data);
	x.trust = tls_trust_load(x.file, &f);
	ck_assert_msg(x.trust != NULL, "%s", f.text);
}

static void
teardown(void)
{
	tls_trust_free(&x.trust);
	unlink(x.file);
	pki_close(&x.pki);
}

#define HOST	"mx.example.org"
#define GOOD	-1, 10, PKI_ROOT, PKI_ROOT, NULL

static const struct row {
	const char	*name;
	struct pki_leaf	 leaf;
	const char	*host;
	enum tls_verdict want;
	bool		 middle;	/* is sent too */
} rows[] = {
	{ "good", { "x", HOST, GOOD }, HOST, TLS_VALID, false },
	{ "one of many names", { "x", "a.example,mx.example.org", GOOD }, HOST,
	    TLS_VALID, false },
	{ "by an intermediate", { "x", HOST, -1, 10, PKI_MIDDLE, PKI_MIDDLE, NULL },
	    HOST, TLS_VALID, true },
	{ "intermediate is not sent", { "x", HOST, -1, 10, PKI_MIDDLE, PKI_MIDDLE,
	    NULL }, HOST, TLS_UNTRUSTED, false },
	{ "for servers", { "x", HOST, -1, 10, PKI_ROOT, PKI_ROOT,
	    GNUTLS_KP_TLS_WWW_SERVER }, HOST, TLS_VALID, false },
	{ "for clients only", { "x", HOST, -1, 10, PKI_ROOT, PKI_ROOT,
	    GNUTLS_KP_TLS_WWW_CLIENT }, HOST, TLS_UNTRUSTED, false },

	{ "self-signed", { "x", HOST, -1, 10, PKI_LEAF, PKI_LEAF, NULL }, HOST,
	    TLS_UNTRUSTED, false },
	{ "unknown authority", { "x", HOST, -1, 10, PKI_OTHER, PKI_OTHER,
	    NULL }, HOST, TLS_UNTRUSTED, false },
	/* it says that root issued it, another key signed */
	{ "forged", { "x", HOST, -1, 10, PKI_ROOT, PKI_OTHER, NULL }, HOST,
	    TLS_UNTRUSTED, false },
	{ "expired", { "x", HOST, -10, -1, PKI_ROOT, PKI_ROOT, NULL }, HOST,
	    TLS_EXPIRED, false },
	{ "not yet valid", { "x", HOST, 1, 10, PKI_ROOT, PKI_ROOT, NULL }, HOST,
	    TLS_EXPIRED, false },
	{ "expired, of somebody else", { "x", "a.example", -10, -1, PKI_ROOT,
	    PKI_ROOT, NULL }, HOST, TLS_EXPIRED, false },

	/* names, sec 4.2: DNS-IDs, the star is one whole label */
	{ "another name", { "x", "mx2.example.org", GOOD }, HOST,
	    TLS_NAME_MISMATCH, false },
	{ "common name only", { HOST, NULL, GOOD }, HOST, TLS_NAME_MISMATCH,
	    false },
	{ "common name beside another DNS-ID", { HOST, "a.example", GOOD },
	    HOST, TLS_NAME_MISMATCH, false },
	{ "star", { "x", "*.example.org", GOOD }, HOST, TLS_VALID, false },
	{ "star is one label", { "x", "*.org", GOOD }, HOST, TLS_NAME_MISMATCH,
	    false },
	{ "star is not none", { "x", "*.mx.example.org", GOOD }, HOST,
	    TLS_NAME_MISMATCH, false },
	{ "star within a label", { "x", "m*.example.org", GOOD }, HOST,
	    TLS_NAME_MISMATCH, false },
	{ "case", { "x", "MX.Example.ORG", GOOD }, HOST, TLS_VALID, false },
};

START_TEST(judge)
{
	const struct row *r = &rows[_i];
	gnutls_x509_crt_t leaf = pki_leaf(&x.pki, &r->leaf);
	struct tls_chain chain = { .n = r->middle ? 2 : 1 };
	struct fault f = { 0 };
	gnutls_datum_t der[2] = { pki_der(leaf), pki_der(x.pki.middle) };
	enum tls_verdict got;

	for (size_t i = 0; i < chain.n; i++)
		chain.cert[i] = span_of(der[i].data, der[i].size);
	got = tls_trust_judge(x.trust, &chain, r->host, &f);
	ck_assert_msg(got == r->want, "%s: %s (%s)", r->name,
	    tls_verdict_name(got), f.text);
	ck_assert((f.text[0] == '\0') == (got == TLS_VALID));
	gnutls_free(der[0].data);
	gnutls_free(der[1].data);
	gnutls_x509_crt_deinit(leaf);
}
END_TEST

START_TEST(nonsense)
{
	struct tls_chain none = { .n = 0 }, bad = { .n = 1 };
	struct fault f = { 0 };

	ck_assert_int_eq(tls_trust_judge(x.trust, &none, HOST, &f),
	    TLS_UNTRUSTED);
	bad.cert[0] = SPAN_LIT("0\3\2\1\1");
	ck_assert_int_eq(tls_trust_judge(x.trust, &bad, HOST, &f),
	    TLS_UNTRUSTED);
	ck_assert(f.text[0] != '\0');
}
END_TEST

START_TEST(no_file)
{
	struct fault f = { 0 };

	ck_assert_ptr_null(tls_trust_load("/nonexistent", &f));
	ck_assert_ptr_nonnull(strstr(f.text, "/nonexistent"));
	ck_assert_ptr_null(tls_trust_load("/dev/null", &f));
	ck_assert_ptr_nonnull(strstr(f.text, "/dev/null"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls/trust");
	TCase *tc = tcase_create("trust");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, judge, 0, NELEM(rows));
	tcase_add_test(tc, nonsense);
	tcase_add_test(tc, no_file);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
