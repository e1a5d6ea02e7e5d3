/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* TLSA records against chains: RFC 6698, RFC 7671 sec 5 and 9, RFC 7672 sec 3.
 * A row is a chain, the records as "USAGE SELECTOR MATCHING OF", the reference
 * names, and the verdict.  OF is a certificate that the data is made from; "!"
 * behind it changes a bit, "-" takes a byte away, "+" adds one. */
#include "tests/unit/suite.h"

#include <stdio.h>

#include <gnutls/crypto.h>

#include "dane/match.h"
#include "tests/unit/pki.h"
#include "tls/spki.h"

#define HOST	"mx.example.org"
#define RECORDS	2000
#define DATA	2048

static struct {
	struct pki	 pki;
	/* certificates by name */
	struct { const char *name; gnutls_datum_t der; } cert[24];
	size_t		 ncerts;
	uint8_t		 rdata[RECORDS][DATA];
	struct tlsa	 tlsa[RECORDS];
	size_t		 n;
} x;

static void
know(const char *name, gnutls_x509_crt_t crt)
{
	x.cert[x.ncerts].name = name;
	x.cert[x.ncerts++].der = pki_der(crt);
}

static void
know_leaf(const char *name, const struct pki_leaf *l)
{
	gnutls_x509_crt_t crt = pki_leaf(&x.pki, l);

	know(name, crt);
	gnutls_x509_crt_deinit(crt);
}

static void
setup(void)
{
	static const struct { const char *name; struct pki_leaf leaf; } leaves[] = {
		{ "leaf", { "x", HOST, -1, 10, PKI_MIDDLE, PKI_MIDDLE, NULL } },
		{ "expired", { "x", HOST, -9, -1, PKI_MIDDLE, PKI_MIDDLE, NULL } },
		{ "early", { "x", HOST, 1, 9, PKI_MIDDLE, PKI_MIDDLE, NULL } },
		{ "elsewhere", { "x", "mx.example.com", -1, 10, PKI_MIDDLE,
		    PKI_MIDDLE, NULL } },
		{ "cn", { HOST, NULL, -1, 10, PKI_MIDDLE, PKI_MIDDLE, NULL } },
		{ "cn-beside", { HOST, "mx.example.com", -1, 10, PKI_MIDDLE,
		    PKI_MIDDLE, NULL } },
		{ "star", { "x", "*.example.org", -1, 10, PKI_MIDDLE,
		    PKI_MIDDLE, NULL } },
		{ "direct", { "x", HOST, -1, 10, PKI_ROOT, PKI_ROOT, NULL } },
		{ "self", { "x", HOST, -1, 10, PKI_LEAF, PKI_LEAF, NULL } },
		{ "evil", { "x", HOST, -1, 10, PKI_OTHER, PKI_OTHER, NULL } },
		/* bears the name of middle, signed by somebody else */
		{ "forged", { "x", HOST, -1, 10, PKI_MIDDLE, PKI_OTHER, NULL } },
		{ "clients", { "x", HOST, -1, 10, PKI_MIDDLE, PKI_MIDDLE,
		    GNUTLS_KP_TLS_WWW_CLIENT } },
		{ "servers", { "x", HOST, -1, 10, PKI_MIDDLE, PKI_MIDDLE,
		    GNUTLS_KP_TLS_WWW_SERVER } },
	};
	gnutls_x509_crt_t old, cross;

	memset(&x, 0, sizeof x);
	pki_open(&x.pki);
	know("root", x.pki.root);
	know("other", x.pki.other);
	know("middle", x.pki.middle);
	for (int i = 0; i < NELEM(leaves); i++)
		know_leaf(leaves[i].name, &leaves[i].leaf);
	old = pki_authority(&x.pki, PKI_ROOT, "root", -1, NULL, PKI_ROOT);
	know("oldroot", old);
	gnutls_x509_crt_deinit(old);
	cross = pki_authority(&x.pki, PKI_OTHER, "other", 100, x.pki.middle,
	    PKI_MIDDLE);
	know("cross", cross);
	gnutls_x509_crt_deinit(cross);
}

static void
teardown(void)
{
	while (x.ncerts > 0)
		gnutls_free(x.cert[--x.ncerts].der.data);
	pki_close(&x.pki);
}

