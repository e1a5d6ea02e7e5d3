/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/tickets.c - see tickets.h. */
#include "relay/tickets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Three names or addresses and the numbers. */
#define KEY_SIZE	(3 * 256 + 64)

struct ticket {
	struct ticket	*prev, *next;
	uint64_t	 since;
	char		 key[KEY_SIZE];
	size_t		 n;
	char		 data[];
};

static void
drop(struct tickets *t, struct ticket *x)
{
	*(x->prev != NULL ? &x->prev->next : &t->first) = x->next;
	*(x->next != NULL ? &x->next->prev : &t->last) = x->prev;
	t->n--;
	explicit_bzero(x->data, x->n);
	free(x);
}

static void
drop_old(struct tickets *t, uint64_t now)
{
	struct ticket *next;

	for (struct ticket *x = t->first; x != NULL; x = next) {
		next = x->next;
		if (now - x->since > TICKET_AGE_MAX)
			drop(t, x);
	}
}

/* One text, so that no field can be left out of the comparison.  Names hold no
 * blanks; false for what does, and for one that is too long. */
static bool
key_text(const struct ticket_key *k, char to[KEY_SIZE])
{
	int n;

	if (strpbrk(k->host, " \n") != NULL || strpbrk(k->sni, " \n") != NULL)
		return false;
	n = snprintf(to, KEY_SIZE, "%016" PRIx64 " %s %s %u %s %s %d",
	    k->identity, k->host, k->addr, k->port, k->sni,
	    level_name(k->asked), k->modern);
	return n > 0 && n < KEY_SIZE;
}

void
tickets_put(struct tickets *t, const struct ticket_key *k, struct span data,
    uint64_t since, uint64_t now)
{
	struct ticket *x;

	drop_old(t, now);
	if (data.n == 0 || data.n > TICKET_SIZE_MAX)
		return;
	x = malloc(sizeof *x + data.n);
	if (x == NULL)
		return;
	*x = (struct ticket){ .prev = t->last, .since = since, .n = data.n };
	if (!key_text(k, x->key)) {
		free(x);
		return;
	}
	if (t->n == TICKETS_MAX)
		drop(t, t->first);
	memcpy(x->data, data.p, data.n);
	*(t->last != NULL ? &t->last->next : &t->first) = x;
	t->last = x;
	t->n++;
}

bool
tickets_take(struct tickets *t, const struct ticket_key *k, uint64_t now,
    struct buf *to, uint64_t *since)
{
	char key[KEY_SIZE];
	bool taken;

	drop_old(t, now);
	if (!key_text(k, key))
		return false;
	for (struct ticket *x = t->last; x != NULL; x = x->prev) {
		if (strcmp(x->key, key) != 0)
			continue;
		*since = x->since;
		taken = buf_add(to, x->data, x->n) == 0;
		drop(t, x);
		return taken;
	}
	return false;
}

void
tickets_free(struct tickets *t)
{
	while (t->first != NULL)
		drop(t, t->first);
}
