/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* What valid configurations mean: values, defaults, look-ups, warnings. */
#include "tests/unit/base/conf_test.h"

#define MIN	(60u * 1000)
#define HOUR	(60u * MIN)
#define DAY	(24u * HOUR)

START_TEST(empty_file)
{
	struct conf *c = conf_good("");
	char text[ADDR_TEXT_SIZE];

	ck_assert_str_eq(c->hostname, "host.example.org");
	ck_assert_uint_eq(c->nlistens, 2);
	ck_assert_str_eq(addr_text(&c->listens[0].address, text),
	    "127.0.0.1:25");
	ck_assert_str_eq(addr_text(&c->listens[1].address, text), "[::1]:25");
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(c->listens[i].nrelay_from, 2);
		ck_assert_int_eq(c->listens[i].tls, LISTEN_STARTTLS);
	}
	ck_assert_uint_eq(c->naccepts, 0);
	ck_assert_uint_eq(c->limits.message_size, 50u << 20);
	ck_assert_uint_eq(c->limits.recipients, 1000);
	ck_assert_int_eq(c->limits.bare_newline, BARE_NORMALIZE);
	ck_assert_int_eq(c->limits.nul, NUL_PASS);
	ck_assert_uint_eq(c->limits.header_size, 1u << 20);
	ck_assert_uint_eq(c->limits.hops, 100);
	ck_assert_uint_eq(c->limits.timeout.command, 5 * MIN);
	ck_assert_uint_eq(c->limits.timeout.data, 5 * MIN);
	ck_assert(!c->relay.has_via);
	ck_assert_uint_eq(c->relay.port, 25);
	ck_assert_uint_eq(c->relay.connections, 20);
	ck_assert_uint_eq(c->relay.retry.first, 5 * MIN);
	ck_assert_uint_eq(c->relay.retry.max, 4 * HOUR);
	ck_assert_uint_eq(c->relay.retry.give_up, 5 * DAY);
	ck_assert_uint_eq(c->relay.retry.delay_warning, 4 * HOUR);
	ck_assert_uint_eq(c->relay.timeout.connect, 30 * 1000);
	ck_assert_uint_eq(c->relay.timeout.handshake, 30 * 1000);
	ck_assert_uint_eq(c->relay.timeout.greeting, 5 * MIN);
	ck_assert_uint_eq(c->relay.timeout.command, 5 * MIN);
	ck_assert_uint_eq(c->relay.timeout.data_start, 2 * MIN);
	ck_assert_uint_eq(c->relay.timeout.data_block, 3 * MIN);
	ck_assert_uint_eq(c->relay.timeout.data_end, 10 * MIN);
	ck_assert_str_eq(c->dns.trust_anchor_file, "/usr/share/dns/root.key");
	ck_assert_str_eq(c->dns.root_hints, "");
	ck_assert_uint_eq(c->dns.nforward, 0);
	ck_assert_uint_eq(c->dns.nprobe_names, 0);
	ck_assert_uint_eq(c->dns.probe_interval, 5 * MIN);
	ck_assert_int_eq(c->dns.on_dishonest, DISHONEST_HOLD);
	ck_assert_str_eq(c->state_directory, "/var/lib/sealane");
	ck_assert_str_eq(c->control_directory, "/run/sealane");
	ck_assert_int_eq(c->log_format, LOG_LOGFMT);
	ck_assert_int_eq(c->log_target, LOG_STDERR);
	ck_assert_uint_eq(c->smtpd_processes, 3);	/* cores of the bundle */
	ck_assert_uint_eq(c->relay_processes, 3);
	ck_assert(!c->allow_loopback);
	conf_free(&c);
	ck_assert_ptr_null(c);
}
END_TEST

