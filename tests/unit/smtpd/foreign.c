/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtpd/foreign.c - no open relay by configuration: over 10,000
 * generated ones, none that is free of warnings accepts a recipient that is
 * foreign, from a client that is, by whatever trick.
 *
 * What is foreign is decided here from what was written, bit by bit and label
 * by label, by none of the code under test.  The generator is seeded;
 * SEALANE_SEED and SEALANE_CONFIGS choose another run. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/conf.h"
#include "smtpd/session.h"
#include "tests/unit/suite.h"

#define CONFIGS		10000u
#define LISTENS		3
#define NETS		6
#define DOMAINS		4

/* ---- chance ---- */

static uint64_t seed;

static uint32_t
roll(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

#define ANY_OF(a)	(a)[roll((uint32_t)NELEM(a))]

/* ---- a configuration, as it is written ---- */

struct net {
	const char	*ip;
	unsigned	 bits;
};

struct drawn {
	struct buf	 text;
	struct {
		const char	*address;
		bool		 has_relay_from;
		struct net	 nets[NETS];
		unsigned	 nnets;
	}		 listens[LISTENS];
	unsigned	 nlistens;
	struct {
		const char	*pattern;
		bool		 listed;	/* file: */
	}		 domains[DOMAINS];
	unsigned	 ndomains;
};

static const char *const listen_at[] = { "127.0.0.1", "127.0.0.2", "[::1]",
    "0.0.0.0", "[::]", "192.0.2.10", "[2001:db8::25]", "10.1.2.3" };
static const struct net nets[] = {
	{ "10.0.0.0", 8 }, { "10.1.0.0", 16 }, { "192.168.0.0", 16 },
	{ "192.0.2.0", 24 }, { "192.0.2.77", 32 }, { "172.16.0.0", 12 },
	{ "127.0.0.0", 8 }, { "::1", 128 }, { "2001:db8::", 32 },
	{ "2001:db8:1::", 48 }, { "fd00::", 8 }, { "203.0.113.0", 25 },
	/* and these let everybody in */
	{ "0.0.0.0", 0 }, { "::", 0 }, { "128.0.0.0", 1 }, { "0.0.0.0", 1 },
	{ "::ffff:0.0.0.0", 0 }, { "8000::", 1 }, { "2000::", 3 },
	{ "192.0.0.0", 4 }, { "64:ff9b::", 96 }, { "2002::", 16 },
	{ "203.0.0.0", 7 }, { "8.0.0.0", 8 }, { "203.0.0.0", 8 },
	{ "198.0.0.0", 8 }, { "2a00::", 12 }, { "2a00:1000::", 31 },
};
static const char *const patterns[] = { "example.org", "*.example.org",
    "mail.example.org", "*.mail.example.org", "example.net", "xn--bcher-kva.de",
    "*.sub.example.com", "Example.COM", "org.example", "*", "*.org", "*.com",
    "org", "*.victim.example" };
static const char *const hops[] = { "smtp:[192.0.2.5]:25", "smtp:[::1]:2525",
    "smtp:mx.example.org", "smtp:[inner.example.org]", "discard:" };
static const char *const whos[] = { "any", "verify", "file:/list" };
static const char *const others[] = {
	"hostname = \"mx.example.org\"", "allow-loopback = true",
	"limits { recipients = 100 }", "limits { recipients = 3 }",
	"limits { bare-newline = \"reject\" }",
	"relay { via = \"[192.0.2.9]:25\" }", "relay { via = \"smart.example\" }",
	"relay { domain \"victim.example\" { via = \"[192.0.2.8]\" } }",
	"relay { domain \"*\" { connections = 3 } }",
	"accept { client \"203.0.113.0/24\" { limits = \"off\" } }",
	"accept { client \"0.0.0.0/0\" { limits = \"on\" } }",
	"accept { client \"198.51.100.7\" { require = \"clear\" } }",
	"limits { client { errors = 0; connections = 0 } }",
};

static void
draw_listen(struct drawn *c, unsigned i)
{
	static const char *const tls[] = { "starttls", "none", "required" };
	unsigned n = roll(5);

	c->listens[i].address = ANY_OF(listen_at);
	buf_printf(&c->text, "listen \"l%u\" { address = \"%s:%u\"\n", i,
	    c->listens[i].address, 25 + i * 500);
	if (roll(4) == 0)
		buf_printf(&c->text, "tls = \"%s\"\n", ANY_OF(tls));
	c->listens[i].has_relay_from = n > 0;
	if (n > 0)
		buf_str(&c->text, "relay-from = [ ");
	for (unsigned k = 0; n > 0 && k + 1 < n; k++) {
		/* Mostly reasonable ones, else all have warnings. */
		struct net x = nets[roll(roll(8) == 0 ?
		    (uint32_t)NELEM(nets) : 12)];

		c->listens[i].nets[c->listens[i].nnets++] = x;
		buf_printf(&c->text, "\"%s/%u\", ", x.ip, x.bits);
	}
	buf_str(&c->text, n > 0 ? "]\n}\n" : "}\n");
}

static void
draw_domain(struct drawn *c)
{
	const char *pattern = patterns[roll(roll(6) == 0 ?
	    (uint32_t)NELEM(patterns) : 8)], *who = ANY_OF(whos);

	for (unsigned i = 0; i < c->ndomains; i++)
		if (strcasecmp(c->domains[i].pattern, pattern) == 0)
			return;
	c->domains[c->ndomains].listed = who[0] == 'f';
	c->domains[c->ndomains++].pattern = pattern;
	buf_printf(&c->text, "accept { domain \"%s\" { to = \"%s\"\n"
	    "recipients = \"%s\" } }\n", pattern, ANY_OF(hops), who);
}

static void
draw(struct drawn *c)
{
	*c = (struct drawn){ .nlistens = roll(LISTENS + 1) };
	buf_init(&c->text, 65536);
	/* Without one nearly all have a warning. */
	if (roll(4) > 0)
		buf_str(&c->text, "postmaster = \"ops@elsewhere.example\"\n");
	for (unsigned i = 0; i < c->nlistens; i++)
		draw_listen(c, i);
	for (unsigned n = roll(DOMAINS + 1); n > 0; n--)
		draw_domain(c);
	for (unsigned n = roll(3); n > 0; n--)
		buf_printf(&c->text, "%s\n", ANY_OF(others));
	if (c->nlistens == 0) {		/* what an empty file listens on */
		c->listens[0].address = "127.0.0.1";
		c->listens[1].address = "[::1]";
		c->nlistens = 2;
	}
}

/* ---- what is foreign, by what was written ---- */

static bool
covers(struct net n, const char *client)
{
	struct addr a = { 0 }, b = { 0 };

	ck_assert(addr_parse_ip(span_str(n.ip), &a));
	ck_assert(addr_parse_ip(span_str(client), &b));
	if (a.family != b.family)
		return false;
	for (unsigned i = 0; i < n.bits; i++)
		if ((a.ip[i / 8] ^ b.ip[i / 8]) & 0x80u >> i % 8)
			return false;
	return true;
}

static bool
is_loop(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "[::1]") == 0 ||
	    strcmp(address, "::1") == 0;
}

