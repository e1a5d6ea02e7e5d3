/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include <check.h>

#include "dns/answer.h"
#include "tests/unit/suite.h"

static void
fill(struct dns_answer *a)
{
	struct dns_rr *rr;

	dns_answer_init(a);
	a->status = DNS_SECURE;
	a->rcode = DNS_RCODE_NOERROR;
	a->ttl = 77;
	(void)span_copy(SPAN_LIT("example.org"), a->canonical, DNS_NAME_SIZE);
	for (uint16_t i = 0; i < 3; i++) {
		rr = dns_answer_add(a);
		ck_assert_ptr_nonnull(rr);
		rr->type = DNS_TYPE_MX;
		rr->pref = i;
		rr->ttl = 100u + i;
	}
	(void)span_copy(SPAN_LIT("mx.example.org"), a->rrs[1].name, DNS_NAME_SIZE);
	(void)span_copy(SPAN_LIT(DNS_NAME_ODD), a->rrs[2].name, DNS_NAME_SIZE);
}

START_TEST(there_and_back)
{
	struct dns_answer a, b;
	struct ipc_dns_answer m;
	struct buf rrs;

	fill(&a);
	buf_init(&rrs, 65536);
	ck_assert_int_eq(dns_answer_put(&a, 9, &rrs, &m), 0);
	ck_assert_uint_eq(m.txn, 9);
	dns_answer_init(&b);
	ck_assert_int_eq(dns_answer_get(&m, DNS_TYPE_MX, &b), 0);
	ck_assert_int_eq(b.status, DNS_SECURE);
	ck_assert_uint_eq(b.ttl, 77);
	ck_assert_str_eq(b.canonical, "example.org");
	ck_assert_uint_eq(b.n, 3);
	ck_assert_str_eq(b.rrs[0].name, "");
	ck_assert_str_eq(b.rrs[1].name, "mx.example.org");
	ck_assert_uint_eq(b.rrs[1].pref, 1);
	ck_assert_uint_eq(b.rrs[1].ttl, 101);
	ck_assert_str_eq(b.rrs[2].name, DNS_NAME_ODD);
	dns_answer_free(&a);
	dns_answer_free(&b);
	buf_free(&rrs);
}
END_TEST

START_TEST(addresses)
{
	struct dns_answer a, b;
	struct ipc_dns_answer m;
	struct dns_rr *rr;
	struct buf rrs;
	uint16_t type = _i == 0 ? DNS_TYPE_A : DNS_TYPE_AAAA;

	dns_answer_init(&a);
	a.status = DNS_INSECURE;
	rr = dns_answer_add(&a);
	ck_assert_ptr_nonnull(rr);
	rr->type = type;
	for (uint8_t i = 0; i < 16; i++)
		rr->ip[i] = i;
	buf_init(&rrs, 65536);
	ck_assert_int_eq(dns_answer_put(&a, 9, &rrs, &m), 0);
	dns_answer_init(&b);
	ck_assert_int_eq(dns_answer_get(&m, type, &b), 0);
	ck_assert_mem_eq(b.rrs[0].ip, rr->ip, _i == 0 ? 4 : 16);
	dns_answer_free(&a);
	dns_answer_free(&b);
	buf_free(&rrs);
}
END_TEST

/* The longest set that the bounds of an answer allow, and one too large. */
START_TEST(data)
{
	static const uint16_t types[] = { DNS_TYPE_TXT, DNS_TYPE_TLSA };
	struct dns_answer a, b;
	struct ipc_dns_answer m;
	struct buf rrs;

	fill(&a);
	dns_answer_free(&a);
	a.status = DNS_SECURE;
	for (int i = 0; i < 2; i++) {
		struct dns_rr *rr = dns_answer_add(&a);

		rr->type = types[_i];
		ck_assert_int_eq(dns_rr_set_data(rr, i == 0 ? SPAN_NONE :
		    SPAN_LIT("\3\1\1\0\377")), 0);
	}
	buf_init(&rrs, 65536);
	ck_assert_int_eq(dns_answer_put(&a, 9, &rrs, &m), 0);
	dns_answer_init(&b);
	ck_assert_int_eq(dns_answer_get(&m, types[_i], &b), 0);
	ck_assert_uint_eq(b.n, 2);
	ck_assert_uint_eq(b.rrs[0].data_len, 0);
	ck_assert(span_eq(span_of(b.rrs[1].data, b.rrs[1].data_len),
	    SPAN_LIT("\3\1\1\0\377")));
	dns_answer_free(&a);
	dns_answer_free(&b);
	buf_free(&rrs);
}
END_TEST