/* Every key with a value of its own; the tests look at a part each. */
static const char every_key[] =
    "hostname = \"MX1.Example.Org.\"\n"
    "postmaster = \"Admin.x+y@B\xc3\xbc" "cher.example\"\n"
    "listen \"public\" { address = \"[::]:25\"; relay-from = [\n"
    "\t\"192.0.2.0/24\",\n\n\t\"2001:db8::1\",\n ]; tls = \"required\" }\n"
    "listen \"two\" { address = \"127.0.0.1:10025\"; tls = \"none\"\n"
    "\tclient-certificates = \"none\"\n"
    "\txforward = true; greeting-name = \"Two.Example.ORG\" }\n"
    "accept { domain \"example.net\" { recipients = \"any\"\n"
    "\tto = \"smtp:[192.0.2.5]:26\" }\n"
    "  client \"192.0.2.0/24\" { require = \"encrypted\" }\n"
    "  client \"192.0.2.7\" { } }\n"
    "limits { message-size = 64k; recipients = 100; "
    "bare-newline = \"reject\"; nul = \"reject\"; hops = 30\n"
    "header-size = 64K; timeout { command = 10m; data = 2m } }\n"
    "relay { via = \"[Smart.example]\"; port = 2525\n"
    "  connections = 7; retry { first = 1s; max = 1m; give-up = 2w;\n"
    "  delay-warning = 0 }\n"
    "  timeout { connect = 250ms; data-end = 1h } }\n"
    "dns { trust-anchor-file = \"/a b\"; root-hints = \"/h\"\n"
    "  forward = [ \"192.0.2.53\", \"2001:DB8::53@5353\" ]\n"
    "  probe-names = [ \"Signed.example\", \"b\xc3\xbc" "cher.example\" ]\n"
    "  probe-interval = 90s; on-dishonest = \"accept\" }\n"
    "state { directory = \"/s\" }; control { directory = \"/c\" }\n"
    "log { format = \"json\"; target = \"journal\" }\nprocesses { smtpd = 1; relay = 2 }\n"
    "tls { old-versions = false; tickets = true\n"
    "  client-certificates = \"request\"\n"
    "  certificate \"own\" { chain = \"/c1\"; key = \"/k1\" }\n"
    "  certificate \"rsa\" { chain = \"/c2\"; key = \"credential:k2\" } }\nallow-loopback = true";

START_TEST(every_key_of_clients)
{
	struct conf *c = conf_good(every_key);
	char text[ADDR_TEXT_SIZE];

	ck_assert_str_eq(c->hostname, "mx1.example.org");
	ck_assert_str_eq(c->postmaster, "Admin.x+y@xn--bcher-kva.example");
	ck_assert_uint_eq(c->nlistens, 2);
	ck_assert_str_eq(c->listens[0].label, "public");
	ck_assert_uint_eq(c->listens[0].line, 3);
	ck_assert_uint_eq(c->listens[0].nrelay_from, 2);
	ck_assert_uint_eq(c->listens[0].relay_from[0].bits, 24);
	ck_assert_uint_eq(c->listens[0].relay_from[1].bits, 128);
	ck_assert_int_eq(c->listens[0].tls, LISTEN_REQUIRED);
	ck_assert_int_eq(c->listens[1].tls, LISTEN_NONE);
	ck_assert(!c->listens[0].xforward && c->listens[1].xforward);
	ck_assert_str_eq(c->listens[0].greeting_name, "mx1.example.org");
	ck_assert_str_eq(c->listens[1].greeting_name, "two.example.org");
	ck_assert_str_eq(addr_text(&c->listens[1].address, text),
	    "127.0.0.1:10025");
	ck_assert_int_eq(c->accepts[0].to.kind, HOP_HOST);
	ck_assert_int_eq(c->accepts[0].to.literal.family, 4);
	ck_assert_uint_eq(c->accepts[0].to.port, 26);
	ck_assert_uint_eq(c->nclients, 2);
	ck_assert_str_eq(c->clients[0].label, "192.0.2.7/32");
	ck_assert_int_eq(c->clients[0].require, REQUIRE_CLEAR);
	ck_assert_uint_eq(c->clients[1].net.bits, 24);
	ck_assert_int_eq(c->clients[1].require, REQUIRE_ENCRYPTED);
	ck_assert(!c->tls.old_versions && c->tls.tickets);
	ck_assert_uint_eq(c->tls.ncertificates, 2);
	ck_assert_str_eq(c->tls.certificates[0].label, "own");
	ck_assert_str_eq(c->tls.certificates[1].chain, "/c2");
	ck_assert_str_eq(c->tls.certificates[1].key, "credential:k2");
	ck_assert_int_eq(c->listens[0].client_certificates,
	    CLIENT_CERTIFICATES_REQUEST);
	ck_assert_int_eq(c->listens[1].client_certificates,
	    CLIENT_CERTIFICATES_NONE);
	conf_free(&c);
}
END_TEST