static bool
named_client(const struct drawn *c, unsigned listen, const char *client)
{
	if (!c->listens[listen].has_relay_from)
		return is_loop(c->listens[listen].address) && is_loop(client);
	for (unsigned i = 0; i < c->listens[listen].nnets; i++)
		if (covers(c->listens[listen].nets[i], client))
			return true;
	return false;
}

/* A whole label boundary, and no case. */
static bool
named_domain(const struct drawn *c, const char *domain, bool *listed)
{
	const char *best = NULL;
	size_t n = strlen(domain);

	for (unsigned i = 0; i < c->ndomains; i++) {
		const char *p = c->domains[i].pattern;
		size_t m = strlen(p);
		bool fits = p[0] != '*' ? strcasecmp(p, domain) == 0 :
		    m == 1 || (n > m - 1 &&
		    strcasecmp(domain + n - (m - 1), p + 1) == 0);

		/* The longest wins, and an exact one over all. */
		if (!fits || (best != NULL && best[0] != '*'))
			continue;
		if (best == NULL || p[0] != '*' || strlen(best) < m) {
			best = p;
			*listed = c->domains[i].listed;
		}
	}
	return best != NULL;
}

/* ---- clients and recipients ---- */

/* Nobody's own: what a relay must never serve. */
static const char *const strangers[] = { "198.51.100.7", "8.8.4.4", "1.2.3.4",
    "203.0.113.200", "255.255.255.254", "2a00:1450::5", "2001:4860::8888",
    "2002:c633:6407::1", "64:ff9b::c633:6407", "::ffff:198.51.100.7",
    "100.128.0.1", "172.32.0.1" };
