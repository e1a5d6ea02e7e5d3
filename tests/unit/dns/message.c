/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "dns/message.h"
#include "tests/unit/dns/packet.h"
#include "tests/unit/suite.h"

#define LONG_LABEL	"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"

static struct made m;		/* 64 KiB: not on the stack */

static int
parse(const char *name, uint16_t type, struct dns_answer *a)
{
	dns_answer_init(a);
	return dns_message_parse(span_of(m.b, m.n), name, type, a);
}

/* ---- good packets ---- */

static void
make_mx(void)
{
	made_head(&m, 0, "example.org", DNS_TYPE_MX, 2, 0);
	made_mx(&m, "@12", 300, 20, "mx2@12");
	made_mx(&m, "@12", 200, 10, "MX1.Example.ORG");
}

START_TEST(mx_records)
{
	struct dns_answer a;

	make_mx();
	ck_assert_int_eq(parse("example.org", DNS_TYPE_MX, &a), 0);
	ck_assert_int_eq(a.status, DNS_INSECURE);
	ck_assert_uint_eq(a.rcode, 0);
	ck_assert_uint_eq(a.ttl, 200);
	ck_assert_str_eq(a.canonical, "example.org");
	ck_assert_uint_eq(a.n, 2);
	ck_assert_str_eq(a.rrs[0].name, "mx2.example.org");
	ck_assert_uint_eq(a.rrs[0].pref, 20);
	ck_assert_str_eq(a.rrs[1].name, "mx1.example.org");
	dns_answer_free(&a);
}
END_TEST

START_TEST(null_mx)		/* RFC 7505 sec 3 */
{
	struct dns_answer a;

	made_head(&m, 0, "example.org", DNS_TYPE_MX, 1, 0);
	made_mx(&m, "@12", 300, 0, "");
	ck_assert_int_eq(parse("example.org", DNS_TYPE_MX, &a), 0);
	ck_assert_uint_eq(a.n, 1);
	ck_assert_str_eq(a.rrs[0].name, "");
	dns_answer_free(&a);
}
END_TEST

START_TEST(addresses)
{
	struct dns_answer a;
	size_t at;

	made_head(&m, 0, "mx.example.org", DNS_TYPE_A, 2, 0);
	made_a(&m, "@12", 60, 7);
	made_a(&m, "other.example.org", 1, 9);	/* not asked for */
	ck_assert_int_eq(parse("mx.example.org", DNS_TYPE_A, &a), 0);
	ck_assert_uint_eq(a.n, 1);
	ck_assert_uint_eq(a.ttl, 60);
	ck_assert_uint_eq(a.rrs[0].ip[3], 7);
	dns_answer_free(&a);

	made_head(&m, 0, "mx.example.org", DNS_TYPE_AAAA, 1, 0);
	at = made_rr(&m, "@12", DNS_TYPE_AAAA, 60);
	for (unsigned i = 0; i < 16; i++)
		made_u8(&m, i);
	made_end(&m, at);
	ck_assert_int_eq(parse("mx.example.org", DNS_TYPE_AAAA, &a), 0);
	ck_assert_uint_eq(a.n, 1);
	ck_assert_uint_eq(a.rrs[0].ip[15], 15);
	dns_answer_free(&a);
}
END_TEST

/* Aliases in order and upside down give the same; the least TTL counts. */
/* RFC 8461 sec 3.1: strings are joined without spaces. */
START_TEST(text)
{
	struct dns_answer a;
	size_t at;

	made_head(&m, 0, "example.org", DNS_TYPE_TXT, 2, 0);
	at = made_rr(&m, "@12", DNS_TYPE_TXT, 60);
	made_string(&m, "v=STSv1; ", 9);
	made_string(&m, "", 0);
	made_string(&m, "id=\0;", 5);
	made_end(&m, at);
	made_end(&m, made_rr(&m, "@12", DNS_TYPE_TXT, 60));
	ck_assert_int_eq(parse("example.org", DNS_TYPE_TXT, &a), 0);
	ck_assert_uint_eq(a.n, 2);
	ck_assert(span_eq(span_of(a.rrs[0].data, a.rrs[0].data_len),
	    SPAN_LIT("v=STSv1; id=\0;")));
	ck_assert_uint_eq(a.rrs[1].data_len, 0);
	dns_answer_free(&a);
}
END_TEST