START_TEST(every_key_of_limits)
{
	struct conf *c = conf_good(every_key);

	ck_assert_uint_eq(c->limits.message_size, 65536);
	ck_assert_uint_eq(c->limits.recipients, 100);
	ck_assert_int_eq(c->limits.bare_newline, BARE_REJECT);
	ck_assert_int_eq(c->limits.nul, NUL_REJECT);
	ck_assert_uint_eq(c->limits.header_size, 64u << 10);
	ck_assert_uint_eq(c->limits.hops, 30);
	ck_assert_uint_eq(c->limits.timeout.command, 10 * MIN);
	ck_assert_uint_eq(c->limits.timeout.data, 2 * MIN);
	conf_free(&c);
}
END_TEST

START_TEST(every_key_of_relay)
{
	struct conf *c = conf_good(every_key);

	ck_assert(c->relay.has_via);
	ck_assert_int_eq(c->relay.via.kind, HOP_HOST);
	ck_assert_str_eq(c->relay.via.host, "smart.example");
	ck_assert_int_eq(c->relay.via.literal.family, 0);
	ck_assert_uint_eq(c->relay.via.port, 2525);
	ck_assert_uint_eq(c->relay.connections, 7);
	ck_assert_uint_eq(c->relay.retry.first, 1000);
	ck_assert_uint_eq(c->relay.retry.max, MIN);
	ck_assert_uint_eq(c->relay.retry.give_up, 14 * DAY);
	ck_assert_uint_eq(c->relay.retry.delay_warning, 0);
	ck_assert_uint_eq(c->relay.timeout.connect, 250);
	ck_assert_uint_eq(c->relay.timeout.data_end, HOUR);
	conf_free(&c);
}
END_TEST

START_TEST(every_other_key)
{
	struct conf *c = conf_good(every_key);

	ck_assert_str_eq(c->dns.trust_anchor_file, "/a b");
	ck_assert_str_eq(c->dns.root_hints, "/h");
	ck_assert_uint_eq(c->dns.nforward, 2);
	ck_assert_str_eq(c->dns.forward[0], "192.0.2.53@53");
	ck_assert_str_eq(c->dns.forward[1], "2001:db8::53@5353");
	ck_assert_uint_eq(c->dns.nprobe_names, 2);
	ck_assert_str_eq(c->dns.probe_names[0], "signed.example");
	ck_assert_str_eq(c->dns.probe_names[1], "xn--bcher-kva.example");
	ck_assert_uint_eq(c->dns.probe_interval, 90 * 1000);
	ck_assert_int_eq(c->dns.on_dishonest, DISHONEST_ACCEPT);
	ck_assert_str_eq(c->state_directory, "/s");
	ck_assert_str_eq(c->control_directory, "/c");
	ck_assert_int_eq(c->log_format, LOG_JSON);
	ck_assert_int_eq(c->log_target, LOG_JOURNAL);
	ck_assert_uint_eq(c->smtpd_processes, 1);
	ck_assert_uint_eq(c->relay_processes, 2);
	ck_assert(c->allow_loopback);
	conf_free(&c);
}
END_TEST

/* The longest prefix counts. */
START_TEST(client_look_up)
{
	static const struct {
		const char *ip, *label;
	} rows[] = {
		{ "192.0.2.7", "192.0.2.7/32" },
		{ "192.0.2.8", "192.0.2.0/24" },
		{ "192.0.3.8", "0.0.0.0/0" },
		{ "2001:db8::1", "2001:db8::/32" },
		{ "2001:db9::1", NULL },
	};
	struct conf *c = conf_good("accept { client \"0.0.0.0/0\" { }; "
	    "client \"192.0.2.7\" { }; client \"2001:db8::/32\" { }; client "
	    "\"192.0.2.0/24\" { } }");

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct conf_client *got;
		struct addr a;

		ck_assert(addr_parse_ip(span_str(rows[i].ip), &a));
		got = conf_client_for(c, &a);
		ck_assert_msg(rows[i].label == NULL ? got == NULL :
		    got != NULL && strcmp(got->label, rows[i].label) == 0,
		    "%s: %s", rows[i].ip, got == NULL ? "none" : got->label);
	}
	conf_free(&c);
}
END_TEST

