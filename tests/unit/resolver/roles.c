/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The roles policy and resolver (twice) on one loop, joined by real links,
 * with the test in queue's place and a real name server behind. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "dns/answer.h"
#include "policy/policy.h"
#include "resolver/resolver.h"
#include "tests/unit/resolver/knot.h"
#include "tests/unit/suite.h"

static struct knot knot;

static struct {
	struct loop		*loop;
	struct conf		 conf;
	const char		*forward;
	char			 forward_text[64], dir[64];
	struct role_env		 policy, resolver[3];	/* from 1 */
	struct link		*queue;		/* the test's end */
	struct link		*asker;		/* to resolver 1, as a policy */
	unsigned		 wanted, routes, answers;
	struct ipc_route	 route;		/* numbers of the last one */
	char			 hosts[512];
	enum dns_status		 status;
} x;

/* ---- base/role.c's part: links to handlers ---- */

static void
env_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	struct role_env *env = ctx;

	for (size_t i = 0; i < env->ops->nhandlers; i++)
		if (env->ops->handlers[i].type == m->type)
			env->ops->handlers[i].run(env, l, m);
}

static void
env_room(void *ctx, struct link *l)
{
	struct role_env *env = ctx;

	if (env->ops->room != NULL)
		env->ops->room(env, l);
}

static void
env_closed(void *ctx, struct link *l, const char *why)
{
	struct role_env *env = ctx;
	enum role role = link_role(l);
	unsigned index = link_index(l);

	(void)why;
	env->peer[role][index] = NULL;
	env->ops->peer_down(env, role, index);
}

static const struct link_ops env_ops = { env_message, env_room, env_closed };

static void
env_link(struct role_env *env, int fd, enum role peer, unsigned index)
{
	struct link *l = link_new(x.loop, fd, env->role, peer, index,
	    &env_ops, env);

	ck_assert_ptr_nonnull(l);
	env->peer[peer][index] = l;
	if (env->ops->peer_up != NULL)
		env->ops->peer_up(env, l);
}

static void
pair(int fd[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, fd), 0);
}

static void
env_start(struct role_env *env, enum role role, unsigned index,
    const struct role_ops *ops)
{
	struct fault f = { 0 };

	*env = (struct role_env){ .role = role, .index = index,
	    .loop = x.loop, .conf = &x.conf, .ops = ops };
	ck_assert_msg(ops->start(env, &f) == 0, "%s", f.text);
}

static void
env_stop(struct role_env *env)
{
	env->ops->stop(env);
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		for (unsigned i = 1; i <= 2; i++)
			link_close(&env->peer[r][i]);
}

/* ---- the test's own ends ---- */

static void
print_hosts(struct span hosts)
{
	struct ipc_host h;
	struct ipc_host_addr a;
	size_t n = 0;

	x.hosts[0] = '\0';
	while (ipc_get_host(&hosts, &h) == 1) {
		n += (size_t)snprintf(x.hosts + n, sizeof(x.hosts) - n,
		    "%s%u %.*s:%u", n == 0 ? "" : ", ", h.preference,
		    SPAN_FMT(h.name), h.port);
		while (ipc_get_host_addr(&h.addrs, &a) == 1)
			n += (size_t)snprintf(x.hosts + n,
			    sizeof(x.hosts) - n, " v%u", a.family);
	}
}

static void
test_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	(void)ctx, (void)l;
	if (m->type == IPC_ROUTE) {
		x.routes++;
		x.route = m->u.route;
		print_hosts(m->u.route.hosts);
	} else {
		ck_assert_int_eq(m->type, IPC_DNS_ANSWER);
		x.answers++;
		x.status = (enum dns_status)m->u.dns_answer.status;
	}
	if (x.routes + x.answers >= x.wanted)
		loop_stop(x.loop);
}

static void
test_closed(void *ctx, struct link *l, const char *why)
{
	(void)ctx;
	ck_abort_msg("link to %s closed: %s", role_name(link_role(l)), why);
}

static const struct link_ops test_ops = { test_message, NULL, test_closed };

