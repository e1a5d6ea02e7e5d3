/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Which hosts get TLSA records and what is then asked: RFC 7672 sec 2. */
#include "tests/unit/suite.h"

#include <stdio.h>

#include "policy/route.h"
#include "tests/unit/policy/fake_dns.h"

static struct {
	struct fake_dns	 dns;
	struct conf	 conf;
	struct self	 self;
	struct route_world world;
	unsigned	 calls;
	char		 got[1024];
} x;

static size_t
tlsa_count(struct span list)
{
	struct ipc_tlsa t;
	size_t n = 0;

	while (ipc_get_tlsa(&list, &t) == 1)
		n++;
	return n;
}

/* "CODE", or per host "NAME LEVEL WHY BASE RECORDS". */
static void
on_route(void *arg, const struct route_result *r)
{
	size_t n = 0;

	(void)arg;
	x.calls++;
	x.got[0] = '\0';
	if (r->code != 250)
		(void)snprintf(x.got, sizeof x.got, "%d", r->code);
	for (size_t i = 0; i < r->nhosts; i++)
		n += (size_t)snprintf(x.got + n, sizeof x.got - n,
		    "%s%s %s %s %s %zu", n == 0 ? "" : ", ", r->hosts[i].name,
		    level_name(r->hosts[i].asked), why_name(r->hosts[i].why),
		    r->hosts[i].base[0] == '\0' ? "-" : r->hosts[i].base,
		    tlsa_count(r->hosts[i].tlsa));
}

static void
route(const char *const *lines, const char *domain, bool backwards)
{
	struct route *r;

	memset(&x, 0, sizeof x);
	x.dns.lines = lines;
	x.dns.backwards = backwards;
	x.conf = (struct conf){ .allow_loopback = true,
	    .hostname = "me.example.net", .policy = { .dane = true },
	    .relay = { .port = 25, .connections = 20,
	    .sending = { .ehlo_name = "me.example.net" } } };
	x.self.conf = &x.conf;
	x.world = (struct route_world){ .conf = &x.conf, .self = &x.self,
	    .lookup = fake_lookup(&x.dns), .seed = 1 };
	r = route_start(&x.world, span_str(domain), TLS_WISH_NONE,
	    on_route, NULL);
	(void)r;
	fake_run(&x.dns);
	ck_assert_uint_eq(x.calls, 1);
}

#define MX	"secure MX d.example = 10 mx.d.example"
#define A	"secure A mx.d.example = 192.0.2.1"
#define TLSA	"TLSA _25._tcp.mx.d.example = 3 1 1 a"

