/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Routes as rows: configuration, DNS, recipient domain, and what must come. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "policy/route.h"
#include "tests/unit/policy/fake_dns.h"

#define NELEM(a)	(sizeof(a) / sizeof((a)[0]))
#define LINES		12

/* ---- configurations: only what routes read ---- */

#define IP4(a, b, c, d)	{ .family = 4, .ip = { a, b, c, d } }
#define LO6		{ .family = 6, .ip = { [15] = 1 } }

static struct conf_accept accepts[] = {		/* sorted by pattern */
	{ .pattern = "*.sink.example", .to = { .kind = HOP_DISCARD, .host = "" } },
	{ .pattern = "*.xn--bcher-kva.test.example", .to = { .kind = HOP_HOST,
	    .host = "192.168.7.6", .literal = IP4(192, 168, 7, 6) } },
	{ .pattern = "beside.example", .to = { .kind = HOP_HOST,
	    .host = "198.51.99.98", .literal = IP4(198, 51, 99, 98), .port = 26 } },
	{ .pattern = "box.example", .to = { .kind = HOP_UNIX, .lmtp = true, .host = "/run/box" } },
	{ .pattern = "inner.example", .to = { .kind = HOP_HOST, .host = "192.168.7.5",
	    .literal = IP4(192, 168, 7, 5), .port = 2525 } },
	{ .pattern = "loop.example", .to = { .kind = HOP_HOST, .host = "203.0.113.9",
	    .literal = IP4(203, 0, 113, 9), .port = 2525 } },
	{ .pattern = "lost.example", .to = { .kind = HOP_HOST, .host = "gone.example" } },
	{ .pattern = "moved.example", .to = { .kind = HOP_MX, .host = "example.org" } },
	{ .pattern = "named.example", .to = { .kind = HOP_HOST, .host = "in.example.org",
	    .port = 24 } },
	{ .pattern = "nowhere.example", .to = { .kind = HOP_MX, .host = "gone.example" } },
	{ .pattern = "nullhop.example", .to = { .kind = HOP_MX, .host = "null.example" } },
	{ .pattern = "store.example", .to = { .kind = HOP_HOST, .lmtp = true,
	    .host = "192.168.7.5", .literal = IP4(192, 168, 7, 5),
	    .port = 2525 } },
};
static struct conf_relay_domain relays[] = {
	{ "direct.example", false, { .host = "" }, 20, { .ehlo_name = "" } },
	{ "four.example", false, { .host = "" }, 20,
	    { .ehlo_name = "", .protocols = PROTOCOLS_IP4 } },
	{ "slow.example", true, { .kind = HOP_HOST, .host = "::1",
	    .literal = LO6, .port = 2526 }, 5, { .ehlo_name = "",
	    .protocols = PROTOCOLS_IP4 } },
	{ "twin.example", false, { .host = "" }, 20, { .ehlo_name = "twin" } },
};
static struct conf_listen listens[] = {
	{ .label = "a", .address = { .family = 4, .ip = { 192, 0, 2, 99 },
	    .port = 25 } },
	{ .label = "c", .address = { .family = 4, .ip = { 198, 51, 99, 99 },
	    .port = 25 } },
	{ .label = "b", .address = { .family = 4, .ip = { 203, 0, 113, 9 },
	    .port = 2525 } },
};
static struct conf_listen wildcard[] = {
	{ .label = "any", .address = { .family = 6, .port = 25 } },
};

static const struct conf plain = {
	.hostname = "Us.Example.NET",
	.listens = listens, .nlistens = NELEM(listens),
	.accepts = accepts, .naccepts = NELEM(accepts),
	.relay = { .port = 25, .connections = 20, .sending = { .ehlo_name = "" },
	    .domains = relays, .ndomains = NELEM(relays) },
};
static struct conf_listen listens6[] = {
	{ .label = "six", .address = { .family = 6, .ip = { 0x2a, [15] = 0x99 },
	    .port = 25 } },
};
static const struct conf mapped = {
	.hostname = "us.example.net", .listens = listens6, .nlistens = 1,
	.relay = { .port = 25, .connections = 20, .sending = { .ehlo_name = "" },
	    .domains = relays, .ndomains = NELEM(relays) },
};
static const struct conf smart = {
	.hostname = "us.example.net",
	.relay = { .port = 25, .connections = 20, .has_via = true,
	    .sending = { .ehlo_name = "" },
	    .via = { .kind = HOP_HOST, .host = "smart.example", .port = 587 },
	    .domains = relays, .ndomains = NELEM(relays) },
};
static const struct conf lab = {
	.hostname = "us.example.net",
	.listens = wildcard, .nlistens = 1,
	.relay = { .port = 25, .connections = 20, .sending = { .ehlo_name = "" } },
	.allow_loopback = true,
};