/* `n` bytes of RDATA; as strings for TXT. */
static void
make_long(unsigned type, size_t n)
{
	static const char zeros[255];
	size_t at;

	made_head(&m, 0, "example.org", type, 1, 0);
	at = made_rr(&m, "@12", type, 60);
	for (size_t len; n > 0; n -= len) {
		len = n < sizeof(zeros) ? n : sizeof(zeros);
		if (type == DNS_TYPE_TXT) {
			made_string(&m, zeros, len);
		} else {
			memcpy(m.b + m.n, zeros, len);
			m.n += len;
		}
	}
	made_end(&m, at);
}

/* One byte too long is an error, never a record less. */
START_TEST(long_data)
{
	static const uint16_t types[] = { DNS_TYPE_TXT, DNS_TYPE_TLSA };
	struct dns_answer a;

	make_long(types[_i], DNS_RR_DATA_MAX);
	ck_assert_int_eq(parse("example.org", types[_i], &a), 0);
	ck_assert_uint_eq(a.rrs[0].data_len, DNS_RR_DATA_MAX);
	dns_answer_free(&a);
	make_long(types[_i], DNS_RR_DATA_MAX + 1);
	ck_assert_int_eq(parse("example.org", types[_i], &a), -1);
	ck_assert_str_eq(a.why, "record too long");
}
END_TEST

START_TEST(string_beyond_record)
{
	struct dns_answer a;
	size_t at;

	made_head(&m, 0, "example.org", DNS_TYPE_TXT, 1, 0);
	at = made_rr(&m, "@12", DNS_TYPE_TXT, 60);
	made_u8(&m, 5);
	made_u8(&m, 'x');
	made_end(&m, at);
	made_u32(&m, 0);
	ck_assert_int_eq(parse("example.org", DNS_TYPE_TXT, &a), -1);
	ck_assert_str_eq(a.why, "string cut short");
}
END_TEST

START_TEST(cname_chain)
{
	struct dns_answer a;

	made_head(&m, 0, "a.example.org", DNS_TYPE_A, 3, 0);
	if (_i == 0) {
		made_cname(&m, "@12", 100, "b.example.org");
		made_cname(&m, "b.example.org", 50, "c.example.org");
		made_a(&m, "c.example.org", 80, 1);
	} else {
		made_a(&m, "c.example.org", 80, 1);
		made_cname(&m, "b.example.org", 50, "c.example.org");
		made_cname(&m, "@12", 100, "b.example.org");
	}
	ck_assert_int_eq(parse("a.example.org", DNS_TYPE_A, &a), 0);
	ck_assert_str_eq(a.canonical, "c.example.org");
	ck_assert_uint_eq(a.ttl, 50);
	ck_assert_uint_eq(a.n, 1);
	dns_answer_free(&a);
}
END_TEST

START_TEST(cname_asked)
{
	struct dns_answer a;

	made_head(&m, 0, "a.example.org", DNS_TYPE_CNAME, 1, 0);
	made_cname(&m, "@12", 100, "b.example.org");
	ck_assert_int_eq(parse("a.example.org", DNS_TYPE_CNAME, &a), 0);
	ck_assert_str_eq(a.canonical, "a.example.org");
	ck_assert_uint_eq(a.n, 1);
	ck_assert_str_eq(a.rrs[0].name, "b.example.org");
	dns_answer_free(&a);
}
END_TEST

/* n aliases in a row, then an address. */
static void
make_chain(unsigned n)
{
	char from[32] = "n0.example.org", to[32];

	made_head(&m, 0, from, DNS_TYPE_A, n + 1, 0);
	for (unsigned i = 0; i < n; i++) {
		snprintf(to, sizeof(to), "n%u.example.org", i + 1);
		made_cname(&m, from, 100, to);
		memcpy(from, to, sizeof(to));
	}
	made_a(&m, from, 100, 1);
}

