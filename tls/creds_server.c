/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/creds_server.c - certificates of a server, by the names that they are
 * for, and private keys that are never in this process: GnuTLS gets handles
 * whose callbacks ask the signer.
 *
 * What GnuTLS 3.7 asks of such a handle: sign_hash with the hash for ECDSA and
 * RSA-PSS; for RSA PKCS#1 the algorithm is RSA_RAW and the "hash" is the whole
 * DigestInfo, or MD5 and SHA-1 joined below TLS 1.2.  sign_data is asked only
 * for key types that hash themselves, but leaving either out crashes it.
 *
 * Each name that a client may ask for has a group: the certificates with that
 * name, and behind them all others, since a client that can use none of the
 * former is better served with another name than with clear text. */
#include "tls/session_priv.h"

#include <gnutls/x509.h>

#include "base/ipc/ipc.h"
#include "tls/own.h"

#define SIGNATURE_MAX	1024	/* RSA-8192 */

/* A certificate while credentials are made. */
struct loaded {
	struct span	 chain;		/* LIST of chain_cert */
	bool		 rsa;
};
struct load {
	struct tls_creds *c;
	struct loaded	 v[TLS_KEYS_MAX];
};

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
key_handle(struct tls_remote_key *k, gnutls_privkey_t *key)
{
	int rc = gnutls_privkey_init(key);

	if (rc < 0)
		return rc;
	rc = gnutls_privkey_import_ext4(*key, k, key_sign_data, key_sign_hash,
	    NULL, NULL, key_info, 0);
	if (rc < 0)
		gnutls_privkey_deinit(*key);
	return rc;
}

/* A server that cannot sign must not offer STARTTLS, nor one whose signatures
 * are of another key. */
static int
trial_signature(struct tls_remote_key *k, gnutls_x509_crt_t crt)
{
	static unsigned char text[] = "trial signature";
	const gnutls_sign_algorithm_t alg = k->pk == GNUTLS_PK_RSA ?
	    GNUTLS_SIGN_RSA_SHA256 : GNUTLS_SIGN_ECDSA_SHA256;
	const gnutls_datum_t d = { text, sizeof text };
	gnutls_datum_t sig;
	gnutls_privkey_t key;
	gnutls_pubkey_t pub;
	int rc;

	rc = key_handle(k, &key);
	if (rc < 0)
		return rc;
	rc = gnutls_privkey_sign_data2(key, alg, 0, &d, &sig);
	gnutls_privkey_deinit(key);
	if (rc < 0)
		return rc;
	rc = gnutls_pubkey_init(&pub);
	if (rc >= 0) {
		rc = gnutls_pubkey_import_x509(pub, crt, 0);
		if (rc >= 0)
			rc = gnutls_pubkey_verify_data2(pub, alg, 0, &d, &sig);
		gnutls_pubkey_deinit(pub);
	}
	gnutls_free(sig.data);
	return rc;
}

/* ---- groups ---- */

static int
chain_import(struct span list, gnutls_pcert_st *chain, int *n)
{
	struct ipc_chain_cert c;
	int rc = 0;

	*n = 0;
	while (rc >= 0 && *n < TLS_OWN_CHAIN_MAX &&
	    ipc_get_chain_cert(&list, &c) == 1) {
		const gnutls_datum_t d = { (unsigned char *)(uintptr_t)c.der.p,
		    (unsigned)c.der.n };

		rc = gnutls_pcert_import_x509_raw(&chain[*n], &d,
		    GNUTLS_X509_FMT_DER, 0);
		if (rc >= 0)
			(*n)++;
	}
	return rc;
}

/* Chain and key handle become the group's on success. */
static int
group_add(gnutls_certificate_credentials_t g, const struct loaded *l,
    struct tls_remote_key *k)
{
	gnutls_pcert_st chain[TLS_OWN_CHAIN_MAX];
	gnutls_privkey_t key;
	int n, rc = chain_import(l->chain, chain, &n);

	if (rc >= 0 && (rc = key_handle(k, &key)) >= 0) {
		rc = gnutls_certificate_set_key(g, NULL, 0, chain, n, key);
		if (rc >= 0)
			return 0;
		gnutls_privkey_deinit(key);
	}
	while (n > 0)
		gnutls_pcert_deinit(&chain[--n]);
	return rc;
}

