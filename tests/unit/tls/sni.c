/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* sni.c - which certificate is shown to whom (RFC 6066 sec 3, RFC 8461 sec
 * 7.1): by exact name, by wildcard, and to everybody else one of ours. */
#include "fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <gnutls/abstract.h>

#include "base/ipc/ipc.h"
#include "tests/unit/pki.h"
#include "tests/unit/suite.h"
#include "tls/chain.h"
#include "tls/fingerprint.h"
#include "tls/names.h"
#include "tls/session_priv.h"
#include "tls/spki.h"

/* ---- names alone ---- */

static const struct find {
	const char	*rfc;
	const char	*name;
	uint32_t	 certs;
} finds[] = {
	{ "6066 3", "mx1.example.org", 1 | 2 },
	{ "6066 3", "MX1.EXAMPLE.ORG.", 1 | 2 },
	{ "6125 6.4.3", "mx2.example.org", 4 },		/* ahead of the wildcard */
	{ "6125 6.4.3", "mx3.example.org", 8 },
	{ "6125 6.4.3", "x.example.org", 8 },
	{ "6125 6.4.3", "a.b.example.org", 0 },		/* one label only */
	{ "6066 3", "example.org", 0 },
	{ "6066 3", ".example.org", 0 },
	{ "6066 3", "", 0 },
	{ "6066 3", ".", 0 },
	{ "6066 3", "org", 0 },
	{ "6125 6.4.3", "*", 0 },
	{ "6125 6.4.3", "*.example.org", 0 },		/* nobody is called so */
	{ "6125 6.4.3", "x.other.example", 16 },
	{ "6066 3", "zz.example", 32 },
	{ "6066 3", "aa.example", 32 },
	{ "6066 3", "192.0.2.1", 0 },
};

START_TEST(find_rows)
{
	static const struct { const char *name; unsigned cert; } adds[] = {
		{ "mx1.example.org", 0 }, { "Mx1.Example.Org", 1 },
		{ "mx2.example.org", 2 }, { "*.example.org", 3 },
		{ "*.other.example", 4 }, { "zz.example", 5 },
		{ "aa.example", 5 }, { "", 6 }, { ".", 6 }, { "*", 6 },
	};
	struct tls_names t = { .n = 0 };

	for (size_t i = 0; i < NELEM(adds); i++)
		ck_assert_int_eq(tls_names_add(&t, span_str(adds[i].name),
		    adds[i].cert), 0);
	for (size_t i = 0; i < NELEM(finds); i++)
		ck_assert_msg(tls_names_find(&t, span_str(finds[i].name)) ==
		    finds[i].certs, "RFC %s: %s", finds[i].rfc, finds[i].name);
	ck_assert_uint_eq(tls_names_find(&t, SPAN_LIT("mx1\0.example.org")), 0);
	tls_names_free(&t);
	ck_assert_uint_eq(tls_names_find(&t, SPAN_LIT("mx1.example.org")), 0);
}
END_TEST

START_TEST(names_are_bounded)
{
	struct tls_names t = { .n = 0 };
	char name[300];

	for (unsigned i = 0; i < TLS_NAMES_MAX + 10; i++) {
		snprintf(name, sizeof name, "host%u.example", i * 7919 % 10007);
		ck_assert_int_eq(tls_names_add(&t, span_str(name), 3), 0);
	}
	ck_assert_uint_eq(t.n, TLS_NAMES_MAX);
	for (size_t i = 1; i < t.n; i++)
		ck_assert_int_lt(strcmp(t.v[i - 1].name, t.v[i].name), 0);
	memset(name, 'a', sizeof name);
	ck_assert_int_eq(tls_names_add(&t, span_of(name, sizeof name), 0), 0);
	ck_assert_uint_eq(tls_names_find(&t, span_of(name, sizeof name)), 0);
	tls_names_free(&t);
}
END_TEST

/* ---- handshakes ---- */

static struct fix x;

enum { MX1_ECDSA, MX1_RSA, MX2, WILD, SINGLE_RSA, CERTS };

static const struct {
	const char	*names;
	unsigned	 bits;
} plans[CERTS] = {
	[MX1_ECDSA] = { "mx1.example.org", 0 },
	[MX1_RSA] = { "mx1.example.org,imap.example.org", 2048 },
	[MX2] = { "mx2.example.org", 0 },
	[WILD] = { "*.example.org", 0 },
	[SINGLE_RSA] = { "rsa.example.net", 2048 },
};

static struct pki_cert certs[CERTS], issuer;
static char spki[CERTS][65];
static struct buf list;

static int
sign(void *arg, unsigned key, unsigned alg, unsigned flags, bool prehashed,
    struct span data, unsigned char *sig, size_t sig_size)
{
	const gnutls_datum_t d = { (unsigned char *)(uintptr_t)data.p,
	    (unsigned)data.n };
	gnutls_privkey_t k;
	gnutls_datum_t out;
	int rc;

