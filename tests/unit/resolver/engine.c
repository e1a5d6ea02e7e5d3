/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* libunbound behind resolver/engine against a real authoritative server. */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "resolver/engine.h"
#include "tests/unit/resolver/knot.h"
#include "tests/unit/suite.h"

static struct knot knot;

/* One engine with a loop of its own, and answers counted. */
struct fix {
	struct loop		*loop;
	struct engine		*engine;
	struct dns_lookup	 lookup;
	char			 forward[64];
	unsigned		 wanted;	/* stop the loop after that many */
	unsigned		 got, by_status[DNS_STATUS_COUNT];
	struct dns_answer	 last;		/* n records, moved out */
};

static void
open_engine(struct fix *x, uint16_t port, const char *anchor, uint64_t deadline)
{
	const char *forward = x->forward;
	struct engine_settings s = {
		.trust_anchor_file = anchor,
		.root_hints = "",
		.forward = &forward,
		.nforward = 1,
		.deadline_ms = deadline,
	};
	struct fault f = { 0 };

	*x = (struct fix){ 0 };
	snprintf(x->forward, sizeof(x->forward), "127.0.0.1@%u", port);
	x->loop = loop_new();
	ck_assert_ptr_nonnull(x->loop);
	x->engine = engine_new(x->loop, &s, &f);
	ck_assert_msg(x->engine != NULL, "%s", f.text);
	x->lookup = engine_lookup(x->engine);
	dns_answer_init(&x->last);
}

static void
close_engine(struct fix *x)
{
	dns_answer_free(&x->last);
	engine_free(&x->engine);
	loop_free(&x->loop);	/* asserts that no handle is left */
}

static void
answered(void *arg, const struct dns_answer *a)
{
	struct fix *x = arg;

	x->got++;
	x->by_status[a->status]++;
	dns_answer_free(&x->last);
	x->last = *a;
	x->last.rrs = NULL;
	x->last.n = 0;
	for (size_t i = 0; i < a->n; i++) {
		struct dns_rr *rr = dns_answer_add(&x->last);

		ck_assert_ptr_nonnull(rr);
		*rr = a->rrs[i];
	}
	if (x->got == x->wanted)
		loop_stop(x->loop);
}

static struct dns_query *
ask(struct fix *x, const char *name, uint16_t type)
{
	return x->lookup.ops->ask(x->lookup.ctx, name, type, answered, x);
}

static void
run(struct fix *x, unsigned wanted)
{
	x->wanted = x->got + wanted;
	loop_run(x->loop);
	ck_assert_uint_eq(x->got, x->wanted);
}

static const struct dns_answer *
lookup(struct fix *x, const char *name, uint16_t type)
{
	ck_assert_ptr_nonnull(ask(x, name, type));
	run(x, 1);
	return &x->last;
}

/* ---- what each kind of name gives; RFC 4035 sec 4.3 ---- */

enum anchor { RIGHT, WRONG, ABSENT };

