/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf.c - what is done with a configuration once it is read: look-ups
 * by domain, loading in one call, the end of its life. */
#include "base/conf_impl.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define BUNDLE_MAX	(4u << 20)

struct conf *
conf_load(const char *path, struct conf_notes *notes, struct buf *bundle)
{
	return conf_load_aside(path, NULL, notes, bundle);
}

struct conf *
conf_load_aside(const char *path, const char *aside, struct conf_notes *notes,
    struct buf *bundle)
{
	struct conf *c = NULL;
	struct buf own, *b = bundle != NULL ? bundle : &own;
	int rc;

	buf_init(b, BUNDLE_MAX);
	rc = conf_read(path, aside, b, notes);
	/* A part that was not read leaves the rest readable. */
	if (!b->failed)
		c = conf_parse(buf_get(b), notes);
	if (rc == -1)
		conf_free(&c);
	/* Lists of recipients lie in it. */
	if (bundle == NULL && c != NULL && conf_arena_adopt(c->arena,
	    own.mem, 0) == 0)
		return c;
	if (bundle == NULL)
		buf_free(&own);
	return c;
}

void
conf_free(struct conf **c)
{
	struct conf_arena *arena;

	if (*c == NULL)
		return;
	arena = (*c)->arena;	/* *c itself lies in it */
	conf_arena_free(&arena);
	*c = NULL;
}

const struct conf *
conf_hold(const struct conf *c)
{
	/* One that a test wrote down has none. */
	if (c->arena != NULL)
		conf_arena_hold(c->arena);
	return c;
}

void
conf_release(const struct conf **c)
{
	struct conf_arena *arena = *c == NULL ? NULL : (*c)->arena;

	conf_arena_free(&arena);
	*c = NULL;
}

/* All roles share the pages; the parent sealed them. */
struct conf *
conf_parse_fd(int fd, struct conf_notes *notes)
{
	struct conf *c = NULL;
	struct stat st;
	void *at;

	if (fstat(fd, &st) == -1 || st.st_size <= 0)
		return NULL;
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return NULL;
	c = conf_parse(span_of(at, (size_t)st.st_size), notes);
	if (c != NULL && conf_arena_adopt(c->arena, at,
	    (size_t)st.st_size) == 0)
		return c;
	conf_free(&c);
	munmap(at, (size_t)st.st_size);
	return NULL;
}

/* ---- look-ups ---- */

/* All element types begin with their pattern. */
_Static_assert(offsetof(struct conf_accept, pattern) == 0, "look-up");
_Static_assert(offsetof(struct conf_relay_domain, pattern) == 0, "look-up");
_Static_assert(offsetof(struct conf_policy_domain, pattern) == 0, "look-up");

static int
pattern_compare(const void *key, const void *element)
{
	const char *pattern;

	memcpy(&pattern, element, sizeof pattern);
	return strcmp(key, pattern);
}

/* `v` is sorted by pattern.  Exact first, then ever shorter suffixes. */
static const void *
find(const void *v, size_t n, size_t size, struct span domain)
{
	char key[256 + 2] = "*.";
	char *name = key + 2;
	const void *hit;

	if (n == 0 || !span_copy(domain, name, sizeof key - 2))
		return NULL;
	hit = bsearch(name, v, n, size, pattern_compare);
	while (hit == NULL && (name = strchr(name, '.')) != NULL) {
		name++;
		name[-2] = '*';		/* over what is already dropped */
		hit = bsearch(name - 2, v, n, size, pattern_compare);
	}
	return hit != NULL ? hit : bsearch("*", v, n, size, pattern_compare);
}

const struct conf_accept *
conf_accept_for(const struct conf *c, struct span domain)
{
	return find(c->accepts, c->naccepts, sizeof c->accepts[0], domain);
}

/* Sorted by length, the longest first. */
const struct conf_client *
conf_client_for(const struct conf *c, const struct addr *a)
{
	for (size_t i = 0; i < c->nclients; i++)
		if (prefix_has(&c->clients[i].net, a))
			return &c->clients[i];
	return NULL;
}

const struct conf_relay_domain *
conf_relay_for(const struct conf *c, struct span domain)
{
	return find(c->relay.domains, c->relay.ndomains,
	    sizeof c->relay.domains[0], domain);
}

const struct conf_policy_domain *
conf_policy_for(const struct conf *c, struct span domain)
{
	return find(c->policy.domains, c->policy.ndomains,
	    sizeof c->policy.domains[0], domain);
}

const struct conf_sending *
conf_sending_for(const struct conf *c, struct span domain)
{
	const struct conf_relay_domain *d = conf_relay_for(c, domain);

	return d != NULL ? &d->sending : &c->relay.sending;
}

static bool
hop_is_socket(const struct conf_hop *h, const char *path)
{
	return h->kind == HOP_UNIX && (path == NULL ||
	    strcmp(h->host, path) == 0);
}

bool
conf_names_socket(const struct conf *c)
{
	bool any = c->relay.has_via && hop_is_socket(&c->relay.via, NULL);

	for (size_t i = 0; i < c->naccepts && !any; i++)
		any = hop_is_socket(&c->accepts[i].to, NULL);
	for (size_t i = 0; i < c->relay.ndomains && !any; i++)
		any = c->relay.domains[i].has_via &&
		    hop_is_socket(&c->relay.domains[i].via, NULL);
	return any;
}

bool
conf_allows_socket(const struct conf *c, struct span domain, const char *path)
{
	const struct conf_accept *a = conf_accept_for(c, domain);
	const struct conf_relay_domain *d = conf_relay_for(c, domain);

	return (a != NULL && hop_is_socket(&a->to, path)) ||
	    (d != NULL && d->has_via && hop_is_socket(&d->via, path)) ||
	    (c->relay.has_via && hop_is_socket(&c->relay.via, path));
}

static bool
same_name(struct span name, const char *own)
{
	return own != NULL && own[0] != '\0' && span_ieq(name, span_str(own));
}

bool
conf_own_name(const struct conf *c, struct span name)
{
	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	if (same_name(name, c->hostname) ||
	    same_name(name, c->relay.sending.ehlo_name))
		return true;
	for (size_t i = 0; i < c->relay.ndomains; i++)
		if (same_name(name, c->relay.domains[i].sending.ehlo_name))
			return true;
	for (size_t i = 0; i < c->nlistens; i++)
		if (same_name(name, c->listens[i].greeting_name))
			return true;
	return false;
}