/* Each resolver with a forwarder of its own. */
static void
setup_two(uint16_t port1, uint16_t port2)
{
	int fd[2];

	memset(&x, 0, sizeof(x));
	x.loop = loop_new();
	ck_assert_ptr_nonnull(x.loop);
	x.forward = x.forward_text;
	x.conf = (struct conf){ .hostname = "us.example.net",
	    .relay = { .port = 25, .connections = 20 },
	    .dns = { .trust_anchor_file = knot.anchor, .root_hints = "",
		.forward = &x.forward, .nforward = 1 },
	    .state_directory = x.dir,
	    /* the zones hold documentation addresses */
	    .allow_loopback = true };
	snprintf(x.dir, sizeof(x.dir), "/tmp/sealane-roles-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(x.dir));
	env_start(&x.policy, ROLE_POLICY, 1, &policy_ops);
	for (unsigned i = 1; i <= 2; i++) {
		snprintf(x.forward_text, sizeof(x.forward_text),
		    "127.0.0.1@%u", i == 1 ? port1 : port2);
		env_start(&x.resolver[i], ROLE_RESOLVER, i, &resolver_ops);
		pair(fd);
		env_link(&x.resolver[i], fd[0], ROLE_POLICY, 1);
		env_link(&x.policy, fd[1], ROLE_RESOLVER, i);
	}
	pair(fd);
	env_link(&x.policy, fd[0], ROLE_QUEUE, 1);
	x.queue = link_new(x.loop, fd[1], ROLE_QUEUE, ROLE_POLICY, 1,
	    &test_ops, NULL);
	ck_assert_ptr_nonnull(x.queue);
	pair(fd);
	env_link(&x.resolver[1], fd[0], ROLE_POLICY, 2);
	x.asker = link_new(x.loop, fd[1], ROLE_POLICY, ROLE_RESOLVER, 1,
	    &test_ops, NULL);
	ck_assert_ptr_nonnull(x.asker);
}

static void
setup(uint16_t port)
{
	setup_two(port, port);
}

static void
remove_state(void)
{
	static const char *const names[] = { "", "-wal", "-shm" };
	char path[128];

	for (size_t i = 0; i < NELEM(names); i++) {
		snprintf(path, sizeof(path), "%s/policy.db%s", x.dir, names[i]);
		ck_assert_int_eq(unlink(path), 0);
	}
	ck_assert_int_eq(rmdir(x.dir), 0);
}

static void
teardown(void)
{
	link_close(&x.queue);
	link_close(&x.asker);
	env_stop(&x.policy);
	env_stop(&x.resolver[1]);
	env_stop(&x.resolver[2]);
	loop_free(&x.loop);	/* asserts that every handle was closed */
	remove_state();
}

static void
ask_route(uint64_t txn, const char *domain)
{
	ck_assert_int_eq(ipc_send_route_ask(x.queue, &(struct ipc_route_ask){
	    .txn = txn, .domain = span_str(domain) }, -1), 0);
}

static void
ask_dns(uint64_t txn, uint16_t type, const char *name)
{
	ck_assert_int_eq(ipc_send_dns_ask(x.asker, &(struct ipc_dns_ask){
	    .txn = txn, .type = type, .name = span_str(name) }, -1), 0);
}

static void
run(unsigned wanted)
{
	x.wanted = x.routes + x.answers + wanted;
	loop_run(x.loop);
}

/* ---- tests ---- */

static const struct row {
	const char	*domain;
	unsigned	 code;
	enum dns_status	 mx_secure;
	const char	*hosts;
} rows[] = {
	{ "signed.example.org", 250, DNS_SECURE,
	    "10 mx1.signed.example.org:25 v6 v4, 20 mx2.signed.example.org:25 v4" },
	{ "plain.example.org", 250, DNS_INSECURE,
	    "10 mx1.plain.example.org:25 v6 v4, 20 mx2.plain.example.org:25 v4" },
	{ "mx1.signed.example.org", 250, DNS_SECURE,
	    "0 mx1.signed.example.org:25 v6 v4" },
	{ "null.signed.example.org", 556, DNS_SECURE, "" },
	{ "none.signed.example.org", 550, DNS_SECURE, "" },
	{ "example.net", 451, DNS_ERROR, "" },
	{ "[IPv6:2001:db8::25]", 250, DNS_INSECURE, "0 2001:db8::25:25 v6" },
};

START_TEST(routes)
{
	setup(knot.port);
	for (size_t i = 0; i < NELEM(rows); i++) {
		ask_route(100 + i, rows[i].domain);
		run(1);
		ck_assert_uint_eq(x.route.txn, 100 + i);
		ck_assert_msg(x.route.code == rows[i].code, "%s: %u",
		    rows[i].domain, x.route.code);
		ck_assert_int_eq(x.route.mx_secure, rows[i].mx_secure);
		ck_assert_str_eq(x.hosts, rows[i].hosts);
	}
	teardown();
}
END_TEST

/* More at once than links have credit: all are answered. */
START_TEST(many)
{
	char domain[64];

	setup(knot.port);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(domain, sizeof(domain), "n%u.wild.%s.example.org",
		    i, i % 2 == 0 ? "signed" : "plain");
		ask_route(i, domain);
	}
	run(1000);
	ck_assert_uint_eq(x.routes, 1000);
	ck_assert_uint_eq(x.route.code, 250);
	teardown();
}
END_TEST

