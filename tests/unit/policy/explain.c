/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* What `sealane explain` says of a route, and the sentences for decisions. */
#include "tests/unit/suite.h"

#include <stdio.h>

#include "policy/route.h"
#include "policy/sentence.h"
#include "tests/unit/policy/fake_dns.h"

static struct {
	struct fake_dns	 dns;
	const char	*lines[16];
	struct conf	 conf;
	struct self	 self;
	struct route_world world;
	unsigned	 calls;
	size_t		 tlsa;		/* bytes of it, of the first host */
	json_t		*doc;
} x;

static void
setup(void)
{
	memset(&x, 0, sizeof(x));
	x.dns.lines = x.lines;
	x.conf = (struct conf){ .allow_loopback = true,
	    .hostname = "me.example.net",
	    .policy = { .dane = true },
	    .relay = { .port = 25, .connections = 20,
	    .sending = { .ehlo_name = "me.example.net" } } };
	x.world = (struct route_world){ .conf = &x.conf, .self = &x.self,
	    .lookup = fake_lookup(&x.dns), .seed = 1 };
	x.self.conf = &x.conf;
}

static void
teardown(void)
{
	json_decref(x.doc);
}

static void
on_done(void *arg, const struct route_result *r)
{
	(void)arg;
	x.calls++;
	ck_assert_ptr_nonnull(r->trace);
	x.doc = json_incref(r->trace);
	x.tlsa = r->nhosts > 0 ? r->hosts[0].tlsa.n : 0;
}

static void
explain(const char *domain)
{
	(void)route_explain(&x.world, span_str(domain), on_done, NULL);
	fake_run(&x.dns);
	ck_assert_uint_eq(x.calls, 1);
}

/* The text at a path like "hosts/0/asked". */
static const char *
at(const char *path)
{
	const json_t *j = x.doc;
	struct span rest = span_str(path);
	char key[64];

	while (rest.n > 0) {
		(void)span_copy(span_cut(&rest, '/'), key, sizeof(key));
		j = json_is_array(j) ? json_array_get(j,
		    strtoul(key, NULL, 10)) : json_object_get(j, key);
	}
	return json_is_string(j) ? json_string_value(j) : "-";
}

START_TEST(dane)
{
	x.lines[0] = "secure MX example.org = 10 mx1.example.org, 20 "
	    "mx2.example.org";
	x.lines[1] = "secure A mx1.example.org = 192.0.2.1";
	x.lines[2] = "A mx2.example.org = 192.0.2.2";
	x.lines[3] = "secure TLSA _25._tcp.mx1.example.org = 3 1 1 a, 1 1 1 b";
	explain("example.org");
	ck_assert_str_eq(at("rule"), "mx");
	ck_assert_str_eq(at("lookups/0/type"), "MX");
	ck_assert_str_eq(at("lookups/0/dnssec"), "secure");
	ck_assert_str_eq(at("lookups/0/records/0"), "10 mx1.example.org");
	ck_assert_str_eq(at("hosts/0/dane"), "used");
	ck_assert_str_eq(at("hosts/0/tlsa/0/use"), "used");
	ck_assert_str_eq(at("hosts/0/tlsa/1/use"), "unusable");
	ck_assert_int_gt((int)strlen(at("hosts/0/tlsa/1/reason")), 5);
	ck_assert_str_eq(at("hosts/0/asked"), "dane");
	ck_assert_uint_gt(x.tlsa, 0);
	ck_assert_str_eq(at("hosts/1/dane"), "none");
	ck_assert_str_eq(at("hosts/1/asked"), "clear");
	ck_assert_str_eq(at("tried/1"), "mx2.example.org");
	ck_assert_str_eq(at("decision"), "Mail goes to mx1.example.org first: "
	    "TLS with a certificate that its TLSA records match, or no mail, "
	    "because the DNS secures its records.");
}
END_TEST

START_TEST(dane_error)
{
	x.lines[0] = "secure MX example.org = 10 mx1.example.org";
	x.lines[1] = "secure A mx1.example.org = 192.0.2.1";
	x.lines[2] = "TLSA _25._tcp.mx1.example.org SERVFAIL";
	explain("example.org");
	ck_assert_str_eq(at("hosts/0/dane"), "error");
	ck_assert_ptr_nonnull(strstr(at("hosts/0/decision"), "no mail for now"));
	ck_assert_str_eq(at("dsn"), "4.4.3");
	ck_assert_ptr_nonnull(strstr(at("decision"), "Mail waits: "));
}
END_TEST

START_TEST(no_hosts)
{
	x.lines[0] = "MX example.org = 0 .";
	explain("example.org");
	ck_assert_str_eq(at("lookups/0/records/0"), "0 .");
	ck_assert_ptr_nonnull(strstr(at("decision"), "Mail is returned: "));
}
END_TEST

