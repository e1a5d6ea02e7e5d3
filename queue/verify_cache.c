/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/verify_cache.c - see verify_cache.h. */
#include "queue/verify_cache.h"

#include <stdlib.h>

#include "base/crc32c.h"

#define MAGIC		"sealane-verify 1\n"
#define ADDRESS_MAX	320
/* So much of a full cache is kept for what was asked for once. */
#define FRESH_PART	4

/* ---- life ---- */

void
verify_cache_init(struct verify_cache *c, size_t most)
{
	*c = (struct verify_cache){ .most = most };
	TAILQ_INIT(&c->fresh);
	TAILQ_INIT(&c->proven);
}

static void
drop(struct verify_cache *c, struct verify_entry *e)
{
	TAILQ_REMOVE(e->proven ? &c->proven : &c->fresh, e, line);
	(*(e->proven ? &c->nproven : &c->nfresh))--;
	table_remove(&c->table, &e->link);
	free(e);
}

static void
drop_all(struct verify_cache *c)
{
	struct verify_entry *e;

	while ((e = TAILQ_FIRST(&c->fresh)) != NULL ||
	    (e = TAILQ_FIRST(&c->proven)) != NULL)
		drop(c, e);
}

void
verify_cache_free(struct verify_cache *c)
{
	drop_all(c);
	table_free(&c->table);
}

/* ---- look-up ---- */

static struct verify_entry *
find(const struct verify_cache *c, struct span address)
{
	struct table_link *l = table_find(&c->table, table_hash(address));

	for (; l != NULL; l = table_next(l)) {
		struct verify_entry *e = TABLE_ENTRY(l, struct verify_entry,
		    link);

		if (span_eq(span_of(e->address, e->n), address))
			return e;
	}
	return NULL;
}

struct verify_entry *
verify_cache_ask(struct verify_cache *c, struct span address, uint32_t hop)
{
	struct verify_entry *e = find(c, address);

	if (e == NULL)
		return NULL;
	if (e->hop != hop) {
		drop(c, e);
		return NULL;
	}
	TAILQ_REMOVE(e->proven ? &c->proven : &c->fresh, e, line);
	if (!e->proven) {
		e->proven = true;
		c->nfresh--;
		c->nproven++;
	}
	TAILQ_INSERT_HEAD(&c->proven, e, line);
	return e;
}

static void
make_room(struct verify_cache *c)
{
	bool fresh = c->nproven == 0 || c->nfresh > c->most / FRESH_PART;

	if (c->nfresh + c->nproven < c->most)
		return;
	drop(c, fresh ? TAILQ_LAST(&c->fresh, verify_entries) :
	    TAILQ_LAST(&c->proven, verify_entries));
}

static struct verify_entry *
add(struct verify_cache *c, struct span address)
{
	struct verify_entry *e;

	if (address.n > ADDRESS_MAX)
		return NULL;
	make_room(c);
	e = calloc(1, sizeof(*e) + address.n + 1);
	if (e == NULL)
		return NULL;
	memcpy(e->address, address.p, address.n);
	e->n = (uint16_t)address.n;
	if (table_add(&c->table, &e->link, table_hash(address)) == -1) {
		free(e);
		return NULL;
	}
	TAILQ_INSERT_HEAD(&c->fresh, e, line);
	c->nfresh++;
	return e;
}

struct verify_entry *
verify_cache_set(struct verify_cache *c, struct span address, uint32_t hop,
    enum verdict verdict, struct span dsn, int64_t at)
{
	struct verify_entry *e = find(c, address);

	if (e == NULL)
		e = add(c, address);
	if (e == NULL)
		return NULL;
	e->verdict = (uint8_t)verdict;
	e->hop = hop;
	e->at = at;
	e->tried = 0;
	(void)span_copy(dsn, e->dsn, sizeof(e->dsn));
	return e;
}

void
verify_cache_forget_misses(struct verify_cache *c)
{
	struct verify_entries *lines[] = { &c->fresh, &c->proven };
	struct verify_entry *e, *next;

	for (int i = 0; i < 2; i++)
		for (e = TAILQ_FIRST(lines[i]); e != NULL; e = next) {
			next = TAILQ_NEXT(e, line);
			if (e->verdict != VERDICT_HIT)
				drop(c, e);
		}
}

