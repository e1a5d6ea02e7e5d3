/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The WebPKI for MX hosts: RFC 8461 sec 4.2, RFC 6125 sec 6.4, RFC 5280. */
#include "tests/unit/suite.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include "tls/chain.h"
#include "tls/trust.h"

#define DAY	86400

enum { ROOT, OTHER_ROOT, MIDDLE, LEAF, KEYS };

static struct {
	gnutls_x509_privkey_t	 key[KEYS];
	gnutls_x509_crt_t	 root, other, middle;
	char			 file[64];
	struct tls_trust	*trust;
} pki;

struct leaf {
	const char	*cn, *dns;		/* dns: "a,b"; NULL: none */
	long		 from, to;		/* days from now */
	gnutls_x509_crt_t *issuer;		/* NULL: itself */
	unsigned	 issuer_key;
	const char	*purpose;
};

static gnutls_x509_crt_t
cert_new(unsigned key, const char *cn, long from, long to)
{
	gnutls_x509_crt_t c;
	const unsigned char serial[4] = { 1, 2, 3, (unsigned char)key };

	ck_assert_int_eq(gnutls_x509_crt_init(&c), 0);
	gnutls_x509_crt_set_version(c, 3);
	gnutls_x509_crt_set_serial(c, serial, sizeof serial);
	gnutls_x509_crt_set_activation_time(c, time(NULL) + from * DAY);
	gnutls_x509_crt_set_expiration_time(c, time(NULL) + to * DAY);
	gnutls_x509_crt_set_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, 0, cn,
	    (unsigned)strlen(cn));
	gnutls_x509_crt_set_key(c, pki.key[key]);
	return c;
}

static gnutls_x509_crt_t
authority(unsigned key, const char *cn, gnutls_x509_crt_t issuer,
    unsigned issuer_key)
{
	gnutls_x509_crt_t c = cert_new(key, cn, -1, 100);

	gnutls_x509_crt_set_basic_constraints(c, 1, -1);
	gnutls_x509_crt_set_key_usage(c, GNUTLS_KEY_KEY_CERT_SIGN);
	ck_assert_int_eq(gnutls_x509_crt_sign2(c, issuer == NULL ? c : issuer,
	    pki.key[issuer_key], GNUTLS_DIG_SHA256, 0), 0);
	return c;
}

static void
add_names(gnutls_x509_crt_t c, const char *names)
{
	struct span rest = span_str(names);

	while (rest.n > 0) {
		struct span name = span_cut(&rest, ',');

		gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_DNSNAME,
		    name.p, (unsigned)name.n, GNUTLS_FSAN_APPEND);
	}
}

static gnutls_x509_crt_t
leaf_new(const struct leaf *l)
{
	gnutls_x509_crt_t c = cert_new(LEAF, l->cn, l->from, l->to);

	if (l->dns != NULL)
		add_names(c, l->dns);
	if (l->purpose != NULL)
		gnutls_x509_crt_set_key_purpose_oid(c, l->purpose, 0);
	ck_assert_int_eq(gnutls_x509_crt_sign2(c,
	    l->issuer == NULL ? c : *l->issuer,
	    pki.key[l->issuer == NULL ? LEAF : l->issuer_key],
	    GNUTLS_DIG_SHA256, 0), 0);
	return c;
}

