/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* keys/store.c - see store.h. */
#include "keys/store_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <gnutls/crypto.h>

#include "base/clock.h"
#include "base/log.h"
#include "tls/spki.h"

#define EXPIRY_WARN_DAYS	30
#define DAY			(24 * 3600)

/* The first ones are in use and numbered as KEY_SIGN names them. */
static const struct slot {
	const char		*name;
	enum tls_key_kind	 kind;
} slots[KEYS_SLOTS] = {
	{ "ecdsa",	TLS_KEY_ECDSA },
	{ "rsa",	TLS_KEY_RSA },
	{ "next-ecdsa",	TLS_KEY_ECDSA },
	{ "next-rsa",	TLS_KEY_RSA },
};

static void
slot_file(char out[KEYS_NAME_SIZE], unsigned slot, const char *ending)
{
	snprintf(out, KEYS_NAME_SIZE, "%s.%s", slots[slot].name, ending);
}

/* ---- private keys ---- */

static int
key_import(struct keys_store *s, unsigned slot, const char *file,
    const struct buf *pem, struct fault *f)
{
	gnutls_datum_t d = { (unsigned char *)(uintptr_t)buf_get(pem).p,
	    (unsigned)pem->len };
	gnutls_x509_privkey_t key;
	int rc = gnutls_x509_privkey_init(&key);

	if (rc >= 0) {
		rc = gnutls_x509_privkey_import2(key, &d, GNUTLS_X509_FMT_PEM,
		    NULL, GNUTLS_PKCS_PLAIN);
		if (rc < 0)
			gnutls_x509_privkey_deinit(key);
	}
	if (rc < 0)
		return fault_set(f, FAULT_PERM, 0, "",
		    "%s/%s is no private key: %s", s->dir.path, file,
		    gnutls_strerror(rc));
	if (tls_key_kind_of(key) != slots[slot].kind) {
		gnutls_x509_privkey_deinit(key);
		return fault_set(f, FAULT_PERM, 0, "",
		    "%s/%s is not a key of type %s", s->dir.path, file,
		    tls_key_kind_name(slots[slot].kind));
	}
	s->keys[slot] = key;
	return 0;
}

static int
key_make(struct keys_store *s, unsigned slot, const char *file,
    struct fault *f)
{
	gnutls_datum_t pem;
	int rc;

	s->keys[slot] = tls_key_generate(slots[slot].kind, f);
	if (s->keys[slot] == NULL)
		return -1;
	rc = gnutls_x509_privkey_export2_pkcs8(s->keys[slot],
	    GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem);
	if (rc < 0)
		return fault_set(f, FAULT_TEMP, 0, "", "%s/%s: %s",
		    s->dir.path, file, gnutls_strerror(rc));
	rc = keys_file_write(&s->dir, file, 0600, span_of(pem.data, pem.size),
	    f);
	gnutls_memset(pem.data, 0, pem.size);
	gnutls_free(pem.data);
	if (rc == 0)
		log_info("key-made", KV_S("file", file));
	return rc;
}

static int
key_load(struct keys_store *s, unsigned slot, bool make, struct fault *f)
{
	char file[KEYS_NAME_SIZE];
	struct buf pem;
	int rc;

	slot_file(file, slot, "key");
	buf_init(&pem, KEYS_FILE_MAX);
	rc = keys_file_read(&s->dir, file, true, &pem, f);
	if (rc == 1)
		rc = key_import(s, slot, file, &pem, f);
	else if (rc == 0 && make)
		rc = key_make(s, slot, file, f);
	else if (rc == 0)
		rc = fault_set(f, FAULT_TEMP, 0, "",
		    "%s/%s is not there yet: keys 1 makes it", s->dir.path,
		    file);
	keys_wipe(&pem);
	return rc;
}

/* ---- certificates ---- */

static gnutls_x509_crt_t
cert_import(const struct buf *pem)
{
	gnutls_datum_t d = { (unsigned char *)(uintptr_t)buf_get(pem).p,
	    (unsigned)pem->len };
	gnutls_x509_crt_t crt;

	if (gnutls_x509_crt_init(&crt) < 0)
		return NULL;
	if (gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_PEM) < 0) {
		gnutls_x509_crt_deinit(crt);
		return NULL;
	}
	return crt;
}

static int
cert_make(struct keys_store *s, unsigned slot, const char *file,
    const char *hostname, time_t now, const char *why, struct fault *f)
{
	gnutls_datum_t pem;
	int rc;

	s->certs[slot] = tls_cert_selfsign(s->keys[slot], slots[slot].kind,
	    hostname, now, f);
	if (s->certs[slot] == NULL)
		return -1;
	rc = gnutls_x509_crt_export2(s->certs[slot], GNUTLS_X509_FMT_PEM, &pem);
	if (rc < 0)
		return fault_set(f, FAULT_TEMP, 0, "", "%s/%s: %s",
		    s->dir.path, file, gnutls_strerror(rc));
	rc = keys_file_write(&s->dir, file, 0644, span_of(pem.data, pem.size),
	    f);
	gnutls_free(pem.data);
	if (rc == 0)
		log_info("certificate-made", KV_S("file", file),
		    KV_S("host", hostname), KV_S("reason", why));
	return rc;
}