START_TEST(chain_bound)
{
	struct dns_answer a;

	make_chain(DNS_MESSAGE_CNAMES);
	ck_assert_int_eq(parse("n0.example.org", DNS_TYPE_A, &a), 0);
	ck_assert_uint_eq(a.n, 1);
	dns_answer_free(&a);
	make_chain(DNS_MESSAGE_CNAMES + 1);
	ck_assert_int_eq(parse("n0.example.org", DNS_TYPE_A, &a), -1);
	ck_assert_uint_eq(a.n, 0);
	ck_assert_int_eq(a.status, DNS_ERROR);
}
END_TEST

START_TEST(denials)		/* RFC 2308 sec 5 */
{
	struct dns_answer a;

	made_head(&m, _i == 0 ? 3 : 0, "no.example.org", DNS_TYPE_MX, 0, 1);
	made_soa(&m, "example.org", 3600, 300);
	ck_assert_int_eq(parse("no.example.org", DNS_TYPE_MX, &a), 0);
	ck_assert_uint_eq(a.rcode, _i == 0 ? 3 : 0);
	ck_assert_uint_eq(a.ttl, 300);
	ck_assert_uint_eq(a.n, 0);

	made_head(&m, _i == 0 ? 3 : 0, "no.example.org", DNS_TYPE_MX, 1, 1);
	made_cname(&m, "@12", 30, "gone.example.org");
	made_soa(&m, "example.org", 100, 300);
	ck_assert_int_eq(parse("no.example.org", DNS_TYPE_MX, &a), 0);
	ck_assert_str_eq(a.canonical, "gone.example.org");
	ck_assert_uint_eq(a.ttl, 30);
}
END_TEST

START_TEST(denial_without_soa)
{
	struct dns_answer a;

	made_head(&m, 0, "no.example.org", DNS_TYPE_MX, 0, 0);
	ck_assert_int_eq(parse("no.example.org", DNS_TYPE_MX, &a), 0);
	ck_assert_uint_eq(a.ttl, 0);
}
END_TEST

/* A target that is no host name is seen, not dropped. */
static const char *const odd_targets[] = {
	"two words.example.org", "a\\b", "caf\xc3\xa9.example.org", "a/b", "[1",
	"mx:25", "\x01\x02", "*.example.org",
};

START_TEST(odd_mx_target)
{
	struct dns_answer a;

	made_head(&m, 0, "example.org", DNS_TYPE_MX, 2, 0);
	made_mx(&m, "@12", 300, 10, odd_targets[_i]);
	made_mx(&m, "@12", 300, 20, "mx.example.org");
	ck_assert_int_eq(parse("example.org", DNS_TYPE_MX, &a), 0);
	ck_assert_uint_eq(a.n, 2);
	ck_assert_str_eq(a.rrs[0].name, DNS_NAME_ODD);
	ck_assert_str_eq(a.rrs[1].name, "mx.example.org");
	dns_answer_free(&a);
}
END_TEST

START_TEST(big_ttl)		/* RFC 2181 sec 8 */
{
	struct dns_answer a;

	made_head(&m, 0, "example.org", DNS_TYPE_A, 1, 0);
	made_a(&m, "@12", 0x80000001u, 1);
	ck_assert_int_eq(parse("example.org", DNS_TYPE_A, &a), 0);
	ck_assert_uint_eq(a.ttl, 0);
	dns_answer_free(&a);
}
END_TEST

START_TEST(record_bound)
{
	struct dns_answer a;

	for (unsigned n = DNS_ANSWER_RRS; n <= DNS_ANSWER_RRS + 1; n++) {
		made_head(&m, 0, "example.org", DNS_TYPE_A, n, 0);
		for (unsigned i = 0; i < n; i++)
			made_a(&m, "@12", 60, (uint8_t)i);
		if (n == DNS_ANSWER_RRS) {
			ck_assert_int_eq(parse("example.org", DNS_TYPE_A, &a), 0);
			ck_assert_uint_eq(a.n, DNS_ANSWER_RRS);
			dns_answer_free(&a);
		} else {
			ck_assert_int_eq(parse("example.org", DNS_TYPE_A, &a), -1);
			ck_assert_str_eq(a.why, "too many records");
		}
	}
}
END_TEST

