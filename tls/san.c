/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/san.c - see san.h. */
#include "tls/san.h"

#include <stdint.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

static bool
has_dns_name(gnutls_x509_crt_t crt)
{
	unsigned type;
	int rc = 0;

	for (unsigned i = 0; rc != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE; i++) {
		size_t n = 0;

		/* No room is given: only the type is of interest. */
		rc = gnutls_x509_crt_get_subject_alt_name2(crt, i, NULL, &n,
		    &type, NULL);
		if (rc == GNUTLS_E_SHORT_MEMORY_BUFFER || rc >= 0) {
			if (type == GNUTLS_SAN_DNSNAME)
				return true;
		} else if (rc != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
			return false;
		}
	}
	return false;
}

bool
tls_cert_has_dns_name(struct span der)
{
	const gnutls_datum_t d = { (unsigned char *)(uintptr_t)der.p,
	    (unsigned)der.n };
	gnutls_x509_crt_t crt;
	bool has;

	if (der.n == 0 || gnutls_x509_crt_init(&crt) < 0)
		return false;
	has = gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_DER) >= 0 &&
	    has_dns_name(crt);
	gnutls_x509_crt_deinit(crt);
	return has;
}

bool
tls_peer_has_dns_name(void *session)
{
	unsigned n = 0;
	const gnutls_datum_t *chain =
	    gnutls_certificate_get_peers((gnutls_session_t)session, &n);

	return chain != NULL && n > 0 &&
	    tls_cert_has_dns_name(span_of(chain[0].data, chain[0].size));
}
