/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/mx.h"
#include "base/siphash.h"

#define NELEM(a)	(sizeof(a) / sizeof((a)[0]))
#define MOST		8

static const struct row {
	const char	*name, *rfc;
	enum dns_status	 status;
	unsigned	 rcode;
	struct { uint16_t pref; const char *host; } rrs[MOST];	/* to NULL */
	enum mx_kind	 kind;
	const char	*want;		/* "10 a, 20 b" */
	size_t		 odd;
	bool		 cut;
} rows[] = {
	{ "sorted", "5321 5.1", DNS_INSECURE, 0,
	    { { 20, "b" }, { 10, "a" }, { 10, "c" } },
	    MX_HOSTS, "10 a, 10 c, 20 b", 0, false },
	{ "implicit", "5321 5.1", DNS_SECURE, 0, { { 0, NULL } },
	    MX_IMPLICIT, "0 example.org", 0, false },
	{ "null", "7505 3", DNS_SECURE, 0, { { 0, "" } },
	    MX_NULL, "", 0, false },
	{ "null, other preference", "7505 3", DNS_SECURE, 0, { { 10, "" } },
	    MX_NULL, "", 0, false },
	{ "null twice", "7505 3", DNS_SECURE, 0, { { 0, "" }, { 10, "" } },
	    MX_NULL, "", 0, false },
	{ "null beside a host", "7505 3", DNS_SECURE, 0,
	    { { 0, "" }, { 10, "a" } }, MX_HOSTS, "10 a", 1, false },
	{ "only odd names", "5321 5.1", DNS_INSECURE, 0,
	    { { 0, "?" }, { 10, "1.2.3.4" } }, MX_UNUSABLE, "", 2, false },
	{ "null beside an odd name", "7505 3", DNS_INSECURE, 0,
	    { { 0, "?" }, { 10, "" } }, MX_UNUSABLE, "", 2, false },
	{ "no domain", "5321 5.1", DNS_INSECURE, 3, { { 0, NULL } },
	    MX_NO_DOMAIN, "", 0, false },
	{ "no domain, proven", "5321 5.1", DNS_SECURE, 3, { { 0, NULL } },
	    MX_NO_DOMAIN, "", 0, false },
	{ "error is no absence", "7672 2.1.1", DNS_ERROR, 2,
	    { { 0, NULL } }, MX_TROUBLE, "", 0, false },
	{ "error, whatever the rcode", "7672 2.1.1", DNS_ERROR, 3,
	    { { 0, NULL } }, MX_TROUBLE, "", 0, false },
	{ "bogus", "7672 2.1.1", DNS_BOGUS, 2, { { 0, NULL } }, MX_TROUBLE, "",
	    0, false },
	{ "another rcode", "5321 5.1", DNS_INSECURE, 5, { { 0, NULL } },
	    MX_TROUBLE, "", 0, false },
	{ "twice", "5321 5.1", DNS_INSECURE, 0,
	    { { 30, "a" }, { 10, "a" }, { 20, "b" } },
	    MX_HOSTS, "10 a, 20 b", 0, false },
	{ "ourselves best", "5321 5.1", DNS_INSECURE, 0,
	    { { 10, "us.example" }, { 20, "a" } }, MX_LOOP, "", 0, true },
	{ "ourselves among equals", "5321 5.1", DNS_INSECURE, 0,
	    { { 10, "a" }, { 10, "us.example" }, { 10, "z" } },
	    MX_LOOP, "", 0, true },
	{ "ourselves second", "5321 5.1", DNS_INSECURE, 0,
	    { { 30, "c" }, { 20, "b" }, { 20, "us.example" }, { 10, "a" } },
	    MX_HOSTS, "10 a", 0, true },
	{ "ourselves twice", "5321 5.1", DNS_INSECURE, 0,
	    { { 30, "us.example" }, { 20, "us.example" }, { 10, "a" }, { 25, "b" } },
	    MX_HOSTS, "10 a", 0, true },
	{ "extreme preferences", "1035 3.3.9", DNS_INSECURE, 0,
	    { { 65535, "b" }, { 0, "a" } }, MX_HOSTS, "0 a, 65535 b", 0, false },
};