/* 253 bytes of text is the longest name there is; RFC 1035 sec 2.3.4. */
START_TEST(longest_name)
{
	static const char fits[] = LONG_LABEL "." LONG_LABEL "." LONG_LABEL
	    ".123456789.123456789.123456789.123456789.123456789.1234567890a";
	static const char over[] = LONG_LABEL "." LONG_LABEL "." LONG_LABEL
	    ".123456789.123456789.123456789.123456789.123456789.1234567890ab";
	struct dns_answer a;

	ck_assert_uint_eq(strlen(fits), DNS_NAME_MAX);
	made_head(&m, 0, "example.org", DNS_TYPE_MX, 1, 0);
	made_mx(&m, "@12", 60, 1, fits);
	ck_assert_int_eq(parse("example.org", DNS_TYPE_MX, &a), 0);
	ck_assert_str_eq(a.rrs[0].name, fits);
	dns_answer_free(&a);
	made_head(&m, 0, "example.org", DNS_TYPE_MX, 1, 0);
	made_mx(&m, "@12", 60, 1, over);
	ck_assert_int_eq(parse("example.org", DNS_TYPE_MX, &a), -1);
	ck_assert_str_eq(a.why, "name too long");
}
END_TEST

/* ---- bad packets ---- */

static void
bad_not_answer(void)
{
	make_mx();
	m.b[2] &= 0x7f;
}

static void
bad_opcode(void)
{
	make_mx();
	m.b[2] |= 0x20;
}

static void
bad_truncated_flag(void)
{
	make_mx();
	m.b[2] |= 0x02;
}

static void
bad_no_question(void)
{
	make_mx();
	m.b[5] = 0;
}

static void
bad_other_name(void)
{
	make_mx();
	m.b[13] = 'X';
}

static void
bad_other_type(void)
{
	made_head(&m, 0, "example.org", DNS_TYPE_A, 0, 0);
}

static void
bad_pointer_self(void)
{
	made_head(&m, 0, "example.org", DNS_TYPE_MX, 1, 0);
	made_u16(&m, 0xc000u | (unsigned)m.n);
	made_u32(&m, 0);
	made_u32(&m, 0);
	made_u16(&m, 0);
}

static void
bad_pointer_forward(void)
{
	made_head(&m, 0, "example.org", DNS_TYPE_MX, 1, 0);
	made_mx(&m, "@40", 60, 10, "mx.example.org");
}

static void
bad_pointer_pair(void)		/* two that point at each other */
{
	made_head(&m, 0, "example.org", DNS_TYPE_MX, 1, 0);
	made_u8(&m, 1);
	made_u8(&m, 'a');
	made_u16(&m, 0xc000u | (unsigned)(m.n + 2));
	made_u16(&m, 0xc000u | (unsigned)(m.n - 4));
	made_u32(&m, 0);
	made_u32(&m, 0);
	made_u16(&m, 0);
}

static void
bad_pointer_header(void)
{
	made_head(&m, 0, "example.org", DNS_TYPE_MX, 1, 0);
	made_mx(&m, "@3", 60, 10, "mx.example.org");
}

static void
bad_label_type(void)
{
	made_head(&m, 0, "example.org", DNS_TYPE_MX, 1, 0);
	made_u8(&m, 0x41);
	for (int i = 0; i < 80; i++)
		made_u8(&m, 0);
}

static void
bad_a_length(void)
{
	size_t at;

	made_head(&m, 0, "example.org", DNS_TYPE_MX, 2, 0);
	made_mx(&m, "@12", 60, 10, "mx.example.org");
	at = made_rr(&m, "@12", DNS_TYPE_MX, 60);
	made_u8(&m, 1);
	made_end(&m, at);
}

static void
bad_mx_slack(void)		/* bytes behind the name, inside the record */
{
	size_t at;

	made_head(&m, 0, "example.org", DNS_TYPE_MX, 1, 0);
	at = made_rr(&m, "@12", DNS_TYPE_MX, 60);
	made_u16(&m, 10);
	made_name(&m, "mx.example.org");
	made_u8(&m, 0);
	made_end(&m, at);
}

