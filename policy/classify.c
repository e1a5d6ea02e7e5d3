/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/classify.c - see policy/classify.h. */
#include "policy/classify.h"

#include <assert.h>
#include <string.h>

#include "base/siphash.h"
#include "smtp/ehlo.h"

static const char *const names[CLUE_COUNT] = {
	"keyword-overwritten", "banner-overwritten", "ehlo-refused",
	"same-banner-elsewhere", "others-lost-tls", "injected",
	"policy-promises-tls",
};

const char *
clue_name(unsigned bit)
{
	assert(bit < CLUE_COUNT);
	return names[bit];
}

/* Not the code, which all hosts share. */
static struct span
text_of(struct span greeting)
{
	return greeting.n > 4 ? span_skip(greeting, 4) : SPAN_NONE;
}

/* Most of it stars or X, as firewalls write it: "220 ****2***0*0". */
static bool
is_starred(struct span greeting)
{
	struct span text = text_of(greeting);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '*' || text.p[i] == 'X';
	return n >= 4 && n * 2 > text.n;
}

static bool
has_mangled(struct span ehlo)
{
	(void)span_cut(&ehlo, '\n');	/* the host's name */
	while (ehlo.n > 0) {
		struct span line = span_cut(&ehlo, '\n');

		if (ehlo_word_mangled(span_cut(&line, ' ')))
			return true;
	}
	return false;
}

/* Its last two labels: good enough to tell strangers apart, since a wrong
 * answer costs a clue and no more. */
static struct span
owner_of(const char *name)
{
	size_t n = strlen(name), dots = 0, i = n;

	while (i > 0) {
		if (name[i - 1] == '.' && ++dots == 2)
			break;
		i--;
	}
	return span_of(name + i, n - i);
}

static bool
unrelated(const struct recent *r, const struct heard_loss *h)
{
	return !span_ieq(owner_of(r->mx), owner_of(h->mx)) &&
	    strcmp(r->addr, h->addr) != 0;
}

/* No secret: who finds two texts of one hash gains a clue against himself. */
static uint64_t
banner_of(const struct heard_loss *h)
{
	static const struct siphash_key key = { 0 };
	struct span text = text_of(h->greeting);

	return text.n == 0 ? 0 : siphash(&key, text) | 1;
}

unsigned
clues_of(const struct clues *c, const struct heard_loss *h, uint64_t now)
{
	uint64_t banner = banner_of(h);
	unsigned found = 0;

	if (h->finding == FINDING_MANGLED || has_mangled(h->ehlo))
		found |= CLUE_MANGLED;
	if (is_starred(h->greeting))
		found |= CLUE_STARRED;
	if (h->helo)
		found |= CLUE_HELO;
	if (h->finding == FINDING_INJECTION)
		found |= CLUE_INJECTED;
	if (h->why == WHY_DANE || h->why == WHY_STS)
		found |= CLUE_PROMISED;
	for (unsigned i = 0; i < CLUES_RECENT; i++) {
		const struct recent *r = &c->recent[i];

		if (r->time == 0 || now > r->time + CLUES_SPAN_S ||
		    !unrelated(r, h))
			continue;
		if (banner != 0 && r->banner == banner)
			found |= CLUE_SAME_BANNER;
		if (r->expected)
			found |= CLUE_OTHERS;
	}
	return found;
}

/* One place per host, so that a busy one does not push out the others. */
void
clues_add(struct clues *c, const struct heard_loss *h, bool expected,
    uint64_t now)
{
	struct recent *to = &c->recent[c->next];

	for (unsigned i = 0; i < CLUES_RECENT; i++)
		if (c->recent[i].time != 0 &&
		    strcmp(c->recent[i].mx, h->mx) == 0 &&
		    strcmp(c->recent[i].addr, h->addr) == 0)
			to = &c->recent[i];
	if (to == &c->recent[c->next])
		c->next = (c->next + 1) % CLUES_RECENT;
	*to = (struct recent){ .time = now, .banner = banner_of(h),
	    .expected = expected };
	(void)span_copy(span_str(h->mx), to->mx, sizeof(to->mx));
	(void)span_copy(span_str(h->addr), to->addr, sizeof(to->addr));
}

enum finding_class
classify(unsigned clues, bool host_known)
{
	if ((clues & ~(unsigned)CLUE_PROMISED) != 0)
		return CLASS_ON_PATH;
	if (!host_known)
		return CLASS_NEVER_HAD;
	return clues != 0 ? CLASS_ON_PATH : CLASS_AT_PEER;
}