static void
setup(void)
{
	struct fault f = { 0 };
	gnutls_datum_t pem;
	int fd;

	for (unsigned i = 0; i < KEYS; i++) {
		gnutls_x509_privkey_init(&pki.key[i]);
		ck_assert_int_eq(gnutls_x509_privkey_generate(pki.key[i],
		    GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(
		    GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
	}
	pki.root = authority(ROOT, "root", NULL, ROOT);
	pki.other = authority(OTHER_ROOT, "other root", NULL, OTHER_ROOT);
	pki.middle = authority(MIDDLE, "middle", pki.root, ROOT);
	ck_assert_int_eq(gnutls_x509_crt_export2(pki.root, GNUTLS_X509_FMT_PEM,
	    &pem), 0);
	(void)snprintf(pki.file, sizeof pki.file, "/tmp/sealane-ca-XXXXXX");
	fd = mkstemp(pki.file);
	ck_assert_int_eq(write(fd, pem.data, pem.size), pem.size);
	close(fd);
	gnutls_free(pem.data);
	pki.trust = tls_trust_load(pki.file, &f);
	ck_assert_msg(pki.trust != NULL, "%s", f.text);
}

static void
teardown(void)
{
	tls_trust_free(&pki.trust);
	unlink(pki.file);
	gnutls_x509_crt_deinit(pki.root);
	gnutls_x509_crt_deinit(pki.other);
	gnutls_x509_crt_deinit(pki.middle);
	for (unsigned i = 0; i < KEYS; i++)
		gnutls_x509_privkey_deinit(pki.key[i]);
}

#define HOST	"mx.example.org"
#define GOOD	-1, 10, &pki.root, ROOT, NULL

static const struct row {
	const char	*name;
	struct leaf	 leaf;
	const char	*host;
	enum tls_verdict want;
	bool		 middle;	/* is sent too */
} rows[] = {
	{ "good", { "x", HOST, GOOD }, HOST, TLS_VALID, false },
	{ "one of many names", { "x", "a.example,mx.example.org", GOOD }, HOST,
	    TLS_VALID, false },
	{ "by an intermediate", { "x", HOST, -1, 10, &pki.middle, MIDDLE, NULL },
	    HOST, TLS_VALID, true },
	{ "intermediate is not sent", { "x", HOST, -1, 10, &pki.middle, MIDDLE,
	    NULL }, HOST, TLS_UNTRUSTED, false },
	{ "for servers", { "x", HOST, -1, 10, &pki.root, ROOT,
	    GNUTLS_KP_TLS_WWW_SERVER }, HOST, TLS_VALID, false },
	{ "for clients only", { "x", HOST, -1, 10, &pki.root, ROOT,
	    GNUTLS_KP_TLS_WWW_CLIENT }, HOST, TLS_UNTRUSTED, false },

	{ "self-signed", { "x", HOST, -1, 10, NULL, 0, NULL }, HOST,
	    TLS_UNTRUSTED, false },
	{ "unknown authority", { "x", HOST, -1, 10, &pki.other, OTHER_ROOT,
	    NULL }, HOST, TLS_UNTRUSTED, false },
	/* it says that root issued it, another key signed */
	{ "forged", { "x", HOST, -1, 10, &pki.root, OTHER_ROOT, NULL }, HOST,
	    TLS_UNTRUSTED, false },
	{ "expired", { "x", HOST, -10, -1, &pki.root, ROOT, NULL }, HOST,
	    TLS_EXPIRED, false },
	{ "not yet valid", { "x", HOST, 1, 10, &pki.root, ROOT, NULL }, HOST,
	    TLS_EXPIRED, false },
	{ "expired, of somebody else", { "x", "a.example", -10, -1, &pki.root,
	    ROOT, NULL }, HOST, TLS_EXPIRED, false },

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
	gnutls_x509_crt_t leaf = leaf_new(&r->leaf);
	struct tls_chain chain = { .n = r->middle ? 2 : 1 };
	struct fault f = { 0 };
	gnutls_datum_t der[2] = { 0 };
	enum tls_verdict got;

	gnutls_x509_crt_export2(leaf, GNUTLS_X509_FMT_DER, &der[0]);
	gnutls_x509_crt_export2(pki.middle, GNUTLS_X509_FMT_DER, &der[1]);
	for (size_t i = 0; i < chain.n; i++)
		chain.cert[i] = span_of(der[i].data, der[i].size);
	got = tls_trust_judge(pki.trust, &chain, r->host, &f);
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

	ck_assert_int_eq(tls_trust_judge(pki.trust, &none, HOST, &f),
	    TLS_UNTRUSTED);
	bad.cert[0] = SPAN_LIT("0\3\2\1\1");
	ck_assert_int_eq(tls_trust_judge(pki.trust, &bad, HOST, &f),
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