	(void)arg;
	ck_assert_uint_lt(key, CERTS);
	ck_assert_int_eq(gnutls_privkey_init(&k), 0);
	ck_assert_int_eq(gnutls_privkey_import_x509(k, certs[key].key, 0), 0);
	if (alg == GNUTLS_SIGN_RSA_RAW)
		flags |= GNUTLS_PRIVKEY_SIGN_FLAG_TLS1_RSA;
	rc = prehashed ? gnutls_privkey_sign_hash2(k, alg, flags, &d, &out) :
	    gnutls_privkey_sign_data2(k, alg, flags, &d, &out);
	gnutls_privkey_deinit(k);
	if (rc < 0 || out.size > sig_size)
		return -1;
	memcpy(sig, out.data, out.size);
	gnutls_free(out.data);
	return (int)out.size;
}

static const struct tls_signer signer = { sign, NULL };

static void
put_der(struct buf *to, gnutls_x509_crt_t crt)
{
	struct ipc_chain_cert c;
	gnutls_datum_t d;

	ck_assert_int_eq(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &d),
	    0);
	c.der = span_of(d.data, d.size);
	ck_assert_int_eq(ipc_put_chain_cert(to, &c), 0);
	gnutls_free(d.data);
}

/* Takes certificate `i` into the list, with its issuer's. */
static void
offer(unsigned i)
{
	struct ipc_own_cert own = { .key = i, .label = SPAN_LIT("x") };
	struct ipc_chain_cert leaf;
	struct span rest;
	struct buf chain;

	buf_init(&chain, 65536);
	put_der(&chain, certs[i].crt);
	put_der(&chain, issuer.crt);
	own.chain = rest = buf_get(&chain);
	ck_assert_int_eq(ipc_get_chain_cert(&rest, &leaf), 1);
	ck_assert(tls_spki(leaf.der, &own.spki));
	ck_assert(tls_sha256_hex(own.spki, spki[i]));
	ck_assert_int_eq(ipc_put_own_cert(&list, &own), 0);
	buf_free(&chain);
}

static void
setup(void)
{
	const time_t from = 1750000000, to = 2000000000;

	buf_init(&list, 1 << 20);
	pki_make(&issuer, NULL, "issuer.example", 0, true, from, to);
	for (unsigned i = 0; i < CERTS; i++)
		pki_make(&certs[i], &issuer, plans[i].names, plans[i].bits,
		    false, from, to);
}

static void
teardown(void)
{
	for (unsigned i = 0; i < CERTS; i++)
		pki_free(&certs[i]);
	pki_free(&issuer);
	buf_free(&list);
}

static void
serve(const char *order, const char *hostname)
{
	struct fault f;

	buf_reset(&list);
	for (; *order != '\0'; order++)
		offer((unsigned)(*order - '0'));
	tls_creds_unref(&x.server_creds);
	x.server_creds = tls_creds_server(buf_get(&list), hostname, &signer,
	    true, &f);
	ck_assert_msg(x.server_creds != NULL, "%s", f.text);
}

#define RSA_ONLY	"NORMAL:-VERS-ALL:+VERS-TLS1.2:-ECDHE-ECDSA:-SIGN-ALL" \
			":+SIGN-RSA-SHA256"
#define RSA_ONLY_13	"NORMAL:-VERS-TLS1.2:-VERS-TLS1.1:-VERS-TLS1.0" \
			":-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256"
#define OLD		"NORMAL:-VERS-ALL:+VERS-TLS1.0"
#define OLD_RSA		"NORMAL:-VERS-ALL:+VERS-TLS1.0:-ECDHE-ECDSA"

