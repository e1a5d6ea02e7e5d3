/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_name.c - names: domains as A-labels, and which name was perhaps
 * meant by a misspelt one. */
#include "base/conf_impl.h"

#include <ctype.h>

#include "base/idn.h"

/* ---- domains ---- */

static bool
label_ok(struct span label)
{
	if (label.n == 0 || label.n > 63 || label.p[0] == '-' ||
	    label.p[label.n - 1] == '-')
		return false;
	for (size_t i = 0; i < label.n; i++)
		if (!isalnum((unsigned char)label.p[i]) &&
		    label.p[i] != '-' && label.p[i] != '_')
			return false;
	return true;
}

size_t
conf_domain(struct span s, bool pattern, char out[256])
{
	char name[IDN_SIZE];
	struct span rest;
	size_t at = 0;

	if (pattern && span_eq(s, SPAN_LIT("*"))) {
		memcpy(out, "*", 2);
		return 1;
	}
	if (pattern && s.n > 2 && s.p[0] == '*' && s.p[1] == '.') {
		memcpy(out, "*.", 3);
		at = 2;
		s = span_skip(s, 2);
	}
	if (s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;		/* the root, written out */
	rest = span_of(name, idn_to_ascii(s, name));
	if (rest.n == 0 || rest.n + at > 253)
		return 0;
	memcpy(out + at, name, rest.n + 1);
	at += rest.n;
	while (rest.n > 0) {
		bool more = memchr(rest.p, '.', rest.n) != NULL;

		if (!label_ok(span_cut(&rest, '.')) || (more && rest.n == 0))
			return 0;
	}
	return at;
}

/* ---- did you mean ---- */

/* Optimal string alignment: insert, delete, replace, swap neighbours.  Words
 * longer than the table are no misspelling of any of ours. */
#define HINT_WORD	32
static unsigned
distance(struct span a, struct span b)
{
	unsigned d[HINT_WORD + 1][HINT_WORD + 1];

	if (a.n > HINT_WORD || b.n > HINT_WORD)
		return HINT_WORD;
	for (unsigned i = 0; i <= a.n; i++)
		for (unsigned j = 0; j <= b.n; j++) {
			unsigned least, cost;

			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			cost = ascii_lower(a.p[i - 1]) != ascii_lower(b.p[j - 1]);
			least = d[i - 1][j - 1] + cost;
			if (d[i - 1][j] + 1 < least)
				least = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < least)
				least = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] &&
			    a.p[i - 2] == b.p[j - 1] &&
			    d[i - 2][j - 2] + 1 < least)
				least = d[i - 2][j - 2] + 1;
			d[i][j] = least;
		}
	return d[a.n][b.n];
}

void
conf_hint_start(char out[CONF_HINT_SIZE], unsigned *best)
{
	out[0] = '\0';
	*best = HINT_WORD;
}

void
conf_hint_try(struct span word, struct span candidate, unsigned *best,
    char out[CONF_HINT_SIZE])
{
	unsigned d = distance(word, candidate);

	/* A third of the letters may be wrong, two at least: `smptd`. */
	if (d >= *best || (d > 2 && d * 3 > candidate.n) ||
	    d >= candidate.n)
		return;
	*best = d;
	snprintf(out, CONF_HINT_SIZE, "; did you mean `%.*s`?",
	    SPAN_FMT(candidate));
}
