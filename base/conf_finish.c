/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_finish.c - what is known only when all files were read: defaults
 * that depend on other keys, listeners in each other's way, the order that
 * look-ups need. */
#include "base/conf_parser.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/ipc/ipc.h"

static int
accept_compare(const void *a, const void *b)
{
	return strcmp(((const struct conf_accept *)a)->pattern,
	    ((const struct conf_accept *)b)->pattern);
}

static int
domain_compare(const void *a, const void *b)
{
	return strcmp(((const struct conf_relay_domain *)a)->pattern,
	    ((const struct conf_relay_domain *)b)->pattern);
}

static int
policy_compare(const void *a, const void *b)
{
	return strcmp(((const struct conf_policy_domain *)a)->pattern,
	    ((const struct conf_policy_domain *)b)->pattern);
}

static void
default_listens(struct conf_parser *p)
{
	struct conf_listen *v = conf_arena_get(p->arena, 2 * sizeof *v);

	if (v == NULL) {
		conf_no_memory(p);
		return;
	}
	v[0].label = "loopback";
	v[1].label = "loopback6";
	addr_parse(SPAN_LIT("127.0.0.1:25"), 25, &v[0].address);
	addr_parse(SPAN_LIT("[::1]:25"), 25, &v[1].address);
	p->conf->listens = v;
	p->conf->nlistens = 2;
}

/* Never an open relay by omission: without relay-from only loopback clients,
 * and those only where nobody else can reach the socket. */
static void
default_relay_from(struct conf_parser *p, struct conf_listen *l)
{
	struct prefix *v = conf_arena_get(p->arena, 2 * sizeof *v);

	if (v == NULL) {
		conf_no_memory(p);
		return;
	}
	l->relay_from = v;
	if (!addr_is_loopback(&l->address))
		return;
	prefix_parse(SPAN_LIT("127.0.0.0/8"), &v[0]);
	prefix_parse(SPAN_LIT("::1"), &v[1]);
	l->nrelay_from = 2;
}

/* "0.0.0.0" takes all of IPv4, "[::]" all there is. */
static bool
covers(const struct addr *a, const struct addr *b)
{
	static const uint8_t any[16];

	return a->family != 0 && b->family != 0 && a->port == b->port &&
	    (addr_same_ip(a, b) ||
	    (memcmp(a->ip, any, sizeof any) == 0 &&
	    (a->family == 6 || b->family == 4)));
}

static void
check_listen(struct conf_parser *p, const struct conf_listen *l,
    const struct conf_listen *first)
{
	struct conf_place at, other;
	char text[ADDR_TEXT_SIZE];

	if (!covers(&l->address, &first->address) &&
	    !covers(&first->address, &l->address))
		return;
	if (!conf_where(p->conf, "listen", "address", l->label, &at))
		conf_where(p->conf, "", "listen", l->label, &at);
	conf_where(p->conf, "", "listen", first->label, &other);
	conf_error(p->notes, at, "listen \"%.64s\" at %.80s:%u:%u has %s or "
	    "covers it; one address can be listened on once", first->label,
	    other.file, other.line, other.column, addr_text(&l->address, text));
}

static void
finish_listens(struct conf_parser *p)
{
	struct conf *c = p->conf;
	struct conf_place at;

	if (c->nlistens == 0)
		default_listens(p);
	for (size_t i = 0; i < c->nlistens; i++) {
		struct conf_listen *l = &c->listens[i];

		if (l->relay_from == NULL)
			default_relay_from(p, l);
		if (l->greeting_name == NULL)
			l->greeting_name = c->hostname;
		if (conf_where(c, "", "listen", l->label, &at))
			l->line = at.line;
		if (!conf_where(c, "listen", "client-certificates", l->label,
		    &at))
			l->client_certificates = c->tls.client_certificates;
		for (size_t j = 0; j < i; j++)
			check_listen(p, l, &c->listens[j]);
	}
}

/* The longest first, as the look-up wants them. */
static int
client_compare(const void *va, const void *vb)
{
	const struct conf_client *a = va, *b = vb;

	return a->net.bits == b->net.bits ? strcmp(a->label, b->label) :
	    a->net.bits > b->net.bits ? -1 : 1;
}

static void
finish_clients(struct conf *c)
{
	for (size_t i = 0; i < c->nclients; i++)
		prefix_parse(span_str(c->clients[i].label), &c->clients[i].net);
	if (c->nclients > 1)
		qsort(c->clients, c->nclients, sizeof c->clients[0],
		    client_compare);
}

