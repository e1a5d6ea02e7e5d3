/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/heard.c - see smtp/heard.h. */
#include "smtp/heard.h"

#include <stdio.h>

static void
take(char *out, size_t size, const struct reply *r)
{
	struct span lines = buf_get(&r->lines);
	int n = snprintf(out, size, "%d ", r->code);

	if (n > 0 && (size_t)n < size)
		(void)span_copy(lines, out + n, size - (size_t)n);
}

void
heard_greeting(struct heard *h, const struct reply *r)
{
	take(h->greeting, sizeof(h->greeting), r);
}

void
heard_ehlo(struct heard *h, const struct reply *r)
{
	take(h->ehlo, sizeof(h->ehlo), r);
}