static const struct row {
	const char	*name;
	uint16_t	 type;
	enum anchor	 anchor;
	enum dns_status	 status;
	unsigned	 rcode;
	size_t		 n;
	const char	*canonical;
} rows[] = {
	{ "signed.example.org", DNS_TYPE_MX, RIGHT, DNS_SECURE, 0, 2, "signed.example.org" },
	{ "mx1.signed.example.org", DNS_TYPE_A, RIGHT, DNS_SECURE, 0, 1, "mx1.signed.example.org" },
	{ "mx1.signed.example.org", DNS_TYPE_AAAA, RIGHT, DNS_SECURE, 0, 1, "mx1.signed.example.org" },
	{ "mx2.signed.example.org", DNS_TYPE_AAAA, RIGHT, DNS_SECURE, 0, 0, "mx2.signed.example.org" },
	{ "none.signed.example.org", DNS_TYPE_MX, RIGHT, DNS_SECURE, 3, 0, "none.signed.example.org" },
	{ "null.signed.example.org", DNS_TYPE_MX, RIGHT, DNS_SECURE, 0, 1, "null.signed.example.org" },
	{ "x.wild.signed.example.org", DNS_TYPE_A, RIGHT, DNS_SECURE, 0, 1, "x.wild.signed.example.org" },
	{ "alias.signed.example.org", DNS_TYPE_A, RIGHT, DNS_SECURE, 0, 1, "mx1.signed.example.org" },
	{ "alias.signed.example.org", DNS_TYPE_CNAME, RIGHT, DNS_SECURE, 0, 1, "alias.signed.example.org" },
	{ "big.signed.example.org", DNS_TYPE_A, RIGHT, DNS_SECURE, 0, 120, "big.signed.example.org" },
	{ "big.plain.example.org", DNS_TYPE_A, RIGHT, DNS_INSECURE, 0, 120, "big.plain.example.org" },
	/* a signed alias of an unsigned name is insecure as a whole,
	 * RFC 7672 sec 2.1.3, but secure when asked for itself */
	{ "out.signed.example.org", DNS_TYPE_A, RIGHT, DNS_INSECURE, 0, 1, "mx1.plain.example.org" },
	{ "out.signed.example.org", DNS_TYPE_CNAME, RIGHT, DNS_SECURE, 0, 1, "out.signed.example.org" },
	{ "plain.example.org", DNS_TYPE_MX, RIGHT, DNS_INSECURE, 0, 2, "plain.example.org" },
	{ "none.plain.example.org", DNS_TYPE_A, RIGHT, DNS_INSECURE, 3, 0, "none.plain.example.org" },
	{ "signed.example.org", DNS_TYPE_MX, WRONG, DNS_BOGUS, 2, 0, "" },
	{ "none.signed.example.org", DNS_TYPE_A, WRONG, DNS_BOGUS, 2, 0, "" },
	{ "plain.example.org", DNS_TYPE_MX, WRONG, DNS_INSECURE, 0, 2, "plain.example.org" },
	/* without an anchor nothing is ever bogus, nor secure */
	{ "signed.example.org", DNS_TYPE_MX, ABSENT, DNS_INSECURE, 0, 2, "signed.example.org" },
	/* not served: REFUSED, which proves nothing */
	{ "example.net", DNS_TYPE_MX, RIGHT, DNS_ERROR, 2, 0, "" },
	/* built in: answered without a packet, still not before ask returns */
	{ "localhost", DNS_TYPE_A, RIGHT, DNS_INSECURE, 0, 1, "localhost" },
	{ "localhost", DNS_TYPE_MX, RIGHT, DNS_INSECURE, 0, 0, "localhost" },
	{ "mx.foo.invalid", DNS_TYPE_A, RIGHT, DNS_INSECURE, 3, 0, "mx.foo.invalid" },
};

START_TEST(kinds)
{
	const struct row *r = &rows[_i];
	const struct dns_answer *a;
	struct fix x;

	open_engine(&x, knot.port, r->anchor == RIGHT ? knot.anchor :
	    r->anchor == WRONG ? knot.wrong : "/nonexistent/root.key", 10000);
	a = lookup(&x, r->name, r->type);
	ck_assert_msg(a->status == r->status, "%s/%u: got %s (%s), want %s",
	    r->name, r->type, dns_status_name(a->status), a->why,
	    dns_status_name(r->status));
	ck_assert_uint_eq(a->rcode, r->rcode);
	ck_assert_uint_eq(a->n, r->n);
	ck_assert_str_eq(a->canonical, r->canonical);
	if (r->status <= DNS_BOGUS)
		ck_assert(a->why[0] != '\0');
	else if (r->name[0] != 'l' && r->name[3] != 'f')
		ck_assert_uint_le(a->ttl, 300);
	close_engine(&x);
}
END_TEST

START_TEST(cached)
{
	struct fix x;

	open_engine(&x, knot.port, knot.anchor, 10000);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(lookup(&x, "signed.example.org", DNS_TYPE_MX)
		    ->status, DNS_SECURE);
		ck_assert_uint_eq(x.last.n, 2);
	}
	close_engine(&x);
}
END_TEST

