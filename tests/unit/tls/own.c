/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* own.c - chains and keys as operators hand them over. */
#include <check.h>
#include <stdlib.h>
#include <gnutls/x509.h>

#include "base/ipc/ipc.h"
#include "tests/unit/pki.h"
#include "tests/unit/suite.h"
#include "tls/own.h"

#define NOW		1764000000	/* 2025-11-24 */
#define DAY		86400

static struct pki_cert root, inter, leaf, other, weak, tiny, ed, old, young,
    lone;
static struct buf chain, key;

static void
setup(void)
{
	const time_t from = NOW - 100 * DAY, to = NOW + 100 * DAY;

	pki_make(&root, NULL, "root.example", PKI_P256, true, from, to);
	pki_make(&inter, &root, "inter.example", PKI_P256, true, from, to);
	pki_make(&leaf, &inter, "mx1.example.org,*.wild.example", PKI_P256,
	    false, from, to);
	pki_make(&other, NULL, "other.example", PKI_P256, false, from, to);
	pki_make(&weak, NULL, "weak.example", 1024, false, from, to);
	pki_make(&tiny, NULL, "tiny.example", 768, false, from, to);
	pki_make(&ed, NULL, "ed.example", PKI_ED25519, false, from, to);
	pki_make(&old, &inter, "old.example", PKI_P256, false, NOW - 90 * DAY,
	    NOW - DAY);
	pki_make(&young, &inter, "young.example", PKI_P256, false, NOW + DAY, to);
	pki_make(&lone, &inter, "lone.example", 2048, false, from, to);
	buf_init(&chain, 1 << 20);
	buf_init(&key, 1 << 20);
}

static void
teardown(void)
{
	struct pki_cert *const all[] = { &root, &inter, &leaf, &other, &weak,
	    &tiny, &ed, &old, &young, &lone };

	for (size_t i = 0; i < NELEM(all); i++)
		pki_free(all[i]);
	buf_free(&chain);
	buf_free(&key);
}

/* Letters: certificates of the chain in the file's order, then `:`, then whose
 * key.  r i l o w t e O(ld) y(oung) n (lone); x: rubbish, L: leaf's key, locked. */
static const struct pki_cert *
whose(char c)
{
	switch (c) {
	case 'r': return &root;
	case 'i': return &inter;
	case 'l': return &leaf;
	case 'o': return &other;
	case 'w': return &weak;
	case 't': return &tiny;
	case 'e': return &ed;
	case 'O': return &old;
	case 'y': return &young;
	case 'n': return &lone;
	default: return NULL;
	}
}

static void
fill(const char *plan)
{
	const char *p;

	buf_reset(&chain);
	buf_reset(&key);
	for (p = plan; *p != ':'; p++)
		if (*p == 'x')
			buf_str(&chain, "-----BEGIN CERTIFICATE-----\nAAAA\n"
			    "-----END CERTIFICATE-----\n");
		else if (*p == 'k')
			pki_key_pem(&leaf, &chain);
		else
			pki_crt_pem(whose(*p), &chain);
	for (p++; *p != '\0'; p++)
		if (*p == 'x')
			buf_str(&key, "no key at all\n");
		else if (*p == 'L')
			pki_key_locked(&leaf, &key);
		else if (*p == 'c')
			pki_crt_pem(&leaf, &key);
		else if (*p == 'P')
			buf_str(&key, "-----BEGIN EC PARAMETERS-----\n"
			    "BggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n");
		else
			pki_key_pem(whose(*p), &key);
}

static const struct row {
	const char	*plan;
	unsigned	 n;		/* of the chain that comes out; 0: refused */
	bool		 key;		/* whose file the note is about */
	const char	*says;		/* NULL: there is none */
} rows[] = {
	{ "lir:l", 3, false, NULL },
	{ "li:l", 2, false, NULL },
	{ "l:l", 1, false, NULL },
	{ "o:o", 1, false, NULL },
	{ "n:n", 1, false, NULL },
	/* Everything in one file, as some tools leave it. */
	{ "kli:l", 2, false, NULL },
	{ "l:cl", 1, false, NULL },
	{ "l:Pl", 1, false, NULL },

	{ "ril:l", 3, false, "in another order than they are sent in; "
	    "CN=mx1.example.org goes first" },
	{ "lri:l", 3, false, "in another order" },
	{ "il:l", 2, false, "in another order" },
	{ "llir:l", 3, false, "certificate 2, for CN=mx1.example.org, is not "
	    "one of its issuers" },
	{ "lio:l", 2, false, "certificate 3, for CN=other.example, is not one "
	    "of its issuers and is not sent" },
	{ "lr:l", 1, false, "certificate 2, for CN=root.example" },

	{ "li:o", 0, true, "the key belongs to no certificate of `chain`, "
	    "whose first is for CN=mx1.example.org" },
	{ "li:L", 0, true, "the key has a passphrase" },
	{ "li:x", 0, true, "there is no private key in it" },
	{ "li:", 0, true, "there is no private key in it" },
	{ "li:c", 0, true, "there is no private key in it" },
	{ ":l", 0, false, "there is no certificate in it" },
	{ "x:l", 0, false, "there is no certificate in it, or one that cannot "
	    "be read" },
	{ "lx:l", 0, false, "one that cannot be read" },
	{ "k:l", 0, false, "there is no certificate in it" },
	{ "iiiiiiiiiil:l", 0, false, "more than 10 certificates" },
	{ "e:e", 0, true, "a key of type EdDSA" },
	{ "t:t", 0, true, "an RSA key of 768 bits; allowed: 1024 to 8192" },

	{ "w:w", 1, true, "an RSA key of 1024 bits is weak" },
	{ "Oi:O", 2, false, "the certificate for CN=old.example has expired at "
	    "2025-11-23T" },
	{ "yi:y", 2, false, "the certificate for CN=young.example is not valid "
	    "before 2025-11-25T" },
};