/* Who may relay where relay-from was left out, or is empty. */
static const struct {
	const char	*listen;
	size_t		 n;
} relay_from[] = {
	{ "address = \"127.0.0.1:1\"", 2 },
	{ "address = \"127.8.9.1:1\"", 2 },
	{ "address = \"[::1]:1\"", 2 },
	{ "address = \"0.0.0.0:1\"", 0 },
	{ "address = \"[::]:1\"", 0 },
	{ "address = \"192.0.2.1:1\"", 0 },
	{ "address = \"127.0.0.1:1\"; relay-from = []", 0 },
	{ "address = \"192.0.2.1:1\"; relay-from = [ \"192.0.2.7\" ]", 1 },
};

START_TEST(relay_from_default)
{
	char text[256];
	struct conf *c;

	snprintf(text, sizeof text, "listen \"x\" { %s }",
	    relay_from[_i].listen);
	c = conf_good(text);
	ck_assert_uint_eq(c->listens[0].nrelay_from, relay_from[_i].n);
	ck_assert_ptr_nonnull(c->listens[0].relay_from);
	conf_free(&c);
}
END_TEST

static const char *const values[] = {
	[0] = "# only a comment, \xff not even UTF-8",
	[1] = "\xef\xbb\xbfhostname = \"bom.example.org\"\r\nlog { }\r\n",
	[2] = ";;\n;limits{recipients=5};;",
	[3] = "hostname = \"mx.example.org\" # behind a value",
	[4] = "state { directory = \"/a\\\"b\\\\c\\td\" }",
	[5] = "limits { recipients = 5 }\nlimits { message-size = 2G }",
	[6] = "relay { domain \"a.example\" { via = \"\" }\n}",
	[7] = "accept{domain\"x.example\"{to=\"DISCARD:\";recipients=\"any\"}}",
	[8] = "dns { forward = [\"192.0.2.1\"\n,\n\"192.0.2.2\",] }",
};

START_TEST(accepted)
{
	struct conf *c = conf_good(values[_i]);

	conf_free(&c);
}
END_TEST

START_TEST(escapes)
{
	struct conf *c = conf_good(values[4]);

	ck_assert_str_eq(c->state_directory, "/a\"b\\c\td");
	conf_free(&c);
}
END_TEST

/* Next hops, and the port where none is written: relay.port. */
static const struct {
	const char	*to, *host;
	enum hop_kind	 kind;
	uint16_t	 port;
	uint8_t		 family;
} hops[] = {
	{ "smtp:[192.0.2.5]:25", "192.0.2.5", HOP_HOST, 25, 4 },
	{ "smtp:[192.0.2.5]", "192.0.2.5", HOP_HOST, 26, 4 },
	{ "smtp:[2001:DB8::1]:587", "2001:db8::1", HOP_HOST, 587, 6 },
	{ "smtp:[Host.Example]:2525", "host.example", HOP_HOST, 2525, 0 },
	{ "smtp:example.org", "example.org", HOP_MX, 26, 0 },
	{ "smtp:example.org:25", "example.org", HOP_MX, 25, 0 },
	{ "SMTP:b\xc3\xbc" "cher.example", "xn--bcher-kva.example", HOP_MX, 26, 0 },
	{ "discard:", "", HOP_DISCARD, 26, 0 },
	{ "lmtp:unix:/run/dovecot/lmtp", "/run/dovecot/lmtp", HOP_UNIX, 26, 0 },
	{ "LMTP:[192.0.2.5]", "192.0.2.5", HOP_HOST, 24, 4 },
	{ "lmtp:[Store.example]:2424", "store.example", HOP_HOST, 2424, 0 },
};

START_TEST(hop)
{
	char text[256];
	struct conf *c;

	snprintf(text, sizeof text, "accept { domain \"d.example\" { "
	    "to = \"%s\"; recipients = \"any\" } }\nrelay { port = 26 }",
	    hops[_i].to);
	c = conf_good(text);
	ck_assert_int_eq(c->accepts[0].to.kind, hops[_i].kind);
	ck_assert(c->accepts[0].to.lmtp ==
	    (strncasecmp(hops[_i].to, "lmtp", 4) == 0));
	ck_assert_str_eq(c->accepts[0].to.host, hops[_i].host);
	ck_assert_uint_eq(c->accepts[0].to.port, hops[_i].port);
	ck_assert_uint_eq(c->accepts[0].to.literal.family, hops[_i].family);
	conf_free(&c);
}
END_TEST