static const char *const friends[] = { "127.0.0.1", "::1", "10.1.2.3",
    "192.0.2.77", "2001:db8:1::2" };

/* path: as it is said; domain: where it goes; routes: its local part says where
 * else to; listed: its local part is in the list. */
static const struct trick {
	const char	*rfc;
	const char	*path, *domain;
	bool		 routes, listed;
} tricks[] = {
	{ "5321 3.6.2", "<joe@victim.example>", "victim.example", false, true },
	{ "5321 3.6.2", "<joe@sub.victim.example>", "sub.victim.example", false, true },
	{ "5321 3.6.2", "<joe@VICTIM.Example>", "victim.example", false, true },
	{ "5321 3.6.2", "<joe@example.org.victim.example>", "example.org.victim.example", false, true },
	{ "5321 3.6.2", "<joe@victimexample.org>", "victimexample.org", false, true },
	{ "5321 3.6.2", "<joe@notexample.org>", "notexample.org", false, true },
	{ "5321 3.6.2", "<joe@org>", "org", false, true },
	{ "5321 3.6.2", "<joe@com>", "com", false, true },
	{ "5321 3.6.2", "<joe@example.org>", "example.org", false, true },
	{ "5321 3.6.2", "<joe@mail.example.org>", "mail.example.org", false, true },
	{ "5321 3.6.2", "<joe@a.b.mail.example.org>", "a.b.mail.example.org", false, true },
	{ "5321 3.6.2", "<nobody@example.org>", "example.org", false, false },
	/* percent hack, also nested and quoted */
	{ "1123 5.2.16", "<joe%victim.example@example.org>", "example.org", true, false },
	{ "1123 5.2.16", "<joe%victim.example%x@example.org>", "example.org", true, false },
	{ "1123 5.2.16", "<\"joe%victim.example\"@example.org>", "example.org", true, false },
	{ "1123 5.2.16", "<joe%victim.example@mail.example.org>", "mail.example.org", true, false },
	/* bang paths */
	{ "1123 5.2.16", "<victim.example!joe@example.org>", "example.org", true, false },
	{ "1123 5.2.16", "<example.org!victim.example!joe@example.net>", "example.net", true, false },
	{ "1123 5.2.16", "<\"victim.example!joe\"@example.org>", "example.org", true, false },
	/* quoted local parts with a domain of their own */
	{ "5321 4.1.2", "<\"joe@victim.example\"@example.org>", "example.org", true, false },
	{ "5321 4.1.2", "<\"joe\\@victim.example\"@example.org>", "example.org", true, false },
	{ "5321 4.1.2", "<\"joe\"@victim.example>", "victim.example", false, true },
	{ "5321 4.1.2", "<\"joe@example.org\"@victim.example>", "victim.example", true, false },
	/* source routes: only the end counts */
	{ "5321 C", "<@example.org:joe@victim.example>", "victim.example", false, true },
	{ "5321 C", "<@example.org,@mail.example.org:joe@victim.example>",
	  "victim.example", false, true },
	{ "5321 C", "<@victim.example:joe@example.org>", "example.org", false, true },
	{ "5321 C", "<@[127.0.0.1]:joe@victim.example>", "victim.example", false, true },
	/* literals, loopback ones and those that wrap one */
	{ "5321 4.1.3", "<joe@[198.51.100.7]>", "[198.51.100.7]", false, true },
	{ "5321 4.1.3", "<joe@[127.0.0.1]>", "[127.0.0.1]", false, true },
	{ "5321 4.1.3", "<joe@[IPv6:::1]>", "[IPv6:::1]", false, true },
	{ "5321 4.1.3", "<joe@[IPv6:::ffff:198.51.100.7]>", "[198.51.100.7]", false, true },
	/* parameters that somebody may take for addresses */
	{ "5321 4.1.1.11", "<joe@victim.example> ORCPT=rfc822;joe@example.org", "victim.example", false, true },
	{ "5321 4.1.1.11", "<joe@victim.example> NOTIFY=NEVER", "victim.example", false, true },
	/* who exists everywhere, and is foreign all the same */
	{ "5321 4.5.1", "<postmaster@victim.example>", "victim.example", false, true },
	{ "5321 4.5.1", "<Postmaster%victim.example@example.org>", "example.org", true, false },
};
/* Never accepted from anybody. */
static const char *const nonsense[] = { "<joe@victim.example@example.org>",
    "<joe@example.org@victim.example>", "joe@victim.example",
    "<joe@victim.example>@example.org", "<joe@example.org,joe@victim.example>",
    "<joe@victim.example\\>@example.org>", "<joe@victim.example >", "<>",
    "<joe@example.org><joe@victim.example>", "<joe@.victim.example>",
    "<joe@198.51.100.7>", "<joe@victim.example.>", "<joe\n@victim.example>",
    "<example.org:joe@victim.example>", "<joe@[198.51.100.7>",
    "<joe@example.org%victim.example>", "<joe>" };

