/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/selfsigned.c - see selfsigned.h. */
#include "tls/selfsigned.h"

#include <string.h>
#include <strings.h>
#include <gnutls/crypto.h>

#define VALID_SECONDS	(10LL * 365 * 24 * 3600)
#define CLOCK_SLACK	3600
#define SERIAL_BYTES	16	/* RFC 5280 sec 4.1.2.2: at most 20 */
#define CN_MAX		64	/* RFC 5280, ub-common-name */

/* RSA of 2048 bits: a signature costs 1.3 ms, one of 3072 bits three times
 * that, and whoever asks for RSA at all is old.  The record that DANE clients
 * match is of this key, not of a chain that would need more. */
static const struct kind {
	const char		*name;
	gnutls_pk_algorithm_t	 pk;
	unsigned		 bits;
	unsigned		 usage;
} kinds[TLS_KEY_KINDS] = {
	[TLS_KEY_ECDSA] = { "ecdsa", GNUTLS_PK_ECDSA,
	    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
	    GNUTLS_KEY_DIGITAL_SIGNATURE },
	/* keyEncipherment: some old clients refuse an RSA certificate without
	 * it, although no static RSA exchange is offered. */
	[TLS_KEY_RSA] = { "rsa", GNUTLS_PK_RSA, 2048,
	    GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT },
};

const char *
tls_key_kind_name(enum tls_key_kind kind)
{
	return kinds[kind].name;
}

enum tls_key_kind
tls_key_kind_of(gnutls_x509_privkey_t key)
{
	int pk = gnutls_x509_privkey_get_pk_algorithm(key);

	for (unsigned i = 0; i < TLS_KEY_KINDS; i++)
		if ((int)kinds[i].pk == pk)
			return (enum tls_key_kind)i;
	return TLS_KEY_KINDS;
}

gnutls_x509_privkey_t
tls_key_generate(enum tls_key_kind kind, struct fault *f)
{
	gnutls_x509_privkey_t key;
	int rc = gnutls_x509_privkey_init(&key);

	if (rc >= 0) {
		rc = gnutls_x509_privkey_generate(key, kinds[kind].pk,
		    kinds[kind].bits, 0);
		if (rc < 0)
			gnutls_x509_privkey_deinit(key);
	}
	if (rc < 0) {
		fault_set(f, FAULT_TEMP, 451, "4.3.0", "making the %s key: %s",
		    kinds[kind].name, gnutls_strerror(rc));
		return NULL;
	}
	return key;
}

static int
set_serial(gnutls_x509_crt_t crt)
{
	unsigned char serial[SERIAL_BYTES];
	int rc = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);

	if (rc < 0)
		return rc;
	serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40);	/* positive, full length */
	return gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
}

/* The name counts in dNSName; the CN is for people, and what does not fit in
 * it must not be cut into another host's name. */
static int
set_names(gnutls_x509_crt_t crt, const char *hostname)
{
	size_t n = strlen(hostname);
	const char *oid = GNUTLS_OID_X520_COMMON_NAME, *text = hostname;
	int rc;

	if (n > CN_MAX) {
		oid = GNUTLS_OID_X520_ORGANIZATION_NAME;
		text = "Self-signed mail host";
	}
	rc = gnutls_x509_crt_set_dn_by_oid(crt, oid, 0, text,
	    (unsigned)strlen(text));
	if (rc < 0)
		return rc;
	return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME,
	    hostname, (unsigned)n, GNUTLS_FSAN_SET);
}

static int
fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const struct kind *kind,
    const char *hostname, time_t now)
{
	unsigned char id[64];
	size_t id_size = sizeof id;
	int rc;

	if ((rc = gnutls_x509_crt_set_version(crt, 3)) < 0 ||
	    (rc = gnutls_x509_crt_set_key(crt, key)) < 0 ||
	    (rc = set_serial(crt)) < 0 ||
	    (rc = set_names(crt, hostname)) < 0 ||
	    (rc = gnutls_x509_crt_set_activation_time(crt,
	    now - CLOCK_SLACK)) < 0 ||
	    (rc = gnutls_x509_crt_set_expiration_time(crt,
	    now + VALID_SECONDS)) < 0 ||
	    (rc = gnutls_x509_crt_set_basic_constraints(crt, 0, -1)) < 0 ||
	    (rc = gnutls_x509_crt_set_key_usage(crt, kind->usage)) < 0 ||
	    (rc = gnutls_x509_crt_set_key_purpose_oid(crt,
	    GNUTLS_KP_TLS_WWW_SERVER, 0)) < 0 ||
	    (rc = gnutls_x509_crt_get_key_id(crt, 0, id, &id_size)) < 0 ||
	    (rc = gnutls_x509_crt_set_subject_key_id(crt, id, id_size)) < 0)
		return rc;
	return gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
}

gnutls_x509_crt_t
tls_cert_selfsign(gnutls_x509_privkey_t key, enum tls_key_kind kind,
    const char *hostname, time_t now, struct fault *f)
{
	gnutls_x509_crt_t crt;
	int rc = gnutls_x509_crt_init(&crt);

	if (rc >= 0) {
		rc = fill(crt, key, &kinds[kind], hostname, now);
		if (rc < 0)
			gnutls_x509_crt_deinit(crt);
	}
	if (rc < 0) {
		fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "making the %s certificate for %s: %s", kinds[kind].name,
		    hostname, gnutls_strerror(rc));
		return NULL;
	}
	return crt;
}

bool
tls_cert_names(gnutls_x509_crt_t crt, const char *hostname)
{
	char name[512];
	size_t size = sizeof name - 1;
	int type = gnutls_x509_crt_get_subject_alt_name(crt, 0, name, &size,
	    NULL);

	if (type != GNUTLS_SAN_DNSNAME || size >= sizeof name)
		return false;
	name[size] = '\0';
	return strcasecmp(name, hostname) == 0;
}

bool
tls_cert_fits(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	unsigned char a[64], b[64];
	size_t na = sizeof a, nb = sizeof b;

	return gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, a,
	    &na) == 0 && gnutls_x509_privkey_get_key_id(key,
	    GNUTLS_KEYID_USE_SHA256, b, &nb) == 0 &&
	    na == nb && memcmp(a, b, na) == 0;
}
