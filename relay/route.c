/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/route.c - see route.h. */
#include "relay/route.h"

#include <stdlib.h>

#include "base/chance.h"
#include "base/ipc/ipc.h"
#include "dns/answer.h"

static int
take_path(struct route_host *h, struct span path)
{
	h->naddrs = 1;
	h->path = strndup(path.p, path.n);
	return h->path == NULL || h->path[0] != '/' ? -1 : 0;
}

static int
take_addrs(struct route_host *h, struct span list)
{
	struct ipc_host_addr a;

	h->addrs = calloc(ROUTE_ADDRS, sizeof(*h->addrs));
	if (h->addrs == NULL)
		return -1;
	while (h->naddrs < ROUTE_ADDRS && ipc_get_host_addr(&list, &a) == 1) {
		struct addr *to = &h->addrs[h->naddrs];

		if (a.family == 1)
			return take_path(h, a.ip);
		if (a.family == 4 && a.ip.n == 4)
			addr_from_ip4(to, (const uint8_t *)a.ip.p);
		else if (a.family == 6 && a.ip.n == 16)
			addr_from_ip6(to, (const uint8_t *)a.ip.p);
		else
			return -1;
		to->port = h->port;
		h->naddrs++;
	}
	return 0;
}

/* The spans and what they point to in one piece of memory. */
static int
take_tlsa(struct route_host *h, struct span list)
{
	struct span walk = list;
	struct ipc_tlsa t;
	char *bytes;

	while (ipc_get_tlsa(&walk, &t) == 1)
		h->ntlsa++;
	if (h->ntlsa == 0)
		return 0;
	h->tlsa = malloc(h->ntlsa * sizeof(*h->tlsa) + list.n);
	if (h->tlsa == NULL)
		return -1;
	bytes = (char *)(h->tlsa + h->ntlsa);
	for (unsigned i = 0; ipc_get_tlsa(&list, &t) == 1; i++) {
		memcpy(bytes, t.rdata.p, t.rdata.n);
		h->tlsa[i] = span_of(bytes, t.rdata.n);
		bytes += t.rdata.n;
	}
	return 0;
}

static int
take_host(struct route_host *h, const struct ipc_host *m)
{
	if (m->asked >= LEVEL_COUNT || m->why >= WHY_COUNT)
		return -1;
	h->port = m->port;
	h->preference = m->preference;
	/* A level of "none" asks for nothing, as clear does. */
	h->asked = m->asked == LEVEL_NONE ? LEVEL_CLEAR : (enum level)m->asked;
	h->why = (enum why)m->why;
	h->name = strndup(m->name.p, m->name.n);
	h->base = strndup(m->base.p, m->base.n);
	if (h->name == NULL || h->base == NULL ||
	    take_addrs(h, m->addrs) == -1 || take_tlsa(h, m->tlsa) == -1)
		return -1;
	return h->port == 0 && h->path == NULL ? -1 : 0;
}

static int
take_hosts(struct route *r, struct span list)
{
	struct span walk = list;
	struct ipc_host h;
	unsigned n = 0;

	while (n < ROUTE_HOSTS && ipc_get_host(&walk, &h) == 1)
		n++;
	if (n == 0)
		return 0;
	r->hosts = calloc(n, sizeof(*r->hosts));
	if (r->hosts == NULL)
		return -1;
	while (r->nhosts < n && ipc_get_host(&list, &h) == 1) {
		if (take_host(&r->hosts[r->nhosts++], &h) == -1)
			return -1;
	}
	return 0;
}

int
route_decode(struct route *r, struct span encoded)
{
	struct ipc_route m;

	*r = (struct route){ .nhosts = 0 };
	if (ipc_get_route(encoded, &m) == -1)
		return -1;
	r->site = m.site;
	r->identity = m.identity;
	r->discard = m.discard != 0;
	r->lmtp = m.lmtp != 0;
	r->found = m.found != 0;
	r->domain = strndup(m.domain.p, m.domain.n);
	r->expanded = strndup(m.expanded.p, m.expanded.n);
	r->mx_secure = m.mx_secure == DNS_SECURE;
	if (r->domain != NULL && r->expanded != NULL && take_hosts(r, m.hosts) == 0)
		return 0;
	route_free(r);
	return -1;
}

void
route_free(struct route *r)
{
	unsigned i;

	for (i = 0; i < r->nhosts; i++) {
		free(r->hosts[i].name);
		free(r->hosts[i].addrs);
		free(r->hosts[i].path);
		free(r->hosts[i].base);
		free(r->hosts[i].tlsa);
	}
	free(r->hosts);
	free(r->domain);
	free(r->expanded);
	*r = (struct route){ .nhosts = 0 };
}

void
route_spread(struct route *r, uint64_t seed)
{
	unsigned at, end;

	for (at = 0; at < r->nhosts; at = end) {
		for (end = at + 1; end < r->nhosts; end++)
			if (r->hosts[end].preference != r->hosts[at].preference)
				break;
		chance_shuffle(&r->hosts[at], end - at, sizeof(r->hosts[at]),
		    &seed);
	}
}
