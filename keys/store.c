/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* keys/store.c - see store.h: keys in use, and how those of state/keys/ come
 * about. */
#include "keys/store_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <gnutls/crypto.h>

#include "base/clock.h"
#include "base/log.h"
#include "tls/spki.h"

#define NAME_SIZE		32
#define EXPIRY_WARN_DAYS	30
#define DAY			(24 * 3600)

/* What is being opened: one slot of the folder. */
struct opening {
	struct tls_keydir	 dir;
	const char		*hostname;
	time_t			 now;
	bool			 make;
};

static enum tls_key_kind
kind_of(enum tls_slot slot)
{
	return slot == TLS_SLOT_ECDSA || slot == TLS_SLOT_NEXT_ECDSA ?
	    TLS_KEY_ECDSA : TLS_KEY_RSA;
}

static const char *
file_of(enum tls_slot slot, const char *ending, char out[NAME_SIZE])
{
	snprintf(out, NAME_SIZE, "%s.%s", tls_slot_name(slot), ending);
	return out;
}

/* ---- private keys ---- */

static gnutls_x509_privkey_t
key_import(const struct opening *o, enum tls_slot slot, const char *file,
    const struct buf *pem, struct fault *f)
{
	gnutls_datum_t d = { (unsigned char *)(uintptr_t)buf_get(pem).p,
	    (unsigned)pem->len };
	gnutls_x509_privkey_t key;
	int rc = gnutls_x509_privkey_init(&key);

	if (rc < 0) {
		fault_set(f, FAULT_TEMP, 0, "", "no memory");
		return NULL;
	}
	rc = gnutls_x509_privkey_import2(key, &d, GNUTLS_X509_FMT_PEM, NULL,
	    GNUTLS_PKCS_PLAIN);
	if (rc >= 0 && tls_key_kind_of(key) == kind_of(slot))
		return key;
	if (rc < 0)
		fault_set(f, FAULT_PERM, 0, "", "%s/%s is no private key: %s",
		    o->dir.path, file, gnutls_strerror(rc));
	else
		fault_set(f, FAULT_PERM, 0, "", "%s/%s is not a key of type %s",
		    o->dir.path, file, tls_key_kind_name(kind_of(slot)));
	gnutls_x509_privkey_deinit(key);
	return NULL;
}

static int
key_make(const struct opening *o, enum tls_slot slot, const char *file,
    struct buf *pem, struct fault *f)
{
	gnutls_x509_privkey_t key = tls_key_generate(kind_of(slot), f);
	gnutls_datum_t d;
	int rc;

	if (key == NULL)
		return -1;
	rc = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
	    GNUTLS_PKCS_PLAIN, &d);
	gnutls_x509_privkey_deinit(key);
	if (rc < 0)
		return fault_set(f, FAULT_TEMP, 0, "", "%s/%s: %s",
		    o->dir.path, file, gnutls_strerror(rc));
	rc = buf_add(pem, d.data, d.size) == -1 ?
	    fault_set(f, FAULT_TEMP, 0, "", "no memory") :
	    tls_keydir_write(&o->dir, file, 0600, buf_get(pem), f);
	gnutls_memset(d.data, 0, d.size);
	gnutls_free(d.data);
	if (rc == 0)
		log_info("key-made", KV_S("file", file));
	return rc;
}

static gnutls_x509_privkey_t
key_load(const struct opening *o, enum tls_slot slot, struct buf *pem,
    struct fault *f)
{
	char file[NAME_SIZE];
	int rc = tls_keydir_read(&o->dir, file_of(slot, "key", file), true,
	    pem, f);

	if (rc == 0 && !o->make)
		rc = fault_set(f, FAULT_TEMP, 0, "",
		    "%s/%s is not there yet: keys 1 makes it", o->dir.path,
		    file);
	else if (rc == 0)
		rc = key_make(o, slot, file, pem, f);
	return rc == -1 ? NULL : key_import(o, slot, file, pem, f);
}

/* ---- certificates ---- */

static int
cert_make(const struct opening *o, enum tls_slot slot,
    gnutls_x509_privkey_t key, const char *why, struct buf *pem,
    struct fault *f)
{
	gnutls_x509_crt_t crt = tls_cert_selfsign(key, kind_of(slot),
	    o->hostname, o->now, f);
	char file[NAME_SIZE];
	gnutls_datum_t d;
	int rc;

