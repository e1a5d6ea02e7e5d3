/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/creds.c - see creds.h.  The private keys of a server are never in this
 * process: GnuTLS gets handles whose callbacks ask the signer.
 *
 * What GnuTLS 3.7 asks of such a handle: sign_hash with the hash for ECDSA and
 * RSA-PSS; for RSA PKCS#1 the algorithm is RSA_RAW and the "hash" is the whole
 * DigestInfo, or MD5 and SHA-1 joined below TLS 1.2.  sign_data is asked only
 * for key types that hash themselves, but leaving either out crashes it. */
#include "tls/session_priv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "base/ipc/ipc.h"

/* Explicit, never @SYSTEM: a policy file of the site must not change what a
 * report then calls opportunistic.  No static RSA, because the key process
 * signs and never decrypts.  X25519 ahead of P-256, which NORMAL has first:
 * OpenSSL's clients send a share of X25519 alone, and our precedence would ask
 * each of them for another hello. */
static const char server_priority[] = "NORMAL:-RSA:%SERVER_PRECEDENCE"
    ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1"
    ":+GROUP-SECP521R1:+GROUP-X448:+GROUP-FFDHE2048:+GROUP-FFDHE3072"
    ":+GROUP-FFDHE4096";
static const char client_priority[] = "NORMAL";
static const char no_old_versions[] = ":-VERS-TLS1.1:-VERS-TLS1.0";
/* For peers and boxes that stumble over a modern hello: no TLS 1.3, whose hello
 * is large and whose extensions some drop; one group; the suites that servers
 * of the last twenty years have; %COMPAT for certificates with a wrong
 * keyUsage.  Below 256 bytes, above which old load balancers hang. */
static const char reduced_priority[] =
    "NONE:+VERS-TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0:+COMP-NULL:+CTYPE-X509"
    ":+ECDHE-ECDSA:+ECDHE-RSA:+DHE-RSA:+RSA"
    ":+AES-128-GCM:+AES-256-GCM:+AES-128-CBC:+AES-256-CBC:+AEAD:+SHA1"
    ":+GROUP-SECP256R1"
    ":+SIGN-ECDSA-SHA256:+SIGN-RSA-SHA256:+SIGN-RSA-SHA384:+SIGN-RSA-SHA512"
    ":+SIGN-RSA-SHA1:+SIGN-ECDSA-SHA1:%COMPAT";

#define SIGNATURE_MAX	1024	/* RSA-8192 */

static int
priority_make(gnutls_priority_t *p, const char *text, bool old_versions)
{
	char all[768];

	snprintf(all, sizeof all, "%s%s", text,
	    old_versions ? "" : no_old_versions);
	return gnutls_priority_init(p, all, NULL);
}

static int
creds_priorities(struct tls_creds *c, bool old_versions)
{
	int rc = 0;

	if (c->server)
		return priority_make(&c->priority[0][0], server_priority,
		    old_versions);
	for (int strict = 0; strict < 2 && rc >= 0; strict++) {
		bool old = old_versions && !strict;

		rc = priority_make(&c->priority[strict][0], client_priority,
		    old);
		if (rc >= 0)
			rc = priority_make(&c->priority[strict][1],
			    reduced_priority, old);
	}
	return rc;
}

static struct tls_creds *
creds_new(bool server, bool old_versions, struct fault *f)
{
	struct tls_creds *c = calloc(1, sizeof *c);

	if (c == NULL) {
		fault_set(f, FAULT_TEMP, 451, "4.3.0", "TLS: no memory");
		return NULL;
	}
	c->refs = 1;
	c->server = server;
	/* DH parameters are for clients that know DHE but not RFC 7919. */
	if (gnutls_certificate_allocate_credentials(&c->cert) < 0 ||
	    gnutls_certificate_set_known_dh_params(c->cert,
	    GNUTLS_SEC_PARAM_MEDIUM) < 0 ||
	    creds_priorities(c, old_versions) < 0) {
		fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "TLS: credentials cannot be set up");
		tls_creds_unref(&c);
	}
	return c;
}

struct tls_creds *
tls_creds_client(bool old_versions, struct fault *f)
{
	return creds_new(false, old_versions, f);
}

void
tls_creds_tickets(struct tls_creds *c, struct span key)
{
	assert(c->server && key.n == sizeof c->ticket_key);
	memcpy(c->ticket_key, key.p, key.n);
	c->tickets = true;
}

struct tls_creds *
tls_creds_ref(struct tls_creds *c)
{
	c->refs++;
	return c;
}

void
tls_creds_unref(struct tls_creds **cp)
{
	struct tls_creds *c = *cp;

	if (c == NULL)
		return;
	*cp = NULL;
	assert(c->refs > 0);
	if (--c->refs > 0)
		return;
	if (c->cert != NULL)
		gnutls_certificate_free_credentials(c->cert);
	gnutls_memset(c->ticket_key, 0, sizeof c->ticket_key);
	for (int i = 0; i < 4; i++)
		if (c->priority[i / 2][i % 2] != NULL)
			gnutls_priority_deinit(c->priority[i / 2][i % 2]);
	free(c);
}

/* ---- keys that live elsewhere ---- */

