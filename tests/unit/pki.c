/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "tests/unit/pki.h"

#include <check.h>

#define DAY	86400

/* ---- what both have in common ---- */

static gnutls_x509_privkey_t
key_new(unsigned bits)
{
	const unsigned p256 = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
	gnutls_x509_privkey_t key;
	int rc;

	ck_assert_int_eq(gnutls_x509_privkey_init(&key), 0);
	if (bits == PKI_P256)
		rc = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, p256, 0);
	else if (bits == PKI_ED25519)
		rc = gnutls_x509_privkey_generate(key, GNUTLS_PK_EDDSA_ED25519,
		    0, 0);
	else
		rc = gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, bits, 0);
	ck_assert_int_eq(rc, 0);
	return key;
}

static gnutls_x509_crt_t
crt_new(gnutls_x509_privkey_t key, struct span cn, bool ca, time_t from,
    time_t to)
{
	static unsigned count;
	unsigned char serial[4] = { 1, (unsigned char)(++count >> 16),
	    (unsigned char)(count >> 8), (unsigned char)count };
	gnutls_x509_crt_t c;

	ck_assert_int_eq(gnutls_x509_crt_init(&c), 0);
	gnutls_x509_crt_set_version(c, 3);
	gnutls_x509_crt_set_serial(c, serial, sizeof serial);
	gnutls_x509_crt_set_activation_time(c, from);
	gnutls_x509_crt_set_expiration_time(c, to);
	gnutls_x509_crt_set_basic_constraints(c, ca, -1);
	if (cn.n > 0)
		gnutls_x509_crt_set_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, 0,
		    cn.p, (unsigned)cn.n);
	gnutls_x509_crt_set_key(c, key);
	return c;
}

static void
add_names(gnutls_x509_crt_t c, const char *names)
{
	struct span rest = span_str(names);

	while (rest.n > 0) {
		struct span name = span_cut(&rest, ',');

		ck_assert_int_eq(gnutls_x509_crt_set_subject_alt_name(c,
		    GNUTLS_SAN_DNSNAME, name.p, (unsigned)name.n,
		    GNUTLS_FSAN_APPEND), 0);
	}
}

static void
sign(gnutls_x509_crt_t c, gnutls_x509_crt_t issuer, gnutls_x509_privkey_t key)
{
	/* Ed25519 goes with no other. */
	gnutls_digest_algorithm_t digest =
	    gnutls_x509_privkey_get_pk_algorithm(key) ==
	    GNUTLS_PK_EDDSA_ED25519 ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256;

	ck_assert_int_eq(gnutls_x509_crt_sign2(c, issuer, key, digest, 0), 0);
}

/* ---- single ones ---- */

void
pki_make(struct pki_cert *p, const struct pki_cert *issuer, const char *names,
    unsigned bits, bool ca, time_t from, time_t to)
{
	const struct pki_cert *by = issuer == NULL ? p : issuer;
	struct span rest = span_str(names), cn = span_cut(&rest, ',');

	p->key = key_new(bits);
	p->crt = crt_new(p->key, cn, ca, from, to);
	add_names(p->crt, names);
	sign(p->crt, by->crt, by->key);
}

void
pki_free(struct pki_cert *p)
{
	gnutls_x509_crt_deinit(p->crt);
	gnutls_x509_privkey_deinit(p->key);
}

static void
put(struct buf *to, int rc, gnutls_datum_t *d)
{
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(buf_add(to, d->data, d->size), 0);
	gnutls_free(d->data);
}

void
pki_crt_pem(const struct pki_cert *p, struct buf *to)
{
	gnutls_datum_t d;

	put(to, gnutls_x509_crt_export2(p->crt, GNUTLS_X509_FMT_PEM, &d), &d);
}

void
pki_key_pem(const struct pki_cert *p, struct buf *to)
{
	gnutls_datum_t d;

	put(to, gnutls_x509_privkey_export2_pkcs8(p->key, GNUTLS_X509_FMT_PEM,
	    NULL, GNUTLS_PKCS_PLAIN, &d), &d);
}

void
pki_key_locked(const struct pki_cert *p, struct buf *to)
{
	gnutls_datum_t d;

	put(to, gnutls_x509_privkey_export2_pkcs8(p->key, GNUTLS_X509_FMT_PEM,
	    "secret", GNUTLS_PKCS_PBES2_AES_256, &d), &d);
}

/* ---- the family ---- */

static gnutls_x509_crt_t
member(struct pki *p, enum pki_key key, const char *cn, bool ca, long from,
    long to)
{
	time_t now = time(NULL);

	return crt_new(p->key[key], span_str(cn), ca, now + from * DAY,
	    now + to * DAY);
}

gnutls_x509_crt_t
pki_authority(struct pki *p, enum pki_key key, const char *cn, long to,
    gnutls_x509_crt_t issuer, enum pki_key signer)
{
	gnutls_x509_crt_t c = member(p, key, cn, true, -100, to);

	gnutls_x509_crt_set_key_usage(c, GNUTLS_KEY_KEY_CERT_SIGN);
	sign(c, issuer == NULL ? c : issuer, p->key[signer]);
	return c;
}

gnutls_x509_crt_t
pki_leaf(struct pki *p, const struct pki_leaf *l)
{
	gnutls_x509_crt_t c = member(p, PKI_LEAF, l->cn, false, l->from, l->to);
	const gnutls_x509_crt_t issuers[PKI_KEYS] = { [PKI_ROOT] = p->root,
	    [PKI_OTHER] = p->other, [PKI_MIDDLE] = p->middle, [PKI_LEAF] = c };

	if (l->dns != NULL)
		add_names(c, l->dns);
	if (l->purpose != NULL)
		gnutls_x509_crt_set_key_purpose_oid(c, l->purpose, 0);
	sign(c, issuers[l->issuer], p->key[l->signer]);
	return c;
}

gnutls_datum_t
pki_der(gnutls_x509_crt_t c)
{
	gnutls_datum_t der;

	ck_assert_int_eq(gnutls_x509_crt_export2(c, GNUTLS_X509_FMT_DER, &der),
	    0);
	return der;
}

void
pki_open(struct pki *p)
{
	for (unsigned i = 0; i < PKI_KEYS; i++)
		p->key[i] = key_new(PKI_P256);
	p->root = pki_authority(p, PKI_ROOT, "root", 100, NULL, PKI_ROOT);
	p->other = pki_authority(p, PKI_OTHER, "other", 100, NULL, PKI_OTHER);
	p->middle = pki_authority(p, PKI_MIDDLE, "middle", 100, p->root,
	    PKI_ROOT);
}

void
pki_close(struct pki *p)
{
	gnutls_x509_crt_deinit(p->root);
	gnutls_x509_crt_deinit(p->other);
	gnutls_x509_crt_deinit(p->middle);
	for (unsigned i = 0; i < PKI_KEYS; i++)
		gnutls_x509_privkey_deinit(p->key[i]);
}
