/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any bytes as a policy file: what is taken is complete, its patterns are
 * normal names, and the policy written out in plain form reads the same. */
#include "dns/name.h"
#include "mtasts/policy.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"

static void
check_patterns(const struct sts_policy *p)
{
	struct span rest = buf_get(&p->mx);
	size_t n = 0;

	for (; rest.n > 0; n++) {
		struct span mx = span_cut(&rest, '\n');
		bool wild = span_istarts(mx, SPAN_LIT("*."));

		require(dns_name_valid(span_skip(mx, wild ? 2 : 0)));
		require(sts_policy_allows(p, mx) || wild);
	}
	require(n == p->nmx);
	require(n > 0 || p->mode == STS_NONE);
}

static void
check_again(const struct sts_policy *p)
{
	struct span rest = buf_get(&p->mx);
	struct sts_policy again;
	struct buf text;

	buf_init(&text, 8u * STS_POLICY_MAX);
	require(buf_printf(&text, "version: STSv1\r\nmode: %s\r\n"
	    "max_age: %u\r\n", sts_mode_name(p->mode), p->max_age) == 0);
	while (rest.n > 0) {
		struct span mx = span_cut(&rest, '\n');

		require(buf_printf(&text, "mx: %.*s\r\n", SPAN_FMT(mx)) == 0);
	}
	if (text.len <= STS_POLICY_MAX) {
		require(sts_policy_parse(buf_get(&text), &again, NULL) == 0);
		require(again.mode == p->mode && again.max_age == p->max_age);
		require(span_eq(buf_get(&again.mx), buf_get(&p->mx)));
		sts_policy_free(&again);
	}
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	struct sts_policy p;

	if (sts_policy_parse(span_of(data, size), &p, &f) != 0) {
		require(f.text[0] != '\0');
		return 0;
	}
	require(size <= STS_POLICY_MAX && p.max_age <= STS_AGE_MAX);
	check_patterns(&p);
	check_again(&p);
	sts_policy_free(&p);
	return 0;
}