/* The longest match wins, in whatever order they are written. */
static const char patterns[] =
    "accept {\n"
    "domain \"*\" { to = \"discard:\"; recipients = \"any\" }\n"
    "domain \"*.example.org\" { to = \"discard:\"; recipients = \"any\" }\n"
    "domain \"Example.ORG\" { to = \"discard:\"; recipients = \"any\" }\n"
    "domain \"*.b.example.org\" { to = \"discard:\"; recipients = \"any\" }\n"
    "domain \"a.b.example.org\" { to = \"discard:\"; recipients = \"any\" }\n"
    "domain \"*.b\xc3\xbc" "cher.example\" { to = \"discard:\"; "
    "recipients = \"any\" }\n}\n"
    "relay { domain \"*.slow.example\" { connections = 5 } }\n";

static const struct {
	const char	*domain, *pattern;
} matches[] = {
	{ "example.org", "example.org" },
	{ "www.example.org", "*.example.org" },
	{ "x.y.example.org", "*.example.org" },
	{ "b.example.org", "*.example.org" },
	{ "a.b.example.org", "a.b.example.org" },
	{ "c.b.example.org", "*.b.example.org" },
	{ "x.a.b.example.org", "*.b.example.org" },
	{ "notexample.org", "*" },
	{ "org", "*" },
	{ "", "*" },
	{ ".", "*" },
	{ "..example.org", "*.example.org" },
	{ "mail.xn--bcher-kva.example", "*.xn--bcher-kva.example" },
	{ "[192.0.2.1]", "*" },
};

START_TEST(longest_match)
{
	struct conf *c = conf_good(patterns);
	const struct conf_accept *a = conf_accept_for(c,
	    span_str(matches[_i].domain));

	ck_assert_ptr_nonnull(a);
	ck_assert_str_eq(a->pattern, matches[_i].pattern);
	conf_free(&c);
}
END_TEST

START_TEST(no_match)
{
	struct conf *c = conf_good(patterns);
	char longname[400];

	ck_assert_ptr_null(conf_relay_for(c, SPAN_LIT("slow.example")));
	ck_assert_ptr_nonnull(conf_relay_for(c, SPAN_LIT("a.slow.example")));
	memset(longname, 'a', sizeof longname);
	ck_assert_ptr_null(conf_relay_for(c,
	    span_of(longname, sizeof longname)));
	conf_free(&c);
	c = conf_good("");
	ck_assert_ptr_null(conf_accept_for(c, SPAN_LIT("example.org")));
	conf_free(&c);
}
END_TEST

/* relay.domain says what differs; the rest is as in relay. */
START_TEST(relay_domains)
{
	struct conf *c = conf_good("relay { domain \"a.example\" { via = \"\" }\n"
	    "domain \"b.example\" { connections = 5 }\n"
	    "domain \"c.example\" { via = \"[192.0.2.9]:2525\" }\n"
	    "via = \"smart.example\"; connections = 9 }");
	const struct conf_relay_domain *d;

	d = conf_relay_for(c, SPAN_LIT("a.example"));
	ck_assert(!d->has_via);
	ck_assert_uint_eq(d->connections, 9);
	d = conf_relay_for(c, SPAN_LIT("b.example"));
	ck_assert(d->has_via);
	ck_assert_str_eq(d->via.host, "smart.example");
	ck_assert_uint_eq(d->connections, 5);
	d = conf_relay_for(c, SPAN_LIT("c.example"));
	ck_assert(d->has_via);
	ck_assert_str_eq(d->via.host, "192.0.2.9");
	ck_assert_uint_eq(d->via.port, 2525);
	conf_free(&c);
}
END_TEST

/* Which sockets mail for a domain may go to. */
START_TEST(policy)
{
	struct conf *c = conf_good("policy { memory { sessions = 2; over = 2h; "
	    "on-loss = \"enforce\" }\n"
	    "domain \"*.b.example\" { permit = \"clear\" }\n"
	    "domain \"a.example\" { require = \"dane\" } }");
	const struct conf_policy_domain *d;

	ck_assert_uint_eq(c->policy.memory.sessions, 2);
	ck_assert_uint_eq(c->policy.memory.over, 2 * 3600 * 1000);
	ck_assert_int_eq(c->policy.memory.on_loss, LOSS_ENFORCE);
	ck_assert_uint_eq(c->policy.memory.hold_for, 4 * 3600 * 1000);
	d = conf_policy_for(c, SPAN_LIT("a.example"));
	ck_assert_int_eq(d->require, LEVEL_DANE);
	ck_assert_int_eq(d->permit, LEVEL_NONE);
	d = conf_policy_for(c, SPAN_LIT("x.b.example"));
	ck_assert_int_eq(d->require, LEVEL_NONE);
	ck_assert_int_eq(d->permit, LEVEL_CLEAR);
	ck_assert_ptr_null(conf_policy_for(c, SPAN_LIT("b.example")));
	conf_free(&c);
}
END_TEST

