/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/honesty.c - see policy/honesty.h. */
#include "policy/honesty.h"

#include <assert.h>

static const char *const names[HONESTY_COUNT] = {
	"unknown", "honest", "dishonest",
};
static const char *const effects[EFFECT_COUNT] = {
	"none", "dane-off", "held",
};

const char *
honesty_name(enum honesty_state h)
{
	assert((unsigned)h < HONESTY_COUNT);
	return names[h];
}

const char *
honesty_effect_name(enum honesty_effect e)
{
	assert((unsigned)e < EFFECT_COUNT);
	return effects[e];
}

void
honesty_heard(struct honesty_round *r, enum dns_status status)
{
	r->probes++;
	r->secure += status == DNS_SECURE;
	r->bogus += status == DNS_BOGUS;
}

/* A server that is down for a while makes cached answers bogus as well, for
 * their keys can not be had: hence `answered`.  Honest takes all of them: one
 * that was in a cache says nothing of now. */
static enum honesty_state
verdict(const struct honesty_round *r)
{
	if (r->bogus > 0)
		return r->answered ? HONESTY_DISHONEST : HONESTY_UNKNOWN;
	return r->probes > 0 && r->secure == r->probes ? HONESTY_HONEST :
	    HONESTY_UNKNOWN;
}

bool
honesty_judge(struct honesty *h, const struct honesty_round *r, uint64_t now)
{
	enum honesty_state v = verdict(r);

	if (v == HONESTY_UNKNOWN || v == h->state)
		return false;
	h->state = v;
	h->since = now;
	if (v == HONESTY_HONEST && h->first == 0)
		h->first = now;
	return true;
}

enum honesty_effect
honesty_effect(const struct honesty *h, bool accept)
{
	if (h->state != HONESTY_DISHONEST)
		return EFFECT_NONE;
	return h->first == 0 || accept ? EFFECT_UNCHECKED : EFFECT_HELD;
}
