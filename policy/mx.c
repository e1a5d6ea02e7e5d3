/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/mx.c - see policy/mx.h. */
#include <stdlib.h>

#include "base/chance.h"
#include "policy/mx.h"

static int
by_name(const void *va, const void *vb)
{
	const struct mx_host *a = va, *b = vb;
	int c = strcmp(a->name, b->name);

	return c != 0 ? c : (int)a->preference - (int)b->preference;
}

static int
by_preference(const void *va, const void *vb)
{
	const struct mx_host *a = va, *b = vb;
	int c = (int)a->preference - (int)b->preference;

	return c != 0 ? c : strcmp(a->name, b->name);
}

/* A host that is listed twice is tried once, at its better preference. */
static void
keep_once(struct mx_set *s)
{
	size_t kept = 0;

	qsort(s->hosts, s->n, sizeof(*s->hosts), by_name);
	for (size_t i = 0; i < s->n; i++)
		if (kept == 0 || strcmp(s->hosts[kept - 1].name,
		    s->hosts[i].name) != 0)
			s->hosts[kept++] = s->hosts[i];
	s->n = kept;
	qsort(s->hosts, s->n, sizeof(*s->hosts), by_preference);
}

/* RFC 5321 sec 5.1: drop ourselves and all that is not better, so that mail
 * only ever moves towards the best host. */
static void
cut_self(struct mx_set *s, const struct self *self)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!self_named(self, s->hosts[i].name))
			continue;
		while (i > 0 &&
		    s->hosts[i - 1].preference == s->hosts[i].preference)
			i--;
		s->n = i;
		s->cut = true;
	}
}

/* "." beside real hosts is nonsense (RFC 7505 sec 3) and left out; so is an
 * address written as a name, and what dns/message.h could not write down. */
static bool
is_host(const char *name)
{
	return name[0] != '\0' && strcmp(name, DNS_NAME_ODD) != 0 &&
	    !dns_name_numeric(span_str(name));
}

static bool
is_null(const struct dns_answer *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->rrs[i].name[0] != '\0')
			return false;
	return a->n > 0;
}

static enum mx_kind
classify(const struct dns_answer *a)
{
	if (a->status == DNS_ERROR || a->status == DNS_BOGUS)
		return MX_TROUBLE;
	if (a->rcode == DNS_RCODE_NXDOMAIN)
		return MX_NO_DOMAIN;
	if (a->rcode != DNS_RCODE_NOERROR)
		return MX_TROUBLE;
	if (a->n == 0)
		return MX_IMPLICIT;
	return is_null(a) ? MX_NULL : MX_HOSTS;
}

static void
host_add(struct mx_set *s, const char *name, uint16_t preference)
{
	struct mx_host *h = &s->hosts[s->n++];

	(void)span_copy(span_str(name), h->name, sizeof(h->name));
	h->preference = preference;
}

int
mx_read(const struct dns_answer *a, const char *domain,
    const struct self *self, struct mx_set *s)
{
	*s = (struct mx_set){ .kind = classify(a) };
	if (s->kind != MX_HOSTS && s->kind != MX_IMPLICIT)
		return 0;
	s->hosts = calloc(a->n + 1, sizeof(*s->hosts));
	if (s->hosts == NULL)
		return -1;
	if (s->kind == MX_IMPLICIT)
		host_add(s, domain, 0);
	for (size_t i = 0; i < a->n; i++) {
		if (is_host(a->rrs[i].name))
			host_add(s, a->rrs[i].name, a->rrs[i].pref);
		else
			s->odd++;
	}
	if (s->n == 0) {
		s->kind = MX_UNUSABLE;
		return 0;
	}
	keep_once(s);
	cut_self(s, self);
	if (s->n == 0)
		s->kind = MX_LOOP;
	return 0;
}

void
mx_free(struct mx_set *s)
{
	free(s->hosts);
	*s = (struct mx_set){ .kind = MX_TROUBLE };
}

void
mx_shuffle(struct mx_host *h, size_t n, uint64_t *seed)
{
	size_t run;

	for (; n > 0; h += run, n -= run) {
		for (run = 1; run < n; run++)
			if (h[run].preference != h[0].preference)
				break;
		chance_shuffle(h, run, sizeof(*h), seed);
	}
}
