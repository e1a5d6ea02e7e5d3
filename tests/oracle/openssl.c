/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/oracle/openssl.c - OpenSSL's DANE verifier, used as its documentation
 * tells a mail client to: usages 2 and 3 alone, no names with usage 3 (RFC 7672
 * sec 3.1.1, 3.1.3).  No connection is needed for it. */
#include <stdlib.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tests/oracle/oracle.h"

static SSL_CTX *context;

static void
require(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "oracle: OpenSSL: %s\n", what);
	exit(2);
}

void
openssl_open(void)
{
	context = SSL_CTX_new(TLS_client_method());
	require(context != NULL && SSL_CTX_dane_enable(context) == 1, "context");
	SSL_CTX_dane_set_flags(context, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
}

void
openssl_close(void)
{
	SSL_CTX_free(context);
}

static size_t
add_records(SSL *ssl, const struct question *q)
{
	size_t used = 0;

	for (size_t i = 0; i < q->nrecords; i++) {
		const uint8_t *p = q->rdata[i];

		if (q->rdata_len[i] >= 3 && (p[0] == 2 || p[0] == 3) &&
		    SSL_dane_tlsa_add(ssl, p[0], p[1], p[2], p + 3,
		    q->rdata_len[i] - 3) == 1)
			used++;
	}
	return used;
}

static STACK_OF(X509) *
read_chain(const struct tls_chain *c)
{
	STACK_OF(X509) *certs = sk_X509_new_null();

	for (size_t i = 0; i < c->n; i++) {
		const unsigned char *p = (const unsigned char *)c->cert[i].p;
		X509 *x = d2i_X509(NULL, &p, (long)c->cert[i].n);

		require(x != NULL && sk_X509_push(certs, x) > 0, "chain");
	}
	return certs;
}

static bool
verify(SSL *ssl, STACK_OF(X509) *certs, const char **why)
{
	X509_STORE_CTX *v = X509_STORE_CTX_new();
	X509_STORE *none = X509_STORE_new();
	bool ok;

	require(v != NULL && none != NULL && X509_STORE_CTX_init(v, none,
	    sk_X509_value(certs, 0), certs) == 1, "verification");
	X509_STORE_CTX_set_default(v, "ssl_server");
	X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(v),
	    SSL_get0_param(ssl));
	X509_STORE_CTX_set0_dane(v, SSL_get0_dane(ssl));
	ok = X509_verify_cert(v) == 1;
	*why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(v));
	X509_STORE_CTX_free(v);
	X509_STORE_free(none);
	return ok;
}

enum dane_verdict
openssl_judge(const struct question *q, const char **why)
{
	SSL *ssl = SSL_new(context);
	enum dane_verdict verdict = DANE_UNUSABLE;
	STACK_OF(X509) *certs;

	*why = "";
	require(ssl != NULL && SSL_dane_enable(ssl, ORACLE_HOST) == 1, "DANE");
	if (add_records(ssl, q) > 0) {
		certs = read_chain(&q->chain);
		verdict = verify(ssl, certs, why) ? DANE_MATCH : DANE_MISMATCH;
		sk_X509_pop_free(certs, X509_free);
	}
	SSL_free(ssl);
	return verdict;
}