/* ---- a session ---- */

struct talk {
	struct session	 s;
	struct buf	 said;
	uint64_t	 asked;
};

static int
op_send(void *arg, struct span s)
{
	return buf_span(&((struct talk *)arg)->said, s);
}

static uint64_t
op_wall_ms(void *arg)
{
	(void)arg;
	return 1767323045000u;
}

static enum session_room
op_room(void *arg)
{
	(void)arg;
	return ROOM_NOW;
}

static int
op_spool_open(void *arg)
{
	(void)arg;
	return -1;
}

static int
op_spool_write(void *arg, struct span s, struct fault *f)
{
	(void)arg, (void)s, (void)f;
	return -1;
}

static int
op_commit(void *arg, const struct session_message *m)
{
	(void)arg, (void)m;
	return -1;
}

/* The next hop takes whatever it is asked for. */
static uint64_t
op_verify(void *arg, struct span address, enum tls_wish wish)
{
	(void)address, (void)wish;
	return ((struct talk *)arg)->asked = 1;
}

static bool
op_count(void *arg, enum session_count what)
{
	(void)arg, (void)what;
	return true;
}

static void
op_nothing(void *arg)
{
	(void)arg;
}

static void
op_message(void *arg, const struct session_message *m)
{
	(void)arg, (void)m;
}

static void
op_span(void *arg, struct span s)
{
	(void)arg, (void)s;
}

static void
op_text(void *arg, const char *text)
{
	(void)arg, (void)text;
}

static bool
op_yes(void *arg)
{
	(void)arg;
	return true;
}

static const struct session_ops ops = {
	.send = op_send, .wall_ms = op_wall_ms, .room = op_room,
	.spool_open = op_spool_open, .spool_write = op_spool_write,
	.abort = op_nothing, .commit = op_commit, .verify = op_verify,
	.accepted = op_message, .met = op_nothing, .rejected = op_span,
	.abuse = op_text, .count = op_count, .tls_ready = op_yes,
};

static void
say(struct talk *t, const char *fmt, const char *arg)
{
	char line[1024];
	int n = 0;

	buf_reset(&t->said);
	n = fmt[0] == 'R' ? snprintf(line, sizeof line, "RCPT TO:%s\r\n", arg) :
	    snprintf(line, sizeof line, "%s\r\n", fmt);
	(void)session_input(&t->s, span_of(line, (size_t)n));
	if (t->asked != 0)
		session_verified(&t->s, t->asked, 250, SPAN_LIT("2.1.5"));
	t->asked = 0;
}

static bool
says(struct talk *t, const char *start)
{
	return strncmp(buf_cstr(&t->said), start, strlen(start)) == 0;
}

/* One recipient from one client, in a session of its own. */
static bool
accepts(const struct conf *conf, const struct conf_listen *listen,
    const char *client, const char *path)
{
	static const struct tls_facts facts = { .version = "TLS1.3" };
	static struct talk t;
	struct addr a;
	bool yes;

	ck_assert(addr_parse_ip(span_str(client), &a));
	buf_init(&t.said, 65536);
	session_start(&t.s, &ops, &t, conf, listen, &a);
	say(&t, "EHLO client.test", "");
	if (listen->tls == LISTEN_REQUIRED) {
		say(&t, "STARTTLS", "");
		session_secured(&t.s, &facts);
		say(&t, "EHLO client.test", "");
	}
	say(&t, "MAIL FROM:<joe@example.org>", "");
	ck_assert_msg(says(&t, "250 2.1.0"), "%s", buf_cstr(&t.said));
	say(&t, "R", path);
	yes = strstr(buf_cstr(&t.said), "250 2.1.5") != NULL;
	session_end(&t.s);
	buf_free(&t.said);
	return yes;
}

/* ---- the property ---- */

static struct {
	unsigned	 parsed, clean, open;
	unsigned long	 asked, accepted;
} seen;