START_TEST(sockets)
{
	struct conf *c = conf_good("accept { domain \"a.example\" { to = "
	    "\"lmtp:unix:/a\"; recipients = \"any\" } }\n"
	    "relay { domain \"b.example\" { via = \"lmtp:unix:/b\" } }");

	ck_assert(conf_names_socket(c));
	ck_assert(conf_allows_socket(c, SPAN_LIT("a.example"), "/a"));
	ck_assert(!conf_allows_socket(c, SPAN_LIT("a.example"), "/b"));
	ck_assert(conf_allows_socket(c, SPAN_LIT("b.example"), "/b"));
	ck_assert(!conf_allows_socket(c, SPAN_LIT("c.example"), "/a"));
	conf_free(&c);
	c = conf_good("relay { via = \"lmtp:unix:/v\" }");
	ck_assert(conf_names_socket(c));
	ck_assert(conf_allows_socket(c, SPAN_LIT("c.example"), "/v"));
	conf_free(&c);
	c = conf_good("relay { via = \"[192.0.2.1]\" }");
	ck_assert(!conf_names_socket(c));
	ck_assert(!conf_allows_socket(c, SPAN_LIT("c.example"), "192.0.2.1"));
	conf_free(&c);
}
END_TEST

/* source, ehlo-name and protocols: as written, inherited, or replaced. */
START_TEST(sending)
{
	struct conf *c = conf_good("hostname = \"h.example\"\n"
	    "relay { domain \"a.example\" { source = [] }\n"
	    "domain \"b.example\" { source = [ \"192.0.2.7\" ]; "
	    "ehlo-name = \"\"; protocols = \"ipv4\" }\n"
	    "domain \"c.example\" { ehlo-name = \"C.example\" }\n"
	    "source = [ \"2001:db8::1\", \"192.0.2.1\" ]\n"
	    "ehlo-name = \"out.example\"; protocols = \"ipv6\" }");
	const struct conf_sending *s;
	char text[ADDR_TEXT_SIZE];

	s = conf_sending_for(c, SPAN_LIT("x.example"));
	ck_assert_str_eq(addr_ip_text(&s->source4, text), "192.0.2.1");
	ck_assert_str_eq(addr_ip_text(&s->source6, text), "2001:db8::1");
	ck_assert_str_eq(s->ehlo_name, "out.example");
	ck_assert_int_eq(s->protocols, PROTOCOLS_IP6);
	s = conf_sending_for(c, SPAN_LIT("a.example"));
	ck_assert_int_eq(s->source4.family + s->source6.family, 0);
	ck_assert_str_eq(s->ehlo_name, "out.example");
	ck_assert_int_eq(s->protocols, PROTOCOLS_IP6);
	s = conf_sending_for(c, SPAN_LIT("b.example"));
	ck_assert_str_eq(addr_ip_text(&s->source4, text), "192.0.2.7");
	ck_assert_int_eq(s->source6.family, 0);
	ck_assert_str_eq(s->ehlo_name, "h.example");
	ck_assert_int_eq(s->protocols, PROTOCOLS_IP4);
	s = conf_sending_for(c, SPAN_LIT("c.example"));
	ck_assert_str_eq(addr_ip_text(&s->source4, text), "192.0.2.1");
	ck_assert_str_eq(s->ehlo_name, "c.example");
	conf_free(&c);
	c = conf_good("");
	ck_assert_str_eq(c->relay.sending.ehlo_name, "host.example.org");
	ck_assert_int_eq(c->relay.sending.source4.family, 0);
	ck_assert_int_eq(c->relay.sending.protocols, PROTOCOLS_ANY);
	conf_free(&c);
}
END_TEST

