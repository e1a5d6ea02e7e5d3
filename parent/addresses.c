/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/addresses.c - which addresses this machine has, for policy, which has
 * no network and must still know itself in a list of MX hosts.  They change
 * (DHCP, an interface that comes up late), so they are read once a minute. */
#include "parent/parent_priv.h"

#include <ifaddrs.h>

#include "base/log.h"

#define EVERY_MS	60000

static void
addresses_add(struct buf *list, const struct sockaddr *sa)
{
	struct ipc_host_addr m;
	struct addr a;

	if (sa == NULL)			/* an interface without one */
		return;
	addr_from_sockaddr(&a, sa);
	if (a.family == 0)
		return;
	m = (struct ipc_host_addr){ .family = a.family,
	    .ip = span_of(a.ip, a.family == 4 ? 4 : 16) };
	(void)ipc_put_host_addr(list, &m);
}

static int
read_all(struct buf *list)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) == -1)
		return -1;
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
		addresses_add(list, i->ifa_addr);
	freeifaddrs(all);
	return 0;
}

static void
send_to(struct parent *p, struct child *c)
{
	struct ipc_own_addresses m = { .addrs = buf_get(&p->addresses) };

	if (c->role == ROLE_POLICY && c->state == CHILD_READY)
		ipc_send_own_addresses(c->link, &m, -1);
}

/* A failure keeps what was known; it is said once, not every minute. */
static bool
refresh(struct parent *p)
{
	struct buf now;
	struct fault f;
	bool changed = false;

	buf_init(&now, ADDRESSES_MAX);
	if (read_all(&now) == -1) {
		fault_sys(&f, "getifaddrs");
		if (!p->addresses_failed)
			log_warn("own-addresses-unknown",
			    KV_Q("reason", f.text));
		p->addresses_failed = true;
	} else {
		p->addresses_failed = false;
		changed = !span_eq(buf_get(&now), buf_get(&p->addresses));
	}
	if (changed) {
		buf_reset(&p->addresses);
		(void)buf_span(&p->addresses, buf_get(&now));
	}
	buf_free(&now);
	return changed;
}

static void
on_time(void *arg)
{
	struct parent *p = arg;

	loop_timer_set(p->addresses_timer, EVERY_MS);
	if (!refresh(p))
		return;
	for (size_t i = 0; i < p->nchildren; i++)
		send_to(p, &p->children[i]);
}

int
addresses_start(struct parent *p)
{
	p->addresses_timer = loop_timer_new(p->loop, on_time, p);
	if (p->addresses_timer == NULL)
		return -1;
	loop_timer_set(p->addresses_timer, EVERY_MS);
	(void)refresh(p);
	return 0;
}

void
addresses_send(struct child *c)
{
	send_to(c->parent, c);
}
