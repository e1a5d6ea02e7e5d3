/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/own.c - see own.h. */
#include "tls/own_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <gnutls/crypto.h>

#include "base/clock.h"
#include "base/ipc/ipc.h"
#include "tls/selfsigned.h"

#define RSA_BITS_LEAST	1024	/* what any peer at all takes */
#define RSA_BITS_GOOD	2048
#define RSA_BITS_MOST	8192	/* beyond, one signature takes a second */

/* ---- notes ---- */

static void	note(struct tls_own_notes *, bool key, bool warning,
		    const char *fmt, ...)
		    __attribute__((format(printf, 4, 5)));

/* An error always finds room: it is what there is to say. */
static void
note(struct tls_own_notes *notes, bool key, bool warning, const char *fmt, ...)
{
	const size_t most = sizeof notes->v / sizeof notes->v[0];
	struct tls_own_note *at;
	va_list ap;

	if (notes->n == most && warning)
		return;
	at = &notes->v[notes->n < most ? notes->n++ : most - 1];
	*at = (struct tls_own_note){ .key = key, .warning = warning };
	va_start(ap, fmt);
	(void)vsnprintf(at->text, sizeof at->text, fmt, ap);
	va_end(ap);
}

/* A certificate's subject, for people. */
static const char *
name_of(gnutls_x509_crt_t crt, char out[80])
{
	gnutls_datum_t dn;

	(void)snprintf(out, 80, "?");
	if (gnutls_x509_crt_get_dn3(crt, &dn, 0) == 0) {
		(void)snprintf(out, 80, "%.70s", (const char *)dn.data);
		gnutls_free(dn.data);
	}
	for (char *p = out; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return out;
}

/* ---- the key ---- */

static int
key_check(struct tls_own *o, struct tls_own_notes *notes)
{
	unsigned bits = 0;
	int pk = gnutls_x509_privkey_get_pk_algorithm2(o->key, &bits);

	if (pk == GNUTLS_PK_ECDSA)
		return 0;
	if (pk != GNUTLS_PK_RSA) {
		note(notes, true, false, "a key of type %s: ECDSA and RSA are "
		    "what mail servers take", pk < 0 ? "unknown" :
		    gnutls_pk_get_name((gnutls_pk_algorithm_t)pk));
		return -1;
	}
	if (bits < RSA_BITS_LEAST || bits > RSA_BITS_MOST) {
		note(notes, true, false, "an RSA key of %u bits; allowed: %d to "
		    "%d", bits, RSA_BITS_LEAST, RSA_BITS_MOST);
		return -1;
	}
	if (bits < RSA_BITS_GOOD)
		note(notes, true, true, "an RSA key of %u bits is weak; make "
		    "one of %d, or an ECDSA one", bits, RSA_BITS_GOOD);
	return 0;
}

static int
key_read(struct tls_own *o, struct span pem, struct tls_own_notes *notes)
{
	const gnutls_datum_t d = { (unsigned char *)(uintptr_t)pem.p,
	    (unsigned)pem.n };
	int rc = gnutls_x509_privkey_init(&o->key);

	if (rc < 0) {
		o->key = NULL;
	} else {
		rc = gnutls_x509_privkey_import2(o->key, &d,
		    GNUTLS_X509_FMT_PEM, NULL, 0);
	}
	if (rc >= 0)
		return key_check(o, notes);
	if (memmem(pem.p, pem.n, "ENCRYPTED", 9) != NULL)
		note(notes, true, false, "the key has a passphrase, and nobody "
		    "is there to type it; take it off with: openssl pkey -in "
		    "FILE -out NEWFILE");
	else
		note(notes, true, false, "there is no private key in it (%s)",
		    gnutls_strerror(rc));
	return -1;
}

/* ---- the chain ---- */

struct found {
	gnutls_x509_crt_t	v[TLS_OWN_CHAIN_MAX];
	unsigned		n;
};

static int
chain_read(struct span pem, struct found *f, struct tls_own_notes *notes)
{
	const gnutls_datum_t d = { (unsigned char *)(uintptr_t)pem.p,
	    (unsigned)pem.n };
	int rc;

	f->n = TLS_OWN_CHAIN_MAX;
	rc = gnutls_x509_crt_list_import(f->v, &f->n, &d, GNUTLS_X509_FMT_PEM,
	    GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
	if (rc > 0) {
		f->n = (unsigned)rc;
		return 0;
	}
	f->n = 0;
	if (rc == GNUTLS_E_SHORT_MEMORY_BUFFER)
		note(notes, false, false, "more than %d certificates in it",
		    TLS_OWN_CHAIN_MAX);
	else
		note(notes, false, false, "there is no certificate in it, or "
		    "one that cannot be read (%s)", rc == 0 ? "empty" :
		    gnutls_strerror(rc));
	return -1;
}

static void
take(struct tls_own *o, struct found *f, unsigned i)
{
	o->chain[o->n++] = f->v[i];
	f->v[i] = NULL;
}

static bool
find_leaf(const struct tls_own *o, const struct found *f, unsigned *at)
{
	for (*at = 0; *at < f->n; (*at)++)
		if (tls_cert_fits(f->v[*at], o->key))
			return true;
	return false;
}

static bool
find_issuer(const struct tls_own *o, const struct found *f, unsigned *at)
{
	gnutls_x509_crt_t last = o->chain[o->n - 1];

	if (gnutls_x509_crt_check_issuer(last, last))
		return false;		/* a root */
	for (*at = 0; *at < f->n; (*at)++)
		if (f->v[*at] != NULL &&
		    gnutls_x509_crt_check_issuer(last, f->v[*at]))
			return true;
	return false;
}

static int
chain_order(struct tls_own *o, struct found *f, struct tls_own_notes *notes)
{
	bool moved = false;
	char name[80];
	unsigned at;

	if (!find_leaf(o, f, &at)) {
		note(notes, true, false, "the key belongs to no certificate of "
		    "`chain`, whose first is for %s", name_of(f->v[0], name));
		return -1;
	}
	moved = at != 0;
	take(o, f, at);
	while (find_issuer(o, f, &at)) {
		moved |= at != o->n;
		take(o, f, at);
	}
	if (moved)
		note(notes, false, true, "the certificates are in another "
		    "order than they are sent in; %s goes first",
		    name_of(o->chain[0], name));
	for (at = 0; at < f->n; at++)
		if (f->v[at] != NULL)
			note(notes, false, true, "certificate %u, for %s, is "
			    "not one of its issuers and is not sent", at + 1,
			    name_of(f->v[at], name));
	return 0;
}

static void
check_dates(const struct tls_own *o, uint64_t now, struct tls_own_notes *notes)
{
	char text[CLOCK_RFC3339_SIZE], name[80];

	for (unsigned i = 0; i < o->n; i++) {
		time_t from = gnutls_x509_crt_get_activation_time(o->chain[i]);
		time_t to = gnutls_x509_crt_get_expiration_time(o->chain[i]);

		if (from >= 0 && (uint64_t)from > now) {
			clock_rfc3339((uint64_t)from * 1000, 0, text);
			note(notes, false, true, "the certificate for %s is "
			    "not valid before %s", name_of(o->chain[i], name),
			    text);
		}
		if (to >= 0 && (uint64_t)to < now) {
			clock_rfc3339((uint64_t)to * 1000, 0, text);
			note(notes, false, true, "the certificate for %s has "
			    "expired at %s", name_of(o->chain[i], name), text);
		}
	}
}

/* ---- both ---- */

struct tls_own *
tls_own_read(struct span chain_pem, struct span key_pem, uint64_t now,
    struct tls_own_notes *notes)
{
	struct tls_own *o = calloc(1, sizeof *o);
	struct found f = { .n = 0 };

	notes->n = 0;
	if (o == NULL) {
		note(notes, false, false, "no memory");
		return NULL;
	}
	if (chain_read(chain_pem, &f, notes) == -1 ||
	    key_read(o, key_pem, notes) == -1 ||
	    chain_order(o, &f, notes) == -1)
		tls_own_free(&o);
	else
		check_dates(o, now, notes);
	for (unsigned i = 0; i < f.n; i++)
		if (f.v[i] != NULL)
			gnutls_x509_crt_deinit(f.v[i]);
	return o;
}

void
tls_own_free(struct tls_own **op)
{
	struct tls_own *o = *op;

	if (o == NULL)
		return;
	*op = NULL;
	for (unsigned i = 0; i < o->n; i++)
		gnutls_x509_crt_deinit(o->chain[i]);
	/* GnuTLS overwrites the numbers of a private key here. */
	if (o->key != NULL)
		gnutls_x509_privkey_deinit(o->key);
	free(o);
}

bool
tls_own_names(const struct tls_own *o, const char *host)
{
	return gnutls_x509_crt_check_hostname(o->chain[0], host) != 0;
}

bool
tls_own_self_signed(const struct tls_own *o)
{
	return gnutls_x509_crt_check_issuer(o->chain[0], o->chain[0]) != 0;
}

bool
tls_own_is_rsa(const struct tls_own *o)
{
	return gnutls_x509_privkey_get_pk_algorithm(o->key) == GNUTLS_PK_RSA;
}

int
tls_own_pem(const struct tls_own *o, struct buf *to)
{
	for (unsigned i = 0; i < o->n; i++) {
		gnutls_datum_t d;

		if (gnutls_x509_crt_export2(o->chain[i], GNUTLS_X509_FMT_PEM,
		    &d) < 0)
			return -1;
		buf_add(to, d.data, d.size);
		gnutls_free(d.data);
	}
	return to->failed ? -1 : 0;
}

int
tls_own_list(const struct tls_own *o, struct buf *to)
{
	for (unsigned i = 0; i < o->n; i++) {
		struct ipc_chain_cert c;
		gnutls_datum_t d;
		int rc;

		if (gnutls_x509_crt_export2(o->chain[i], GNUTLS_X509_FMT_DER,
		    &d) < 0)
			return -1;
		c.der = span_of(d.data, d.size);
		rc = ipc_put_chain_cert(to, &c);
		gnutls_free(d.data);
		if (rc == -1)
			return -1;
	}
	return 0;
}

int
tls_own_key_pem(const struct tls_own *o, struct buf *to)
{
	gnutls_datum_t d;
	int rc;

	if (gnutls_x509_privkey_export2_pkcs8(o->key, GNUTLS_X509_FMT_PEM, NULL,
	    GNUTLS_PKCS_PLAIN, &d) < 0)
		return -1;
	rc = buf_add(to, d.data, d.size);
	gnutls_memset(d.data, 0, d.size);
	gnutls_free(d.data);
	return rc;
}

size_t
tls_own_list_head(struct span certs, size_t most)
{
	struct span rest = certs;
	struct ipc_own_cert own;
	size_t n = 0;

	while (ipc_get_own_cert(&rest, &own) == 1 && certs.n - rest.n <= most)
		n = certs.n - rest.n;
	return n;
}
