/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/flow.c - inside a site, clients and senders take turns: who sends one
 * message waits for one message of each of the others, however many those have.
 *
 * A mailing often gives each of its messages a reverse-path of its own
 * (news-4711-you=example.org@...), which would make as many flows as messages
 * and turn taking turns into first come, first served.  So only the letters
 * that a local part begins with count. */
#include <stdlib.h>

#include "queue/queue_priv.h"

static struct span
letters_of(struct span local)
{
	size_t n = 0;

	while (n < local.n && ((local.p[n] | 0x20) >= 'a' &&
	    (local.p[n] | 0x20) <= 'z'))
		n++;
	return span_head(local, n);
}

uint64_t
flow_key(const struct message *m)
{
	struct span sender = message_sender(m), local = sender,
	    domain = SPAN_NONE;
	uint64_t key = table_hash(message_client(m));
	const char *at = sender.n == 0 ? NULL :
	    memrchr(sender.p, '@', sender.n);

	if (at != NULL) {
		local = span_head(sender, (size_t)(at - sender.p));
		domain = span_skip(sender, local.n);
	}
	/* The order matters: a local part is no domain. */
	key = table_hash_u64(key ^ table_hash(letters_of(local)));
	return table_hash_u64(key ^ table_hash(domain));
}

static struct flow *
flow_find(const struct queue *q, const struct site *s, uint64_t key,
    uint64_t hash)
{
	struct table_link *l = table_find(&q->flows, hash);

	for (; l != NULL; l = table_next(l)) {
		struct flow *f = TABLE_ENTRY(l, struct flow, link);

		if (f->site == s && f->key == key)
			return f;
	}
	return NULL;
}

int
flow_add(struct queue *q, struct site *s, struct batch *b)
{
	uint64_t key = flow_key(b->message), hash = table_hash_u64(key ^ s->id);
	struct flow *f = flow_find(q, s, key, hash);

	if (f == NULL) {
		f = calloc(1, sizeof(*f));
		if (f == NULL)
			return -1;
		f->key = key;
		f->site = s;
		TAILQ_INIT(&f->line);
		if (table_add(&q->flows, &f->link, hash) == -1) {
			free(f);
			return -1;
		}
		TAILQ_INSERT_TAIL(&s->flows, f, ring);
	}
	TAILQ_INSERT_TAIL(&f->line, b, line);
	return 0;
}

struct batch *
flow_first(const struct site *s)
{
	const struct flow *f = TAILQ_FIRST(&s->flows);

	return f == NULL ? NULL : TAILQ_FIRST(&f->line);
}

void
flow_take(struct queue *q, struct site *s)
{
	struct flow *f = TAILQ_FIRST(&s->flows);

	TAILQ_REMOVE(&f->line, TAILQ_FIRST(&f->line), line);
	TAILQ_REMOVE(&s->flows, f, ring);
	if (!TAILQ_EMPTY(&f->line)) {
		TAILQ_INSERT_TAIL(&s->flows, f, ring);
		return;
	}
	table_remove(&q->flows, &f->link);
	free(f);
}

void
flow_free_all(struct queue *q, struct site *s)
{
	struct batch *b;

	while ((b = flow_first(s)) != NULL) {
		flow_take(q, s);
		batch_free(b);
	}
}