static void
bad_mx_overlap(void)		/* the name runs over the record's end */
{
	size_t at;

	made_head(&m, 0, "example.org", DNS_TYPE_MX, 1, 0);
	at = made_rr(&m, "@12", DNS_TYPE_MX, 60);
	made_u16(&m, 10);
	made_name(&m, "mx.example.org");
	made_end(&m, at);
	m.b[at - 1] = (uint8_t)(m.b[at - 1] - 3);
}

static void
bad_cname_loop(void)
{
	made_head(&m, 0, "example.org", DNS_TYPE_MX, 2, 0);
	made_cname(&m, "@12", 60, "b.example.org");
	made_cname(&m, "b.example.org", 60, "example.org");
}

static void
bad_cname_self(void)
{
	made_head(&m, 0, "example.org", DNS_TYPE_MX, 1, 0);
	made_cname(&m, "@12", 60, "@12");
}

static void
bad_two_cnames(void)
{
	made_head(&m, 0, "example.org", DNS_TYPE_MX, 2, 0);
	made_cname(&m, "@12", 60, "b.example.org");
	made_cname(&m, "@12", 60, "c.example.org");
}

static void
bad_cname_beside(void)		/* RFC 1034 sec 3.6.2 */
{
	made_head(&m, 0, "example.org", DNS_TYPE_MX, 2, 0);
	made_mx(&m, "@12", 60, 10, "mx.example.org");
	made_cname(&m, "@12", 60, "b.example.org");
}

static void
bad_cname_odd(void)
{
	made_head(&m, 0, "example.org", DNS_TYPE_MX, 1, 0);
	made_cname(&m, "@12", 60, "a b.example.org");
}

static void
bad_soa(void)
{
	made_head(&m, 0, "example.org", DNS_TYPE_MX, 0, 1);
	made_soa(&m, "example.org", 60, 60);
	m.b[m.n++] = 0;
	/* one byte more than the fields need */
	for (size_t at = 12 + 17; at < m.n; at++)
		if (m.b[at] == 0 && m.b[at + 1] == 6) {
			m.b[at + 9]++;
			break;
		}
}

static void
bad_denial_with_records(void)
{
	make_mx();
	m.b[3] |= 3;
}

static void
bad_counts(void)
{
	make_mx();
	m.b[7] = 200;
}

static const struct bad_row {
	const char	*name;
	void		(*make)(void);
} bad_rows[] = {
	{ "query, not answer", bad_not_answer },
	{ "opcode", bad_opcode },
	{ "TC bit", bad_truncated_flag },
	{ "no question", bad_no_question },
	{ "other name", bad_other_name },
	{ "other type", bad_other_type },
	{ "pointer to itself", bad_pointer_self },
	{ "pointer forward", bad_pointer_forward },
	{ "pointers in a circle", bad_pointer_pair },
	{ "pointer into the header", bad_pointer_header },
	{ "label type 01", bad_label_type },
	{ "MX of one byte", bad_a_length },
	{ "slack behind MX name", bad_mx_slack },
	{ "MX name beyond its record", bad_mx_overlap },
	{ "CNAME loop", bad_cname_loop },
	{ "CNAME to itself", bad_cname_self },
	{ "two CNAMEs", bad_two_cnames },
	{ "CNAME beside MX", bad_cname_beside },
	{ "CNAME to no host name", bad_cname_odd },
	{ "SOA too long", bad_soa },
	{ "NXDOMAIN with records", bad_denial_with_records },
	{ "more records promised", bad_counts },
};

START_TEST(bad)
{
	const struct bad_row *r = &bad_rows[_i];
	struct dns_answer a;

	r->make();
	ck_assert_msg(parse("example.org", DNS_TYPE_MX, &a) == -1, "%s", r->name);
	ck_assert_int_eq(a.status, DNS_ERROR);
	ck_assert_uint_eq(a.rcode, DNS_RCODE_SERVFAIL);
	ck_assert_uint_eq(a.n, 0);
	ck_assert_ptr_null(a.rrs);
	ck_assert(a.why[0] != '\0');
}
END_TEST