/* ---- one route as a line ---- */

struct fix {
	struct fake_dns		dns;
	struct route_world	world;
	struct self		self;
	struct route		*route;
	unsigned		done;
	char			line[4096];
	uint64_t		site, identity;
	enum dns_status		mx_secure;
	unsigned		connections;
	char			domain[DNS_NAME_SIZE], site_name[DNS_NAME_SIZE];
	bool			discard;
};

/* "250 10 mx1.example.org:25 [2001:db8::1 192.0.2.1], 20 ..." or
 * "550 5.1.2". */
static void
print_hosts(struct fix *x, const struct route_result *r)
{
	char text[ADDR_TEXT_SIZE];
	FILE *f = fmemopen(x->line, sizeof(x->line), "w");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "%d", r->code);
	if (r->code != 250)
		fprintf(f, " %s", r->dsn);
	if (r->discard)
		fprintf(f, " discard");
	if (r->lmtp)
		fprintf(f, " lmtp");
	for (size_t i = 0; i < r->nhosts; i++) {
		const struct route_host *h = &r->hosts[i];

		fprintf(f, "%s %u %s:%u [%s", i == 0 ? "" : ",", h->preference,
		    h->name, h->port, h->is_unix ? "unix" : "");
		for (size_t j = 0; j < h->naddrs; j++)
			fprintf(f, "%s%s", j == 0 ? "" : " ",
			    addr_ip_text(&h->addrs[j], text));
		fprintf(f, "]");
		ck_assert_int_eq(h->asked, LEVEL_CLEAR);
		ck_assert_int_eq(h->why, WHY_NONE);
	}
	fclose(f);
}

static void
on_done(void *arg, const struct route_result *r)
{
	struct fix *x = arg;

	x->done++;
	x->site = r->site;
	x->identity = r->identity;
	x->mx_secure = r->mx_secure;
	x->connections = r->connections;
	x->discard = r->discard;
	memcpy(x->domain, r->domain, sizeof(x->domain));
	memcpy(x->site_name, r->site_name, sizeof(x->site_name));
	if (r->code != 250) {
		ck_assert(r->text[0] != '\0');
		ck_assert_int_eq(r->code / 100, r->dsn[0] - '0');
	}
	print_hosts(x, r);
}

static void
setup(struct fix *x, const struct conf *c, const char *const *lines)
{
	*x = (struct fix){ 0 };
	x->dns.lines = lines;
	x->self.conf = c;
	addr_from_ip4(&x->self.local[0], (const uint8_t[4]){ 198, 51, 99, 98 });
	x->self.nlocal = 1;
	x->world = (struct route_world){ .conf = c, .self = &x->self,
	    .lookup = fake_lookup(&x->dns), .key = { 1, 2 }, .seed = 7 };
}

static void
run(struct fix *x, const char *domain)
{
	x->done = 0;
	x->route = route_start(&x->world, span_str(domain), TLS_WISH_NONE,
	    on_done, x);
	ck_assert((x->route == NULL) == (x->done == 1));
	fake_run(&x->dns);
	ck_assert_uint_eq(x->done, 1);
}

/* ---- the table ---- */

#define EXAMPLE_ORG							\
	"MX example.org = 20 mx2.example.org, 10 mx1.example.org",	\
	"A mx1.example.org = 198.51.99.1",				\
	"AAAA mx1.example.org = 2a00::1",				\
	"A mx2.example.org = 198.51.99.2"
#define EXAMPLE_ORG_ROUTE						\
	"250 10 mx1.example.org:25 [2a00::1 198.51.99.1], "		\
	"20 mx2.example.org:25 [198.51.99.2]"