static struct span
cert(struct span name)
{
	for (size_t i = 0; i < x.ncerts; i++)
		if (span_eq(name, span_str(x.cert[i].name)))
			return span_of(x.cert[i].der.data, x.cert[i].der.size);
	if (span_eq(name, SPAN_LIT("junk")))
		return SPAN_LIT("\x30\x03\x02\x01\x01");
	ck_abort_msg("no certificate %.*s", SPAN_FMT(name));
}

static unsigned
number(struct span *rest)
{
	unsigned long long v;

	*rest = span_trim(*rest);
	ck_assert(span_u64(span_cut(rest, ' '), 255, &v));
	return (unsigned)v;
}

/* One record's RDATA from its text; returns its length. */
static size_t
record(struct span text, uint8_t *out)
{
	struct span of, data;
	size_t n = 3;
	char change = 0;

	for (int i = 0; i < 3; i++)
		out[i] = (uint8_t)number(&text);
	of = span_trim(text);
	if (of.n > 0 && strchr("!-+", of.p[of.n - 1]) != NULL)
		change = of.p[--of.n];
	if (of.n == 0)
		return n;
	data = cert(of);
	if (out[1] == TLSA_SPKI && !span_eq(of, SPAN_LIT("junk")))
		ck_assert(tls_spki(data, &data));
	if (out[2] == TLSA_SHA256 || out[2] == TLSA_SHA512) {
		gnutls_hash_fast(out[2] == TLSA_SHA256 ? GNUTLS_DIG_SHA256 :
		    GNUTLS_DIG_SHA512, data.p, data.n, out + n);
		n += out[2] == TLSA_SHA256 ? 32 : 64;
	} else {
		ck_assert_uint_lt(data.n, DATA - 4);
		memcpy(out + n, data.p, data.n);
		n += data.n;
	}
	if (change == '!')
		out[n - 1] ^= 1;
	else if (change == '-')
		n--;
	else if (change == '+')
		out[n++] = 0;
	return n;
}

static void
read_records(const char *text)
{
	struct span rest = span_str(text);

	for (x.n = 0; rest.n > 0; x.n++) {
		size_t n = record(span_cut(&rest, ';'), x.rdata[x.n]);

		tlsa_read(span_of(x.rdata[x.n], n), &x.tlsa[x.n]);
	}
	(void)tlsa_choose(x.tlsa, x.n);
}

static void
read_chain(const char *text, struct tls_chain *chain)
{
	struct span rest = span_str(text);

	for (chain->n = 0; rest.n > 0; chain->n++)
		chain->cert[chain->n] = cert(span_cut(&rest, ' '));
}

#define M	DANE_MATCH
#define N	DANE_MISMATCH
#define U	DANE_UNUSABLE
#define FULL	"leaf middle root"
#define SENT	"leaf middle"

