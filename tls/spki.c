/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/spki.c - see spki.h.  Walks only the outer shape of RFC 5280 sec 4.1. */
#include "tls/spki.h"

#include <stdint.h>

#define DER_INTEGER	0x02
#define DER_BIT_STRING	0x03
#define DER_OID		0x06
#define DER_SEQUENCE	0x30
#define DER_VERSION	0xa0	/* [0] EXPLICIT */

/* Takes one element off *s: all of it in *whole, its content in *body. */
static bool
der_take(struct span *s, uint8_t tag, struct span *whole, struct span *body)
{
	const uint8_t *p = (const uint8_t *)s->p;
	size_t head = 2, n;

	if (s->n < 2 || p[0] != tag)
		return false;
	n = p[1];
	if (n >= 0x80) {
		size_t bytes = n & 0x7f;

		/* DER has no indefinite length; no certificate needs 2^24. */
		if (bytes == 0 || bytes > 3 || s->n < 2 + bytes)
			return false;
		n = 0;
		for (size_t i = 0; i < bytes; i++)
			n = n << 8 | p[2 + i];
		head += bytes;
	}
	if (n > s->n - head)
		return false;
	*whole = span_head(*s, head + n);
	*body = span_of(s->p + head, n);
	*s = span_skip(*s, head + n);
	return true;
}

bool
tls_spki(struct span der, struct span *spki)
{
	/* serial, signature, issuer, validity, subject */
	static const uint8_t before[] = { DER_INTEGER, DER_SEQUENCE,
	    DER_SEQUENCE, DER_SEQUENCE, DER_SEQUENCE };
	struct span whole, cert, tbs, body;

	if (!der_take(&der, DER_SEQUENCE, &whole, &cert) ||
	    !der_take(&cert, DER_SEQUENCE, &whole, &tbs))
		return false;
	/* Absent in version 1. */
	(void)der_take(&tbs, DER_VERSION, &whole, &body);
	for (size_t i = 0; i < sizeof before; i++)
		if (!der_take(&tbs, before[i], &whole, &body))
			return false;
	return der_take(&tbs, DER_SEQUENCE, spki, &body);
}

/* RFC 8017 app A: 1.2.840.113549.1.1.1 and .10 */
static bool
oid_is_rsa(struct span oid)
{
	static const char rsa[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
	static const char pss[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";

	return span_eq(oid, span_of(rsa, sizeof rsa - 1)) ||
	    span_eq(oid, span_of(pss, sizeof pss - 1));
}

bool
tls_spki_rsa(struct span spki, struct span *modulus, struct span *exponent)
{
	struct span whole, info, alg, oid, key, numbers;

	if (!der_take(&spki, DER_SEQUENCE, &whole, &info) ||
	    !der_take(&info, DER_SEQUENCE, &whole, &alg) ||
	    !der_take(&alg, DER_OID, &whole, &oid) || !oid_is_rsa(oid) ||
	    !der_take(&info, DER_BIT_STRING, &whole, &key))
		return false;
	key = span_skip(key, 1);	/* count of unused bits: none */
	return der_take(&key, DER_SEQUENCE, &whole, &numbers) &&
	    der_take(&numbers, DER_INTEGER, &whole, modulus) &&
	    der_take(&numbers, DER_INTEGER, &whole, exponent);
}