/* Cut at every byte, in memory of exactly that size so that the sanitizer sees
 * a read too far. */
static void
cut_everywhere(const char *name, uint16_t type)
{
	struct dns_answer a;

	for (size_t n = 0; n < m.n; n++) {
		uint8_t *copy = malloc(n == 0 ? 1 : n);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, m.b, n);
		dns_answer_init(&a);
		ck_assert_msg(dns_message_parse(span_of(copy, n), name, type,
		    &a) == -1, "cut at %zu of %zu", n, m.n);
		free(copy);
	}
	dns_answer_init(&a);
	ck_assert_int_eq(dns_message_parse(span_of(m.b, m.n), name, type, &a), 0);
	dns_answer_free(&a);
}

START_TEST(cut)
{
	make_mx();
	cut_everywhere("example.org", DNS_TYPE_MX);
	make_chain(4);
	cut_everywhere("n0.example.org", DNS_TYPE_A);
	made_head(&m, 3, "no.example.org", DNS_TYPE_MX, 1, 1);
	made_cname(&m, "@12", 30, "gone.example.org");
	made_soa(&m, "example.org", 100, 300);
	cut_everywhere("no.example.org", DNS_TYPE_MX);
}
END_TEST

/* Every single byte changed to every value: no crash, and the answer is whole
 * or an error (what a fuzzer does first, repeatable). */
START_TEST(flip)
{
	struct dns_answer a;

	made_head(&m, 0, "example.org", DNS_TYPE_MX, 3, 1);
	made_cname(&m, "@12", 30, "a@12");
	made_mx(&m, "a@12", 300, 20, "mx2@12");
	made_mx(&m, "a@12", 300, 10, "");
	made_soa(&m, "@12", 100, 300);
	for (size_t at = 0; at < m.n; at++) {
		uint8_t was = m.b[at];

		for (unsigned v = 0; v < 256; v++) {
			m.b[at] = (uint8_t)v;
			if (parse("example.org", DNS_TYPE_MX, &a) == -1)
				ck_assert_uint_eq(a.n, 0);
			else
				ck_assert_int_eq(a.status, DNS_INSECURE);
			dns_answer_free(&a);
		}
		m.b[at] = was;
	}
}
END_TEST

/* 64 KiB in which each owner is a long compressed name: bounded work. */
START_TEST(heavy)
{
	struct dns_answer a;
	unsigned n = 0;
	size_t first;

	made_head(&m, 0, "example.org", DNS_TYPE_MX, 0, 0);
	first = m.n;
	made_mx(&m, LONG_LABEL "." LONG_LABEL "." LONG_LABEL ".x.y.z", 1, 1, "");
	n++;
	while (m.n < 65000) {
		char pointer[16];

		snprintf(pointer, sizeof(pointer), "@%zu", first);
		made_mx(&m, pointer, 1, 1, "");
		n++;
	}
	m.b[6] = (uint8_t)(n >> 8);
	m.b[7] = (uint8_t)n;
	ck_assert_int_eq(parse("example.org", DNS_TYPE_MX, &a), 0);
	ck_assert_uint_eq(a.n, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("dns/message");
	TCase *tc = tcase_create("message");

	tcase_add_test(tc, mx_records);
	tcase_add_test(tc, null_mx);
	tcase_add_test(tc, text);
	tcase_add_loop_test(tc, long_data, 0, 2);
	tcase_add_test(tc, string_beyond_record);
	tcase_add_test(tc, addresses);
	tcase_add_loop_test(tc, cname_chain, 0, 2);
	tcase_add_test(tc, cname_asked);
	tcase_add_test(tc, chain_bound);
	tcase_add_loop_test(tc, denials, 0, 2);
	tcase_add_test(tc, denial_without_soa);
	tcase_add_loop_test(tc, odd_mx_target, 0, NELEM(odd_targets));
	tcase_add_test(tc, big_ttl);
	tcase_add_test(tc, record_bound);
	tcase_add_test(tc, longest_name);
	tcase_add_loop_test(tc, bad, 0, NELEM(bad_rows));
	tcase_add_test(tc, cut);
	tcase_add_test(tc, flip);
	tcase_add_test(tc, heavy);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