static const struct row {
	const char		*name, *rfc;	/* or what else says so */
	const struct conf	*conf;
	const char		*domain;
	const char		*dns[LINES];
	const char		*want;
} rows[] = {
	/* RFC 5321 sec 5.1 */
	{ "by preference", "5321 5.1", &plain, "example.org", { EXAMPLE_ORG },
	    EXAMPLE_ORG_ROUTE },
	{ "upper case and final dot", "5321 2.4", &plain, "Example.ORG.",
	    { EXAMPLE_ORG }, EXAMPLE_ORG_ROUTE },
	{ "implicit MX", "5321 5.1", &plain, "a.example",
	    { "A a.example = 198.51.99.7" },
	    "250 0 a.example:25 [198.51.99.7]" },
	{ "implicit MX, IPv6 only", "5321 5.1", &plain, "a.example",
	    { "AAAA a.example = 2a00::7" }, "250 0 a.example:25 [2a00::7]" },
	{ "nothing at all", "5321 5.1", &plain, "none.example", { NULL },
	    "550 5.1.2" },
	{ "neither MX nor addresses", "5321 5.1", &plain, "a.example",
	    { "MX a.example NODATA" }, "550 5.1.2" },
	{ "MX present, unusable: no falling back to A", "5321 5.1", &plain,
	    "a.example",
	    { "MX a.example = 10 gone.example", "A a.example = 198.51.99.7" },
	    "550 5.4.4" },
	{ "MX to an address", "5321 5.1", &plain, "a.example",
	    { "MX a.example = 10 192.0.2.1", "A a.example = 198.51.99.7" },
	    "550 5.4.4" },
	{ "MX to no host name beside a good one", "5321 5.1", &plain,
	    "a.example",
	    { "MX a.example = 5 ?, 10 mx1.example.org", EXAMPLE_ORG },
	    "250 10 mx1.example.org:25 [2a00::1 198.51.99.1]" },
	{ "one host has no address", "5321 5.1", &plain, "a.example",
	    { "MX a.example = 5 gone.example, 10 mx2.example.org", EXAMPLE_ORG },
	    "250 10 mx2.example.org:25 [198.51.99.2]" },
	{ "a host listed twice counts once, at its best", "5321 5.1", &plain,
	    "a.example",
	    { "MX a.example = 30 mx2.example.org, 5 mx2.example.org", EXAMPLE_ORG },
	    "250 5 mx2.example.org:25 [198.51.99.2]" },
	{ "families take turns, at most 8", "8305 4", &plain, "a.example",
	    { "MX a.example = 1 m.example",
	      "A m.example = 1.0.0.1, 1.0.0.2, 1.0.0.3, 1.0.0.4, 1.0.0.5",
	      "AAAA m.example = 2a00::1, 2a00::2, 2a00::3, 2a00::4, 2a00::5" },
	    "250 1 m.example:25 [2a00::1 1.0.0.1 2a00::2 1.0.0.2 2a00::3 "
	    "1.0.0.3 2a00::4 1.0.0.4]" },
	{ "8 of one family", "5321 5.1", &plain, "a.example",
	    { "MX a.example = 1 m.example", "A m.example = 1.0.0.1, 1.0.0.2, "
	      "1.0.0.3, 1.0.0.4, 1.0.0.5, 1.0.0.6, 1.0.0.7, 1.0.0.8, 1.0.0.9" },
	    "250 1 m.example:25 [1.0.0.1 1.0.0.2 1.0.0.3 1.0.0.4 1.0.0.5 "
	    "1.0.0.6 1.0.0.7 1.0.0.8]" },

	/* RFC 5321 sec 5.1, ourselves in the list */
	{ "we are the best", "5321 5.1", &plain, "a.example",
	    { "MX a.example = 10 us.example.net, 20 mx2.example.org", EXAMPLE_ORG },
	    "554 5.4.6" },
	{ "we are second", "5321 5.1", &plain, "a.example",
	    { "MX a.example = 10 mx1.example.org, 20 us.example.net, "
	      "20 mx2.example.org, 30 mx2.example.org", EXAMPLE_ORG },
	    "250 10 mx1.example.org:25 [2a00::1 198.51.99.1]" },
	{ "our address under another name", "6890 2.2", &plain, "a.example",
	    { "MX a.example = 10 m.example, 20 mx2.example.org",
	      "A m.example = 192.0.2.99", EXAMPLE_ORG }, "451 4.4.4" },
	{ "an alias of ourselves", "5321 5.1", &plain, "a.example",
	    { "MX a.example = 10 m.example, 20 mx2.example.org",
	      "A m.example > us.example.net = 198.51.99.50", EXAMPLE_ORG },
	    "554 5.4.6" },
	{ "an alias of ourselves, IPv6 alone", "5321 5.1", &plain, "a.example",
	    { "MX a.example = 10 m.example", "A m.example > us.example.net NODATA",
	      "AAAA m.example > us.example.net = 2a00::77" }, "554 5.4.6" },
	{ "an alias of ourselves without addresses", "5321 5.1", &plain,
	    "a.example", { "MX a.example = 10 m.example, 20 mx2.example.org",
	      "A m.example > us.example.net NODATA",
	      "AAAA m.example > us.example.net NODATA", EXAMPLE_ORG },
	    "554 5.4.6" },
	{ "the domain is an alias of ourselves, no MX", "5321 5.1", &plain,
	    "a.example", { "MX a.example > us.example.net NODATA",
	      "A a.example > us.example.net = 198.51.99.50" }, "554 5.4.6" },
	{ "an address of this machine without a listener", "5321 5.1", &plain,
	    "a.example", { "MX a.example = 10 m.example, 20 mx2.example.org",
	      "A m.example = 198.51.99.98", EXAMPLE_ORG }, "554 5.4.6" },
	{ "the same, IPv4-mapped", "5321 5.1", &plain, "a.example",
	    { "MX a.example = 10 m.example", "A m.example NODATA",
	      "AAAA m.example = 2002:c633:6362::1" }, "554 5.4.6" },
	{ "this machine is second by address", "5321 5.1", &plain, "a.example",
	    { "MX a.example = 5 mx1.example.org, 10 m.example, "
	      "10 mx2.example.org, 20 mx2.example.org",
	      "A m.example = 198.51.99.98", EXAMPLE_ORG },
	    "250 5 mx1.example.org:25 [2a00::1 198.51.99.1]" },
	{ "one address of several is ours", "5321 5.1", &plain, "a.example",
	    { "MX a.example = 5 m.example, 9 mx2.example.org",
	      "A m.example = 198.51.99.7, 198.51.99.98", EXAMPLE_ORG },
	    "554 5.4.6" },
	{ "we are an equal among hosts: none is left", "5321 5.1", &plain,
	    "a.example",
	    { "MX a.example = 5 mx1.example.org, 5 us.example.net, "
	      "7 mx2.example.org", EXAMPLE_ORG }, "554 5.4.6" },
	{ "a literal of this machine", "5321 4.1.3", &plain, "[198.51.99.98]",
	    { NULL }, "554 5.4.6" },
	{ "the operator's hop on this machine, another port",
	    "sealane.conf(5) accept", &plain,
	    "beside.example", { NULL },
	    "250 0 198.51.99.98:26 [198.51.99.98]" },
	{ "our public address under another name", "5321 5.1", &plain,
	    "a.example", { "MX a.example = 10 m.example, 20 mx2.example.org",
	      "A m.example = 198.51.99.99", EXAMPLE_ORG }, "554 5.4.6" },
	{ "our address, in a lab", "5321 5.1", &lab, "a.example",
	    { "MX a.example = 10 m.example", "A m.example = 127.0.0.3" },
	    "554 5.4.6" },
	{ "the domain is our own name", "5321 5.1", &plain, "us.example.net",
	    { "A us.example.net = 198.51.99.50" }, "554 5.4.6" },
	{ "we are second, and the best cannot be looked up", "5321 5.1", &plain,
	    "a.example", { "MX a.example = 10 mx.example, 20 m.example",
	      "A mx.example SERVFAIL", "AAAA mx.example SERVFAIL",
	      "A m.example > us.example.net = 198.51.99.50" }, "451 4.4.3" },

	/* RFC 5321 sec 5.1: aliases.  The domain may be one; a host that is
	 * one is against RFC 2181 sec 10.3 and followed all the same. */
	{ "the domain is an alias", "5321 5.1", &plain, "a.example",
	    { "MX a.example > example.org = 20 mx2.example.org, 10 mx1.example.org",
	      EXAMPLE_ORG }, EXAMPLE_ORG_ROUTE },
	{ "the domain is an alias of a host without MX", "5321 5.1", &plain,
	    "a.example", { "MX a.example > b.example NODATA",
	      "A a.example > b.example = 198.51.99.7" },
	    "250 0 a.example:25 [198.51.99.7]" },
	{ "the domain is an alias of nothing", "5321 5.1", &plain, "a.example",
	    { "MX a.example > b.example NXDOMAIN" }, "550 5.1.2" },
	{ "aliases in a circle", "1034 3.6.2", &plain, "a.example",
	    { "MX a.example SERVFAIL" }, "451 4.4.3" },
	{ "the host is an alias", "2181 10.3", &plain, "a.example",
	    { "MX a.example = 10 m.example", "A m.example > n.example = 198.51.99.7",
	      "AAAA m.example > n.example = 2a00::7" },
	    "250 10 m.example:25 [2a00::7 198.51.99.7]" },
	{ "the host is an alias of nothing", "2181 10.3", &plain, "a.example",
	    { "MX a.example = 10 m.example, 20 mx2.example.org",
	      "A m.example > n.example NXDOMAIN",
	      "AAAA m.example > n.example NXDOMAIN", EXAMPLE_ORG },
	    "250 20 mx2.example.org:25 [198.51.99.2]" },

	/* RFC 7505 */
	{ "null MX", "7505 3", &plain, "null.example",
	    { "MX null.example = 0 ." }, "556 5.1.10" },
	{ "null MX wins over addresses", "7505 3", &plain, "null.example",
	    { "MX null.example = 0 .", "A null.example = 198.51.99.7" },
	    "556 5.1.10" },
	{ "null MX beside a host is no null MX", "7505 3", &plain, "a.example",
	    { "MX a.example = 0 ., 10 mx2.example.org", EXAMPLE_ORG },
	    "250 10 mx2.example.org:25 [198.51.99.2]" },

	/* RFC 7672 sec 2.1: errors are no absence */
	{ "MX fails", "7672 2.1.1", &plain, "a.example",
	    { "MX a.example SERVFAIL", "A a.example = 198.51.99.7" }, "451 4.4.3" },
	{ "MX bogus", "7672 2.1.1", &plain, "a.example",
	    { "MX a.example BOGUS", "A a.example = 198.51.99.7" }, "451 4.4.3" },
	{ "addresses of one host fail", "7672 2.1.2", &plain, "a.example",
	    { "MX a.example = 5 bad.example, 10 mx2.example.org",
	      "A bad.example SERVFAIL", "AAAA bad.example BOGUS", EXAMPLE_ORG },
	    "250 10 mx2.example.org:25 [198.51.99.2]" },
	{ "one family fails", "7672 2.1.2", &plain, "a.example",
	    { "MX a.example = 5 m.example", "A m.example = 198.51.99.7",
	      "AAAA m.example SERVFAIL" }, "250 5 m.example:25 [198.51.99.7]" },
	{ "all addresses fail", "7672 2.1.2", &plain, "a.example",
	    { "MX a.example = 5 m.example", "A m.example SERVFAIL",
	      "AAAA m.example SERVFAIL" }, "451 4.4.3" },
	{ "one fails, the other is absent", "7672 2.1.2", &plain, "a.example",
	    { "MX a.example = 5 m.example, 6 gone.example",
	      "A m.example NODATA", "AAAA m.example BOGUS" }, "451 4.4.3" },
	{ "implicit MX fails", "7672 2.1.2", &plain, "a.example",
	    { "MX a.example NODATA", "A a.example SERVFAIL" }, "451 4.4.3" },

	/* loopback and private addresses */
	{ "MX at home", "6890 2.2", &plain, "a.example",
	    { "MX a.example = 10 m.example", "A m.example = 127.0.0.1, 10.1.1.1",
	      "AAAA m.example = fe80::1" }, "451 4.4.4" },
	{ "MX partly at home", "6890 2.2", &plain, "a.example",
	    { "MX a.example = 10 m.example, 20 mx2.example.org",
	      "A m.example = 127.0.0.1, 198.51.99.9", EXAMPLE_ORG },
	    "250 10 m.example:25 [198.51.99.9], 20 mx2.example.org:25 [198.51.99.2]" },
	{ "implicit MX at home", "6890 2.2", &plain, "localhost",
	    { "A localhost = 127.0.0.1" }, "451 4.4.4" },
	{ "allowed in labs", "6890 2.2", &lab, "a.example",
	    { "MX a.example = 10 m.example", "A m.example = 10.1.1.1" },
	    "250 10 m.example:25 [10.1.1.1]" },

	/* RFC 5321 sec 4.1.3 */
	{ "literal", "5321 4.1.3", &plain, "[198.51.99.7]", { NULL },
	    "250 0 198.51.99.7:25 [198.51.99.7]" },
	{ "literal, IPv6", "5321 4.1.3", &plain, "[IPv6:2A00::7]", { NULL },
	    "250 0 2a00::7:25 [2a00::7]" },
	{ "literal at home", "6890 2.2", &plain, "[127.0.0.1]", { NULL },
	    "451 4.4.4" },
	{ "literal is ourselves", "5321 4.1.3", &lab, "[127.0.0.1]", { NULL },
	    "554 5.4.6" },
	{ "no literal", "5321 4.1.3", &plain, "[198.51.99]", { NULL },
	    "550 5.1.2" },
	{ "no domain", "5321 4.1.2", &plain, "a..example", { NULL },
	    "550 5.1.2" },
	{ "no domain at all", "5321 4.1.2", &plain, "", { NULL }, "550 5.1.2" },

	/* accept: `to` */
	{ "discard", "sealane.conf(5) accept", &plain, "x.sink.example",
	    { NULL }, "250 discard" },
	{ "to an address, private, port", "sealane.conf(5) accept", &plain,
	    "inner.example", { NULL }, "250 0 192.168.7.5:2525 [192.168.7.5]" },
	{ "rules know no case", "sealane.conf(5) accept", &plain,
	    "INNER.Example.", { NULL },
	    "250 0 192.168.7.5:2525 [192.168.7.5]" },
	{ "to a host: no MX, may be private", "sealane.conf(5) accept", &plain,
	    "named.example", { "MX in.example.org = 1 mx1.example.org",
	      "A in.example.org = 10.0.0.1", EXAMPLE_ORG },
	    "250 0 in.example.org:24 [10.0.0.1]" },
	{ "to a host that has none", "sealane.conf(5) accept", &plain,
	    "lost.example", { NULL }, "451 4.3.5" },
	{ "to a host, look-up fails", "sealane.conf(5) accept", &plain,
	    "lost.example", { "A gone.example SERVFAIL" }, "451 4.4.3" },
	{ "to MX hosts", "sealane.conf(5) accept", &plain, "moved.example",
	    { EXAMPLE_ORG }, EXAMPLE_ORG_ROUTE },
	{ "to MX hosts of nobody", "sealane.conf(5) accept", &plain,
	    "nowhere.example", { NULL }, "451 4.3.5" },
	{ "to MX hosts that take no mail", "sealane.conf(5) accept", &plain,
	    "nullhop.example", { "MX null.example = 0 ." }, "451 4.3.5" },
	{ "to ourselves", "sealane.conf(5) accept", &plain, "loop.example",
	    { NULL }, "451 4.3.5" },

	/* RFC 2033 */
	{ "to a socket", "2033 4", &plain, "box.example", { NULL },
	    "250 lmtp 0 /run/box:0 [unix]" },
	{ "to a mail store", "2033 4", &plain, "store.example", { NULL },
	    "250 lmtp 0 192.168.7.5:2525 [192.168.7.5]" },

	/* relay: `protocols` */
	{ "IPv4 only", "sealane.conf(5) protocols", &plain, "four.example",
	    { "MX four.example = 1 mx1.example.org, 2 m.example", EXAMPLE_ORG,
	      "AAAA m.example = 2a00::7" },
	    "250 1 mx1.example.org:25 [198.51.99.1]" },
	{ "IPv4 only, and there is none", "sealane.conf(5) protocols", &plain,
	    "four.example", { "AAAA four.example = 2a00::7" }, "550 5.4.4" },
	{ "IPv4 only, and its look-up fails", "sealane.conf(5) protocols",
	    &plain, "four.example",
	    { "AAAA four.example = 2a00::7", "A four.example SERVFAIL" },
	    "451 4.4.3" },
	{ "IPv4 only, and we are the host by IPv6", "5321 5.1", &mapped,
	    "four.example",
	    { "MX four.example = 1 m.example, 2 mx1.example.org", EXAMPLE_ORG,
	      "AAAA m.example = 2a00::99" }, "554 5.4.6" },

	/* RFC 5891 sec 5: names are asked as A-labels, however they come */
	{ "IDN", "5891 5", &plain, "xn--bcher-kva.example",
	    { "MX xn--bcher-kva.example = 10 mx2.example.org", EXAMPLE_ORG },
	    "250 10 mx2.example.org:25 [198.51.99.2]" },
	{ "IDN as U-labels", "5895 2", &plain, "B\303\234CHER.Example",
	    { "MX xn--bcher-kva.example = 10 mx2.example.org", EXAMPLE_ORG },
	    "250 10 mx2.example.org:25 [198.51.99.2]" },
	{ "IDN, ideographic full stop", "5895 2", &plain,
	    "b\303\274cher\343\200\202example",
	    { "MX xn--bcher-kva.example = 10 mx2.example.org", EXAMPLE_ORG },
	    "250 10 mx2.example.org:25 [198.51.99.2]" },
	{ "IDN that is none", "5891 5", &plain, "a\342\200\215b.example",
	    { NULL }, "550 5.1.2" },
	{ "not even UTF-8", "3629 4", &plain, "b\374cher.example", { NULL },
	    "550 5.1.2" },
	{ "a rule for an IDN", "5891 5", &plain,
	    "mail.xn--bcher-kva.test.example",
	    { NULL }, "250 0 192.168.7.6:25 [192.168.7.6]" },
	{ "a rule for an IDN, recipient as U-labels", "5891 5", &plain,
	    "mail.b\303\274cher.test.example", { NULL },
	    "250 0 192.168.7.6:25 [192.168.7.6]" },

	/* relay: `via` */
	{ "via of the domain, loopback", "sealane.conf(5) via", &plain,
	    "slow.example", { EXAMPLE_ORG }, "250 0 ::1:2526 [::1]" },
	{ "via for the rest", "sealane.conf(5) via", &smart, "example.org",
	    { "A smart.example = 127.0.0.1", EXAMPLE_ORG },
	    "250 0 smart.example:587 [127.0.0.1]" },
	{ "via for the rest, literals too", "sealane.conf(5) via", &smart,
	    "[198.51.99.7]", { "A smart.example = 127.0.0.1" },
	    "250 0 smart.example:587 [127.0.0.1]" },
	{ "a domain that goes direct", "5321 5.1", &smart, "direct.example",
	    { "MX direct.example = 1 mx2.example.org", EXAMPLE_ORG },
	    "250 1 mx2.example.org:25 [198.51.99.2]" },
};

