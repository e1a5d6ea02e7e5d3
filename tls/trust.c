/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/trust.c - see trust.h. */
#include "tls/trust.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include <gnutls/x509.h>

#include "tls/chain.h"
#include "tls/san.h"

struct tls_trust {
	gnutls_x509_trust_list_t list;
};

static const char *const names[TLS_VERDICTS] = {
	"valid", "untrusted", "expired", "name-mismatch",
};

const char *
tls_verdict_name(enum tls_verdict v)
{
	assert((unsigned)v < TLS_VERDICTS);
	return names[v];
}

struct tls_trust *
tls_trust_load(const char *path, struct fault *f)
{
	struct tls_trust *t = calloc(1, sizeof *t);
	int n;

	if (t == NULL || gnutls_x509_trust_list_init(&t->list, 0) < 0) {
		free(t);
		fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
		return NULL;
	}
	n = gnutls_x509_trust_list_add_trust_file(t->list, path, NULL,
	    GNUTLS_X509_FMT_PEM, 0, 0);
	if (n > 0)
		return t;
	fault_set(f, FAULT_PERM, 0, NULL, "%.150s: %s", path,
	    n == 0 ? "no certificate in it" : gnutls_strerror(n));
	tls_trust_free(&t);
	return NULL;
}

void
tls_trust_free(struct tls_trust **tp)
{
	struct tls_trust *t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	gnutls_x509_trust_list_deinit(t->list, 1);
	free(t);
}

/* ---- judging ---- */

struct chain {
	gnutls_x509_crt_t	crt[TLS_CHAIN_MAX];
	unsigned		n;
};

static void
chain_free(struct chain *c)
{
	while (c->n > 0)
		gnutls_x509_crt_deinit(c->crt[--c->n]);
}

static bool
chain_read(const struct tls_chain *from, struct chain *c)
{
	c->n = 0;
	for (size_t i = 0; i < from->n; i++) {
		const gnutls_datum_t der = {
			(unsigned char *)(uintptr_t)from->cert[i].p,
			(unsigned)from->cert[i].n };

		if (gnutls_x509_crt_init(&c->crt[i]) < 0)
			break;
		c->n++;
		if (gnutls_x509_crt_import(c->crt[i], &der,
		    GNUTLS_X509_FMT_DER) < 0) {
			chain_free(c);
			return false;
		}
	}
	return c->n > 0;
}

/* A name that does not match is told only of a chain that is good: a stranger's
 * certificate is untrusted first. */
static enum tls_verdict
verdict_of(unsigned status)
{
	const unsigned dates = GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED;
	unsigned rest = status & ~(unsigned)GNUTLS_CERT_INVALID;

	if (status == 0)
		return TLS_VALID;
	if (rest & ~(dates | GNUTLS_CERT_UNEXPECTED_OWNER))
		return TLS_UNTRUSTED;
	if (rest & dates)
		return TLS_EXPIRED;
	return rest & GNUTLS_CERT_UNEXPECTED_OWNER ? TLS_NAME_MISMATCH :
	    TLS_UNTRUSTED;
}

static void
explain(unsigned status, struct fault *f)
{
	gnutls_datum_t text = { NULL, 0 };

	if (gnutls_certificate_verification_status_print(status,
	    GNUTLS_CRT_X509, &text, 0) == 0)
		fault_set(f, FAULT_TEMP, 0, NULL, "%s", (char *)text.data);
	else
		fault_set(f, FAULT_TEMP, 0, NULL, "not valid (%#x)", status);
	gnutls_free(text.data);
}

enum tls_verdict
tls_trust_judge(const struct tls_trust *t, const struct tls_chain *chain,
    const char *host, struct fault *f)
{
	gnutls_typed_vdata_st want[2] = {
		{ .type = GNUTLS_DT_DNS_HOSTNAME,
		    .data = (unsigned char *)(uintptr_t)host },
		{ .type = GNUTLS_DT_KEY_PURPOSE_OID,
		    .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_SERVER },
	};
	unsigned status = GNUTLS_CERT_INVALID;
	struct chain c;

	if (!chain_read(chain, &c)) {
		fault_set(f, FAULT_TEMP, 0, NULL, "no certificate was sent, "
		    "or one that cannot be read");
		return TLS_UNTRUSTED;
	}
	if (gnutls_x509_trust_list_verify_crt2(t->list, c.crt, c.n, want, 2,
	    0, &status, NULL) < 0)
		status = GNUTLS_CERT_INVALID;
	chain_free(&c);
	if (status == 0 && !tls_cert_has_dns_name(chain->cert[0])) {
		fault_set(f, FAULT_TEMP, 0, NULL,
		    "the certificate names no host in a DNS-ID");
		return TLS_NAME_MISMATCH;
	}
	if (status != 0)
		explain(status, f);
	return verdict_of(status);
}
