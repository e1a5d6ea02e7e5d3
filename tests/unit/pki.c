/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "tests/unit/pki.h"

#include <check.h>
#include <time.h>

#define DAY	86400

static gnutls_x509_crt_t
cert_new(struct pki *p, enum pki_key key, const char *cn, long from, long to)
{
	static unsigned char serial[4] = { 1, 2, 3, 4 };
	gnutls_x509_crt_t c;

	ck_assert_int_eq(gnutls_x509_crt_init(&c), 0);
	serial[3]++;
	gnutls_x509_crt_set_version(c, 3);
	gnutls_x509_crt_set_serial(c, serial, sizeof serial);
	gnutls_x509_crt_set_activation_time(c, time(NULL) + from * DAY);
	gnutls_x509_crt_set_expiration_time(c, time(NULL) + to * DAY);
	gnutls_x509_crt_set_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, 0, cn,
	    (unsigned)strlen(cn));
	gnutls_x509_crt_set_key(c, p->key[key]);
	return c;
}

static void
sign(gnutls_x509_crt_t c, gnutls_x509_crt_t issuer, gnutls_x509_privkey_t key)
{
	ck_assert_int_eq(gnutls_x509_crt_sign2(c, issuer, key,
	    GNUTLS_DIG_SHA256, 0), 0);
}

gnutls_x509_crt_t
pki_authority(struct pki *p, enum pki_key key, const char *cn, long to,
    gnutls_x509_crt_t issuer, enum pki_key signer)
{
	gnutls_x509_crt_t c = cert_new(p, key, cn, -100, to);

	gnutls_x509_crt_set_basic_constraints(c, 1, -1);
	gnutls_x509_crt_set_key_usage(c, GNUTLS_KEY_KEY_CERT_SIGN);
	sign(c, issuer == NULL ? c : issuer, p->key[signer]);
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

gnutls_x509_crt_t
pki_leaf(struct pki *p, const struct pki_leaf *l)
{
	gnutls_x509_crt_t c = cert_new(p, PKI_LEAF, l->cn, l->from, l->to);
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
	for (unsigned i = 0; i < PKI_KEYS; i++) {
		gnutls_x509_privkey_init(&p->key[i]);
		ck_assert_int_eq(gnutls_x509_privkey_generate(p->key[i],
		    GNUTLS_PK_ECDSA,
		    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
	}
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