/* Many blocks: arrays grow, look-ups stay right. */
START_TEST(many_domains)
{
	const size_t n = 3000;
	struct conf_notes notes = { 0 };
	struct conf *c;
	struct buf b;
	char name[64];

	buf_init(&b, 1u << 20);
	buf_str(&b, "accept {\n");
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "domain \"d%zu.example\" { to = "
		    "\"smtp:[h%zu.example]\"; recipients = \"any\" }\n", i, i);
	ck_assert_int_eq(buf_str(&b, "}\n"), 0);
	c = conf_from(buf_get(&b).p, b.len, &notes);
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(c->naccepts, n);
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof name, "d%zu.example", i);
		ck_assert_str_eq(conf_accept_for(c, span_str(name))->to.host +
		    1, name + 1);
	}
	conf_free(&c);
	conf_notes_free(&notes);
	buf_free(&b);
}
END_TEST

#define PM	"postmaster = \"ops@elsewhere.example\"\n"

/* Warnings, with their place; NULL: none at all. */
static const struct {
	const char	*text, *warning;
} reviews[] = {
	{ "", NULL },
	{ PM "listen \"p\" { address = \"[::]:25\"; relay-from = [] }\naccept { "
	  "domain \"a.example\" { to = \"discard:\"; recipients = \"any\" } }",
	  NULL },
	{ "listen \"p\" { address = \"[::]:25\"\n  relay-from = "
	  "[ \"0.0.0.0/0\" ] }",
	  "t.conf:2:16: warning: listen \"p\" is an open relay: everyone in "
	  "0.0.0.0/0 " },
	{ "listen \"p\" { address = \"192.0.2.1:25\"; relay-from = "
	  "[ \"10.0.0.0/8\", \"::/0\" ] }", "everyone in ::/0" },
	{ "listen \"p\" { address = \"192.0.2.1:25\"; relay-from = "
	  "[ \"10.0.0.0/7\" ] }", "open relay" },
	{ "listen \"p\" { address = \"192.0.2.1:25\"; relay-from = "
	  "[ \"2001:db8::/31\" ] }", "open relay" },
	{ PM "listen \"p\" { address = \"192.0.2.1:25\"; relay-from = "
	  "[ \"10.0.0.0/8\", \"2001:db8::/32\" ] }", NULL },
	{ "listen \"p\" { address = \"127.0.0.1:25\"; relay-from = "
	  "[ \"0.0.0.0/0\" ] }", NULL },
	{ "listen \"p\" { address = \"192.0.2.1:25\"; relay-from = "
	  "[ \"11.0.0.0/11\" ] }", "everyone in 11.0.0.0/11" },
	{ "listen \"p\" { address = \"192.0.2.1:25\"; relay-from = "
	  "[ \"64:ff9b::/96\" ] }", "everyone in 64:ff9b::/96" },
	{ "listen \"p\" { address = \"192.0.2.1:25\"; relay-from = "
	  "[ \"11.0.0.0/12\", \"11.16.0.0/12\" ] }",
	  "nearly an open relay: the networks in relay-from are more than a "
	  "/12 together" },
	{ PM "listen \"p\" { address = \"192.0.2.1:25\"; relay-from = "
	  "[ \"11.0.0.0/12\", \"10.0.0.0/8\", \"192.168.0.0/16\" ] }", NULL },
	{ "accept { domain \"*\" { to = \"smtp:[192.0.2.5]\" } }",
	  "accept domain \"*\" is an open relay" },
	{ "accept { domain \"*.org\" { to = \"smtp:[192.0.2.5]\" } }",
	  "accept domain \"*.org\" is an open relay" },
	{ "accept { domain \"*.example.org\" { to = \"smtp:[192.0.2.5]\" }\n"
	  "domain \"*\" { to = \"discard:\" } }", NULL },
	{ "\nlisten \"p\" { address = \"192.0.2.1:25\" }",
	  "t.conf:2:1: warning: listen \"p\" refuses all mail" },
	{ "allow-loopback = true",
	  "t.conf:1:18: warning: `allow-loopback` lets" },
	{ "limits { recipients = 99 }", "t.conf:1:23: warning: fewer than 100" },
	{ "limits { message-size = 63K }", "t.conf:1:25: warning: less than" },
	{ "limits { hops = 29 }", "t.conf:1:17: warning: fewer than 30 hops" },
	{ "limits { timeout { command = 299s } }", "t.conf:1:30: warning: less than 5m" },
	{ "relay { retry { first = 5h } }", "t.conf:1:25: warning: longer" },
	{ "relay { retry { first = 6d } }", "no second attempt" },
	{ "hostname = \"a.example\"\nlisten \"p\" { address = \"0.0.0.0:25\"\n"
	  "relay-from = [ \"192.0.2.0/24\" ] }", "nobody gets the mail of "
	  "<Postmaster>" },
	{ "hostname = \"a.example\"\npostmaster = \"x@a.example\"",
	  "t.conf:2:14: warning: mail for postmaster comes back to this" },
	{ "accept { domain \"b.example\" { to = \"discard:\" } }\n"
	  "postmaster = \"x@b.example\"", "t.conf:2:14: warning: mail for "
	  "postmaster is thrown away" },
	{ "accept { domain \"b.example\" { to = \"smtp:[192.0.2.9]\" } }\n"
	  "listen \"p\" { address = \"0.0.0.0:25\" }", NULL },
	{ "hostname = \"mx\"", "t.conf:1:12: warning: the host name \"mx\"" },
	{ "listen \"p\" { address = \"192.0.2.1:26\"; tls = \"none\"; "
	  "relay-from = [ \"192.0.2.2\" ] }", "in clear text" },
	{ "listen \"p\" { address = \"192.0.2.1:25\"; tls = \"required\"; "
	  "relay-from = [ \"192.0.2.2\" ] }", "RFC 3207" },
	{ "hostname = \"a.example\"\naccept { client \"0.0.0.0/0\" {\n"
	  "require = \"encrypted\" } }", "t.conf:3:11: warning: mail without "
	  "TLS from 0.0.0.0/0 is refused; a server for the public must not "
	  "do that (RFC 3207 sec 4)" },
	{ "hostname = \"a.example\"\naccept { client \"192.0.2.0/24\" { "
	  "require = \"encrypted\" } }", NULL },
};