	if (crt == NULL)
		return -1;
	file_of(slot, "crt", file);
	rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &d);
	gnutls_x509_crt_deinit(crt);
	if (rc < 0)
		return fault_set(f, FAULT_TEMP, 0, "", "%s/%s: %s",
		    o->dir.path, file, gnutls_strerror(rc));
	buf_reset(pem);
	rc = buf_add(pem, d.data, d.size) == -1 ?
	    fault_set(f, FAULT_TEMP, 0, "", "no memory") :
	    tls_keydir_write(&o->dir, file, 0644, buf_get(pem), f);
	gnutls_free(d.data);
	if (rc == 0)
		log_info("certificate-made", KV_S("file", file),
		    KV_S("host", o->hostname), KV_S("reason", why));
	return rc;
}

static bool
ends_soon(const struct tls_own *own, time_t now)
{
	time_t end = gnutls_x509_crt_get_expiration_time(own->chain[0]);

	return end >= 0 && end - now < EXPIRY_WARN_DAYS * DAY;
}

void
keys_check_expiry(const struct tls_own *own, const char *name, time_t now)
{
	char text[CLOCK_RFC3339_SIZE];
	time_t end = gnutls_x509_crt_get_expiration_time(own->chain[0]);

	if (!ends_soon(own, now))
		return;
	clock_rfc3339((uint64_t)end * 1000, 0, text);
	log_warn("certificate-expiring", KV_S("file", name),
	    KV_S("not_after", text), KV_N("days", (end - now) / DAY));
}

/* Why a certificate has to be made, NULL when the one that is there will do.
 * What an authority has signed stays, whatever it names: it was put there. */
static const char *
cert_trouble(const struct opening *o, int there, const struct buf *crt,
    const struct buf *key, struct tls_own **own)
{
	struct tls_own_notes notes;
	const char *why;

	if (there == 0)
		return "new";
	*own = tls_own_read(buf_get(crt), buf_get(key), (uint64_t)o->now,
	    &notes);
	if (*own == NULL)
		return notes.v[notes.n - 1].key ? "key" : "unreadable";
	if (!tls_own_self_signed(*own))
		return NULL;
	why = !tls_own_names(*own, o->hostname) ? "hostname" :
	    ends_soon(*own, o->now) ? "expiring" : NULL;
	if (why != NULL)
		tls_own_free(own);
	return why;
}

/* The key stays in every case: peers may have pinned it, and its TLSA record
 * may be published. */
static struct tls_own *
cert_load(const struct opening *o, enum tls_slot slot,
    gnutls_x509_privkey_t key, const struct buf *key_pem, struct fault *f)
{
	char file[NAME_SIZE];
	struct tls_own *own = NULL;
	struct tls_own_notes notes;
	const char *why;
	struct buf pem;
	int rc;

	buf_init(&pem, TLS_KEYDIR_FILE_MAX);
	rc = tls_keydir_read(&o->dir, file_of(slot, "crt", file), false, &pem,
	    f);
	if (rc == -1)
		goto free_pem;
	why = cert_trouble(o, rc, &pem, key_pem, &own);
	if (why != NULL && cert_make(o, slot, key, why, &pem, f) == 0) {
		own = tls_own_read(buf_get(&pem), buf_get(key_pem),
		    (uint64_t)o->now, &notes);
		if (own == NULL)
			fault_set(f, FAULT_TEMP, 0, "", "%s/%s: %s",
			    o->dir.path, file, notes.v[notes.n - 1].text);
	}
	if (own != NULL)
		keys_check_expiry(own, file, o->now);
free_pem:
	buf_free(&pem);
	return own;
}

/* ---- entries ---- */

static int
add(struct keys_store *s, const char *label, struct tls_own *own,
    gnutls_x509_privkey_t key, struct fault *f)
{
	struct keys_entry *e = &s->v[s->n];
	int rc;

	/* From here on keys_store_close() frees it. */
	*e = (struct keys_entry){ label, own, key, NULL };
	s->n++;
	rc = gnutls_privkey_init(&e->signer);
	if (rc < 0)
		e->signer = NULL;
	else
		rc = gnutls_privkey_import_x509(e->signer, key, 0);
	return rc >= 0 ? 0 : fault_set(f, FAULT_TEMP, 0, "", "key %u: %s",
	    s->n, gnutls_strerror(rc));
}

int
keys_store_add_own(struct keys_store *s, const char *label,
    struct tls_own *own, struct fault *f)
{
	return add(s, label, own, own->key, f);
}

int
keys_store_add_key(struct keys_store *s, gnutls_x509_privkey_t key,
    struct fault *f)
{
	return add(s, "", NULL, key, f);
}

