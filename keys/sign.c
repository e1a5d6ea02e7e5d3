/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* keys/sign.c - what may be signed.  Whoever owns an smtpd can ask for
 * signatures as long as it does, but only for such as a TLS server makes: no
 * raw numbers, no algorithm of another key, no encryption padding undone. */
#include "keys/store_priv.h"

#include <gnutls/crypto.h>

/* Below TLS 1.2: MD5 and SHA-1 joined, without DigestInfo (RFC 4346 sec 7.4.3) */
#define LEGACY_HASH	36
#define HASH_MAX	64

/* Hash bytes of 0: see raw_ok(). */
static const struct allowed {
	gnutls_sign_algorithm_t	alg;
	gnutls_pk_algorithm_t	pk;
	size_t			hash;
} allowed[] = {
	{ GNUTLS_SIGN_ECDSA_SHA1,		GNUTLS_PK_ECDSA, 20 },
	{ GNUTLS_SIGN_ECDSA_SHA256,		GNUTLS_PK_ECDSA, 32 },
	{ GNUTLS_SIGN_ECDSA_SHA384,		GNUTLS_PK_ECDSA, 48 },
	{ GNUTLS_SIGN_ECDSA_SHA512,		GNUTLS_PK_ECDSA, 64 },
	{ GNUTLS_SIGN_ECDSA_SECP256R1_SHA256,	GNUTLS_PK_ECDSA, 32 },
	{ GNUTLS_SIGN_ECDSA_SECP384R1_SHA384,	GNUTLS_PK_ECDSA, 48 },
	{ GNUTLS_SIGN_ECDSA_SECP521R1_SHA512,	GNUTLS_PK_ECDSA, 64 },
	{ GNUTLS_SIGN_RSA_SHA1,			GNUTLS_PK_RSA, 20 },
	{ GNUTLS_SIGN_RSA_SHA256,		GNUTLS_PK_RSA, 32 },
	{ GNUTLS_SIGN_RSA_SHA384,		GNUTLS_PK_RSA, 48 },
	{ GNUTLS_SIGN_RSA_SHA512,		GNUTLS_PK_RSA, 64 },
	{ GNUTLS_SIGN_RSA_PSS_RSAE_SHA256,	GNUTLS_PK_RSA, 32 },
	{ GNUTLS_SIGN_RSA_PSS_RSAE_SHA384,	GNUTLS_PK_RSA, 48 },
	{ GNUTLS_SIGN_RSA_PSS_RSAE_SHA512,	GNUTLS_PK_RSA, 64 },
	{ GNUTLS_SIGN_RSA_RAW,			GNUTLS_PK_RSA, 0 },
};

static const struct allowed *
find_allowed(uint32_t alg, int pk)
{
	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
		if ((uint32_t)allowed[i].alg == alg &&
		    (int)allowed[i].pk == pk)
			return &allowed[i];
	return NULL;
}

/* A DigestInfo of a hash that TLS uses, in the one encoding that it has: bytes
 * that a lax verifier would skip must not be signed (Bleichenbacher 2006). */
static bool
raw_ok(struct span data)
{
	const gnutls_datum_t info = { (unsigned char *)(uintptr_t)data.p,
	    (unsigned)data.n };
	gnutls_digest_algorithm_t hash;
	unsigned char digest[HASH_MAX];
	unsigned size = sizeof digest;
	gnutls_datum_t again = { digest, 0 }, out;
	bool same;

	if (data.n == LEGACY_HASH)
		return true;
	if (gnutls_decode_ber_digest_info(&info, &hash, digest, &size) < 0)
		return false;
	if (hash != GNUTLS_DIG_SHA1 && hash != GNUTLS_DIG_SHA256 &&
	    hash != GNUTLS_DIG_SHA384 && hash != GNUTLS_DIG_SHA512)
		return false;
	again.size = size;
	if (gnutls_encode_ber_digest_info(hash, &again, &out) < 0)
		return false;
	same = span_eq(span_of(out.data, out.size), data);
	gnutls_free(out.data);
	return same;
}

static int
sign(gnutls_privkey_t key, const struct allowed *a,
    const struct ipc_key_sign *m, gnutls_datum_t *out)
{
	const gnutls_datum_t d = { (unsigned char *)(uintptr_t)m->data.p,
	    (unsigned)m->data.n };

	if (!m->prehashed) {
		if (a->hash == 0)
			return -1;
		return gnutls_privkey_sign_data2(key, a->alg, 0, &d, out);
	}
	if (a->hash == 0) {
		if (!raw_ok(m->data))
			return -1;
		return gnutls_privkey_sign_hash2(key, a->alg,
		    GNUTLS_PRIVKEY_SIGN_FLAG_TLS1_RSA, &d, out);
	}
	if (m->data.n != a->hash)
		return -1;
	return gnutls_privkey_sign_hash2(key, a->alg, 0, &d, out);
}

unsigned
keys_store_rsa_bits(const struct keys_store *s, uint32_t key)
{
	const struct keys_entry *e = keys_store_entry(s, key);
	unsigned bits = 0;

	if (e == NULL || gnutls_x509_privkey_get_pk_algorithm2(
	    e->key, &bits) != GNUTLS_PK_RSA)
		return 0;
	return bits;
}

int
keys_store_sign(const struct keys_store *s, const struct ipc_key_sign *m,
    unsigned char *sig, size_t sig_size)
{
	const struct keys_entry *e = keys_store_entry(s, m->key);
	const struct allowed *a;
	gnutls_datum_t out;
	int n = -1;

	/* The algorithm says all; a flag could only say something else. */
	if (e == NULL || m->flags != 0 || m->prehashed > 1)
		return -1;
	a = find_allowed(m->alg, gnutls_x509_privkey_get_pk_algorithm(e->key));
	if (a == NULL || sign(e->signer, a, m, &out) < 0)
		return -1;
	if (out.size <= sig_size) {
		memcpy(sig, out.data, out.size);
		n = (int)out.size;
	}
	gnutls_free(out.data);
	return n;
}