START_TEST(route)
{
	const struct row *r = &rows[_i >> 1];
	struct fix x;

	setup(&x, r->conf, r->dns);
	x.dns.backwards = (_i & 1) != 0;	/* the order of answers is no matter */
	run(&x, r->domain);
	ck_assert_msg(strcmp(x.line, r->want) == 0, "%s (%s): got \"%s\", "
	    "want \"%s\"", r->name, r->rfc, x.line, r->want);
}
END_TEST

/* ---- what else a route carries ---- */

static const char *const secure_lines[] = {
	"secure MX example.org = 10 mx1.example.org",
	"A mx1.example.org = 198.51.99.1", NULL,
};
static const char *const bogus_lines[] = { "MX example.org BOGUS", NULL };
static const char *const example_lines[] = { EXAMPLE_ORG, NULL };

START_TEST(dnssec_travels)
{
	struct fix x;

	setup(&x, &plain, secure_lines);
	run(&x, "example.org");
	ck_assert_int_eq(x.mx_secure, DNS_SECURE);
	setup(&x, &plain, example_lines);
	run(&x, "example.org");
	ck_assert_int_eq(x.mx_secure, DNS_INSECURE);
	setup(&x, &plain, bogus_lines);
	run(&x, "example.org");
	ck_assert_int_eq(x.mx_secure, DNS_BOGUS);
	/* no MX answer, nothing to be secure */
	run(&x, "inner.example");
	ck_assert_int_eq(x.mx_secure, DNS_INSECURE);
}
END_TEST