/* ---- servers that do not answer ---- */

START_TEST(silent)
{
	uint16_t port;
	int fd = udp_socket(&port);
	uint64_t start = clock_steady_ms(), took;
	struct fix x;

	open_engine(&x, port, knot.anchor, 700);
	for (unsigned i = 0; i < 500; i++) {
		char name[64];

		snprintf(name, sizeof(name), "n%u.plain.example.org", i);
		ck_assert_ptr_nonnull(ask(&x, name, DNS_TYPE_A));
	}
	run(&x, 500);
	took = clock_steady_ms() - start;
	ck_assert_uint_eq(x.by_status[DNS_ERROR], 500);
	ck_assert_str_eq(x.last.why, "no answer within 700 ms");
	ck_assert_msg(took >= 650 && took < 5000, "%llu ms",
	    (unsigned long long)took);
	ck_assert_uint_eq(engine_pending(x.engine), 0);
	close_engine(&x);
	close(fd);
}
END_TEST

/* Cancelled questions never call back, and a stop in the middle is clean. */
START_TEST(cancelled)
{
	struct dns_query *q[20];
	uint16_t port;
	int fd = udp_socket(&port);
	struct fix x;

	open_engine(&x, port, knot.anchor, 400);
	for (unsigned i = 0; i < NELEM(q); i++) {
		char name[64];

		snprintf(name, sizeof(name), "n%u.plain.example.org", i);
		q[i] = ask(&x, name, DNS_TYPE_A);
		ck_assert_ptr_nonnull(q[i]);
	}
	for (unsigned i = 1; i < NELEM(q); i++)
		x.lookup.ops->cancel(x.lookup.ctx, q[i]);
	run(&x, 1);
	q[0] = ask(&x, "localhost", DNS_TYPE_A);	/* ready, not told */
	x.lookup.ops->cancel(x.lookup.ctx, q[0]);
	ck_assert_uint_eq(engine_pending(x.engine), 0);
	ck_assert_ptr_nonnull(ask(&x, "localhost", DNS_TYPE_A));
	ck_assert_ptr_nonnull(ask(&x, "late.plain.example.org", DNS_TYPE_A));
	close_engine(&x);		/* both still under way */
	close(fd);
}
END_TEST

/* ---- one dead name server among good ones ---- */

/* Passes questions on to the real server, but for names with "dead" in them,
 * which it drops: what a zone whose servers are down looks like. */
struct proxy {
	struct loop_io	*io;
	unsigned	 dropped;
};

static void
proxy_pass(void *arg, int events)
{
	struct proxy *p = arg;
	struct sockaddr_in from, to = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons(knot.port) };
	socklen_t len = sizeof(from);
	struct timeval limit = { .tv_sec = 2 };
	char b[4096];
	ssize_t n;
	int fd = loop_io_fd(p->io), s;

	(void)events;
	n = recvfrom(fd, b, sizeof(b), 0, (struct sockaddr *)&from, &len);
	if (n <= 0)
		return;
	if (memmem(b, (size_t)n, "\4dead", 5) != NULL) {
		p->dropped++;
		return;
	}
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ne(s, -1);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	ck_assert_int_eq(connect(s, (struct sockaddr *)&to, sizeof(to)), 0);
	if (send(s, b, (size_t)n, 0) == n && (n = recv(s, b, sizeof(b), 0)) > 0)
		(void)sendto(fd, b, (size_t)n, 0, (struct sockaddr *)&from, len);
	close(s);
}