/* ECDSA ahead of RSA, and those that were asked for ahead of the others. */
static int
group_fill(const struct load *x, gnutls_certificate_credentials_t g,
    uint32_t first)
{
	int rc;

	/* A trial signature of each key was made; GnuTLS would make more. */
	gnutls_certificate_set_flags(g, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
	/* DH parameters are for clients that know DHE but not RFC 7919. */
	rc = gnutls_certificate_set_known_dh_params(g, GNUTLS_SEC_PARAM_MEDIUM);
	for (unsigned turn = 0; turn < 4 && rc >= 0; turn++)
		for (unsigned i = 0; i < x->c->nkeys && rc >= 0; i++)
			if ((first >> i & 1) == (turn < 2) &&
			    x->v[i].rsa == (turn % 2 == 1))
				rc = group_add(g, &x->v[i], &x->c->keys[i]);
	return rc;
}

/* When there is no room for another, the first certificate of `certs` alone
 * decides: each has its group from the start. */
static int
group_make(const struct load *x, uint32_t certs)
{
	struct tls_creds *c = x->c;
	struct tls_group *g = &c->groups[c->ngroups];
	int rc;

	for (unsigned i = 0; i < c->ngroups; i++)
		if (c->groups[i].certs == certs)
			return 0;
	if (c->ngroups == TLS_GROUPS_MAX)
		return 0;
	rc = gnutls_certificate_allocate_credentials(&g->cert);
	if (rc < 0)
		return rc;
	g->certs = certs;
	c->ngroups++;
	return group_fill(x, g->cert, certs);
}

static int
groups_make(const struct load *x)
{
	int rc = 0;

	/* One certificate, or two of one name, need no choice. */
	if (x->c->nkeys == 1)
		return 0;
	for (unsigned i = 0; i < x->c->nkeys && rc >= 0; i++)
		rc = group_make(x, (uint32_t)1 << i);
	for (size_t i = 0; i < x->c->names.n && rc >= 0; i++)
		rc = group_make(x, x->c->names.v[i].certs);
	return rc;
}

gnutls_certificate_credentials_t
tls_creds_for_name(const struct tls_creds *c, struct span name)
{
	uint32_t certs = tls_names_find(&c->names, name);
	uint32_t lowest = certs & (~certs + 1);
	const struct tls_group *single = NULL;

	for (unsigned i = 0; certs != 0 && i < c->ngroups; i++) {
		if (c->groups[i].certs == certs)
			return c->groups[i].cert;
		if (c->groups[i].certs == lowest)
			single = &c->groups[i];
	}
	return single == NULL ? c->cert : single->cert;
}

/* ---- loading ---- */

static int
take_names(struct tls_creds *c, gnutls_x509_crt_t crt, unsigned at)
{
	char name[512];
	unsigned found = 0;

	for (unsigned i = 0; i < TLS_NAMES_MAX; i++) {
		size_t n = sizeof name;
		int rc = gnutls_x509_crt_get_subject_alt_name(crt, i, name, &n,
		    NULL);

		if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (rc != GNUTLS_SAN_DNSNAME)
			continue;
		found++;
		if (tls_names_add(&c->names, span_of(name, n), at) == -1)
			return -1;
	}
	if (found == 0) {
		size_t n = sizeof name;

		if (gnutls_x509_crt_get_dn_by_oid(crt,
		    GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &n) == 0)
			return tls_names_add(&c->names, span_of(name, n), at);
	}
	return 0;
}

static int
load_one(struct load *x, const struct ipc_own_cert *own,
    const struct tls_signer *signer)
{
	struct tls_creds *c = x->c;
	struct tls_remote_key *k = &c->keys[c->nkeys];
	struct span list = own->chain;
	struct ipc_chain_cert leaf;
	gnutls_x509_crt_t crt;
	gnutls_datum_t d;
	unsigned bits = 0;
	int rc;

	if (ipc_get_chain_cert(&list, &leaf) != 1)
		return GNUTLS_E_NO_CERTIFICATE_FOUND;
	d = (gnutls_datum_t){ (unsigned char *)(uintptr_t)leaf.der.p,
	    (unsigned)leaf.der.n };
	rc = gnutls_x509_crt_init(&crt);
	if (rc < 0)
		return rc;
	rc = gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_DER);
	if (rc >= 0)
		rc = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
	if (rc >= 0) {
		*k = (struct tls_remote_key){ *signer, own->key, rc, (int)bits };
		rc = trial_signature(k, crt);
	}
	if (rc >= 0 && take_names(c, crt, c->nkeys) == -1)
		rc = GNUTLS_E_MEMORY_ERROR;
	gnutls_x509_crt_deinit(crt);
	if (rc < 0)
		return rc;
	x->v[c->nkeys++] = (struct loaded){ own->chain,
	    k->pk == GNUTLS_PK_RSA };
	return 0;
}

static int
load_all(struct load *x, struct span certs, const char *hostname,
    const struct tls_signer *signer, struct fault *f)
{
	struct ipc_own_cert own;
	uint32_t first;
	int rc;

	while (x->c->nkeys < TLS_KEYS_MAX &&
	    ipc_get_own_cert(&certs, &own) == 1) {
		rc = load_one(x, &own, signer);
		if (rc < 0)
			return fault_set(f, FAULT_TEMP, 451, "4.3.0",
			    "certificate %u cannot be used: %s", own.key,
			    gnutls_strerror(rc));
	}
	if (x->c->nkeys == 0)
		return fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "no certificate was given");
	/* Who asks for no name, or for one that nobody has, gets ours. */
	first = tls_names_find(&x->c->names, span_str(hostname));
	rc = group_fill(x, x->c->cert, first == 0 ? 1 : first);
	if (rc >= 0)
		rc = groups_make(x);
	return rc >= 0 ? 0 : fault_set(f, FAULT_TEMP, 451, "4.3.0",
	    "certificates cannot be used: %s", gnutls_strerror(rc));
}

struct tls_creds *
tls_creds_server(struct span certs, const char *hostname,
    const struct tls_signer *signer, bool old_versions, struct fault *f)
{
	struct load x = { .c = tls_creds_new(true, old_versions, f) };

	if (x.c != NULL && load_all(&x, certs, hostname, signer, f) == -1)
		tls_creds_unref(&x.c);
	return x.c;
}
