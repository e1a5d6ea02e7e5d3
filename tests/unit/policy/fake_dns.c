/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/policy/fake_dns.h"

struct dns_query {
	struct dns_query	*prev, *next;
	struct fake_dns		*fake;
	char			 name[DNS_NAME_SIZE];
	uint16_t		 type;
	dns_answer_cb		*cb;
	void			*arg;
};

static void
query_remove(struct dns_query *q)
{
	if (q->prev != NULL)
		q->prev->next = q->next;
	else
		q->fake->first = q->next;
	if (q->next != NULL)
		q->next->prev = q->prev;
	else
		q->fake->last = q->prev;
}

static struct dns_query *
fake_ask(void *ctx, const char *name, uint16_t type, dns_answer_cb *cb,
    void *arg)
{
	struct fake_dns *f = ctx;
	struct dns_query *q;

	assert(dns_question_valid(span_str(name), type));
	if (f->full)
		return NULL;
	q = calloc(1, sizeof(*q));
	assert(q != NULL);
	f->asked++;
	q->fake = f;
	q->type = type;
	q->cb = cb;
	q->arg = arg;
	(void)span_copy(span_str(name), q->name, sizeof(q->name));
	q->prev = f->last;
	if (f->last != NULL)
		f->last->next = q;
	else
		f->first = q;
	f->last = q;
	return q;
}

static void
fake_cancel(void *ctx, struct dns_query *q)
{
	struct fake_dns *f = ctx;

	f->cancelled++;
	query_remove(q);
	free(q);
}

static const struct dns_lookup_ops fake_ops = { fake_ask, fake_cancel };

struct dns_lookup
fake_lookup(struct fake_dns *f)
{
	return (struct dns_lookup){ &fake_ops, f };
}

/* ---- the text ---- */

static struct span
word(struct span *rest)
{
	*rest = span_trim(*rest);
	return span_cut(rest, ' ');
}

static uint16_t
type_of(struct span s)
{
	if (span_eq(s, SPAN_LIT("MX")))
		return DNS_TYPE_MX;
	if (span_eq(s, SPAN_LIT("A")))
		return DNS_TYPE_A;
	if (span_eq(s, SPAN_LIT("TXT")))
		return DNS_TYPE_TXT;
	if (span_eq(s, SPAN_LIT("TLSA")))
		return DNS_TYPE_TLSA;
	if (span_eq(s, SPAN_LIT("SOA")))
		return DNS_TYPE_SOA;
	if (span_eq(s, SPAN_LIT("DNSKEY")))
		return DNS_TYPE_DNSKEY;
	if (span_eq(s, SPAN_LIT("CNAME")))
		return DNS_TYPE_CNAME;
	assert(span_eq(s, SPAN_LIT("AAAA")));
	return DNS_TYPE_AAAA;
}

/* "3 1 1 C": the digest is that character all along. */
static void
add_tlsa(struct dns_rr *rr, struct span text)
{
	char rdata[3 + 64];
	unsigned long long v;
	size_t n;

	for (n = 0; n < 3; n++) {
		assert(span_u64(word(&text), 255, &v));
		rdata[n] = (char)v;
	}
	text = span_trim(text);
	assert(text.n == 1);
	n += rdata[2] == 1 ? 32 : 64;
	memset(rdata + 3, text.p[0], sizeof(rdata) - 3);
	assert(dns_rr_set_data(rr, span_of(rdata, n)) == 0);
}

static void
add_record(struct dns_answer *a, uint16_t type, struct span text)
{
	struct dns_rr *rr = dns_answer_add(a);
	unsigned long long pref = 0;
	struct addr ip;

	assert(rr != NULL);
	rr->type = type;
	text = span_trim(text);
	if (type == DNS_TYPE_TXT || type == DNS_TYPE_SOA ||
	    type == DNS_TYPE_DNSKEY) {
		assert(dns_rr_set_data(rr, text) == 0);
		return;
	}
	if (type == DNS_TYPE_CNAME) {
		assert(span_copy(text, rr->name, sizeof(rr->name)));
		return;
	}
	if (type == DNS_TYPE_TLSA) {
		add_tlsa(rr, text);
		return;
	}
	if (type != DNS_TYPE_MX) {
		/* not addr_parse_ip(): ::ffff:... must stay as it is written */
		assert(addr_parse_ip(text, &ip));
		assert(ip.family == (type == DNS_TYPE_A ? 4 : 6));
		memcpy(rr->ip, ip.ip, sizeof(rr->ip));
		return;
	}
	assert(span_u64(word(&text), 65535, &pref));
	rr->pref = (uint16_t)pref;
	text = span_trim(text);
	if (!span_eq(text, SPAN_LIT(".")))
		assert(span_copy(text, rr->name, sizeof(rr->name)));
}

static void
fill(struct dns_answer *a, uint16_t type, struct span rest)
{
	struct span what = word(&rest);

	if (span_eq(what, SPAN_LIT(">"))) {
		assert(span_copy(word(&rest), a->canonical, DNS_NAME_SIZE));
		what = word(&rest);
	}
	a->rcode = DNS_RCODE_NOERROR;
	if (span_eq(what, SPAN_LIT("SERVFAIL")))
		dns_answer_fail(a, DNS_ERROR, "server failure");
	else if (span_eq(what, SPAN_LIT("BOGUS")))
		dns_answer_fail(a, DNS_BOGUS, "signature expired");
	else if (span_eq(what, SPAN_LIT("NXDOMAIN")))
		a->rcode = DNS_RCODE_NXDOMAIN;
	else if (!span_eq(what, SPAN_LIT("NODATA"))) {
		assert(span_eq(what, SPAN_LIT("=")));
		while (rest.n > 0)
			add_record(a, type, span_cut(&rest, ','));
	}
}

static bool
names(struct span w, const char *name)
{
	return span_eq(w, SPAN_LIT("*")) || span_eq(w,
	    span_str(name[0] == '\0' ? "." : name));
}

static void
answer(const struct dns_query *q, struct dns_answer *a)
{
	bool known = false;

	a->status = DNS_INSECURE;
	(void)span_copy(span_str(q->name), a->canonical, DNS_NAME_SIZE);
	for (const char *const *l = q->fake->lines; *l != NULL; l++) {
		struct span rest = span_str(*l), first = word(&rest);
		bool secure = span_eq(first, SPAN_LIT("secure"));
		uint16_t type = type_of(secure ? word(&rest) : first);

		if (!names(word(&rest), q->name))
			continue;
		known = true;
		if (type != q->type)
			continue;
		if (secure)
			a->status = DNS_SECURE;
		fill(a, type, rest);
		return;
	}
	a->rcode = known ? DNS_RCODE_NOERROR : DNS_RCODE_NXDOMAIN;
}

bool
fake_one(struct fake_dns *f)
{
	struct dns_query *q = f->backwards ? f->last : f->first;
	struct dns_answer a;
	dns_answer_cb *cb;
	void *arg;

	if (q == NULL)
		return false;
	dns_answer_init(&a);
	answer(q, &a);
	cb = q->cb;
	arg = q->arg;
	query_remove(q);
	free(q);
	cb(arg, &a);
	dns_answer_free(&a);
	return true;
}

void
fake_run(struct fake_dns *f)
{
	while (fake_one(f))
		;
}