START_TEST(literal)
{
	explain("[192.0.2.7]");
	ck_assert_str_eq(at("rule"), "address");
	ck_assert_str_eq(at("hosts/0/addresses/0"), "192.0.2.7");
	ck_assert_str_eq(at("decision"), "Mail goes to 192.0.2.7: TLS if it "
	    "can be had, else clear text, because nothing asks for more.");
}
END_TEST

START_TEST(cancelled)
{
	struct route *r;

	x.lines[0] = "MX example.org = 10 mx1.example.org";
	r = route_explain(&x.world, SPAN_LIT("example.org"), on_done, NULL);
	ck_assert_ptr_nonnull(r);
	ck_assert(fake_one(&x.dns));
	route_cancel(&r);
	fake_run(&x.dns);
	ck_assert_uint_eq(x.calls, 0);
}
END_TEST

/* ---- what the configuration says ---- */

static void
rule(enum level require, enum level permit)
{
	static struct conf_policy_domain d;

	d = (struct conf_policy_domain){ .pattern = "example.org",
	    .require = require, .permit = permit };
	x.conf.policy.domains = &d;
	x.conf.policy.ndomains = 1;
}

START_TEST(floor_not_met)
{
	x.lines[0] = "MX example.org = 10 mx1.example.org";
	x.lines[1] = "secure A mx1.example.org = 192.0.2.1";
	x.lines[2] = "secure TLSA _25._tcp.mx1.example.org = 3 1 1 a";
	rule(LEVEL_DANE, LEVEL_NONE);
	explain("Example.ORG");
	ck_assert_str_eq(at("hosts/0/rule/require"), "dane");
	ck_assert_str_eq(at("hosts/0/decision"), "no mail: policy.domain "
	    "requires more than it can prove");
	ck_assert_str_eq(at("decision"), "Mail waits: The configuration asks "
	    "more than the hosts of example.org can prove.");
}
END_TEST

/* Broken records of a peer that must get its mail all the same. */
static const char *const broken[] = {
	"secure TLSA _25._tcp.mx1.example.org = 3 1 1 a",
	"TLSA _25._tcp.mx1.example.org SERVFAIL",
	"TLSA _25._tcp.mx1.example.org BOGUS",
};

START_TEST(cap)
{
	x.lines[0] = "secure MX example.org = 10 mx1.example.org";
	x.lines[1] = "secure A mx1.example.org = 192.0.2.1";
	x.lines[2] = broken[_i];
	rule(LEVEL_NONE, LEVEL_ENCRYPTED);
	explain("example.org");
	ck_assert_str_eq(at("hosts/0/asked"), "encrypted");
	ck_assert_str_eq(at("hosts/0/why"), "rule");
	ck_assert_str_eq(at("tried/0"), "mx1.example.org");
	ck_assert_str_eq(at("decision"), "Mail goes to mx1.example.org: TLS or "
	    "no mail, whoever answers, because policy.domain permits to ask "
	    "for no more.");
	ck_assert_uint_eq(x.tlsa, 0);
}
END_TEST

/* ---- sentences ---- */

static const struct row {
	struct evidence	e;
	const char	*says;
} rows[] = {
	{ { .sts = STS_NONE }, "nothing asks for more" },
	{ { .dane = true, .mx_secure = true }, "the DNS secures its records" },
	{ { .dane = true }, "which must match" },
	{ { .dane_unusable = true }, "none of which can be used" },
	{ { .sts = STS_ENFORCE, .sts_allows = true }, "MTA-STS policy says so" },
	{ { .sts = STS_ENFORCE }, "no mail: the domain's MTA-STS policy does "
	  "not list it" },
	{ { .memory = RECALL_TLS }, "it has had TLS before" },
	{ { .memory = RECALL_OBSERVE }, "on-loss is observe" },
	{ { .memory = RECALL_ACCEPTED }, "its loss is accepted" },
	{ { .memory = RECALL_TLS, .excepted = true }, "TLS if it can be had, "
	  "else clear text, because an exception was made of it" },
};

START_TEST(sentences)
{
	const struct row *r = &rows[_i];
	const struct decision d = decide(&r->e);
	char out[SENTENCE_SIZE];

	ck_assert_msg(strstr(sentence(&r->e, &d, out), r->says) != NULL,
	    "row %d: %s", _i, sentence(&r->e, &d, out));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/explain");
	TCase *tc = tcase_create("explain");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, dane);
	tcase_add_test(tc, dane_error);
	tcase_add_test(tc, no_hosts);
	tcase_add_test(tc, literal);
	tcase_add_test(tc, cancelled);
	tcase_add_test(tc, floor_not_met);
	tcase_add_loop_test(tc, cap, 0, NELEM(broken));
	tcase_add_loop_test(tc, sentences, 0, NELEM(rows));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
