/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dane/match.c - see match.h. */
#include "dane/match.h"

#include <stdlib.h>

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "dane/anchor.h"
#include "tls/spki.h"

#define DIGEST_MAX	64

/* A certificate of the chain with all that records are compared with. */
struct link {
	gnutls_x509_crt_t crt;
	struct span	  value[2];		/* by selector */
	uint8_t		  digest[2][3][DIGEST_MAX];	/* and matching type */
};

struct path {
	struct link	 link[TLS_CHAIN_MAX];
	size_t		 n;
	unsigned	 verified;	/* chains, against DANE_PATHS_MAX */
	const char	*wrong;		/* what was closest */
};

static const char *const verdict_names[] = {
	[DANE_MATCH] = "match",
	[DANE_MISMATCH] = "mismatch",
	[DANE_UNUSABLE] = "unusable",
};

const char *
dane_verdict_name(enum dane_verdict v)
{
	return verdict_names[v];
}

/* ---- the chain ---- */

static void
path_close(struct path *p)
{
	while (p->n > 0)
		gnutls_x509_crt_deinit(p->link[--p->n].crt);
}

static bool
link_fill(struct link *l, struct span der)
{
	static const gnutls_digest_algorithm_t algorithms[] = {
		[TLSA_SHA256] = GNUTLS_DIG_SHA256,
		[TLSA_SHA512] = GNUTLS_DIG_SHA512,
	};

	l->value[TLSA_CERT] = der;
	if (!tls_spki(der, &l->value[TLSA_SPKI]))
		return false;
	for (int s = 0; s < 2; s++)
		for (int m = TLSA_SHA256; m <= TLSA_SHA512; m++)
			if (gnutls_hash_fast(algorithms[m], l->value[s].p,
			    l->value[s].n, l->digest[s][m]) < 0)
				return false;
	return true;
}

static gnutls_x509_crt_t
cert_of(struct span der)
{
	const gnutls_datum_t d = { (unsigned char *)(uintptr_t)der.p,
	    (unsigned)der.n };
	gnutls_x509_crt_t crt;

	if (gnutls_x509_crt_init(&crt) < 0)
		return NULL;
	if (gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_DER) == 0)
		return crt;
	gnutls_x509_crt_deinit(crt);
	return NULL;
}

/* As far as it can be read: what stands behind the leaf may be junk. */
static bool
path_open(struct path *p, const struct tls_chain *chain)
{
	*p = (struct path){ .n = 0 };
	for (size_t i = 0; i < chain->n; i++) {
		struct link *l = &p->link[p->n];

		l->crt = cert_of(chain->cert[i]);
		if (l->crt == NULL)
			break;
		if (!link_fill(l, chain->cert[i])) {
			gnutls_x509_crt_deinit(l->crt);
			break;
		}
		p->n++;
	}
	return p->n > 0;
}

/* ---- does a record speak of a certificate? ---- */

static bool
speaks_of(const struct tlsa *t, const struct link *l)
{
	if (t->matching == TLSA_FULL)
		return span_eq(t->data, l->value[t->selector]);
	return memcmp(t->data.p, l->digest[t->selector][t->matching],
	    t->data.n) == 0;
}

/* ---- DANE-TA ---- */

/* The certificates that may stand between the leaf and this anchor.  None of
 * the anchor's own name: GnuTLS would go past it to what is above, where the
 * list of trust has nothing, and it takes an anchor inside a chain for one only
 * when it signed itself or came last. */
static unsigned
below_anchor(const struct path *p, gnutls_x509_crt_t anchor,
    gnutls_x509_crt_t certs[TLS_CHAIN_MAX])
{
	gnutls_datum_t name, other;
	unsigned n = 0;

	if (gnutls_x509_crt_get_raw_dn(anchor, &name) < 0)
		return 0;
	for (size_t i = 0; i < p->n; i++) {
		if (gnutls_x509_crt_get_raw_dn(p->link[i].crt, &other) < 0)
			continue;
		if (i == 0 || other.size != name.size ||
		    memcmp(other.data, name.data, name.size) != 0)
			certs[n++] = p->link[i].crt;
		gnutls_free(other.data);
	}
	gnutls_free(name.data);
	return n;
}

/* Dates, constraints, purpose and signatures from the leaf to this anchor. */
static bool
leads_to(struct path *p, gnutls_x509_crt_t anchor)
{
	gnutls_typed_vdata_st server = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
	    .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_SERVER };
	gnutls_x509_crt_t certs[TLS_CHAIN_MAX];
	gnutls_x509_trust_list_t list;
	unsigned n, status = GNUTLS_CERT_INVALID;
	gnutls_x509_crt_t copy = anchor;

	if (++p->verified > DANE_PATHS_MAX)
		return false;
	n = below_anchor(p, anchor, certs);
	if (n == 0 || gnutls_x509_trust_list_init(&list, 0) < 0)
		return false;
	if (gnutls_x509_trust_list_add_cas(list, &copy, 1, 0) != 1 ||
	    gnutls_x509_trust_list_verify_crt2(list, certs, n, &server, 1, 0,
	    &status, NULL) < 0)
		status = GNUTLS_CERT_INVALID;
	/* Not `all`: the certificates are the path's. */
	gnutls_x509_trust_list_deinit(list, 0);
	if (status != 0)
		p->wrong = status & (GNUTLS_CERT_EXPIRED |
		    GNUTLS_CERT_NOT_ACTIVATED) ? "the chain to the trust "
		    "anchor is out of its time" :
		    "no valid chain leads to the trust anchor";
	return status == 0;
}

