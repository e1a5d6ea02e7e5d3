/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/facts.c - what a finished handshake came to, in the words of the log. */
#include "tls/session_priv.h"

#include <stdio.h>
#include <time.h>
#include <gnutls/x509.h>

#include "base/clock.h"
#include "tls/chain.h"
#include "tls/fingerprint.h"
#include "tls/spki.h"

static void
fact(char *to, size_t size, const char *name)
{
	if (name != NULL)
		(void)span_copy(span_str(name), to, size);
}

/* The group where there is one; else what the old exchange is called, with the
 * size of a group that has no name, because that is what makes it weak. */
static void
fact_kx(gnutls_session_t g, char *to, size_t size)
{
	const char *group = gnutls_group_get_name(gnutls_group_get(g));
	gnutls_kx_algorithm_t kx = gnutls_kx_get(g);

	if (group != NULL)
		fact(to, size, group);
	else if (kx == GNUTLS_KX_DHE_RSA || kx == GNUTLS_KX_DHE_DSS)
		snprintf(to, size, "DHE-%d", gnutls_dh_get_prime_bits(g));
	else
		fact(to, size, gnutls_kx_get_name(kx));
}

#define DH_BITS_GOOD	2048	/* RFC 7919 sec 1 */

/* Ciphers are not among it: GnuTLS offers no weak ones. */
static void
fact_weak(gnutls_session_t g, char *to, size_t size)
{
	gnutls_kx_algorithm_t kx = gnutls_kx_get(g);
	gnutls_protocol_t version = gnutls_protocol_get_version(g);
	bool dh = (kx == GNUTLS_KX_DHE_RSA || kx == GNUTLS_KX_DHE_DSS) &&
	    gnutls_dh_get_prime_bits(g) < DH_BITS_GOOD;
	const struct { bool is; const char *word; } words[] = {
		{ version == GNUTLS_TLS1_0 || version == GNUTLS_TLS1_1,
		    "version" },
		{ dh, "dh" },
		{ kx == GNUTLS_KX_RSA, "no-pfs" },
	};
	int at = 0;

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (words[i].is)
			at += snprintf(to + at, size - (size_t)at, "%s%s",
			    at == 0 ? "" : ",", words[i].word);
}

void
tls_session_peer_chain(const struct tls_session *s, struct tls_chain *c)
{
	unsigned n = 0;
	const gnutls_datum_t *sent = gnutls_certificate_get_peers(s->g, &n);

	for (c->n = 0; sent != NULL && c->n < n && c->n < TLS_CHAIN_MAX; c->n++)
		c->cert[c->n] = span_of(sent[c->n].data, sent[c->n].size);
}

static struct span
peer_leaf(const struct tls_session *s)
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(s->g, &n);

	if (chain == NULL || n == 0)
		return SPAN_NONE;
	return span_of(chain[0].data, chain[0].size);
}

void
tls_session_facts(const struct tls_session *s, struct tls_facts *f)
{
	struct span spki;

	tls_facts_clear(f);
	fact(f->version, sizeof f->version,
	    gnutls_protocol_get_name(gnutls_protocol_get_version(s->g)));
	fact(f->cipher, sizeof f->cipher,
	    gnutls_cipher_get_name(gnutls_cipher_get(s->g)));
	fact_kx(s->g, f->kx, sizeof f->kx);
	fact_weak(s->g, f->weak, sizeof f->weak);
	f->resumed = gnutls_session_is_resumed(s->g) != 0;
	if (tls_spki(peer_leaf(s), &spki))
		(void)tls_sha256_hex(spki, f->spki);
}

void
tls_session_peer_cert(const struct tls_session *s, char not_after[24],
    char *issuer, size_t issuer_size)
{
	struct span der = peer_leaf(s);
	const gnutls_datum_t d = { (unsigned char *)(uintptr_t)der.p,
	    (unsigned)der.n };
	char text[CLOCK_RFC3339_SIZE];
	gnutls_x509_crt_t crt;
	gnutls_datum_t dn;
	time_t end;

	not_after[0] = '\0';
	issuer[0] = '\0';
	if (der.n == 0 || gnutls_x509_crt_init(&crt) < 0)
		return;
	if (gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_DER) == 0) {
		end = gnutls_x509_crt_get_expiration_time(crt);
		if (end >= 0) {
			clock_rfc3339((uint64_t)end * 1000, 0, text);
			(void)span_copy(span_str(text), not_after, 24);
		}
		if (gnutls_x509_crt_get_issuer_dn3(crt, &dn, 0) == 0) {
			/* A DN too long for its reader is cut, not dropped. */
			(void)span_copy(span_of(dn.data, dn.size), issuer,
			    issuer_size);
			gnutls_free(dn.data);
		}
	}
	gnutls_x509_crt_deinit(crt);
}