/* A resolver dies with questions under way, for its servers are silent: the
 * other one gets them. */
START_TEST(resolver_dies)
{
	uint16_t port;
	int fd = udp_socket(&port);

	setup_two(port, knot.port);
	for (unsigned i = 0; i < 40; i++) {
		char domain[64];

		snprintf(domain, sizeof(domain), "n%u.wild.signed.example.org", i);
		ask_route(i, domain);
	}
	run(1);
	ck_assert_uint_lt(x.routes, 40);
	link_close(&x.asker);
	env_stop(&x.resolver[1]);
	run(40 - x.routes);
	ck_assert_uint_eq(x.routes, 40);
	ck_assert_uint_eq(x.route.code, 250);
	ck_assert_ptr_null(x.policy.peer[ROLE_RESOLVER][1]);
	link_close(&x.queue);
	env_stop(&x.policy);
	env_stop(&x.resolver[2]);
	loop_free(&x.loop);
	remove_state();
	close(fd);
}
END_TEST

/* What is no question is answered as an error, and the link goes on. */
START_TEST(no_question)
{
	setup(knot.port);
	ask_dns(1, DNS_TYPE_A, "");
	ask_dns(2, DNS_TYPE_A, "two words");
	ask_dns(3, 255, "example.org");
	ask_dns(4, 0, "example.org");
	run(4);
	ck_assert_uint_eq(x.answers, 4);
	ck_assert_int_eq(x.status, DNS_ERROR);
	ask_dns(5, DNS_TYPE_MX, "signed.example.org");
	run(1);
	ck_assert_int_eq(x.status, DNS_SECURE);
	teardown();
}
END_TEST

/* Everything ends in order while questions are under way, from both sides. */
START_TEST(stopped_busy)
{
	uint16_t port;
	int fd = udp_socket(&port);
	char name[64];

	setup(port);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "n%u.example.org", i);
		ask_route(i, name);
		ask_dns(i, DNS_TYPE_A, name);
	}
	ask_route(200, "[IPv6:2001:db8::25]");	/* passes them all */
	run(1);
	ck_assert_uint_eq(x.route.txn, 200);
	link_close(&x.asker);		/* its questions are dropped */
	link_close(&x.queue);
	x.queue = NULL;
	teardown();
	close(fd);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("resolver/roles");
	TCase *tc = tcase_create("roles");
	int failed;

	if (knot_start(&knot) == -1) {
		puts("skipped: knotd and keymgr (package knot) are not installed");
		return 77;
	}
	log_open("test", LOG_LOGFMT);
	log_set_level(LOG_ERROR);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, routes);
	tcase_add_test(tc, many);
	tcase_add_test(tc, resolver_dies);
	tcase_add_test(tc, no_question);
	tcase_add_test(tc, stopped_busy);
	suite_add_tcase(s, tc);
	failed = suite_run(s);
	knot_remove(&knot);
	return failed;
}