START_TEST(review)
{
	struct conf *c = conf_good(reviews[_i].text);
	struct conf_notes notes = { 0 };
	char said[4096] = "";

	conf_review(c, &notes);
	conf_notes_text(&notes, said, sizeof said);
	ck_assert_uint_eq(notes.nerrors, 0);
	if (reviews[_i].warning == NULL)
		ck_assert_str_eq(said, "");
	else
		ck_assert_msg(strstr(said, reviews[_i].warning) != NULL,
		    "said: %s", said);
	conf_notes_free(&notes);
	conf_free(&c);
}
END_TEST

/* The open relay is what one must read first. */
START_TEST(review_order)
{
	struct conf *c = conf_good("hostname = \"a\"\nallow-loopback = true\n"
	    "listen \"p\" { address = \"[::]:25\"; relay-from = [ \"::/0\" ] }");
	struct conf_notes notes = { 0 };

	conf_review(c, &notes);
	ck_assert_uint_ge(notes.n, 3);
	ck_assert_ptr_nonnull(strstr(notes.v[0].text, "open relay"));
	conf_notes_free(&notes);
	conf_free(&c);
}
END_TEST

#define ROWS(a)	((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *s = suite_create("conf_good");
	TCase *t = tcase_create("meaning");

	tcase_add_test(t, empty_file);
	tcase_add_test(t, every_key_of_clients);
	tcase_add_test(t, every_key_of_limits);
	tcase_add_test(t, every_key_of_relay);
	tcase_add_test(t, every_other_key);
	tcase_add_test(t, client_look_up);
	tcase_add_loop_test(t, relay_from_default, 0, ROWS(relay_from));
	tcase_add_loop_test(t, accepted, 0, ROWS(values));
	tcase_add_test(t, escapes);
	tcase_add_loop_test(t, hop, 0, ROWS(hops));
	tcase_add_loop_test(t, longest_match, 0, ROWS(matches));
	tcase_add_test(t, no_match);
	tcase_add_test(t, relay_domains);
	tcase_add_test(t, sending);
	tcase_add_test(t, policy);
	tcase_add_test(t, sockets);
	tcase_add_test(t, many_domains);
	tcase_add_loop_test(t, review, 0, ROWS(reviews));
	tcase_add_test(t, review_order);
	suite_add_tcase(s, t);
	return suite_run(s);
}
