/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/sentence.c - see policy/sentence.h. */
#include "policy/sentence.h"

#include <stdio.h>

static const char *const musts[LEVEL_COUNT] = {
	[LEVEL_NONE] = "", [LEVEL_CLEAR] = "TLS if it can be had, else clear "
	    "text",
	[LEVEL_ENCRYPTED] = "TLS or no mail, whoever answers",
	[LEVEL_VERIFIED] = "TLS with a valid certificate of its name, or no "
	    "mail",
	[LEVEL_STS] = "TLS with a valid certificate of its name, or no mail",
	[LEVEL_DANE] = "TLS with a certificate that its TLSA records match, "
	    "or no mail",
};

static const char *
because(const struct evidence *e, const struct decision *d)
{
	switch (d->why) {
	case WHY_DANE:
		if (d->asked == LEVEL_DANE)
			return "the DNS secures its records";
		return e->dane_unusable ? "it has TLSA records, none of which "
		    "can be used" : "it has TLSA records, which must match, "
		    "behind MX records that nothing secures";
	case WHY_STS:
		return "the domain's MTA-STS policy says so";
	case WHY_MEMORY:
		return "it has had TLS before";
	case WHY_EXCEPTION:
		return "an exception was made of it";
	case WHY_RULE:
		return d->waived ? "policy.domain permits to ask for no more" :
		    "policy.domain requires it";
	default:
		break;
	}
	switch (e->memory) {
	case RECALL_OBSERVE:
		return "it has had TLS before, but on-loss is observe";
	case RECALL_ACCEPTED:
		return "it has had TLS before, but its loss is accepted by now";
	default:
		return "nothing asks for more";
	}
}

const char *
sentence(const struct evidence *e, const struct decision *d,
    char out[SENTENCE_SIZE])
{
	if (d->barred && d->why == WHY_RULE)
		return "no mail: policy.domain requires more than it can prove";
	if (d->barred)
		return "no mail: the domain's MTA-STS policy does not list it";
	(void)snprintf(out, SENTENCE_SIZE, "%s, because %s", musts[d->asked],
	    because(e, d));
	return out;
}
