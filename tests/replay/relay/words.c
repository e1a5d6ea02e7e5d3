/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "tests/replay/relay/play.h"

#include <stdlib.h>

struct span
word(struct span *rest)
{
	struct span w;

	*rest = span_trim(*rest);
	w = span_cut(rest, ' ');
	*rest = span_trim(*rest);
	return w;
}

char *
text_of(struct span s)
{
	char *p = strndup(s.p, s.n);

	if (p == NULL)
		wrong("no memory");
	return p;
}

bool
is(struct span s, const char *w)
{
	return span_eq(s, span_str(w));
}

struct span
plain(struct span s, char *out)
{
	char text[SCRIPT_LINE];
	struct span all;
	struct buf b;

	(void)span_copy(s, text, sizeof(text));
	buf_init(&b, SCRIPT_LINE);
	unescape(text, &b);
	all = buf_get(&b);
	if (all.n > 0)
		memcpy(out, all.p, all.n);
	buf_free(&b);
	return span_of(out, all.n);
}