static int
slot_open(struct keys_store *s, const struct opening *o, enum tls_slot slot,
    struct fault *f)
{
	bool in_use = slot < TLS_SLOTS_IN_USE;
	gnutls_x509_privkey_t key;
	struct tls_own *own = NULL;
	struct buf pem;
	int rc = -1;

	buf_init(&pem, TLS_KEYDIR_FILE_MAX);
	key = key_load(o, slot, &pem, f);
	if (key == NULL)
		goto wipe;
	if (!o->make) {
		rc = keys_store_add_key(s, key, f);
		goto wipe;
	}
	own = cert_load(o, slot, key, &pem, f);
	gnutls_x509_privkey_deinit(key);
	if (own == NULL)
		goto wipe;
	rc = in_use ? keys_store_add_own(s, "", own, f) : 0;
	if (!in_use)
		tls_own_free(&own);
wipe:
	buf_wipe(&pem);
	return rc;
}

static int
slots_open(struct keys_store *s, const struct opening *o, struct fault *f)
{
	unsigned n = o->make ? TLS_SLOTS : TLS_SLOTS_IN_USE;

	for (unsigned i = 0; i < n; i++)
		if (slot_open(s, o, (enum tls_slot)i, f) == -1)
			return -1;
	return 0;
}

/* ---- the store ---- */

struct keys_store *
keys_store_open(const char *state_directory, const char *hostname, bool make,
    time_t now, struct fault *f)
{
	struct keys_store *s = calloc(1, sizeof *s);
	struct opening o = { .hostname = hostname, .now = now, .make = make };

	if (s == NULL) {
		fault_set(f, FAULT_TEMP, 0, "", "no memory");
		return NULL;
	}
	if (tls_keydir_open(&o.dir, state_directory, f) == -1) {
		keys_store_close(&s);
		return NULL;
	}
	if ((make && tls_keydir_lock(&o.dir, f) == -1) ||
	    slots_open(s, &o, f) == -1)
		keys_store_close(&s);
	tls_keydir_close(&o.dir);
	return s;
}

void
keys_store_close(struct keys_store **sp)
{
	struct keys_store *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	while (s->n > 0) {
		struct keys_entry *e = &s->v[--s->n];

		if (e->signer != NULL)
			gnutls_privkey_deinit(e->signer);
		/* GnuTLS overwrites the numbers of a private key here. */
		if (e->own == NULL)
			gnutls_x509_privkey_deinit(e->key);
		tls_own_free(&e->own);
	}
	conf_release(&s->conf);
	free(s);
}

void
keys_store_number(struct keys_store *s, uint32_t generation)
{
	s->first = generation * KEYS_MAX;
}

const struct keys_entry *
keys_store_entry(const struct keys_store *s, uint32_t key)
{
	return s != NULL && key - s->first < s->n ? &s->v[key - s->first] :
	    NULL;
}

bool
keys_store_has(const struct keys_store *s, uint32_t key)
{
	return keys_store_entry(s, key) != NULL;
}

static bool
same_key(const struct keys_entry *a, const struct keys_entry *b)
{
	unsigned char x[64], y[64];
	size_t n = sizeof x, m = sizeof y;

	return gnutls_x509_privkey_get_key_id(a->key,
	    GNUTLS_KEYID_USE_SHA256, x, &n) >= 0 &&
	    gnutls_x509_privkey_get_key_id(b->key, GNUTLS_KEYID_USE_SHA256,
	    y, &m) >= 0 && n == m && memcmp(x, y, n) == 0;
}

bool
keys_store_same_keys(const struct keys_store *a, const struct keys_store *b)
{
	bool same = a->n == b->n && a->first == b->first;

	for (unsigned i = 0; same && i < a->n; i++)
		same = same_key(&a->v[i], &b->v[i]);
	return same;
}

static int
put_cert(const struct keys_entry *e, unsigned number, struct buf *list)
{
	struct ipc_own_cert own = { .key = number,
	    .label = span_str(e->label) };
	struct ipc_chain_cert leaf;
	struct buf chain;
	struct span rest;
	int rc = -1;

	buf_init(&chain, TLS_OWN_FILE_MAX);
	if (tls_own_list(e->own, &chain) == 0) {
		own.chain = rest = buf_get(&chain);
		if (ipc_get_chain_cert(&rest, &leaf) == 1 &&
		    tls_spki(leaf.der, &own.spki))
			rc = ipc_put_own_cert(list, &own);
	}
	buf_free(&chain);
	return rc;
}

int
keys_store_certs(const struct keys_store *s, struct buf *list)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->v[i].own == NULL ||
		    put_cert(&s->v[i], s->first + i, list) == -1)
			return -1;
	return 0;
}