static void
cert_check_expiry(gnutls_x509_crt_t crt, const char *file, time_t now)
{
	char text[CLOCK_RFC3339_SIZE];
	time_t end = gnutls_x509_crt_get_expiration_time(crt);

	if (end < 0 || end - now >= EXPIRY_WARN_DAYS * DAY)
		return;
	clock_rfc3339((uint64_t)end * 1000, 0, text);
	log_warn("certificate-expiring", KV_S("file", file),
	    KV_S("not_after", text), KV_N("days", (end - now) / DAY));
}

/* The key stays in every case: peers may have pinned it, and its TLSA record
 * may be published. */
static int
cert_load(struct keys_store *s, unsigned slot, const char *hostname,
    time_t now, struct fault *f)
{
	char file[KEYS_NAME_SIZE];
	const char *why = NULL;
	gnutls_x509_crt_t crt = NULL;
	struct buf pem;
	int rc;

	slot_file(file, slot, "crt");
	buf_init(&pem, KEYS_FILE_MAX);
	rc = keys_file_read(&s->dir, file, false, &pem, f);
	if (rc == 1)
		crt = cert_import(&pem);
	buf_free(&pem);
	if (rc == -1)
		return -1;
	if (rc == 0)
		why = "new";
	else if (crt == NULL)
		why = "unreadable";
	else if (!tls_cert_fits(crt, s->keys[slot]))
		why = "key";
	else if (!tls_cert_names(crt, hostname))
		why = "hostname";
	if (why != NULL) {
		if (crt != NULL)
			gnutls_x509_crt_deinit(crt);
		return cert_make(s, slot, file, hostname, now, why, f);
	}
	s->certs[slot] = crt;
	cert_check_expiry(crt, file, now);
	return 0;
}

/* ---- the store ---- */

static int
signer_make(struct keys_store *s, unsigned slot, struct fault *f)
{
	int rc = gnutls_privkey_init(&s->signers[slot]);

	if (rc < 0)
		s->signers[slot] = NULL;
	else
		rc = gnutls_privkey_import_x509(s->signers[slot],
		    s->keys[slot], 0);
	if (rc < 0)
		return fault_set(f, FAULT_TEMP, 0, "", "key %s: %s",
		    slots[slot].name, gnutls_strerror(rc));
	return 0;
}

static int
store_load(struct keys_store *s, const char *hostname, bool make, time_t now,
    struct fault *f)
{
	unsigned n = make ? KEYS_SLOTS : TLS_KEY_KINDS;

	for (unsigned i = 0; i < n; i++) {
		if (key_load(s, i, make, f) == -1)
			return -1;
		if (make && cert_load(s, i, hostname, now, f) == -1)
			return -1;
	}
	for (unsigned i = 0; i < TLS_KEY_KINDS; i++)
		if (signer_make(s, i, f) == -1)
			return -1;
	return 0;
}

struct keys_store *
keys_store_open(const char *state_directory, const char *hostname, bool make,
    time_t now, struct fault *f)
{
	struct keys_store *s = calloc(1, sizeof *s);

	if (s == NULL) {
		fault_set(f, FAULT_TEMP, 0, "", "no memory");
		return NULL;
	}
	if (keys_dir_open(&s->dir, state_directory, f) == -1 ||
	    store_load(s, hostname, make, now, f) == -1)
		keys_store_close(&s);
	return s;
}

void
keys_store_close(struct keys_store **sp)
{
	struct keys_store *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	for (unsigned i = 0; i < TLS_KEY_KINDS; i++)
		if (s->signers[i] != NULL)
			gnutls_privkey_deinit(s->signers[i]);
	for (unsigned i = 0; i < KEYS_SLOTS; i++) {
		/* GnuTLS overwrites the numbers of a private key here. */
		if (s->keys[i] != NULL)
			gnutls_x509_privkey_deinit(s->keys[i]);
		if (s->certs[i] != NULL)
			gnutls_x509_crt_deinit(s->certs[i]);
	}
	keys_dir_close(&s->dir);
	free(s);
}

int
keys_store_certs(const struct keys_store *s, struct buf *list)
{
	for (unsigned i = 0; i < TLS_KEY_KINDS; i++) {
		struct ipc_own_cert own = { .key = i };
		gnutls_datum_t der;
		int rc = -1;

		if (gnutls_x509_crt_export2(s->certs[i], GNUTLS_X509_FMT_DER,
		    &der) < 0)
			return -1;
		own.der = span_of(der.data, der.size);
		if (tls_spki(own.der, &own.spki))
			rc = ipc_put_own_cert(list, &own);
		gnutls_free(der.data);
		if (rc == -1)
			return -1;
	}
	return 0;
}
