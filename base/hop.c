/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/hop.c - see hop.h; also outcome.h's words. */
#include "base/hop.h"

#include <assert.h>
#include <stdio.h>

#include "base/outcome.h"

static const char *const level_names[LEVEL_COUNT] = {
	"none", "clear", "encrypted", "verified", "sts", "dane",
};
static const char *const why_names[WHY_COUNT] = {
	"none", "rule", "pin", "requiretls", "tls-required-no", "dane", "sts",
	"memory", "list", "exception",
};
static const char *const how_names[HOW_COUNT] = {
	"none", "not-offered", "refused", "mangled", "failed", "opportunistic",
	"dane-insecure-mx", "name", "pin", "webpki", "tlsa",
};
static const char *const outcome_names[OUTCOME_COUNT] = {
	"sent", "deferred", "failed",
};

const char *
level_name(enum level l)
{
	assert((unsigned)l < LEVEL_COUNT);
	return level_names[l];
}

const char *
why_name(enum why w)
{
	assert((unsigned)w < WHY_COUNT);
	return why_names[w];
}

const char *
how_name(enum how h)
{
	assert((unsigned)h < HOW_COUNT);
	return how_names[h];
}

const char *
outcome_name(enum outcome_status s)
{
	assert((unsigned)s < OUTCOME_COUNT);
	return outcome_names[s];
}

bool
level_parse(struct span s, enum level *out)
{
	for (int i = 0; i < LEVEL_COUNT; i++)
		if (span_eq(s, span_str(level_names[i]))) {
			*out = (enum level)i;
			return true;
		}
	return false;
}

void
tls_facts_clear(struct tls_facts *f)
{
	*f = (struct tls_facts){ .resumed = false };
	snprintf(f->version, sizeof f->version, "none");
	snprintf(f->cipher, sizeof f->cipher, "none");
	snprintf(f->kx, sizeof f->kx, "none");
	snprintf(f->spki, sizeof f->spki, "none");
	snprintf(f->weak, sizeof f->weak, "none");
}
