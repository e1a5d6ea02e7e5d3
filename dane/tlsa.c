/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dane/tlsa.c - see tlsa.h. */
#include "dane/tlsa.h"

#include <stdio.h>

#include "tls/spki.h"

#define FIELDS	3	/* bytes in front of the data */

/* Length of a digest; 0: the data is no digest. */
static size_t
digest_size(unsigned matching)
{
	return matching == TLSA_SHA256 ? 32 : matching == TLSA_SHA512 ? 64 : 0;
}

/* NULL: usable. */
static const char *
unusable(const struct tlsa *t)
{
	struct span spki;

	/* RFC 7672 sec 3.1.3: no authorities are agreed on in SMTP. */
	if (t->usage == TLSA_PKIX_TA || t->usage == TLSA_PKIX_EE)
		return "usage is not for mail";
	if (t->usage > TLSA_DANE_EE)
		return "unknown usage";
	if (t->selector > TLSA_SPKI)
		return "unknown selector";
	if (t->matching > TLSA_SHA512)
		return "unknown matching type";
	if (t->matching != TLSA_FULL)
		return t->data.n == digest_size(t->matching) ? NULL :
		    "digest of a wrong length";
	if (t->selector == TLSA_CERT)
		return tls_spki(t->data, &spki) ? NULL : "not a certificate";
	return t->data.n > 0 ? NULL : "no key";
}

void
tlsa_read(struct span rdata, struct tlsa *t)
{
	const uint8_t *p = (const uint8_t *)rdata.p;

	*t = (struct tlsa){ .use = TLSA_UNUSABLE, .why = "too short" };
	if (rdata.n < FIELDS)
		return;
	t->usage = p[0];
	t->selector = p[1];
	t->matching = p[2];
	t->data = span_skip(rdata, FIELDS);
	t->why = unusable(t);
	if (t->why == NULL) {
		t->use = TLSA_USED;
		t->why = "";
	}
}

/* Within one usage and selector; the full value is no digest and stays beside
 * any of them (RFC 7671 sec 9). */
static bool
is_weaker(const struct tlsa *t, const struct tlsa *beside)
{
	return beside->use != TLSA_UNUSABLE && t->matching != TLSA_FULL &&
	    beside->matching > t->matching && beside->usage == t->usage &&
	    beside->selector == t->selector;
}

size_t
tlsa_choose(struct tlsa *v, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n && v[i].use == TLSA_USED; j++)
			if (is_weaker(&v[i], &v[j]))
				v[i].use = TLSA_WEAKER;
		used += v[i].use == TLSA_USED;
	}
	return used;
}

const char *
tlsa_text(const struct tlsa *t, char out[TLSA_TEXT_SIZE])
{
	int at = snprintf(out, TLSA_TEXT_SIZE, "%u %u %u ", t->usage,
	    t->selector, t->matching);

	for (size_t i = 0; i < t->data.n && at < TLSA_TEXT_SIZE - 6; i++)
		at += snprintf(out + at, TLSA_TEXT_SIZE - (size_t)at, "%02x",
		    (unsigned char)t->data.p[i]);
	if (at >= TLSA_TEXT_SIZE - 6)
		(void)snprintf(out + at, TLSA_TEXT_SIZE - (size_t)at, "...");
	return out;
}
