/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/guard.c - see guard.h. */
#include "tls/guard.h"

#include <stdint.h>

#include "tls/spki.h"

/* A field of `bytes` length bytes and as many bytes as they say. */
static bool
take(struct span *s, unsigned bytes, struct span *field)
{
	size_t n = 0;

	if (s->n < bytes)
		return false;
	for (unsigned i = 0; i < bytes; i++)
		n = n << 8 | (uint8_t)s->p[i];
	*s = span_skip(*s, bytes);
	if (n > s->n)
		return false;
	*field = span_head(*s, n);
	*s = span_skip(*s, n);
	return true;
}

/* Bits of an unsigned number in bytes. */
static size_t
bits_of(struct span number)
{
	uint8_t top;
	size_t bits;

	while (number.n > 0 && number.p[0] == 0)
		number = span_skip(number, 1);
	if (number.n == 0)
		return 0;
	bits = 8 * number.n;
	for (top = (uint8_t)number.p[0]; top < 0x80; top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

static const char *
check_key(struct span der)
{
	struct span spki, n, e;

	if (!tls_spki(der, &spki) || !tls_spki_rsa(spki, &n, &e))
		return NULL;
	if (bits_of(n) > TLS_RSA_BITS_MAX)
		return "an RSA key of more than 16384 bits";
	if (bits_of(e) > TLS_RSA_E_BITS_MAX)
		return "an RSA key with an exponent of more than 64 bits";
	return NULL;
}

const char *
tls_guard_certificate(struct span body, bool tls13)
{
	struct span list, der, skipped;
	const char *trouble = NULL;

	if ((tls13 && !take(&body, 1, &skipped)) || !take(&body, 3, &list))
		return NULL;
	for (unsigned n = 1; list.n > 0 && trouble == NULL; n++) {
		if (!take(&list, 3, &der) ||
		    (tls13 && !take(&list, 2, &skipped)))
			return NULL;
		trouble = n > TLS_CHAIN_MAX ?
		    "a chain of more than 32 certificates" : check_key(der);
	}
	return trouble;
}

const char *
tls_guard_dh(struct span body)
{
	struct span prime;

	if (!take(&body, 2, &prime) || bits_of(prime) <= TLS_DH_BITS_MAX)
		return NULL;
	return "a DH group of more than 8192 bits";
}