static const struct row {
	const char	*name, *chain, *records;
	enum dane_verdict want;
	int		 which;
} rows[] = {
	/* DANE-EE: the leaf, by certificate or key (RFC 7671 sec 5.1) */
	{ "3 1 1", SENT, "3 1 1 leaf", M, 0 },
	{ "3 1 2", SENT, "3 1 2 leaf", M, 0 },
	{ "3 1 0", SENT, "3 1 0 leaf", M, 0 },
	{ "3 0 1", SENT, "3 0 1 leaf", M, 0 },
	{ "3 0 2", SENT, "3 0 2 leaf", M, 0 },
	{ "3 0 0", SENT, "3 0 0 leaf", M, 0 },
	{ "3 1 1 self-signed", "self", "3 1 1 self", M, 0 },
	{ "3 1 1 without the rest", "leaf", "3 1 1 leaf", M, 0 },
	{ "3 1 1 another key", SENT, "3 1 1 other", N, -1 },
	{ "3 1 1 changed", SENT, "3 1 1 leaf!", N, -1 },
	{ "3 0 1 changed", SENT, "3 0 1 leaf!", N, -1 },
	{ "3 1 0 changed", SENT, "3 1 0 leaf!", N, -1 },
	{ "3 0 1 renewed certificate of the key", SENT, "3 0 1 expired", N, -1 },
	{ "3 1 1 renewed certificate of the key", SENT, "3 1 1 expired", M, 0 },
	{ "3 1 1 of the issuer", SENT, "3 1 1 middle", N, -1 },
	{ "3 1 1 of the root", FULL, "3 1 1 root", N, -1 },
	/* neither dates nor names (RFC 7672 sec 3.1.1) */
	{ "3 1 1 expired", "expired middle", "3 1 1 expired", M, 0 },
	{ "3 0 1 not yet valid", "early middle", "3 0 1 early", M, 0 },
	{ "3 1 1 another name", "elsewhere", "3 1 1 elsewhere", M, 0 },
	{ "3 1 1 forged chain, but the key", "forged middle", "3 1 1 forged", M, 0 },
	{ "3 1 1 junk behind the leaf", "leaf junk", "3 1 1 leaf", M, 0 },
	{ "3 1 1 junk as the leaf", "junk leaf", "3 1 1 leaf", N, -1 },

	/* DANE-TA: an issuer in the chain (sec 5.2) */
	{ "2 0 1 root", FULL, "2 0 1 root", M, 0 },
	{ "2 0 2 root", FULL, "2 0 2 root", M, 0 },
	{ "2 1 1 root", FULL, "2 1 1 root", M, 0 },
	{ "2 1 2 root", FULL, "2 1 2 root", M, 0 },
	{ "2 0 0 root", FULL, "2 0 0 root", M, 0 },
	{ "2 1 0 root", FULL, "2 1 0 root", M, 0 },
	{ "2 0 1 intermediate", SENT, "2 0 1 middle", M, 0 },
	{ "2 1 1 intermediate", FULL, "2 1 1 middle", M, 0 },
	{ "2 1 1 direct", "direct root", "2 1 1 root", M, 0 },
	{ "2 0 1 unsorted", "leaf root middle", "2 0 1 root", M, 0 },
	{ "2 0 1 among others", "leaf other middle root", "2 0 1 root", M, 0 },
	{ "2 0 1 root was not sent", SENT, "2 0 1 root", N, -1 },
	{ "2 0 1 middle was not sent", "leaf root", "2 0 1 root", N, -1 },
	{ "2 0 1 another authority", FULL, "2 0 1 other", N, -1 },
	{ "2 0 1 changed", FULL, "2 0 1 root!", N, -1 },
	/* "other", cross-signed by middle: what is above an anchor is no matter */
	{ "2 0 1 two below the top", "evil cross middle root", "2 0 1 cross", M, 0 },
	{ "2 1 1 cross-signed", "evil cross middle", "2 1 1 other", M, 0 },
	{ "2 0 0 cross-signed, sent as such", "evil cross middle", "2 0 0 other", M, 0 },
	{ "2 1 0 cross-signed", "evil cross middle root", "2 1 0 other", M, 0 },
	{ "2 0 1 over the cross", "evil cross middle root", "2 0 1 root", M, 0 },
	{ "2 0 1 both sent", "evil other cross middle", "2 0 1 cross", M, 0 },
	/* what its issuer made it for (RFC 5280 sec 4.2.1.12) */
	{ "2 0 1 for servers", "servers middle root", "2 0 1 root", M, 0 },
	{ "2 0 1 for clients", "clients middle root", "2 0 1 root", N, -1 },
	{ "3 1 1 for clients", "clients middle root", "3 1 1 clients", M, 0 },
	/* whole or as a key in the DNS (sec 5.2.2, 5.2.3) */
	{ "2 0 0 root not sent", SENT, "2 0 0 root", M, 0 },
	{ "2 0 0 intermediate not sent", "leaf", "2 0 0 middle", M, 0 },
	{ "2 1 0 root not sent", SENT, "2 1 0 root", M, 0 },
	{ "2 1 0 intermediate not sent", "leaf", "2 1 0 middle", M, 0 },
	{ "2 0 0 other", SENT, "2 0 0 other", N, -1 },
	{ "2 1 0 other", SENT, "2 1 0 other", N, -1 },
	{ "2 0 0 root, middle is missing", "leaf", "2 0 0 root", N, -1 },
	{ "2 1 0 root, middle is missing", "leaf", "2 1 0 root", N, -1 },
	/* forgeries: the true authority merely stands in the chain */
	{ "2 0 1 appended", "evil other root", "2 0 1 root", N, -1 },
	{ "2 1 1 appended", "evil root", "2 1 1 root", N, -1 },
	{ "2 0 0 appended", "evil other root", "2 0 0 root", N, -1 },
	{ "2 1 0 appended", "evil other root", "2 1 0 root", N, -1 },
	{ "2 0 1 name of the issuer", "forged middle root", "2 0 1 root", N, -1 },
	{ "2 1 0 name of the issuer", "forged middle", "2 1 0 middle", N, -1 },
	{ "2 0 0 name of the issuer", "forged", "2 0 0 middle", N, -1 },
	/* the leaf is no authority, least of all its own */
	{ "2 0 1 leaf", SENT, "2 0 1 leaf", N, -1 },
	{ "2 1 1 leaf", SENT, "2 1 1 leaf", N, -1 },
	{ "2 0 0 leaf", SENT, "2 0 0 leaf", N, -1 },
	{ "2 1 0 leaf", SENT, "2 1 0 leaf", N, -1 },
	{ "2 0 1 leaf sent twice", "leaf leaf", "2 0 1 leaf", N, -1 },
	{ "2 0 1 self-signed leaf", "self", "2 0 1 self", N, -1 },
	{ "2 1 1 self-signed leaf twice", "self self", "2 1 1 self", N, -1 },
	/* names and dates count (RFC 7672 sec 3.1.2, 3.2.2) */
	{ "2 0 1 expired leaf", "expired middle root", "2 0 1 root", N, -1 },
	{ "2 0 1 early leaf", "early middle root", "2 0 1 root", N, -1 },
	{ "2 0 1 expired authority", "direct oldroot", "2 0 1 oldroot", N, -1 },
	{ "2 1 0 expired authority's key", "direct", "2 1 0 oldroot", M, 0 },
	{ "2 0 1 another name", "elsewhere middle root", "2 0 1 root", N, -1 },
	{ "2 1 0 another name", "elsewhere middle", "2 1 0 root", N, -1 },
	{ "2 0 1 star", "star middle root", "2 0 1 root", M, 0 },
	/* the common name only without a DNS-ID (sec 3.2.3) */
	{ "2 0 1 common name", "cn middle root", "2 0 1 root", M, 0 },
	{ "2 0 1 common name beside", "cn-beside middle root", "2 0 1 root", N, -1 },

	/* not for mail, unknown, malformed: as if not there (sec 3.1.3) */
	{ "0 0 1", FULL, "0 0 1 root", U, -1 },
	{ "1 1 1", FULL, "1 1 1 leaf", U, -1 },
	{ "255 1 1", FULL, "255 1 1 leaf", U, -1 },
	{ "4 1 1", FULL, "4 1 1 leaf", U, -1 },
	{ "3 2 1", FULL, "3 2 1 leaf", U, -1 },
	{ "3 1 3", FULL, "3 1 3 leaf", U, -1 },
	{ "3 1 255", FULL, "3 1 255 leaf", U, -1 },
	{ "3 1 1 short", FULL, "3 1 1 leaf-", U, -1 },
	{ "3 1 1 long", FULL, "3 1 1 leaf+", U, -1 },
	{ "3 1 2 short", FULL, "3 1 2 leaf-", U, -1 },
	{ "3 1 1 empty", FULL, "3 1 1", U, -1 },
	{ "3 1 0 empty", FULL, "3 1 0", U, -1 },
	{ "3 0 0 no certificate", FULL, "3 0 0 junk", U, -1 },
	{ "2 0 0 no certificate", FULL, "2 0 0 junk", U, -1 },
	{ "2 1 0 no key", FULL, "2 1 0 junk", N, -1 },

	/* many: any match is enough, unusable ones are no harm */
	{ "second", SENT, "3 1 1 other;3 1 1 leaf", M, 1 },
	{ "EE beside TA", SENT, "2 1 1 other;3 1 1 leaf", M, 1 },
	{ "TA beside EE", SENT, "3 1 1 other;2 1 1 middle", M, 1 },
	{ "TA fails, EE holds for the expired", "expired middle root",
	    "2 0 1 root;3 1 1 expired", M, 1 },
	{ "unusable beside match", SENT, "1 1 1 leaf;3 1 1 leaf", M, 1 },
	{ "unusable beside mismatch", SENT, "1 1 1 leaf;3 1 1 other", N, -1 },
	{ "only unusable", SENT, "0 0 0 root;3 9 9 leaf;1 1 1 leaf", U, -1 },
	/* digests (RFC 7671 sec 9): the strongest, per usage and selector */
	{ "stronger is wrong", SENT, "3 1 1 leaf;3 1 2 other", N, -1 },
	{ "stronger is right", SENT, "3 1 1 other;3 1 2 leaf", M, 1 },
	{ "stronger is malformed", SENT, "3 1 1 leaf;3 1 2 leaf-", M, 0 },
	{ "stronger of another selector", SENT, "3 1 1 leaf;3 0 2 other", M, 0 },
	{ "stronger of another usage", SENT, "3 1 1 leaf;2 1 2 other", M, 0 },
	{ "full beside a stronger", SENT, "3 1 0 leaf;3 1 2 other", M, 0 },
	{ "weaker beside full", SENT, "3 1 1 leaf;3 1 0 other", M, 0 },

	{ "nothing sent", "", "3 1 1 leaf", N, -1 },
	{ "no records", SENT, "", U, -1 },
};

