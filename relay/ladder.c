/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/ladder.c - see ladder.h. */
#include "relay/ladder.h"

/* What a trouble says of TLS at that host, and whether another ClientHello may
 * help.  A refusal may come from a middlebox that lost patience with the first
 * connection, so it gets its second one too. */
static const struct {
	enum how	how;
	bool		again;
} troubles[] = {
	[LADDER_NO_HOST] =	{ HOW_NONE,		false },
	[LADDER_NOT_OFFERED] =	{ HOW_NOT_OFFERED,	false },
	[LADDER_MANGLED] =	{ HOW_MANGLED,		false },
	[LADDER_REFUSED] =	{ HOW_REFUSED,		true },
	[LADDER_FAILED] =	{ HOW_FAILED,		true },
	[LADDER_STALE] =	{ HOW_NONE,		false },
	[LADDER_UNSURE] =	{ HOW_FAILED,		true },
	/* Somebody on the path, or a server that answers ahead: asking again
	 * in another way changes neither. */
	[LADDER_INJECTED] =	{ HOW_FAILED,		false },
	[LADDER_TOO_WEAK] =	{ HOW_FAILED,		false },
};

const char *
ladder_mode_name(enum ladder_mode m)
{
	static const char *const names[] = {
		[LADDER_TLS] = "tls", [LADDER_REDUCED] = "reduced",
		[LADDER_CLEAR] = "clear",
	};

	return names[m];
}

void
ladder_init(struct ladder *l, bool tls_failed_before)
{
	*l = (struct ladder){ .at = -1, .clear_allowed = tls_failed_before };
}

void
ladder_add(struct ladder *l, unsigned host, unsigned addr, enum level asked)
{
	if (l->n == LADDER_TARGETS || host > UINT16_MAX || addr > UINT16_MAX)
		return;
	l->targets[l->n++] = (struct ladder_target){
		.host = (uint16_t)host, .addr = (uint16_t)addr,
		.asked = (uint8_t)asked, .how = HOW_NONE };
}

static bool
give(struct ladder *l, unsigned at, enum ladder_mode mode,
    struct ladder_step *out)
{
	const struct ladder_target *t = &l->targets[at];

	l->at = (int)at;
	l->mode = mode;
	l->tries++;
	l->targets[at].state = LADDER_TRYING;
	*out = (struct ladder_step){ .host = t->host, .addr = t->addr,
	    .mode = mode,
	    .how = mode == LADDER_CLEAR ? (enum how)t->how : HOW_NONE };
	return true;
}

static bool
next_new(struct ladder *l, struct ladder_step *out)
{
	unsigned i;

	for (i = 0; i < l->n; i++) {
		if (l->targets[i].state == LADDER_NEW) {
			l->unsure = false;
			return give(l, i, LADDER_TLS, out);
		}
	}
	return false;
}

static bool
next_clear(struct ladder *l, struct ladder_step *out)
{
	if (!l->clear_allowed || !l->tls_trouble)
		return false;
	if (!l->clear_phase) {
		l->clear_phase = true;
		l->next = l->tries = 0;
	}
	while (l->next < l->n && l->tries < LADDER_CLEARS) {
		const struct ladder_target *t = &l->targets[l->next++];

		if (t->how != HOW_NONE && t->asked <= LEVEL_CLEAR)
			return give(l, l->next - 1, LADDER_CLEAR, out);
	}
	return false;
}

bool
ladder_next(struct ladder *l, struct ladder_step *out)
{
	if (!l->clear_phase && l->tries < LADDER_TRIES) {
		if (l->stale) {
			l->stale = false;
			(void)give(l, (unsigned)l->at, l->mode, out);
			out->fresh = true;
			return true;
		}
		if (l->again) {
			l->again = false;
			return give(l, (unsigned)l->at, LADDER_REDUCED, out);
		}
		if (next_new(l, out))
			return true;
	}
	l->at = -1;
	return next_clear(l, out);
}

/* The target of that address of the host at hand. */
static struct ladder_target *
sibling(struct ladder *l, unsigned addr)
{
	unsigned i;

	for (i = 0; i < l->n; i++) {
		struct ladder_target *t = &l->targets[i];

		if (t->host == l->targets[l->at].host && t->addr == addr)
			return t;
	}
	return &l->targets[l->at];
}

bool
ladder_beside(struct ladder *l, struct ladder_step *out)
{
	int at = l->at;
	unsigned i;

	if (at < 0 || l->mode != LADDER_TLS || l->tries >= LADDER_TRIES)
		return false;
	for (i = 0; i < l->n; i++) {
		if (l->targets[i].host != l->targets[at].host ||
		    l->targets[i].state != LADDER_NEW)
			continue;
		return give(l, i, LADDER_TLS, out);
	}
	return false;
}

void
ladder_missed(struct ladder *l, unsigned addr)
{
	if (l->at >= 0)
		sibling(l, addr)->state = LADDER_DONE;
}

void
ladder_reached(struct ladder *l, unsigned addr, struct ladder_step *out)
{
	struct ladder_target *t = sibling(l, addr);
	unsigned i;

	for (i = 0; i < l->n; i++) {
		if (l->targets[i].state == LADDER_TRYING)
			l->targets[i].state = LADDER_NEW;
	}
	t->state = LADDER_DONE;
	l->at = (int)(t - l->targets);
	out->addr = t->addr;
}

bool
ladder_tries_again(const struct ladder *l, enum ladder_trouble t)
{
	return (troubles[t].again && l->mode == LADDER_TLS) ||
	    (t == LADDER_UNSURE && !l->unsure);
}

void
ladder_report(struct ladder *l, enum ladder_trouble t)
{
	unsigned i;

	for (i = 0; i < l->n; i++) {
		if (l->targets[i].state == LADDER_TRYING)
			l->targets[i].state = LADDER_DONE;
	}
	if (l->at < 0 || l->mode == LADDER_CLEAR || t == LADDER_NO_HOST)
		return;
	l->stale = t == LADDER_STALE || (t == LADDER_UNSURE && !l->unsure);
	l->unsure = l->unsure || t == LADDER_UNSURE;
	if (l->stale)
		return;
	l->tls_trouble = true;
	l->targets[l->at].how = (uint8_t)troubles[t].how;
	l->again = ladder_tries_again(l, t);
}

void
ladder_stop(struct ladder *l)
{
	l->n = 0;
	l->at = -1;
	l->again = l->clear_allowed = false;
}

bool
ladder_clear_now(const struct ladder *l, enum level asked)
{
	return asked <= LEVEL_CLEAR && (!l->tls_trouble || l->clear_allowed);
}

bool
ladder_tls_trouble(const struct ladder *l)
{
	return l->tls_trouble;
}