static void
check_one(const struct drawn *c, const struct conf *conf, unsigned l,
    const char *client, bool stranger, bool clean)
{
	bool yes, may;

	for (const struct trick *t = tricks; t < tricks + NELEM(tricks); t++) {
		bool named = named_client(c, l, client), listed = false;

		yes = accepts(conf, &conf->listens[l], client, t->path);
		may = named_domain(c, t->domain, &listed) &&
		    (!t->routes || listed);
		if (listed && !t->listed)
			may = named = false;	/* not there, for nobody */
		seen.asked++;
		seen.accepted += yes;
		ck_assert_msg(!yes || may || named, "RFC %s: %s accepts %s from "
		    "%s:\n%s", t->rfc, c->listens[l].address, t->path, client,
		    buf_cstr((struct buf *)(uintptr_t)&c->text));
		/* What the operator named is served: the test sees something. */
		ck_assert_msg(yes || !(may || named), "RFC %s: %s refuses %s "
		    "from %s:\n%s", t->rfc, c->listens[l].address, t->path, client,
		    buf_cstr((struct buf *)(uintptr_t)&c->text));
		if (!clean && stranger && yes && !may)
			seen.open++;
		/* Nobody of the strangers is named without a warning. */
		ck_assert_msg(!clean || !stranger || !yes || may,
		    "no warning, and %s accepts %s from %s:\n%s",
		    c->listens[l].address, t->path, client,
		    buf_cstr((struct buf *)(uintptr_t)&c->text));
	}
	for (unsigned i = 0; i < NELEM(nonsense); i++)
		ck_assert_msg(!accepts(conf, &conf->listens[l], client,
		    nonsense[i]), "%s is accepted from %s", nonsense[i], client);
}

/* To a loopback socket only loopback clients can come. */
static bool
reaches(const struct drawn *c, unsigned l, const char *client)
{
	return !is_loop(c->listens[l].address) || is_loop(client);
}

/* One of the sockets, a client of each kind. */
static void
check_conf(const struct drawn *c, const struct conf *conf, bool clean)
{
	unsigned l = roll(c->nlistens);
	const char *stranger = ANY_OF(strangers), *friend = ANY_OF(friends);

	if (reaches(c, l, stranger))
		check_one(c, conf, l, stranger, true, clean);
	if (reaches(c, l, friend))
		check_one(c, conf, l, friend, false, clean);
}

static struct conf *
parse(const struct drawn *c, struct buf *bundle, struct conf_notes *notes)
{
	static const char list[] = "joe\n";

	buf_printf(bundle, "sealane-conf 1\nmachine host.example.org 2\n"
	    "part 0 1 1 %zu t.conf\n", c->text.len);
	buf_span(bundle, buf_get(&c->text));
	buf_printf(bundle, "\ntable %zu /list\n%s\n", sizeof list - 1, list);
	return conf_parse(buf_get(bundle), notes);
}

static void
run_one(void)
{
	struct conf_notes notes = { 0 };
	struct buf bundle;
	struct drawn c;
	struct conf *conf;

	draw(&c);
	buf_init(&bundle, 1u << 20);
	conf = parse(&c, &bundle, &notes);
	if (conf != NULL) {
		seen.parsed++;
		conf_review(conf, &notes);
		seen.clean += notes.n == 0;
		check_conf(&c, conf, notes.n == 0);
	}
	conf_free(&conf);
	conf_notes_free(&notes);
	buf_free(&bundle);
	buf_free(&c.text);
}

static uint64_t
from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : strtoull(text, NULL, 0);
}

START_TEST(no_foreign_recipient)
{
	uint64_t n = from_environment("SEALANE_CONFIGS", CONFIGS);

	seed = from_environment("SEALANE_SEED", 0x5ea1a4e);
	for (uint64_t i = 0; i < n; i++)
		run_one();
	printf("%u of %llu configurations are right, %u without a warning; "
	    "%lu recipients, %lu accepted, %u by open relays\n", seen.parsed,
	    (unsigned long long)n, seen.clean, seen.asked, seen.accepted,
	    seen.open);
	if (n < CONFIGS)
		return;
	/* It would mean nothing if all had warnings, or nobody was served. */
	ck_assert_uint_gt(seen.parsed, n / 2);
	ck_assert_uint_gt(seen.clean, n / 10);
	ck_assert_uint_gt(seen.accepted, n);
	ck_assert_uint_gt(seen.open, 100);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("foreign recipients");
	TCase *tc = tcase_create("property");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, no_foreign_recipient);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
