/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any lines as TXT records: an id comes out only of exactly one record of
 * ours, and is what an id may be. */
#include "mtasts/record.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"

#define TXTS	16

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of(data, size), txts[TXTS];
	char id[STS_ID_SIZE];
	enum sts_record r;
	size_t n = 0, ours = 0;

	while (rest.n > 0 && n < TXTS) {
		txts[n] = span_cut(&rest, '\n');
		ours += txts[n].n >= 8 && memcmp(txts[n].p, "v=STSv1;", 8) == 0;
		n++;
	}
	r = sts_record_find(txts, n, id);
	require((r == STS_RECORD_NONE) == (ours == 0));
	require((r == STS_RECORD_MANY) == (ours > 1));
	require((r == STS_RECORD_VALID) == (id[0] != '\0'));
	for (const char *c = id; *c != '\0'; c++)
		require((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
		    (*c >= 'A' && *c <= 'Z'));
	return 0;
}
