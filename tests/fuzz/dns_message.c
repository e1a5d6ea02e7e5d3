/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any packet of a resolver, as an answer to each type that is asked: what
 * parses has only records of that type with valid names, survives the way to
 * policy, and what does not parse is an error without records. */
#include "dns/message.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"

#define RRS_MAX		65536	/* as in messages.def */

static void
records(const struct dns_answer *a, uint16_t type)
{
	require(a->n <= DNS_ANSWER_RRS);
	for (size_t i = 0; i < a->n; i++) {
		const struct dns_rr *r = &a->rrs[i];

		require(r->type == type);
		require_printable(span_str(r->name));
		require(strlen(r->name) < DNS_NAME_SIZE);
		require(r->data_len <= DNS_RR_DATA_MAX);
	}
	require_printable(span_str(a->canonical));
}

static void
ask(struct span packet, uint16_t type)
{
	struct dns_answer a, b;
	struct ipc_dns_answer m;
	struct buf rrs;

	dns_answer_init(&a);
	dns_answer_init(&b);
	buf_init(&rrs, RRS_MAX);
	if (dns_message_parse(packet, "example.org", type, &a) == -1) {
		require(a.status == DNS_ERROR && a.n == 0);
		require_printable(span_str(a.why));
	} else {
		require(a.status == DNS_INSECURE);
		records(&a, type);
		if (dns_answer_put(&a, 7, &rrs, &m) == 0) {
			require(dns_answer_get(&m, type, &b) == 0);
			require(a.n == b.n && a.status == b.status);
			require(strcmp(a.canonical, b.canonical) == 0);
			records(&b, type);
		}
	}
	dns_answer_free(&a);
	dns_answer_free(&b);
	buf_free(&rrs);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = { DNS_TYPE_A, DNS_TYPE_CNAME,
	    DNS_TYPE_MX, DNS_TYPE_AAAA, DNS_TYPE_TXT, DNS_TYPE_TLSA };

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		ask(span_of(data, size), types[i]);
	return 0;
}