START_TEST(files)
{
	const struct row *r = &rows[_i];
	struct tls_own_notes notes;
	struct tls_own *own;
	struct ipc_chain_cert c;
	struct span rest;
	struct buf list;
	unsigned n = 0;

	fill(r->plan);
	own = tls_own_read(buf_get(&chain), buf_get(&key), NOW, &notes);
	if (r->says == NULL) {
		ck_assert_msg(notes.n == 0, "%s: %s", r->plan,
		    notes.v[0].text);
	} else {
		ck_assert_msg(notes.n > 0, "%s: nothing said", r->plan);
		ck_assert_msg(strstr(notes.v[notes.n - 1].text, r->says) !=
		    NULL, "%s: %s", r->plan, notes.v[notes.n - 1].text);
		ck_assert_int_eq(notes.v[notes.n - 1].key, r->key);
		ck_assert_int_eq(notes.v[notes.n - 1].warning, r->n > 0);
	}
	ck_assert_int_eq(own != NULL, r->n > 0);
	if (own == NULL)
		return;
	buf_init(&list, 65536);
	ck_assert_int_eq(tls_own_list(own, &list), 0);
	for (rest = buf_get(&list); ipc_get_chain_cert(&rest, &c) == 1; n++)
		;
	ck_assert_msg(n == r->n, "%s: a chain of %u", r->plan, n);
	buf_free(&list);
	tls_own_free(&own);
	ck_assert_ptr_null(own);
}
END_TEST

/* Whatever bytes there are: an answer, and no more notes than fit. */
START_TEST(damaged)
{
	struct tls_own_notes notes;
	struct tls_own *own;
	struct span whole;
	char *copy;

	fill("lir:l");
	whole = buf_get(&chain);
	for (size_t n = 0; n < whole.n; n += 37) {
		own = tls_own_read(span_head(whole, n), buf_get(&key), NOW,
		    &notes);
		ck_assert(own != NULL || notes.n > 0);
		tls_own_free(&own);
	}
	copy = malloc(whole.n);
	for (size_t i = 0; i < whole.n; i += 41) {
		memcpy(copy, whole.p, whole.n);
		copy[i] ^= 0x15;
		own = tls_own_read(span_of(copy, whole.n), buf_get(&key), NOW,
		    &notes);
		ck_assert(own != NULL || notes.n > 0);
		ck_assert_uint_le(notes.n, NELEM(notes.v));
		tls_own_free(&own);
	}
	free(copy);
}
END_TEST

static const struct name {
	const char	*host;
	bool		 is;
} names[] = {
	{ "mx1.example.org", true }, { "MX1.Example.ORG", true },
	{ "a.wild.example", true }, { "a.b.wild.example", false },
	{ "wild.example", false }, { "mx2.example.org", false },
};

START_TEST(named)
{
	struct tls_own_notes notes;
	struct tls_own *own;

	fill("lir:l");
	own = tls_own_read(buf_get(&chain), buf_get(&key), NOW, &notes);
	for (size_t i = 0; i < NELEM(names); i++)
		ck_assert_msg(tls_own_names(own, names[i].host) == names[i].is,
		    "%s", names[i].host);
	ck_assert(!tls_own_self_signed(own) && !tls_own_is_rsa(own));
	tls_own_free(&own);
	fill("w:w");
	own = tls_own_read(buf_get(&chain), buf_get(&key), NOW, &notes);
	ck_assert(tls_own_self_signed(own) && tls_own_is_rsa(own));
	tls_own_free(&own);
}
END_TEST

/* What it gives out as PEM, it takes. */
START_TEST(pem_round_trip)
{
	struct tls_own_notes notes;
	struct buf crt_pem, key_pem;
	struct tls_own *own;

	fill("ril:l");
	own = tls_own_read(buf_get(&chain), buf_get(&key), NOW, &notes);
	buf_init(&crt_pem, 65536);
	buf_init(&key_pem, 65536);
	ck_assert_int_eq(tls_own_pem(own, &crt_pem), 0);
	ck_assert_int_eq(tls_own_key_pem(own, &key_pem), 0);
	tls_own_free(&own);
	own = tls_own_read(buf_get(&crt_pem), buf_get(&key_pem), NOW, &notes);
	ck_assert_ptr_nonnull(own);
	ck_assert_uint_eq(notes.n, 0);
	tls_own_free(&own);
	buf_free(&crt_pem);
	buf_free(&key_pem);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls/own");
	TCase *tc = tcase_create("own");

	tcase_set_timeout(tc, 30);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, files, 0, NELEM(rows));
	tcase_add_test(tc, damaged);
	tcase_add_test(tc, named);
	tcase_add_test(tc, pem_round_trip);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
