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
	*out = (struct ladder_step){ .host = t->host, .addr = t->addr,
	    .mode = mode,
	    .how = mode == LADDER_CLEAR ? (enum how)t->how : HOW_NONE };
	return true;
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
		if (l->again) {
			l->again = false;
			return give(l, (unsigned)l->at, LADDER_REDUCED, out);
		}
		if (l->next < l->n) {
			l->next++;
			return give(l, l->next - 1, LADDER_TLS, out);
		}
	}
	l->at = -1;
	return next_clear(l, out);
}

void
ladder_report(struct ladder *l, enum ladder_trouble t)
{
	if (l->at < 0 || l->mode == LADDER_CLEAR || t == LADDER_NO_HOST)
		return;
	l->tls_trouble = true;
	l->targets[l->at].how = (uint8_t)troubles[t].how;
	l->again = troubles[t].again && l->mode == LADDER_TLS;
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