enum verify_age
verify_age(const struct verify_entry *e, int64_t now)
{
	int64_t age = now - e->at;

	switch (e->verdict) {
	case VERDICT_HIT:
		return age < VERIFY_AHEAD_MS ? VERIFY_GOOD :
		    age < VERIFY_HIT_MS ? VERIFY_OLD :
		    age < VERIFY_KEPT_MS ? VERIFY_STALE : VERIFY_GONE;
	case VERDICT_MISS:
		return age < VERIFY_MISS_MS ? VERIFY_GOOD : VERIFY_GONE;
	default:
		return age < VERIFY_UNCLEAR_MS ? VERIFY_GOOD : VERIFY_GONE;
	}
}

/* ---- on disk ----
 *
 *	sealane-verify 1
 *	hit|miss SECONDS HOP DSN once|again ADDRESS
 *	sum CRC
 *
 * SECONDS since 1970 when it was answered.  The oldest come first, so that
 * reading them in order puts them where they were. */

static const char *const words[] = { "hit", "miss" };

static void
put_entry(const struct verify_entry *e, int64_t now, uint64_t wall,
    struct buf *out)
{
	int64_t seconds = ((int64_t)wall - (now - e->at)) / 1000;

	if (e->verdict == VERDICT_UNCLEAR || seconds < 0 ||
	    verify_age(e, now) == VERIFY_GONE)
		return;
	buf_printf(out, "%s %lld %08x %s %s %.*s\n", words[e->verdict],
	    (long long)seconds, e->hop, e->dsn[0] == '\0' ? "-" : e->dsn,
	    e->proven ? "again" : "once", (int)e->n, e->address);
}

int
verify_cache_put(const struct verify_cache *c, int64_t now, uint64_t wall,
    struct buf *out)
{
	struct verify_entry *e;

	buf_str(out, MAGIC);
	TAILQ_FOREACH_REVERSE(e, &c->fresh, verify_entries, line)
		put_entry(e, now, wall, out);
	TAILQ_FOREACH_REVERSE(e, &c->proven, verify_entries, line)
		put_entry(e, now, wall, out);
	return buf_printf(out, "sum %08x\n", crc32c(0, buf_get(out).p,
	    out->len));
}

static bool
take_hex(struct span s, uint32_t *out)
{
	char text[9], *end;

	if (s.n != 8 || !span_copy(s, text, sizeof(text)))
		return false;
	*out = (uint32_t)strtoul(text, &end, 16);
	return *end == '\0';
}

static int
take_entry(struct verify_cache *c, struct span line, int64_t now, uint64_t wall)
{
	struct span word = span_cut(&line, ' '),
	    seconds = span_cut(&line, ' '), hop = span_cut(&line, ' '),
	    dsn = span_cut(&line, ' '), how = span_cut(&line, ' ');
	enum verdict v = span_eq(word, span_str(words[VERDICT_MISS])) ?
	    VERDICT_MISS : VERDICT_HIT;
	unsigned long long at;
	uint32_t hop_is;
	int64_t age;

	if (!span_eq(word, span_str(words[v])) ||
	    !span_u64(seconds, 1ull << 40, &at) || !take_hex(hop, &hop_is) ||
	    dsn.n > 11 || line.n == 0 || line.n > ADDRESS_MAX)
		return -1;
	/* From the future: the clock was set back.  It is as old as can be
	 * and still of use. */
	age = (int64_t)wall - (int64_t)at * 1000;
	if (age < 0)
		age = v == VERDICT_HIT ? VERIFY_HIT_MS : VERIFY_MISS_MS;
	if (verify_cache_set(c, line, hop_is, v, span_eq(dsn, SPAN_LIT("-")) ?
	    SPAN_NONE : dsn, now - age) == NULL)
		return 0;
	if (span_eq(how, SPAN_LIT("again")))
		(void)verify_cache_ask(c, line, hop_is);
	return 0;
}

/* The sum's line is the last, behind *body. */
static bool
sum_holds(struct span file, struct span *body)
{
	static const size_t tail = sizeof("sum 01234567\n") - 1;
	uint32_t sum;

	if (file.n < tail || file.p[file.n - 1] != '\n' ||
	    memcmp(file.p + file.n - tail, "sum ", 4) != 0 ||
	    !take_hex(span_of(file.p + file.n - 9, 8), &sum))
		return false;
	*body = span_head(file, file.n - tail);
	return sum == crc32c(0, body->p, body->n);
}

int
verify_cache_take(struct verify_cache *c, struct span file, int64_t now,
    uint64_t wall)
{
	struct span body, magic = SPAN_LIT(MAGIC);

	if (!sum_holds(file, &body) ||
	    !span_eq(span_head(body, magic.n), magic))
		return -1;
	body = span_skip(body, magic.n);
	while (body.n > 0)
		if (take_entry(c, span_cut(&body, '\n'), now, wall) == -1) {
			drop_all(c);
			return -1;
		}
	return 0;
}
