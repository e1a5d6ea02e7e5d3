/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dns/answer.c - see dns/answer.h. */
#include <assert.h>
#include <stdlib.h>

#include "dns/answer.h"

static const char *const status_names[DNS_STATUS_COUNT] = {
	[DNS_ERROR] = "error",
	[DNS_BOGUS] = "bogus",
	[DNS_INSECURE] = "insecure",
	[DNS_SECURE] = "secure",
};

const char *
dns_status_name(enum dns_status s)
{
	assert(s >= 0 && s < DNS_STATUS_COUNT);
	return status_names[s];
}

bool
dns_type_known(uint16_t type)
{
	return type == DNS_TYPE_A || type == DNS_TYPE_AAAA ||
	    type == DNS_TYPE_MX || type == DNS_TYPE_CNAME ||
	    type == DNS_TYPE_TXT || type == DNS_TYPE_TLSA ||
	    type == DNS_TYPE_SOA || type == DNS_TYPE_DNSKEY;
}

bool
dns_question_valid(struct span name, uint16_t type)
{
	if (name.n == 0)
		return type == DNS_TYPE_SOA || type == DNS_TYPE_DNSKEY;
	return dns_type_known(type) && dns_name_valid(name);
}

void
dns_answer_init(struct dns_answer *a)
{
	*a = (struct dns_answer){
		.status = DNS_ERROR,
		.rcode = DNS_RCODE_SERVFAIL,
	};
}

void
dns_answer_free(struct dns_answer *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->rrs[i].data);
	free(a->rrs);
	dns_answer_init(a);
}

/* Reasons may quote names from outside, and end in replies and DSNs. */
static void
set_why(struct dns_answer *a, struct span why)
{
	size_t n = why.n < sizeof(a->why) ? why.n : sizeof(a->why) - 1;

	for (size_t i = 0; i < n; i++)
		a->why[i] = why.p[i] >= ' ' && why.p[i] < 0x7f ? why.p[i] : '?';
	a->why[n] = '\0';
}

void
dns_answer_fail(struct dns_answer *a, enum dns_status status, const char *why)
{
	assert(status == DNS_ERROR || status == DNS_BOGUS);
	dns_answer_free(a);
	a->status = status;
	set_why(a, span_str(why));
}

/* Room grows by doubling: n is a power of two when it is used up. */
struct dns_rr *
dns_answer_add(struct dns_answer *a)
{
	struct dns_rr *v;

	if (a->n == DNS_ANSWER_RRS)
		return NULL;
	if ((a->n & (a->n - 1)) == 0) {
		v = reallocarray(a->rrs, a->n == 0 ? 1 : 2 * a->n, sizeof(*v));
		if (v == NULL)
			return NULL;
		a->rrs = v;
	}
	a->rrs[a->n] = (struct dns_rr){ 0 };
	return &a->rrs[a->n++];
}

int
dns_rr_set_data(struct dns_rr *rr, struct span data)
{
	if (data.n > DNS_RR_DATA_MAX)
		return -1;
	rr->data = malloc(data.n + 1);
	if (rr->data == NULL)
		return -1;
	if (data.n > 0)
		memcpy(rr->data, data.p, data.n);
	rr->data_len = data.n;
	return 0;
}

static struct span
rr_data(const struct dns_rr *rr)
{
	switch (rr->type) {
	case DNS_TYPE_A:
		return span_of(rr->ip, 4);
	case DNS_TYPE_AAAA:
		return span_of(rr->ip, 16);
	case DNS_TYPE_TXT:
	case DNS_TYPE_TLSA:
	case DNS_TYPE_SOA:
	case DNS_TYPE_DNSKEY:
		return span_of(rr->data, rr->data_len);
	default:
		return span_str(rr->name);
	}
}

int
dns_answer_put(const struct dns_answer *a, uint64_t txn, struct buf *rrs,
    struct ipc_dns_answer *m)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct ipc_rr rr = {
			.type = a->rrs[i].type,
			.ttl = a->rrs[i].ttl,
			.pref = a->rrs[i].pref,
			.data = rr_data(&a->rrs[i]),
		};

		if (ipc_put_rr(rrs, &rr) == -1)
			return -1;
	}
	*m = (struct ipc_dns_answer){
		.txn = txn,
		.status = (uint8_t)a->status,
		.rcode = a->rcode,
		.ttl = a->ttl,
		.canonical = span_str(a->canonical),
		.why = span_str(a->why),
		.rrs = buf_get(rrs),
	};
	return 0;
}

static bool
rr_take(const struct ipc_rr *in, struct dns_rr *out)
{
	*out = (struct dns_rr){
		.type = in->type,
		.pref = in->pref,
		.ttl = in->ttl,
	};
	switch (in->type) {
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
		if (in->data.n != (in->type == DNS_TYPE_A ? 4 : 16))
			return false;
		memcpy(out->ip, in->data.p, in->data.n);
		return true;
	case DNS_TYPE_TXT:
	case DNS_TYPE_TLSA:
	case DNS_TYPE_SOA:
	case DNS_TYPE_DNSKEY:
		return dns_rr_set_data(out, in->data) == 0;
	default:
		return (in->data.n == 0 || dns_name_valid(in->data) ||
		    span_eq(in->data, SPAN_LIT(DNS_NAME_ODD))) &&
		    span_copy(in->data, out->name, sizeof(out->name));
	}
}

int
dns_answer_get(const struct ipc_dns_answer *m, uint16_t type,
    struct dns_answer *a)
{
	struct span rest = m->rrs;
	struct dns_rr *rr;
	struct ipc_rr in;
	int more;

	if (m->status >= DNS_STATUS_COUNT)
		goto bad;
	a->status = (enum dns_status)m->status;
	a->rcode = m->rcode;
	a->ttl = m->ttl;
	if (m->canonical.n != 0 && !dns_name_valid(m->canonical))
		goto bad;
	(void)span_copy(m->canonical, a->canonical, sizeof(a->canonical));
	set_why(a, m->why);
	while ((more = ipc_get_rr(&rest, &in)) == 1) {
		if (in.type != type || a->status < DNS_INSECURE)
			goto bad;
		rr = dns_answer_add(a);
		if (rr == NULL || !rr_take(&in, rr))
			goto bad;
	}
	if (more == 0)
		return 0;
bad:
	dns_answer_fail(a, DNS_ERROR, "nonsense from the resolver process");
	return -1;
}
