/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* A route under an MTA-STS policy: RFC 8461 sec 4.1, sec 5, sec 8.4; and for
 * messages that ask for TLS or waive it, RFC 8689. */
#include "tests/unit/suite.h"

#include <stdio.h>
#include <unistd.h>

#include "base/conf_impl.h"
#include "policy/db.h"
#include "policy/route.h"
#include "tests/unit/policy/fake_dns.h"

#define POLICY(mode, mx) "version: STSv1\nmode: " mode "\n" mx	\
	"max_age: 604800\n"

static char dir[64];

static struct {
	struct fake_dns	 dns;
	const char	*lines[16];
	struct conf	 conf;
	struct self	 self;
	struct route_world world;
	struct db	*db;
	struct sts_store *store;
	const char	*body;
	uint64_t	 txn;
	bool		 asked;		/* a fetch waits for its answer */
	enum tls_wish	 wish;
	unsigned	 calls;
	int		 code;
	char		 dsn[12], text[240], hosts[512];
	uint64_t	 site, identity;
} x;

static uint64_t
wall(void *ctx)
{
	(void)ctx;
	return 1800000000;
}

static int
fetch(void *ctx, const struct ipc_fetch_ask *m)
{
	(void)ctx;
	x.txn = m->txn;
	x.asked = true;
	return 0;
}