START_TEST(no_stall)
{
	uint16_t port;
	int fd = udp_socket(&port);
	struct proxy p = { 0 };
	uint64_t start;
	struct fix x;

	open_engine(&x, port, knot.anchor, 10000);
	p.io = loop_io_new(x.loop, fd, proxy_pass, &p);
	ck_assert_ptr_nonnull(p.io);
	ck_assert_int_eq(loop_io_watch(p.io, LOOP_READ), 0);
	/* More than the 16 that the library has by default, and few enough
	 * for the socket buffer of the proxy. */
	for (unsigned i = 0; i < 100; i++) {
		char name[64];

		snprintf(name, sizeof(name), "n%u.dead.plain.example.org", i);
		ck_assert_ptr_nonnull(ask(&x, name, DNS_TYPE_A));
	}
	start = clock_steady_ms();
	ck_assert_int_eq(lookup(&x, "mx1.signed.example.org", DNS_TYPE_A)->status,
	    DNS_SECURE);
	ck_assert_int_eq(lookup(&x, "mx2.plain.example.org", DNS_TYPE_A)->status,
	    DNS_INSECURE);
	ck_assert_uint_lt(clock_steady_ms() - start, 2000);
	ck_assert_uint_ge(p.dropped, 100);
	loop_io_close(&p.io);
	close_engine(&x);
}
END_TEST

/* ---- the server dies and comes back ---- */

START_TEST(back_again)
{
	struct knot mine;
	uint64_t start;
	struct fix x;

	ck_assert_int_eq(knot_start(&mine), 0);
	open_engine(&x, mine.port, mine.anchor, 3000);
	ck_assert_int_eq(lookup(&x, "signed.example.org", DNS_TYPE_MX)->status,
	    DNS_SECURE);
	knot_kill(&mine);
	ck_assert_int_eq(lookup(&x, "mx1.signed.example.org", DNS_TYPE_A)->status,
	    DNS_ERROR);
	/* what is in the cache still answers */
	ck_assert_int_eq(lookup(&x, "signed.example.org", DNS_TYPE_MX)->status,
	    DNS_SECURE);
	knot_again(&mine);
	start = clock_steady_ms();
	while (lookup(&x, "mx2.signed.example.org", DNS_TYPE_A)->status !=
	    DNS_SECURE)
		ck_assert_uint_lt(clock_steady_ms() - start, 20000);
	close_engine(&x);
	knot_remove(&mine);
}
END_TEST

/* ---- settings that libunbound does not take ---- */

static void
refused(const char *anchor, const char *hints, const char *forward)
{
	struct engine_settings s = {
		.trust_anchor_file = anchor,
		.root_hints = hints,
		.forward = &forward,
		.nforward = 1,
		.deadline_ms = 1000,
	};
	struct fault f = { 0 };
	struct loop *loop = loop_new();
	struct engine *e;

	ck_assert_ptr_nonnull(loop);
	e = engine_new(loop, &s, &f);
	ck_assert_msg(e == NULL, "%s %s %s", anchor, hints, forward);
	ck_assert(f.text[0] != '\0');
	loop_free(&loop);
}

START_TEST(bad_settings)
{
	char garbage[96];
	FILE *file;

	snprintf(garbage, sizeof(garbage), "%s/garbage", knot.dir);
	file = fopen(garbage, "w");
	ck_assert_ptr_nonnull(file);
	fputs("this is ( no anchor\n", file);
	fclose(file);
	refused(knot.anchor, "", "not an address");
	refused(garbage, "", "127.0.0.1");
	refused(knot.anchor, "/nonexistent/hints", "127.0.0.1");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("resolver/engine");
	TCase *tc = tcase_create("engine");
	int failed;

	if (knot_start(&knot) == -1) {
		puts("skipped: knotd and keymgr (package knot) are not installed");
		return 77;
	}
	log_open("test", LOG_LOGFMT);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, kinds, 0, NELEM(rows));
	tcase_add_test(tc, cached);
	tcase_add_test(tc, silent);
	tcase_add_test(tc, cancelled);
	tcase_add_test(tc, no_stall);
	tcase_add_test(tc, back_again);
	tcase_add_test(tc, bad_settings);
	suite_add_tcase(s, tc);
	failed = suite_run(s);
	knot_remove(&knot);
	return failed;
}
