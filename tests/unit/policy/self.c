/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* RFC 5321 sec 5.1: this host in a list of MX hosts, in every spelling. */
#include <stdio.h>

#include "base/ipc/ipc.h"
#include "policy/self.h"
#include "tests/unit/suite.h"

/* The machine of all rows: its loopback, a private network, the world. */
static const char *const machine[] = {
	"127.0.0.1", "::1", "10.0.0.5", "fe80::5", "198.51.99.5", "2a00::5",
};

static struct conf_listen one_v4[] = {
	{ .label = "a", .address = { .family = 4, .ip = { 198, 51, 99, 5 },
	    .port = 25 } },
};
static struct conf_listen any_v6[] = {
	{ .label = "a", .address = { .family = 6, .port = 25 } },
};
static struct conf_listen any_v4[] = {
	{ .label = "a", .address = { .family = 4, .port = 25 } },
};
static struct conf_listen home[] = {
	{ .label = "a", .address = { .family = 4, .ip = { 127, 0, 0, 1 },
	    .port = 2525 } },
	{ .label = "b", .address = { .family = 6, .ip = { [15] = 1 },
	    .port = 2525 } },
};

static const struct row {
	const char	*name;
	struct conf_listen *listens;
	size_t		 n;
	const char	*addr;
	uint16_t	 port;
	bool		 listens_there, owns;
} rows[] = {
	{ "RFC 5321 sec 5.1: the listener", one_v4, 1, "198.51.99.5", 25, true, true },
	{ "RFC 5321 sec 5.1: IPv4-mapped", one_v4, 1, "::ffff:198.51.99.5", 25, true, true },
	{ "RFC 5321 sec 5.1: by 6to4", one_v4, 1, "2002:c633:6305::1", 25, true, true },
	{ "RFC 5321 sec 5.1: by NAT64", one_v4, 1, "64:ff9b::198.51.99.5", 25, true, true },
	{ "RFC 5321 sec 5.1: IPv4-compatible", one_v4, 1, "::198.51.99.5", 25, true, true },
	{ "RFC 5321 sec 5.1: 6to4 of another", one_v4, 1, "2002:c633:6306::1", 25, false, false },
	{ "RFC 5321 sec 5.1: another port", one_v4, 1, "198.51.99.5", 26, false, true },
	{ "RFC 5321 sec 5.1: another address of ours", one_v4, 1, "2a00::5", 25, false, true },
	{ "RFC 5321 sec 5.1: a private one of ours", one_v4, 1, "10.0.0.5", 25, false, false },
	{ "RFC 5321 sec 5.1: loopback, no listener there", one_v4, 1, "127.0.0.1", 25,
	    false, false },
	{ "RFC 5321 sec 5.1: a stranger", one_v4, 1, "198.51.99.6", 25, false, false },
	{ "RFC 5321 sec 5.1: [::] takes IPv4", any_v6, 1, "198.51.99.5", 25, true, true },
	{ "RFC 5321 sec 5.1: [::] takes IPv6", any_v6, 1, "2a00::5", 25, true, true },
	{ "RFC 5321 sec 5.1: [::] in the private network", any_v6, 1, "10.0.0.5", 25,
	    true, false },
	{ "RFC 5321 sec 5.1: [::], link-local", any_v6, 1, "fe80::5", 25, true, false },
	{ "RFC 5321 sec 5.1: [::], all of 127/8", any_v6, 1, "127.3.2.1", 25, true, false },
	{ "RFC 5321 sec 5.1: [::], ::1", any_v6, 1, "::1", 25, true, false },
	{ "RFC 5321 sec 5.1: [::] by its own name", any_v6, 1, "::", 25, true, false },
	{ "RFC 5321 sec 5.1: [::], another port", any_v6, 1, "10.0.0.5", 2525, false, false },
	{ "RFC 5321 sec 5.1: [::], a stranger", any_v6, 1, "2a00::6", 25, false, false },
	{ "RFC 5321 sec 5.1: 0.0.0.0 takes IPv4", any_v4, 1, "10.0.0.5", 25, true, false },
	{ "RFC 5321 sec 5.1: 0.0.0.0 takes no IPv6", any_v4, 1, "fe80::5", 25, false, false },
	{ "RFC 5321 sec 5.1: 0.0.0.0, mapped", any_v4, 1, "::ffff:127.0.0.1", 25, true, false },
	{ "RFC 5321 sec 5.1: a sidecar", home, 2, "127.0.0.1", 2525, true, false },
	{ "RFC 5321 sec 5.1: a sidecar by 0.0.0.0", home, 2, "0.0.0.0", 2525, true, false },
	{ "RFC 5321 sec 5.1: a sidecar by ::", home, 2, "::", 2525, true, false },
	{ "RFC 5321 sec 5.1: a sidecar, ::1", home, 2, "::1", 2525, true, false },
	{ "RFC 5321 sec 5.1: beside a sidecar", home, 2, "127.0.0.1", 25, false, false },
	{ "RFC 5321 sec 5.1: 127.0.0.2 is another", home, 2, "127.0.0.2", 2525, false, false },
	{ "RFC 5321 sec 5.1: the MTA beside a sidecar is this host", home, 2, "198.51.99.5", 25,
	    false, true },
};