static bool
names_match(struct path *p, const char *const *names)
{
	for (; *names != NULL; names++)
		if (gnutls_x509_crt_check_hostname(p->link[0].crt, *names) != 0)
			return true;
	p->wrong = "the certificate names other hosts";
	return false;
}

/* Not the leaf: as an anchor it would vouch for itself. */
static bool
anchor_in_chain(struct path *p, const struct tlsa *t)
{
	for (size_t i = 1; i < p->n; i++)
		if (speaks_of(t, &p->link[i]) &&
		    !span_eq(p->link[i].value[TLSA_CERT],
		    p->link[0].value[TLSA_CERT]) &&
		    leads_to(p, p->link[i].crt))
			return true;
	return false;
}

/* 2 0 0: the certificate is in the DNS, whether it was sent or not. */
static bool
anchor_whole(struct path *p, const struct tlsa *t)
{
	gnutls_x509_crt_t crt;
	bool ok;

	if (span_eq(t->data, p->link[0].value[TLSA_CERT]))
		return false;
	crt = cert_of(t->data);
	if (crt == NULL)
		return false;
	ok = leads_to(p, crt);
	gnutls_x509_crt_deinit(crt);
	return ok;
}

/* The key in the DNS may have issued any certificate of the chain. */
static bool
anchor_issued(struct path *p, size_t i, const struct tlsa *t, struct buf *der)
{
	gnutls_datum_t issuer = { NULL, 0 };
	gnutls_x509_crt_t crt = NULL;
	bool ok = false;

	if (gnutls_x509_crt_get_raw_issuer_dn(p->link[i].crt, &issuer) < 0)
		return false;
	if (dane_anchor(span_of(issuer.data, issuer.size), t->data, der) == 0)
		crt = cert_of(buf_get(der));
	if (crt != NULL) {
		ok = leads_to(p, crt);
		gnutls_x509_crt_deinit(crt);
	}
	gnutls_free(issuer.data);
	return ok;
}

static bool
anchor_key(struct path *p, const struct tlsa *t)
{
	struct buf der;
	bool ok = false;

	buf_init(&der, DANE_ANCHOR_MAX);
	for (size_t i = p->n; i > 0 && !ok; i--)
		ok = anchor_issued(p, i - 1, t, &der);
	buf_free(&der);
	return ok;
}

static bool
match_ta(struct path *p, const struct tlsa *t, const char *const *names)
{
	bool led = anchor_in_chain(p, t);

	if (!led && t->matching == TLSA_FULL)
		led = t->selector == TLSA_CERT ? anchor_whole(p, t) :
		    anchor_key(p, t);
	return led && names_match(p, names);
}

/* ---- all of it ---- */

/* DANE-EE: neither names nor dates count (RFC 7672 sec 3.1.1). */
static bool
matches(struct path *p, const struct tlsa *t, const char *const *names)
{
	return t->usage == TLSA_DANE_EE ? speaks_of(t, &p->link[0]) :
	    match_ta(p, t, names);
}

enum dane_verdict
dane_match(const struct tlsa *records, size_t n, const struct tls_chain *chain,
    const char *const *names, int *which, struct fault *f)
{
	enum dane_verdict v = DANE_UNUSABLE;
	struct path p;
	size_t at;

	if (which != NULL)
		*which = -1;
	for (at = 0; at < n && v == DANE_UNUSABLE; at++)
		if (records[at].use == TLSA_USED)
			v = DANE_MISMATCH;
	if (v == DANE_UNUSABLE)
		return v;
	if (!path_open(&p, chain)) {
		fault_set(f, FAULT_TEMP, 0, "4.7.5",
		    "no certificate was sent, or one that cannot be read");
		return DANE_MISMATCH;
	}
	p.wrong = "no certificate is that of a TLSA record";
	for (size_t i = 0; i < n && v == DANE_MISMATCH; i++)
		if (records[i].use == TLSA_USED &&
		    matches(&p, &records[i], names)) {
			v = DANE_MATCH;
			if (which != NULL)
				*which = (int)i;
		}
	if (v == DANE_MISMATCH)
		fault_set(f, FAULT_TEMP, 0, "4.7.5", "%s", p.wrong);
	path_close(&p);
	return v;
}