START_TEST(policy_domain)
{
	struct fix x;

	setup(&x, &plain, example_lines);
	run(&x, "EXAMPLE.org");
	ck_assert_str_eq(x.domain, "example.org");
	ck_assert_str_eq(x.site_name, "mx1.example.org");
	ck_assert_uint_eq(x.connections, 20);
	run(&x, "moved.example");	/* RFC 8461 sec 3.4: that of the hop */
	ck_assert_str_eq(x.domain, "example.org");
	run(&x, "slow.example");
	ck_assert_str_eq(x.domain, "::1");
	ck_assert_uint_eq(x.connections, 5);
	run(&x, "x.sink.example");
	ck_assert_str_eq(x.domain, "x.sink.example");
	ck_assert(x.discard);
}
END_TEST

static const char *const site_lines[] = {
	"MX a.example = 10 m1.example, 10 m2.example, 20 m3.example",
	"MX b.example = 20 m3.example, 10 m2.example, 10 m1.example",
	"MX twin.example = 10 m1.example, 10 m2.example, 20 m3.example",
	"MX preference.example = 10 m1.example, 20 m2.example, 20 m3.example",
	"MX fewer.example = 10 m1.example, 10 m2.example",
	"A m1.example = 1.0.0.1", "A m2.example = 1.0.0.2",
	"A m3.example SERVFAIL", "AAAA m3.example SERVFAIL", NULL,
};