static const struct row {
	const char	*name;
	const char	*lines[8];
	const char	*want;
} rows[] = {
	/* sec 2.2: the four outcomes */
	{ "RFC 7672 sec 2.2: usable", { MX, A, "secure " TLSA },
	    "mx.d.example dane dane mx.d.example 1" },
	{ "RFC 7672 sec 2.2: two", { MX, A, "secure " TLSA ", 2 0 1 b" },
	    "mx.d.example dane dane mx.d.example 2" },
	{ "RFC 7672 sec 2.2: unusable beside usable",
	    { MX, A, "secure " TLSA ", 1 1 1 b" },
	    "mx.d.example dane dane mx.d.example 1" },
	{ "RFC 7671 sec 9: weaker digest is not carried",
	    { MX, A, "secure " TLSA ", 3 1 2 b" },
	    "mx.d.example dane dane mx.d.example 1" },
	{ "RFC 7672 sec 2.2: only unusable", { MX, A,
	    "secure TLSA _25._tcp.mx.d.example = 1 1 1 a" },
	    "mx.d.example encrypted dane mx.d.example 0" },
	{ "RFC 7672 sec 2.1.1: secure absence",
	    { MX, A, "secure TLSA _25._tcp.mx.d.example NODATA" },
	    "mx.d.example clear none - 0" },
	{ "RFC 7672 sec 2.1.1: secure denial", { MX, A,
	    "secure TLSA _25._tcp.mx.d.example NXDOMAIN" },
	    "mx.d.example clear none - 0" },
	{ "RFC 7672 sec 2.1.1: insecure records",
	    { MX, A, TLSA }, "mx.d.example clear none - 0" },
	{ "RFC 7672 sec 2.1.1: failed",
	    { MX, A, "TLSA _25._tcp.mx.d.example SERVFAIL" }, "451" },
	{ "RFC 7672 sec 2.1.1: bogus",
	    { MX, A, "TLSA _25._tcp.mx.d.example BOGUS" }, "451" },
	{ "RFC 7672 sec 2.1.1: failed, and another host",
	    { "secure MX d.example = 10 mx.d.example, "
	    "20 mx2.d.example", A, "TLSA _25._tcp.mx.d.example SERVFAIL",
	    "secure A mx2.d.example = 192.0.2.2" },
	    "mx2.d.example clear none - 0" },
	/* sec 2.2.2: addresses first */
	{ "RFC 7672 sec 2.1.3: insecure address",
	    { MX, "A mx.d.example = 192.0.2.1",
	    "TLSA _25._tcp.mx.d.example SERVFAIL" },
	    "mx.d.example clear none - 0" },
	{ "RFC 7672 sec 2.1.3: one family insecure",
	    { MX, A, "AAAA mx.d.example = 2001:db8::1",
	    "secure " TLSA }, "mx.d.example clear none - 0" },
	{ "RFC 7672 sec 2.1.3: both families",
	    { MX, A, "secure AAAA mx.d.example = 2001:db8::1",
	    "secure " TLSA }, "mx.d.example dane dane mx.d.example 1" },
	/* sec 2.2.1: an insecure MX names a host with records */
	{ "RFC 7672 sec 2.2.1: insecure MX",
	    { "MX d.example = 10 mx.d.example", A,
	    "secure " TLSA }, "mx.d.example encrypted dane mx.d.example 1" },
	{ "RFC 7672 sec 2.2.1: insecure MX, lookup fails",
	    { "MX d.example = 10 mx.d.example", A,
	    "TLSA _25._tcp.mx.d.example BOGUS" }, "451" },
	/* sec 2.2.1: the order stays */
	{ "RFC 7672 sec 2.2.1: worse host has records",
	    { "secure MX d.example = 10 mx2.d.example, "
	    "20 mx.d.example", A, "secure A mx2.d.example = 192.0.2.2",
	    "secure " TLSA }, "mx2.d.example clear none - 0, "
	    "mx.d.example dane dane mx.d.example 1" },
	/* sec 2.2.1: no MX, the domain is the host */
	{ "RFC 7672 sec 2.2.2: implicit MX", { "secure MX d.example NODATA",
	    "secure A d.example = 192.0.2.1",
	    "secure TLSA _25._tcp.d.example = 3 1 1 a" },
	    "d.example dane dane d.example 1" },
	{ "RFC 7672 sec 2.2.2: implicit MX, insecure", { "MX d.example NODATA",
	    "secure A d.example = 192.0.2.1",
	    "secure TLSA _25._tcp.d.example = 3 1 1 a" },
	    "d.example encrypted dane d.example 1" },
	/* sec 2.2.3: the base domain */
	{ "RFC 7672 sec 2.1.3: expanded name", { MX,
	    "secure A mx.d.example > h.example = 192.0.2.1",
	    "secure TLSA _25._tcp.h.example = 3 1 1 a",
	    "secure TLSA _25._tcp.mx.d.example = 3 1 1 b" },
	    "mx.d.example dane dane h.example 1" },
	{ "RFC 7672 sec 2.1.3: original name", { MX,
	    "secure A mx.d.example > h.example = 192.0.2.1",
	    "secure TLSA _25._tcp.h.example NXDOMAIN", "secure " TLSA },
	    "mx.d.example dane dane mx.d.example 1" },
	{ "RFC 7672 sec 2.1.3: expanded fails", { MX,
	    "secure A mx.d.example > h.example = 192.0.2.1",
	    "TLSA _25._tcp.h.example SERVFAIL", "secure " TLSA }, "451" },
	{ "RFC 7672 sec 2.1.3: insecure expansion of a signed alias", { MX,
	    "A mx.d.example > h.example = 192.0.2.1",
	    "secure CNAME mx.d.example = h.example", "secure " TLSA },
	    "mx.d.example dane dane mx.d.example 1" },
	{ "RFC 7672 sec 2.1.3: insecure alias",
	    { MX, "A mx.d.example > h.example = 192.0.2.1",
	    "CNAME mx.d.example = h.example", "secure " TLSA },
	    "mx.d.example clear none - 0" },
	{ "RFC 7672 sec 2.1.3: alias fails",
	    { MX, "A mx.d.example > h.example = 192.0.2.1",
	    "CNAME mx.d.example SERVFAIL" }, "451" },
};

START_TEST(dane)
{
	const struct row *r = &rows[_i / 2];

	route(r->lines, "d.example", _i % 2 == 1);
	ck_assert_msg(strcmp(x.got, r->want) == 0, "%s: %s", r->name, x.got);
}
END_TEST

/* An address literal has no DANE (sec 2.2.2), and asks no one. */
START_TEST(literal)
{
	static const char *const none[] = { NULL };

	route(none, "[192.0.2.1]", false);
	ck_assert_str_eq(x.got, "192.0.2.1 clear none - 0");
	ck_assert_uint_eq(x.dns.asked, 0);
}
END_TEST

START_TEST(cancelled)
{
	static const char *const lines[] = { MX, A, "secure " TLSA, NULL };
	struct route *r;

	route(lines, "d.example", false);
	x.calls = 0;
	r = route_start(&x.world, SPAN_LIT("d.example"), TLS_WISH_NONE,
	    on_route, NULL);
	for (int i = 0; i < _i; i++)
		(void)fake_one(&x.dns);
	route_cancel(&r);
	fake_run(&x.dns);
	ck_assert_uint_eq(x.calls, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/route_dane");
	TCase *tc = tcase_create("dane");

	tcase_add_loop_test(tc, dane, 0, 2 * NELEM(rows));
	tcase_add_test(tc, literal);
	tcase_add_loop_test(tc, cancelled, 0, 4);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