static int
key_sign(struct tls_remote_key *k, gnutls_sign_algorithm_t alg, unsigned flags,
    bool prehashed, const gnutls_datum_t *data, gnutls_datum_t *sig)
{
	unsigned char bytes[SIGNATURE_MAX];
	int n;

	n = k->signer.sign(k->signer.arg, k->number, (unsigned)alg, flags,
	    prehashed, span_of(data->data, data->size), bytes, sizeof bytes);
	if (n <= 0 || (size_t)n > sizeof bytes)
		return GNUTLS_E_PK_SIGN_FAILED;
	sig->data = gnutls_malloc((size_t)n);
	if (sig->data == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	memcpy(sig->data, bytes, (size_t)n);
	sig->size = (unsigned)n;
	return 0;
}

static int
key_sign_hash(gnutls_privkey_t key, gnutls_sign_algorithm_t alg, void *arg,
    unsigned flags, const gnutls_datum_t *hash, gnutls_datum_t *sig)
{
	(void)key;
	return key_sign(arg, alg, flags, true, hash, sig);
}

static int
key_sign_data(gnutls_privkey_t key, gnutls_sign_algorithm_t alg, void *arg,
    unsigned flags, const gnutls_datum_t *data, gnutls_datum_t *sig)
{
	(void)key;
	return key_sign(arg, alg, flags, false, data, sig);
}

static int
key_info(gnutls_privkey_t key, unsigned flags, void *arg)
{
	const struct tls_remote_key *k = arg;

	(void)key;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return k->pk;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return k->bits;
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO)
		return gnutls_sign_supports_pk_algorithm(
		    GNUTLS_FLAGS_TO_SIGN_ALGO(flags),
		    (gnutls_pk_algorithm_t)k->pk) != 0;
	return -1;
}

static int
remote_key_new(struct tls_remote_key *k, gnutls_x509_crt_t crt,
    gnutls_privkey_t *key)
{
	unsigned bits = 0;
	int rc;

	k->pk = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
	if (k->pk < 0)
		return k->pk;
	k->bits = (int)bits;
	rc = gnutls_privkey_init(key);
	if (rc < 0)
		return rc;
	rc = gnutls_privkey_import_ext4(*key, k, key_sign_data, key_sign_hash,
	    NULL, NULL, key_info, 0);
	if (rc < 0)
		gnutls_privkey_deinit(*key);
	return rc;
}

/* GnuTLS takes a key whose trial signature fails for granted; a server that
 * cannot sign must not offer STARTTLS. */
static int
trial_signature(const struct tls_remote_key *k, gnutls_privkey_t key)
{
	static unsigned char text[] = "trial signature";
	const gnutls_datum_t d = { text, sizeof text };
	gnutls_datum_t sig;
	int rc;

	rc = gnutls_privkey_sign_data2(key, k->pk == GNUTLS_PK_RSA ?
	    GNUTLS_SIGN_RSA_SHA256 : GNUTLS_SIGN_ECDSA_SHA256, 0, &d, &sig);
	if (rc == 0)
		gnutls_free(sig.data);
	return rc;
}

/* Certificate and key handle become the credentials' on success. */
static int
creds_add(struct tls_creds *c, struct tls_remote_key *k, struct span der)
{
	const gnutls_datum_t d = { (unsigned char *)(uintptr_t)der.p,
	    (unsigned)der.n };
	gnutls_x509_crt_t crt;
	gnutls_pcert_st pcert;
	gnutls_privkey_t key;
	int rc;

	rc = gnutls_x509_crt_init(&crt);
	if (rc < 0)
		return rc;
	rc = gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_DER);
	if (rc < 0)
		goto out_crt;
	rc = gnutls_pcert_import_x509(&pcert, crt, 0);
	if (rc < 0)
		goto out_crt;
	rc = remote_key_new(k, crt, &key);
	if (rc < 0)
		goto out_pcert;
	rc = trial_signature(k, key);
	if (rc >= 0)
		rc = gnutls_certificate_set_key(c->cert, NULL, 0, &pcert, 1,
		    key);
	if (rc >= 0)
		goto out_crt;
	gnutls_privkey_deinit(key);
out_pcert:
	gnutls_pcert_deinit(&pcert);
out_crt:
	gnutls_x509_crt_deinit(crt);
	return rc;
}

struct tls_creds *
tls_creds_server(struct span certs, const struct tls_signer *signer,
    bool old_versions, struct fault *f)
{
	struct tls_creds *c = creds_new(true, old_versions, f);
	struct ipc_own_cert own;
	int rc = 0;

	if (c == NULL)
		return NULL;
	while (rc >= 0 && c->nkeys < TLS_KEYS_MAX &&
	    ipc_get_own_cert(&certs, &own) == 1) {
		struct tls_remote_key *k = &c->keys[c->nkeys++];

		k->signer = *signer;
		k->number = own.key;
		rc = creds_add(c, k, own.der);
		if (rc < 0)
			fault_set(f, FAULT_TEMP, 451, "4.3.0",
			    "certificate %u cannot be used: %s", k->number,
			    gnutls_strerror(rc));
	}
	if (rc >= 0 && c->nkeys == 0)
		rc = fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "no certificate was given");
	if (rc < 0)
		tls_creds_unref(&c);
	return c;
}
