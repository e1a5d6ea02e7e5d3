/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/self.c - see policy/self.h. */
#include "base/ipc/ipc.h"
#include "policy/self.h"

void
self_take(struct self *s, struct span list)
{
	struct ipc_host_addr m;

	s->nlocal = 0;
	while (s->nlocal < SELF_ADDRS_MAX && ipc_get_host_addr(&list, &m) == 1) {
		struct addr *a = &s->local[s->nlocal];

		*a = (struct addr){ 0 };
		if (m.family == 4 && m.ip.n == 4)
			addr_from_ip4(a, (const uint8_t *)m.ip.p);
		else if (m.family == 6 && m.ip.n == 16)
			addr_from_ip6(a, (const uint8_t *)m.ip.p);
		else
			continue;
		s->nlocal++;
	}
}

bool
self_named(const struct self *s, const char *name)
{
	return conf_own_name(s->conf, span_str(name));
}

static bool
is_any(const struct addr *a)
{
	static const uint8_t any[16];

	return memcmp(a->ip, any, sizeof(any)) == 0;
}

static bool
is_local(const struct self *s, const struct addr *a)
{
	for (size_t i = 0; i < s->nlocal; i++)
		if (addr_same_ip(&s->local[i], a))
			return true;
	/* All of 127.0.0.0/8 is here, though one address is configured; and
	 * connecting to "any" address connects to this machine. */
	return addr_is_loopback(a) || is_any(a);
}

/* A listener on [::] takes IPv4 too. */
static bool
reaches(const struct self *s, const struct addr *listener, const struct addr *a)
{
	if (is_any(listener))
		return (listener->family == 6 || a->family == 4) &&
		    is_local(s, a);
	return addr_same_ip(listener, a) ||
	    (is_any(a) && addr_is_loopback(listener) &&
	    listener->family == a->family);
}

bool
self_listens(const struct self *s, const struct addr *a, uint16_t port)
{
	const struct conf *c = s->conf;
	struct addr inner;

	if (a->family != 4 && a->family != 6)
		return false;		/* a socket of the file system */
	if (addr_unwrap(a, &inner))
		a = &inner;
	for (size_t i = 0; i < c->nlistens; i++)
		if (c->listens[i].address.port == port &&
		    reaches(s, &c->listens[i].address, a))
			return true;
	return false;
}

bool
self_owns(const struct self *s, const struct addr *a)
{
	struct addr inner;

	if (addr_unwrap(a, &inner))
		a = &inner;
	return !addr_is_special(a) && is_local(s, a);
}