START_TEST(site_and_identity)
{
	static const char *const others[] = { "preference.example",
	    "fewer.example", "inner.example", "slow.example" };
	struct fix x, y;

	setup(&x, &plain, site_lines);
	setup(&y, &plain, site_lines);
	y.world.seed = 99;		/* spread otherwise */
	run(&x, "a.example");
	run(&y, "b.example");
	ck_assert(x.site == y.site && x.identity == y.identity);
	ck_assert_str_eq(x.site_name, y.site_name);
	ck_assert(x.site != x.identity && x.site != 0);
	for (size_t i = 0; i < NELEM(others); i++) {
		run(&y, others[i]);
		ck_assert_msg(x.site != y.site && x.identity != y.identity,
		    "%s", others[i]);
	}
	/* The same hosts, but another name in EHLO, or another protocol. */
	run(&y, "twin.example");
	ck_assert(x.site == y.site && x.identity != y.identity);
	run(&x, "inner.example");
	run(&y, "store.example");
	ck_assert(x.identity != y.identity);
	run(&x, "a.example");
	y.world.key.k0 = 5;		/* and it is keyed */
	run(&y, "b.example");
	ck_assert(x.site != y.site);
}
END_TEST

/* More hosts than a route holds: 20 of them, and the site is of all. */
static char many_mx[3000] = "MX many.example = ";
static const char *const many_lines[] = { many_mx, "A h.example = 1.0.0.1", NULL };

