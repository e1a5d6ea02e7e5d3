/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/decide.c - see policy/decide.h. */
#include "policy/decide.h"

static struct decision
usual(const struct evidence *e)
{
	/* RFC 7672 sec 2.2, and ahead of any other policy: RFC 8461 sec 2. */
	if (e->dane && e->mx_secure)
		return (struct decision){ .asked = LEVEL_DANE, .why = WHY_DANE };
	/* RFC 8461 sec 5: testing never blocks anything. */
	if (e->sts == STS_ENFORCE)
		return (struct decision){ .asked = LEVEL_STS, .why = WHY_STS,
		    .barred = !e->sts_allows };
	/* RFC 7672 sec 2.2: TLS, but nobody is known.  Sec 2.2.1: the records of
	 * a host that an insecure MX named authenticate it for nobody; they
	 * must match all the same, which relay sees to. */
	if (e->dane || e->dane_unusable)
		return (struct decision){ .asked = LEVEL_ENCRYPTED,
		    .why = WHY_DANE };
	/* Never more than that: memory knows no names. */
	if (e->memory == RECALL_TLS)
		return (struct decision){ .asked = LEVEL_ENCRYPTED,
		    .why = WHY_MEMORY };
	return (struct decision){ .asked = LEVEL_CLEAR, .why = WHY_NONE };
}

/* RFC 8689 sec 4.2.1: the way to the host's name is vouched for by the DNS, our
 * operator or a policy that lists it, whatever its mode is; and the host proves
 * that name. */
static struct decision
required(const struct evidence *e, struct decision d)
{
	if (e->final || d.asked > LEVEL_ENCRYPTED)
		return d;
	d.why = WHY_REQUIRETLS;
	d.asked = e->sts != STS_NONE && e->sts_allows ? LEVEL_STS :
	    LEVEL_VERIFIED;
	d.barred = d.asked == LEVEL_VERIFIED && !e->mx_secure;
	return d;
}

/* What no session can bring when nothing vouches for the host's name, or for
 * what it should prove. */
static bool
out_of_reach(const struct evidence *e, enum level asked)
{
	switch (asked) {
	case LEVEL_DANE:
		return true;	/* else it would be published, and asked */
	case LEVEL_STS:
		return e->sts == STS_NONE || !e->sts_allows;
	case LEVEL_VERIFIED:
		return !e->mx_secure;
	default:
		return false;
	}
}

/* Only the operator lowers what others publish; what the sender asks of this
 * message he does not. */
static struct decision
ruled(const struct evidence *e, struct decision d)
{
	if (e->require > d.asked)
		d = (struct decision){ .asked = e->require, .why = WHY_RULE,
		    .barred = out_of_reach(e, e->require) };
	if (e->permit != LEVEL_NONE && d.asked > e->permit &&
	    e->wish != TLS_WISH_REQUIRED)
		d = (struct decision){ .asked = e->permit, .why = WHY_RULE,
		    .waived = true };
	if (e->excepted && d.asked > LEVEL_CLEAR &&
	    e->wish != TLS_WISH_REQUIRED)
		d = (struct decision){ .asked = LEVEL_CLEAR,
		    .why = WHY_EXCEPTION, .waived = true };
	return d;
}

struct decision
decide(const struct evidence *e)
{
	struct decision d = ruled(e, usual(e));

	switch (e->wish) {
	case TLS_WISH_OPTIONAL:		/* sec 4.2.2 */
		return (struct decision){ .asked = LEVEL_CLEAR,
		    .why = WHY_TLS_REQUIRED_NO };
	case TLS_WISH_REQUIRED:
		return required(e, d);
	case TLS_WISH_REPORT:
		if (d.asked < LEVEL_ENCRYPTED && !e->final)
			return (struct decision){ .asked = LEVEL_ENCRYPTED,
			    .why = WHY_REQUIRETLS };
		return d;
	default:
		return d;
	}
}
