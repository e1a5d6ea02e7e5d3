/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any bytes as TLSA records, each with its length in front, and the rest as
 * the only certificate of a chain: what is used is well-formed, and of several
 * digests of one kind only the strongest. */
#include "dane/match.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"

#define RECORDS	16

static void
check_used(const struct tlsa *v, size_t n)
{
	char text[TLSA_TEXT_SIZE];

	for (size_t i = 0; i < n; i++) {
		const struct tlsa *t = &v[i];

		require_printable(span_str(tlsa_text(t, text)));
		require((t->use == TLSA_UNUSABLE) == (t->why[0] != '\0'));
		if (t->use != TLSA_USED)
			continue;
		require(t->usage == TLSA_DANE_TA || t->usage == TLSA_DANE_EE);
		require(t->selector <= TLSA_SPKI && t->data.n > 0);
		require(t->matching != TLSA_SHA256 || t->data.n == 32);
		require(t->matching != TLSA_SHA512 || t->data.n == 64);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "mx.example.org", NULL };
	struct span rest = span_of(data, size);
	struct tls_chain chain = { .n = 1 };
	struct tlsa v[RECORDS];
	enum dane_verdict verdict;
	size_t n = 0, used;
	int which;

	while (n < RECORDS && rest.n > 0 && (uint8_t)rest.p[0] < rest.n) {
		size_t len = (uint8_t)rest.p[0];

		tlsa_read(span_of(rest.p + 1, len), &v[n++]);
		rest = span_skip(rest, 1 + len);
	}
	used = tlsa_choose(v, n);
	check_used(v, n);
	chain.cert[0] = rest;
	verdict = dane_match(v, n, &chain, names, &which, NULL);
	require((verdict == DANE_UNUSABLE) == (used == 0));
	require((verdict == DANE_MATCH) == (which >= 0));
	return 0;
}