START_TEST(read_rows)
{
	const struct row *r = &rows[_i];
	struct dns_answer a;
	const struct conf c = { .hostname = "US.Example" };
	struct self *self = calloc(1, sizeof(*self));
	struct mx_set s;
	char got[256] = "";
	size_t at = 0;

	ck_assert_ptr_nonnull(self);
	self->conf = &c;
	dns_answer_init(&a);
	a.status = r->status;
	a.rcode = (uint16_t)r->rcode;
	for (size_t i = 0; i < MOST && r->rrs[i].host != NULL; i++) {
		struct dns_rr *rr = dns_answer_add(&a);

		ck_assert_ptr_nonnull(rr);
		rr->type = DNS_TYPE_MX;
		rr->pref = r->rrs[i].pref;
		(void)span_copy(span_str(r->rrs[i].host), rr->name,
		    sizeof(rr->name));
	}
	ck_assert_int_eq(mx_read(&a, "example.org", self, &s), 0);
	for (size_t i = 0; i < s.n; i++)
		at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%u %s",
		    i == 0 ? "" : ", ", s.hosts[i].preference, s.hosts[i].name);
	ck_assert_msg(s.kind == r->kind, "%s (RFC %s): kind %d",
	    r->name, r->rfc, s.kind);
	ck_assert_msg(strcmp(got, r->want) == 0, "%s (RFC %s): %s", r->name,
	    r->rfc, got);
	ck_assert_msg(s.odd == r->odd && s.cut == r->cut, "%s (RFC %s)",
	    r->name, r->rfc);
	mx_free(&s);
	dns_answer_free(&a);
	free(self);
}
END_TEST

static void
fill(struct mx_host h[6])
{
	static const uint16_t preferences[6] = { 10, 10, 10, 20, 30, 30 };

	for (int i = 0; i < 6; i++) {
		h[i] = (struct mx_host){ .preference = preferences[i] };
		h[i].name[0] = (char)('a' + i);
	}
}

/* Groups stay in order, everyone comes first about equally often, and a seed
 * gives the same order again. */
START_TEST(shuffle)
{
	struct mx_host h[6], again[6];
	unsigned first[3] = { 0 }, swapped = 0;
	uint64_t seed = 42, same;

	for (int round = 0; round < 3000; round++) {
		same = seed;
		fill(h);
		fill(again);
		mx_shuffle(h, 6, &seed);
		mx_shuffle(again, 6, &same);
		ck_assert_mem_eq(h, again, sizeof(h));
		for (int i = 0; i < 3; i++)
			ck_assert(h[i].name[0] >= 'a' && h[i].name[0] <= 'c');
		ck_assert(h[0].name[0] != h[1].name[0] &&
		    h[1].name[0] != h[2].name[0] && h[0].name[0] != h[2].name[0]);
		ck_assert_int_eq(h[3].name[0], 'd');
		ck_assert_int_eq(h[4].name[0] + h[5].name[0], 'e' + 'f');
		first[h[0].name[0] - 'a']++;
		swapped += h[4].name[0] == 'f';
	}
	for (int i = 0; i < 3; i++)
		ck_assert(first[i] > 850 && first[i] < 1150);
	ck_assert(swapped > 1350 && swapped < 1650);
	mx_shuffle(NULL, 0, &seed);
}
END_TEST

/* The authors' own vectors: key 00..0f, input 00, 01, 02 ... */
START_TEST(siphash_vectors)
{
	static const struct { size_t n; uint64_t want; } v[] = {
		{ 0, 0x726fdb47dd0e0e31ULL },
		{ 1, 0x74f839c593dc67fdULL },
		{ 8, 0x93f5f5799a932462ULL },
		{ 15, 0xa129ca6149be45e5ULL },
	};
	const struct siphash_key key = {
		0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL,
	};
	char in[16];

	for (int i = 0; i < 16; i++)
		in[i] = (char)i;
	for (size_t i = 0; i < NELEM(v); i++)
		ck_assert_uint_eq(siphash(&key, span_of(in, v[i].n)), v[i].want);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/mx");
	TCase *tc = tcase_create("mx");
	SRunner *r;
	int failed;

	tcase_add_loop_test(tc, read_rows, 0, NELEM(rows));
	tcase_add_test(tc, shuffle);
	tcase_add_test(tc, siphash_vectors);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
