/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/peer.c - see policy/peer.h. */
#include "policy/peer.h"

#include <assert.h>

#define DAY_S	86400u
#define GRAIN_S	3600u	/* once an hour is enough to know that it lives */

static const char *const recall_names[RECALL_COUNT] = {
	"nothing", "observe", "accepted", "encrypted",
};

const char *
recall_name(enum recall r)
{
	assert((unsigned)r < RECALL_COUNT);
	return recall_names[r];
}

void
peer_rules_of(struct peer_rules *r, const struct conf *conf)
{
	const struct conf_memory *m = &conf->policy.memory;

	*r = (struct peer_rules){ .sessions = m->sessions,
	    .over = m->over / 1000, .expire = m->expire / 1000,
	    .hold_for = m->hold_for / 1000, .on_loss = m->on_loss,
	    .quiet = DAY_S + 2 * conf->relay.retry.max / 1000 };
}

static unsigned
bit_of(int version)
{
	return version < 0 || version > 7 ? 0 : 1u << version;
}

bool
peer_news(const struct peer *p, const struct peer_rules *r,
    const struct peer_session *s)
{
	uint64_t grain = r->over / 24 < GRAIN_S ? r->over / 24 : GRAIN_S;

	/* A clock that was ahead is no reason to stay deaf. */
	return !peer_known(p, r) || s->now < p->last ||
	    s->now - p->last >= grain ||
	    (bit_of(s->version) & ~p->versions) != 0 ||
	    !span_eq(s->spki, span_str(p->spki));
}

void
peer_take(struct peer *p, const struct peer_session *s)
{
	if (p->first == 0 || s->now < p->first)
		p->first = s->now;
	if (p->sessions == 0 || s->now / DAY_S > p->last / DAY_S)
		p->days++;
	if (p->sessions < UINT32_MAX)
		p->sessions++;
	p->last = s->now;
	p->versions |= bit_of(s->version);
	(void)span_copy(s->spki, p->spki, sizeof(p->spki));
}

bool
peer_known(const struct peer *p, const struct peer_rules *r)
{
	return p->sessions >= r->sessions && p->first != 0 &&
	    p->last - p->first >= r->over;
}

bool
peer_expects(const struct peer *p, const struct peer_rules *r, uint64_t now)
{
	return peer_known(p, r) && now < p->last + r->expire;
}

/* ---- losses ---- */

/* Forgotten: nobody saw it for long, and it had not been accepted. */
static bool
stale(const struct loss *l, const struct peer_rules *r, uint64_t now)
{
	return l->last < l->since + r->hold_for && now > l->last + r->quiet;
}

void
loss_take(struct loss *l, const struct peer_rules *r, uint64_t now)
{
	/* Where the clock was set back: never shorter than promised. */
	if (l->since == 0 || now < l->since || stale(l, r, now))
		l->since = now;
	l->last = now;
}

bool
loss_accepted(const struct loss *l, const struct peer_rules *r, uint64_t now)
{
	return l->since != 0 && now >= l->since + r->hold_for &&
	    !stale(l, r, now);
}

enum recall
recall(const struct peer *host, const struct peer *domain,
    const struct loss *l, const struct peer_rules *r, uint64_t now)
{
	if (!peer_expects(host, r, now) && !peer_expects(domain, r, now))
		return RECALL_NOTHING;
	if (r->on_loss == LOSS_OBSERVE)
		return RECALL_OBSERVE;
	if (r->on_loss == LOSS_HOLD && loss_accepted(l, r, now))
		return RECALL_ACCEPTED;
	return RECALL_TLS;
}