static void
setup(void)
{
	struct fault f = { 0 };
	struct sts_setup s = { .fetch = fetch, .wall_s = wall, .seed = 1 };

	(void)snprintf(dir, sizeof dir, "/tmp/sealane-route-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	memset(&x, 0, sizeof x);
	x.dns.lines = x.lines;
	x.conf = (struct conf){ .allow_loopback = true, .hostname = "me.example.net",
	    .relay = { .port = 25, .connections = 20,
	    .sending = { .ehlo_name = "me.example.net" } } };
	x.world = (struct route_world){ .conf = &x.conf, .self = &x.self,
	    .lookup = fake_lookup(&x.dns), .seed = 1 };
	x.self.conf = &x.conf;
	x.db = policy_db_open(dir, &f);
	ck_assert_msg(x.db != NULL, "%s", f.text);
	s.lookup = x.world.lookup;
	s.store = x.store = sts_store_new(x.db, &f);
	x.world.sts = sts_new(&s);
	x.lines[0] = "MX example.org = 10 mx1.example.org, 20 mx2.example.com";
	x.lines[1] = "A mx1.example.org = 192.0.2.1";
	x.lines[2] = "A mx2.example.com = 192.0.2.2";
	x.lines[3] = "TXT _mta-sts.example.org = v=STSv1; id=1";
	x.lines[4] = "A mta-sts.example.org = 192.0.2.80";
}

static void
teardown(void)
{
	static const char *const names[] = { "", "-wal", "-shm" };
	char path[128];

	sts_free(&x.world.sts);
	sts_store_free(&x.store);
	db_close(&x.db);
	for (int i = 0; i < NELEM(names); i++) {
		(void)snprintf(path, sizeof path, "%s/policy.db%s", dir,
		    names[i]);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
on_route(void *arg, const struct route_result *r)
{
	size_t n = 0;

	(void)arg;
	x.calls++;
	x.code = r->code;
	x.site = r->site;
	x.identity = r->identity;
	(void)snprintf(x.dsn, sizeof x.dsn, "%s", r->dsn);
	(void)snprintf(x.text, sizeof x.text, "%s", r->text);
	x.hosts[0] = '\0';
	for (size_t i = 0; i < r->nhosts; i++)
		n += (size_t)snprintf(x.hosts + n, sizeof x.hosts - n,
		    "%s%s %s %s", n == 0 ? "" : ", ", r->hosts[i].name,
		    level_name(r->hosts[i].asked), why_name(r->hosts[i].why));
}

static void
route(const char *domain, bool backwards)
{
	struct route *r;

	x.calls = 0;
	x.dns.backwards = backwards;
	r = route_start(&x.world, span_str(domain), x.wish, on_route, NULL);
	do {
		fake_run(&x.dns);
		if (x.asked) {
			const struct ipc_fetched m = { .txn = x.txn,
			    .body = span_str(x.body) };

			x.asked = false;
			sts_fetched(x.world.sts, &m);
		}
	} while (x.dns.first != NULL);
	(void)r;
	ck_assert_uint_eq(x.calls, 1);
}

static const struct row {
	const char	*name, *body;
	int		 code;
	const char	*hosts;
} rows[] = {
	{ "RFC 8461 sec 5: both are listed", POLICY("enforce", "mx: mx1.example.org\n"
	    "mx: *.example.com\n"), 250,
	    "mx1.example.org sts sts, mx2.example.com sts sts" },
	{ "RFC 8461 sec 5: the best is not", POLICY("enforce", "mx: *.example.com\n"), 250,
	    "mx2.example.com sts sts" },
	{ "RFC 8461 sec 5: none is", POLICY("enforce", "mx: mx9.example.org\n"), 451, "" },
	{ "RFC 8461 sec 5: testing lists none", POLICY("testing", "mx: mx9.example.org\n"), 250,
	    "mx1.example.org clear none, mx2.example.com clear none" },
	{ "RFC 8461 sec 5: testing lists both", POLICY("testing", "mx: mx1.example.org\n"
	    "mx: *.example.com\n"), 250,
	    "mx1.example.org clear none, mx2.example.com clear none" },
	{ "RFC 8461 sec 5: mode none", POLICY("none", ""), 250,
	    "mx1.example.org clear none, mx2.example.com clear none" },
	{ "RFC 8461 sec 5: nonsense", "<html>", 250,
	    "mx1.example.org clear none, mx2.example.com clear none" },
};

/* In whatever order the answers come. */
START_TEST(policy)
{
	const struct row *r = &rows[_i / 2];

	x.body = r->body;
	route("example.org", _i % 2 == 1);
	ck_assert_msg(x.code == r->code, "%s: %d %s", r->name, x.code, x.text);
	ck_assert_msg(strcmp(x.hosts, r->hosts) == 0, "%s: %s", r->name,
	    x.hosts);
	if (r->code == 451)
		ck_assert_str_eq(x.dsn, "4.7.0");
}
END_TEST

#define MX	"MX example.org = 10 mx1.example.org, 20 mx2.example.com"
#define NO_STS	"TXT _mta-sts.example.org NXDOMAIN"
#define STS	"TXT _mta-sts.example.org = v=STSv1; id=1"
#define TLSA	"secure TLSA _25._tcp.mx1.example.org = 3 1 1 a"
#define ONE	"mx: mx1.example.org\n"
#define SHOW(level, why)						\
	"mx1.example.org " level " " why ", mx2.example.com " level " " why

/* RFC 8689: what a message asks of the way, sections in the names. */
static const struct wish_row {
	const char	*name;
	enum tls_wish	 wish;
	const char	*mx, *sts, *tlsa, *body;
	int		 code;
	const char	*dsn, *hosts;
} wish_rows[] = {
	{ "RFC 8689 sec 4.2.1: nothing names the hosts", TLS_WISH_REQUIRED, MX, NO_STS,
	    NULL, NULL, 550, "5.7.30", "" },
	{ "RFC 8689 sec 4.2.1: DNSSEC does", TLS_WISH_REQUIRED, "secure " MX, NO_STS,
	    NULL, NULL, 250, "2.0.0", SHOW("verified", "requiretls") },
	{ "RFC 8689 sec 4.2.1: and DANE for one", TLS_WISH_REQUIRED, "secure " MX, NO_STS,
	    TLSA, NULL, 250, "2.0.0", "mx1.example.org dane dane, "
	    "mx2.example.com verified requiretls" },
	{ "RFC 8689 sec 4.2.1: records behind an insecure MX name nobody",
	    TLS_WISH_REQUIRED, MX, NO_STS, TLSA, NULL, 550, "5.7.30", "" },
	{ "RFC 8689 sec 4.2.1: a policy names one", TLS_WISH_REQUIRED, MX, STS, NULL,
	    POLICY("enforce", ONE), 250, "2.0.0", "mx1.example.org sts sts" },
	{ "RFC 8689 sec 4.2.1: in testing too", TLS_WISH_REQUIRED, MX, STS, NULL,
	    POLICY("testing", ONE), 250, "2.0.0",
	    "mx1.example.org sts requiretls" },
	{ "RFC 8689 sec 4.2.1: none of them", TLS_WISH_REQUIRED, MX, STS, NULL,
	    POLICY("testing", "mx: mx9.example.org\n"), 550, "5.7.30", "" },
	{ "RFC 8689 sec 4.2.1: mode none", TLS_WISH_REQUIRED, MX, STS, NULL,
	    POLICY("none", ""), 550, "5.7.30", "" },
	{ "RFC 8689 sec 4.2.1: whether there is a policy is not known", TLS_WISH_REQUIRED, MX,
	    "TXT _mta-sts.example.org SERVFAIL", NULL, NULL, 451, "4.7.30", "" },
	{ "RFC 8689 sec 4.2.1: it can't be had", TLS_WISH_REQUIRED, MX, STS, NULL, "<html>", 451,
	    "4.7.30", "" },
	{ "RFC 5321 sec 5.1: an error of the DNS comes first", TLS_WISH_REQUIRED,
	    "MX example.org SERVFAIL", NO_STS, NULL, NULL, 451, "4.4.3", "" },
	{ "RFC 8689 sec 5: a report needs TLS alone", TLS_WISH_REPORT, MX, NO_STS, NULL,
	    NULL, 250, "2.0.0", SHOW("encrypted", "requiretls") },
	{ "RFC 8689 sec 5: or what is published", TLS_WISH_REPORT, MX, STS, NULL,
	    POLICY("enforce", ONE), 250, "2.0.0", "mx1.example.org sts sts" },
	{ "RFC 8689 sec 4.2.2: waived, whatever is published", TLS_WISH_OPTIONAL,
	    "secure " MX, STS, TLSA, POLICY("enforce", ONE), 250, "2.0.0",
	    SHOW("clear", "tls-required-no") },
	{ "RFC 8689 sec 4.2.2: or is lost", TLS_WISH_OPTIONAL, "secure " MX, STS,
	    "TLSA _25._tcp.mx1.example.org SERVFAIL", "<html>", 250, "2.0.0",
	    SHOW("clear", "tls-required-no") },
};

START_TEST(wish)
{
	const struct wish_row *r = &wish_rows[_i / 2];

	x.wish = r->wish;
	x.body = r->body;
	x.conf.policy.dane = true;
	x.lines[0] = r->mx;
	x.lines[1] = "secure A mx1.example.org = 192.0.2.1";
	x.lines[3] = r->sts;
	x.lines[5] = r->tlsa;
	route("example.org", _i % 2 == 1);
	ck_assert_msg(x.code == r->code && strcmp(x.dsn, r->dsn) == 0,
	    "%s: %d %s %s", r->name, x.code, x.dsn, x.text);
	ck_assert_msg(strcmp(x.hosts, r->hosts) == 0, "%s: %s", r->name,
	    x.hosts);
}
END_TEST

/* RFC 8689 sec 4.2.1: a name that the operator gave needs no DNS to vouch for
 * it, an address proves nothing; sec 1: it ends at the mail store. */
static const struct {
	const char	*rfc;
	const char	*to, *hosts;
} hop_rows[] = {
	{ "8689 4.2.1", "smtp:[mx1.example.org]", "mx1.example.org verified requiretls" },
	{ "8689 4.2.1", "lmtp:[mx1.example.org]:24", "mx1.example.org verified requiretls" },
	{ "8689 4.2.1", "smtp:[192.0.2.9]", "" },
	{ "8689 4.2.1", "smtp:[127.0.0.1]:2525", "" },
	{ "8689 4.2.1", "lmtp:[192.0.2.9]:24", "" },
	{ "8689 1", "lmtp:[127.0.0.1]:24", "127.0.0.1 clear none" },
	{ "8689 1", "lmtp:[::1]:24", "::1 clear none" },
	{ "8689 1", "lmtp:unix:/run/lmtp", "/run/lmtp clear none" },
};

START_TEST(wish_of_configured_hop)
{
	struct conf_accept accept = { .pattern = "example.org" };
	const char *hint;
	char name[256];

	ck_assert(conf_hop_parse(span_str(hop_rows[_i].to), false, &accept.to,
	    name, &hint));
	accept.to.host = name;
	x.conf.accepts = &accept;
	x.conf.naccepts = 1;
	x.wish = TLS_WISH_REQUIRED;
	route("example.org", false);
	ck_assert_msg(strcmp(x.hosts, hop_rows[_i].hosts) == 0, "RFC %s: %s: %s",
	    hop_rows[_i].rfc, hop_rows[_i].to, x.hosts);
	ck_assert_int_eq(x.code, x.hosts[0] != '\0' ? 250 : 550);
}
END_TEST

/* RFC 8689 sec 4.2.1: no connection is shared with mail that asks for less. */
START_TEST(wish_identity)
{
	uint64_t plain;

	x.lines[0] = "secure " MX;
	x.lines[3] = STS;
	x.body = POLICY("enforce", ONE "mx: *.example.com\n");
	route("example.org", false);
	plain = x.identity;
	x.wish = TLS_WISH_REQUIRED;
	route("example.org", false);
	ck_assert_str_eq(x.hosts, SHOW("sts", "sts"));
	ck_assert_uint_ne(x.identity, plain);
}
END_TEST

/* A connection that was checked for one domain serves no other, and none that
 * was not. */
START_TEST(identity)
{
	uint64_t site, plain, checked;

	x.lines[5] = "MX example.com = 10 mx1.example.org, 20 mx2.example.com";
	x.lines[6] = "MX example.net = 10 mx1.example.org, 20 mx2.example.com";
	x.lines[7] = "TXT _mta-sts.example.net = v=STSv1; id=1";
	x.lines[8] = "A mta-sts.example.net = 192.0.2.80";
	x.body = POLICY("enforce", "mx: *.example.org\nmx: *.example.com\n");
	route("example.com", false);
	plain = x.identity;
	site = x.site;
	route("example.org", false);
	checked = x.identity;
	ck_assert_uint_ne(checked, plain);
	ck_assert_uint_eq(x.site, site);
	route("example.net", false);
	ck_assert_uint_ne(x.identity, checked);
	ck_assert_uint_ne(x.identity, plain);
	route("example.org", true);
	ck_assert_uint_eq(x.identity, checked);
}
END_TEST

START_TEST(mx_fails_first)
{
	x.lines[0] = "MX example.org NXDOMAIN";
	x.body = POLICY("none", "");
	route("example.org", _i == 1);
	ck_assert_int_eq(x.code, 550);
}
END_TEST

START_TEST(cancelled)
{
	struct route *r = route_start(&x.world, SPAN_LIT("example.org"),
	    TLS_WISH_NONE, on_route, NULL);

	for (int i = 0; i < _i; i++)
		(void)fake_one(&x.dns);
	route_cancel(&r);
	x.asked = false;
	fake_run(&x.dns);
	ck_assert_uint_eq(x.calls, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/route_policy");
	TCase *tc = tcase_create("route");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, policy, 0, 2 * NELEM(rows));
	tcase_add_loop_test(tc, wish, 0, 2 * NELEM(wish_rows));
	tcase_add_loop_test(tc, wish_of_configured_hop, 0, NELEM(hop_rows));
	tcase_add_test(tc, wish_identity);
	tcase_add_test(tc, identity);
	tcase_add_loop_test(tc, mx_fails_first, 0, 2);
	tcase_add_loop_test(tc, cancelled, 0, 5);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