START_TEST(match)
{
	static const char *const names[] = { "example.org", HOST, NULL };
	const struct row *r = &rows[_i];
	struct tls_chain chain;
	struct fault f = { 0 };
	enum dane_verdict got;
	int which;

	read_records(r->records);
	read_chain(r->chain, &chain);
	got = dane_match(x.tlsa, x.n, &chain, names, &which, &f);
	ck_assert_msg(got == r->want, "%s: %s (%s)", r->name,
	    dane_verdict_name(got), f.text);
	ck_assert_msg(which == r->which, "%s: record %d", r->name, which);
	ck_assert((f.text[0] != '\0') == (got == DANE_MISMATCH));
}
END_TEST

START_TEST(no_names)
{
	static const char *const none[] = { NULL };
	struct tls_chain chain;

	read_chain(FULL, &chain);
	read_records("2 0 1 root");
	ck_assert_int_eq(dane_match(x.tlsa, x.n, &chain, none, NULL, NULL), N);
	read_records("3 1 1 leaf");
	ck_assert_int_eq(dane_match(x.tlsa, x.n, &chain, none, NULL, NULL), M);
}
END_TEST

/* Every one leads to a chain that is built for nothing: bounded work, and the
 * good one of a thousand digests is found. */
START_TEST(many)
{
	static const char *const names[] = { HOST, NULL };
	struct tls_chain chain;
	int which;

	read_chain(SENT, &chain);
	for (x.n = 0; x.n < 1000; x.n++)
		tlsa_read(span_of(x.rdata[x.n], record(SPAN_LIT(
		    "2 1 0 other"), x.rdata[x.n])), &x.tlsa[x.n]);
	ck_assert_uint_eq(tlsa_choose(x.tlsa, x.n), 1000);
	ck_assert_int_eq(dane_match(x.tlsa, x.n, &chain, names, NULL, NULL), N);
	for (x.n = 0; x.n < 1000; x.n++)
		tlsa_read(span_of(x.rdata[x.n], record(x.n == 999 ?
		    SPAN_LIT("3 1 1 leaf") : SPAN_LIT("3 1 1 other"),
		    x.rdata[x.n])), &x.tlsa[x.n]);
	(void)tlsa_choose(x.tlsa, x.n);
	ck_assert_int_eq(dane_match(x.tlsa, x.n, &chain, names, &which, NULL), M);
	ck_assert_int_eq(which, 999);
}
END_TEST

START_TEST(text)
{
	char out[TLSA_TEXT_SIZE];
	struct tlsa t;

	tlsa_read(SPAN_LIT("\3\1\1\xab\x00"), &t);
	ck_assert_str_eq(tlsa_text(&t, out), "3 1 1 ab00");
	ck_assert_str_eq(t.why, "digest of a wrong length");
	tlsa_read(SPAN_LIT("\3\1"), &t);
	ck_assert_str_eq(t.why, "too short");
	read_records("3 0 0 leaf");
	ck_assert_uint_eq(strlen(tlsa_text(&x.tlsa[0], out)), TLSA_TEXT_SIZE - 3);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("dane/match");
	TCase *tc = tcase_create("match");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, match, 0, NELEM(rows));
	tcase_add_test(tc, no_names);
	tcase_add_test(tc, many);
	tcase_add_test(tc, text);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
