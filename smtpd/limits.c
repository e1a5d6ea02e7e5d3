/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/limits.c - see limits.h. */
#include "smtpd/limits_priv.h"

#include <stdlib.h>
#include <sys/random.h>

#define WIDE	10	/* times the limit of one address */
/* Entries looked at for one that can go. */
#define EVICT_LOOK	16

const struct net_form net_forms[NET_KINDS] = {
	[NET_IP4] =	 { 4, 32, 1 },
	[NET_IP4_WIDE] = { 4, 24, WIDE },
	[NET_IP6] =	 { 6, 64, 1 },
	[NET_IP6_WIDE] = { 6, 48, WIDE },
};

static const struct {
	const char	*name;
	uint64_t	 period;	/* ms; 0: no rate */
} kinds[LIMITS] = {
	[LIMIT_CONNECTIONS] =	{ "connections", 0 },
	[LIMIT_CONNECTS] =	{ "connection-rate", 60 * 1000 },
	[LIMIT_RECIPIENTS] =	{ "recipients", 3600 * 1000 },
	[LIMIT_ERRORS] =	{ "errors", 3600 * 1000 },
	[LIMIT_UNKNOWN] =	{ "unknown-commands", 3600 * 1000 },
};

const char *
limit_name(enum limit l)
{
	return kinds[l].name;
}

/* ---- life ---- */

void
limits_configure(struct limits *l, const struct conf *conf)
{
	l->most[LIMIT_CONNECTIONS] = conf->limits.client.connections;
	l->most[LIMIT_CONNECTS] = conf->limits.client.connection_rate;
	l->most[LIMIT_RECIPIENTS] = conf->limits.client.recipients;
	l->most[LIMIT_ERRORS] = conf->limits.client.errors;
	l->most[LIMIT_UNKNOWN] = conf->limits.client.unknown_commands;
}

int
limits_init(struct limits *l, const struct conf *conf, unsigned self)
{
	unsigned n = conf->smtpd_processes > self ? conf->smtpd_processes :
	    self;

	*l = (struct limits){ .self = self, .processes = n, .free = 1 };
	limits_configure(l, conf);
	/* Without random numbers it still works, only not against somebody
	 * who has networks to choose from. */
	(void)!getrandom(&l->key, sizeof l->key, 0);
	l->entry_size = (sizeof(struct limits_entry) + n * sizeof(uint16_t) +
	    7) & ~(size_t)7;
	/* Zero pages, which the kernel gives when they are touched. */
	l->mem = calloc(LIMITS_ENTRIES + 1, l->entry_size);
	l->chains = calloc(LIMITS_ENTRIES, sizeof *l->chains);
	if (l->mem != NULL && l->chains != NULL)
		return 0;
	limits_free(l);
	return -1;
}

void
limits_free(struct limits *l)
{
	free(l->mem);
	free(l->chains);
	l->mem = NULL;
	l->chains = NULL;
}

/* ---- the table ---- */

struct limits_entry *
limits_entry(const struct limits *l, uint32_t at)
{
	return (struct limits_entry *)(void *)(l->mem + at * l->entry_size);
}

static uint32_t *
chain_of(const struct limits *l, enum net_kind kind, uint64_t net)
{
	char bytes[9];

	memcpy(bytes, &net, 8);
	bytes[8] = (char)kind;
	return &l->chains[siphash(&l->key, span_of(bytes, 9)) %
	    LIMITS_ENTRIES];
}

static void
unlink_use(struct limits *l, struct limits_entry *e)
{
	*(e->newer != 0 ? &limits_entry(l, e->newer)->older : &l->first) =
	    e->older;
	*(e->older != 0 ? &limits_entry(l, e->older)->newer : &l->last) =
	    e->newer;
}

static void
link_newest(struct limits *l, uint32_t at)
{
	struct limits_entry *e = limits_entry(l, at);

	e->newer = 0;
	e->older = l->first;
	*(l->first != 0 ? &limits_entry(l, l->first)->newer : &l->last) = at;
	l->first = at;
}

static void
unchain(struct limits *l, uint32_t at)
{
	const struct limits_entry *e = limits_entry(l, at);
	uint32_t *p = chain_of(l, (enum net_kind)e->kind, e->net);

	while (*p != at)
		p = &limits_entry(l, *p)->next;
	*p = e->next;
}

static bool
is_idle(const struct limits_entry *e)
{
	for (int i = 0; i < LIMIT_RATES; i++)
		if (e->used[i] >= 1)
			return false;
	return true;
}

/* The oldest that nothing is known of; else the oldest without connections:
 * whoever brings ever new networks forgets his own ones first, since an address
 * that is still heard of is newer. */
static uint32_t
evict(struct limits *l, uint64_t now)
{
	uint32_t at = l->last, found = 0;

	for (int i = 0; i < EVICT_LOOK && at != 0; i++) {
		struct limits_entry *e = limits_entry(l, at);

		if (e->open == 0) {
			limits_age(l, e, now);
			if (e->others == 0 && is_idle(e)) {
				found = at;
				break;
			}
			if (found == 0)
				found = at;
		}
		at = e->newer;
	}
	if (found == 0)
		return 0;
	unlink_use(l, limits_entry(l, found));
	unchain(l, found);
	return found;
}

