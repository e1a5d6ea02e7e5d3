/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/hops.c - see hops.h. */
#include "smtp/hops.h"

static const char field[] = "received:";

static void
hops_byte(struct smtp_hops *h, char c)
{
	if (c == '\n') {
		h->ended = !h->text;
		h->at = 0;
		h->rest = h->text = false;
		return;
	}
	if (c == '\r')
		return;
	h->text = true;
	if (field[h->at] != ascii_lower(c)) {
		h->rest = true;
		return;
	}
	if (field[++h->at] == '\0') {
		h->count++;
		h->rest = true;
	}
}

void
smtp_hops_feed(struct smtp_hops *h, struct span s)
{
	while (s.n > 0 && !h->ended) {
		if (h->rest) {
			const char *lf = memchr(s.p, '\n', s.n);

			if (lf == NULL)
				return;
			s = span_skip(s, (size_t)(lf - s.p));
		}
		hops_byte(h, s.p[0]);
		s = span_skip(s, 1);
	}
}
