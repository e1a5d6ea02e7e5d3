/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/sts_failures.c - see sts_failures.h. */
#include "policy/sts_failures.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "dns/name.h"
#include "mtasts/record.h"

struct failure {
	char			 domain[DNS_NAME_SIZE];	/* first: the tree's key */
	TAILQ_ENTRY(failure)	 link;
	char			 id[STS_ID_SIZE];
	uint64_t		 until;		/* wall s */
	char			 why[STS_FAILURE_SIZE];
};

struct sts_failures {
	void			*tree;
	TAILQ_HEAD(, failure)	 line;		/* oldest first */
	size_t			 n;
};

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static struct failure *
find(const struct sts_failures *s, const char *domain)
{
	void *at = tfind(domain, &s->tree, by_name);

	return at == NULL ? NULL : *(struct failure **)at;
}

static void
forget(struct sts_failures *s, struct failure *x)
{
	(void)tdelete(x, &s->tree, by_name);
	TAILQ_REMOVE(&s->line, x, link);
	s->n--;
	free(x);
}

void
sts_failures_forget(struct sts_failures *s, const char *domain)
{
	struct failure *x = find(s, domain);

	if (x != NULL)
		forget(s, x);
}

void
sts_failures_add(struct sts_failures *s, const char *domain, const char *id,
    const char *why, uint64_t now)
{
	struct failure *x;

	sts_failures_forget(s, domain);
	if (s->n >= STS_FAILURES_MAX)
		forget(s, TAILQ_FIRST(&s->line));
	x = calloc(1, sizeof *x);
	if (x == NULL)
		return;
	(void)snprintf(x->domain, sizeof x->domain, "%s", domain);
	(void)snprintf(x->id, sizeof x->id, "%s", id);
	memcpy(x->why, why, sizeof x->why);
	x->until = now + STS_RETRY_S;
	if (tsearch(x, &s->tree, by_name) == NULL) {
		free(x);
		return;
	}
	TAILQ_INSERT_TAIL(&s->line, x, link);
	s->n++;
}

/* A clock that was set back does not make the pause longer. */
const char *
sts_failures_find(const struct sts_failures *s, const char *domain,
    const char *id, uint64_t now)
{
	const struct failure *x = find(s, domain);

	return x != NULL && strcmp(x->id, id) == 0 && now < x->until &&
	    x->until - now <= STS_RETRY_S ? x->why : NULL;
}

struct sts_failures *
sts_failures_new(void)
{
	struct sts_failures *s = calloc(1, sizeof *s);

	if (s != NULL)
		TAILQ_INIT(&s->line);
	return s;
}

void
sts_failures_free(struct sts_failures **sp)
{
	struct sts_failures *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	while (s->n > 0)
		forget(s, TAILQ_FIRST(&s->line));
	free(s);
}
