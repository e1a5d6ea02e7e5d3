/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/route_frame.c - see policy/route_frame.h. */
#include "policy/route_frame.h"

#define ADDRS_MAX	1024

static int
put_host(struct buf *hosts, const struct route_host *h)
{
	struct buf addrs;
	struct ipc_host m;
	int rc = -1;

	buf_init(&addrs, ADDRS_MAX);
	if (h->is_unix) {
		const struct ipc_host_addr a = {
			.family = 1,
			.ip = span_str(h->name),
		};

		if (ipc_put_host_addr(&addrs, &a) == -1)
			goto free_addrs;
	}
	for (size_t i = 0; i < h->naddrs; i++) {
		const struct ipc_host_addr a = {
			.family = h->addrs[i].family,
			.ip = span_of(h->addrs[i].ip,
			    h->addrs[i].family == 4 ? 4 : 16),
		};

		if (ipc_put_host_addr(&addrs, &a) == -1)
			goto free_addrs;
	}
	m = (struct ipc_host){
		.name = span_str(h->name),
		.port = h->port,
		.preference = h->preference,
		.asked = (uint8_t)h->asked,
		.why = (uint8_t)h->why,
		.addrs = buf_get(&addrs),
		.base = span_str(h->base),
		.tlsa = h->tlsa,
	};
	rc = ipc_put_host(hosts, &m);
free_addrs:
	buf_free(&addrs);
	return rc;
}

int
route_frame_put(const struct route_result *r, uint64_t txn, struct buf *hosts,
    struct ipc_route *m)
{
	/* The best hosts, as many as have room with all their records. */
	for (size_t i = 0; i < r->nhosts; i++)
		if (put_host(hosts, &r->hosts[i]) == -1) {
			if (i == 0)
				return -1;
			hosts->failed = false;
			break;
		}
	*m = (struct ipc_route){
		.txn = txn,
		.code = (uint16_t)r->code,
		.dsn = span_str(r->dsn),
		.text = span_str(r->text),
		.domain = span_str(r->domain),
		.expanded = span_str(r->expanded),
		.discard = r->discard,
		.lmtp = r->lmtp,
		.found = r->found,
		.mx_secure = (uint8_t)r->mx_secure,
		.connections = r->connections,
		.site = r->site,
		.identity = r->identity,
		.site_name = span_str(r->site_name),
		.hosts = buf_get(hosts),
	};
	return 0;
}
