/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/asks.c - see policy/asks.h. */
#include <stdlib.h>

#include "policy/asks.h"

#define BUCKETS		8192

struct waiter {
	struct waiter	*next;
	uint64_t	 txn;
};

/* A domain whose route is being looked up, and who waits for it. */
struct shared {
	struct shared	*chain;
	struct asks	*all;
	struct route	*route;
	struct waiter	*waiters;
	enum tls_wish	 wish;
	char		 domain[DNS_NAME_SIZE];
};

struct asks {
	struct route_world	*world;
	asks_answer_cb		*answer;
	void			*arg;
	size_t			 n;		/* waiters */
	struct shared		*bucket[BUCKETS];
};

/* The key is secret: names in one bucket cannot be chosen from outside. */
static struct shared **
bucket_of(struct asks *a, struct span domain, enum tls_wish wish)
{
	struct shared **at =
	    &a->bucket[siphash(&a->world->key, domain) % BUCKETS];

	while (*at != NULL && ((*at)->wish != wish ||
	    !span_eq(span_str((*at)->domain), domain)))
		at = &(*at)->chain;
	return at;
}

static void
unlink_shared(struct shared *s)
{
	struct shared **at = bucket_of(s->all, span_str(s->domain), s->wish);

	*at = s->chain;
}

static void
free_shared(struct shared *s)
{
	struct waiter *w;

	while ((w = s->waiters) != NULL) {
		s->waiters = w->next;
		s->all->n--;
		free(w);
	}
	free(s);
}

static void
on_done(void *arg, const struct route_result *result)
{
	struct shared *s = arg;
	struct asks *a = s->all;

	unlink_shared(s);
	for (const struct waiter *w = s->waiters; w != NULL; w = w->next)
		a->answer(a->arg, w->txn, result);
	free_shared(s);
}

static void
refuse(struct asks *a, uint64_t txn, const char *text)
{
	struct route_result r = { .code = 451, .dsn = "4.3.2" };

	(void)span_copy(span_str(text), r.text, sizeof(r.text));
	a->answer(a->arg, txn, &r);
}

static int
add_waiter(struct shared *s, uint64_t txn)
{
	struct waiter *w = malloc(sizeof(*w));

	if (w == NULL)
		return -1;
	w->txn = txn;
	w->next = s->waiters;
	s->waiters = w;
	s->all->n++;
	return 0;
}

static void
start(struct asks *a, struct shared **at, uint64_t txn, struct span domain,
    enum tls_wish wish)
{
	struct shared *s = calloc(1, sizeof(*s));
	struct route *route;

	if (s == NULL) {
		refuse(a, txn, "No memory to look up a route");
		return;
	}
	s->all = a;
	s->wish = wish;
	(void)span_copy(domain, s->domain, sizeof(s->domain));
	if (add_waiter(s, txn) == -1) {
		free(s);
		refuse(a, txn, "No memory to look up a route");
		return;
	}
	*at = s;
	route = route_start(a->world, span_str(s->domain), wish, on_done, s);
	if (route != NULL)
		s->route = route;	/* else `s` is gone */
}

void
asks_take(struct asks *a, uint64_t txn, struct span domain,
    enum tls_wish wish)
{
	char text[DNS_NAME_SIZE];
	struct shared **at;

	if (a->n >= ASKS_MAX) {
		refuse(a, txn, "Too many routes are being looked up");
		return;
	}
	/* A NUL inside would make two domains one. */
	if (!span_copy(domain, text, sizeof(text)))
		domain = SPAN_NONE;
	at = bucket_of(a, domain, wish);
	if (*at == NULL)
		start(a, at, txn, domain, wish);
	else if (add_waiter(*at, txn) == -1)
		refuse(a, txn, "No memory to look up a route");
}

void
asks_forget(struct asks *a)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (a->bucket[i] != NULL) {
			struct shared *s = a->bucket[i];

			a->bucket[i] = s->chain;
			route_cancel(&s->route);
			free_shared(s);
		}
}

size_t
asks_pending(const struct asks *a)
{
	return a->n;
}

struct asks *
asks_new(struct route_world *w, asks_answer_cb *answer, void *arg)
{
	struct asks *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->world = w;
	a->answer = answer;
	a->arg = arg;
	return a;
}

void
asks_free(struct asks **ap)
{
	if (*ap == NULL)
		return;
	asks_forget(*ap);
	free(*ap);
	*ap = NULL;
}