START_TEST(bounded)
{
	struct fix x, y;
	size_t n = strlen(many_mx);

	for (int i = 0; i < 60; i++)
		n += (size_t)snprintf(many_mx + n, sizeof(many_mx) - n,
		    "%s10 h%d.example", i == 0 ? "" : ", ", i);
	setup(&x, &plain, many_lines);
	setup(&y, &plain, many_lines);
	y.world.seed = 12345;
	x.route = route_start(&x.world, SPAN_LIT("many.example"),
	    TLS_WISH_NONE, on_done, &x);
	y.route = route_start(&y.world, SPAN_LIT("many.example"),
	    TLS_WISH_NONE, on_done, &y);
	fake_run(&x.dns);
	fake_run(&y.dns);
	ck_assert_uint_eq(x.dns.asked, 1 + 2 * ROUTE_HOSTS_MAX);
	ck_assert(x.site == y.site);
}
END_TEST

/* Every place in which a route can be dropped. */
START_TEST(cancel)
{
	for (unsigned steps = 0; steps < 5; steps++) {
		struct fix x;
		unsigned before;

		setup(&x, &plain, example_lines);
		x.route = route_start(&x.world, SPAN_LIT("example.org"),
		    TLS_WISH_NONE, on_done, &x);
		ck_assert_ptr_nonnull(x.route);
		for (unsigned i = 0; i < steps; i++)
			ck_assert(fake_one(&x.dns));
		before = x.dns.asked - steps;
		route_cancel(&x.route);
		ck_assert_ptr_null(x.route);
		ck_assert_ptr_null(x.dns.first);
		ck_assert_uint_eq(x.dns.cancelled, before);
		ck_assert_uint_eq(x.done, 0);
	}
}
END_TEST

START_TEST(resolver_full)
{
	struct fix x;

	setup(&x, &plain, example_lines);
	x.dns.full = true;
	run(&x, "example.org");
	ck_assert_str_eq(x.line, "451 4.4.3");
	run(&x, "named.example");
	ck_assert_str_eq(x.line, "451 4.4.3");
	/* full in the middle */
	x.dns.full = false;
	x.done = 0;
	x.route = route_start(&x.world, SPAN_LIT("example.org"),
	    TLS_WISH_NONE, on_done, &x);
	x.dns.full = true;
	fake_run(&x.dns);
	ck_assert_uint_eq(x.done, 1);
	ck_assert_str_eq(x.line, "451 4.4.3");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/route");
	TCase *tc = tcase_create("route");
	SRunner *r;
	int failed;

	log_open("test", LOG_LOGFMT);
	log_set_level(LOG_ERROR);
	tcase_add_loop_test(tc, route, 0, 2 * NELEM(rows));
	tcase_add_test(tc, dnssec_travels);
	tcase_add_test(tc, policy_domain);
	tcase_add_test(tc, site_and_identity);
	tcase_add_test(tc, bounded);
	tcase_add_test(tc, cancel);
	tcase_add_test(tc, resolver_full);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
