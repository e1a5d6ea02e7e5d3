/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any bytes as lines: a name that a client asks for, and names of certificates,
 * each with the bit of its certificate in front.  The table says what reading the
 * names one by one says, whichever order they came in. */
#include <string.h>

#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"
#include "tls/names.h"

#define NAMES	64

struct given {
	struct span	name;
	unsigned	cert;
};

static struct span
without_dot(struct span s)
{
	return s.n > 0 && s.p[s.n - 1] == '.' ? span_head(s, s.n - 1) : s;
}

static bool
is_name(struct span s)
{
	return s.n > 0 && s.n < 256 && memchr(s.p, '\0', s.n) == NULL;
}

static uint32_t
exact(const struct given *v, size_t n, struct span name)
{
	uint32_t found = 0;

	for (size_t i = 0; i < n; i++)
		if (is_name(without_dot(v[i].name)) &&
		    span_ieq(without_dot(v[i].name), name))
			found |= (uint32_t)1 << v[i].cert;
	return found;
}

/* "*" stands for one label, all of it, and for the first alone. */
static uint32_t
wildcard(const struct given *v, size_t n, struct span name)
{
	struct span rest = name;
	uint32_t found = 0;

	if (memchr(name.p, '.', name.n) == NULL ||
	    span_cut(&rest, '.').n == 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		struct span have = without_dot(v[i].name);

		if (is_name(have) && span_istarts(have, SPAN_LIT("*.")) &&
		    span_ieq(span_skip(have, 2), rest))
			found |= (uint32_t)1 << v[i].cert;
	}
	return found;
}

static uint32_t
expected(const struct given *v, size_t n, struct span asked)
{
	struct span name = without_dot(asked);
	uint32_t found;

	if (!is_name(name) || name.p[0] == '*')
		return 0;
	found = exact(v, n, name);
	return found != 0 ? found : wildcard(v, n, name);
}

static uint32_t
looked_up(const struct given *v, size_t n, struct span asked, bool backwards)
{
	struct tls_names t = { .n = 0 };
	uint32_t found;

	for (size_t i = 0; i < n; i++) {
		const struct given *g = &v[backwards ? n - 1 - i : i];

		require(tls_names_add(&t, g->name, g->cert) == 0);
	}
	for (size_t i = 1; i < t.n; i++)
		require(strcmp(t.v[i - 1].name, t.v[i].name) < 0);
	found = tls_names_find(&t, asked);
	tls_names_free(&t);
	return found;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of(data, size), asked = span_cut(&rest, '\n');
	struct given v[NAMES];
	uint32_t want;
	size_t n;

	for (n = 0; n < NAMES && rest.n > 0; n++) {
		struct span line = span_cut(&rest, '\n');

		v[n].cert = line.n > 0 ? (uint8_t)line.p[0] % 32 : 0;
		v[n].name = span_skip(line, line.n > 0);
	}
	want = expected(v, n, asked);
	require(looked_up(v, n, asked, false) == want);
	require(looked_up(v, n, asked, true) == want);
	return 0;
}