static const struct row {
	const char	*rfc;
	const char	*order;		/* in the configuration */
	const char	*hostname, *sni, *priority;
	unsigned	 want;
} rows[] = {
	{ "6066 3", "01234", "mx1.example.org", "mx1.example.org", "NORMAL", MX1_ECDSA },
	{ "6066 3", "01234", "mx1.example.org", "MX1.example.ORG", "NORMAL", MX1_ECDSA },
	{ "6066 3", "01234", "mx1.example.org", "mx2.example.org", "NORMAL", MX2 },
	{ "6066 3", "01234", "mx1.example.org", "mx2.example.org", OLD, MX2 },
	{ "6125 6.4.3", "01234", "mx1.example.org", "any.example.org", "NORMAL", WILD },
	{ "6066 3", "01234", "mx1.example.org", "imap.example.org", "NORMAL", MX1_RSA },
	{ "6066 3", "01234", "mx1.example.org", "rsa.example.net", "NORMAL", SINGLE_RSA },
	/* unknown, and none */
	{ "6066 3", "01234", "mx1.example.org", "a.b.example.org", "NORMAL", MX1_ECDSA },
	{ "6066 3", "01234", "mx1.example.org", "unknown.example", "NORMAL", MX1_ECDSA },
	{ "6066 3", "01234", "mx1.example.org", "192x0x2x1", "NORMAL", MX1_ECDSA },
	{ "6066 3", "01234", "mx1.example.org", "", "NORMAL", MX1_ECDSA },
	{ "6066 3", "01234", "mx2.example.org", "", "NORMAL", MX2 },
	{ "6066 3", "01234", "mx2.example.org", "unknown.example", "NORMAL", MX2 },
	{ "6066 3", "21034", "nobody.example", "", "NORMAL", MX2 },
	{ "6066 3", "21034", "nobody.example", "unknown.example", "NORMAL", MX2 },
	{ "6066 3", "401", "any.example.org", "", "NORMAL", SINGLE_RSA },
	/* RSA first in the file is not first choice. */
	{ "6066 3", "10", "mx1.example.org", "mx1.example.org", "NORMAL", MX1_ECDSA },
	{ "6066 3", "10", "mx1.example.org", "", "NORMAL", MX1_ECDSA },
	{ "6066 3", "10", "mx1.example.org", "", OLD, MX1_ECDSA },
	/* Clients that know no ECDSA. */
	{ "6066 3", "01234", "mx1.example.org", "mx1.example.org", RSA_ONLY, MX1_RSA },
	{ "6066 3", "01234", "mx1.example.org", "mx1.example.org", RSA_ONLY_13, MX1_RSA },
	{ "6066 3", "01234", "mx1.example.org", "mx1.example.org", OLD_RSA, MX1_RSA },
	{ "6066 3", "01234", "mx1.example.org", "", RSA_ONLY, MX1_RSA },
	/* Another name beats no TLS at all. */
	{ "6066 3", "04", "mx1.example.org", "mx1.example.org", RSA_ONLY, SINGLE_RSA },
	{ "6066 3", "024", "mx1.example.org", "mx2.example.org", RSA_ONLY_13,
	    SINGLE_RSA },
	{ "6066 3", "0", "mx1.example.org", "mx2.example.org", "NORMAL", MX1_ECDSA },
};

START_TEST(shown)
{
	const struct row *r = &rows[_i];

	fix_open(&x, true, false);
	serve(r->order, r->hostname);
	fix_client_priority(&x, r->priority);
	fix_handshake(&x, r->sni, false);
	for (unsigned i = 0; i < CERTS; i++)
		if (strcmp(channel_facts(x.client.chan)->spki, spki[i]) == 0)
			ck_assert_msg(i == r->want, "RFC %s: %s: %s got "
			    "certificate %u", r->rfc, r->order, r->sni, i);
	ck_assert_str_eq(channel_facts(x.client.chan)->spki, spki[r->want]);
	fix_close(&x);
}
END_TEST

/* GnuTLS refuses a name with characters that host names do not have, and lets
 * nobody take that over.  When this fails, the manual has a sentence too many
 * (sealane-log.5, handshake-failed). */
START_TEST(underscore_is_refused_by_the_library)
{
	fix_open(&x, true, false);
	serve("0", "mx1.example.org");
	fix_start_server(&x);
	fix_start_client(&x, "under_score.example", false);
	fix_run(&x, fix_both_ended);
	ck_assert_msg(strstr(x.server.fault.text, "isallowed SNI") != NULL,
	    "%s", x.server.fault.text);
	fix_close(&x);
}
END_TEST

/* The whole chain goes out, with a name as without. */
START_TEST(chain_is_sent)
{
	struct tls_chain chain;

	fix_open(&x, true, false);
	serve("02", "mx1.example.org");
	fix_handshake(&x, _i == 0 ? "mx2.example.org" : "", false);
	channel_peer_chain(x.client.chan, &chain);
	ck_assert_uint_eq(chain.n, 2);
	fix_close(&x);
}
END_TEST

/* A key that signs for another certificate is found out here, not by peers. */
START_TEST(wrong_key_is_refused)
{
	struct ipc_own_cert own = { .key = MX2, .label = SPAN_NONE };
	struct ipc_chain_cert leaf;
	struct span rest;
	struct buf chain;
	struct fault f;

	buf_init(&chain, 65536);
	put_der(&chain, certs[MX1_ECDSA].crt);
	own.chain = rest = buf_get(&chain);
	ck_assert_int_eq(ipc_get_chain_cert(&rest, &leaf), 1);
	ck_assert(tls_spki(leaf.der, &own.spki));
	buf_reset(&list);
	ck_assert_int_eq(ipc_put_own_cert(&list, &own), 0);
	ck_assert_ptr_null(tls_creds_server(buf_get(&list), "mx1.example.org",
	    &signer, true, &f));
	ck_assert_msg(strstr(f.text, "certificate 2 cannot be used") != NULL,
	    "%s", f.text);
	buf_free(&chain);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls/sni");
	TCase *tc = tcase_create("sni");

	tcase_set_timeout(tc, 30);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_test(tc, find_rows);
	tcase_add_test(tc, names_are_bounded);
	tcase_add_loop_test(tc, shown, 0, NELEM(rows));
	tcase_add_test(tc, underscore_is_refused_by_the_library);
	tcase_add_loop_test(tc, chain_is_sent, 0, 2);
	tcase_add_test(tc, wrong_key_is_refused);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