/* Lists come behind the text that names them. */
static void
finish_tables(struct conf_parser *p)
{
	struct conf *c = p->conf;
	struct span path, table;
	int rc = 0;

	while (p->notes->nerrors == 0 &&
	    (rc = conf_bundle_table(&p->bundle, &path, &table)) == 1)
		for (size_t i = 0; i < c->naccepts; i++)
			if (c->accepts[i].recipients == RECIPIENTS_FILE &&
			    span_eq(span_str(c->accepts[i].table_path), path))
				c->accepts[i].table = table;
	for (size_t i = 0; i < c->naccepts && p->notes->nerrors == 0; i++)
		if (rc == -1 || (c->accepts[i].recipients == RECIPIENTS_FILE &&
		    c->accepts[i].table.p == NULL))
			conf_error(p->notes, (struct conf_place){ c->file, 1,
			    1 }, "a list of recipients was damaged on its way");
}

static void
finish_sending(const struct conf *c, struct conf_sending *s)
{
	const struct conf_sending *up = &c->relay.sending;

	if (!s->has_source) {
		s->source4 = up->source4;
		s->source6 = up->source6;
	}
	if (s->ehlo_name == NULL)
		s->ehlo_name = up->ehlo_name;
	if (s->ehlo_name == NULL || s->ehlo_name[0] == '\0')
		s->ehlo_name = c->hostname;
	if (s->protocols == PROTOCOLS_UNSET)
		s->protocols = up->protocols;
}

static void
finish_hops(struct conf *c)
{
	finish_sending(c, &c->relay.sending);
	if (c->relay.via.port == 0)
		c->relay.via.port = c->relay.port;
	for (size_t i = 0; i < c->naccepts; i++)
		if (c->accepts[i].to.port == 0)
			c->accepts[i].to.port = c->relay.port;
	for (size_t i = 0; i < c->relay.ndomains; i++) {
		struct conf_relay_domain *d = &c->relay.domains[i];

		if (d->via.host == NULL) {
			d->via = c->relay.via;
			d->has_via = c->relay.has_via;
		}
		if (d->via.port == 0)
			d->via.port = c->relay.port;
		if (d->connections == 0)
			d->connections = c->relay.connections;
		finish_sending(c, &d->sending);
	}
}

/* How near `domain` is to the host's own name: a part of it, by length. */
static size_t
nearness(const char *hostname, const char *domain)
{
	size_t h = strlen(hostname), d = strlen(domain);

	if (d > h || strcmp(hostname + h - d, domain) != 0)
		return 0;
	return d == h || hostname[h - d - 1] == '.' ? d : 0;
}

/* RFC 5321 sec 4.5.1: there is one wherever mail is taken in. */
static void
finish_postmaster(struct conf_parser *p)
{
	struct conf *c = p->conf;
	const char *best = NULL;
	char text[16 + 256];

	if (c->postmaster != NULL)
		return;
	for (size_t i = 0; i < c->naccepts; i++) {
		const struct conf_accept *a = &c->accepts[i];

		if (a->pattern[0] != '*' && a->to.kind != HOP_DISCARD &&
		    (best == NULL || nearness(c->hostname, a->pattern) >
		    nearness(c->hostname, best)))
			best = a->pattern;
	}
	if (best != NULL)
		snprintf(text, sizeof text, "postmaster@%s", best);
	c->postmaster = best == NULL ? "" :
	    conf_arena_str(p->arena, span_str(text));
	if (c->postmaster == NULL)
		conf_no_memory(p);
}

static unsigned
per_core(const struct conf_parser *p, unsigned configured)
{
	unsigned cores = p->bundle.cores == 0 ? 1 : p->bundle.cores;

	if (configured != 0)
		return configured;
	return cores < ROLE_INSTANCES ? cores : ROLE_INSTANCES;
}

static void
finish_aside(struct conf_parser *p)
{
	struct conf *c = p->conf;

	if (p->bundle.aside.n == 0)
		return;
	c->aside_of = c->state_directory;
	c->state_directory = conf_arena_str(p->arena, p->bundle.aside);
	c->control_directory = c->state_directory;
	c->log_target = LOG_STDERR;
	if (c->state_directory == NULL)
		conf_no_memory(p);
}

void
conf_finish(struct conf_parser *p)
{
	struct conf *c = p->conf;

	if (c->hostname == NULL)
		c->hostname = conf_arena_str(p->arena, p->bundle.hostname);
	if (c->hostname == NULL)
		conf_no_memory(p);
	finish_listens(p);
	finish_clients(c);
	finish_tables(p);
	finish_hops(c);
	finish_aside(p);
	c->smtpd_processes = per_core(p, c->smtpd_processes);
	c->relay_processes = per_core(p, c->relay_processes);
	/* Sorted for the look-ups of conf.c; order means nothing. */
	if (c->naccepts > 1)
		qsort(c->accepts, c->naccepts, sizeof c->accepts[0],
		    accept_compare);
	finish_postmaster(p);
	if (c->relay.ndomains > 1)
		qsort(c->relay.domains, c->relay.ndomains,
		    sizeof c->relay.domains[0], domain_compare);
	if (c->policy.ndomains > 1)
		qsort(c->policy.domains, c->policy.ndomains,
		    sizeof c->policy.domains[0], policy_compare);
}