START_TEST(bounds)
{
	struct dns_answer a;
	struct ipc_dns_answer m;
	struct buf rrs;

	dns_answer_init(&a);
	a.status = DNS_INSECURE;
	for (size_t i = 0; i < DNS_ANSWER_RRS; i++) {
		struct dns_rr *rr = dns_answer_add(&a);

		ck_assert_ptr_nonnull(rr);
		rr->type = DNS_TYPE_MX;
		memset(rr->name, 'a', 40);
	}
	ck_assert_ptr_null(dns_answer_add(&a));
	buf_init(&rrs, 65536);
	ck_assert_int_eq(dns_answer_put(&a, 1, &rrs, &m), 0);
	buf_free(&rrs);
	for (size_t i = 0; i < DNS_ANSWER_RRS; i++)
		memset(a.rrs[i].name, 'a', 63);
	buf_init(&rrs, 65536);
	ck_assert_int_eq(dns_answer_put(&a, 1, &rrs, &m), -1);
	buf_free(&rrs);
	dns_answer_free(&a);
}
END_TEST

/* What a resolver process gone wrong might say. */
static const struct lie {
	const char	*name;
	uint8_t		 status;
	const char	*canonical;
	uint16_t	 type;
	const char	*data;
	size_t		 len;
} lies[] = {
	{ "status", DNS_STATUS_COUNT, "example.org", DNS_TYPE_MX, "mx.org", 6 },
	{ "canonical", DNS_SECURE, "Example org", DNS_TYPE_MX, "mx.org", 6 },
	{ "other type", DNS_SECURE, "example.org", DNS_TYPE_A, "\1\2\3\4", 4 },
	{ "name", DNS_SECURE, "example.org", DNS_TYPE_MX, "mx org", 6 },
	{ "upper case", DNS_SECURE, "example.org", DNS_TYPE_MX, "MX.org", 6 },
	{ "NUL", DNS_SECURE, "example.org", DNS_TYPE_MX, "mx\0org", 6 },
	{ "error with records", DNS_ERROR, "", DNS_TYPE_MX, "mx.org", 6 },
	{ "bogus with records", DNS_BOGUS, "", DNS_TYPE_MX, "mx.org", 6 },
};

START_TEST(lie)
{
	const struct lie *l = &lies[_i];
	struct dns_answer a;
	struct buf rrs;
	struct ipc_dns_answer m;

	buf_init(&rrs, 65536);
	ck_assert_int_eq(ipc_put_rr(&rrs, &(struct ipc_rr){ .type = l->type,
	    .data = span_of(l->data, l->len) }), 0);
	m = (struct ipc_dns_answer){ .status = l->status,
	    .canonical = span_str(l->canonical), .why = SPAN_NONE,
	    .rrs = buf_get(&rrs) };
	dns_answer_init(&a);
	ck_assert_msg(dns_answer_get(&m, DNS_TYPE_MX, &a) == -1, "%s", l->name);
	ck_assert_int_eq(a.status, DNS_ERROR);
	ck_assert_uint_eq(a.n, 0);
	buf_free(&rrs);
}
END_TEST

START_TEST(words)
{
	ck_assert_str_eq(dns_status_name(DNS_ERROR), "error");
	ck_assert_str_eq(dns_status_name(DNS_BOGUS), "bogus");
	ck_assert_str_eq(dns_status_name(DNS_INSECURE), "insecure");
	ck_assert_str_eq(dns_status_name(DNS_SECURE), "secure");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("dns/answer");
	TCase *tc = tcase_create("answer");

	tcase_add_test(tc, there_and_back);
	tcase_add_loop_test(tc, addresses, 0, 2);
	tcase_add_loop_test(tc, data, 0, 2);
	tcase_add_test(tc, bounds);
	tcase_add_loop_test(tc, lie, 0, NELEM(lies));
	tcase_add_test(tc, words);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
