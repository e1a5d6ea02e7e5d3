/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/fingerprint.c - see fingerprint.h. */
#include "tls/fingerprint.h"

#include <stdio.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "tls/spki.h"

#define SHA256_BYTES	32

static bool
sha256(struct span s, uint8_t out[SHA256_BYTES])
{
	return gnutls_hash_fast(GNUTLS_DIG_SHA256, s.p, s.n, out) == 0;
}

bool
tls_sha256_hex(struct span s, char out[TLS_HEX_SIZE])
{
	uint8_t hash[SHA256_BYTES];

	out[0] = '\0';
	if (!sha256(s, hash))
		return false;
	for (size_t i = 0; i < sizeof hash; i++)
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
	return true;
}

bool
tls_fingerprint(struct span der, char out[TLS_FINGERPRINT_SIZE])
{
	uint8_t hash[SHA256_BYTES];

	out[0] = '\0';
	if (!sha256(der, hash))
		return false;
	for (size_t i = 0; i < sizeof hash; i++)
		snprintf(out + 3 * i, 4, "%02X%s", hash[i],
		    i + 1 < sizeof hash ? ":" : "");
	return true;
}

static void
cert_type(gnutls_x509_crt_t crt, char *out, size_t size)
{
	unsigned bits = 0;
	int pk = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
	gnutls_ecc_curve_t curve;

	if (pk == GNUTLS_PK_ECDSA &&
	    gnutls_x509_crt_get_pk_ecc_raw(crt, &curve, NULL, NULL) == 0)
		snprintf(out, size, "ECDSA %s",
		    gnutls_ecc_curve_get_name(curve));
	else
		snprintf(out, size, "%s %u", pk < 0 ? "unknown" :
		    gnutls_pk_get_name((gnutls_pk_algorithm_t)pk), bits);
}

static int
cert_info(gnutls_x509_crt_t crt, struct tls_cert_info *info)
{
	time_t from = gnutls_x509_crt_get_activation_time(crt);
	time_t to = gnutls_x509_crt_get_expiration_time(crt);
	gnutls_datum_t dn, der;
	struct span spki, bytes;
	bool ok;

	if (from < 0 || to < 0 || gnutls_x509_crt_get_dn3(crt, &dn, 0) < 0)
		return -1;
	(void)span_copy(span_of(dn.data, dn.size), info->subject,
	    sizeof info->subject);
	gnutls_free(dn.data);
	info->not_before = (uint64_t)from * 1000;
	info->not_after = (uint64_t)to * 1000;
	cert_type(crt, info->type, sizeof info->type);
	if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der) < 0)
		return -1;
	bytes = span_of(der.data, der.size);
	ok = tls_fingerprint(bytes, info->fingerprint) &&
	    tls_spki(bytes, &spki) && tls_sha256_hex(spki, info->spki);
	gnutls_free(der.data);
	return ok ? 0 : -1;
}

int
tls_cert_read(struct span s, struct tls_cert_info *info, struct fault *f)
{
	static const char pem[] = "-----BEGIN ";
	const gnutls_datum_t d = { (unsigned char *)(uintptr_t)s.p,
	    (unsigned)s.n };
	bool is_pem = s.n > sizeof pem &&
	    memcmp(s.p, pem, sizeof pem - 1) == 0;
	gnutls_x509_crt_t crt;
	int rc;

	*info = (struct tls_cert_info){ 0 };
	rc = gnutls_x509_crt_init(&crt);
	if (rc < 0)
		return fault_set(f, FAULT_TEMP, 0, "", "%s", gnutls_strerror(rc));
	rc = gnutls_x509_crt_import(crt, &d,
	    is_pem ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER);
	if (rc < 0)
		rc = fault_set(f, FAULT_PERM, 0, "", "no certificate: %s",
		    gnutls_strerror(rc));
	else if (cert_info(crt, info) == -1)
		rc = fault_set(f, FAULT_PERM, 0, "",
		    "the certificate cannot be read in full");
	gnutls_x509_crt_deinit(crt);
	return rc < 0 ? -1 : 0;
}