static void
put(struct buf *list, const char *text)
{
	struct ipc_host_addr m;
	struct addr a;

	ck_assert(addr_parse_ip(span_str(text), &a));
	m = (struct ipc_host_addr){ .family = a.family,
	    .ip = span_of(a.ip, a.family == 4 ? 4 : 16) };
	ck_assert_int_eq(ipc_put_host_addr(list, &m), 0);
}

START_TEST(addresses)
{
	const struct row *r = &rows[_i];
	const struct conf c = { .hostname = "us.example", .listens = r->listens,
	    .nlistens = r->n };
	struct self *self = calloc(1, sizeof(*self));
	struct addr a;
	struct buf list;

	ck_assert_ptr_nonnull(self);
	self->conf = &c;
	buf_init(&list, 4096);
	for (int i = 0; i < NELEM(machine); i++)
		put(&list, machine[i]);
	self_take(self, buf_get(&list));
	ck_assert_uint_eq(self->nlocal, NELEM(machine));
	ck_assert(addr_parse_ip(span_str(r->addr), &a));
	ck_assert_msg(self_listens(self, &a, r->port) == r->listens_there,
	    "%s: listens", r->name);
	ck_assert_msg(self_owns(self, &a) == r->owns, "%s: owns", r->name);
	buf_free(&list);
	free(self);
}
END_TEST

/* More addresses than are kept, one that is none, and a list that replaces
 * the one before. */
START_TEST(takes)
{
	const struct conf c = { .hostname = "us.example" };
	const struct ipc_host_addr none = { .family = 7,
	    .ip = SPAN_LIT("abcd") };
	struct self *self = calloc(1, sizeof(*self));
	struct addr first, later;
	struct buf list;
	char text[32];

	ck_assert_ptr_nonnull(self);
	self->conf = &c;
	buf_init(&list, 65536);
	ck_assert_int_eq(ipc_put_host_addr(&list, &none), 0);
	for (unsigned i = 0; i < SELF_ADDRS_MAX + 5; i++) {
		snprintf(text, sizeof(text), "9.0.%u.%u", i / 256, i % 256);
		put(&list, text);
	}
	self_take(self, buf_get(&list));
	ck_assert_uint_eq(self->nlocal, SELF_ADDRS_MAX);
	ck_assert(addr_parse_ip(SPAN_LIT("9.0.0.0"), &first));
	ck_assert(addr_parse_ip(SPAN_LIT("9.9.9.9"), &later));
	ck_assert(self_owns(self, &first) && !self_owns(self, &later));
	buf_reset(&list);
	put(&list, "9.9.9.9");
	self_take(self, buf_get(&list));
	ck_assert(!self_owns(self, &first) && self_owns(self, &later));
	buf_free(&list);
	free(self);
}
END_TEST

START_TEST(names)
{
	struct conf_relay_domain domains[] = {
		{ .pattern = "a.example", .sending = { .ehlo_name = "us.example" } },
		{ .pattern = "b.example", .sending = { .ehlo_name = "b.us" } },
	};
	struct conf_listen listens[] = {
		{ .label = "a", .greeting_name = "us.example" },
		{ .label = "b", .greeting_name = "in.us.example" },
	};
	const struct conf c = { .hostname = "Us.Example", .listens = listens,
	    .nlistens = NELEM(listens), .relay = {
	    .sending = { .ehlo_name = "Out.Us.Example" },
	    .domains = domains, .ndomains = NELEM(domains) } };
	struct self *self = calloc(1, sizeof(*self));

	ck_assert_ptr_nonnull(self);
	self->conf = &c;
	ck_assert(self_named(self, "out.us.example"));
	ck_assert(self_named(self, "b.us"));
	ck_assert(self_named(self, "us.example"));
	ck_assert(self_named(self, "US.EXAMPLE"));
	ck_assert(self_named(self, "us.example."));
	ck_assert(self_named(self, "in.us.example"));
	ck_assert(!self_named(self, "example"));
	ck_assert(!self_named(self, "mx.us.example"));
	ck_assert(!self_named(self, ""));
	free(self);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy/self");
	TCase *tc = tcase_create("self");

	tcase_add_loop_test(tc, addresses, 0, NELEM(rows));
	tcase_add_test(tc, takes);
	tcase_add_test(tc, names);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
