/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "pki.h"

#include <check.h>
#include <stdio.h>

static unsigned serial;

static void
make_key(struct pki *p, unsigned bits)
{
	ck_assert_int_eq(gnutls_x509_privkey_init(&p->key), 0);
	if (bits == 0)
		ck_assert_int_eq(gnutls_x509_privkey_generate(p->key,
		    GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(
		    GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
	else if (bits == 1)
		ck_assert_int_eq(gnutls_x509_privkey_generate(p->key,
		    GNUTLS_PK_EDDSA_ED25519, 0, 0), 0);
	else
		ck_assert_int_eq(gnutls_x509_privkey_generate(p->key,
		    GNUTLS_PK_RSA, bits, 0), 0);
}

static void
set_names(gnutls_x509_crt_t crt, const char *names)
{
	struct span rest = span_str(names), name;
	bool first = true;

	while (rest.n > 0) {
		name = span_cut(&rest, ',');
		if (first)
			gnutls_x509_crt_set_dn_by_oid(crt,
			    GNUTLS_OID_X520_COMMON_NAME, 0, name.p,
			    (unsigned)name.n);
		ck_assert_int_eq(gnutls_x509_crt_set_subject_alt_name(crt,
		    GNUTLS_SAN_DNSNAME, name.p, (unsigned)name.n, first ?
		    GNUTLS_FSAN_SET : GNUTLS_FSAN_APPEND), 0);
		first = false;
	}
}

void
pki_make(struct pki *p, const struct pki *issuer, const char *names,
    unsigned bits, bool ca, time_t from, time_t to)
{
	const struct pki *by = issuer == NULL ? p : issuer;
	unsigned char number[4] = { 1, (unsigned char)(++serial >> 16),
	    (unsigned char)(serial >> 8), (unsigned char)serial };

	make_key(p, bits);
	ck_assert_int_eq(gnutls_x509_crt_init(&p->crt), 0);
	gnutls_x509_crt_set_version(p->crt, 3);
	gnutls_x509_crt_set_serial(p->crt, number, sizeof number);
	gnutls_x509_crt_set_activation_time(p->crt, from);
	gnutls_x509_crt_set_expiration_time(p->crt, to);
	gnutls_x509_crt_set_basic_constraints(p->crt, ca, -1);
	gnutls_x509_crt_set_key(p->crt, p->key);
	set_names(p->crt, names);
	ck_assert_int_eq(gnutls_x509_crt_sign2(p->crt, by->crt, by->key,
	    by->key != p->key || bits != 1 ? GNUTLS_DIG_SHA256 :
	    GNUTLS_DIG_SHA512, 0), 0);
}

void
pki_free(struct pki *p)
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
pki_crt_pem(const struct pki *p, struct buf *to)
{
	gnutls_datum_t d;

	put(to, gnutls_x509_crt_export2(p->crt, GNUTLS_X509_FMT_PEM, &d), &d);
}

void
pki_key_pem(const struct pki *p, struct buf *to)
{
	gnutls_datum_t d;

	put(to, gnutls_x509_privkey_export2_pkcs8(p->key, GNUTLS_X509_FMT_PEM,
	    NULL, GNUTLS_PKCS_PLAIN, &d), &d);
}

void
pki_key_locked(const struct pki *p, struct buf *to)
{
	gnutls_datum_t d;

	put(to, gnutls_x509_privkey_export2_pkcs8(p->key, GNUTLS_X509_FMT_PEM,
	    "secret", GNUTLS_PKCS_PBES2_AES_256, &d), &d);
}