static uint32_t
entry_new(struct limits *l, uint64_t now)
{
	return l->free <= LIMITS_ENTRIES ? l->free++ : evict(l, now);
}

struct limits_entry *
limits_get(struct limits *l, enum net_kind kind, uint64_t net, uint64_t now)
{
	uint32_t *chain = chain_of(l, kind, net), at;
	struct limits_entry *e;

	for (at = *chain; at != 0; at = e->next) {
		e = limits_entry(l, at);
		if (e->net != net || e->kind != kind)
			continue;
		unlink_use(l, e);
		link_newest(l, at);
		limits_age(l, e, now);
		return e;
	}
	at = entry_new(l, now);
	if (at == 0)
		return NULL;
	e = limits_entry(l, at);
	memset(e, 0, l->entry_size);
	e->net = net;
	e->kind = (uint8_t)kind;
	e->at = now;
	e->next = *chain;
	*chain = at;
	link_newest(l, at);
	return e;
}

/* ---- counting ---- */

uint64_t
limits_most(const struct limits *l, const struct limits_entry *e, enum limit k)
{
	return l->most[k] * net_forms[e->kind].factor;
}

static double
usage(const struct limits_entry *e, enum limit k)
{
	return k == LIMIT_CONNECTIONS ? (double)e->open + e->others :
	    e->used[k - 1];
}

/* An incident is over below half of the limit. */
static void
end_incidents(const struct limits *l, struct limits_entry *e)
{
	for (unsigned k = 0; k < LIMITS; k++)
		if ((e->incident & 1u << k) && usage(e, (enum limit)k) * 2 <
		    (double)limits_most(l, e, (enum limit)k))
			e->incident &= (uint8_t)~(1u << k);
}

void
limits_age(const struct limits *l, struct limits_entry *e, uint64_t now)
{
	uint64_t ms = now > e->at ? now - e->at : 0;

	for (unsigned k = LIMIT_CONNECTS; k < LIMITS && ms > 0; k++) {
		double *used = &e->used[k - 1];

		*used -= (double)limits_most(l, e, (enum limit)k) *
		    (double)ms / (double)kinds[k].period;
		if (*used < 0)
			*used = 0;
	}
	e->at = now;
	if (e->incident != 0)
		end_incidents(l, e);
}

static uint64_t
net_of(const struct addr *a, unsigned bits)
{
	uint64_t net = 0;

	for (unsigned i = 0; i < bits / 8; i++)
		net |= (uint64_t)a->ip[i] << (56 - 8 * i);
	return net;
}

/* The two entries of an address; either may be NULL when the table is full. */
static void
both(struct limits *l, const struct addr *a, uint64_t now,
    struct limits_entry *e[2])
{
	unsigned kind = a->family == 4 ? NET_IP4 : NET_IP6;

	for (unsigned i = 0; i < 2; i++, kind++)
		e[i] = limits_get(l, (enum net_kind)kind,
		    net_of(a, net_forms[kind].bits), now);
}

static bool
reached(struct limits *l, struct limits_entry *e, enum limit k,
    const struct addr *a, struct limit_hit *hit)
{
	uint64_t most = limits_most(l, e, k);

	if (most == 0 || usage(e, k) + 1 <= (double)most)
		return false;
	*hit = (struct limit_hit){ .limit = k, .most = most, .net = {
	    .addr = *a, .bits = net_forms[e->kind].bits },
	    .first = !(e->incident & 1u << k) };
	hit->net.addr.port = 0;
	for (unsigned i = hit->net.bits / 8; i < sizeof a->ip; i++)
		hit->net.addr.ip[i] = 0;
	e->incident |= (uint8_t)(1u << k);
	return true;
}

static void
count(struct limits_entry *e, enum limit k)
{
	e->used[k - 1]++;
	if (e->unsent[k - 1] < UINT16_MAX)
		e->unsent[k - 1]++;
}

bool
limits_open(struct limits *l, const struct addr *a, uint64_t now,
    struct limit_hit *hit)
{
	struct limits_entry *e[2];

	both(l, a, now, e);
	for (int i = 0; i < 2; i++)
		for (unsigned k = 0; e[i] != NULL && k < LIMITS; k++)
			/* Too many recipients are refused as such. */
			if (k != LIMIT_RECIPIENTS &&
			    reached(l, e[i], (enum limit)k, a, hit))
				return false;
	for (int i = 0; i < 2; i++)
		if (e[i] != NULL) {
			e[i]->open++;
			count(e[i], LIMIT_CONNECTS);
		}
	return true;
}

void
limits_close(struct limits *l, const struct addr *a, uint64_t now)
{
	struct limits_entry *e[2];

	both(l, a, now, e);
	for (int i = 0; i < 2; i++)
		if (e[i] != NULL && e[i]->open > 0)
			e[i]->open--;
}

bool
limits_take(struct limits *l, const struct addr *a, enum limit k, uint64_t now,
    struct limit_hit *hit)
{
	struct limits_entry *e[2];
	bool may = true;

	both(l, a, now, e);
	for (int i = 0; i < 2; i++)
		if (e[i] != NULL && may && reached(l, e[i], k, a, hit))
			may = false;
	for (int i = 0; i < 2 && may; i++)
		if (e[i] != NULL)
			count(e[i], k);
	return may;
}
