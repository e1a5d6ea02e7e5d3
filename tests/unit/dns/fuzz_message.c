/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Fuzz target: dns/message.  The first byte chooses type and question, the
 * rest is the packet; a packet that parses must survive the way to policy. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/message.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const uint16_t types[] = {
		DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_MX, DNS_TYPE_CNAME,
	};
	static const char *const names[] = { "example.org", "a.b", "x", "mx.example.org" };
	struct dns_answer a, b;
	struct ipc_dns_answer m;
	struct buf rrs;
	uint16_t type;

	if (n == 0)
		return 0;
	type = types[bytes[0] & 3];
	dns_answer_init(&a);
	if (dns_message_parse(span_of(bytes + 1, n - 1),
	    names[bytes[0] >> 2 & 3], type, &a) == -1) {
		assert(a.n == 0 && a.status == DNS_ERROR);
		return 0;
	}
	buf_init(&rrs, 65536);
	if (dns_answer_put(&a, 1, &rrs, &m) == 0) {
		dns_answer_init(&b);
		assert(dns_answer_get(&m, type, &b) == 0);
		assert(b.n == a.n && b.ttl == a.ttl);
		dns_answer_free(&b);
	}
	buf_free(&rrs);
	dns_answer_free(&a);
	return 0;
}
